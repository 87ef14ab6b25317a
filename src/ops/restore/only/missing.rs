//! What instances depend on that a restore of a part leaves out.

use std::collections::HashSet;

use crate::state::address::ConfigAddress;
use crate::state::document::Document;

/// Something that an instance depends on and that the state does not have any more.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Missing {
    /// The address of the instance.
    pub address: String,
    /// What it depends on.
    pub dependency: String,
}

/// Returns what instances depend on that was there, before or now, and is not there afterwards.
pub fn missing(live: &Document, past: &Document, after: &Document) -> Vec<Missing> {
    let here = configured(after);
    let known: HashSet<ConfigAddress> =
        configured(live).union(&configured(past)).cloned().collect();
    let mut missing = Vec::new();
    for instance in after.instances() {
        for dependency in instance.details().dependencies {
            let Ok(address) = dependency.parse::<ConfigAddress>() else { continue };
            if known.contains(&address) && !here.contains(&address) {
                let address = instance.address_text();
                missing.push(Missing { address, dependency: dependency.into_owned() });
            }
        }
    }
    missing
}

/// Returns the resources of a state as `dependencies` call them.
fn configured(state: &Document) -> HashSet<ConfigAddress> {
    let resources = state.resources().filter(|resource| resource.instances().len() > 0);
    resources
        .map(|resource| ConfigAddress {
            module: resource.module().without_keys(),
            mode: resource.mode(),
            kind: resource.kind().into_owned(),
            name: resource.name().into_owned(),
        })
        .collect()
}
