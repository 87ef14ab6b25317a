//! A state of version 1, 2 or 3 becomes one of version 4 that opens, or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tfstate::state::document::Document;
use tfstate::state::upgrade;

fuzz_target!(|bytes: &[u8]| {
    for version in 1..=3 {
        if let Ok(upgraded) = upgrade::to_v4(bytes, version) {
            if let Err(error) = Document::parse(upgraded.bytes) {
                panic!("what the upgrade wrote does not open: {error}");
            }
        }
    }
});
