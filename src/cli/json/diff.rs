//! `tfstate.diff/1`.

use serde::Serialize;

use crate::diff::{Change, Comparison, Facts, OutputChange, ResourceChange};
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
}

#[derive(Debug, Serialize)]
struct Side<'a> {
    #[serde(rename = "ref")]
    reference: &'a str,
    serial: u64,
    lineage: &'a str,
    terraform_version: &'a str,
}

#[derive(Debug, Serialize)]
struct Summary {
    added: usize,
    removed: usize,
    changed: usize,
    moved: usize,
    unchanged: usize,
    ignored: usize,
}

#[derive(Debug, Serialize)]
struct Resource<'a> {
    address: &'a str,
    action: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    from_address: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deposed: Option<&'a str>,
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
}

#[derive(Debug, Serialize)]
struct Output<'a> {
    name: &'a str,
    action: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<&'a Value<'static>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<&'a Value<'static>>,
}

impl<'a> Diff<'a> {
    /// Takes a comparison and what its two sides are called.
    pub(crate) fn new(comparison: &'a Comparison, from: &'a str, to: &'a str) -> Self {
        let summary = comparison.summary;
        Self {
            schema: "tfstate.diff/1",
            from: side(&comparison.from, from),
            to: side(&comparison.to, to),
            summary: Summary {
                added: summary.added,
                removed: summary.removed,
                changed: summary.changed,
                moved: summary.moved,
                unchanged: summary.unchanged,
                ignored: summary.ignored,
            },
            resources: comparison.resources.iter().map(resource).collect(),
            outputs: comparison.outputs.iter().map(output).collect(),
        }
    }
}

fn side<'a>(facts: &'a Facts, reference: &'a str) -> Side<'a> {
    Side {
        reference,
        serial: facts.serial,
        lineage: &facts.lineage,
        terraform_version: &facts.terraform_version,
    }
}

fn resource(change: &ResourceChange) -> Resource<'_> {
    Resource {
        address: &change.address,
        action: change.action.name(),
        from_address: change.from_address.as_deref(),
        deposed: change.deposed.as_deref(),
        changes: change.changes.iter().map(attribute).collect(),
    }
}

fn attribute(change: &Change) -> AttributeChange<'_> {
    AttributeChange {
        path: change.path_text(),
        before: change.before.as_ref(),
        after: change.after.as_ref(),
    }
}

fn output(change: &OutputChange) -> Output<'_> {
    Output {
        name: &change.name,
        action: change.action.name(),
        before: change.before.as_ref(),
        after: change.after.as_ref(),
    }
}
