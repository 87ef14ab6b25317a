//! Several backups at once, of one state into one repository.

use std::process::Output;
use std::sync::Arc;

use tfstate::backup::vault::{Folder, Vault};

use crate::place::{Shelf, bound, files, folder, skipped, state};
use crate::program::{Program, text};
use crate::rounds::race as work_at_once;

/// Starts so many at once, and waits for all of them.
fn race(program: &Program, runs: usize, more: &[&str]) -> Vec<Output> {
    let started: Vec<_> = (0..runs)
        .map(|_| {
            let mut command = program.backup(more);
            command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
            command.spawn().unwrap()
        })
        .collect();
    started.into_iter().map(|child| child.wait_with_output().unwrap()).collect()
}

fn all_succeed(outputs: &[Output]) {
    for output in outputs {
        assert!(output.status.success(), "{}", text(output));
    }
}

#[test]
fn two_and_eight_at_once_all_succeed_and_all_that_is_listed_comes_back() {
    for runs in [2, 8] {
        let program = Program::new();
        program.write(&state(900, 0));
        program.back_up(&[]);
        for (n, strategy) in (1..).zip(["auto", "incremental", "differential", "full"]) {
            program.write(&state(900, n));
            all_succeed(&race(&program, runs, &["--strategy", strategy]));
            let states = program.restore_all();
            assert!(*states.last().unwrap() == state(900, n));
            let known = |restored: &Vec<u8>| (0..=n).any(|n| *restored == state(900, n));
            assert!(states.iter().all(known));
        }
        // The one that was remembered last need not be the newest; one more run settles that.
        program.back_up(&[]);
        let said = text(&program.back_up(&[]));
        assert!(said.contains("unchanged"), "{said}");
    }
}

#[test]
fn two_and_eight_at_once_make_one_repository_and_one_signing_key() {
    for runs in [2, 8] {
        let program = Program::new();
        program.write(&state(50, 0));
        all_succeed(&race(&program, runs, &[]));
        let states = program.restore_all();
        assert!(!states.is_empty() && states.len() <= runs);
        assert!(states.iter().all(|restored| *restored == state(50, 0)));
        let names = files(&program.path("repo"));
        let leftover = |path: &&std::path::PathBuf| path.to_string_lossy().ends_with(".tmp");
        assert_eq!(names.iter().filter(leftover).count(), 0);
    }
}

#[test]
fn eight_that_write_one_that_prunes_and_one_that_checks_lose_nothing_and_leave_nothing_broken() {
    let rounds = bound("TFSTATE_TEST_RACES", 20);
    if rounds < 1000 {
        skipped("all but the first rounds of a race; TFSTATE_TEST_RACES=1000 runs them");
    }
    let place = folder();
    let vaults: [Arc<dyn Vault>; 3] = [
        Arc::new(Folder::new(place.path().join("repo"))),
        Arc::new(Shelf::new(true)),
        Arc::new(Shelf::new(false)),
    ];
    for vault in &vaults {
        let (made, removed) = work_at_once(vault, rounds);
        let least = usize::try_from(rounds).unwrap() * 3;
        // In the first round nothing was named long enough.
        let due = least.saturating_sub(3) / 2;
        assert!(made > least && removed >= due, "{made} made, {removed} removed");
    }
}
