//! `tfstate.snapshots/1`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::backup::Period;
use crate::ops::snapshots::{self, Changed, Head, Listed};

/// What is in a repository.
#[derive(Debug, Serialize)]
pub(crate) struct Snapshots<'a> {
    schema: &'static str,
    snapshots: Vec<Snapshot<'a>>,
}

#[derive(Debug, Serialize)]
struct Snapshot<'a> {
    id: &'a str,
    stream: &'a str,
    sequence: u32,
    strategy: &'static str,
    created: String,
    bytes_stored: u64,
    parent: Option<&'a str>,
    tags: &'a [String],
    /// Since when and why somebody holds it.
    held: Option<Hold<'a>>,
    /// Whether it is about to be removed.
    removing: bool,
    /// What is wrong with it.
    problem: Option<&'static str>,
    #[serde(flatten)]
    changed: Option<Changes<'a>>,
}

#[derive(Debug, Serialize)]
struct Hold<'a> {
    since: String,
    reason: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct Changes<'a> {
    serial: Option<u64>,
    changes: Option<Vec<Change<'a>>>,
}

#[derive(Debug, Serialize)]
struct Change<'a> {
    address: &'a str,
    action: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    from_address: Option<&'a str>,
}

impl<'a> Snapshots<'a> {
    pub(crate) fn new(
        listed: &'a [Listed],
        changes: Option<&'a BTreeMap<String, Changed>>,
    ) -> Self {
        let of = |listed: &'a Listed| {
            let did = changes.and_then(|changes| changes.get(&listed.snapshot.key));
            Snapshot::new(listed, did)
        };
        Self { schema: "tfstate.snapshots/1", snapshots: listed.iter().map(of).collect() }
    }
}

impl<'a> Snapshot<'a> {
    fn new(listed: &'a Listed, changed: Option<&'a Changed>) -> Self {
        let snapshot = &listed.snapshot;
        let (parent, tags, bad): (_, &[String], _) = match &listed.head {
            Head::Good(head) => (head.parent.as_deref(), &head.tags, None),
            Head::Bad(problem) => (None, &[], Some(*problem)),
        };
        Self {
            id: &snapshot.id,
            stream: &snapshot.stream,
            sequence: snapshot.sequence,
            strategy: snapshot.kind.name(),
            created: snapshot.created.to_string(),
            bytes_stored: snapshot.bytes_stored,
            parent: parent.map(|id| id.get(..8).unwrap_or(id)),
            tags,
            held: listed
                .held
                .as_ref()
                .map(|held| Hold { since: held.since.to_string(), reason: held.reason.as_deref() }),
            removing: listed.is_doomed,
            problem: bad.or(changed.and_then(|changed| changed.problem)),
            changed: changed.map(Changes::new),
        }
    }
}

impl<'a> Changes<'a> {
    fn new(did: &'a Changed) -> Self {
        let told = |change: &'a snapshots::Change| Change {
            address: &change.address,
            action: change.action.name(),
            from_address: change.from_address.as_deref(),
        };
        let resources = did.resources.as_ref();
        let changes = resources.map(|resources| resources.iter().map(told).collect());
        Self { serial: did.serial, changes }
    }
}

/// When states were last backed up or found to be unchanged.
#[derive(Debug, Serialize)]
pub(crate) struct Ages<'a> {
    schema: &'static str,
    states: Vec<State<'a>>,
}

#[derive(Debug, Serialize)]
struct State<'a> {
    stream: &'a str,
    confirmed: Option<String>,
    age_seconds: Option<i64>,
    too_old: bool,
}

impl<'a> Ages<'a> {
    pub(crate) fn new(times: &'a BTreeMap<String, Option<Timestamp>>, period: Period) -> Self {
        let age = |(stream, time): (&'a String, &Option<Timestamp>)| State {
            stream,
            confirmed: time.map(|time| time.to_string()),
            age_seconds: time.map(|time| period.now.duration_since(time).as_secs().max(0)),
            too_old: time.is_none_or(|time| time < period.since),
        };
        Self { schema: "tfstate.snapshots/1", states: times.iter().map(age).collect() }
    }
}
