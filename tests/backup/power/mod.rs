//! A power cut at any moment of a first backup, of further ones, of a prune and of a restore, in a
//! repository in a folder: what the program reported as stored is there, and nothing has to be
//! repaired.
//!
//! What the program asks of the file system is written down by `strace`, and played to a file system
//! that keeps no more than it has to.

mod disk;
mod restore;
mod trace;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tfstate::backup::verify::{Reading, Severity};
use tfstate::ops::verify::{self, VerifyOptions};

use self::disk::{Disk, Syncs, Tree};
use crate::place::{Chance, bound, skipped, state};
use crate::program::{BINARY, Program, is_installed, text};

/// What was done until some event: how many events there were then, and which states the program
/// had said that it keeps.
struct Report {
    after: usize,
    kept: BTreeSet<u64>,
}

/// A program whose calls were written down.
struct Recording {
    program: Program,
    disk: Disk,
    /// After each command.
    reports: Vec<Report>,
    /// All states, with their numbers.
    states: BTreeMap<Vec<u8>, u64>,
}

/// What is done, one after another.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// All states change, and are backed up.
    Change(&'static str),
    /// They are backed up, and did not change.
    Again,
    /// All but the newest of each are removed.
    Prune,
    /// A second goes by, so that what was before is older than what comes.
    Wait,
}

const STEPS: [Step; 10] = [
    Step::Change("auto"),
    Step::Change("incremental"),
    Step::Change("differential"),
    Step::Again,
    Step::Change("full"),
    Step::Prune,
    Step::Change("incremental"),
    Step::Wait,
    Step::Change("full"),
    Step::Prune,
];

/// The files that are backed up at once.
const FILES: [&str; 3] = ["prod.tfstate", "test.tfstate", "dev.tfstate"];

/// How many times all of them may change.
const ROUNDS: u64 = 10;

/// The last of those.
const NEXT: u64 = ROUNDS - 1;

/// Returns the number of the state that a file has in a round.
fn number(round: u64, file: usize) -> u64 {
    round * FILES.len() as u64 + file as u64
}

fn numbers(round: u64) -> impl Iterator<Item = u64> {
    (0..FILES.len()).map(move |file| number(round, file))
}

impl Recording {
    fn new() -> Self {
        let program = Program::in_memory();
        let disk = Disk::new(&program.path(""));
        let states = (0..ROUNDS).flat_map(numbers).map(|n| (state(40, n), n)).collect();
        let mut recording = Self { program, disk, reports: Vec::new(), states };
        recording.report(BTreeSet::new());
        let mut round = 0;
        for step in STEPS {
            let mut kept = recording.kept(recording.disk.len()).clone();
            match step {
                Step::Change(strategy) => {
                    recording.change(round);
                    recording.trace(&recording.backup(strategy));
                    kept.extend(numbers(round));
                    round += 1;
                }
                Step::Wait => std::thread::sleep(Duration::from_millis(1100)),
                Step::Again => recording.trace(&recording.backup("auto")),
                Step::Prune => {
                    kept.retain(|n| numbers(round - 1).any(|newest| newest == *n));
                    // The others may be gone from its beginning on.
                    recording.report(kept.clone());
                    recording.trace(&recording.prune());
                }
            }
            recording.report(kept);
        }
        recording
    }

    fn report(&mut self, kept: BTreeSet<u64>) {
        self.reports.push(Report { after: self.disk.len(), kept });
    }

    fn trace(&mut self, command: &Command) {
        let log = self.program.path("trace");
        self.disk.run(&trace::traced(command, &log));
        std::fs::remove_file(log).unwrap();
    }

    fn change(&self, round: u64) {
        for (at, file) in FILES.into_iter().enumerate() {
            write(&self.program.path(file), &state(40, number(round, at)));
        }
    }

    fn backup(&self, strategy: &str) -> Command {
        let mut command = self.program.command(BINARY);
        command.arg("backup").args(FILES).args(["--repo", "repo", "--recipient"]);
        command.args([self.program.recipient(), "--strategy", strategy]);
        command
    }

    fn prune(&self) -> Command {
        let mut command = self.program.command(BINARY);
        let words = ["prune", "--repo", "repo", "--keep-last", "1", "--grace", "0", "--yes"];
        command.args(words);
        command
    }

    /// Returns which states have to be there after so many events.
    fn kept(&self, after: usize) -> &BTreeSet<u64> {
        let reports = self.reports.iter().rev();
        &reports.clone().find(|report| report.after <= after).unwrap().kept
    }

