//! Proving that snapshots can be restored. All but what is inside the payloads is proved without a
//! key: that each object is what a writer of the repository wrote, under its own name; that
//! everything it builds on is there; and that nothing was removed but what an owner had removed.

mod runs;
#[cfg(test)]
mod tests;
mod walk;

use std::collections::{BTreeMap, BTreeSet};

pub(super) use runs::DEEP;
use walk::Walk;

use super::catalogue::Catalogue;
use super::identity;
use super::record;
use super::run::{self, Name};
use super::snapshot::FOLDER;
use super::tomb::{self, PENDING, REMOVED};
use super::vault::Object;
use super::{Error, Identities, Origin, Protection, Repository, Snapshot, crypt};
use crate::state::bytes::Bytes;
use crate::state::document::Document;

/// Everything that there is in a repository.
#[derive(Debug)]
pub struct Survey {
    catalogue: Catalogue,
    /// The streams and ids of what an owner removed or is about to.
    removed: BTreeSet<(String, String)>,
    pub(super) runs: Vec<Name>,
    /// The keys of what is neither a snapshot nor a run's note.
    strays: Vec<String>,
    /// What is wrong with notes on snapshots.
    doubts: Vec<Problem>,
}

/// How closely to look.
#[derive(Clone, Copy, Debug)]
pub struct Check<'a> {
    /// How much of each object to read.
    pub reading: Reading,
    /// The keys of the snapshots to decrypt, with what decrypts them.
    pub data: Option<(&'a BTreeSet<String>, &'a Identities)>,
    /// The keys of the only snapshots to look at, and of those that they build on.
    pub only: Option<&'a BTreeSet<String>>,
}

/// How much of an object to read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reading {
    /// Its head, and its length.
    Heads,
    /// All of it.
    Whole,
}

/// Which snapshots to decrypt.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Part {
    /// All.
    All,
    /// So many of a hundred, others for each seed, and at least one.
    Share(f64, [u8; 16]),
    /// The one of so many parts with this number, from 1; each snapshot is in one of them.
    Slice(u32, u32),
}

/// What is wrong.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Wrong {
    /// The object is not what was written.
    Damaged,
    /// It is signed by nobody whose signature counts.
    Untrusted,
    /// A later version wrote it.
    Newer,
    /// The system does not let it be read.
    Unreadable,
    /// What it builds on is not there, or can't be used.
    Chain,
    /// Something was removed without an owner saying so.
    Removed,
    /// Another has the same id.
    Duplicate,
    /// None of the keys decrypts it.
    Key,
    /// What is inside is not what was backed up.
    Content,
    /// The note of a run is not what was written.
    Run,
    /// An identity that is kept under a passphrase is gone, or none any more.
    Identity,
    /// Its time is not that at which the place received it.
    Quarantined,
    /// It is nothing that this program wrote.
    Stray,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Severity {
    /// Something can't be restored, or was tampered with.
    Failure,
    /// Everything that is wanted can be restored.
    Warning,
}

/// Something that is wrong.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Problem {
    /// The snapshot; nothing where none is at fault.
    pub snapshot: Option<String>,
    /// Its stream.
    pub stream: Option<String>,
    /// What is wrong.
    pub wrong: Wrong,
    /// How bad it is.
    pub severity: Severity,
    /// What shows it; for people.
    pub text: String,
    /// The ids of other snapshots that can't be restored because of it.
    pub affects: Vec<String>,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Verified {
    /// How many snapshots were looked at.
    pub snapshots: usize,
    /// How many of them, and of those that they build on, nothing was found wrong with.
    pub good: usize,
    /// How many were decrypted and are what was backed up.
    pub read: usize,
    /// Everything that is wrong.
    pub problems: Vec<Problem>,
    /// By which records snapshots that are wanted are encrypted, and how many by each.
    records: BTreeMap<u32, usize>,
}

impl Wrong {
    /// Returns its name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Damaged => "damaged",
            Self::Untrusted => "untrusted",
            Self::Newer => "newer",
            Self::Unreadable => "unreadable",
            Self::Chain => "chain",
            Self::Removed => "removed",
            Self::Duplicate => "duplicate",
            Self::Key => "key",
            Self::Content => "content",
            Self::Run => "run",
            Self::Identity => "identity",
            Self::Quarantined => "quarantined",
            Self::Stray => "not-ours",
        }
    }

    /// Returns whether a snapshot with this can't be restored, as far as is known.
    fn spoils(self) -> bool {
        match self {
            Self::Damaged
            | Self::Untrusted
            | Self::Newer
            | Self::Unreadable
            | Self::Chain
            | Self::Key
            | Self::Content => true,
            Self::Removed
            | Self::Duplicate
            | Self::Run
            | Self::Identity
            | Self::Quarantined
            | Self::Stray => false,
        }
    }
}

