//! Locks.

use tfstate::store::{Body, Error, Expected, Held, Holder, Locks};

use super::{Keys, LockTraits, Subject, info};

pub(super) fn hold(subject: Subject<'_>, traits: LockTraits) {
    a_lock_keeps_others_out_until_its_release(subject, traits);
    dropping_a_lock_releases_it(subject);
    a_lock_leaves_no_state_behind(subject);
    a_state_is_created_and_replaced_under_a_lock(subject);
    locks_of_two_keys_are_two_locks(subject);
    what_is_not_locked_cannot_be_broken(subject);
    if traits.can_be_broken {
        a_lock_is_broken_by_its_id_only(subject);
        the_release_of_a_broken_lock_fails(subject);
        if traits.notices_thief {
            the_lock_of_somebody_else_is_not_released(subject);
        }
    } else {
        a_lock_that_cannot_be_broken_says_what_frees_it(subject);
    }
}

fn locks(subject: Subject<'_>) -> &dyn Locks {
    subject.store.locks().unwrap()
}

#[track_caller]
fn is_free(subject: Subject<'_>, key: &str) {
    assert_eq!(locks(subject).holder(key).unwrap(), Holder::Nobody);
}

/// Fails unless `holder` is who holds `held`, having asked for it as number `number`.
#[track_caller]
fn is_held(holder: &Holder, held: &dyn Held, number: u8, traits: LockTraits) {
    match holder {
        Holder::Somebody { id, info: found } if traits.names_holder => {
            let asked = info(number);
            assert_eq!(id, held.id());
            let seen = (&found.who, &found.operation, &found.created, &found.version);
            assert_eq!(seen, (&asked.who, &asked.operation, &asked.created, &asked.version));
        }
        Holder::Unnamed { why } if !traits.names_holder => assert!(!why.is_empty()),
        other => panic!("{other:?}"),
    }
}

fn a_lock_keeps_others_out_until_its_release(subject: Subject<'_>, traits: LockTraits) {
    let key = subject.key("lock");
    is_free(subject, &key);
    let held = subject.acquire(&key, &info(1)).unwrap();
    is_held(&locks(subject).holder(&key).unwrap(), &*held, 1, traits);
    for _ in 0..2 {
        match subject.acquire(&key, &info(2)) {
            Err(Error::Locked { what, holder }) => {
                assert_eq!(what, subject.store.name(&key));
                is_held(&holder, &*held, 1, traits);
            }
            other => panic!("{other:?}"),
        }
    }
    held.release().unwrap();
    is_free(subject, &key);
    let held = subject.acquire(&key, &info(2)).unwrap();
    is_held(&locks(subject).holder(&key).unwrap(), &*held, 2, traits);
    held.release().unwrap();
}

fn dropping_a_lock_releases_it(subject: Subject<'_>) {
    let key = subject.key("drop");
    drop(subject.acquire(&key, &info(1)).unwrap());
    is_free(subject, &key);
    subject.acquire(&key, &info(2)).unwrap().release().unwrap();
}

fn a_lock_leaves_no_state_behind(subject: Subject<'_>) {
    let key = subject.key("lock-nothing");
    subject.acquire(&key, &info(1)).unwrap().release().unwrap();
    subject.is_nothing(&key);
}

