//! Decoded JSON values: what attributes and outputs become when somebody asks.
//!
//! Key order, duplicate keys and the digits of numbers stay as the text has them. Nothing here
//! goes through a float.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use super::path::{Path, Step};
use super::scan::{Problem, Scanner, SyntaxError, Text};

/// How deep a value may nest to be decoded; deeper ones stay raw text.
pub const MAX_DECODE_DEPTH: usize = 512;

/// A JSON value, or the mark that stands in its place.
#[derive(Clone, Eq, PartialEq)]
pub enum Value<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, digit for digit as the text has it.
    Number(Cow<'a, str>),
    /// A string, decoded.
    String(Cow<'a, str>),
    /// An array.
    Array(Vec<Value<'a>>),
    /// An object in the order of the text, duplicate keys included.
    Object(Vec<(Cow<'a, str>, Value<'a>)>),
    /// A sensitive value that was taken out; it can't be recovered from here.
    Sensitive,
}

impl std::fmt::Debug for Value<'_> {
    /// Formats the shape only: a value may be a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Array(items) => write!(f, "array of {}", items.len()),
            Self::Object(members) => write!(f, "object of {}", members.len()),
            other => f.write_str(other.kind()),
        }
    }
}

/// How the text of a string is decoded.
type Decode<'a> = fn(&Text<'a>) -> Result<Cow<'a, str>, SyntaxError>;

impl<'a> Value<'a> {
    /// Decodes one value that fills `raw`.
    ///
    /// Fails on what the grammar refuses, and on strings that are not UTF-8, lone surrogates and
    /// values nested deeper than [`MAX_DECODE_DEPTH`]. Offsets count from the start of `raw`.
    pub fn parse(raw: &'a [u8]) -> Result<Self, SyntaxError> {
        Self::parse_with(raw, Text::decode)
    }

    /// Decodes one value as Go does: what is no UTF-8 in a string becomes U+FFFD.
    pub(crate) fn parse_lossy(raw: &'a [u8]) -> Result<Self, SyntaxError> {
        Self::parse_with(raw, |text| Ok(text.decode_lossy()))
    }

    fn parse_with(raw: &'a [u8], decode: Decode<'a>) -> Result<Self, SyntaxError> {
        let mut scanner = Scanner::new(raw);
        let value = Self::read(&mut scanner, decode, 0)?;
        scanner.end()?;
        Ok(value)
    }

    fn read(
        scanner: &mut Scanner<'a>,
        decode: Decode<'a>,
        depth: usize,
    ) -> Result<Self, SyntaxError> {
        if depth > MAX_DECODE_DEPTH {
            return Err(SyntaxError { offset: scanner.pos(), problem: Problem::DecodeDepth });
        }
        let mut first = true;
        match scanner.peek() {
            Some(b'{') => {
                scanner.open_object()?;
                let mut members = Vec::new();
                while let Some(key) = scanner.next_key(&mut first)? {
                    let key = decode(&key)?;
                    members.push((key, Self::read(scanner, decode, depth + 1)?));
                }
                Ok(Self::Object(members))
            }
            Some(b'[') => {
                scanner.open_array()?;
                let mut items = Vec::new();
                while scanner.next_element(&mut first)? {
                    items.push(Self::read(scanner, decode, depth + 1)?);
                }
                Ok(Self::Array(items))
            }
            Some(b'"') => Ok(Self::String(decode(&scanner.string()?)?)),
            _ => Ok(match scanner.value()? {
                b"null" => Self::Null,
                b"true" => Self::Bool(true),
                b"false" => Self::Bool(false),
                // The scanner lets only ASCII into a number.
                number => Self::Number(String::from_utf8_lossy(number)),
            }),
        }
    }

