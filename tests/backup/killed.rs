//! What is killed at any moment loses nothing that was there before, and leaves nothing that has to
//! be repaired.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use age::secrecy::ExposeSecret as _;

use crate::place::{Chance, bound, files, restorable, skipped, state};
use crate::program::{BINARY, Program, text};

/// Kills a command after a part of the time that one takes; returns whether it was still running.
fn kill(mut command: Command, whole: Duration, chance: &mut Chance) -> bool {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let micros = u64::try_from(whole.as_micros()).unwrap().max(1);
    std::thread::sleep(Duration::from_micros(chance.next() % micros));
    // It may have ended by now, which is a case too.
    drop(child.kill());
    child.wait().unwrap().code().is_none()
}

/// Runs a command, which has to succeed, and returns how long that took.
fn finished(mut command: Command) -> Duration {
    let start = Instant::now();
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    start.elapsed()
}

/// Returns a command of the program on the repository.
fn on_repository(program: &Program, words: &[&str]) -> Command {
    let mut command = program.command(BINARY);
    command.args(words).args(["--repo", "repo"]);
    command
}

/// What is half written is under another name, and that is not listed.
fn nothing_half_is_listed(program: &Program) {
    let leftovers = files(&program.path("repo"))
        .iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "tmp"))
        .count();
    let objects = files(&program.path("repo/s")).len();
    let listed = program.repository().list().unwrap();
    let extension = |key: &str| std::path::Path::new(key).extension().map(ToOwned::to_owned);
    assert!(listed.iter().all(|snapshot| extension(&snapshot.key).is_some_and(|e| e == "tfb")));
    assert!(objects - listed.len() <= leftovers, "everything else is a snapshot");
}

/// Measures a whole run, of which a moment is chosen.
fn measured(program: &Program) -> Duration {
    let start = Instant::now();
    program.back_up(&["--force"]);
    start.elapsed()
}

#[test]
fn a_backup_that_is_killed_at_any_moment_loses_nothing() {
    let kills = bound("TFSTATE_TEST_KILLS", 60);
    if kills < 10_000 {
        skipped("all but the first kills; TFSTATE_TEST_KILLS=10000 does them");
    }
    let (program, mut chance) = (Program::new(), Chance(kills));
    let mut states = vec![state(1500, 0)];
    program.write(&states[0]);
    program.back_up(&[]);
    let whole = measured(&program);
    let (mut killed, mut known) = (0, std::collections::BTreeSet::new());
    for n in 1..=kills {
        let strategy = *chance.pick(&["full", "incremental", "differential", "auto"]);
        states.push(state(1500, n));
        program.write(states.last().unwrap());
        let backup = program.backup(&["--strategy", strategy]);
        killed += u64::from(kill(backup, whole, &mut chance));
        nothing_half_is_listed(&program);
        program.back_up(&["--strategy", strategy]);
        let (repository, identities) = (program.repository(), program.identities());
        let listed = repository.list().unwrap();
        for snapshot in listed.iter().filter(|snapshot| known.insert(snapshot.key.clone())) {
            let restored = repository.get(snapshot, &identities).unwrap().state;
            assert!(states.iter().any(|state| *restored == **state), "{}", snapshot.key);
        }
        let newest = repository.get(listed.last().unwrap(), &identities).unwrap().state;
        assert!(*newest == **states.last().unwrap(), "the newest is what is there now");
    }
    // Whatever came later, all that was ever made is still there.
    let restored: std::collections::HashSet<Vec<u8>> = program.restore_all().into_iter().collect();
    assert!(states.iter().all(|state| restored.contains(state)), "every state was kept");
    assert!(killed * 4 > kills, "{killed} of {kills} runs were killed before their end");
}

#[test]
fn the_first_backup_that_is_killed_leaves_no_repository_or_a_whole_one() {
    let mut chance = Chance(7);
    let model = Program::new();
    model.write(&state(50, 0));
    let start = Instant::now();
    model.back_up(&[]);
    let whole = start.elapsed();
    for n in 0..bound("TFSTATE_TEST_KILLS", 60) / 4 {
        let program = Program::new();
        program.write(&state(50, n));
        kill(program.backup(&[]), whole, &mut chance);
        if program.path("repo/repo.json").exists() {
            // It opens, or it was half.
            program.repository();
        }
        program.back_up(&[]);
        let states = program.restore_all();
        assert!(!states.is_empty() && states.iter().all(|restored| *restored == state(50, n)));
    }
}

