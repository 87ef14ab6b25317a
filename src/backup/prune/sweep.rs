//! The second step: deletes what was named long enough and is still to go.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use jiff::SignedDuration;

use super::{Pruner, StreamPlan, Verdict};
use crate::backup::run::{self, FOLDER as RUNS};
use crate::backup::snapshot::{FOLDER, Snapshot, time_of};
use crate::backup::tomb::{self, Of, Tomb};
use crate::backup::verify::DEEP;
use crate::backup::{Error, Signer};
use crate::store;

/// What a sweep did.
#[derive(Debug, Default)]
pub struct Swept {
    /// The keys that are gone.
    pub deleted: Vec<String>,
    /// How many bytes that were.
    pub bytes: u64,
    /// What the place did not let go.
    pub denied: Vec<Denied>,
    /// How many leftovers of interrupted writes are gone.
    pub leftovers: usize,
    /// How many old records of runs are gone.
    pub runs: usize,
}

/// An object that the place did not let go.
#[derive(Debug)]
pub struct Denied {
    /// Its key, or what several are called.
    pub key: String,
    /// What the place says.
    pub error: Error,
}

/// What an interrupted write left behind is only removed when no write takes that long.
const LEFTOVER: SignedDuration = SignedDuration::from_hours(24);

/// What they are called where the place keeps them.
const LEFTOVERS: &str = "leftovers of interrupted writes";

