//! `outputs`, each with its value held against its type as Terraform does it.
//!
//! Terraform decodes a value *against* the type beside it: primitives convert into each other,
//! object attributes may be missing but not surplus, and what is declared `dynamic` stands in a
//! wrapper that names its own type.

use std::collections::{HashMap, HashSet};

use super::error::Invalid;
use super::fields::Fields;
use super::version::{field, is_key};
use crate::state::index::OutputEntry;
use crate::state::scan::SyntaxError;
use crate::state::value::Value;

/// Reads an `outputs` object into `outputs`; Terraform adds a second one to the first.
pub(super) fn read(
    fields: &mut Fields<'_>,
    outputs: &mut Vec<OutputEntry>,
) -> Result<(), SyntaxError> {
    if !fields.object("outputs")? {
        outputs.clear();
        return Ok(());
    }
    let mut first = true;
    while let Some(key) = fields.scanner.next_key(&mut first)? {
        let name = key.decode_lossy().into_owned();
        let offset = key.offset - 1;
        if let Some(output) = output(fields, offset, name)? {
            outputs.push(output);
        }
    }
    keep_last(outputs);
    Ok(())
}

/// Drops the outputs whose name stands again behind them.
fn keep_last(outputs: &mut Vec<OutputEntry>) {
    let mut names = HashSet::with_capacity(outputs.len());
    let is_last: Vec<bool> =
        outputs.iter().rev().map(|output| names.insert(output.name.as_str())).collect();
    let mut is_last = is_last.into_iter().rev();
    outputs.retain(|_| is_last.next() == Some(true));
}

fn output(
    fields: &mut Fields<'_>,
    offset: usize,
    name: String,
) -> Result<Option<OutputEntry>, SyntaxError> {
    let (mut value, mut kind, mut sensitive, mut deprecated) = (None, None, false, None);
    if fields.object("outputs")? {
        let mut first = true;
        while let Some(key) = fields.scanner.next_key(&mut first)? {
            let key = field(&key);
            if is_key(&key, "value") {
                fields.scanner.peek();
                let start = fields.scanner.pos();
                value = Some(start..start + fields.scanner.value()?.len());
            } else if is_key(&key, "type") {
                kind = fields.raw()?;
            } else if is_key(&key, "sensitive") {
                sensitive = fields.boolean("outputs.sensitive")?.unwrap_or(sensitive);
            } else if is_key(&key, "deprecated") {
                deprecated = fields.string("outputs.deprecated")?.filter(|text| !text.is_empty());
            } else {
                fields.scanner.value()?;
            }
        }
    }
    let (Some(value), Some(kind)) = (value.clone(), kind.clone()) else {
        let missing = if value.is_none() { "value" } else { "type" };
        fields.findings.push(offset, Invalid::OutputIncomplete(name, missing));
        return Ok(None);
    };
    match Value::parse_lossy(&fields.bytes[kind.clone()]).ok().as_ref().and_then(Type::read) {
        None => fields.findings.push(kind.start, Invalid::OutputType(name.clone())),
        Some(declared) => {
            // A value too deep to decode is left to Terraform.
            let decoded = Value::parse_lossy(&fields.bytes[value.clone()]);
            if decoded.is_ok_and(|decoded| !declared.fits(&decoded)) {
                fields.findings.push(value.start, Invalid::OutputValue(name.clone()));
            }
        }
    }
    Ok(Some(OutputEntry { name, value, kind, sensitive, deprecated }))
}

/// A type as a state encodes it.
#[derive(Debug)]
enum Type {
    String,
    Number,
    Bool,
    Dynamic,
    /// `list` or `set`.
    Collection(Box<Type>),
    Map(Box<Type>),
    Tuple(Vec<Type>),
    Object(HashMap<String, Type>),
}

impl Type {
    fn read(encoded: &Value<'_>) -> Option<Self> {
        let parts = match encoded {
            Value::String(name) => {
                return match name.as_ref() {
                    "string" => Some(Self::String),
                    "number" => Some(Self::Number),
                    "bool" => Some(Self::Bool),
                    "dynamic" => Some(Self::Dynamic),
                    _ => None,
                };
            }
            Value::Array(parts) => parts,
            _ => return None,
        };
        let (kind, of) = (parts.first()?.as_str()?, parts.get(1)?);
        match (kind, of, parts.len()) {
            ("list" | "set", of, 2) => Some(Self::Collection(Box::new(Self::read(of)?))),
            ("map", of, 2) => Some(Self::Map(Box::new(Self::read(of)?))),
            ("tuple", Value::Array(items), 2) => {
                Some(Self::Tuple(items.iter().map(Self::read).collect::<Option<_>>()?))
            }
            ("object", Value::Object(members), 2 | 3) => {
                let member = |(key, of): &(_, _)| {
                    Some((String::from(AsRef::<str>::as_ref(key)), Self::read(of)?))
                };
                let members = members.iter().map(member).collect::<Option<HashMap<_, _>>>()?;
                let is_member =
                    |name: &Value<'_>| name.as_str().is_some_and(|n| members.contains_key(n));
                // The third part names optional attributes; Terraform drops it.
                match parts.get(2) {
                    None | Some(Value::Null) => {}
                    Some(Value::Array(names)) if names.iter().all(is_member) => {}
                    Some(_) => return None,
                }
                Some(Self::Object(members))
            }
            _ => None,
        }
    }

    fn fits(&self, value: &Value<'_>) -> bool {
        match (self, value) {
            (Self::Dynamic, value) => is_wrapped(value),
            (_, Value::Null)
            | (Self::String, Value::String(_) | Value::Number(_) | Value::Bool(_))
            | (Self::Number, Value::Number(_))
            | (Self::Bool, Value::Bool(_)) => true,
            (Self::Number, Value::String(text)) => is_number(text),
            (Self::Bool, Value::String(text)) => {
                matches!(text.as_ref(), "true" | "false" | "0" | "1")
            }
            (Self::Collection(of), Value::Array(items)) => items.iter().all(|item| of.fits(item)),
            (Self::Map(of), Value::Object(members)) => {
                members.iter().all(|(_, value)| of.fits(value))
            }
            (Self::Tuple(of), Value::Array(items)) => {
                of.len() == items.len() && of.iter().zip(items).all(|(of, item)| of.fits(item))
            }
            (Self::Object(of), Value::Object(members)) => members
                .iter()
                .all(|(key, value)| of.get(key.as_ref()).is_some_and(|of| of.fits(value))),
            _ => false,
        }
    }
}

/// Returns whether Terraform reads this where the type is `dynamic`: `null`, or a wrapper of a
/// value and its type with nothing else in it.
pub(super) fn is_wrapped(value: &Value<'_>) -> bool {
    let members = match value {
        Value::Null => return true,
        Value::Object(members) => members,
        _ => return false,
    };
    if !members.iter().all(|(key, _)| matches!(key.as_ref(), "value" | "type")) {
        return false;
    }
    let (Some(inner), Some(kind)) = (value.get("value"), value.get("type")) else { return false };
    Type::read(kind).is_some_and(|kind| kind.fits(inner))
}

/// Returns whether Terraform converts a string to a number: decimal, perhaps with an exponent.
fn is_number(text: &str) -> bool {
    text.parse::<f64>().is_ok() && text.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b))
}
