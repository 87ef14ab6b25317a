//! Reading, creating, replacing and deleting.

use tfstate::store::{Error, Found, Version};

use super::{Subject, is_changed};

const OLD: &[u8] = br#"{"version":4,"serial":1}"#;
const NEW: &[u8] = br#"{"version":4,"serial":2}"#;

pub(super) fn hold(subject: Subject<'_>) {
    nothing_is_read_as_nothing(subject);
    what_is_created_is_read_back(subject);
    creating_needs_that_there_is_nothing(subject);
    replacing_needs_the_version_that_was_read(subject);
    deleting_needs_the_version_that_was_read(subject);
    a_deleted_key_can_be_created_again(subject);
    if subject.traits.can_be_empty {
        what_holds_no_bytes_is_empty_and_can_be_replaced(subject);
    }
    a_large_body_comes_back_as_it_went(subject);
    the_beginning_can_be_read_alone(subject);
    every_byte_comes_back_as_it_went(subject);
    versions_are_kept_or_refused(subject);
    debug_output_and_names_hold_no_credential(subject);
}

fn nothing_is_read_as_nothing(subject: Subject<'_>) {
    let key = subject.key("nothing");
    subject.is_nothing(&key);
    assert_eq!(subject.store.head(&key).unwrap(), None);
}

fn what_is_created_is_read_back(subject: Subject<'_>) {
    let key = subject.key("created");
    let written = subject.create(&key, OLD).unwrap();
    let (bytes, read) = subject.bytes(&key);
    assert_eq!((bytes.as_slice(), &read), (OLD, &written));
    let entry = subject.store.head(&key).unwrap().unwrap();
    assert_eq!((entry.key.as_str(), entry.len, &entry.version), (&*key, OLD.len() as u64, &read));
}

fn creating_needs_that_there_is_nothing(subject: Subject<'_>) {
    let key = subject.key("create-twice");
    let first = subject.create(&key, OLD).unwrap();
    is_changed(subject.create(&key, NEW));
    assert_eq!(subject.bytes(&key), (OLD.to_vec(), first));
}

fn replacing_needs_the_version_that_was_read(subject: Subject<'_>) {
    let key = subject.key("replace");
    let first = subject.create(&key, OLD).unwrap();
    let second = subject.replace(&key, &first, NEW).unwrap();
    assert_ne!(first, second);
    assert_eq!(subject.bytes(&key), (NEW.to_vec(), second.clone()));
    is_changed(subject.replace(&key, &first, b"stale"));
    assert_eq!(subject.bytes(&key), (NEW.to_vec(), second.clone()));

    let gone = subject.key("replace-gone");
    if gone != key {
        is_changed(subject.replace(&gone, &second, b"stale"));
        subject.is_nothing(&gone);
    }
}

fn deleting_needs_the_version_that_was_read(subject: Subject<'_>) {
    let key = subject.key("delete");
    let first = subject.create(&key, OLD).unwrap();
    let second = subject.replace(&key, &first, NEW).unwrap();
    is_changed(subject.check(subject.store.delete(&key, &first, None)));
    assert_eq!(subject.bytes(&key), (NEW.to_vec(), second.clone()));
    subject.store.delete(&key, &second, None).unwrap();
    subject.is_nothing(&key);
    assert_eq!(subject.store.head(&key).unwrap(), None);
    is_changed(subject.check(subject.store.delete(&key, &second, None)));
}

fn a_deleted_key_can_be_created_again(subject: Subject<'_>) {
    let key = subject.key("again");
    let version = subject.create(&key, OLD).unwrap();
    subject.store.delete(&key, &version, None).unwrap();
    subject.create(&key, NEW).unwrap();
    assert_eq!(subject.bytes(&key).0, NEW);
}

fn what_holds_no_bytes_is_empty_and_can_be_replaced(subject: Subject<'_>) {
    let key = subject.key("empty");
    subject.create(&key, b"").unwrap();
    let found = subject.store.read(&key).unwrap();
    let Found::Empty(version) = found else { panic!("{found:?}") };
    let entry = subject.store.head(&key).unwrap().unwrap();
    assert_eq!(entry.len, 0);
    subject.replace(&key, &version, NEW).unwrap();
    assert_eq!(subject.bytes(&key).0, NEW);
}

