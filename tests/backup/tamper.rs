//! Whoever can write to a repository, and has no key that counts there, makes nothing that is
//! taken for a snapshot, and no snapshot that is taken for another.

use std::fs::OpenOptions;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tfstate::backup::vault::{Folder, Vault};
use tfstate::backup::{Error, Keys, Known, Repository, Signer, Snapshot, Strategy};
use tfstate::base::fs;

use crate::place::{Backup, Owner, at, folder, state};

/// A repository in a folder.
struct Place {
    owner: Owner,
    folder: tempfile::TempDir,
}

impl Place {
    fn new(encrypted: bool) -> Self {
        Self { owner: Owner::new(encrypted), folder: folder() }
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("repo")
    }

    fn vault(&self) -> Arc<dyn Vault> {
        Arc::new(Folder::new(self.root()))
    }

    fn known(&self) -> Known {
        Known::below(&self.folder.path().join("home"))
    }

    fn keep(&self, state: &[u8], second: i64) -> Snapshot {
        let home = self.folder.path().join("home");
        let (vault, signer) = (self.vault(), &self.owner.signer);
        let backup = Backup { vault, signer, home: &home, strategy: Strategy::Incremental, second };
        self.owner.keep(&backup, state).unwrap().snapshot
    }

    fn open(&self) -> Result<Repository, Error> {
        Repository::open(self.vault(), Keys { signer: None, known: Some(&self.known()) })
    }

    fn path(&self, snapshot: &Snapshot) -> PathBuf {
        self.root().join(&snapshot.key)
    }

    /// Returns the one snapshot that is listed under a key.
    fn listed(&self, key: &str) -> Snapshot {
        let listed = self.open().unwrap().list().unwrap();
        listed.into_iter().find(|snapshot| snapshot.key == key).unwrap()
    }

    /// Neither with keys nor without is it taken for a snapshot.
    fn is_refused(&self, snapshot: &Snapshot, what: &str) {
        let repository = self.open().unwrap();
        let refused = |error: &Error| {
            matches!(
                error,
                Error::Damaged { .. }
                    | Error::Newer { .. }
                    | Error::Untrusted { .. }
                    | Error::Parent { .. }
            )
        };
        let checked = repository.check(snapshot).map(|_| ());
        assert!(checked.as_ref().is_err_and(refused), "{what}: {checked:?}");
        let got = self.owner.restore(&repository, snapshot).map(|_| ());
        assert!(got.as_ref().is_err_and(refused), "{what}: {got:?}");
    }
}

fn set_byte(path: &Path, place: usize, byte: u8) {
    let mut file = OpenOptions::new().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(place as u64)).unwrap();
    file.write_all(&[byte]).unwrap();
}

#[test]
fn a_snapshot_with_any_bit_flipped_on_the_disk_is_refused() {
    for encrypted in [true, false] {
        let place = Place::new(encrypted);
        let full = place.keep(&state(3, 0), 0);
        let delta = place.keep(&state(3, 1), 1);
        let (repository, identities) = (place.open().unwrap(), place.owner.identities());
        for snapshot in [&full, &delta] {
            let path = place.path(snapshot);
            let bytes = std::fs::read(&path).unwrap();
            for bit in 0..bytes.len() * 8 {
                let (byte, mask) = (bit / 8, 1_u8 << (bit % 8));
                set_byte(&path, byte, bytes[byte] ^ mask);
                assert!(repository.check(snapshot).is_err(), "bit {bit} of {}", snapshot.key);
                let got = repository.get(snapshot, &identities);
                assert!(got.is_err(), "bit {bit} of {}", snapshot.key);
                set_byte(&path, byte, bytes[byte]);
            }
            repository.get(snapshot, &identities).unwrap();
        }
        // The full one is what the other builds on.
        set_byte(&place.path(&full), 400, !std::fs::read(place.path(&full)).unwrap()[400]);
        assert!(repository.get(&delta, &identities).is_err());
        repository.check(&delta).unwrap();
    }
}

