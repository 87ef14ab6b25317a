//! `outputs`, each with its value held against its type as Terraform does it.
//!
//! Terraform decodes a value *against* the type beside it: primitives convert into each other,
//! object attributes may be missing but not surplus, and what is declared `dynamic` stands in a
//! wrapper that names its own type.

use super::error::Invalid;
use super::fields::Fields;
use super::version::is_key;
use crate::state::index::OutputEntry;
use crate::state::scan::SyntaxError;
use crate::state::value::Value;

/// Reads the `outputs` object.
pub(super) fn read(fields: &mut Fields<'_>) -> Result<Vec<OutputEntry>, SyntaxError> {
    let mut outputs: Vec<OutputEntry> = Vec::new();
    if !fields.object("outputs")? {
        return Ok(outputs);
    }
    let mut first = true;
    while let Some(key) = fields.scanner.next_key(&mut first)? {
        let name = key.decode_lossy().into_owned();
        let offset = key.offset - 1;
        if let Some(output) = output(fields, offset, name)? {
            outputs.retain(|other| other.name != output.name);
            outputs.push(output);
        }
    }
    Ok(outputs)
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
            if is_key(key.raw, "value") {
                fields.scanner.peek();
                let start = fields.scanner.pos();
                value = Some(start..start + fields.scanner.value()?.len());
            } else if is_key(key.raw, "type") {
                kind = fields.raw()?;
            } else if is_key(key.raw, "sensitive") {
                sensitive = fields.boolean("outputs.sensitive")?;
            } else if is_key(key.raw, "deprecated") {
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
    match Value::parse(&fields.bytes[kind.clone()]).ok().as_ref().and_then(Type::read) {
        None => fields.findings.push(kind.start, Invalid::OutputType(name.clone())),
        Some(declared) => {
            // A value too deep to decode, or with text Go repairs, is left to Terraform.
            let decoded = Value::parse(&fields.bytes[value.clone()]);
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
    Object(Vec<(String, Type)>),
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
            // The third part names optional attributes; Terraform drops it.
            ("object", Value::Object(members), 2 | 3) => {
                let member = |(key, of): &(_, _)| {
                    Some((String::from(AsRef::<str>::as_ref(key)), Self::read(of)?))
                };
                Some(Self::Object(members.iter().map(member).collect::<Option<_>>()?))
            }
            _ => None,
        }
    }

    fn fits(&self, value: &Value<'_>) -> bool {
        match (self, value) {
            (Self::Dynamic, value) => wrapped(value),
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
            (Self::Object(of), Value::Object(members)) => members.iter().all(|(key, value)| {
                of.iter().find(|(name, _)| name == key).is_some_and(|(_, of)| of.fits(value))
            }),
            _ => false,
        }
    }
}

fn wrapped(value: &Value<'_>) -> bool {
    if *value == Value::Null {
        return true;
    }
    let (Some(inner), Some(kind)) = (value.get("value"), value.get("type")) else { return false };
    Type::read(kind).is_some_and(|kind| kind.fits(inner))
}

/// Returns whether Terraform converts a string to a number: decimal, perhaps with an exponent.
fn is_number(text: &str) -> bool {
    text.parse::<f64>().is_ok() && text.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b))
}
