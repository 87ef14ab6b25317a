//! Values of outputs, with the types that version 4 asks for and older versions do not tell.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::ser::{Serialize, SerializeSeq, Serializer};
use unicode_normalization::UnicodeNormalization;

use super::number;
use crate::state::value::Value;

/// The type of a value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Type {
    /// What `null` has.
    Dynamic,
    Bool,
    Number,
    String,
    Tuple(Vec<Type>),
    Object(BTreeMap<String, Type>),
    List(Box<Type>),
    Map(Box<Type>),
}

impl Type {
    /// Returns the type of a value: a collection where all its elements are of one type.
    pub(super) fn of(value: &Value<'_>) -> Self {
        Self::structural(value).simplified()
    }

    fn structural(value: &Value<'_>) -> Self {
        match value {
            Value::Null | Value::Sensitive => Self::Dynamic,
            Value::Bool(_) => Self::Bool,
            Value::Number(_) => Self::Number,
            Value::String(_) => Self::String,
            Value::Array(items) => Self::Tuple(items.iter().map(Self::structural).collect()),
            Value::Object(members) => Self::Object(
                members
                    .iter()
                    .map(|(key, value)| (key.to_string(), Self::structural(value)))
                    .collect(),
            ),
        }
    }

    /// Takes a structure for a collection as long as it can be one. What is inside a structure
    /// with elements of several types stays as it is, which is how Terraform does it.
    fn simplified(self) -> Self {
        match self {
            Self::Tuple(types) => match uniform(types.iter()) {
                Some(element) => Self::List(Box::new(element.simplified())),
                None => Self::Tuple(types),
            },
            Self::Object(types) => match uniform(types.values()) {
                Some(element) => Self::Map(Box::new(element.simplified())),
                None => Self::Object(types),
            },
            other => other,
        }
    }
}

/// Returns the type that all of them are, if there are any.
fn uniform<'t>(mut types: impl Iterator<Item = &'t Type>) -> Option<Type> {
    let first = types.next()?;
    types.all(|other| other == first).then(|| first.clone())
}

impl Serialize for Type {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Dynamic => serializer.serialize_str("dynamic"),
            Self::Bool => serializer.serialize_str("bool"),
            Self::Number => serializer.serialize_str("number"),
            Self::String => serializer.serialize_str("string"),
            Self::Tuple(types) => pair(serializer, "tuple", types),
            Self::Object(types) => pair(serializer, "object", types),
            Self::List(element) => pair(serializer, "list", element),
            Self::Map(element) => pair(serializer, "map", element),
        }
    }
}

fn pair<S: Serializer>(
    serializer: S,
    name: &str,
    inner: &impl Serialize,
) -> Result<S::Ok, S::Error> {
    let mut seq = serializer.serialize_seq(Some(2))?;
    seq.serialize_element(name)?;
    seq.serialize_element(inner)?;
    seq.end()
}

/// Returns the value as Terraform's type system keeps it: keys sorted and unique, text in NFC,
/// numbers in plain decimals.
pub(super) fn canonical(value: &Value<'_>) -> Value<'static> {
    match value {
        Value::Null => Value::Null,
        Value::Bool(flag) => Value::Bool(*flag),
        Value::Number(digits) => Value::Number(Cow::Owned(number::plain(digits))),
        Value::String(text) => Value::String(normal(text)),
        Value::Array(items) => Value::Array(items.iter().map(canonical).collect()),
        Value::Object(members) => {
            let sorted: BTreeMap<_, _> =
                members.iter().map(|(key, value)| (normal(key), canonical(value))).collect();
            Value::Object(sorted.into_iter().collect())
        }
        Value::Sensitive => Value::Sensitive,
    }
}

/// Returns whether the value holds a number that becomes 0.
pub(super) fn loses_number(value: &Value<'_>) -> bool {
    match value {
        Value::Number(digits) => number::is_tiny(digits),
        Value::Array(items) => items.iter().any(loses_number),
        Value::Object(members) => members.iter().any(|(_, value)| loses_number(value)),
        Value::Null | Value::Bool(_) | Value::String(_) | Value::Sensitive => false,
    }
}

fn normal(text: &str) -> Cow<'static, str> {
    Cow::Owned(text.nfc().collect())
}
