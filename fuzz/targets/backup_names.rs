//! Any keys are listed once each; any text is the name of a place.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tfstate::backup::fuzzing;

fuzz_target!(|text: &str| fuzzing::names(text));
