//! What runs while something goes wrong.

use std::path::Path;
use std::sync::Arc;

use jiff::SignedDuration;
use tfstate::backup::prune::Rules;
use tfstate::backup::retention::Policy;
use tfstate::backup::vault::Vault;
use tfstate::backup::{Error, Keys, Repository, Snapshot, Strategy, Wish, stream_of};
use tfstate::ops::backup::Report;

use super::history::History;
use crate::place::{Backup, Shelf, URI, at, state};

/// What runs while something goes wrong. What else works on a repository is one more of these, and
/// an arm in [`Run::perform`] and in [`Run::finish`](super::Run::finish).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Scenario {
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
    /// A prune that finds what goes.
    Mark,
    /// A prune that finds that long enough named, and part of it held since.
    Sweep,
    /// Encrypting everything for another key.
    Rekey,
    /// Holding a snapshot.
    Hold,
    /// Leaving one that is held to retention again.
    Release,
    /// Letting another computer write.
    Authorize,
    /// Letting one that wrote write no more.
    Revoke,
}

impl Scenario {
    pub(super) const BACKUPS: [Self; 6] = [
        Self::First,
        Self::Unchanged,
        Self::Changed(Strategy::Full),
        Self::Changed(Strategy::Incremental),
        Self::Changed(Strategy::Differential),
        Self::Changed(Strategy::Auto),
    ];

    pub(super) const READS: [Self; 3] = [Self::Restore, Self::Check, Self::Verify];

    pub(super) const PRUNES: [Self; 2] = [Self::Mark, Self::Sweep];

    pub(super) const NOTES: [Self; 4] = [Self::Hold, Self::Release, Self::Authorize, Self::Revoke];

    /// Returns a state; only where `auto` is to take differences is it large enough for that.
    pub(super) fn state(self, changed: u64) -> Vec<u8> {
        let instances = if self == Self::Changed(Strategy::Auto) { 800 } else { 40 };
        state(instances, changed)
    }
}

/// One case.
pub(super) struct Run<'a> {
    pub(super) history: &'a History,
    pub(super) scenario: Scenario,
    pub(super) shelf: Arc<Shelf>,
    pub(super) home: &'a Path,
}

/// What came of it.
#[derive(Debug)]
pub(super) enum Done {
    /// This snapshot is said to hold the state.
    Kept(Snapshot, Vec<u8>),
    Restored(Vec<u8>),
    /// These objects are said to be gone.
    Pruned(Vec<String>),
    /// What was asked for is said to be so.
    Noted,
    /// Nothing was to change, or the next run tells.
    Looked,
}

/// When something goes wrong.
pub(super) const NOW: i64 = 2 * DAY;

pub(super) const DAY: i64 = 86_400;

pub(super) const A_DAY: SignedDuration = SignedDuration::from_hours(24);

impl Run<'_> {
    pub(super) fn vault(&self) -> Arc<dyn Vault> {
        Arc::<Shelf>::clone(&self.shelf)
    }

    pub(super) fn perform(&self, vault: Arc<dyn Vault>) -> Result<Done, Error> {
        let owner = &self.history.owner;
        match self.scenario {
            Scenario::First => self.keep(vault, self.scenario.state(0), Strategy::Auto),
            Scenario::Unchanged => self.keep(vault, self.history.newest.clone(), Strategy::Auto),
            Scenario::Changed(strategy) => self.keep(vault, self.scenario.state(99), strategy),
            Scenario::Restore => {
                let (repository, newest) = Self::newest(vault)?;
                owner.restore(&repository, &newest).map(Done::Restored)
            }
            Scenario::Check => {
                let (repository, newest) = Self::newest(vault)?;
                repository.check(&newest).map(|_| Done::Looked)
            }
            Scenario::Verify => {
                owner.verify(&Repository::open(vault, Keys::default())?).map(|_| Done::Looked)
            }
            Scenario::Mark | Scenario::Sweep => {
                Ok(Done::Pruned(self.history.prune(vault, NOW)?.swept.deleted))
            }
            Scenario::Rekey => self.history.heir.rekey(&vault, NOW).map(|()| Done::Looked),
            Scenario::Hold | Scenario::Release | Scenario::Authorize | Scenario::Revoke => {
                self.note(&Repository::open(vault, Keys::default())?).map(|()| Done::Noted)
            }
        }
    }

    fn note(&self, repository: &Repository) -> Result<(), Error> {
        let (history, now) = (self.history, at(NOW));
        let (signer, other) = (&history.owner.signer, history.other.public());
        match self.scenario {
            Scenario::Authorize => repository.authorize(other, signer, now),
            Scenario::Revoke => repository.revoke(other, signer, now),
            Scenario::Release => repository.hold(history.one(), Wish::Release, signer, now),
            _ => repository.hold(history.one(), Wish::Hold(Some("audit")), signer, now),
        }
    }

    fn keep(
        &self,
        vault: Arc<dyn Vault>,
        state: Vec<u8>,
        strategy: Strategy,
    ) -> Result<Done, Error> {
        let report = self.back_up(vault, &state, (strategy, NOW))?;
        Ok(Done::Kept(report.snapshot, state))
    }

    /// Backs up as it is to be now.
    pub(super) fn back_up(
        &self,
        vault: Arc<dyn Vault>,
        state: &[u8],
        (strategy, second): (Strategy, i64),
    ) -> Result<Report, Error> {
        let (signer, home) = (&self.history.owner.signer, self.home);
        let backup = Backup { vault, signer, home, strategy, second };
        let is_rekeyed = self.scenario == Scenario::Rekey;
        let by = if is_rekeyed { &self.history.heir } else { &self.history.owner };
        by.keep(&backup, state)
    }

    fn newest(vault: Arc<dyn Vault>) -> Result<(Repository, Snapshot), Error> {
        let repository = Repository::open(vault, Keys::default())?;
        let newest = repository
            .list_stream(&stream_of(URI))?
            .pop()
            .ok_or(Error::NoSnapshot { reference: String::new() });
        newest.map(|newest| (repository, newest))
    }
}

/// Keeps the newest.
pub(super) fn newest_only() -> Policy {
    Policy { last: 1, ..Policy::default() }
}

/// Returns what keeps by a policy at a time.
pub(super) fn rules(policy: &Policy, grace: SignedDuration, second: i64) -> Rules<'_> {
    Rules { policy, grace, now: at(second), damaged: false }
}