impl Pruner<'_> {
    /// Deletes what was named long enough, by plans of this moment: those of all streams in which
    /// something may go.
    ///
    /// # Errors
    ///
    /// [`Error::NotOwner`] if the signer is none, and whatever else keeps the place from answering.
    /// That the place does not let something go is none: see [`Swept::denied`].
    pub fn sweep(&self, plans: &[StreamPlan], signer: &Signer) -> Result<Swept, Error> {
        self.repository.may_remove(signer)?;
        let vault = &*self.repository.vault;
        let mut swept = Swept::default();
        let all = tomb::all(vault, tomb::PENDING, self.repository.owners())?;
        let old = |tomb: &Tomb| {
            let since = time_of(&tomb.created);
            since.is_some_and(|since| self.rules.now.duration_since(since) >= self.rules.grace)
        };
        let tombs: Vec<(String, Tomb)> = all.into_iter().filter(|(_, tomb)| old(tomb)).collect();
        if !tombs.is_empty() {
            let named = tombs.iter().flat_map(|(_, tomb)| tomb.snapshots.iter().cloned()).collect();
            self.delete(plans, &named, &mut swept)?;
            self.settle(plans, tombs, signer, &mut swept)?;
        }
        self.sweep_runs(&mut swept)?;
        if let Ok(before) = self.rules.now.checked_sub(LEFTOVER) {
            let left = tolerant(vault.sweep(before), LEFTOVERS, &mut swept.denied)?;
            swept.leftovers = left.unwrap_or(0);
        }
        Ok(swept)
    }

    /// Deletes what is named and goes, what builds on something before that.
    fn delete(
        &self,
        plans: &[StreamPlan],
        named: &BTreeSet<String>,
        swept: &mut Swept,
    ) -> Result<(), Error> {
        for plan in plans {
            let goes = plan.removed().filter(|verdict| named.contains(&verdict.snapshot.key));
            let mut going: Vec<&Verdict> = goes.collect();
            going.sort_by_key(|verdict| std::cmp::Reverse(verdict.depth));
            let mut there: BTreeMap<&str, Option<&str>> = plan
                .verdicts
                .iter()
                .map(|verdict| (verdict.snapshot.key.as_str(), verdict.parent.as_deref()))
                .collect();
            for verdict in going {
                let key = verdict.snapshot.key.as_str();
                // What builds on it stays, so it has to.
                if there.values().any(|parent| *parent == Some(key)) {
                    continue;
                }
                let deleted = self.repository.vault.delete(key);
                if tolerant(deleted, key, &mut swept.denied)?.is_some() {
                    there.remove(key);
                    swept.bytes += verdict.snapshot.bytes_stored;
                    swept.deleted.push(key.to_owned());
                }
            }
        }
        Ok(())
    }

    /// Notes what was removed, and ends the lists of which nothing is left to do.
    fn settle(
        &self,
        plans: &[StreamPlan],
        tombs: Vec<(String, Tomb)>,
        signer: &Signer,
        swept: &mut Swept,
    ) -> Result<(), Error> {
        let vault = &*self.repository.vault;
        let objects = vault.list(FOLDER)?;
        let there: BTreeSet<&str> = objects.iter().map(|object| object.key.as_str()).collect();
        // Of what was encrypted anew, only the object went.
        let named = tombs.iter().filter(|(_, tomb)| !tomb.superseded);
        let named = named.flat_map(|(_, tomb)| &tomb.snapshots);
        let gone: BTreeSet<String> =
            named.filter(|key| !there.contains(key.as_str())).cloned().collect();
        self.note_removed((plans, &there), &gone, signer, &mut swept.denied)?;
        let spared: BTreeSet<&str> = plans
            .iter()
            .flat_map(|plan| plan.verdicts.iter().filter(|verdict| verdict.is_kept()))
            .map(|verdict| verdict.snapshot.key.as_str())
            .collect();
        for (tomb_key, tomb) in tombs {
            let is_done =
                |key: &String| !there.contains(key.as_str()) || spared.contains(key.as_str());
            if tomb.snapshots.iter().all(is_done) {
                tolerant(vault.delete(&tomb_key), &tomb_key, &mut swept.denied)?;
            }
        }
        Ok(())
    }

    /// Writes one list of all that was removed in place of the ones there are: the new one first.
    fn note_removed(
        &self,
        (plans, there): (&[StreamPlan], &BTreeSet<&str>),
        gone: &BTreeSet<String>,
        signer: &Signer,
        denied: &mut Vec<Denied>,
    ) -> Result<(), Error> {
        let vault = &*self.repository.vault;
        let before = tomb::all(vault, tomb::REMOVED, self.repository.owners())?;
        let known: BTreeSet<String> =
            before.iter().flat_map(|(_, tomb)| tomb.snapshots.iter().cloned()).collect();
        if gone.is_subset(&known) && before.len() < 2 {
            return Ok(());
        }
        let runs = self.named_by_runs()?;
        let is_of_use = |key: &&String| is_of_use(key, (plans, there), runs.as_ref());
        let all = known.union(gone).filter(is_of_use).cloned().collect();
        let id = self.repository.id();
        let all = (Of::Snapshots, all);
        let written = tomb::write(vault, tomb::REMOVED, id, all, (signer, self.rules.now))?;
        for (key, _) in before.iter().filter(|(key, _)| *key != written) {
            tolerant(vault.delete(key), key, denied)?;
        }
        Ok(())
    }

    /// Returns the streams and the ids that the notes of runs name which are read to see whether
    /// something was taken away; nothing where one of them can't be read.
    fn named_by_runs(&self) -> Result<Option<Named>, Error> {
        let mut named = Named::new();
        for names in self.runs()?.values() {
            let last = names.last().map_or(0, |name| name.n);
            for name in names.iter().rev().take_while(|name| last - name.n < DEEP) {
                match self.repository.run(name) {
                    Ok(note) => {
                        let heads = note.says.states.heads();
                        named.extend(heads.map(|(stream, id)| (stream.clone(), id.clone())));
                    }
                    Err(error @ (Error::Io { .. } | Error::Store(_))) => return Err(error),
                    Err(_) => return Ok(None),
                }
            }
        }
        Ok(Some(named))
    }

    /// Returns the notes of each writer's runs, oldest first.
    fn runs(&self) -> Result<BTreeMap<String, Vec<run::Name>>, Error> {
        let mut by_writer: BTreeMap<String, Vec<run::Name>> = BTreeMap::new();
        for name in self.repository.runs_in(RUNS)? {
            by_writer.entry(name.writer.clone()).or_default().push(name);
        }
        for names in by_writer.values_mut() {
            names.sort_by(|a, b| (a.n, &a.key).cmp(&(b.n, &b.key)));
            // Some places show an object twice.
            names.dedup();
        }
        Ok(by_writer)
    }

    /// Deletes notes of runs that are older than every snapshot, but for each writer's newest.
    ///
    /// The oldest go first, and none before an older one, so that at no moment one is missing
    /// between others. Where several computers have one key, some count alike: of these all go or
    /// none, since what goes on from one of them would seem to go on from nothing.
    fn sweep_runs(&self, swept: &mut Swept) -> Result<(), Error> {
        let gone: BTreeSet<&str> = swept.deleted.iter().map(String::as_str).collect();
        let listed = self.catalogue.streams().flat_map(|name| self.catalogue.stream(name));
        let Some(oldest) =
            listed.filter(|s| !gone.contains(s.key.as_str())).map(|s| s.created).min()
        else {
            return Ok(());
        };
        for names in self.runs()?.into_values() {
            let stays = names.iter().find(|name| name.created >= oldest).or(names.last());
            let Some(first) = stays.map(|name| name.n) else { continue };
            for name in names.iter().take_while(|name| name.n < first) {
                let deleted = self.repository.vault.delete(&name.key);
                if tolerant(deleted, &name.key, &mut swept.denied)?.is_none() {
                    break;
                }
                swept.runs += 1;
            }
        }
        Ok(())
    }
}

