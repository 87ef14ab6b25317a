//! The program from end to end: what is typed, what is printed, and the exit status.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod backup;
mod change;
mod colors;
mod completions;
mod config;
mod diff;
mod diff_compare;
mod diff_fold;
mod diff_hostile;
mod diff_input;
mod diff_pager;
mod diff_rules;
mod earlier;
mod exits;
mod get;
mod guard;
mod list;
mod man;
mod output;
mod places;
mod prune;
mod query;
mod reference;
mod repo;
mod restore;
mod sandbox;
mod schedule;
mod show;
mod snapshots;
mod stats;
mod verify;

/// A file without its `mod` line would never run.
#[test]
fn no_file_is_forgotten() {
    let main = include_str!("main.rs");
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli");
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let Some(module) = name.strip_suffix(".rs").filter(|module| *module != "main") else {
            continue;
        };
        assert!(main.contains(&format!("mod {module};\n")), "{name} has no `mod` line");
    }
}
