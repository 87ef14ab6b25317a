//! What Terraform 1.11.4 does with odd documents, each found by comparing it with this reader.

use crate::state::document::{Document, Instance};
use crate::state::sensitive::Reveal;

const PROVIDER: &str = r#""provider":"provider[\"registry.terraform.io/a/b\"]""#;

fn list(state: &[u8]) -> Option<String> {
    let document = Document::parse(state.to_vec()).ok()?;
    let addresses: Vec<String> = document.instances().map(Instance::address_text).collect();
    Some(addresses.join(" "))
}

fn with_instance(instance: &str) -> String {
    format!(
        r#"{{"version":4,"resources":[{{"mode":"managed","type":"t","name":"n",{PROVIDER},"instances":[{instance}]}}]}}"#
    )
}

fn of_instance(instance: &str) -> Option<String> {
    list(with_instance(instance).as_bytes())
}

#[test]
fn the_last_version_counts_wherever_it_stands() {
    for (second, accepted) in
        [("4", true), ("3", true), ("\"x\"", false), ("5", false), ("null", false), ("{}", false)]
    {
        let state = format!(r#"{{"version":4,"resources":[],"Version":{second}}}"#);
        assert_eq!(list(state.as_bytes()).is_some(), accepted, "{second}");
    }
    assert!(list(br#"{"version":"x","version":4}"#).is_none());
    assert!(list(br#"{"version":null,"version":4}"#).is_some());
}

#[test]
fn keys_match_with_their_escapes_undone_and_as_go_folds_letters() {
    let state = with_instance("{}");
    for (from, to) in [
        ("version", "ver\\u0073ion"),
        ("version", "ver\u{17f}ion"),
        ("resources", "re\\u017fources"),
        ("type", "t\\u0079pe"),
        ("mode", "m\\u006Fde"),
        ("managed", "m\\u0061naged"),
        ("instances", "in\u{17f}tances"),
    ] {
        let state = state.replacen(from, to, 1);
        assert_eq!(list(state.as_bytes()).as_deref(), Some("t.n"), "{to}");
    }
    assert_eq!(of_instance(r#"{"index_\u006bey":"a"}"#).as_deref(), Some("t.n[\"a\"]"));
    assert_eq!(of_instance("{\"index_\u{212a}ey\":1}").as_deref(), Some("t.n[1]"));
}

#[test]
fn number_keys_go_through_a_float() {
    let key = |digits: &str| of_instance(&format!(r#"{{"index_key":{digits}}}"#)).unwrap();
    assert_eq!(key("9007199254740991"), "t.n[9007199254740991]");
    assert_eq!(key("9007199254740993"), "t.n[9007199254740992]");
    assert_eq!(key("-9007199254740993"), "t.n[-9007199254740992]");
    assert_eq!(key("9223372036854775807"), "t.n[-9223372036854775808]");
    assert_eq!(
        of_instance(r#"{"index_key":9007199254740993},{"index_key":9007199254740992}"#),
        None
    );
}

#[test]
fn each_byte_that_is_not_utf_8_becomes_one_replacement() {
    let mut state = with_instance(r#"{"index_key":"?"}"#).into_bytes();
    let at = state.iter().rposition(|&byte| byte == b'?').unwrap();
    state.splice(at..=at, *b"\xe2\x82\xf0\x9f\x98");
    assert_eq!(list(&state).unwrap(), format!("t.n[\"{}\"]", "\u{fffd}".repeat(5)));
}

#[test]
fn null_after_a_value_says_nothing() {
    let state = with_instance(r#"{"status":"tainted","status":null}"#);
    for field in ["mode", "type", "name", "provider"] {
        let twice = state.replacen("\"instances\"", &format!("\"{field}\":null,\"instances\""), 1);
        assert_eq!(list(twice.as_bytes()).as_deref(), Some("t.n"), "{field}");
    }
    let document = Document::parse(state.into_bytes()).unwrap();
    assert!(document.instance(0).is_tainted());
    let header = br#"{"version":4,"serial":7,"serial":null,"lineage":"l","lineage":null}"#;
    let document = Document::parse(header.to_vec()).unwrap();
    assert_eq!((document.serial(), document.lineage()), (7, "l"));
}

#[test]
fn a_second_object_of_outputs_adds_to_the_first() {
    let state = br#"{"version":4,"outputs":{"a":{"value":1,"type":"number"},"b":{"value":1,"type":"number"}},
        "outputs":{"b":{"value":2,"type":"number"},"c":{"value":3,"type":"number"}}}"#;
    let document = Document::parse(state.to_vec()).unwrap();
    let names: Vec<_> = document.outputs().map(|o| (o.name().to_owned(), o.value_raw())).collect();
    let expected: [(String, &[u8]); 3] =
        [("a".into(), b"1"), ("b".into(), b"2"), ("c".into(), b"3")];
    assert_eq!(names, expected);
}

#[test]
fn optional_members_of_an_object_type_must_be_members() {
    let output = |third: &str| {
        let kind = format!(r#"["object",{{"a":"string"}},{third}]"#);
        let state = format!(r#"{{"version":4,"outputs":{{"o":{{"value":{{}},"type":{kind}}}}}}}"#);
        list(state.as_bytes()).is_some()
    };
    assert!(output("null") && output("[]") && output(r#"["a"]"#));
    assert!(!output(r#"["b"]"#) && !output("[1]") && !output("{}"));
}

#[test]
fn sensitive_paths_are_read_as_liberally_as_terraform_reads_them() {
    let paths =
        |path: &str| of_instance(&format!(r#"{{"sensitive_attributes":[{path}]}}"#)).is_some();
    let index = |key: &str| paths(&format!(r#"[{{"type":"index","value":{key}}}]"#));
    assert!(paths("null") && paths("[]") && !paths("[null]") && !paths("{}"));
    assert!(paths(r#"[{"type":"get_attr","value":"\ud800"}]"#));
    assert!(paths(r#"[{"type":"get_attr","value":null}]"#));
    assert!(paths(r#"[{"TYPE":"get_attr","Value":"x"}]"#));
    assert!(!paths(r#"[{"type":"get_attr"}]"#));
    assert!(index("null") && index(r#"{"value":1.5,"type":"number"}"#));
    assert!(index(r#"{"value":true,"type":"bool"}"#) && index(r#"{"value":"5","type":"number"}"#));
    assert!(index(r#"{"value":5,"type":"string"}"#) && index(r#"{"value":null,"type":"string"}"#));
    assert!(!index(r#"{"value":1,"type":"number","x":1}"#));
    assert!(!index(r#"{"Value":1,"type":"number"}"#) && !index("1"));
}

#[test]
fn a_path_that_no_json_has_hides_what_it_starts_in() {
    let state = with_instance(
        r#"{"attributes":{"pin":{"k":"1234"}},"sensitive_attributes":[[{"type":"get_attr","value":"pin"},
           {"type":"index","value":{"value":true,"type":"bool"}},{"type":"get_attr","value":"x"}]]}"#,
    );
    let document = Document::parse(state.into_bytes()).unwrap();
    let shown = document.instance(0).shown_attributes(Reveal::No).unwrap();
    assert_eq!(shown.to_json(), r#"{"pin":{"sensitive":true}}"#);
}

#[test]
fn results_of_checks_are_refused_where_terraform_refuses_them() {
    let result = |fields: &str| {
        list(format!(r#"{{"version":4,"check_results":[{{{fields}}}]}}"#).as_bytes()).is_some()
    };
    let of = |kind: &str, config: &str| {
        result(&format!(r#""object_kind":"{kind}","config_addr":"{config}""#))
    };
    assert!(of("zz", "a[0]") && result(r#""config_addr":"a[0]""#));
    assert!(of("resource", "module.m.a.b") && of("resource", "data.a.b"));
    for bad in ["a[0]", "a.b[0]", "a\\u005b0]", "a", "", "resource", "module.m[0].a.b"] {
        assert!(!of("resource", bad), "{bad}");
    }
    assert!(of("output", "module.m.output.o") && of("check", "check.c") && of("var", "var.v"));
    assert!(!of("output", "a.b") && !of("check", "a b") && !of("var", "output.o"));
    let object = |object: &str| {
        result(&format!(r#""object_kind":"resource","config_addr":"a.b","objects":{object}"#))
    };
    assert!(
        object("null")
            && object(
                r#"[{"object_addr":"module.m[0].a.b[\"k\"]","failure_messages":["x",null]}]"#
            )
    );
    for bad in [
        r#""x""#,
        "[null]",
        r#"[{"object_addr":5}]"#,
        r#"[{"object_addr":"zz"}]"#,
        r#"[{"object_addr":"a.b","failure_messages":[1]}]"#,
        r#"[{"object_addr":"a.b","status":5}]"#,
    ] {
        assert!(!object(bad), "{bad}");
    }
}

#[test]
fn versions_of_terraform_are_read_as_terraform_reads_them() {
    let version = |text: &str| {
        list(format!(r#"{{"version":4,"terraform_version":"{text}"}}"#).as_bytes()).is_some()
    };
    for good in ["", "v1", "1.2", "1.2.3-rc1", "1.2.3beta", "1.2.3-1a.b~", "1.2.3+a.b", "1.0-x+y"] {
        assert!(version(good), "{good}");
    }
    for bad in ["1..2", "1.2.3+a..b", "1.2.3+", "1.2.3-a.", "99999999999999999999"] {
        assert!(!version(bad), "{bad}");
    }
}