fn a_state_is_created_and_replaced_under_a_lock(subject: Subject<'_>) {
    let key = subject.key("lock-write");
    let write = |bytes: &[u8], expected: Expected<'_>, held: &dyn Held| {
        subject.store.write(&key, &Body { bytes, expected, lock: Some(held.id()) })
    };
    let held = subject.acquire(&key, &info(1)).unwrap();
    let first = write(b"longer than the second", Expected::Nothing, &*held).unwrap();
    assert_eq!(subject.bytes(&key), (b"longer than the second".to_vec(), first.clone()));
    let second = write(b"second", Expected::Version(&first), &*held).unwrap();
    super::is_changed(write(b"stale", Expected::Version(&first), &*held));
    super::is_changed(write(b"stale", Expected::Nothing, &*held));
    assert_eq!(subject.bytes(&key), (b"second".to_vec(), second.clone()));
    assert!(matches!(subject.acquire(&key, &info(2)), Err(Error::Locked { .. })));
    held.release().unwrap();
    assert_eq!(subject.bytes(&key), (b"second".to_vec(), second));

    let held = subject.acquire(&key, &info(3)).unwrap();
    let (_, version) = subject.bytes(&key);
    subject.store.delete(&key, &version, Some(held.id())).unwrap();
    held.release().unwrap();
    subject.is_nothing(&key);
}

fn locks_of_two_keys_are_two_locks(subject: Subject<'_>) {
    if matches!(subject.traits.keys, Keys::One(_)) {
        return;
    }
    // There is something under both: where Postgres has no row yet, all keys share one lock.
    let (one, other) = (subject.key("lock-one"), subject.key("lock-other"));
    subject.create(&one, b"{}").unwrap();
    subject.create(&other, b"{}").unwrap();
    let held = subject.acquire(&one, &info(1)).unwrap();
    is_free(subject, &other);
    subject.acquire(&other, &info(2)).unwrap().release().unwrap();
    held.release().unwrap();
}

fn what_is_not_locked_cannot_be_broken(subject: Subject<'_>) {
    let key = subject.key("break-nothing");
    let result = subject.check(locks(subject).break_lock(&key, &info(1).id));
    assert!(matches!(result, Err(Error::NotLocked { .. })), "{result:?}");
    subject.is_nothing(&key);
}

fn a_lock_is_broken_by_its_id_only(subject: Subject<'_>) {
    let key = subject.key("break");
    let held = subject.acquire(&key, &info(1)).unwrap();
    let asked = info(9).id;
    match subject.check(locks(subject).break_lock(&key, &asked)) {
        Err(Error::LockId { asked: named, found, .. }) => {
            assert_eq!((named, found.as_str()), (asked, held.id()));
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(subject.acquire(&key, &info(2)), Err(Error::Locked { .. })));
    locks(subject).break_lock(&key, held.id()).unwrap();
    is_free(subject, &key);
    drop(held);
    is_free(subject, &key);
}

fn the_release_of_a_broken_lock_fails(subject: Subject<'_>) {
    let key = subject.key("break-release");
    let held = subject.acquire(&key, &info(1)).unwrap();
    locks(subject).break_lock(&key, held.id()).unwrap();
    let result = subject.check(held.release());
    assert!(matches!(result, Err(Error::NotLocked { .. } | Error::LockId { .. })), "{result:?}");
}

fn the_lock_of_somebody_else_is_not_released(subject: Subject<'_>) {
    let key = subject.key("break-thief");
    let broken = subject.acquire(&key, &info(1)).unwrap();
    locks(subject).break_lock(&key, broken.id()).unwrap();
    let theirs = subject.acquire(&key, &info(2)).unwrap();
    match subject.check(broken.release()) {
        Err(Error::LockId { found, .. }) => assert_eq!(found, theirs.id()),
        other => panic!("{other:?}"),
    }
    assert!(matches!(subject.acquire(&key, &info(3)), Err(Error::Locked { .. })));
    theirs.release().unwrap();
}

fn a_lock_that_cannot_be_broken_says_what_frees_it(subject: Subject<'_>) {
    let key = subject.key("unbreakable");
    let held = subject.acquire(&key, &info(1)).unwrap();
    match subject.check(locks(subject).break_lock(&key, held.id())) {
        Err(Error::Unbreakable { why, .. }) => assert!(!why.is_empty()),
        other => panic!("{other:?}"),
    }
    assert!(matches!(subject.acquire(&key, &info(2)), Err(Error::Locked { .. })));
    held.release().unwrap();
    is_free(subject, &key);
}
