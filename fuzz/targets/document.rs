//! Any bytes are a document or an error; a document comes out as it went in, and what its index
//! points at can be read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tfstate::state::document::Document;
use tfstate::state::scan::Scanner;
use tfstate::state::sensitive::Reveal;

fuzz_target!(|bytes: &[u8]| {
    agrees_with_serde_json(bytes);
    let Ok(document) = Document::parse(bytes.to_vec()) else { return };
    let mut out = Vec::new();
    document.write(&mut out).expect("writing to memory does not fail");
    assert_eq!(out, bytes);
    let mut last = None;
    for instance in document.instances() {
        let address = instance.address();
        assert!(last.as_ref().is_none_or(|last| *last <= address), "instances are in order");
        let _ = (instance.shown_attributes(Reveal::No), instance.details(), instance.id());
        last = Some(address);
    }
    for output in document.outputs() {
        let _ = (output.shown_value(Reveal::No), output.kind());
    }
});

/// The scanner and serde_json accept the same texts, within serde_json's depth and UTF-8.
fn agrees_with_serde_json(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if text.matches(['[', '{']).count() > 100 {
        return;
    }
    let mut scanner = Scanner::new(bytes);
    let ours = scanner.value().is_ok() && scanner.end().is_ok();
    let theirs = serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    assert_eq!(ours, theirs);
}
