//! The store that fails when it is told to does so, and nothing else.

use std::sync::Arc;
use std::time::Duration;

use tfstate::store::{Body, Error, Expected, Found, Holder, Memory, Store, Version};

use crate::contract::{self, Traits, info};
use crate::faulty::{Call, Fault, Faulty};

fn store() -> Faulty {
    Faulty::new(Arc::new(Memory::default()))
}

fn create(store: &dyn Store, bytes: &[u8]) -> Result<Version, Error> {
    store.write("a", &Body { bytes, expected: Expected::Nothing, lock: None })
}

fn bytes(store: &dyn Store) -> Option<Vec<u8>> {
    match store.read("a").unwrap() {
        Found::Bytes(bytes, _) => Some(bytes.to_vec()),
        _ => None,
    }
}

#[test]
fn without_a_fault_it_is_the_store_inside() {
    let store = store();
    contract::holds(&store, &Traits { has_versions: true, ..Traits::EVERYTHING });
    assert!(store.seen().contains(&Call::Release));
}

#[test]
fn a_write_fails_before_after_and_in_the_middle() {
    for (fault, left) in [
        (Fault::Before, None),
        (Fault::After, Some(b"whole".as_slice())),
        (Fault::Torn, Some(b"wh")),
    ] {
        let store = store();
        store.fail(Call::Write, fault);
        create(&store, b"whole").unwrap_err();
        assert_eq!(bytes(&store).as_deref(), left);
        assert_eq!(store.left(), 0);
    }
}

#[test]
fn a_read_is_refused_torn_or_late() {
    let store = store();
    create(&store, b"whole").unwrap();
    store.fail(Call::Read, Fault::Torn);
    assert_eq!(bytes(&store).unwrap(), b"wh");
    store.fail(Call::Read, Fault::Late(Duration::from_millis(1)));
    assert_eq!(bytes(&store).unwrap(), b"whole");
    store.fail(Call::Read, Fault::Before);
    store.read("a").unwrap_err();
}

#[test]
fn something_else_happens_first() {
    let store = store();
    store.fail(Call::Write, Fault::Meanwhile(Box::new(|inner| drop(create(inner, b"theirs")))));
    assert!(matches!(create(&store, b"ours"), Err(Error::Changed { .. })));
    assert_eq!(bytes(&store).unwrap(), b"theirs");
}

#[test]
fn a_lock_is_lost_when_it_is_taken_or_released() {
    let store = store();
    let locks = store.locks().unwrap();
    store.fail(Call::Acquire, Fault::After);
    locks.acquire("a", &info(1)).unwrap_err();
    assert!(matches!(locks.holder("a").unwrap(), Holder::Somebody { .. }));
    locks.break_lock("a", &info(1).id).unwrap();
    let held = locks.acquire("a", &info(2)).unwrap();
    store.fail(Call::Release, Fault::Before);
    held.release().unwrap_err();
    assert!(matches!(locks.holder("a").unwrap(), Holder::Somebody { .. }));
}
