//! The resources of three states side by side.

use std::collections::BTreeMap;

use super::three::Three;
use crate::state::address::Mode;
use crate::state::document::{Document, Resource};

/// Which resource it is; sorts as Terraform writes them, byte by byte.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(in crate::ops) struct Name {
    module: String,
    mode: &'static str,
    kind: String,
    label: String,
}

impl Name {
    pub(in crate::ops) fn of(resource: Resource<'_>) -> Self {
        Self {
            module: resource.module_text().to_owned(),
            mode: resource.mode().as_str(),
            kind: resource.kind().into_owned(),
            label: resource.name().into_owned(),
        }
    }

    /// Returns the address of the resource.
    pub(in crate::ops) fn address(&self) -> String {
        let dot = if self.module.is_empty() { "" } else { "." };
        let data = if self.mode == Mode::Data.as_str() { "data." } else { "" };
        format!("{}{dot}{data}{}.{}", self.module, self.kind, self.label)
    }
}

/// An element of `resources`, with its number.
pub(super) type Block<'a> = (usize, Resource<'a>);

/// The elements of one resource in each state.
pub(super) type Blocks<'a> = Three<Vec<Block<'a>>>;

/// Collects the resources of all three, in the order in which Terraform writes them.
pub(super) fn collect<'a>(states: Three<&'a Document>) -> BTreeMap<Name, Blocks<'a>> {
    let mut all: BTreeMap<Name, Blocks<'a>> = BTreeMap::new();
    for (side, state) in states.sides() {
        for (number, resource) in state.resources().enumerate() {
            let blocks = all.entry(Name::of(resource)).or_default();
            blocks.side(side).get_or_insert_default().push((number, resource));
        }
    }
    all
}

/// Returns the one block each side has; `None` where a side has several.
pub(super) fn single<'a>(blocks: &Blocks<'a>) -> Option<Three<Block<'a>>> {
    let all = [&blocks.base, &blocks.ours, &blocks.theirs];
    if all.into_iter().flatten().any(|blocks| blocks.len() > 1) {
        return None;
    }
    let first = |blocks: &Option<Vec<Block<'a>>>| blocks.as_ref()?.first().copied();
    Some(Three {
        base: first(&blocks.base),
        ours: first(&blocks.ours),
        theirs: first(&blocks.theirs),
    })
}