impl Severity {
    /// Returns its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Failure => "failure",
            Self::Warning => "warning",
        }
    }
}

impl Verified {
    /// Adds what was found elsewhere.
    pub fn add(&mut self, other: Self) {
        self.snapshots += other.snapshots;
        self.good += other.good;
        self.read += other.read;
        self.problems.extend(other.problems);
        for (record, count) in other.records {
            *self.records.entry(record).or_default() += count;
        }
    }

    /// Returns how many problems are this bad.
    pub fn count(&self, severity: Severity) -> usize {
        self.problems.iter().filter(|problem| problem.severity == severity).count()
    }
}

impl Part {
    /// Returns so many of a hundred, others each time.
    pub fn random(percent: f64) -> Result<Self, Error> {
        let seed = record::random().map_err(|source| Error::Build { source })?;
        Ok(Self::Share(percent, seed))
    }

    /// Returns the keys of the snapshots of some streams, or of all, that are in this part.
    pub fn of(self, survey: &Survey, streams: Option<&BTreeSet<String>>) -> BTreeSet<String> {
        let mut all = survey.catalogue.snapshots();
        all.retain(|snapshot| !survey.catalogue.is_doomed(snapshot));
        all.retain(|snapshot| streams.is_none_or(|streams| streams.contains(&snapshot.stream)));
        match self {
            Self::All => {}
            Self::Share(percent, seed) => {
                all.sort_by_cached_key(|snapshot| place(&seed, &snapshot.key));
                all.truncate(share(all.len(), percent));
            }
            Self::Slice(number, of) => {
                let of = u64::from(of.max(1));
                all.retain(|snapshot| place(&[], &snapshot.id) % of + 1 == u64::from(number));
            }
        }
        all.into_iter().map(|snapshot| snapshot.key).collect()
    }
}

/// Returns a number that looks random, and is the same for the same text.
fn place(seed: &[u8], text: &str) -> u64 {
    let hash = blake3::hash(&[seed, text.as_bytes()].concat());
    let (first, _) = hash.as_bytes().split_first_chunk().expect("a hash has 32 bytes");
    u64::from_le_bytes(*first)
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts of snapshots are far below 2^52, and the share is not below 0"
)]
fn share(all: usize, percent: f64) -> usize {
    (all as f64 * percent / 100.0).ceil().max(1.0) as usize
}

impl Survey {
    /// Returns the snapshots that there are.
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// Returns whether a stream holds other objects than in a later survey.
    pub fn differs(&self, later: &Self, stream: &str) -> bool {
        let (before, after) = (&self.catalogue, &later.catalogue);
        before.stream(stream) != after.stream(stream)
            || before.superseded(stream) != after.superseded(stream)
    }

    /// Returns whether an owner had a snapshot removed, or is about to.
    pub(super) fn is_removed(&self, stream: &str, id: &str) -> bool {
        self.removed.contains(&(stream.to_owned(), id.to_owned()))
    }

    /// Returns what in the repository is nothing that this program wrote, or no longer is.
    pub fn strays(&self) -> Vec<Problem> {
        self.strays.iter().map(|key| stray(key)).chain(self.doubts.iter().cloned()).collect()
    }
}

impl Repository {
    /// Lists everything there is.
    pub fn survey(&self) -> Result<Survey, Error> {
        let mut strays = Vec::new();
        let mut runs = Vec::new();
        // Before the snapshots: whatever a run names was there before its note.
        for object in self.vault.list(run::FOLDER)? {
            match Name::of(&object) {
                Some(name) => runs.push(name),
                None => strays.push(object.key),
            }
        }
        let snapshots = self.vault.list(FOLDER)?;
        let is_stray = |object: &&Object| Snapshot::of((*object).clone()).is_none();
        strays.extend(snapshots.iter().filter(is_stray).map(|object| object.key.clone()));
        // After them: whatever is no longer there was in one of these lists before. In this order:
        // what leaves the first is in the second by then.
        let (mut doomed, mut removed) = (BTreeSet::new(), BTreeSet::new());
        for place in [PENDING, REMOVED] {
            for (_, tomb) in tomb::all(&*self.vault, place, self.owners())? {
                if !tomb.superseded {
                    removed.extend(tomb.snapshots.iter().filter_map(|key| named(key)));
                }
                if place == PENDING {
                    doomed.extend(tomb.snapshots);
                }
            }
        }
        strays.sort();
        let catalogue = Catalogue::of(snapshots, doomed);
        let doubts = self.holds()?.doubted().map(doubt).collect();
        Ok(Survey { catalogue, removed, runs, strays, doubts })
    }