/// Streams and ids.
type Named = BTreeSet<(String, String)>;

/// Returns whether anybody may still ask after a snapshot that was removed: one that is younger
/// than the oldest that is there of its stream, or that another names as the one before it, or the
/// note of a run as the newest. What came there since the plan may name any.
fn is_of_use(
    key: &str,
    (plans, there): (&[StreamPlan], &BTreeSet<&str>),
    runs: Option<&Named>,
) -> bool {
    let Some(removed) = Snapshot::named(key) else { return true };
    let Some(plan) = plans.iter().find(|plan| plan.name == removed.stream) else { return true };
    if runs.is_none_or(|runs| runs.contains(&(removed.stream.clone(), removed.id.clone()))) {
        return true;
    }
    let is_there = |verdict: &&Verdict| there.contains(verdict.snapshot.key.as_str());
    let left = || plan.verdicts.iter().filter(is_there);
    let of_stream = format!("{FOLDER}{}/", removed.stream);
    let listed = there.range(of_stream.as_str()..).take_while(|key| key.starts_with(&of_stream));
    let listed = listed.filter(|key| key.strip_suffix(".tfb").is_some());
    let oldest = left().map(|verdict| verdict.snapshot.created).min();
    oldest.is_none_or(|oldest| removed.created >= oldest)
        || listed.count() > left().count()
        || left().any(|verdict| verdict.previous.as_deref() == Some(&removed.id))
}

/// Takes what the place does not let go for no error, and returns nothing then.
fn tolerant<T>(
    done: Result<T, Error>,
    key: &str,
    denied: &mut Vec<Denied>,
) -> Result<Option<T>, Error> {
    match done {
        Err(error) if is_denied(&error) => {
            denied.push(Denied { key: key.to_owned(), error });
            Ok(None)
        }
        done => done.map(Some),
    }
}

fn is_denied(error: &Error) -> bool {
    use io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
    match error {
        Error::Io { source, .. } => matches!(source.kind(), PermissionDenied | ReadOnlyFilesystem),
        Error::Store(store::Error::Denied { .. }) => true,
        Error::Store(store::Error::Remote { problem, .. }) => {
            matches!(problem, store::Problem::Denied | store::Problem::Refused)
        }
        _ => false,
    }
}