fn a_large_body_comes_back_as_it_went(subject: Subject<'_>) {
    let key = subject.key("large");
    let body: Vec<u8> = (b'a'..=b'y').cycle().take(subject.traits.large).collect();
    let version = subject.create(&key, &body).unwrap();
    let (bytes, read) = subject.bytes(&key);
    assert!(bytes == body, "{} bytes came back of {}", bytes.len(), body.len());
    assert_eq!(read, version);
    subject.store.delete(&key, &version, None).unwrap();
}

fn the_beginning_can_be_read_alone(subject: Subject<'_>) {
    let key = subject.key("beginning");
    let nothing = subject.check(subject.store.read_start(&key, 8)).unwrap();
    assert!(matches!(nothing, Found::Nothing), "{nothing:?}");
    if subject.traits.can_be_empty {
        let version = subject.create(&key, b"").unwrap();
        let found = subject.store.read_start(&key, 8).unwrap();
        let Found::Empty(read) = found else { panic!("{found:?}") };
        assert_eq!(read, version);
        subject.store.delete(&key, &version, None).unwrap();
    }
    let body: Vec<u8> = (b'a'..=b'y').cycle().take(100_000).collect();
    let version = subject.create(&key, &body).unwrap();
    for len in [1, 8, 70_000, 99_999, 100_000, 100_001, u64::MAX] {
        let found = subject.store.read_start(&key, len).unwrap();
        let Found::Bytes(bytes, read) = found else { panic!("{len}: {found:?}") };
        let end = body.len().min(usize::try_from(len).unwrap());
        assert!(*bytes == body[..end], "{} bytes came of {end}", bytes.len());
        let is_whole = end == body.len();
        assert!(read == version || (!is_whole && read == Version::default()), "{len}: {read:?}");
    }
    subject.store.delete(&key, &version, None).unwrap();
}

/// Text only: no store is asked to keep what is not, and Postgres can't.
fn every_byte_comes_back_as_it_went(subject: Subject<'_>) {
    let key = subject.key("text");
    let text: String =
        (1..0x250).filter_map(char::from_u32).chain("\r\n\u{1f600}\n".chars()).collect();
    subject.create(&key, text.as_bytes()).unwrap();
    assert_eq!(subject.bytes(&key).0, text.as_bytes());
}

fn versions_are_kept_or_refused(subject: Subject<'_>) {
    let key = subject.key("versions");
    let first = subject.create(&key, OLD).unwrap();
    let second = subject.replace(&key, &first, NEW).unwrap();
    let versions = subject.check(subject.store.versions(&key));
    if !subject.traits.has_versions {
        assert!(matches!(versions, Err(Error::NoVersions { .. })), "{versions:?}");
        return;
    }
    let versions = versions.unwrap();
    let seen: Vec<_> = versions.iter().map(|v| (v.len, v.is_current, v.is_deletion)).collect();
    let (old, new) = (OLD.len() as u64, NEW.len() as u64);
    assert_eq!(seen, [(new, true, false), (old, false, false)], "newest first");
    let ids: Vec<_> = versions.iter().map(|v| Some(v.id.clone())).collect();
    assert_eq!(ids, [second.id.clone(), first.id.clone()]);
    is_in_version(subject, &key, &first, OLD);
    is_in_version(subject, &key, &second, NEW);
    subject.store.delete(&key, &second, None).unwrap();
    is_in_version(subject, &key, &first, OLD);
    let after = subject.store.versions(&key).unwrap();
    let kept = after.iter().filter(|version| !version.is_deletion).count();
    assert_eq!(kept, 2, "what was deleted is still among the versions: {after:?}");
}

#[track_caller]
fn is_in_version(subject: Subject<'_>, key: &str, version: &Version, expected: &[u8]) {
    let found = subject.store.read_version(key, version.id.as_deref().unwrap()).unwrap();
    let Found::Bytes(bytes, read) = found else { panic!("{found:?}") };
    assert_eq!((&*bytes, &read.id), (expected, &version.id));
}

fn debug_output_and_names_hold_no_credential(subject: Subject<'_>) {
    let key = subject.key("debug");
    subject.is_free_of_secrets(&format!("{:?} {:#?}", subject.store, subject.store));
    subject.is_free_of_secrets(&subject.store.name(&key));
    subject.is_free_of_secrets(&format!("{:?}", subject.store.locks()));
    assert!(!subject.store.name(&key).is_empty());
}
