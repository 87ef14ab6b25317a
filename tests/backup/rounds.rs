//! Eight that write to one repository at once, while an owner prunes it and somebody checks it.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use jiff::SignedDuration;
use tfstate::backup::prune::Rules;
use tfstate::backup::retention::Policy;
use tfstate::backup::vault::Vault;
use tfstate::backup::verify::{Severity, Wrong};
use tfstate::backup::{Signer, Strategy};

use crate::place::{Backup, Chance, Owner, STRATEGIES, at, folder, listed, state};

const WRITERS: usize = 8;

/// How long a round takes, and what goes is named before. A thousand of them end before these tests
/// were written: what is left of interrupted writes is told by the real clock.
const ROUND: i64 = 3600;

/// One that writes.
struct Writer {
    signer: Arc<Signer>,
    home: tempfile::TempDir,
    chance: Chance,
    /// What it backed up last.
    version: u64,
}

/// What was reported: the id of a snapshot, and the version that it holds.
type Kept = (String, u64);

/// Lets all of them work on one state in a place at once, so many times, an hour apart; returns how
/// many snapshots were made, and how many objects were removed.
pub(crate) fn race(vault: &Arc<dyn Vault>, rounds: u64) -> (usize, usize) {
    let owner = Owner::new(true);
    let mut writers = begin(&owner, vault);
    let (made, mut removed) = (AtomicUsize::new(0), 0);
    for round in 1..=rounds {
        let kept = Mutex::new(Vec::new());
        let beginning = i64::try_from(round).unwrap() * ROUND;
        thread::scope(|scope| {
            for (number, writer) in (0..).zip(&mut writers) {
                let (owner, kept, made) = (&owner, &kept, &made);
                scope.spawn(move || {
                    if writer.chance.below(4) > 0 {
                        writer.version = round * WRITERS as u64 + number;
                    }
                    let (report, is_new) = write(owner, vault, writer, beginning);
                    made.fetch_add(usize::from(is_new), Ordering::SeqCst);
                    kept.lock().unwrap().push(report);
                });
            }
            let pruning = scope.spawn(|| prune(&owner, vault, beginning + ROUND / 2));
            scope.spawn(|| check(&owner, vault));
            removed += pruning.join().unwrap();
        });
        settled(&owner, vault, &kept.into_inner().unwrap(), round);
    }
    (made.into_inner(), removed)
}

/// Makes the repository, and lets all of them write there.
fn begin(owner: &Owner, vault: &Arc<dyn Vault>) -> Vec<Writer> {
    let writer = |number| Writer {
        signer: Arc::new(Signer::generate().unwrap()),
        home: folder(),
        chance: Chance(number),
        version: 0,
    };
    let writers: Vec<Writer> = (0..WRITERS as u64).map(writer).collect();
    let home = folder();
    keep(owner, (vault, &owner.signer, home.path()), (Strategy::Full, 0), 0);
    for writer in &writers {
        let repository = Owner::open(Arc::clone(vault));
        repository.authorize(writer.signer.public(), &owner.signer, at(0)).unwrap();
    }
    writers
}

fn keep(
    owner: &Owner,
    (vault, signer, home): (&Arc<dyn Vault>, &Signer, &Path),
    (strategy, second): (Strategy, i64),
    version: u64,
) -> tfstate::ops::backup::Report {
    let vault = Arc::clone(vault);
    let backup = Backup { vault, signer, home, strategy, second };
    owner.keep(&backup, &state(60, version)).unwrap()
}

fn write(
    owner: &Owner,
    vault: &Arc<dyn Vault>,
    writer: &mut Writer,
    beginning: i64,
) -> (Kept, bool) {
    let strategy = *writer.chance.pick(&STRATEGIES);
    let second = beginning + i64::try_from(writer.chance.below(100)).unwrap();
    let by = (vault, &*writer.signer, writer.home.path());
    let report = keep(owner, by, (strategy, second), writer.version);
    let is_new = !report.skipped();
    ((report.snapshot.id, writer.version), is_new)
}

/// Keeps two, and returns how many objects were removed.
fn prune(owner: &Owner, vault: &Arc<dyn Vault>, second: i64) -> usize {
    let policy = Policy { last: 2, ..Policy::default() };
    let (grace, now) = (SignedDuration::from_secs(ROUND), at(second));
    let rules = Rules { policy: &policy, grace, now, damaged: false };
    owner.prune(Arc::clone(vault), rules).unwrap().swept.deleted.len()
}

/// What is removed or written meanwhile is nothing that is wrong.
fn check(owner: &Owner, vault: &Arc<dyn Vault>) {
    let (_, problems) = owner.verify(&Owner::open(Arc::clone(vault))).unwrap();
    let wrong: Vec<_> =
        problems.iter().filter(|problem| problem.severity == Severity::Failure).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// Checks that all that was reported in this round is there, and that everything can be restored.
fn settled(owner: &Owner, vault: &Arc<dyn Vault>, kept: &[Kept], round: u64) {
    let repository = Owner::open(Arc::clone(vault));
    let listed = listed(&repository);
    for (id, version) in kept {
        let found = listed.iter().find(|snapshot| snapshot.id == *id);
        let found = found.unwrap_or_else(|| panic!("round {round}: {id} is lost"));
        let restored = owner.restore(&repository, found).unwrap();
        assert!(restored == state(60, *version), "round {round}: {id} holds something else");
    }
    let (looked_at, mut problems) = owner.verify(&repository).unwrap();
    // The clock of these backups is not that of a server.
    problems.retain(|problem| problem.wrong != Wrong::Quarantined);
    assert!(looked_at >= listed.len() && problems.is_empty(), "round {round}: {problems:?}");
}
