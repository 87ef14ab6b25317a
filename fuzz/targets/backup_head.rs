//! Any bytes are what a computer remembers of a state or nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tfstate::backup::fuzzing;

fuzz_target!(|bytes: &[u8]| fuzzing::head(bytes));
