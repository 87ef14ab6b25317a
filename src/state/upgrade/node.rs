//! Reading fields as Go's `encoding/json` reads them into a struct.
//!
//! Names match whatever their case, the last of several counts, and `null` is the same as
//! nothing. A value of another kind is an error that names the field.

use std::collections::BTreeMap;

use super::Error;
use super::number;
use crate::state::path::{Path, Step};
use crate::state::value::Value;

static NULL: Value<'static> = Value::Null;

/// A value of the document, together with the way that led to it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node<'v, 'p> {
    value: &'v Value<'v>,
    at: At<'p>,
}

/// One step of the way, linked to the one before it: paths are only built for errors.
#[derive(Clone, Copy, Debug)]
enum At<'p> {
    Root,
    Key(&'p At<'p>, &'p str),
    Index(&'p At<'p>, usize),
}

impl At<'_> {
    fn path(&self) -> Path {
        let mut steps = Vec::new();
        let mut at = self;
        loop {
            at = match at {
                At::Root => break,
                At::Key(parent, key) => {
                    steps.push(Step::Key((*key).to_owned()));
                    parent
                }
                At::Index(parent, index) => {
                    steps.push(Step::Index(*index));
                    parent
                }
            };
        }
        steps.into_iter().rev().collect()
    }
}

impl<'v> Node<'v, '_> {
    /// Starts at the document itself.
    pub(super) fn root(value: &'v Value<'v>) -> Self {
        Self { value, at: At::Root }
    }

    /// Returns where this is.
    pub(super) fn path(&self) -> Path {
        self.at.path()
    }

    /// Returns whether nothing is here.
    pub(super) fn is_null(&self) -> bool {
        *self.value == Value::Null
    }

    /// Passes an object on; anything else is an error, `null` too.
    pub(super) fn object(self) -> Result<Self, Error> {
        match self.value {
            Value::Object(_) => Ok(self),
            _ => Err(self.expected("an object")),
        }
    }

    /// Returns the named member of an object; what is absent is `null`.
    pub(super) fn field<'s>(&'s self, name: &'s str) -> Node<'v, 's> {
        let value = match self.value {
            Value::Object(members) => members
                .iter()
                .rev()
                .find(|(key, value)| folds_to(key, name) && *value != Value::Null)
                .map_or(&NULL, |(_, value)| value),
            _ => &NULL,
        };
        Node { value, at: At::Key(&self.at, name) }
    }

    /// Reads a string.
    pub(super) fn string(&self) -> Result<&'v str, Error> {
        match self.value {
            Value::Null => Ok(""),
            Value::String(text) => Ok(text),
            _ => Err(self.expected("a string")),
        }
    }

    /// Reads `true` or `false`.
    pub(super) fn flag(&self) -> Result<bool, Error> {
        match self.value {
            Value::Null => Ok(false),
            Value::Bool(flag) => Ok(*flag),
            _ => Err(self.expected("a bool")),
        }
    }

    /// Reads a whole number; one spelt with a fraction or an exponent is refused as Go does.
    pub(super) fn integer(&self) -> Result<i64, Error> {
        const EXPECTED: &str = "a whole number of 64 bits";
        match self.value {
            Value::Null => Ok(0),
            Value::Number(digits) => {
                digits.parse().map_err(|_| Error::Number { at: self.path(), expected: EXPECTED })
            }
            _ => Err(self.expected(EXPECTED)),
        }
    }

    /// Checks a whole number that is not negative.
    pub(super) fn check_unsigned(&self) -> Result<(), Error> {
        const EXPECTED: &str = "a whole number from 0 on";
        match self.value {
            Value::Null => Ok(()),
            Value::Number(digits) if digits.parse::<u64>().is_ok() => Ok(()),
            Value::Number(_) => Err(Error::Number { at: self.path(), expected: EXPECTED }),
            _ => Err(self.expected(EXPECTED)),
        }
    }

    /// Reads any value whose numbers a float can hold, as Go reads one it has no type for.
    pub(super) fn any(&self) -> Result<&'v Value<'v>, Error> {
        if number::all_finite(self.value) {
            return Ok(self.value);
        }
        Err(Error::Number { at: self.path(), expected: "free of numbers too large for a float" })
    }

    /// Reads the elements of an array.
    pub(super) fn items<'s>(&'s self) -> Result<impl Iterator<Item = Node<'v, 's>>, Error> {
        let items = match self.value {
            Value::Null => &[],
            Value::Array(items) => items.as_slice(),
            _ => return Err(self.expected("an array")),
        };
        let node = |(index, value)| Node { value, at: At::Index(&self.at, index) };
        Ok(items.iter().enumerate().map(node))
    }

    /// Reads an array of strings.
    pub(super) fn strings(&self) -> Result<Vec<&'v str>, Error> {
        self.items()?.map(|item| item.string()).collect()
    }

    /// Reads the members of an object that serves as a map; here names keep their case.
    pub(super) fn entries<'s>(&'s self) -> Result<BTreeMap<&'v str, Node<'v, 's>>, Error>
    where
        'v: 's,
    {
        let members = match self.value {
            Value::Null => &[],
            Value::Object(members) => members.as_slice(),
            _ => return Err(self.expected("an object")),
        };
        let node = |key: &'v str, value: &'v Value<'v>| Node { value, at: At::Key(&self.at, key) };
        Ok(members.iter().map(|(key, value)| (key.as_ref(), node(key, value))).collect())
    }

    /// Reads an object that maps names to strings.
    pub(super) fn string_map(&self) -> Result<BTreeMap<&'v str, &'v str>, Error> {
        self.entries()?.into_iter().map(|(key, node)| Ok((key, node.string()?))).collect()
    }

    fn expected(&self, expected: &'static str) -> Error {
        Error::Type { at: self.path(), expected, found: self.value.kind() }
    }
}

/// Returns whether Go takes `key` for the field `name`, which is in lower case.
fn folds_to(key: &str, name: &str) -> bool {
    // These two fold to ASCII letters, and Go folds as Unicode does.
    let fold = |c: char| match c {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        _ => c.to_ascii_lowercase(),
    };
    key.chars().map(fold).eq(name.chars())
}
