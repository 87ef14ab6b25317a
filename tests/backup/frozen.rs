//! A repository that was made once, and is read for ever: by the library, and by a program that
//! shares nothing with it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use tfstate::backup::vault::{Folder, Vault};
use tfstate::backup::{Identities, Keys, Kind, Protection, Repository};

use crate::place::{skipped, state};
use crate::program::{Program, is_installed, text};

/// The versions that are kept. A repository is added for each version of the format; none is ever
/// changed.
const VERSIONS: [&str; 1] = ["v1"];

fn testdata(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/backup").join(name)
}

/// Returns the states that a frozen repository holds, the oldest first.
fn expected(version: &str) -> Vec<Vec<u8>> {
    let mut states: Vec<PathBuf> = crate::place::files(&testdata(version).join("expected"));
    states.sort();
    states.into_iter().map(|path| std::fs::read(path).unwrap()).collect()
}

fn open(version: &str) -> Repository {
    let vault: Arc<dyn Vault> = Arc::new(Folder::new(testdata(version).join("repo")));
    Repository::open(vault, Keys::default()).unwrap()
}

#[test]
fn every_frozen_repository_is_read() {
    for version in VERSIONS {
        let identities = Identities::read(&[testdata(version).join("identity.txt")]).unwrap();
        let repository = open(version);
        assert!(matches!(repository.protection(), Protection::Recipients(_)));
        let listed = repository.list().unwrap();
        let kinds: Vec<Kind> = listed.iter().map(|snapshot| snapshot.kind).collect();
        let [full, differential] = [Kind::Full, Kind::Differential];
        assert_eq!(kinds, [full, differential, Kind::Incremental, differential]);
        let states = expected(version);
        assert_eq!(listed.len(), states.len());
        for (snapshot, state) in listed.iter().zip(states) {
            repository.check(snapshot).unwrap();
            let restored = repository.get(snapshot, &identities).unwrap();
            assert!(*restored.state == *state, "{}", snapshot.key);
        }
    }
}

/// Returns whether what the independent reader needs is there; says so where it is not.
fn can_read_independently() -> bool {
    let missing: Vec<&str> =
        ["python3", "age", "zstd"].into_iter().filter(|name| !is_installed(name)).collect();
    if !missing.is_empty() {
        skipped(&format!("the independent reader needs {}", missing.join(", ")));
    }
    missing.is_empty()
}

/// Runs the reader, and returns what it wrote into a folder, the oldest first.
fn read_independently(repository: &Path, identity: &Path) -> Vec<Vec<u8>> {
    let out = tempfile::tempdir().unwrap();
    let mut command = Command::new("python3");
    command.arg(testdata("reader.py")).args([repository, identity, out.path()]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    let states = crate::place::files(out.path());
    states.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

#[test]
fn a_program_that_shares_nothing_with_this_one_reads_frozen_repositories() {
    if !can_read_independently() {
        return;
    }
    for version in VERSIONS {
        let folder = testdata(version);
        let states = read_independently(&folder.join("repo"), &folder.join("identity.txt"));
        assert!(states == expected(version), "{version}");
    }
}

#[test]
fn a_program_that_shares_nothing_with_this_one_reads_what_this_version_writes() {
    if !can_read_independently() {
        return;
    }
    let program = Program::new();
    let mut states = vec![Vec::new(), b"no state".to_vec()];
    states.extend((0..6).map(|n| state(30 + n, n)));
    let strategies = ["full", "incremental", "differential", "incremental"];
    for (n, state) in states.iter().enumerate() {
        program.write(state);
        // Standard input is how an empty state is told from none.
        program.back_up(&["--strategy", strategies[n % 4]]);
    }
    let read = read_independently(&program.path("repo"), &program.path("key.txt"));
    assert!(read == states);
}