#[test]
fn a_prune_that_is_killed_at_any_moment_loses_nothing_that_stays_and_the_next_one_ends_it() {
    let (program, mut chance) = (Program::new(), Chance(3));
    let prune = |program: &Program| {
        on_repository(program, &["prune", "--keep-last", "1", "--grace", "0", "--yes"])
    };
    let (kills, mut killed, mut whole) = (bound("TFSTATE_TEST_KILLS", 60) / 4, 0, None);
    for n in 0..=kills {
        for (step, strategy) in (0..).zip(["full", "incremental", "incremental", "full"]) {
            program.write(&state(100, 4 * n + step));
            program.back_up(&["--strategy", strategy]);
        }
        let newest = state(100, 4 * n + 3);
        match whole {
            None => whole = Some(finished(prune(&program))),
            Some(whole) => killed += u64::from(kill(prune(&program), whole, &mut chance)),
        }
        // What is listed can be restored, whatever of it is to go.
        assert!(program.restore_all().contains(&newest));
        finished(prune(&program));
        assert!(program.restore_all() == [newest]);
        finished(on_repository(&program, &["verify", "--read-data", "--identity", "key.txt"]));
    }
    assert!(killed * 4 > kills, "{killed} of {kills} runs were killed before their end");
}

#[test]
fn a_rekey_that_is_killed_at_any_moment_leaves_all_readable_and_the_next_one_ends_it() {
    let (program, mut chance) = (Program::new(), Chance(4));
    let strategies = ["full", "incremental", "incremental", "differential", "full"];
    for (n, strategy) in (0..).zip(strategies) {
        program.write(&state(100, n));
        program.back_up(&["--strategy", strategy]);
    }
    let states: Vec<_> = (0..5).map(|n| state(100, n)).collect();
    let (kills, mut killed, mut whole) = (bound("TFSTATE_TEST_KILLS", 60) / 4, 0, None);
    for _ in 0..=kills {
        let before = std::fs::read_to_string(program.path("key.txt")).unwrap();
        let key = age::x25519::Identity::generate();
        let (secret, recipient) = (key.to_string(), key.to_public().to_string());
        let both = format!("{before}\n{}\n", secret.expose_secret());
        tfstate::base::fs::replace(&program.path("key.txt"), both.as_bytes()).unwrap();
        let rekey = ["repo", "rekey", "--recipient", &recipient, "--identity", "key.txt"];
        let rekey = || on_repository(&program, &rekey);
        match whole {
            None => whole = Some(finished(rekey())),
            Some(whole) => killed += u64::from(kill(rekey(), whole, &mut chance)),
        }
        assert!(program.restore_all() == states, "whoever has both keys reads everything");
        finished(rekey());
        let alone = secret.expose_secret().as_bytes();
        tfstate::base::fs::replace(&program.path("key.txt"), alone).unwrap();
        assert!(program.restore_all() == states, "the new key reads everything");
        let all = ["prune", "--keep-last", "9", "--grace", "0", "--yes"];
        finished(on_repository(&program, &all));
        let objects = files(&program.path("repo/s")).into_iter();
        let objects = objects.filter(|path| path.extension().is_some_and(|e| e == "tfb"));
        assert_eq!(objects.count(), states.len(), "the old objects are gone");
        finished(on_repository(&program, &["verify", "--read-data", "--identity", "key.txt"]));
    }
    assert!(killed * 4 > kills, "{killed} of {kills} runs were killed before their end");
}

#[test]
fn a_restore_that_is_killed_at_any_moment_leaves_the_old_state_the_new_one_or_a_whole_copy() {
    let (program, mut chance) = (Program::new(), Chance(5));
    let (target, copy) = (program.path("prod.tfstate"), program.path(".prod.tfstate.unfinished"));
    let read = |path: &std::path::Path| std::fs::read(path).unwrap_or_default();
    program.write(&restorable(2000, 1));
    program.back_up(&[]);
    let id = program.repository().list().unwrap()[0].id.clone();
    let restore = ["restore", &id, "--to", "prod.tfstate", "--yes", "--identity", "key.txt"];
    let restore = || on_repository(&program, &restore);
    let old = restorable(1000, 2);
    program.write(&old);
    let whole = finished(restore());
    let new = read(&target);
    let (kills, mut killed) = (bound("TFSTATE_TEST_KILLS", 60) / 4, 0);
    for _ in 0..kills {
        drop(std::fs::remove_file(&copy));
        program.write(&old);
        killed += u64::from(kill(restore(), whole, &mut chance));
        let left = read(&target);
        let is_marked = left.starts_with(b"tfstate was interrupted") && read(&copy) == new;
        assert!(left == old || left == new || is_marked, "{} bytes are neither", left.len());
        // Before anything was replaced, it was kept.
        assert!(left == old || program.restore_all().contains(&old));
    }
    assert!(killed * 4 > kills, "{killed} of {kills} runs were killed before their end");
}
