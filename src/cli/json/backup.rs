//! `tfstate.backup/1`.

use serde::Serialize;

use crate::ops::backup::Report;

/// What a run of `backup` did, a snapshot for each state.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Backup {
    schema: &'static str,
    repository: String,
    /// Nothing while there is no snapshot to tell it by.
    encrypted: Option<bool>,
    summary: Summary,
    snapshots: Vec<Made>,
}

/// How many states ended how, and how many bytes that was.
#[derive(Debug, Default, Serialize)]
struct Summary {
    new: usize,
    unchanged: usize,
    failed: usize,
    bytes_state: u64,
    bytes_stored: u64,
    seconds: f64,
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
        Self { schema: "tfstate.backup/1", ..Self::default() }
    }

    /// Says of the whole run where the snapshots are and how long it took.
    pub(crate) fn finish(&mut self, repository: &str, took: jiff::SignedDuration) {
        repository.clone_into(&mut self.repository);
        self.summary.seconds = took.as_secs_f64();
    }

    /// Adds a state whose snapshot is there now. A state that can't be parsed is kept all the same,
    /// and why it can't is its error.
    pub(crate) fn made(&mut self, state: &str, report: &Report) {
        self.encrypted = Some(report.encrypted);
        if report.skipped() {
            self.summary.unchanged += 1;
        } else {
            self.summary.new += 1;
            self.summary.bytes_state += report.bytes_state.unwrap_or_default();
            self.summary.bytes_stored += report.snapshot.bytes_stored;
        }
        self.snapshots.push(Made {
            id: Some(report.snapshot.id.clone()),
            state: state.to_owned(),
            strategy: report.snapshot.kind.name(),
            parent: report.added.as_ref().and_then(|added| added.parent.clone()),
            base: report.added.as_ref().and_then(|added| added.base.clone()),
            bytes_state: report.bytes_state,
            bytes_stored: Some(report.snapshot.bytes_stored),
            resources_changed: report.added.as_ref().and_then(|added| added.changed),
            skipped: report.skipped(),
            error: report.broken.clone(),
        });
    }

    /// Adds a state of which there is no snapshot.
    pub(crate) fn failed(&mut self, state: &str, error: &str) {
        self.summary.failed += 1;
        self.snapshots.push(Made {
            state: state.to_owned(),
            error: Some(error.to_owned()),
            ..Made::default()
        });
    }
}
