//! `tfstate.diff/1`.

use serde::Serialize;

use crate::diff::{self, Change, Comparison, Facts, Fold, OutputChange, Quiet, ResourceChange};
use crate::state::value::Value;

/// What differs between two states.
#[derive(Debug, Serialize)]
pub(crate) struct Diff<'a> {
    schema: &'static str,
    from: Side<'a>,
    to: Side<'a>,
    summary: Summary,
    resources: Vec<Resource<'a>>,
    outputs: Vec<Output<'a>>,
    checks: Vec<Check<'a>>,
    module_moves: Vec<ModuleMove<'a>>,
    key_conversions: Vec<KeyConversion<'a>>,
}

#[derive(Debug, Serialize)]
pub(super) struct Side<'a> {
    #[serde(rename = "ref")]
    reference: &'a str,
    serial: u64,
    lineage: &'a str,
    terraform_version: &'a str,
}

#[derive(Debug, Serialize)]
pub(crate) struct Summary {
    added: usize,
    removed: usize,
    changed: usize,
    moved: usize,
    unchanged: usize,
    ignored: usize,
    by_role: usize,
}

#[derive(Debug, Serialize)]
pub(super) struct Resource<'a> {
    address: &'a str,
    action: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    from_address: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deposed: Option<&'a str>,
    /// The place in `module_moves` of what its move is part of.
    #[serde(skip_serializing_if = "Option::is_none")]
    module_move: Option<usize>,
    /// The place in `key_conversions` of what its move is part of.
    #[serde(skip_serializing_if = "Option::is_none")]
    key_conversion: Option<usize>,
    changes: Vec<AttributeChange<'a>>,
}

/// A side on which there is nothing has no key, so that it is not taken for `null`.
#[derive(Debug, Serialize)]
struct AttributeChange<'a> {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<&'a Value<'static>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<&'a Value<'static>>,
    /// Why it is told only with `--noise`: `formatting`, `role`.
    #[serde(skip_serializing_if = "Option::is_none")]
    quiet: Option<&'static str>,
}

#[derive(Debug, Serialize)]
pub(super) struct Output<'a> {
    name: &'a str,
    action: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<&'a Value<'static>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<&'a Value<'static>>,
    /// What differs inside; left out where the whole differs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    changes: Vec<AttributeChange<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deprecated_before: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deprecated_after: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quiet: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct Check<'a> {
    address: &'a str,
    kind: &'a str,
    before: Option<&'a str>,
    after: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct ModuleMove<'a> {
    from: &'a str,
    to: &'a str,
    instances: usize,
}

#[derive(Debug, Serialize)]
struct KeyConversion<'a> {
    resource: &'a str,
    from: &'static str,
    to: &'static str,
    instances: usize,
}

impl<'a> Diff<'a> {
    /// Takes a comparison and what its two sides are called.
    pub(crate) fn new(comparison: &'a Comparison, from: &'a str, to: &'a str) -> Self {
        Self {
            schema: "tfstate.diff/1",
            from: side(&comparison.from, from),
            to: side(&comparison.to, to),
            summary: Summary::of(comparison),
            resources: comparison.resources.iter().map(resource).collect(),
            outputs: comparison.outputs.iter().map(output).collect(),
            checks: comparison.checks.iter().map(check).collect(),
            module_moves: comparison.module_moves.iter().map(module_move).collect(),
            key_conversions: comparison.key_conversions.iter().map(key_conversion).collect(),
        }
    }
}

impl Summary {
    pub(super) fn of(comparison: &Comparison) -> Self {
        let summary = comparison.summary;
        Self {
            added: summary.added,
            removed: summary.removed,
            changed: summary.changed,
            moved: summary.moved,
            unchanged: summary.unchanged,
            ignored: summary.ignored,
            by_role: summary.by_role,
        }
    }
}

pub(super) fn side<'a>(facts: &'a Facts, reference: &'a str) -> Side<'a> {
    Side {
        reference,
        serial: facts.serial,
        lineage: &facts.lineage,
        terraform_version: &facts.terraform_version,
    }
}

pub(super) fn resource(change: &ResourceChange) -> Resource<'_> {
    let (module_move, key_conversion) = match change.fold {
        Some(Fold::Module(at)) => (Some(at), None),
        Some(Fold::Keys(at)) => (None, Some(at)),
        None => (None, None),
    };
    Resource {
        address: &change.address,
        action: change.action.name(),
        from_address: change.from_address.as_deref(),
        deposed: change.deposed.as_deref(),
        module_move,
        key_conversion,
        changes: change.changes.iter().map(attribute).collect(),
    }
}

fn attribute(change: &Change) -> AttributeChange<'_> {
    AttributeChange {
        path: change.path_text(),
        before: change.before.as_ref(),
        after: change.after.as_ref(),
        quiet: change.quiet.map(Quiet::name),
    }
}

fn inside(change: &Change) -> AttributeChange<'_> {
    AttributeChange { path: change.path.to_string(), ..attribute(change) }
}

pub(super) fn output(change: &OutputChange) -> Output<'_> {
    Output {
        name: &change.name,
        action: change.action.name(),
        before: change.before.as_ref(),
        after: change.after.as_ref(),
        changes: change.changes.iter().map(inside).collect(),
        deprecated_before: change.deprecated_before.as_deref(),
        deprecated_after: change.deprecated_after.as_deref(),
        quiet: change.quiet.map(Quiet::name),
    }
}

fn check(change: &diff::CheckChange) -> Check<'_> {
    Check {
        address: &change.address,
        kind: &change.kind,
        before: change.before.as_deref(),
        after: change.after.as_deref(),
    }
}

fn module_move(found: &diff::ModuleMove) -> ModuleMove<'_> {
    ModuleMove { from: &found.from, to: &found.to, instances: found.instances }
}

fn key_conversion(found: &diff::KeyConversion) -> KeyConversion<'_> {
    KeyConversion {
        resource: &found.resource,
        from: found.from.name(),
        to: found.to.name(),
        instances: found.instances,
    }
}
