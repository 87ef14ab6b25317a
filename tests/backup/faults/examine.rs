//! What has to hold after something went wrong: nothing that is to stay is lost, the next run of
//! the same command does what is left of it, and a backup finds everything in order.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use tfstate::backup::retention::Policy;
use tfstate::backup::vault::Vault as _;
use tfstate::backup::{Error, Repository, Snapshot, Strategy};

use super::scenario::{A_DAY, DAY, Done, NOW, Run, Scenario, rules};
use crate::place::{Owner, listed};

pub(super) type Case<'a> = &'a dyn fmt::Display;

/// When the next backup runs.
pub(super) const LATER: i64 = NOW + 10 * DAY;

impl Run<'_> {
    /// Checks that a run does what it is for where nothing goes wrong.
    pub(super) fn must_be_done(&self, done: &Result<Done, Error>) {
        let goes = self.history.goes.len();
        match (self.scenario, done) {
            (Scenario::Mark, Ok(Done::Pruned(gone))) => {
                let named = Owner::open(self.vault()).catalogue().unwrap().pending();
                assert_eq!((gone.len(), named), (0, goes));
            }
            (Scenario::Sweep, Ok(Done::Pruned(gone))) => assert_eq!(gone.len(), goes),
            (_, done) => assert!(done.is_ok(), "{done:?}"),
        }
    }

    /// Checks that nothing is lost, now that nothing goes wrong any more.
    pub(super) fn examine(&self, done: Result<Done, Error>, case: Case<'_>) {
        let mut expected = self.history.made.clone();
        let is_said = matches!(done, Ok(Done::Noted));
        match done {
            Ok(Done::Kept(snapshot, state)) => {
                expected.insert(snapshot.id, state);
            }
            Ok(Done::Restored(state)) => {
                let is_one = self.history.made.values().any(|made| *made == state);
                assert!(is_one, "{case}: restored what never was");
            }
            Ok(Done::Pruned(keys)) => {
                let id = |key: &String| key.rsplit('-').nth(1).unwrap_or_default().to_owned();
                let may = keys.iter().all(|key| self.history.goes.contains(&id(key)));
                assert!(may, "{case}: {keys:?} are removed");
            }
            Ok(Done::Noted | Done::Looked) | Err(_) => {}
        }
        self.finish(is_said, case);
        // The next backup finds everything in order.
        let (next, how) = (self.scenario.state(20), (Strategy::Incremental, LATER));
        let kept = self.back_up(self.vault(), &next, how);
        let snapshot = kept.unwrap_or_else(|error| panic!("{case}: {error}")).snapshot;
        expected.insert(snapshot.id.clone(), next);
        self.examine_all(&snapshot, expected, case);
        // Nor is anybody told that something is wrong, now that nothing is.
        let repository = Owner::open(self.vault());
        let (looked_at, problems) = self.history.heir.verify(&repository).unwrap();
        let all = listed(&repository).len();
        assert!(looked_at == all && problems.is_empty(), "{case}: {problems:?}");
    }

    /// Checks that everything is there that is to be, with the newest last.
    pub(super) fn examine_all(
        &self,
        newest: &Snapshot,
        mut expected: BTreeMap<String, Vec<u8>>,
        case: Case<'_>,
    ) {
        expected.retain(|id, _| !self.history.goes.contains(id));
        let repository = Owner::open(self.vault());
        let listed = listed(&repository);
        assert_eq!(listed.last(), Some(newest), "{case}: the newest is last");
        for snapshot in &listed {
            let state = self.history.heir.restore(&repository, snapshot);
            let state = state.unwrap_or_else(|error| panic!("{case}: {error}"));
            let wanted = expected.remove(&snapshot.id);
            // What was not reported as made, but was, is what should have been made.
            let fits = wanted.map_or_else(|| state == self.state(), |wanted| wanted == state);
            assert!(fits, "{case}: {} has other bytes", snapshot.key);
        }
        assert!(expected.is_empty(), "{case}: {} is gone", expected.keys().next().unwrap());
    }

    /// Returns the state that was to be kept.
    fn state(&self) -> Vec<u8> {
        match self.scenario {
            Scenario::First => self.scenario.state(0),
            Scenario::Changed(_) => self.scenario.state(99),
            _ => self.history.newest.clone(),
        }
    }

    /// Runs the same command again, and checks that it did what was left to do; `is_said` is
    /// whether that was said to be done before.
    pub(super) fn finish(&self, is_said: bool, case: Case<'_>) {
        match self.scenario {
            Scenario::Mark | Scenario::Sweep => self.finish_prune(case),
            Scenario::Rekey => self.finish_rekey(case),
            Scenario::Hold | Scenario::Release | Scenario::Authorize | Scenario::Revoke => {
                self.finish_note(is_said, case);
            }
            Scenario::First
            | Scenario::Unchanged
            | Scenario::Changed(_)
            | Scenario::Restore
            | Scenario::Check
            | Scenario::Verify => {}
        }
    }

    fn finish_prune(&self, case: Case<'_>) {
        let there = self.restore_each(case);
        let gone = self.history.made.keys().filter(|id| !there.contains(*id));
        let may =
            |id: &&String| self.scenario == Scenario::Sweep && self.history.goes.contains(*id);
        let lost: Vec<&String> = gone.filter(|id| !may(id)).collect();
        assert!(lost.is_empty(), "{case}: {lost:?} are gone");
        self.complete_prune(case);
    }

    /// Prunes until nothing is left to do, and checks that what is there is what the rules say.
    pub(super) fn complete_prune(&self, case: Case<'_>) {
        // What was named too late, or named too much, takes another day.
        for day in [2, 4] {
            self.history.prune(self.vault(), NOW + day * DAY).unwrap();
        }
        let stays = self.history.made.keys().filter(|id| !self.history.goes.contains(*id));
        assert!(self.restore_each(case).iter().eq(stays), "{case}: not what the rules say");
        let count = |place| self.shelf.list(place).unwrap().len();
        assert_eq!(count("gc/"), 0, "{case}: it is not done");
        // The next removal makes one of two.
        assert!((1..=2).contains(&count("x/")), "{case}: nothing says what was removed");
    }

    fn finish_rekey(&self, case: Case<'_>) {
        assert_eq!(self.restore_each(case).len(), self.history.made.len(), "{case}");
        self.history.heir.rekey(&self.vault(), NOW + 1).unwrap();
        // Who has the new key alone reads everything, and what is for the old one goes.
        let (repository, heir) = (Owner::open(self.vault()), self.history.heir.with_last_key());
        for snapshot in listed(&repository) {
            let restored = heir.restore(&repository, &snapshot);
            assert!(restored.is_ok(), "{case}: {:?}", restored.err());
        }
        let all = Policy::default();
        for day in [2, 4] {
            let rules = rules(&all, A_DAY, NOW + day * DAY);
            self.history.owner.prune(self.vault(), rules).unwrap();
        }
        let left = self.shelf.list("s/").unwrap().len();
        assert_eq!(left, self.history.made.len(), "{case}: old objects are left");
    }

    fn finish_note(&self, is_said: bool, case: Case<'_>) {
        let is_so = || {
            let repository = Owner::open(self.vault());
            self.is_so(&repository)
        };
        assert!(!is_said || is_so(), "{case}: said and not so");
        match self.perform(self.vault()) {
            Ok(_) => {}
            // It was done, and only the answer was lost.
            Err(Error::NotWriter { .. }) if is_so() => {}
            Err(error) => panic!("{case}: {error}"),
        }
        assert!(is_so(), "{case}: done again and not so");
    }

    fn is_so(&self, repository: &Repository) -> bool {
        let other = self.history.other.public();
        let is_held = || {
            let id = repository.full_id(self.history.one()).unwrap();
            repository.holds().unwrap().of(&id).is_some()
        };
        let may_write = || repository.may_write(&self.history.other).is_ok();
        let is_known = repository.writers().iter().any(|writer| writer.key == other);
        match self.scenario {
            Scenario::Hold => is_held(),
            Scenario::Release => !is_held(),
            Scenario::Authorize => may_write(),
            _ => is_known && !may_write(),
        }
    }

    /// Restores everything that is listed, by whichever key, and returns the ids of it.
    fn restore_each(&self, case: Case<'_>) -> BTreeSet<String> {
        let repository = Owner::open(self.vault());
        let listed = listed(&repository).into_iter();
        let restore = |snapshot: Snapshot| {
            let restored = self.history.heir.restore(&repository, &snapshot);
            let made = &self.history.made[&snapshot.id];
            let same = restored.as_ref().is_ok_and(|state| state == made);
            assert!(same, "{case}: {} does not come back: {:?}", snapshot.key, restored.err());
            snapshot.id
        };
        listed.map(restore).collect()
    }
}
