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

/// Reads `resources`, the first member of `text`.
fn read<'a>(
    text: &'a str,
    like: Option<Like<'a>>,
    cut: Option<usize>,
) -> (Result<Body, SyntaxError>, Fields<'a>) {
    let mut fields = Fields::new(text.as_bytes());
    let mut first = true;
    fields.scanner.open_object().unwrap();
    fields.scanner.next_key(&mut first).unwrap();
    let body = read_cut(&mut fields, like, |_, _| cut);
    (body, fields)
}

/// What was read, or the error, and where the reader stands.
fn outcome(text: &str, cut: Option<usize>) -> String {
    let (body, fields) = read(text, None, cut);
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

/// Returns what was read beside `old`, and how many elements were copied.
fn outcome_beside(old: &str, text: &str, cut: Option<usize>) -> (String, u32) {
    let (old_body, _) = read(old, None, None);
    let old_body = old_body.unwrap();
    assert!(old_body.warnings.is_empty() && old_body.findings.is_empty());
    let like = Like {
        bytes: old.as_bytes(),
        resources: &old_body.resources,
        is_sorted: old_body.is_sorted,
    };
    let (mut body, fields) = read(text, Some(like), cut);
    let mut copied = 0;
    if let Ok(body) = &mut body {
        for run in std::mem::take(&mut body.resources.copies) {
            copied += run.count;
            // What is refused has no place, and those around it have no known end.
            for at in (0..run.count as usize).filter(|_| body.findings.is_empty()) {
                let (here, there) = (run.here as usize + at, run.there as usize + at);
                let here = body.resources.element_bytes(text.as_bytes(), here);
                assert_eq!(here, old_body.resources.element_bytes(old.as_bytes(), there));
            }
        }
    }
    (format!("{body:?} {}", if body.is_ok() { fields.scanner.pos() } else { 0 }), copied)
}

#[test]
fn what_is_read_beside_another_document_is_what_is_read_alone() {
    let all: Vec<String> = elements().into_iter().filter(|it| !it.contains("data")).collect();
    let whole =
        |elements: &[String]| format!("{{\"resources\":[\n    {}\n  ]}}", elements.join(",\n    "));
    let old = whole(&all);
    let changed = |at: usize, from: &str, to: &str| {
        let mut elements = all.clone();
        elements[at] = elements[at].replacen(from, to, 1);
        elements
    };
    let mut others = vec![all.clone(), all.iter().rev().cloned().collect(), Vec::new()];
    for at in 0..all.len() {
        let mut fewer = all.clone();
        let one = fewer.remove(at);
        others.push([&fewer[..], std::slice::from_ref(&one)].concat());
        others.push([&fewer[..], &[one.clone(), one]].concat());
        others.push(fewer);
        others.push(changed(at, "\"name\":\"n", "\"name\":\"m"));
        others.push(changed(at, "module.", "module.z.module."));
        others.push(changed(at, "[{", "[{\"status\":\"tainted\","));
        others.push(changed(at, "\"mode\":\"", "\"mode\":\"x"));
        others.push(changed(at, "instances", "instances\" \""));
    }
    for elements in others {
        let text = whole(&elements);
        let alone = outcome(&text, None);
        let cuts = text.match_indices('{').skip(1).map(|(at, _)| Some(at));
        for cut in std::iter::once(None).chain(cuts) {
            assert_eq!(outcome_beside(&old, &text, cut).0, alone, "cut at {cut:?} of\n{text}");
        }
    }
    assert_eq!(outcome_beside(&old, &old, None).1, 5);
    let removed = whole(&[&all[..1], &all[2..]].concat());
    assert_eq!(outcome_beside(&old, &removed, None).1, 3);
}

#[test]
fn a_cut_is_looked_for_in_large_documents_only() {
    let element = "\n    {\n      \"x\": 1\n    },";
    assert_eq!(cut(element.repeat(100).as_bytes(), 1), None);
    let large = element.repeat(WORTH_TWO_THREADS / element.len() + 1);
    let found = cut(large.as_bytes(), 0).unwrap();
    assert!(found >= large.len() / 2 && large[found..].starts_with("{\n      \"x\""));
}
