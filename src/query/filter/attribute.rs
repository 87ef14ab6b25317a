//! Tests of attributes and tags: what is found of them, and how it compares.

use super::error::Error;
use super::pattern::{Operand, Pattern};
use super::selector::{KeySearch, Selector};
use super::subject::Subject;
use super::syntax::{Kind, Literal, Op};
use crate::state::value::Value;

/// An attribute by its path.
#[derive(Clone, Debug)]
pub(super) struct Attribute {
    selector: Selector,
    key: Option<KeySearch>,
}

/// The name of a tag or label.
#[derive(Clone, Debug)]
pub(super) struct TagName {
    pattern: Pattern,
    key: Option<KeySearch>,
}

/// What values are compared with, and how. Any of the operands will do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Operands<'t> {
    pub(super) op: Op,
    pub(super) operands: &'t [Operand],
}

impl Attribute {
    pub(super) fn of(literal: &Literal) -> Result<Self, Error> {
        if literal.kind == Kind::Regex {
            return Err(Error::new(literal.at.clone(), "a regular expression for a path"));
        }
        let selector = Selector::of(literal)?;
        Ok(Self { key: selector.first_key(), selector })
    }

    pub(super) fn is_there(&self, subject: &Subject<'_>) -> bool {
        if !may_have(subject, self.key.as_ref()) {
            return false;
        }
        let mut found = false;
        if let Some(attributes) = subject.attributes() {
            self.selector.visit(attributes, &mut |value| found |= *value != Value::Null);
        }
        found
    }
}

impl TagName {
    pub(super) fn of(literal: &Literal) -> Result<Self, Error> {
        let pattern = Pattern::of(literal, Op::Is)?;
        let key = match &pattern {
            Pattern::Exact(name) => KeySearch::of(name),
            Pattern::Glob(_) | Pattern::Regex(_) => None,
        };
        Ok(Self { pattern, key })
    }
}

/// Returns whether it is worth decoding the attributes to look for a key.
fn may_have(subject: &Subject<'_>, key: Option<&KeySearch>) -> bool {
    let instance = subject.instance;
    // The keys of a flat map are whole paths.
    let Some(key) = key.filter(|_| !instance.has_flat_attributes()) else { return true };
    // Finding where the attributes end takes longer than looking at what stands around them.
    key.may_be_in(instance.raw())
}

/// Calls `visit` with every tag: members of maps, and `{key, value}` blocks of lists.
fn each_tag(attributes: &Value<'_>, visit: &mut dyn FnMut(&str, &Value<'_>)) {
    for name in ["tags", "tags_all", "labels", "tag"] {
        match attributes.get(name) {
            Some(Value::Object(members)) => {
                for (key, value) in members {
                    visit(key, value);
                }
            }
            Some(Value::Array(blocks)) => {
                for block in blocks {
                    let key = block.get("key").and_then(Value::as_str);
                    if let Some((key, value)) = key.zip(block.get("value")) {
                        visit(key, value);
                    }
                }
            }
            _ => {}
        }
    }
}

/// Compares attributes; `None` where there is nothing of them to compare.
pub(super) fn compare(
    subject: &Subject<'_>,
    attributes: &[Attribute],
    operands: &Operands<'_>,
) -> Option<bool> {
    let mut answer = None;
    for attribute in attributes.iter().filter(|it| may_have(subject, it.key.as_ref())) {
        attribute.selector.visit(subject.attributes()?, &mut |value| {
            operands.ask(value, &mut answer);
        });
    }
    answer
}

/// Compares tags, or tells whether there are any where there is nothing to compare with.
pub(super) fn tagged(
    subject: &Subject<'_>,
    names: &[TagName],
    operands: &Operands<'_>,
) -> Option<bool> {
    let may = names.iter().any(|name| may_have(subject, name.key.as_ref()));
    let attributes = may.then(|| subject.attributes()).flatten()?;
    let mut answer = None;
    each_tag(attributes, &mut |key, value| {
        let is_meant = names.iter().any(|name| name.pattern.matches(key));
        if is_meant && operands.operands.is_empty() {
            answer = Some(true);
        } else if is_meant {
            operands.ask(value, &mut answer);
        }
    });
    answer
}

impl Operands<'_> {
    /// Tests a value, or each element of an array.
    fn ask(&self, value: &Value<'_>, answer: &mut Option<bool>) {
        if let Value::Array(items) = value {
            for item in items {
                self.ask(item, answer);
            }
            return;
        }
        for found in self.operands.iter().filter_map(|operand| operand.test(value, self.op)) {
            *answer = Some(found || *answer == Some(true));
        }
    }
}
