//! Any bytes are a delta that makes the state it announces or an error; what is told comes back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tfstate::backup::fuzzing;

fuzz_target!(|bytes: &[u8]| fuzzing::delta(bytes));
