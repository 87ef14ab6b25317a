//! `tfstate.backup/1`.

use serde::Serialize;

use crate::ops::backup::Report;

/// What a run of `backup` did, a snapshot for each state.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Backup {
    schema: &'static str,
    snapshots: Vec<Made>,
}

#[derive(Debug, Default, Serialize)]
struct Made {
    id: Option<String>,
    state: String,
    strategy: &'static str,
    parent: Option<String>,
    base: Option<String>,
    bytes_state: Option<u64>,
    bytes_stored: Option<u64>,
    resources_changed: Option<u64>,
    skipped: bool,
    error: Option<String>,
}

impl Backup {
    pub(crate) fn new() -> Self {
        Self { schema: "tfstate.backup/1", snapshots: Vec::new() }
    }

    /// Adds a state whose snapshot is there now. A state that can't be parsed is kept all the same,
    /// and why it can't is its error.
    pub(crate) fn made(&mut self, state: &str, report: &Report) {
        self.snapshots.push(Made {
            id: Some(report.snapshot.id.clone()),
            state: state.to_owned(),
            strategy: report.snapshot.kind.name(),
            parent: report.added.as_ref().and_then(|added| added.parent.clone()),
            base: report.added.as_ref().and_then(|added| added.base.clone()),
            bytes_state: report.bytes_state,
            bytes_stored: Some(report.snapshot.bytes_stored),
            resources_changed: None,
            skipped: report.skipped(),
            error: report.broken.clone(),
        });
    }

    /// Adds a state of which there is no snapshot.
    pub(crate) fn failed(&mut self, state: &str, error: &str) {
        self.snapshots.push(Made {
            state: state.to_owned(),
            strategy: "full",
            error: Some(error.to_owned()),
            ..Made::default()
        });
    }
}
