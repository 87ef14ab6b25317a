//! `tfstate.diff3/1`.

use serde::Serialize;

use super::diff::{Output, Resource, Side, output, resource, side};
use crate::diff::{Sides, ThreeWay, Verdict};

/// What two sides made of a state.
#[derive(Debug, Serialize)]
pub(crate) struct Three<'a> {
    schema: &'static str,
    base: Side<'a>,
    a: Side<'a>,
    b: Side<'a>,
    summary: Summary,
    resources: Vec<Entry<'a, Resource<'a>>>,
    outputs: Vec<Entry<'a, Output<'a>>>,
}

/// How many instances and outputs have each verdict.
#[derive(Debug, Serialize)]
struct Summary {
    a: usize,
    b: usize,
    same: usize,
    apart: usize,
    conflict: usize,
}

/// A side that did nothing has no key. Paths in conflict are left out where it is about the whole.
#[derive(Debug, Serialize)]
struct Entry<'a, T> {
    #[serde(flatten)]
    name: Name<'a>,
    verdict: &'static str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    conflicts: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    a: Option<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    b: Option<T>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
enum Name<'a> {
    Address(&'a str),
    Name(&'a str),
}

impl<'a> Three<'a> {
    /// Takes a comparison and what its three states are called: the base, then the sides.
    pub(crate) fn new(three: &'a ThreeWay, [base, a, b]: [&'a str; 3]) -> Self {
        let resources = three.resources.iter().filter_map(|sides| {
            let name = Name::Address(&sides.first()?.address);
            Some(entry(name, sides, resource))
        });
        let outputs = three.outputs.iter().filter_map(|sides| {
            let name = Name::Name(&sides.first()?.name);
            Some(entry(name, sides, output))
        });
        Self {
            schema: "tfstate.diff3/1",
            base: side(&three.base, base),
            a: side(&three.a, a),
            b: side(&three.b, b),
            summary: Summary {
                a: three.count(Verdict::OnlyA),
                b: three.count(Verdict::OnlyB),
                same: three.count(Verdict::Same),
                apart: three.count(Verdict::Apart),
                conflict: three.count(Verdict::Conflict),
            },
            resources: resources.collect(),
            outputs: outputs.collect(),
        }
    }
}

fn entry<'a, C, T>(name: Name<'a>, sides: &'a Sides<C>, show: fn(&'a C) -> T) -> Entry<'a, T> {
    Entry {
        name,
        verdict: sides.verdict.name(),
        conflicts: &sides.conflicts,
        a: sides.a.as_ref().map(show),
        b: sides.b.as_ref().map(show),
    }
}
