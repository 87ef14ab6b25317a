//! Any bytes are a snapshot of a backup repository or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tfstate::backup::fuzzing;

fuzz_target!(|bytes: &[u8]| fuzzing::snapshot(bytes));
