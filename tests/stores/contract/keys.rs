//! Many keys, odd keys, and lists of them.

use std::collections::BTreeSet;
use std::thread;

use tfstate::store::{Entry, Error};

use super::{Keys, Subject};

pub(super) fn hold(subject: Subject<'_>) {
    let Keys::Many { prefix, odd } = subject.traits.keys else { return };
    odd_keys_are_kept_apart_as_they_are(subject, prefix, odd);
    if subject.traits.listed == 0 {
        return;
    }
    odd_keys_are_listed_as_they_are(subject, prefix, odd);
    a_list_holds_every_key_of_its_prefix_once(subject, prefix);
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
