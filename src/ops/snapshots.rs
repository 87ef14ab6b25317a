//! Lists snapshots, with what their headers say and, given the keys, with what each one changed.

use std::collections::BTreeMap;
use std::thread;

use super::room::Room;
use crate::backup::{
    Catalogue, Described, Error, Held, Identities, Rebuilder, Repository, Restored, Snapshot,
};
use crate::base::workers;
use crate::diff::{self, Action};
use crate::state::document::Document;

/// A snapshot in a list.
#[derive(Clone, Debug)]
pub struct Listed {
    /// What its name says.
    pub snapshot: Snapshot,
    /// What its header says.
    pub head: Head,
    /// Since when and why somebody holds it, if somebody does.
    pub held: Option<Held>,
    /// Whether an owner is about to remove it.
    pub is_doomed: bool,
}

/// What a header says, or why it says nothing.
#[derive(Clone, Debug)]
pub enum Head {
    /// It can be trusted.
    Good(Described),
    /// In one or two words.
    Bad(&'static str),
}

/// What a snapshot changed against the one before it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Changed {
    /// The serial of its state.
    pub serial: Option<u64>,
    /// What became of which resources; nothing where there is none before it to compare with.
    pub resources: Option<Vec<Change>>,
    /// What is wrong with it, in one or two words.
    pub problem: Option<&'static str>,
}

/// What became of a resource.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Change {
    /// What became of it.
    pub action: Action,
    /// Its address, the new one where it moved.
    pub address: String,
    /// Where it was, if it moved.
    pub from_address: Option<String>,
}

/// How many headers are read at once: they are waited for.
const WORKERS: usize = 16;

/// How much larger than its snapshot a state is taken to be.
const EXPANSION: u64 = 8;

/// Lists the snapshots in a catalogue, oldest first.
pub fn list(repository: &Repository, catalogue: &Catalogue) -> Result<Vec<Listed>, Error> {
    let (snapshots, holds) = (catalogue.snapshots(), repository.holds()?);
    let mut all = Vec::with_capacity(snapshots.len());
    let work = |snapshot: &Snapshot| repository.describe(snapshot);
    workers::each(&snapshots, WORKERS, work, |snapshot, described| {
        let head = match described {
            Ok(described) => Head::Good(described),
            Err(error) => Head::Bad(problem(error)?),
        };
        let by = match &head {
            Head::Good(described) => holds.of(&described.id).cloned(),
            Head::Bad(_) => None,
        };
        let is_doomed = catalogue.is_doomed(snapshot);
        all.push(Listed { snapshot: snapshot.clone(), head, held: by, is_doomed });
        Ok::<(), Error>(())
    })?;
    Ok(all)
}

/// Returns what is wrong with a snapshot, in a word; other errors are those of the whole list.
fn problem(error: Error) -> Result<&'static str, Error> {
    match error {
        Error::Damaged { .. } => Ok("damaged"),
        Error::Untrusted { .. } => Ok("not trusted"),
        Error::Newer { .. } => Ok("of a later version"),
        Error::Parent { .. } => Ok("not restorable"),
        Error::Io { .. } => Ok("unreadable"),
        error => Err(error),
    }
}

/// Returns what each snapshot in a catalogue changed, by its key.
pub fn changes(
    repository: &Repository,
    catalogue: &Catalogue,
    identities: &Identities,
) -> Result<BTreeMap<String, Changed>, Error> {
    let streams: Vec<&str> = catalogue.streams().collect();
    let workers = thread::available_parallelism().map_or(2, usize::from);
    let room = Room::default();
    let work = |stream: &&str| {
        let snapshots = catalogue.stream(stream);
        let largest = snapshots.iter().map(|s| s.bytes_stored).max().unwrap_or(0);
        let _place = room.take(largest.saturating_mul(EXPANSION));
        let mut walk = Rebuilder::new(repository, catalogue, identities);
        let mut before = None;
        let mut found = Vec::with_capacity(snapshots.len());
        for snapshot in snapshots {
            let changed = changed(walk.restore(snapshot), &mut before)?;
            found.push((snapshot.key.clone(), changed));
        }
        Ok::<_, Error>(found)
    };
    let mut all = BTreeMap::new();
    workers::each(&streams, workers.min(WORKERS), work, |_, found| {
        all.extend(found?);
        Ok::<(), Error>(())
    })?;
    Ok(all)
}

/// Compares a state with the one before it, and puts it in its place.
fn changed(
    restored: Result<Restored, Error>,
    before: &mut Option<Document>,
) -> Result<Changed, Error> {
    let unknown = |problem| Changed { serial: None, resources: None, problem: Some(problem) };
    let restored = match restored {
        Ok(restored) => restored,
        Err(error) => return problem(error).map(unknown),
    };
    let Ok(state) = Document::parse(restored.state) else {
        return Ok(unknown("no readable state"));
    };
    let resources = before.as_ref().map(|before| compare(before, &state));
    let serial = Some(state.serial());
    *before = Some(state);
    Ok(Changed { serial, resources, problem: None })
}

fn compare(before: &Document, state: &Document) -> Vec<Change> {
    let compared = diff::compare(before, state, &diff::Options::default());
    let change = |change: diff::ResourceChange| Change {
        action: change.action,
        address: change.address,
        from_address: change.from_address,
    };
    compared.resources.into_iter().map(change).collect()
}
