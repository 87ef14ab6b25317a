//! Values without their spelling: one text for all ways to write the same, and how alike two are.

use std::collections::BTreeMap;

use crate::state::value::Value;

/// Returns a text that values share only if they are the same: keys sorted, the last of equal
/// ones kept. Numbers keep their digits, so that two spellings of one number differ here.
pub(super) fn text(value: &Value<'_>) -> String {
    let mut out = String::new();
    push(value, &mut out);
    out
}

fn push(value: &Value<'_>, out: &mut String) {
    match value {
        Value::Array(items) => {
            out.push('[');
            for item in items {
                push(item, out);
                out.push(',');
            }
            out.push(']');
        }
        Value::Object(_) => {
            out.push('{');
            for (key, inner) in members(value) {
                out.push_str(&Value::String(key.into()).to_json());
                out.push(':');
                push(inner, out);
                out.push(',');
            }
            out.push('}');
        }
        leaf => out.push_str(&leaf.to_json()),
    }
}

/// Returns the members of an object by key; the last one where a key stands twice.
pub(super) fn members<'v, 'a>(value: &'v Value<'a>) -> BTreeMap<&'v str, &'v Value<'a>> {
    match value {
        Value::Object(members) => members.iter().map(|(key, inner)| (&**key, inner)).collect(),
        _ => BTreeMap::new(),
    }
}

/// Returns whether two valid JSON texts are the same apart from the white space between tokens.
///
/// That is all that tells a compact copy of a state from an indented one, and much cheaper to see
/// than to decode both.
pub(super) fn same_but_for_space(a: &[u8], b: &[u8]) -> bool {
    let (mut a, mut b) = (a.iter(), b.iter());
    let (mut in_string, mut escaped) = (false, false);
    loop {
        let next = |text: &mut std::slice::Iter<'_, u8>| {
            text.find(|byte| in_string || !byte.is_ascii_whitespace()).copied()
        };
        let byte = match (next(&mut a), next(&mut b)) {
            (None, None) => return true,
            (Some(a), Some(b)) if a == b => a,
            _ => return false,
        };
        if byte == b'"' && !escaped {
            in_string = !in_string;
        }
        escaped = byte == b'\\' && !escaped;
    }
}

/// How many leaves two values have in common.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Likeness {
    equal: usize,
    total: usize,
}

impl Likeness {
    /// Compares member by member and element by element.
    pub(super) fn of(a: &Value<'_>, b: &Value<'_>) -> Self {
        match (a, b) {
            (Value::Object(_), Value::Object(_)) => {
                let (a, mut b) = (members(a), members(b));
                let pairs: Vec<_> =
                    a.iter().map(|(key, inner)| (Some(*inner), b.remove(key))).collect();
                let rest = b.into_values().map(|inner| (None, Some(inner)));
                pairs.into_iter().chain(rest).map(|(a, b)| Self::of_sides(a, b)).sum()
            }
            (Value::Array(a), Value::Array(b)) => {
                (0..a.len().max(b.len())).map(|at| Self::of_sides(a.get(at), b.get(at))).sum()
            }
            _ if a.same(b) => Self { equal: 1, total: 1 },
            _ => Self { equal: 0, total: count(a).max(count(b)) },
        }
    }

    fn of_sides(a: Option<&Value<'_>>, b: Option<&Value<'_>>) -> Self {
        match (a, b) {
            (Some(a), Some(b)) => Self::of(a, b),
            (a, b) => Self { equal: 0, total: a.or(b).map_or(0, count) },
        }
    }

    /// Returns the share of equal leaves in thousandths; two empty values are alike.
    pub(super) fn per_mille(self) -> usize {
        (self.equal * 1000).checked_div(self.total).unwrap_or(1000)
    }
}

impl std::iter::Sum for Likeness {
    fn sum<I: Iterator<Item = Self>>(parts: I) -> Self {
        parts.fold(Self::default(), |sum, part| Self {
            equal: sum.equal + part.equal,
            total: sum.total + part.total,
        })
    }
}

fn count(value: &Value<'_>) -> usize {
    match value {
        Value::Array(items) => items.iter().map(count).sum::<usize>().max(1),
        Value::Object(members) => {
            members.iter().map(|(_, inner)| count(inner)).sum::<usize>().max(1)
        }
        _ => 1,
    }
}

/// Calls `visit` with every scalar in a value.
pub(super) fn leaves<'v, 'a>(value: &'v Value<'a>, visit: &mut impl FnMut(&'v Value<'a>)) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| leaves(item, visit)),
        Value::Object(members) => members.iter().for_each(|(_, inner)| leaves(inner, visit)),
        leaf => visit(leaf),
    }
}

/// Calls `visit` with every string in a value.
pub(super) fn strings<'v>(value: &'v Value<'_>, visit: &mut impl FnMut(&'v str)) {
    leaves(value, &mut |leaf| {
        if let Value::String(text) = leaf {
            visit(text);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(json: &str) -> Value<'_> {
        Value::parse(json.as_bytes()).unwrap()
    }

    #[test]
    fn likeness_counts_leaves_wherever_they_are() {
        let a = value(r#"{"a":1,"b":{"c":"x","d":"y"},"e":[1,2]}"#);
        let b = value(r#"{"e":[1],"b":{"d":"y","c":"z"},"a":1.0}"#);
        assert_eq!(Likeness::of(&a, &b), Likeness { equal: 3, total: 5 });
        assert_eq!(Likeness::of(&a, &b), Likeness::of(&b, &a));
        assert_eq!(Likeness::of(&value("{}"), &value("{}")).per_mille(), 1000);
    }

    #[test]
    fn white_space_counts_inside_strings_only() {
        let same = |a: &str, b: &str| same_but_for_space(a.as_bytes(), b.as_bytes());
        assert!(same("{\"a\" : [ 1, 2 ]}\n", r#"{"a":[1,2]}"#));
        assert!(same(r#"{"a\" b": "\\"}"#, r#"{"a\" b":"\\"}"#));
        assert!(!same(r#"{"a\" b":1}"#, r#"{"a\"b":1}"#));
        assert!(!same(r#"["\\", "a b"]"#, r#"["\\", "ab"]"#));
        assert!(!same("[1]", "[1"));
    }

    #[test]
    fn canonical_text_does_not_know_key_order() {
        let (a, b) = (value(r#"{"a":[1,"x"],"b":null}"#), value(r#"{"b":null,"a":[1,"x"]}"#));
        assert_eq!(text(&a), text(&b));
        assert_ne!(text(&a), text(&value(r#"{"a":[1,"x",null],"b":null}"#)));
    }
}
