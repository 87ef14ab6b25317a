//! The program killed, or told by the disk that it failed, at every single call that changes a file
//! or a folder, one after another: what `strace` can do to a process.

use std::collections::BTreeSet;
use std::process::{Command, Output};

use age::secrecy::ExposeSecret as _;
use tfstate::backup::{Identities, Kind};
use tfstate::base::fs;

use crate::place::{files, restorable, skipped};
use crate::program::{BINARY, Program, is_installed, text};

/// What changes files and folders, or makes changes last. A name that a computer does not have is
/// passed over.
const CALLS: [(&str, &str); 6] = [
    ("write", "?write,?pwrite64,?writev,?copy_file_range"),
    ("sync", "?fsync,?fdatasync"),
    ("rename", "?rename,?renameat,?renameat2"),
    ("link", "?link,?linkat"),
    ("remove", "?unlink,?unlinkat"),
    ("folder", "?mkdir,?mkdirat"),
];

/// What happens at a call.
const FATES: [&str; 2] = ["signal=KILL", "error=EIO"];

/// What runs.
#[derive(Clone, Copy, Debug)]
enum Act {
    First,
    Backup,
    Name,
    Delete,
    Rekey,
    Restore,
}

impl Act {
    const ALL: [Self; 6] =
        [Self::First, Self::Backup, Self::Name, Self::Delete, Self::Rekey, Self::Restore];

    /// Returns a folder as it is before: its snapshots hold the states 1 to 3, and the live
    /// state is the 4th.
    fn before(self) -> Program {
        let program = Program::in_memory();
        if !matches!(self, Self::First) {
            for (version, strategy) in [(1, "full"), (2, "incremental"), (3, "full")] {
                program.write(&restorable(200, version));
                program.back_up(&["--strategy", strategy]);
            }
        }
        if matches!(self, Self::Delete) {
            finished(&mut Self::Name.command(&program));
        }
        if matches!(self, Self::Rekey) {
            let key = age::x25519::Identity::generate();
            let old = std::fs::read_to_string(program.path("key.txt")).unwrap();
            let both = format!("{old}\n{}\n", key.to_string().expose_secret());
            fs::replace(&program.path("key.txt"), both.as_bytes()).unwrap();
            let new = key.to_public().to_string();
            fs::write_new(&program.path("new.txt"), new.as_bytes()).unwrap();
            let alone = key.to_string();
            let alone = alone.expose_secret().as_bytes();
            fs::write_new(&program.path("alone.txt"), alone).unwrap();
        }
        program.write(&restorable(200, 4));
        program
    }

    fn command(self, program: &Program) -> Command {
        let on_repository = |words: &[&str]| {
            let mut command = program.command(BINARY);
            command.args(words).args(["--repo", "repo"]);
            command
        };
        match self {
            Self::First => program.backup(&[]),
            Self::Backup => program.backup(&["--strategy", "incremental"]),
            Self::Name => on_repository(&["prune", "--keep-last", "1", "--grace", "1d", "--yes"]),
            Self::Delete => on_repository(&["prune", "--keep-last", "1", "--grace", "0", "--yes"]),
            Self::Rekey => {
                let new = std::fs::read_to_string(program.path("new.txt")).unwrap();
                let identity = ["--identity", "key.txt"];
                on_repository(&[&["repo", "rekey", "--recipient", &new][..], &identity].concat())
            }
            Self::Restore => {
                let id = &program.repository().list().unwrap()[2].id;
                let to = ["--to", "prod.tfstate", "--yes", "--identity", "key.txt"];
                on_repository(&[&["restore", id][..], &to].concat())
            }
        }
    }

    /// Returns which versions have to be in snapshots, whatever became of it.
    fn stays(self) -> &'static [u64] {
        match self {
            Self::First => &[],
            Self::Delete => &[3],
            Self::Backup | Self::Name | Self::Rekey | Self::Restore => &[1, 2, 3],
        }
    }

    /// Returns which versions have to be in snapshots where it succeeded.
    fn holds(self) -> &'static [u64] {
        match self {
            Self::First => &[4],
            Self::Delete => &[3],
            Self::Backup | Self::Restore => &[1, 2, 3, 4],
            Self::Name | Self::Rekey => &[1, 2, 3],
        }
    }
}

/// Runs a command, which has to succeed.
fn finished(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", text(&output));
}

/// Runs a command that meets its fate at the `n`th of some calls of a thread; returns how it ended,
/// and whether it met it.
fn meeting(command: &Command, program: &Program, (calls, n): (&str, usize), fate: &str) -> Ended {
    let log = program.path("trace");
    let mut strace = program.command("strace");
    strace.args(["-f", "-qq", "-e", &format!("trace={calls}"), "-e"]);
    strace.arg(format!("inject={calls}:{fate}:when={n}")).arg("-o").arg(&log);
    strace.arg(command.get_program()).args(command.get_args());
    let output = strace.output().unwrap();
    let trace = std::fs::read_to_string(&log).unwrap();
    std::fs::remove_file(log).unwrap();
    let is_met = trace.contains("(INJECTED)") || trace.contains("killed by SIGKILL");
    Ended { output, is_met }
}