#[test]
fn a_snapshot_cut_or_made_longer_on_the_disk_is_refused() {
    for encrypted in [true, false] {
        let place = Place::new(encrypted);
        let snapshot = place.keep(&state(3, 0), 0);
        let path = place.path(&snapshot);
        let bytes = std::fs::read(&path).unwrap();
        for len in (0..bytes.len()).rev() {
            OpenOptions::new().write(true).open(&path).unwrap().set_len(len as u64).unwrap();
            place.is_refused(&place.listed(&snapshot.key), &format!("cut at {len}"));
        }
        fs::replace(&path, &[bytes.as_slice(), b"\0"].concat()).unwrap();
        place.is_refused(&place.listed(&snapshot.key), "one byte more");
        fs::replace(&path, &bytes).unwrap();
        place.owner.restore(&place.open().unwrap(), &snapshot).unwrap();
    }
}

#[test]
fn objects_that_change_places_are_refused() {
    let place = Place::new(true);
    let [first, second, third] =
        [0, 1, 2].map(|n| place.keep(&state(400, u64::try_from(n).unwrap()), n));
    let bytes = [&first, &second, &third].map(|s| std::fs::read(place.path(s)).unwrap());
    fs::replace(&place.path(&first), &bytes[1]).unwrap();
    fs::replace(&place.path(&second), &bytes[0]).unwrap();
    for snapshot in [&first, &second] {
        place.is_refused(&place.listed(&snapshot.key), "swapped");
    }
    assert!(place.owner.restore(&place.open().unwrap(), &third).is_err(), "its parent is another");
    fs::replace(&place.path(&first), &bytes[0]).unwrap();
    fs::replace(&place.path(&second), &bytes[1]).unwrap();
    assert!(place.owner.restore(&place.open().unwrap(), &third).unwrap() == state(400, 2));
}

/// Puts bytes under a key, and returns what is listed there.
fn planted(place: &Place, key: &str, bytes: &[u8]) -> Snapshot {
    let path = place.root().join(key);
    fs::create_private_folder(path.parent().unwrap()).unwrap();
    fs::write_new(&path, bytes).unwrap();
    place.listed(key)
}

#[test]
fn an_object_under_another_name_in_another_stream_or_repository_is_refused() {
    let (place, other) = (Place::new(true), Place::new(true));
    let old = place.keep(&state(4, 0), 0);
    let newest = place.keep(&state(4, 1), 1);
    let bytes = std::fs::read(place.path(&old)).unwrap();
    let (folder, name) = old.key.rsplit_once('/').unwrap();
    // An older state under a newer name would bring back what was removed since.
    let later = name.replace("-00000001-", "-00000009-");
    for key in [format!("{folder}/{later}"), format!("s/other-01234567/{name}")] {
        place.is_refused(&planted(&place, &key, &bytes), &key);
    }
    other.keep(&state(4, 5), 0);
    let stranger = planted(&other, &old.key, &bytes);
    other.is_refused(&stranger, "from another repository");
    // What is genuine stays so.
    for (snapshot, n) in [(&old, 0), (&newest, 1)] {
        assert!(place.owner.restore(&place.open().unwrap(), snapshot).unwrap() == state(4, n));
    }
}

#[test]
fn a_later_generation_that_is_forged_hides_nothing_for_good() {
    let place = Place::new(true);
    let (full, delta) = (place.keep(&state(400, 0), 0), place.keep(&state(400, 1), 1));
    let forged = full.key.replace("-f-", "-f7-");
    let planted = planted(&place, &forged, &std::fs::read(place.path(&full)).unwrap());
    place.is_refused(&planted, "a generation that nobody made");
    // What builds on the genuine one is not misled.
    assert!(place.owner.restore(&place.open().unwrap(), &delta).unwrap() == state(400, 1));
    assert!(place.owner.restore(&place.open().unwrap(), &full).unwrap() == state(400, 0));
}

#[test]
fn who_has_only_the_recipient_forges_nothing() {
    let place = Place::new(true);
    let genuine = place.keep(&state(4, 0), 0);
    // The same recipients, another signing key: a repository of the forger's own.
    let forger = Place { owner: Owner::new(true), folder: folder() };
    let home = forger.folder.path().join("home");
    let mut owner = Owner::new(true);
    owner.protection = place.owner.protection.clone();
    let backup = Backup {
        vault: forger.vault(),
        signer: &owner.signer,
        home: &home,
        strategy: Strategy::Full,
        second: 9,
    };
    let made = owner.keep(&backup, b"{\"forged\": true}").unwrap().snapshot;
    let bytes = std::fs::read(forger.root().join(&made.key)).unwrap();
    place.is_refused(&planted(&place, &made.key, &bytes), "forged");
    assert!(place.owner.restore(&place.open().unwrap(), &genuine).unwrap() == state(4, 0));
    // Nor does it stop the next backup, or become what that builds on.
    let next = place.keep(&state(4, 1), 20);
    assert!(place.owner.restore(&place.open().unwrap(), &next).unwrap() == state(4, 1));
}

