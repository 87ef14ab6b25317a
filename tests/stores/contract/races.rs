//! Many at once.

use std::sync::Barrier;
use std::thread;

use tfstate::store::{Error, Guarantee, Version};

use super::{Subject, info};

const RACERS: u8 = 16;

pub(super) fn hold(subject: Subject<'_>) {
    let guarantees = subject.store.guarantees();
    for round in 0..3 {
        if guarantees.create == Guarantee::Atomic {
            of_many_that_create_one_key_one_wins(subject, round);
        }
        if guarantees.replace == Guarantee::Atomic {
            of_many_that_replace_one_version_one_wins(subject, round);
        }
        if subject.traits.locks.is_some() {
            of_many_that_take_one_lock_one_gets_it(subject, round);
        }
    }
}

/// Lets all do the same at once, and returns who succeeded; the others must have been refused
/// because somebody was faster.
fn race<T: Send>(act: impl Fn(u8) -> Result<T, Error> + Sync) -> Vec<(u8, T)> {
    let start = Barrier::new(usize::from(RACERS));
    let run = |racer| {
        start.wait();
        (racer, act(racer))
    };
    let results: Vec<_> = thread::scope(|scope| {
        let racers: Vec<_> = (0..RACERS).map(|racer| scope.spawn(move || run(racer))).collect();
        racers.into_iter().map(|racer| racer.join().unwrap()).collect()
    });
    let mut winners = Vec::new();
    for (racer, result) in results {
        match result {
            Ok(won) => winners.push((racer, won)),
            Err(Error::Changed { .. } | Error::Locked { .. }) => {}
            Err(error) => panic!("neither won nor lost: {error:?}"),
        }
    }
    winners
}

fn body(racer: u8) -> Vec<u8> {
    format!("racer {racer} {}", "x".repeat(10_000)).into_bytes()
}

#[track_caller]
fn one_won(subject: Subject<'_>, key: &str, winners: &[(u8, Version)]) {
    let [(winner, version)] = winners else { panic!("{} winners", winners.len()) };
    let (bytes, read) = subject.bytes(key);
    assert!(bytes == body(*winner), "another's bytes than those of the winner");
    assert_eq!(read, *version);
}

fn of_many_that_create_one_key_one_wins(subject: Subject<'_>, round: u8) {
    let key = subject.key(&format!("race-create-{round}"));
    let winners = race(|racer| subject.create(&key, &body(racer)));
    one_won(subject, &key, &winners);
}

fn of_many_that_replace_one_version_one_wins(subject: Subject<'_>, round: u8) {
    let key = subject.key(&format!("race-replace-{round}"));
    let old = subject.create(&key, b"old").unwrap();
    let winners = race(|racer| subject.replace(&key, &old, &body(racer)));
    one_won(subject, &key, &winners);
}

fn of_many_that_take_one_lock_one_gets_it(subject: Subject<'_>, round: u8) {
    let key = subject.key(&format!("race-lock-{round}"));
    let winners = race(|racer| subject.acquire(&key, &info(racer)));
    assert_eq!(winners.len(), 1);
    for (_, held) in winners {
        held.release().unwrap();
    }
}
