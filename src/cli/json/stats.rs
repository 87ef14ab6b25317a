//! `tfstate.stats/1`.

use serde::Serialize;

use crate::query::stats::{Group, Sized, Stats};

/// Counts and sizes; all sizes are in bytes.
#[derive(Debug, Serialize)]
pub(crate) struct Counts<'a> {
    schema: &'static str,
    version: u64,
    terraform_version: &'a str,
    serial: u64,
    lineage: &'a str,
    bytes: u64,
    bytes_attributes: u64,
    bytes_dependencies: u64,
    instances: u64,
    resources: u64,
    modules: u64,
    outputs: u64,
    managed: u64,
    data: u64,
    tainted: u64,
    deposed: u64,
    types: Vec<Counted<'a>>,
    providers: Vec<Counted<'a>>,
    by_module: Vec<Counted<'a>>,
    largest: Vec<Largest<'a>>,
}

#[derive(Debug, Serialize)]
struct Counted<'a> {
    name: &'a str,
    instances: u64,
    bytes: u64,
}

#[derive(Debug, Serialize)]
struct Largest<'a> {
    address: &'a str,
    bytes: u64,
}

impl<'a> Counts<'a> {
    pub(crate) fn new(stats: &'a Stats, largest: &'a [Sized]) -> Self {
        Self {
            schema: "tfstate.stats/1",
            version: stats.version,
            terraform_version: &stats.terraform_version,
            serial: stats.serial,
            lineage: &stats.lineage,
            bytes: stats.bytes,
            bytes_attributes: stats.bytes_attributes,
            bytes_dependencies: stats.bytes_dependencies,
            instances: stats.instances,
            resources: stats.resources,
            modules: stats.modules,
            outputs: stats.outputs,
            managed: stats.managed,
            data: stats.data,
            tainted: stats.tainted,
            deposed: stats.deposed,
            types: counted(&stats.types),
            providers: counted(&stats.providers),
            by_module: counted(&stats.by_module),
            largest: largest
                .iter()
                .map(|s| Largest { address: &s.address, bytes: s.bytes })
                .collect(),
        }
    }
}

fn counted(groups: &[Group]) -> Vec<Counted<'_>> {
    groups
        .iter()
        .map(|group| Counted { name: &group.name, instances: group.instances, bytes: group.bytes })
        .collect()
}
