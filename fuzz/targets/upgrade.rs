//! A state of version 1, 2 or 3 becomes one of version 4 that opens, or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tfstate::state::document::Document;
use tfstate::state::parse::{Invalid, ParseError};
use tfstate::state::upgrade;

fuzz_target!(|bytes: &[u8]| {
    for version in 1..=3 {
        if let Ok(upgraded) = upgrade::to_v4(bytes, version) {
            match Document::parse(upgraded.bytes) {
                Err(error) if !is_terraforms(&error) => {
                    panic!("what the upgrade wrote does not open: {error}")
                }
                _ => {}
            }
        }
    }
});

/// Returns whether Terraform carries what is wrong through its own upgrade, and then refuses it.
fn is_terraforms(error: &ParseError) -> bool {
    let ParseError::Invalid(findings) = error else { return false };
    findings.iter().all(|finding| finding.problem == Invalid::TerraformVersion)
}
