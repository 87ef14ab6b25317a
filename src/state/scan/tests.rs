use proptest::prelude::*;

use super::*;

fn check(text: &[u8]) -> Result<(), SyntaxError> {
    let mut scanner = Scanner::new(text);
    scanner.value()?;
    scanner.end()
}

fn problem(text: &str) -> (usize, Problem) {
    let error = check(text.as_bytes()).unwrap_err();
    (error.offset, error.problem)
}

#[test]
fn a_value_is_returned_with_its_exact_bytes() {
    let mut scanner = Scanner::new(b"  {\"a\": [1.50, -0, 1E5, \"\\u00e9\"]}  ");
    assert_eq!(scanner.value().unwrap(), b"{\"a\": [1.50, -0, 1E5, \"\\u00e9\"]}");
    assert!(scanner.end().is_ok());
}

#[test]
fn grammar_violations_are_named_at_their_byte() {
    assert_eq!(problem("[1,]"), (3, Problem::Expected("a value")));
    assert_eq!(problem("{\"a\" 1}"), (5, Problem::Expected("`:`")));
    assert_eq!(problem("{\"a\":1,}"), (7, Problem::Expected("a key in double quotes")));
    assert_eq!(problem("[1}"), (2, Problem::Expected("`,` or `]`")));
    assert_eq!(problem("01"), (1, Problem::Number));
    assert_eq!(problem("1."), (2, Problem::Truncated("a number")));
    assert_eq!(problem("\"a\nb\""), (2, Problem::ControlCharacter));
    assert_eq!(problem("\"\\x\""), (2, Problem::Escape));
    assert_eq!(problem("{} {}"), (3, Problem::Trailing));
    assert_eq!(problem("{\"key\": \"val"), (12, Problem::Truncated("a string")));
    assert_eq!(problem("tru"), (3, Problem::Truncated("a value")));
    assert_eq!(problem("\u{feff}{}"), (0, Problem::Expected("a value")));
}

#[test]
fn nesting_stops_at_the_limit_without_recursion() {
    let deep = "[".repeat(MAX_DEPTH) + &"]".repeat(MAX_DEPTH);
    assert!(check(deep.as_bytes()).is_ok());
    let mut deeper = b"[".repeat(1_000_000);
    assert_eq!(check(&deeper).unwrap_err().problem, Problem::Depth);
    deeper.extend(b"]".repeat(1_000_000));
    assert_eq!(check(&deeper).unwrap_err().offset, MAX_DEPTH);
}

#[test]
fn mixed_nesting_remembers_every_level() {
    let open: String = (0..300).map(|i| if i % 3 == 0 { "{\"k\":" } else { "[" }).collect();
    let close: String = (0..300).rev().map(|i| if i % 3 == 0 { "}" } else { "]" }).collect();
    assert!(check(format!("{open}1{close}").as_bytes()).is_ok());
    let wrong = format!("{open}1{}", close.replacen(']', "}", 1));
    assert!(check(wrong.as_bytes()).is_err());
}

#[test]
fn strings_decode_as_json_has_them() {
    let text = |raw: &'static str| Scanner::new(raw.as_bytes()).string().unwrap();
    assert_eq!(text(r#""plain""#).decode().unwrap(), "plain");
    assert_eq!(text(r#""\u003ca\u0026\ud83d\ude00\n\/""#).decode().unwrap(), "<a&😀\n/");
    assert_eq!(text(r#""a\ud800b""#).decode().unwrap_err().problem, Problem::Surrogate);
    assert_eq!(text(r#""a\ud800b""#).decode_lossy(), "a\u{fffd}b");
    let bad = Scanner::new(b"\"a\xffb\"").string().unwrap();
    assert_eq!(bad.decode().unwrap_err(), SyntaxError { offset: 2, problem: Problem::Utf8 });
    assert_eq!(bad.decode_lossy(), "a\u{fffd}b");
}

proptest! {
    #[test]
    fn it_accepts_what_serde_json_accepts(text in r#"[\[\]{},:"\\0-9a-e.+\- \n tru]{0,24}"#) {
        let theirs = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
        prop_assert_eq!(check(text.as_bytes()).is_ok(), theirs, "{}", text);
    }

    #[test]
    fn every_byte_of_a_string_is_seen(prefix in "[ -~]{0,20}", byte in 0u8..=255) {
        let mut text = vec![b'"'];
        text.extend(prefix.bytes().filter(|b| !b"\"\\".contains(b)));
        let at = text.len();
        text.push(byte);
        text.extend_from_slice(b"tail of it\"");
        let expected = match byte {
            b'"' => Some((at + 1, Problem::Trailing)),
            0..=0x1f => Some((at, Problem::ControlCharacter)),
            _ => None,
        };
        let found = check(&text).err().map(|e| (e.offset, e.problem));
        prop_assert_eq!(found, expected);
    }
}
