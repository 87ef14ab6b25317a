//! Every operation of every kind of run, going wrong in every way.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use tfstate::backup::vault::Vault;
use tfstate::backup::{Error, Repository, Snapshot, Strategy, stream_of};

use crate::faulty::{Faulty, MODES, Mode};
use crate::place::{Backup, Owner, Shelf, URI, at, copy_folder, folder, listed, state};

/// What runs while something goes wrong. What else works on a repository (removing, encrypting
/// anew, verifying) is one more of these, an arm in [`Run::perform`], and its place in
/// [`Scenario::ALL`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Scenario {
    /// The backup that makes the repository.
    First,
    /// The backup of a state that did not change.
    Unchanged,
    /// The backup of one that did.
    Changed(Strategy),
    /// A restore.
    Restore,
    /// A check without keys.
    Check,
    /// A check of everything, with keys.
    Verify,
}

impl Scenario {
    const ALL: [Self; 9] = [
        Self::First,
        Self::Unchanged,
        Self::Changed(Strategy::Full),
        Self::Changed(Strategy::Incremental),
        Self::Changed(Strategy::Differential),
        Self::Changed(Strategy::Auto),
        Self::Restore,
        Self::Check,
        Self::Verify,
    ];

    /// Returns a state; only where `auto` is to take differences is it large enough for that.
    fn state(self, changed: u64) -> Vec<u8> {
        let instances = if self == Self::Changed(Strategy::Auto) { 800 } else { 40 };
        state(instances, changed)
    }
}

/// A repository with a history.
struct History {
    owner: Owner,
    shelf: Shelf,
    home: tempfile::TempDir,
    /// What was reported as made.
    made: BTreeMap<String, Vec<u8>>,
    /// The state of the newest.
    newest: Vec<u8>,
}

impl History {
    /// Returns nothing but keys, or a repository with a second writer, a full, an incremental, a
    /// differential and one more incremental snapshot.
    fn new(near: bool, scenario: Scenario) -> Self {
        let (owner, home) = (Owner::new(true), folder());
        let mut history = Self {
            owner,
            shelf: Shelf::new(near),
            home,
            made: BTreeMap::new(),
            newest: Vec::new(),
        };
        if scenario == Scenario::First {
            return history;
        }
        let shelf = Arc::new(history.shelf.copy());
        let strategies =
            [Strategy::Full, Strategy::Incremental, Strategy::Differential, Strategy::Incremental];
        for (n, strategy) in (0..).zip(strategies) {
            let state = scenario.state(n);
            let backup = Backup {
                vault: Arc::<Shelf>::clone(&shelf),
                signer: &history.owner.signer,
                home: history.home.path(),
                strategy,
                second: i64::try_from(n).unwrap(),
            };
            let report = history.owner.keep(&backup, &state).unwrap();
            history.made.insert(report.snapshot.key, state.clone());
            history.newest = state;
            if n == 0 {
                let other = Owner::new(true).signer.public();
                let repository = Owner::open(Arc::<Shelf>::clone(&shelf));
                repository.authorize(other, &history.owner.signer, at(0)).unwrap();
            }
        }
        history.shelf = shelf.copy();
        history
    }
}

/// One case.
struct Run<'a> {
    history: &'a History,
    scenario: Scenario,
    shelf: Arc<Shelf>,
    home: &'a Path,
}

/// What came of it.
enum Done {
    /// This snapshot is said to hold the state.
    Kept(Snapshot, Vec<u8>),
    Restored(Vec<u8>),
    Checked,
}

