//! Sets the serial or the lineage of a state and leaves every other byte as it is.

use std::borrow::Cow;

use super::document::Document;
use super::parse::is_field;
use super::scan::{Scanner, SyntaxError};
use super::value::Value;

/// Returns the bytes of a state with another serial.
///
/// Works on every format version: the serial stands at the top level of each. A key that is there
/// twice is set twice; a state without one gets it as its first member.
pub fn with_serial(document: &Document, serial: u64) -> Vec<u8> {
    with_field(document.bytes(), "serial", &serial.to_string())
}

/// Returns the bytes of a state as the one with this serial of another history.
///
/// A lineage that it has already stays as it is written.
pub fn with_history(document: &Document, serial: u64, lineage: &str) -> Vec<u8> {
    let bytes = with_serial(document, serial);
    if document.lineage() == lineage {
        return bytes;
    }
    let lineage = Value::String(Cow::Borrowed(lineage)).to_json();
    with_field(&bytes, "lineage", &lineage)
}

fn with_field(bytes: &[u8], field: &str, value: &str) -> Vec<u8> {
    // A document was checked when it was opened, so this finds no fault in it.
    let spans = values(bytes, field).unwrap_or_default();
    let mut out = Vec::with_capacity(bytes.len() + 32);
    let mut from = 0;
    for (start, end) in &spans {
        out.extend_from_slice(&bytes[from..*start]);
        out.extend_from_slice(value.as_bytes());
        from = *end;
    }
    if spans.is_empty()
        && let Some(open) = bytes.iter().position(|&byte| byte == b'{')
    {
        out.extend_from_slice(&bytes[..=open]);
        let rest = &bytes[open + 1..];
        let gap = rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        out.extend_from_slice(&rest[..gap]);
        out.extend_from_slice(format!("\"{field}\":{}{value}", separator(&rest[..gap])).as_bytes());
        if rest.get(gap) != Some(&b'}') {
            out.push(b',');
        }
        from = open + 1;
    }
    out.extend_from_slice(&bytes[from..]);
    out
}

/// Returns what stands between a key and its value in a text that is laid out in this way.
fn separator(gap: &[u8]) -> &'static str {
    if gap.is_empty() { "" } else { " " }
}

/// Returns where the values of a field stand.
fn values(bytes: &[u8], field: &str) -> Result<Vec<(usize, usize)>, SyntaxError> {
    let mut scanner = Scanner::new(bytes);
    let (mut first, mut spans) = (true, Vec::new());
    scanner.open_object()?;
    while let Some(key) = scanner.next_key(&mut first)? {
        scanner.peek();
        let start = scanner.pos();
        let value = scanner.value()?;
        if is_field(&key.decode_lossy(), field) {
            spans.push((start, start + value.len()));
        }
    }
    Ok(spans)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(text: &str) -> String {
        let document = Document::parse(text.as_bytes().to_vec()).unwrap();
        let bytes = with_serial(&document, 43);
        assert_eq!(Document::parse(bytes.clone()).unwrap().serial(), 43, "{text}");
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn only_the_digits_of_the_serial_change() {
        let text = "{\n  \"version\": 4,\n  \"serial\":  42 ,\n  \"x\": {\"serial\": 1}}\n";
        assert_eq!(set(text), text.replace("42", "43"));
    }

    #[test]
    fn a_state_without_a_serial_gets_one_in_its_own_layout() {
        assert_eq!(set("{\"version\":4}"), "{\"serial\":43,\"version\":4}");
        assert_eq!(set("{\n  \"version\": 4\n}"), "{\n  \"serial\": 43,\n  \"version\": 4\n}");
    }

    #[test]
    fn a_serial_that_is_there_twice_is_set_twice() {
        let text = r#"{"version":4,"serial":1,"serial":2}"#;
        assert_eq!(set(text), r#"{"version":4,"serial":43,"serial":43}"#);
    }

    #[test]
    fn old_formats_keep_their_version() {
        let text = r#"{"version":3,"serial":7,"lineage":"a","modules":[]}"#;
        assert_eq!(set(text), text.replace('7', "43"));
    }

    #[test]
    fn a_state_becomes_one_of_another_history() {
        let text = "{\n  \"version\": 4,\n  \"serial\": 7,\n  \"lineage\": \"a\"\n}";
        let history = |text: &str, lineage: &str| {
            let document = Document::parse(text.as_bytes().to_vec()).unwrap();
            let bytes = with_history(&document, 43, lineage);
            assert_eq!(Document::parse(bytes.clone()).unwrap().lineage(), lineage);
            String::from_utf8(bytes).unwrap()
        };
        assert_eq!(history(text, "b\""), text.replace('7', "43").replace("\"a\"", r#""b\"""#));
        let escaped = text.replace("\"a\"", r#""\u0061""#);
        assert_eq!(history(&escaped, "a"), escaped.replace('7', "43"));
        assert_eq!(
            history(r#"{"version":4,"serial":7}"#, "a").matches(r#""lineage":"a""#).count(),
            1
        );
    }
}