#[test]
fn another_repository_in_the_place_of_one_that_is_known_is_noticed() {
    let (place, other) = (Place::new(true), Place::new(true));
    place.keep(&state(4, 0), 0);
    other.keep(&state(4, 0), 0);
    let (record, theirs) = (place.root().join("repo.json"), other.root().join("repo.json"));
    let genuine = std::fs::read(&record).unwrap();
    fs::replace(&record, &std::fs::read(theirs).unwrap()).unwrap();
    assert!(matches!(place.open(), Err(Error::Stranger { .. })));
    for len in 0..genuine.len() {
        fs::replace(&record, &genuine[..len]).unwrap();
        assert!(matches!(place.open(), Err(Error::Record { .. })), "cut at {len}");
    }
    for bit in 0..genuine.len() * 8 {
        let mut bytes = genuine.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        fs::replace(&record, &bytes).unwrap();
        assert!(place.open().is_err(), "bit {bit}");
    }
    fs::replace(&record, &genuine).unwrap();
    place.open().unwrap();
}

#[test]
fn a_further_record_that_is_forged_changed_or_removed_is_noticed() {
    let place = Place::new(true);
    place.keep(&state(4, 0), 0);
    let writer = Signer::generate().unwrap().public();
    place.open().unwrap().authorize(writer, &place.owner.signer, at(0)).unwrap();
    place.open().unwrap().revoke(writer, &place.owner.signer, at(1)).unwrap();
    place.open().unwrap();
    let path = |number: u32| place.root().join(format!("c/{number:08x}.json"));
    let genuine = [1, 2].map(|number| std::fs::read(path(number)).unwrap());
    // Without the last one the writer would count again.
    std::fs::remove_file(path(2)).unwrap();
    assert!(matches!(place.open(), Err(Error::Stranger { .. })));
    // One that another signed, which has the right place in its own repository.
    let other = Place::new(true);
    other.keep(&state(4, 0), 0);
    other.open().unwrap().authorize(writer, &other.owner.signer, at(0)).unwrap();
    let forged = std::fs::read(other.root().join("c/00000001.json")).unwrap();
    for (number, bytes) in [(2, &forged), (2, &genuine[0]), (3, &genuine[1])] {
        fs::replace(&path(number), bytes).unwrap();
        assert!(matches!(place.open(), Err(Error::Record { .. })), "{number}");
        std::fs::remove_file(path(number)).unwrap();
    }
    fs::replace(&path(1), &forged).unwrap();
    assert!(matches!(place.open(), Err(Error::Record { .. })));
    fs::replace(&path(1), &genuine[0]).unwrap();
    fs::replace(&path(2), &genuine[1]).unwrap();
    place.open().unwrap();
}

#[test]
fn what_no_owner_signed_removes_nothing() {
    let place = Place::new(true);
    let snapshot = place.keep(&state(4, 0), 0);
    for folder in ["gc", "x"] {
        let text = format!(
            "{{\"v\":1,\"must_understand\":[],\"repo\":\"r\",\"created\":\"20260801T101500Z\",\"snapshots\":[\"{}\"]}}\n\n",
            snapshot.key
        );
        let path = place.root().join(folder).join("20260801T101500Z-01234567.json");
        fs::create_private_folder(path.parent().unwrap()).unwrap();
        fs::write_new(&path, text.as_bytes()).unwrap();
    }
    let repository = place.open().unwrap();
    let catalogue = repository.catalogue().unwrap();
    assert!(!catalogue.is_doomed(&snapshot));
    assert!(place.owner.restore(&repository, &snapshot).unwrap() == state(4, 0));
}

#[test]
fn a_snapshot_in_plain_text_is_none_in_a_repository_that_encrypts() {
    let (place, plain) = (Place::new(true), Place::new(false));
    place.keep(&state(4, 0), 0);
    let snapshot = plain.keep(&state(4, 0), 5);
    let bytes = std::fs::read(plain.path(&snapshot)).unwrap();
    let planted = planted(&place, &snapshot.key, &bytes);
    place.is_refused(&planted, "in plain text");
}