impl Run<'_> {
    fn perform(&self, vault: Arc<dyn Vault>) -> Result<Done, Error> {
        match self.scenario {
            Scenario::First => self.keep(vault, self.scenario.state(0), Strategy::Auto),
            Scenario::Unchanged => self.keep(vault, self.history.newest.clone(), Strategy::Auto),
            Scenario::Changed(strategy) => self.keep(vault, self.scenario.state(9), strategy),
            Scenario::Restore => {
                let (repository, newest) = Self::newest(vault)?;
                self.history.owner.restore(&repository, &newest).map(Done::Restored)
            }
            Scenario::Check => {
                let (repository, newest) = Self::newest(vault)?;
                repository.check(&newest).map(|_| Done::Checked)
            }
            Scenario::Verify => {
                let repository = Repository::open(vault, tfstate::backup::Keys::default())?;
                self.history.owner.verify(&repository).map(|_| Done::Checked)
            }
        }
    }

    fn keep(
        &self,
        vault: Arc<dyn Vault>,
        state: Vec<u8>,
        strategy: Strategy,
    ) -> Result<Done, Error> {
        let (signer, home) = (&self.history.owner.signer, self.home);
        let backup = Backup { vault, signer, home, strategy, second: 100 };
        let report = self.history.owner.keep(&backup, &state)?;
        Ok(Done::Kept(report.snapshot, state))
    }

    fn newest(vault: Arc<dyn Vault>) -> Result<(Repository, Snapshot), Error> {
        let repository = Repository::open(vault, tfstate::backup::Keys::default())?;
        let newest = repository
            .list_stream(&stream_of(URI))?
            .pop()
            .ok_or(Error::NoSnapshot { reference: String::new() });
        newest.map(|newest| (repository, newest))
    }

    /// Checks that nothing is lost, now that nothing goes wrong any more.
    fn examine(&self, done: Result<Done, Error>, case: &dyn fmt::Display) {
        let mut expected = self.history.made.clone();
        match done {
            Ok(Done::Kept(snapshot, state)) => {
                expected.insert(snapshot.key, state);
            }
            Ok(Done::Restored(state)) => {
                let is_one = self.history.made.values().any(|made| *made == state);
                assert!(is_one, "{case}: restored what never was");
            }
            Ok(Done::Checked) | Err(_) => {}
        }
        // The next run finds everything in order.
        let next = self.scenario.state(20);
        let vault: Arc<dyn Vault> = Arc::<Shelf>::clone(&self.shelf);
        let kept = self.keep(Arc::clone(&vault), next.clone(), Strategy::Incremental);
        let Done::Kept(snapshot, _) = kept.unwrap_or_else(|error| panic!("{case}: {error}")) else {
            unreachable!("a backup keeps something");
        };
        expected.insert(snapshot.key.clone(), next);
        let repository = Owner::open(vault);
        let listed = listed(&repository);
        assert_eq!(listed.last(), Some(&snapshot), "{case}: the newest is last");
        for snapshot in &listed {
            let state = self.history.owner.restore(&repository, snapshot);
            let state = state.unwrap_or_else(|error| panic!("{case}: {error}"));
            let wanted = expected.remove(&snapshot.key);
            // What was not reported as made, but was, is what should have been made.
            let fits =
                wanted.map_or(state == state_of(self.scenario, self.history), |w| w == state);
            assert!(fits, "{case}: {} has other bytes", snapshot.key);
        }
        assert!(expected.is_empty(), "{case}: {} is gone", expected.keys().next().unwrap());
        // Nor is anybody told that something is wrong, now that nothing is.
        let (looked_at, problems) = self.history.owner.verify(&repository).unwrap();
        assert!(looked_at == listed.len() && problems.is_empty(), "{case}: {problems:?}");
    }
}

fn state_of(scenario: Scenario, history: &History) -> Vec<u8> {
    match scenario {
        Scenario::First => scenario.state(0),
        Scenario::Changed(_) => scenario.state(9),
        Scenario::Unchanged | Scenario::Restore | Scenario::Check | Scenario::Verify => {
            history.newest.clone()
        }
    }
}

/// Runs a scenario with the `at`th operation going wrong; returns how many operations there were,
/// and whether one went wrong.
fn case(history: &History, scenario: Scenario, at: usize, mode: Mode) -> (usize, bool) {
    let home = folder();
    copy_folder(history.home.path(), home.path());
    let shelf = Arc::new(history.shelf.copy());
    let run = Run { history, scenario, shelf: Arc::clone(&shelf), home: home.path() };
    let faulty = Arc::new(Faulty::new(shelf, at, mode));
    let done = run.perform(Arc::<Faulty>::clone(&faulty));
    if faulty.fired() || at == usize::MAX {
        let near = faulty.is_near();
        run.examine(done, &format_args!("{scenario:?}, near: {near}, operation {at}, {mode:?}"));
    }
    (faulty.operations(), faulty.fired())
}

fn every_fault(near: bool) -> usize {
    let mut cases = 0;
    for scenario in Scenario::ALL {
        let history = History::new(near, scenario);
        let (operations, _) = case(&history, scenario, usize::MAX, Mode::Fails);
        assert!(operations > 2, "{scenario:?} does something");
        for at in 0..operations {
            cases += MODES.iter().filter(|&&mode| case(&history, scenario, at, mode).1).count();
        }
    }
    cases
}

#[test]
fn whatever_goes_wrong_in_a_store_nothing_is_lost() {
    let cases = every_fault(false);
    assert!(cases > 300, "{cases} faults");
}

#[test]
fn whatever_goes_wrong_in_a_folder_nothing_is_lost() {
    let cases = every_fault(true);
    assert!(cases > 300, "{cases} faults");
}
