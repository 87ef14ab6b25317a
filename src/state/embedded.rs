//! Documents inside strings: JSON and YAML. What is in them is read for those who compare or hide it,
//! never to be written back.

use super::value::Value;
use super::yaml;

/// Reads two strings as documents, if both hold one, in the same language and of the same kind.
pub(crate) fn pair<'s>(before: &'s str, after: &'s str) -> Option<(Value<'s>, Value<'s>)> {
    match (json(before), json(after)) {
        (Some(a), Some(b)) => (a.kind() == b.kind()).then_some((a, b)),
        (None, None) => yaml::pair(before, after),
        (Some(_), None) | (None, Some(_)) => None,
    }
}

/// Reads a string as a document, if it holds one.
pub(crate) fn parse(text: &str) -> Option<Value<'_>> {
    json(text).or_else(|| yaml::parse(text))
}

/// Decodes a string that holds a JSON object or array.
fn json(text: &str) -> Option<Value<'_>> {
    if !text.trim_start().starts_with(['{', '[']) {
        return None;
    }
    Value::parse(text.trim().as_bytes()).ok()
}