    /// Returns the keys of some snapshots and of all that they build on, as far as those are there.
    pub fn with_chains(
        &self,
        survey: &Survey,
        snapshots: &[Snapshot],
    ) -> Result<BTreeSet<String>, Error> {
        let mut found = BTreeSet::new();
        let mut open: Vec<&Snapshot> = snapshots.iter().collect();
        while let Some(snapshot) = open.pop() {
            if !found.insert(snapshot.key.clone()) {
                continue;
            }
            match self.head(snapshot) {
                Ok(head) => {
                    let parent = head.header.parent.into_iter();
                    open.extend(
                        parent.flat_map(|link| {
                            survey.catalogue.candidates(&snapshot.stream, &link.id)
                        }),
                    );
                }
                Err(error) if is_outage(&error) => return Err(error),
                // What is wrong with it is told when it is looked at.
                Err(_) => {}
            }
        }
        Ok(found)
    }

    /// Looks at the identities that are kept under a passphrase: those for what was found to be there,
    /// and, where `is_all`, for what is written now, and at what else is kept beside them. Without the
    /// passphrase, nobody can tell whether one is whole; whoever may not read them is told so.
    pub fn verify_identities(&self, found: &Verified, is_all: bool) -> Result<Vec<Problem>, Error> {
        let kept = self.identities()?;
        let mut in_use = found.records.clone();
        if is_all {
            in_use.entry(self.records.number()).or_default();
        }
        let mut problems = self.missing_identities(&kept, &in_use);
        let is_needed = |kept: &identity::Kept| {
            in_use.keys().filter_map(|record| self.records.protection_by(*record)).any(
                |by| matches!(by, Protection::Recipients(readers) if kept.is_of(readers.texts())),
            )
        };
        for kept in kept.iter().filter(|kept| is_all || is_needed(kept)) {
            let key = &kept.key;
            if !kept.is_one {
                problems.push(stray(key));
                continue;
            }
            let (severity, text) = match self.vault.read(key) {
                Ok(bytes) if bytes.as_deref().is_none_or(crypt::is_sealed) => continue,
                Ok(_) if is_needed(kept) => (Severity::Failure, format!("{key} is damaged")),
                Ok(_) => (Severity::Warning, format!("{key} is damaged")),
                Err(error) => (Severity::Warning, format!("{key} cannot be read: {error}")),
            };
            problems.push(of_identity(severity, text));
        }
        Ok(problems)
    }

    /// Returns which identities are to be there under a passphrase and are not, given by which records
    /// how many snapshots are encrypted.
    fn missing_identities(
        &self,
        kept: &[identity::Kept],
        in_use: &BTreeMap<u32, usize>,
    ) -> Vec<Problem> {
        let is_kept = |wanted: &[String]| kept.iter().any(|one| one.is_of(wanted));
        let mut missing: Vec<(&[String], usize)> = Vec::new();
        // The newest first: for whom else it was encrypted earlier makes it no other identity.
        for (&record, count) in in_use.iter().rev() {
            let wanted = self.records.keeps_identity(record).filter(|wanted| !is_kept(wanted));
            let Some(wanted) = wanted else { continue };
            let is_it = |other: &[String]| other.iter().any(|one| wanted.contains(one));
            match missing.iter_mut().find(|(other, _)| is_it(other)) {
                Some((_, total)) => *total += count,
                None => missing.push((wanted, *count)),
            }
        }
        let text = |(wanted, count): (&[String], usize)| {
            if wanted == self.recipients() {
                return "the identity that a passphrase opens is gone from keys/".to_owned();
            }
            format!(
                "an earlier identity that a passphrase opens is gone from keys/; snapshots still \
                 encrypted for it: {count}"
            )
        };
        missing.into_iter().map(|one| of_identity(Severity::Failure, text(one))).collect()
    }

