//! Several backups at once, of one state into one repository.

use std::process::Output;

use crate::place::{files, state};
use crate::program::{Program, text};

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