    /// Returns a value that borrows from nothing.
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Self::Null => Value::Null,
            Self::Bool(b) => Value::Bool(b),
            Self::Number(n) => Value::Number(Cow::Owned(n.into_owned())),
            Self::String(s) => Value::String(Cow::Owned(s.into_owned())),
            Self::Array(items) => Value::Array(items.into_iter().map(Value::into_owned).collect()),
            Self::Object(members) => Value::Object(
                members
                    .into_iter()
                    .map(|(k, v)| (Cow::Owned(k.into_owned()), v.into_owned()))
                    .collect(),
            ),
            Self::Sensitive => Value::Sensitive,
        }
    }

    /// Returns the JSON name of the kind: `string`, `object`, ….
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "bool",
            Self::Number(_) => "number",
            Self::String(_) => "string",
            Self::Array(_) => "array",
            Self::Object(_) => "object",
            Self::Sensitive => "sensitive",
        }
    }

    /// Returns the member of an object; the last one where the key stands twice.
    pub fn get(&self, key: &str) -> Option<&Value<'a>> {
        match self {
            Self::Object(members) => members.iter().rev().find(|(k, _)| k == key).map(|(_, v)| v),
            _ => None,
        }
    }

    /// Returns the value at `path` below this one.
    pub fn at(&self, path: &Path) -> Option<&Value<'a>> {
        path.steps().iter().try_fold(self, |value, step| match (value, step) {
            (Self::Object(_), Step::Key(key)) => value.get(key),
            (Self::Array(items), Step::Index(index)) => items.get(*index),
            _ => None,
        })
    }

    /// Returns the text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the text by which people name a scalar: a string without its quotes, the digits of
    /// a number, `true`, `null`. `None` for containers and for what is masked.
    pub fn scalar_text(&self) -> Option<&str> {
        match self {
            Self::Null => Some("null"),
            Self::Bool(true) => Some("true"),
            Self::Bool(false) => Some("false"),
            Self::Number(text) | Self::String(text) => Some(text),
            Self::Array(_) | Self::Object(_) | Self::Sensitive => None,
        }
    }

    /// Returns whether both mean the same: objects by key whatever their order, numbers by value.
    pub fn same(&self, other: &Value<'_>) -> bool {
        match (self, other) {
            (Self::Null, Value::Null) => true,
            (Self::Bool(a), Value::Bool(b)) => a == b,
            (Self::Number(a), Value::Number(b)) => {
                a == b || compare_numbers(a, b) == Ordering::Equal
            }
            (Self::String(a), Value::String(b)) => a == b,
            (Self::Array(a), Value::Array(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.same(b))
            }
            (Self::Object(a), Value::Object(b)) => {
                let paired =
                    a.len() == b.len() && a.iter().zip(b).all(|((ka, _), (kb, _))| ka == kb);
                if paired {
                    return a.iter().zip(b).all(|((_, a), (_, b))| a.same(b));
                }
                let within =
                    |key: &str| other.get(key).zip(self.get(key)).is_some_and(|(b, a)| a.same(b));
                a.iter().all(|(key, _)| within(key)) && b.iter().all(|(key, _)| within(key))
            }
            // Two masked values may differ: nothing here can tell.
            _ => false,
        }
    }

    /// Returns the value as JSON on one line.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|_| String::from("null"))
    }

    /// Returns the value as JSON, indented by two spaces.
    pub fn to_json_pretty(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_else(|_| String::from("null"))
    }
}

impl Serialize for Value<'_> {
    /// Serialises as JSON. Numbers keep their digits; a masked value is `{"sensitive": true}`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(b) => serializer.serialize_bool(*b),
            Self::Number(digits) => serde_json::value::RawValue::from_string(digits.to_string())
                .map_err(serde::ser::Error::custom)?
                .serialize(serializer),
            Self::String(text) => serializer.serialize_str(text),
            Self::Array(items) => {
                let mut seq = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    seq.serialize_element(item)?;
                }
                seq.end()
            }
            Self::Object(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                for (key, value) in members {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
            Self::Sensitive => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("sensitive", &true)?;
                map.end()
            }
        }
    }
}

/// Compares two JSON numbers by value, exactly, whatever their size and spelling.
///
/// Texts that are not JSON numbers sort below every number.
pub fn compare_numbers(a: &str, b: &str) -> Ordering {
    match (Decimal::parse(a), Decimal::parse(b)) {
        (Some(a), Some(b)) => a.compare(&b),
        (a, b) => a.is_some().cmp(&b.is_some()),
    }
}