    /// Returns what is lost or half there.
    fn lost(&self, kept: &BTreeSet<u64>) -> Option<String> {
        if !self.program.path("repo/repo.json").exists() {
            return (!kept.is_empty()).then(|| format!("no repository, but {kept:?} were kept"));
        }
        let repository = match self.program.try_repository() {
            Ok(repository) => repository,
            Err(error) => return Some(error.to_string()),
        };
        let (mut missing, identities) = (kept.clone(), self.program.identities());
        for snapshot in repository.list().unwrap() {
            let restored = match repository.get(&snapshot, &identities) {
                Ok(restored) => restored.state,
                Err(error) => return Some(format!("{}: {error}", snapshot.key)),
            };
            let Some(n) = self.states.get(&*restored) else {
                return Some(format!("{} has other bytes", snapshot.key));
            };
            missing.remove(n);
        }
        if missing.is_empty() {
            return self.failures(Reading::Heads);
        }
        Some(format!("{missing:?} are gone"))
    }

    /// Backs up again, and returns what is wrong then.
    fn goes_on(&self, kept: &BTreeSet<u64>) -> Option<String> {
        self.change(NEXT);
        let output = self.backup("incremental").output().unwrap();
        if !output.status.success() {
            return Some(text(&output));
        }
        let kept = kept.iter().copied().chain(numbers(NEXT)).collect();
        self.lost(&kept).or_else(|| self.failures(Reading::Whole))
    }

    /// Returns what `verify` finds.
    fn failures(&self, reading: Reading) -> Option<String> {
        let (data, runs) = (None, None);
        let options = VerifyOptions { reading, data, streams: None, ids: &[], runs };
        let found = verify::run(&self.program.repository(), &options, |_, _| ()).unwrap().0;
        (found.count(Severity::Failure) > 0).then(|| format!("{:?}", found.problems))
    }
}

/// Puts back what is there after the power failed.
fn put(program: &Program, tree: &Tree) {
    for folder in ["repo", "home"] {
        // There may be none.
        drop(std::fs::remove_dir_all(program.path(folder)));
    }
    for (path, bytes) in tree {
        let path = program.path(path.to_str().unwrap());
        match bytes {
            None => std::fs::create_dir_all(path).unwrap(),
            Some(bytes) => write(&path, bytes),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "what is written need not last")]
fn write(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).unwrap();
}

impl Recording {
    /// Looks at everything that there may be after a power cut, and backs up again after one of so
    /// many; returns how many states of the disk that were.
    fn examine(&self, chance: &mut Chance, every: u64) -> u64 {
        let (mut states, mut seen) = (0, BTreeSet::new());
        for after in 0..=self.disk.len() {
            let kept = self.kept(after);
            for tree in self.disk.crashes(after, chance) {
                if !seen.insert((kept, hash(&tree))) {
                    continue;
                }
                states += 1;
                put(&self.program, &tree);
                let mut wrong = self.lost(kept);
                if states % every == 0 {
                    wrong = wrong.or_else(|| self.goes_on(kept));
                }
                let paths: Vec<_> = tree.keys().collect();
                assert_eq!(wrong, None, "after event {after}, with {paths:#?}");
            }
        }
        states
    }
}

#[test]
fn after_a_power_cut_at_any_moment_all_that_was_reported_is_there_and_backups_go_on() {
    if !is_there() {
        return;
    }
    let wanted = bound("TFSTATE_TEST_POWER", 500);
    let every = if wanted > 500 { 1 } else { 8 };
    if every > 1 {
        skipped("most power cuts; TFSTATE_TEST_POWER=5000 looks at as many states of the disk");
    }
    let (mut chance, mut states) = (Chance(1), 0);
    while states < wanted {
        // How much is under way at once, and so what may be lost, is another each time.
        states += Recording::new().examine(&mut chance, every);
    }
}

/// Returns whether calls can be written down, or says that they can't.
fn is_there() -> bool {
    let is_there = is_installed("strace");
    if !is_there {
        skipped("power cuts: strace is not installed");
    }
    is_there
}

fn hash(tree: &Tree) -> [u8; 32] {
    let mut hash = blake3::Hasher::new();
    for (path, bytes) in tree {
        // Of a file its bytes, with how many there are, so that no two trees are written alike.
        let bytes = bytes.as_deref();
        let len = bytes.map_or(u64::MAX, |bytes| bytes.len() as u64);
        hash.update(path.to_str().unwrap().as_bytes()).update(b"\0");
        hash.update(&len.to_le_bytes()).update(bytes.unwrap_or_default());
    }
    *hash.finalize().as_bytes()
}

#[test]
fn without_any_of_the_syncs_a_power_cut_loses_what_was_reported() {
    if !is_there() {
        return;
    }
    let recording = Recording::new();
    let lost = |syncs| {
        put(&recording.program, &recording.disk.with(syncs).lost());
        recording.lost(recording.kept(recording.disk.len()))
    };
    assert_eq!(lost(Syncs::All), None);
    for syncs in [Syncs::None, Syncs::Files, Syncs::Folders] {
        assert!(lost(syncs).is_some(), "{syncs:?} are enough");
    }
}