struct Ended {
    output: Output,
    is_met: bool,
}

/// Checks that what is listed can be restored, is what was backed up, and that nothing is lost.
fn keeps(program: &Program, versions: &[u64], told: &str) -> BTreeSet<u64> {
    if !program.path("repo/repo.json").exists() {
        assert!(versions.is_empty(), "{told}: the repository is gone");
        return BTreeSet::new();
    }
    let version = |state: Vec<u8>| (1..=4).find(|version| state == restorable(200, *version));
    // What a restore wrote is kept too.
    let backed_up = program.restore_all().into_iter().filter(|state| !is_rolled_forward(state));
    let restored = backed_up.map(version);
    let restored: Option<BTreeSet<u64>> = restored.collect();
    let restored = restored.unwrap_or_else(|| panic!("{told}: something else is listed"));
    let lost = versions.iter().find(|version| !restored.contains(version));
    assert_eq!(lost, None, "{told}: it is lost");
    restored
}

/// Checks that all is as it is to be where a command succeeded.
fn is_done(act: Act, program: &Program, told: &str) {
    let there = keeps(program, act.holds(), told);
    assert!(there.iter().eq(act.holds()), "{told}: {there:?} are there");
    match act {
        Act::Name => {
            assert!(!files(&program.path("repo/gc")).is_empty(), "{told}: nothing is named");
        }
        Act::Rekey => {
            let new = Identities::read(&[program.path("alone.txt")]).unwrap();
            let repository = program.repository();
            for snapshot in repository.list().unwrap() {
                let restored = repository.get(&snapshot, &new);
                assert!(restored.is_ok(), "{told}: the new key does not read {}", snapshot.key);
            }
        }
        Act::Restore => {
            let live = std::fs::read(program.path("prod.tfstate")).unwrap();
            let shown = String::from_utf8_lossy(&live[..live.len().min(200)]);
            assert!(is_rolled_forward(&live), "{told}: it is not restored, but {shown}");
        }
        Act::First | Act::Backup | Act::Delete => {}
    }
}

/// Returns whether this is what a restore makes of the 3rd state and the live 4th.
fn is_rolled_forward(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    text.contains("\"serial\": 5") && text.ends_with("}\n")
}

/// Lets a command meet its fate at each call in turn, and adds where that was.
fn each_call(act: Act, places: &mut BTreeSet<String>) {
    let program = act.before();
    let before = program.copy();
    for (name, calls) in CALLS {
        for fate in FATES {
            for n in 1.. {
                program.go_back_to(&before);
                let ended = meeting(&act.command(&program), &program, (calls, n), fate);
                if !ended.is_met {
                    assert!(ended.output.status.success(), "{}", text(&ended.output));
                    let newest = program.repository().list().unwrap().pop();
                    let is_told = newest.is_some_and(|newest| newest.kind == Kind::Incremental);
                    assert!(is_told || !matches!(act, Act::Backup), "it builds on those before");
                    break;
                }
                places.insert(format!("{act:?}: {name} {n}"));
                let said = text(&ended.output);
                let told = format!("{act:?}, {fate} at the {n}th {name}: {said}");
                assert!(!said.contains("panicked"), "{told}");
                if ended.output.status.success() {
                    is_done(act, &program, &told);
                } else {
                    keeps(&program, act.stays(), &told);
                }
                live_state_is_whole(act, &program, &told);
                // Nothing has to be repaired, and the same command ends what was begun.
                program.write(&restorable(200, 4));
                finished(&mut act.command(&program));
                is_done(act, &program, &told);
                let verify = ["verify", "--read-data", "--identity", "key.txt", "--repo", "repo"];
                finished(program.command(BINARY).args(verify));
            }
        }
    }
}

/// The state that is backed up is never touched; one that is restored is the old one or the new one,
/// or says where a whole copy is.
fn live_state_is_whole(act: Act, program: &Program, told: &str) {
    let live = std::fs::read(program.path("prod.tfstate")).unwrap();
    if live == restorable(200, 4) {
        return;
    }
    assert!(matches!(act, Act::Restore), "{told}: the live state was changed");
    let copies = files(&program.path("")).into_iter().filter(|path| {
        path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(".unfinished"))
    });
    let is_told = live.starts_with(b"tfstate was interrupted");
    let is_beside =
        copies.map(|path| std::fs::read(path).unwrap()).any(|bytes| is_rolled_forward(&bytes));
    assert!(is_rolled_forward(&live) || is_told && is_beside, "{told}: the live state is torn");
}

#[test]
fn what_is_stopped_or_fails_at_any_call_that_changes_a_file_loses_nothing() {
    if !is_installed("strace") {
        return skipped("stops at each call; strace is not installed");
    }
    let mut places = BTreeSet::new();
    for act in Act::ALL {
        each_call(act, &mut places);
    }
    assert!(places.len() >= 30, "{places:?}");
}
