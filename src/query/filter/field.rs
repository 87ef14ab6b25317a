//! The fields that a filter can test.

use std::ops::Range;

use super::error::Error;
use super::syntax::Op;
use crate::base::nearest::nearest;

/// What a filter can test of an instance.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Field {
    Addr,
    Type,
    Name,
    Module,
    Provider,
    Mode,
    Key,
    Id,
    Attr,
    Tag,
    Dep,
    Is,
    Has,
    Size,
    Schema,
}

/// A field as help and completions show it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Help {
    /// What stands before the colon.
    pub name: &'static str,
    /// One line on what it tests.
    pub help: &'static str,
    /// A filter that uses it.
    pub example: &'static str,
    field: Field,
}

const FIELDS: [Help; 15] = [
    help(Field::Addr, "addr", "the whole address", "addr:module.*.aws_subnet.*"),
    help(Field::Type, "type", "the resource type", "type:aws_iam_*,aws_kms_*"),
    help(Field::Name, "name", "the resource name", "name:web*"),
    help(Field::Module, "module", "a module and all below it", "module:network"),
    help(Field::Provider, "provider", "the provider, its source or alias", "provider:aws.eu"),
    help(Field::Mode, "mode", "managed or data", "mode:data"),
    help(Field::Key, "key", "the instance key", "key:0"),
    help(Field::Id, "id", "the beginning of the id", "id:i-0a1"),
    help(Field::Attr, "attr", "the value of an attribute", "attr:instance_type=t3.*"),
    help(Field::Tag, "tag", "a tag or label, or its value", "tag:env=prod"),
    help(Field::Dep, "dep", "what it depends on", "dep:aws_vpc.main"),
    help(Field::Is, "is", "managed, data, tainted, deposed, sensitive or root", "is:tainted"),
    help(Field::Has, "has", "an attribute that is there and not null", "has:kms_key_id"),
    help(Field::Size, "size", "the bytes it takes in the state", "size>10KB"),
    help(Field::Schema, "schema", "the schema version", "schema>=2"),
];

const fn help(field: Field, name: &'static str, help: &'static str, example: &'static str) -> Help {
    Help { name, help, example, field }
}

/// Returns all fields, for help and completions.
pub fn fields() -> &'static [Help] {
    &FIELDS
}

impl Field {
    /// Reads the name of a field that stands at `at`.
    pub(super) fn parse(name: &str, at: Range<usize>) -> Result<Self, Error> {
        if let Some(known) = FIELDS.iter().find(|known| known.name == name) {
            return Ok(known.field);
        }
        let hint = match nearest(name, FIELDS.iter().map(|known| known.name), 1).first() {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("an attribute is `attr:{name}=…`; quote what is a part of the address"),
        };
        Err(Error::new(at, format!("there is no field `{name}`")).hint(hint))
    }

    pub(super) fn name(self) -> &'static str {
        FIELDS.iter().find(|known| known.field == self).map_or("", |known| known.name)
    }

    /// Returns whether something is named between the field and the operator.
    pub(super) fn has_path(self) -> bool {
        matches!(self, Self::Attr | Self::Tag | Self::Has)
    }

    /// Returns whether an operator makes sense for the field.
    pub(super) fn takes(self, op: Op) -> bool {
        match self {
            Self::Attr | Self::Tag => true,
            Self::Has => op == Op::Is,
            Self::Is | Self::Mode => matches!(op, Op::Is | Op::IsNot),
            Self::Size | Self::Schema => !matches!(op, Op::Like | Op::NotLike),
            Self::Addr
            | Self::Type
            | Self::Name
            | Self::Module
            | Self::Provider
            | Self::Key
            | Self::Id
            | Self::Dep => !op.is_order(),
        }
    }
}
