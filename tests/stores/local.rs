//! Files.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;
use tfstate::base::env::Env;
use tfstate::store::backend::Local;
use tfstate::store::{Backend, Body, Error, Expected, Found, Holder, Store, Version, connect};

use crate::contract::{self, Keys, LockTraits, ODD_KEYS, Traits, info};

const OLD: &[u8] = br#"{"version":4,"serial":1}"#;

/// A folder, and the store of a state in it.
struct Place {
    folder: TempDir,
    store: Arc<dyn Store>,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("terraform.tfstate");
        let store = at(&path);
        Self { folder, store }
    }

    fn with(bytes: &[u8]) -> Self {
        let place = Self::new();
        tfstate::base::fs::write_new(&place.state(), bytes).unwrap();
        place
    }

    fn state(&self) -> PathBuf {
        self.path("terraform.tfstate")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn version(&self) -> Version {
        match self.store.read("").unwrap() {
            Found::Empty(version) | Found::Bytes(_, version) => version,
            Found::Nothing => panic!("there is nothing"),
        }
    }

    fn replace(&self, bytes: &[u8], lock: Option<&str>) -> Result<Version, Error> {
        let version = self.version();
        let expected = Expected::Version(&version);
        self.store.write("", &Body { bytes, expected, lock })
    }
}

fn at(path: &Path) -> Arc<dyn Store> {
    let settings = Local { path: Some(path.to_owned()), workspace_dir: None };
    connect(&Backend::Local(settings), &Env::default()).unwrap()
}

const LOCKS: LockTraits =
    LockTraits { names_holder: true, can_be_broken: false, notices_thief: true };

#[test]
fn files_hold_the_contract() {
    let place = Place::new();
    let prefix = format!("{}/", place.path("contract").display());
    let traits = Traits {
        keys: Keys::Many { prefix: &prefix, odd: ODD_KEYS },
        locks: Some(LOCKS),
        ..Traits::EVERYTHING
    };
    contract::holds(&*place.store, &traits);
}

#[test]
fn the_state_of_the_default_workspace_holds_the_contract() {
    let place = Place::new();
    let traits = Traits { keys: Keys::One(""), locks: Some(LOCKS), ..Traits::EVERYTHING };
    contract::holds(&*place.store, &traits);
    assert!(place.names().is_empty() || place.names() == ["terraform.tfstate"]);
}

#[test]
fn a_state_is_written_in_place_and_keeps_its_file() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let place = Place::with(OLD);
    fs::set_permissions(place.state(), fs::Permissions::from_mode(0o640)).unwrap();
    let before = fs::metadata(place.state()).unwrap();
    place.replace(b"{}", None).unwrap();
    let after = fs::metadata(place.state()).unwrap();
    assert_eq!((after.ino(), after.mode()), (before.ino(), before.mode()));
    assert_eq!(place.names(), ["terraform.tfstate"]);
}

#[test]
fn a_symbolic_link_stays_one() {
    let place = Place::new();
    tfstate::base::fs::write_new(&place.path("real"), OLD).unwrap();
    std::os::unix::fs::symlink("real", place.state()).unwrap();
    place.replace(b"{}", None).unwrap();
    assert!(place.state().symlink_metadata().unwrap().is_symlink());
    assert_eq!(fs::read(place.path("real")).unwrap(), b"{}");
}

#[test]
fn the_note_of_a_lock_is_terraforms_and_private() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::with(OLD);
    let held = place.store.locks().unwrap().acquire("", &info(1)).unwrap();
    let note = place.path(".terraform.tfstate.lock.info");
    assert_eq!(fs::metadata(&note).unwrap().permissions().mode() & 0o777, 0o600);
    let said = fs::read_to_string(&note).unwrap();
    let path = place.state().display().to_string();
    assert!(said.starts_with("{\"ID\":\"5b3c1a52-0000-4000-8000-000000000001\",\"Operation\":"));
    assert!(said.ends_with(&format!(",\"Path\":\"{path}\"}}")), "{said}");
    held.release().unwrap();
    assert_eq!(place.names(), ["terraform.tfstate"]);
}