/// A decimal number as sign, significant digits and the power of ten of the first of them.
#[derive(Debug)]
struct Decimal {
    negative: bool,
    /// Without leading and trailing zeros; empty for zero.
    digits: Vec<u8>,
    /// The number is 0.DIGITS times ten to this power.
    power: i64,
}

impl Decimal {
    fn parse(text: &str) -> Option<Self> {
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, clamped(exponent)?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
        if whole.is_empty() || !all.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let zeros = all.iter().take_while(|&&digit| digit == b'0').count();
        let last = all.iter().rposition(|&digit| digit != b'0').map_or(zeros, |last| last + 1);
        let digits = all[zeros..last].to_vec();
        let power = i64::try_from(whole.len()).ok()? - i64::try_from(zeros).ok()? + exponent;
        let negative = negative && !digits.is_empty();
        Some(Self { negative, power: if digits.is_empty() { 0 } else { power }, digits })
    }

    fn compare(&self, other: &Self) -> Ordering {
        let sign = |x: &Self| match (x.digits.is_empty(), x.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        };
        let size = || self.power.cmp(&other.power).then_with(|| self.digits.cmp(&other.digits));
        match (sign(self), sign(other)) {
            (a, b) if a != b => a.cmp(&b),
            (-1, _) => size().reverse(),
            (0, _) => Ordering::Equal,
            _ => size(),
        }
    }
}

/// Reads an exponent; one too large for any comparison to notice is clamped.
fn clamped(exponent: &str) -> Option<i64> {
    const LIMIT: i64 = i64::MAX / 4;
    let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let size = digits.parse::<i64>().unwrap_or(LIMIT).min(LIMIT);
    Some(if exponent.starts_with('-') { -size } else { size })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Value<'_> {
        Value::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn numbers_and_key_order_survive_a_round_trip() {
        let text = r#"{"z":1.50,"a":[1E5,-0,123456789012345678901234567890.10],"a":null}"#;
        assert_eq!(parse(text).to_json(), text);
    }

    #[test]
    fn the_last_of_two_equal_keys_counts() {
        assert_eq!(parse(r#"{"a":1,"a":2}"#).get("a"), Some(&Value::Number("2".into())));
    }

    #[test]
    fn numbers_compare_by_value() {
        let equal = [("1.50", "1.5"), ("1E5", "100000"), ("-0", "0.0"), ("1e-400", "0.1E-399")];
        for (a, b) in equal {
            assert_eq!(compare_numbers(a, b), Ordering::Equal, "{a} {b}");
        }
        let less = [("-2", "-1"), ("-1", "0"), ("9", "10"), ("0.09", "0.1"), ("1e400", "1e401")];
        for (a, b) in less {
            assert_eq!(compare_numbers(a, b), Ordering::Less, "{a} {b}");
            assert_eq!(compare_numbers(b, a), Ordering::Greater, "{b} {a}");
        }
        let (long, longer) = ("1".repeat(10_000), "1".repeat(10_001));
        assert_eq!(compare_numbers(&long, &longer), Ordering::Less);
        assert_eq!(compare_numbers("1e99999999999999999999", "1"), Ordering::Greater);
    }

    #[test]
    fn objects_are_the_same_whatever_their_order() {
        assert!(parse(r#"{"a":1,"b":[{}]}"#).same(&parse(r#"{"b":[{}],"a":1.0}"#)));
        assert!(!parse(r#"{"a":1}"#).same(&parse(r#"{"a":1,"b":null}"#)));
        assert!(!Value::Sensitive.same(&Value::Sensitive));
    }

    #[test]
    fn what_nests_too_deep_is_an_error_and_not_a_crash() {
        let deep = "[".repeat(5_000) + &"]".repeat(5_000);
        assert_eq!(Value::parse(deep.as_bytes()).unwrap_err().problem, Problem::DecodeDepth);
    }

    #[test]
    fn debug_output_shows_the_shape_and_no_value() {
        assert_eq!(format!("{:?}", parse(r#"["hunter2"]"#)), "array of 1");
        assert_eq!(format!("{:?}", parse(r#""hunter2""#)), "string");
    }
}
