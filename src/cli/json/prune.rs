//! `tfstate.prune/1`.

use serde::Serialize;

use crate::backup::prune::{StreamPlan, Verdict};
use crate::ops::prune::Report;

/// What `prune` decided and did.
#[derive(Debug, Serialize)]
pub(crate) struct Prune<'a> {
    schema: &'static str,
    dry_run: bool,
    streams: Vec<Stream<'a>>,
    kept: usize,
    removed: usize,
    bytes_removed: u64,
    pending: usize,
    bytes_pending: u64,
    denied: Vec<Denied<'a>>,
    leftovers_removed: usize,
    runs_removed: usize,
}

#[derive(Debug, Serialize)]
struct Stream<'a> {
    #[serde(rename = "stream")]
    name: &'a str,
    left_alone: Option<&'static str>,
    snapshots: Vec<Snapshot<'a>>,
}

#[derive(Debug, Serialize)]
struct Snapshot<'a> {
    id: &'a str,
    created: String,
    strategy: &'static str,
    bytes_stored: u64,
    action: &'static str,
    reasons: &'a [&'static str],
    /// Since when it is named as one that goes.
    marked: Option<String>,
    /// Whether it goes in this run.
    due: bool,
    /// Whether this is an old object of a snapshot that was encrypted anew.
    superseded: bool,
}

#[derive(Debug, Serialize)]
struct Denied<'a> {
    key: &'a str,
    error: String,
}

/// How much there is of what.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Totals {
    pub(crate) kept: usize,
    pub(crate) removed: usize,
    pub(crate) bytes_removed: u64,
    pub(crate) pending: usize,
    pub(crate) bytes_pending: u64,
}

impl Totals {
    /// Counts what was decided, and what was done where something was.
    pub(crate) fn of(plans: &[StreamPlan], report: Option<&Report>) -> Self {
        let mut totals = Self::default();
        let deleted = report.map(|report| &report.swept.deleted);
        for verdict in plans.iter().flat_map(|plan| &plan.verdicts) {
            let bytes = verdict.snapshot.bytes_stored;
            let is_gone =
                deleted.map_or(verdict.is_due, |keys| keys.contains(&verdict.snapshot.key));
            if verdict.is_kept() {
                totals.kept += 1;
            } else if is_gone {
                totals.removed += 1;
                totals.bytes_removed += bytes;
            } else {
                totals.pending += 1;
                totals.bytes_pending += bytes;
            }
        }
        totals
    }
}

impl<'a> Prune<'a> {
    pub(crate) fn new(plans: &'a [StreamPlan], report: Option<&'a Report>) -> Self {
        let totals = Totals::of(plans, report);
        let swept = report.map(|report| &report.swept);
        let denied = swept.map(|swept| swept.denied.as_slice()).unwrap_or_default();
        Self {
            schema: "tfstate.prune/1",
            dry_run: report.is_none(),
            streams: plans.iter().map(stream).collect(),
            kept: totals.kept,
            removed: totals.removed,
            bytes_removed: totals.bytes_removed,
            pending: totals.pending,
            bytes_pending: totals.bytes_pending,
            denied: denied
                .iter()
                .map(|denied| Denied { key: &denied.key, error: denied.error.to_string() })
                .collect(),
            leftovers_removed: swept.map_or(0, |swept| swept.leftovers),
            runs_removed: swept.map_or(0, |swept| swept.runs),
        }
    }
}

fn stream(plan: &StreamPlan) -> Stream<'_> {
    let snapshots = plan.verdicts.iter().map(snapshot).collect();
    Stream { name: &plan.name, left_alone: plan.left_alone, snapshots }
}

fn snapshot(verdict: &Verdict) -> Snapshot<'_> {
    Snapshot {
        id: &verdict.snapshot.id,
        created: verdict.snapshot.created.to_string(),
        strategy: verdict.snapshot.kind.name(),
        bytes_stored: verdict.snapshot.bytes_stored,
        action: if verdict.is_kept() { "keep" } else { "remove" },
        reasons: &verdict.reasons,
        marked: verdict.marked.map(|since| since.to_string()),
        due: verdict.is_due,
        superseded: verdict.is_superseded,
    }
}
