//! `tfstate diff` with states that nobody would wish for: it ends soon, with an answer or a reason.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use crate::sandbox::{Ran, Sandbox};

const PROVIDER: &str = r#""provider":"provider[\"registry.terraform.io/acme/acme\"]""#;

fn instance(name: &str, attributes: &str, fields: &str) -> String {
    format!(
        r#"{{"mode":"managed","type":"x","name":"{name}",{PROVIDER},"instances":[{{{fields}"schema_version":0,"attributes":{attributes}}}]}}"#
    )
}

fn state(lineage: &str, resources: &[String]) -> String {
    let resources = resources.join(",");
    format!(r#"{{"version":4,"serial":1,"lineage":"{lineage}","resources":[{resources}]}}"#)
}

fn with(attributes: &str) -> String {
    state("l", &[instance("a", attributes, "")])
}

fn compared(before: impl AsRef<[u8]>, after: impl AsRef<[u8]>, args: &[&str]) -> Ran {
    let sandbox = Sandbox::new();
    sandbox.write("a.tfstate", before);
    sandbox.write("b.tfstate", after);
    sandbox.run(["diff", "a.tfstate", "b.tfstate"].iter().chain(args))
}

/// Asserts that it ended in good order and says all of this.
fn says(ran: &Ran, parts: &[&str]) {
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    for part in parts {
        assert!(ran.stdout.contains(part), "`{part}` is not in:\n{}", ran.stdout);
    }
}

/// Asserts that it could not be done, that nothing is told, and why.
fn refuses(ran: &Ran, parts: &[&str]) {
    assert_eq!((ran.status, ran.stdout.as_str()), (Some(1), ""), "{}", ran.stderr);
    for part in parts {
        assert!(ran.stderr.contains(part), "`{part}` is not in:\n{}", ran.stderr);
    }
}

#[test]
fn states_of_different_lineages_are_compared_and_it_is_said() {
    let (a, b) = (state("one", &[]), state("two", &[instance("a", "{}", "")]));
    let ran = compared(&a, &b, &[]);
    says(&ran, &["+ x.a", "1 added", "different lineages"]);
    assert!(ran.stderr.contains("the states have different lineages"), "{}", ran.stderr);
    // Two environments are of two histories: that is no news.
    assert_eq!(compared(&a, &b, &["--env"]).stderr, "");
}

#[test]
fn a_side_without_resources_or_of_an_old_version_is_compared() {
    says(&compared(with("{}"), state("l", &[]), &[]), &["- x.a", "1 removed"]);
    says(&compared(r#"{"version":4}"#, r#"{"version":4}"#, &[]), &["no differences"]);
    let old = r#"{"version":3,"serial":1,"lineage":"l","modules":[{"path":["root"],"outputs":{},
        "resources":{"x.a":{"type":"x","depends_on":[],"primary":{"id":"i","attributes":
        {"id":"i","n":"1","l.#":"1","l.0":"v"},"meta":{},"tainted":false},"deposed":[],
        "provider":"provider.acme"}}}]}"#;
    let ran = compared(old, with(r#"{"id":"i","n":2,"l":["v"]}"#), &[]);
    says(&ran, &["~ x.a", "n", "1 changed"]);
    assert!(!ran.stdout.contains("l[0]"), "{}", ran.stdout);
}

#[test]
fn a_file_that_is_empty_encrypted_or_ambiguous_is_refused_by_name() {
    refuses(&compared("", with("{}"), &[]), &["a.tfstate", "empty"]);
    let encrypted = r#"{"serial":7,"lineage":"l","meta":{"key_provider.pbkdf2.k":"e30="},
        "encrypted_data":"AAAA","encryption_version":"v0"}"#;
    refuses(
        &compared(with("{}"), encrypted, &[]),
        &["b.tfstate", "encrypted by OpenTofu", "hint:"],
    );
    let twice = state("l", &[instance("a", "{}", ""), instance("a", r#"{"n":1}"#, "")]);
    refuses(&compared(with("{}"), twice, &[]), &["b.tfstate", "x.a", "twice"]);
}

#[test]
fn gigantic_strings_and_lists_are_compared_in_bounded_time() {
    let start = Instant::now();
    let text = |text: &str| with(&format!(r#"{{"t":"{text}"}}"#));
    let line = "x".repeat(20 << 20);
    let edited = format!("{}Y{line}", &line[..1000]);
    says(&compared(text(&line), text(&edited), &["-o", "json"]), &["tfstate.diff/1"]);
    // In another order, and with nothing in common: what takes the square of the length.
    let lines = |step: usize, from: usize| -> Vec<String> {
        (0..200_000).map(|n| (from + n * step % 200_000).to_string()).collect()
    };
    let (one, two) = (lines(1, 0).join(r"\n"), lines(7_919, 0).join(r"\n"));
    says(&compared(text(&one), text(&two), &["--stat"]), &["1 changed"]);
    let three = lines(1, 200_000).join(r"\n");
    says(
        &compared(text(&one), text(&three), &["-o", "markdown", "--max-bytes", "9000"]),
        &["1 changed"],
    );
    let list = |items: Vec<String>| with(&format!(r#"{{"l":[{}]}}"#, items[..50_000].join(",")));
    says(&compared(list(lines(1, 0)), list(lines(7_919, 0)), &["--stat"]), &["1 changed"]);
    assert!(start.elapsed() < Duration::from_mins(4), "{:?}", start.elapsed());
}

#[test]
fn a_yaml_bomb_and_deep_documents_stay_text() {
    let mut bomb = String::from("a0: &a0 [x, x]\\n");
    for level in 1..64 {
        write!(bomb, "a{level}: &a{level} [*a{0}, *a{0}]\\n", level - 1).unwrap();
    }
    let text = |text: &str| with(&format!(r#"{{"t":"{text}"}}"#));
    says(&compared(text(&bomb), text(&format!("{bomb}b: 1\\n")), &[]), &["+ b: 1"]);
    let deep = |n: u8| text(&format!("{}{n}{}", "[".repeat(5_000), "]".repeat(5_000)));
    says(&compared(deep(1), deep(2), &[]), &["~ t"]);
}

#[test]
fn resources_that_depend_on_each_other_are_compared() {
    let both = |of_a: &str| {
        let depends = |on: &str| format!(r#""dependencies":["{on}"],"#);
        let (a, b) = (instance("a", "{}", &depends(of_a)), instance("b", "{}", &depends("x.a")));
        state("l", &[a, b])
    };
    says(&compared(both("x.b"), both("x.a"), &[]), &[r#"(dependencies)["x.b"]"#, "1 changed"]);
}

#[test]
fn nothing_in_a_state_acts_on_a_terminal() {
    let hostile = r"\u001b[2J\u001b]0;owned\u0007\r\u202etxt\u200b";
    let key = format!(r#""index_key":"{hostile}","#);
    let after = state(
        "l",
        &[
            instance(
                "a",
                &format!(r#"{{"{hostile}":"{hostile}","t":"a: 1\n{hostile}: 2\n"}}"#),
                "",
            ),
            instance("k", "{}", &key),
        ],
    );
    let before = with(r#"{"t":"a: 1\nb: 2\n"}"#);
    for format in ["text", "markdown", "github"] {
        let ran = compared(&before, &after, &["-o", format]);
        assert_eq!(ran.status, Some(0), "{}", ran.stderr);
        let all = format!("{}{}", ran.stdout, ran.stderr);
        for bad in ['\u{1b}', '\u{7}', '\r', '\u{202e}'] {
            assert!(!all.contains(bad), "{format}: {bad:?} in {all:?}");
        }
    }
}
