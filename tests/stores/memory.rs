//! The store that the tests of others stand on.

use tfstate::store::{Body, Expected, Memory, Store};

use crate::contract::{self, Traits};

#[test]
fn a_store_in_memory_holds_the_contract() {
    let store = Memory::default();
    let traits = Traits { has_versions: true, ..Traits::EVERYTHING };
    contract::holds(&store, &traits);
}

#[test]
fn debug_output_shows_no_state() {
    let store = Memory::default();
    let body = Body { bytes: b"S3CR3T", expected: Expected::Nothing, lock: None };
    store.write("a", &body).unwrap();
    assert_eq!(format!("{store:?}"), "Memory(1 keys, 0 locks)");
}
