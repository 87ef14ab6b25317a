//! Any text is a filter or an error whose span lies in the text; a printed filter is read back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tfstate::query::filter::Filter;

fuzz_target!(|text: &str| {
    match text.parse::<Filter>() {
        Ok(filter) => {
            let printed = filter.to_string();
            let again: Filter = printed.parse().expect("a printed filter is a filter");
            assert_eq!(again.to_string(), printed);
        }
        Err(error) => {
            assert!(error.at.start <= error.at.end && error.at.end <= text.len());
            let _ = error.caret(text);
        }
    }
});
