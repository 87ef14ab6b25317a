//! What is there before something goes wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::SignedDuration;
use tfstate::backup::vault::Vault;
use tfstate::backup::{Error, Signer, Snapshot, Strategy, Wish};
use tfstate::ops::prune::Report;

use super::scenario::{A_DAY, DAY, NOW, Scenario, newest_only, rules};
use crate::place::{Backup, Owner, Shelf, at, folder, listed};

/// A repository with a history.
pub(super) struct History {
    pub(super) owner: Owner,
    /// The same, with the key for which everything is to be encrypted.
    pub(super) heir: Owner,
    /// The signing key of another computer.
    pub(super) other: Signer,
    pub(super) shelf: Shelf,
    pub(super) home: tempfile::TempDir,
    /// What was reported as made and not removed, by its id.
    pub(super) made: BTreeMap<String, Vec<u8>>,
    /// What of it may be removed.
    pub(super) goes: BTreeSet<String>,
    /// The state of the newest.
    pub(super) newest: Vec<u8>,
    /// The snapshots, oldest first.
    snapshots: Vec<Snapshot>,
}

/// The strategies of a history with something to prune.
const LONG: [Strategy; 4] =
    [Strategy::Full, Strategy::Incremental, Strategy::Full, Strategy::Incremental];

impl History {
    /// Returns nothing but keys, or a repository with a second writer, a full, an incremental, a
    /// differential and one more incremental snapshot, and what else the scenario asks for.
    pub(super) fn new(near: bool, scenario: Scenario) -> Self {
        // What is pruned is not decrypted.
        let owner = Owner::new(!Scenario::PRUNES.contains(&scenario));
        let (home, other) = (folder(), Signer::generate().unwrap());
        let (heir, shelf) = (owner.rekeyed(), Shelf::new(near));
        let (made, goes, newest, snapshots) =
            (BTreeMap::new(), BTreeSet::new(), Vec::new(), Vec::new());
        let mut history = Self { owner, heir, other, shelf, home, made, goes, newest, snapshots };
        if scenario == Scenario::First {
            return history;
        }
        let shelf = Arc::new(history.shelf.copy());
        let strategies =
            [Strategy::Full, Strategy::Incremental, Strategy::Differential, Strategy::Incremental];
        for strategy in strategies {
            history.add(&shelf, scenario, strategy);
        }
        let vault = || Arc::<Shelf>::clone(&shelf) as Arc<dyn Vault>;
        let (repository, signer) = (Owner::open(vault()), &history.owner.signer);
        match scenario {
            Scenario::Mark | Scenario::Sweep => history.prepare_prune(&shelf, scenario),
            Scenario::Release => {
                repository.hold(history.one(), Wish::Hold(None), signer, at(500)).unwrap();
            }
            // It is the one that is to be named.
            Scenario::Authorize => {}
            _ => {
                repository.authorize(history.other.public(), signer, at(0)).unwrap();
                if scenario == Scenario::Revoke {
                    history.add_by_other(&shelf, scenario);
                }
            }
        }
        history.shelf = shelf.copy();
        history
    }

    /// Returns a snapshot that others build on.
    pub(super) fn one(&self) -> &Snapshot {
        &self.snapshots[0]
    }

    pub(super) fn prune(&self, vault: Arc<dyn Vault>, second: i64) -> Result<Report, Error> {
        self.owner.prune(vault, rules(&newest_only(), A_DAY, second))
    }

    fn add(&mut self, place: &Arc<Shelf>, scenario: Scenario, strategy: Strategy) {
        let n = self.snapshots.len() as u64;
        let state = scenario.state(n);
        let (vault, signer) = (Arc::<Shelf>::clone(place), &self.owner.signer);
        let (home, second) = (self.home.path(), i64::try_from(n).unwrap());
        let backup = Backup { vault, signer, home, strategy, second };
        let report = self.owner.keep(&backup, &state).unwrap();
        self.made.insert(report.snapshot.id.clone(), state.clone());
        self.snapshots.push(report.snapshot);
        self.newest = state;
    }

    /// Adds a snapshot that another computer makes.
    fn add_by_other(&mut self, place: &Arc<Shelf>, scenario: Scenario) {
        let (vault, state, home) = (Arc::<Shelf>::clone(place), scenario.state(50), folder());
        let (signer, home, strategy) = (&self.other, home.path(), Strategy::Full);
        let backup = Backup { vault, signer, home, strategy, second: 50 };
        let report = self.owner.keep(&backup, &state).unwrap();
        self.made.insert(report.snapshot.id, state);
    }

    /// Removes one, adds a few more, and has something to keep that nobody needs but who holds it.
    ///
    /// Of nine snapshots that there are in the end, the second is gone, the fourth is held, which
    /// needs the third and the first, and the newest two are kept by the rules.
    fn prepare_prune(&mut self, place: &Arc<Shelf>, scenario: Scenario) {
        let vault = || Arc::<Shelf>::clone(place) as Arc<dyn Vault>;
        let at_once = SignedDuration::ZERO;
        self.owner.prune(vault(), rules(&newest_only(), at_once, 5)).unwrap();
        let left: BTreeSet<String> =
            listed(&Owner::open(vault())).into_iter().map(|snapshot| snapshot.id).collect();
        self.made.retain(|id, _| left.contains(id));
        assert_eq!(self.made.len(), 3, "an earlier prune removed one");
        for strategy in LONG {
            self.add(place, scenario, strategy);
        }
        if scenario == Scenario::Sweep {
            self.prune(vault(), NOW - DAY).unwrap();
        }
        let (repository, signer) = (Owner::open(vault()), &self.owner.signer);
        repository.hold(&self.snapshots[3], Wish::Hold(None), signer, at(NOW - 20)).unwrap();
        self.goes = self.snapshots[4..6].iter().map(|snapshot| snapshot.id.clone()).collect();
    }
}