    /// Looks at the snapshots of one stream.
    ///
    /// # Errors
    ///
    /// Only where the place can't be reached or a key is missing: everything else is a problem.
    pub fn verify_stream(
        &self,
        survey: &Survey,
        stream: &str,
        check: &Check<'_>,
    ) -> Result<Verified, Error> {
        let mut walk = Walk::new(self, (survey, stream), check);
        for (snapshot, is_wanted) in survey.catalogue.objects(stream) {
            if check.only.is_none_or(|only| only.contains(&snapshot.key)) {
                walk.look_at(snapshot, is_wanted)?;
            }
        }
        walk.follow_parents();
        if check.only.is_none() {
            walk.follow_order()?;
            walk.find_duplicates();
        }
        Ok(walk.finish())
    }

    /// Returns whether a snapshot is there by now.
    fn is_there_now(&self, stream: &str, id: &str) -> Result<bool, Error> {
        let legal = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        if stream.is_empty() || !stream.bytes().all(legal) {
            return Ok(false);
        }
        let objects = self.vault.list(&format!("{FOLDER}{stream}/"))?;
        Ok(objects.into_iter().filter_map(Snapshot::of).any(|snapshot| snapshot.id == id))
    }
}

/// How often what looks wrong is listed anew while it goes on to change.
pub const LOOKS: u32 = 5;

fn of_identity(severity: Severity, text: String) -> Problem {
    let (snapshot, stream, affects) = (None, None, Vec::new());
    Problem { snapshot, stream, wrong: Wrong::Identity, severity, text, affects }
}

fn stray(key: &str) -> Problem {
    Problem {
        snapshot: None,
        stream: None,
        wrong: Wrong::Stray,
        severity: Severity::Warning,
        text: format!("{key} is not ours"),
        affects: Vec::new(),
    }
}

/// Returns what is wrong where a note on a snapshot is damaged.
fn doubt((id, key): (&String, &String)) -> Problem {
    Problem {
        snapshot: Some(id.clone()),
        stream: None,
        wrong: Wrong::Damaged,
        severity: Severity::Warning,
        text: format!("the note {key} on it is damaged, so it stays: hold or release it again"),
        affects: Vec::new(),
    }
}

/// Returns the stream and the id in a snapshot's key.
fn named(key: &str) -> Option<(String, String)> {
    Snapshot::named(key).map(|snapshot| (snapshot.stream, snapshot.id))
}

/// A place that does not answer says nothing of what is in it. A file of a folder that can't be read
/// does: the disk is failing, or somebody took the right away.
pub(super) fn is_outage(error: &Error) -> bool {
    matches!(error, Error::Store(_) | Error::NoIdentity { .. })
}

/// Returns what an error of a snapshot is, without the snapshot.
fn told(error: &Error) -> (Wrong, String) {
    match error {
        Error::Damaged { problem, .. } => (Wrong::Damaged, (*problem).to_owned()),
        Error::Untrusted { signer, .. } => {
            (Wrong::Untrusted, format!("it is signed by {signer}, which is no writer's key"))
        }
        Error::Newer { problem, .. } => (Wrong::Newer, later(problem)),
        Error::Io { source, .. } => (Wrong::Unreadable, format!("it cannot be read: {source}")),
        other => (Wrong::Damaged, other.to_string()),
    }
}

fn later(problem: &str) -> String {
    format!("a later version of tfstate wrote it: {problem}")
}

/// Returns how a state is not what it was when it was backed up.
fn differs(origin: &Origin, state: Bytes) -> Option<&'static str> {
    let facts = &origin.facts;
    match Document::parse(state) {
        // It was broken then, and is kept as it was.
        _ if facts.broken.is_some() => None,
        // Nothing was known of it.
        _ if facts.serial.is_none() && facts.lineage.is_none() => None,
        Err(_) => Some("what it holds is no readable state, but was one when it was backed up"),
        Ok(state) if facts.serial.is_some_and(|serial| serial != state.serial()) => {
            Some("the state has another serial than when it was backed up")
        }
        Ok(state) if facts.lineage.as_ref().is_some_and(|l| *l != *state.lineage()) => {
            Some("the state has another lineage than when it was backed up")
        }
        Ok(_) => None,
    }
}
