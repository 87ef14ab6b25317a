//! Where the fuzz targets come in: each takes any bytes, and nothing may panic or take more memory
//! than it declares. What is signed is signed here first, or no byte behind a signature would ever
//! be looked at.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use serde_json::value::RawValue;

use super::container::{self, MAGIC};
use super::heads::{Head, Member};
use super::record::{self, FIRST, Records};
use super::sign::{PublicKey, Signer};
use super::snapshot::Snapshot;
use super::vault::{Object, Stored, Vault};
use super::{body, delta, note, stream_of, tomb};
use crate::store::Memory;

/// Reads a snapshot's file: as it is, and with the bytes for a header that is signed.
pub fn snapshot(bytes: &[u8]) {
    read_snapshot(bytes);
    let mut file = MAGIC.to_vec();
    file.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes());
    file.extend_from_slice(&[0; 4]);
    file.extend_from_slice(bytes);
    file.extend_from_slice(&1_u16.to_le_bytes());
    file.extend_from_slice(&signer().sign(container::DOMAIN, bytes));
    read_snapshot(&file);
}

fn read_snapshot(file: &[u8]) {
    let head = container::head(file);
    if let Ok((opened, payload)) = container::open(file) {
        assert_eq!(opened.len + payload.len(), file.len(), "nothing is left over");
        assert_eq!(opened.total(), file.len() as u64, "it is as long as it says");
        assert!(head.is_ok(), "what can be opened has a head");
    }
}

/// Reads what is inside a payload: the bytes as they are, and the bytes compressed.
pub fn payload(bytes: &[u8]) {
    read_payload(bytes);
    if let Ok(packed) = zstd::encode_all(bytes, 1) {
        read_payload(&packed);
    }
}

fn read_payload(packed: &[u8]) {
    let Ok((inner, content)) = body::open(packed).and_then(body::Opened::content) else { return };
    if let body::Content::State(state) = content {
        assert_eq!(inner.state.length, state.len() as u64, "a state is as long as it says");
    }
}

/// Applies a delta: the first byte says how long the state before is, the second how long the one
/// after.
pub fn delta(bytes: &[u8]) {
    let Some((&[before, after], rest)) = bytes.split_first_chunk() else { return };
    let Some((base, delta)) = rest.split_at_checked(usize::from(before)) else { return };
    if let Ok(state) = delta::decode(delta, base, usize::from(after)) {
        assert_eq!(state.len(), usize::from(after), "a state is as long as announced");
    }
    let key = delta::Key::new([7; 32]);
    let base_index = delta::Index::of(base, &key, Some(&delta::Index::default()));
    let index = delta::Index::of(delta, &key, Some(&base_index));
    let told = delta::encode(delta, &index, &base_index).expect("there is memory");
    let again = delta::decode(&told, base, delta.len());
    assert_eq!(again.as_deref(), Ok(delta), "what is told is restored");
}

/// Reads records and lists of removed snapshots: as they are, and signed if they are JSON.
pub fn note(bytes: &[u8]) {
    read_notes(bytes, bytes);
    if let Ok(text) = serde_json::from_slice::<&RawValue>(bytes) {
        let sealed = |domain| note::seal(domain, &text, signer());
        read_notes(&sealed(record::DOMAIN), &sealed(tomb::DOMAIN));
    }
}

fn read_notes(record: &[u8], tomb: &[u8]) {
    let vault = Stored::new(Arc::new(Memory::default()), "r");
    for (key, bytes) in [(FIRST, record), ("c/00000001.json", record), ("gc/a.json", tomb)] {
        vault.create(key, bytes).expect("memory takes everything");
    }
    let owners = [signer().public()];
    let (_, _) = (Records::read(&vault), tomb::read(&vault, &owners));
}

/// Reads what this computer remembers of a state: as it is, and with the hash that it ends with.
pub fn head(bytes: &[u8]) {
    let summed = [bytes, blake3::hash(bytes).as_bytes()].concat();
    for bytes in [bytes, &summed] {
        if let Some(head) = Head::parse(bytes.to_vec()) {
            let (full, newest) = (head.by_full(), head.by_newest());
            let _ = (full.state_len(), newest.state_len(), head.newest().map(Member::sequence));
            let hashes = head.hashes(b"{\"resources\":[{}]}", None);
            drop(delta::encode(b"{\"resources\":[{}]}", hashes.index(), &newest));
        }
    }
}

/// Reads the keys of objects, one a line, and the texts of public keys and names of places.
pub fn names(text: &str) {
    let object = |key: &str| Object { key: key.to_owned(), len: 1, modified: None, tag: None };
    let found: Vec<Snapshot> = text.lines().filter_map(|key| Snapshot::of(object(key))).collect();
    let keys: BTreeSet<&str> = found.iter().map(|snapshot| snapshot.key.as_str()).collect();
    let vault = Stored::new(Arc::new(Memory::default()), "r");
    for key in &keys {
        vault.create(key, b"x").expect("memory takes everything");
    }
    let Ok(catalogue) = super::Catalogue::read(&vault, &[]) else { return };
    let count = catalogue.snapshots().len() + catalogue.superseded_count();
    assert_eq!(count, keys.len(), "no snapshot is lost or listed twice");
    for snapshot in &found {
        assert!(snapshot.key.contains(&snapshot.id), "a key has the id that it is known by");
    }
    if let Ok(key) = text.parse::<PublicKey>() {
        assert_eq!(key.to_string().parse::<PublicKey>().ok(), Some(key));
    }
    let stream = stream_of(text);
    let legal = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    assert!(stream.len() <= 57 && stream.bytes().all(legal), "a stream is the name of a folder");
}

fn signer() -> &'static Signer {
    static SIGNER: OnceLock<Signer> = OnceLock::new();
    SIGNER.get_or_init(|| Signer::of(&[7; 32]))
}
