//! Many keys, odd keys, and lists of them.

use std::collections::BTreeSet;
use std::thread;

use tfstate::store::{self, Cuts, Entry, Error};

use super::{Keys, Subject};

pub(super) fn hold(subject: Subject<'_>) {
    let Keys::Many { prefix, odd } = subject.traits.keys else { return };
    odd_keys_are_kept_apart_as_they_are(subject, prefix, odd);
    if subject.traits.listed == 0 {
        return;
    }
    odd_keys_are_listed_as_they_are(subject, prefix, odd);
    a_list_holds_every_key_of_its_prefix_once(subject, prefix);
    a_long_list_is_the_same_in_parts(subject, prefix);
    what_comes_after_an_odd_key_is_listed(subject, prefix, odd);
    a_list_ends_with_the_error_of_its_reader(subject, prefix);
    a_prefix_of_nothing_lists_nothing(subject, prefix);
}

fn odd_key(prefix: &str, odd: &str) -> String {
    format!("{prefix}odd/{odd}")
}

fn odd_keys_are_kept_apart_as_they_are(subject: Subject<'_>, prefix: &str, odd: &[&str]) {
    for odd in odd {
        let key = odd_key(prefix, odd);
        subject.clear(&key);
        subject.create(&key, odd.as_bytes()).unwrap_or_else(|e| panic!("{odd}: {e:?}"));
    }
    for odd in odd {
        let (bytes, version) = subject.bytes(&odd_key(prefix, odd));
        assert_eq!(str::from_utf8(&bytes).unwrap(), *odd);
        let entry = subject.store.head(&odd_key(prefix, odd)).unwrap().unwrap();
        assert_eq!((entry.key, entry.version), (odd_key(prefix, odd), version));
    }
}

fn odd_keys_are_listed_as_they_are(subject: Subject<'_>, prefix: &str, odd: &[&str]) {
    let listed = keys(&subject.list(&odd_key(prefix, "")));
    let written: BTreeSet<String> = odd.iter().map(|odd| odd_key(prefix, odd)).collect();
    assert_eq!(listed, written);
}

fn keys(entries: &[Entry]) -> BTreeSet<String> {
    entries.iter().map(|entry| entry.key.clone()).collect()
}

fn a_list_holds_every_key_of_its_prefix_once(subject: Subject<'_>, prefix: &str) {
    let count = subject.traits.listed;
    let key = |n: usize| format!("{prefix}listed/{n:05}.tfstate");
    thread::scope(|scope| {
        for worker in 0..16 {
            scope.spawn(move || {
                for n in (worker..count).step_by(16) {
                    subject.clear(&key(n));
                    subject.create(&key(n), n.to_string().as_bytes()).unwrap();
                }
            });
        }
    });
    subject.clear(&format!("{prefix}listed-not"));
    subject.create(&format!("{prefix}listed-not"), b"{}").unwrap();
    let entries = subject.list(&format!("{prefix}listed/"));
    assert_eq!(entries.len(), count);
    assert_eq!(keys(&entries), (0..count).map(key).collect());
    // A prefix may end within a name.
    let some = subject.list(&format!("{prefix}listed/0000"));
    assert_eq!(some.len(), count.min(10));
    let entry = some.iter().find(|entry| entry.key == key(3)).unwrap();
    assert_eq!(entry.len, 1);
    // A list may know less of a version than a read does, but nothing else.
    let read = subject.bytes(&key(3)).1;
    let agrees = |listed: &Option<String>, read| listed.is_none() || *listed == read;
    assert!(agrees(&entry.version.tag, read.tag.clone()), "{entry:?} {read:?}");
    assert!(agrees(&entry.version.id, read.id.clone()), "{entry:?} {read:?}");
}

fn a_long_list_is_the_same_in_parts(subject: Subject<'_>, prefix: &str) {
    let folder = tempfile::tempdir().unwrap();
    let cuts = Cuts::below(folder.path(), "the store".to_owned());
    let place = (subject.store, format!("{prefix}listed/"));
    for _ in 0..2 {
        let mut listed = store::list((place.0, &place.1), Some(&cuts), &mut |all, entry| {
            all.push(entry);
            Ok(())
        })
        .unwrap();
        listed.sort_by(|a: &Entry, b| a.key.cmp(&b.key));
        let mut whole = subject.list(&place.1);
        whole.sort_by(|a, b| a.key.cmp(&b.key));
        assert_eq!(listed, whole);
    }
}

fn what_comes_after_an_odd_key_is_listed(subject: Subject<'_>, prefix: &str, odd: &[&str]) {
    let Some(pages) = subject.store.pages() else { return };
    let all: BTreeSet<String> = odd.iter().map(|odd| odd_key(prefix, odd)).collect();
    for after in &all {
        let mut listed = Vec::new();
        let begins = pages.list_after(&odd_key(prefix, ""), Some(after), &mut |page| {
            listed.extend(page.into_iter().map(|entry| entry.key));
            true
        });
        assert!(begins.unwrap(), "{after}");
        let behind: Vec<String> = all.iter().filter(|key| *key > after).cloned().collect();
        assert_eq!(listed, behind, "{after}");
    }
}

fn a_list_ends_with_the_error_of_its_reader(subject: Subject<'_>, prefix: &str) {
    let mut seen = 0;
    let result = subject.store.list(&format!("{prefix}listed/"), &mut |_| {
        seen += 1;
        Err(Error::NotFound { what: "the way on".to_owned() })
    });
    assert!(matches!(result, Err(Error::NotFound { .. })), "{result:?}");
    assert_eq!(seen, 1);
}

fn a_prefix_of_nothing_lists_nothing(subject: Subject<'_>, prefix: &str) {
    assert_eq!(subject.list(&format!("{prefix}no/such/")), []);
}
