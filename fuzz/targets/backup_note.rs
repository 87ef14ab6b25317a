//! Any bytes are a record or a list of removed snapshots or an error, signed or not.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tfstate::backup::fuzzing;

fuzz_target!(|bytes: &[u8]| fuzzing::note(bytes));
