use super::*;
use crate::state::document::Document;

fn masked(kind: &str, attributes: &str, declared: &[&str]) -> String {
    let value = Value::parse(attributes.as_bytes()).unwrap();
    let declared: Vec<Path> = declared.iter().map(|path| Path::parse(path).unwrap()).collect();
    Secrets::of_attributes(kind, &value, &declared).mask(value).to_json()
}

#[test]
fn declared_paths_are_masked_and_null_stays() {
    let shown = masked("acme_host", r#"{"a":{"b":["x","y"]},"c":null}"#, &["a.b[1]", "c"]);
    assert_eq!(shown, r#"{"a":{"b":["x",{"sensitive":true}]},"c":null}"#);
}

#[test]
fn a_path_steps_over_the_wrapper_of_a_dynamic_attribute() {
    let attributes = r#"{"input":{"value":{"pin":"1234"},"type":["object",{"pin":"string"}]}}"#;
    let shown = masked("terraform_data", attributes, &["input.pin"]);
    assert!(!shown.contains("1234"), "{shown}");
    assert!(shown.contains(r#""type":["object""#), "{shown}");
}

#[test]
fn a_path_that_leads_into_a_set_masks_the_set() {
    assert_eq!(masked("x", r#"{"s":["p"],"t":1}"#, &["s.p"]), r#"{"s":{"sensitive":true},"t":1}"#);
}

#[test]
fn each_of_several_equal_keys_is_masked() {
    let shown = masked("x", r#"{"password":"first1","password":"second"}"#, &["password"]);
    assert!(!shown.contains("first1") && !shown.contains("second"), "{shown}");
}

#[test]
fn each_secret_is_told_once_and_where_it_is() {
    let value = Value::parse(br#"{"a":{"b":"x"},"c":"y","d":null}"#).unwrap();
    let declared = ["a.b", "c", "a", "d", "e"].map(|path| Path::parse(path).unwrap());
    let secrets = Secrets::of_attributes("x", &value, &declared);
    let paths: Vec<String> = secrets.paths(&value).iter().map(ToString::to_string).collect();
    assert_eq!(paths, ["a", "c"]);
}

#[test]
fn a_path_to_nothing_masks_nothing() {
    assert_eq!(masked("x", r#"{"a":"plain"}"#, &["gone.b", "a2"]), r#"{"a":"plain"}"#);
}

#[test]
fn well_known_attributes_need_no_declaration() {
    assert!(
        !masked("random_password", r#"{"result":"hunter22","length":8}"#, &[]).contains("hunter22")
    );
    for name in ["password", "db_password", "apiKey", "client_secret", "auth-token"] {
        let attributes = format!(r#"{{"{name}":"hunter22"}}"#);
        assert!(!masked("x", &attributes, &[]).contains("hunter22"), "{name}");
    }
    for name in ["password_length", "secret_id", "token_ttl", "key_name"] {
        let attributes = format!(r#"{{"{name}":"hunter22"}}"#);
        assert!(masked("x", &attributes, &[]).contains("hunter22"), "{name}");
    }
}

#[test]
fn a_secret_is_masked_wherever_the_same_object_repeats_it() {
    let attributes = r#"{"input":"hunter22","output":"hunter22","url":"https://u:hunter22@h"}"#;
    assert!(!masked("terraform_data", attributes, &["input"]).contains("hunter22"));
}

#[test]
fn keys_and_tokens_are_told_by_their_looks() {
    let pem = r#"{"body":"-----BEGIN RSA PRIVATE KEY-----\nabc"}"#;
    assert_eq!(masked("x", pem, &[]), r#"{"body":{"sensitive":true}}"#);
}

#[test]
fn names_that_only_speak_of_secrets_hide_nothing() {
    for name in [
        "public_key",
        "token_type",
        "secret_name",
        "secret_arn",
        "kms_key_id",
        "access_key_id",
        "password_policy",
        "ssh_key_name",
        "password_expiry_days",
    ] {
        assert!(!is_secret_name(name), "{name}");
    }
}

#[test]
fn lists_and_numbers_under_a_secret_name_are_masked() {
    let shown = masked("x", r#"{"token":["one","two"],"pin_password":123456}"#, &[]);
    assert!(!shown.contains("one") && !shown.contains("123456"), "{shown}");
}

#[test]
fn a_block_under_a_secret_name_is_masked_by_the_names_in_it() {
    let attributes = r#"{"secret":[{"secret_name":"plain","password":"hunter22"}]}"#;
    let expected = r#"{"secret":[{"secret_name":"plain","password":{"sensitive":true}}]}"#;
    assert_eq!(masked("x", attributes, &[]), expected);
}

#[test]
fn a_variable_with_a_secret_name_is_masked() {
    let attributes =
        r#"{"env":[{"name":"DB_PASSWORD","value":"hunter22"},{"name":"HOST","value":"h"}]}"#;
    let expected = r#"{"env":[{"name":"DB_PASSWORD","value":{"sensitive":true}},{"name":"HOST","value":"h"}]}"#;
    assert_eq!(masked("x", attributes, &[]), expected);
}

#[test]
fn json_in_a_string_is_masked_where_it_has_a_secret() {
    let document = instance_of(r#""attributes":{"a":"{\"password\":\"p\"}","b":"{\"c\":\"p\"}"}"#);
    let shown = document.instance(0).shown_attributes(Reveal::No).unwrap().to_json();
    assert_eq!(shown, r#"{"a":{"sensitive":true},"b":"{\"c\":\"p\"}"}"#);
}

#[test]
fn text_is_masked_where_it_is_yaml_with_a_secret_in_it_or_nearly_so() {
    for text in [
        "users:\n- name: a\n  user:\n    client-key-data: S3CR3T\n",
        "image: x\nauth:\n  password: S3CR3T\n",
        "#cloud-config\nchpasswd:\n  password: S3CR3T\n",
        "kind: Secret\nstringData:\n  plain: S3CR3T\n",
        "env:\n- name: API_TOKEN\n  value: S3CR3T\n",
        "write_files:\n- path: x\n  content: |\n    a: 1\n    password: S3CR3T\n",
        "write_files:\n- content: '{\"password\": \"S3CR3T\"}'\n- b\n",
        "a: 1\n---\nb: 2\npassword: S3CR3T\n",
        // What is no YAML, or not yet.
        "\"password\": \"S3CR3T\"\n",
        "password: S3CR3T\npassword: S3CR3T\n",
        "{{ if x }}\npassword: S3CR3T\n{{ end }}\n",
        "#!/bin/sh\ncat > x <<EOF\n  - password: 'S3CR3T'\nEOF\n",
    ] {
        assert!(embeds_secret(text), "{text}");
        let attributes = Value::Object(vec![("a".into(), Value::String(text.into()))]);
        let shown = Secrets::default().with_embedded(&attributes).mask(attributes).to_json();
        assert_eq!(shown, r#"{"a":{"sensitive":true}}"#, "{text}");
    }
    let large = format!("a: {}\npassword: S3CR3T\n", "x".repeat(2 << 20));
    assert!(embeds_secret(&large));
}

#[test]
fn text_that_only_speaks_of_secrets_is_shown() {
    for text in [
        "image: x\nsecretName: tls\npassword: \n",
        "image: x\npassword: ~\ntoken: false\n",
        "Reset your password: see the wiki\nAnd then: go on\n",
        "https://token:443/\nand more\n",
        "token: *anchor\n# password: none of it\n",
        "kind: ConfigMap\ndata:\n  a: b\n",
    ] {
        assert!(!embeds_secret(text), "{text}");
    }
}

#[test]
fn documents_inside_documents_end_somewhere_and_what_is_deeper_counts_as_secret() {
    let inside = |text: String| Value::Array(vec![Value::String(text.into())]).to_json();
    let shallow = inside(inside(String::from("x")));
    assert!(!embeds_secret(&shallow));
    assert!(embeds_secret(&(0..4).fold(shallow, |text, _| inside(text))));
    let again = "- *x\n".repeat(200);
    assert!(embeds_secret(&format!("- k: &x |\n    a: {}\n    b: 1\n{again}", "y".repeat(1000))));
}

#[test]
fn a_secret_is_masked_where_it_is_a_key_or_stands_escaped_in_json() {
    let attributes =
        r#"{"pin":"hun\"ter22","m":{"hun\"ter22":1},"j":"{\"x\":\"hun\\\"ter22\"}","k":1}"#;
    let shown = masked("x", attributes, &["pin"]);
    assert_eq!(shown.matches("sensitive").count(), 3, "{shown}");
    assert!(!shown.contains("ter22"), "{shown}");
}

#[test]
fn a_secret_under_the_first_of_two_equal_keys_is_masked_where_it_repeats() {
    let attributes = r#"{"pin":"hunter22","pin":"other","url":"x-hunter22"}"#;
    assert!(!masked("x", attributes, &["pin"]).contains("hunter22"));
}

fn instance_of(fields: &str) -> Document {
    let state = format!(
        r#"{{"version":4,"resources":[{{"mode":"managed","type":"t","name":"n","instances":[{{{fields}}}]}}]}}"#
    );
    Document::parse(state.into_bytes()).unwrap()
}

#[test]
fn an_id_that_is_a_secret_is_masked_however_that_is_known() {
    let declared = r#""sensitive_attributes":[[{"type":"get_attr","value":"pin"}]]"#;
    for fields in [
        r#""attributes":{"id":"hunter22","password":"hunter22"}"#.to_owned(),
        r#""attributes":{"ID":"glpat-hunter22"}"#.to_owned(),
        r#""attributes_flat":{"id":"hunter22","password":"hunter22"}"#.to_owned(),
        format!(r#""attributes":{{"id":"hunter22","pin":"hunter22","bad":"\ud800"}},{declared}"#),
        r#""attributes":{"id":"hunter22"},"sensitive_attributes":[[]]"#.to_owned(),
    ] {
        let document = instance_of(&fields);
        let instance = document.instance(0);
        assert_eq!(instance.shown_id(Reveal::No), Some(Value::Sensitive), "{fields}");
        assert!(instance.shown_id(Reveal::Yes).unwrap().to_json().contains("hunter22"));
    }
    let plain = instance_of(r#""attributes":{"id":"i-0123456789","password":"hunter22"}"#);
    assert_eq!(plain.instance(0).shown_id(Reveal::No).unwrap().to_json(), "\"i-0123456789\"");
}

#[test]
fn the_identity_is_masked_where_it_repeats_a_secret_of_the_attributes() {
    let document = instance_of(
        r#""attributes":{"pin":"hunter22"},"identity":{"a":"hunter22","token":"t","b":"plain"},
           "sensitive_attributes":[[{"type":"get_attr","value":"pin"}]]"#,
    );
    let shown = document.instance(0).shown_identity(Reveal::No).unwrap().to_json();
    let expected = r#"{"a":{"sensitive":true},"token":{"sensitive":true},"b":"plain"}"#;
    assert_eq!(shown, expected);
}

#[test]
fn a_sensitive_output_is_masked_as_a_whole() {
    let value = Value::parse(br#"{"a":"x"}"#).unwrap();
    assert_eq!(Secrets::of_output("o", true, &value).mask(value), Value::Sensitive);
}
