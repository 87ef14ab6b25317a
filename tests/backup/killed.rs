//! A backup that is killed at any moment loses nothing that was there before, and leaves nothing
//! that has to be repaired.

use std::time::{Duration, Instant};

use crate::place::{Chance, bound, files, skipped, state};
use crate::program::Program;

/// Kills a backup after a part of the time that one takes; returns whether it was still running.
fn kill(program: &Program, strategy: &str, whole: Duration, chance: &mut Chance) -> bool {
    let mut child = program
        .backup(&["--strategy", strategy])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let micros = u64::try_from(whole.as_micros()).unwrap().max(1);
    std::thread::sleep(Duration::from_micros(chance.next() % micros));
    // It may have ended by now, which is a case too.
    drop(child.kill());
    child.wait().unwrap().code().is_none()
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
        killed += u64::from(kill(&program, strategy, whole, &mut chance));
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
        kill(&program, "auto", whole, &mut chance);
        if program.path("repo/repo.json").exists() {
            // It opens, or it was half.
            program.repository();
        }
        program.back_up(&[]);
        let states = program.restore_all();
        assert!(!states.is_empty() && states.iter().all(|restored| *restored == state(50, n)));
    }
}
