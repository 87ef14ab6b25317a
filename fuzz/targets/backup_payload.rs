//! Any bytes are the inside of a snapshot or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tfstate::backup::fuzzing;

fuzz_target!(|bytes: &[u8]| fuzzing::payload(bytes));