#[test]
fn a_note_without_a_lock_locks_nothing() {
    let place = Place::with(OLD);
    let note = br#"{"ID":"stale","Who":"ghost@host"}"#;
    tfstate::base::fs::write_new(&place.path(".terraform.tfstate.lock.info"), note).unwrap();
    let locks = place.store.locks().unwrap();
    assert_eq!(locks.holder("").unwrap(), Holder::Nobody);
    locks.acquire("", &info(1)).unwrap().release().unwrap();
    assert_eq!(place.names(), ["terraform.tfstate"]);
}

#[test]
fn an_empty_file_that_was_there_before_the_lock_stays() {
    let place = Place::with(b"");
    place.store.locks().unwrap().acquire("", &info(1)).unwrap().release().unwrap();
    assert_eq!(place.names(), ["terraform.tfstate"]);
}

#[test]
fn what_is_read_and_copied_under_a_lock_does_not_end_it() {
    let place = Place::with(OLD);
    let held = place.store.locks().unwrap().acquire("", &info(1)).unwrap();
    assert_eq!(fs::read(place.state()).unwrap(), OLD);
    place.version();
    let other = at(&place.state());
    assert!(matches!(other.locks().unwrap().acquire("", &info(2)), Err(Error::Locked { .. })));
    held.release().unwrap();
}

#[test]
fn a_write_without_the_lock_that_somebody_holds_is_refused() {
    let place = Place::with(OLD);
    let other = at(&place.state());
    let held = other.locks().unwrap().acquire("", &info(1)).unwrap();
    match place.replace(b"{}", None) {
        Err(Error::Locked { holder, .. }) => {
            assert!(matches!(*holder, Holder::Somebody { info, .. } if info.who == "user1@host"));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(fs::read(place.state()).unwrap(), OLD);
    held.release().unwrap();
}

#[test]
fn a_file_that_took_the_place_of_the_locked_one_is_not_written() {
    let place = Place::with(OLD);
    let held = place.store.locks().unwrap().acquire("", &info(1)).unwrap();
    tfstate::base::fs::replace(&place.state(), b"theirs").unwrap();
    let result = place.replace(b"ours", Some(held.id()));
    assert!(matches!(result, Err(Error::Changed { .. })), "{result:?}");
    assert_eq!(fs::read(place.state()).unwrap(), b"theirs");
    drop(held);
    assert_eq!(fs::read(place.state()).unwrap(), b"theirs");
}

#[test]
fn an_interrupted_write_says_where_the_whole_state_is() {
    let mark: &[u8] = b"tfstate was interrupted while it wrote this file.\n";
    let place = Place::with(&[mark, b"half"].concat());
    let error = place.store.read("").unwrap_err();
    let copy = place.folder.path().canonicalize().unwrap().join(".terraform.tfstate.unfinished");
    let expected = format!(
        "cannot read {}: writing it was interrupted; the whole state is in {}",
        place.state().display(),
        copy.display()
    );
    assert_eq!(error.to_string(), expected);
    assert_eq!(place.store.read_start("", 1).unwrap_err().to_string(), expected);
}

#[test]
fn a_list_follows_no_folder_in_circles() {
    let place = Place::with(OLD);
    std::os::unix::fs::symlink(".", place.path("loop")).unwrap();
    std::os::unix::fs::symlink("nowhere", place.path("dangling")).unwrap();
    std::os::unix::fs::symlink("terraform.tfstate", place.path("linked")).unwrap();
    let prefix = format!("{}/", place.folder.path().display());
    let mut keys = Vec::new();
    let each = &mut |entry: tfstate::store::Entry| {
        keys.push(entry.key.trim_start_matches(&prefix).to_owned());
        Ok(())
    };
    place.store.list(&prefix, each).unwrap();
    keys.sort();
    assert_eq!(keys, ["linked", "terraform.tfstate"]);
}
