//! Two readers find what one finds, wherever the second begins.

use super::*;

const PROVIDER: &str = r#""provider":"provider[\"registry.terraform.io/a/b\"]""#;

/// Resources in two modules that both halves may hold, with what only looks like the beginning of
/// an element inside attributes and in an escaped string.
fn elements() -> Vec<String> {
    let element = |module: &str, name: usize, rest: &str| {
        format!(
            "{{\n      \"module\": \"{module}\",\"mode\":\"managed\",\"type\":\"t\",\"name\":\"n{name}\",{PROVIDER},\n      \"instances\":[{{{rest}}}]}}"
        )
    };
    vec![
        element("module.a", 0, r#""attributes":{"id":"0"}"#),
        element("module.a", 1, "\"attributes\":[\n    {\n  \"mode\":\"managed\"},\n    {\n}\n]"),
        element(
            "module.b[\\\"k\\\"]",
            2,
            r#""attributes":{"s":"\n    {\n"},"sensitive_attributes":[[]]"#,
        ),
        element("module.b[ \\\"k\\\" ]", 3, r#""dependencies":["a.b","module.a.c.d"]"#),
        element("module.a", 4, r#""index_key":1},{"index_key":2,"status":"tainted""#),
        format!(
            "{{\"mode\":\"data\",\"type\":\"d\",\"name\":\"x\",\"provider\":\"{{\",\"instances\":null}}"
        ),
    ]
}

/// What was read, or the error, and where the reader stands.
fn outcome(text: &str, cut: Option<usize>) -> String {
    let mut fields = Fields::new(text.as_bytes());
    let mut first = true;
    fields.scanner.open_object().unwrap();
    fields.scanner.next_key(&mut first).unwrap();
    let body = read_cut(&mut fields, None, |_, _| cut);
    format!("{body:?} {}", if body.is_ok() { fields.scanner.pos() } else { 0 })
}

fn assert_same_at_every_cut(text: &str) {
    let alone = outcome(text, None);
    for (cut, _) in text.match_indices('{').skip(1) {
        assert_eq!(outcome(text, Some(cut)), alone, "cut at {cut} of\n{text}");
    }
}

#[test]
fn two_readers_find_what_one_finds_wherever_the_second_begins() {
    for (open, between, close) in
        [("[", ",", "]"), ("[\n    ", ",\n    ", "\n  ]"), ("[\r\n\t", "\r\n,\r\n\t", "\r\n]")]
    {
        let resources = format!("{open}{}{close}", elements().join(between));
        let tail = ",\"check_results\":[\n    {\n\"objects\":[\n    {\n}]}]}";
        assert_same_at_every_cut(&format!("{{\"resources\":{resources}{tail}"));
    }
}

#[test]
fn what_is_wrong_is_the_same_wherever_the_second_reader_begins() {
    let all = elements();
    for broken in 0..all.len() {
        for (from, to) in [
            ("\"mode\":\"", "\"mode\":\"x"),
            ("instances", "instances\" \""),
            ("\"type\":\"", "\"type\":1,\"x\":\""),
        ] {
            let mut elements = all.clone();
            elements[broken] = elements[broken].replacen(from, to, 1);
            assert_same_at_every_cut(&format!(
                "{{\"resources\":[\n    {}\n  ]}}",
                elements.join(",\n    ")
            ));
        }
    }
    let whole = format!("{{\"resources\":[\n    {}\n  ]}}", all.join(",\n    "));
    for end in (20..whole.len()).step_by(13) {
        assert_same_at_every_cut(&whole[..end]);
    }
}

#[test]
fn a_cut_is_looked_for_in_large_documents_only() {
    let element = "\n    {\n      \"x\": 1\n    },";
    assert_eq!(cut(element.repeat(100).as_bytes(), 1), None);
    let large = element.repeat(WORTH_TWO_THREADS / element.len() + 1);
    let found = cut(large.as_bytes(), 0).unwrap();
    assert!(found >= large.len() / 2 && large[found..].starts_with("{\n      \"x\""));
}
