//! What this machine remembers of the newest snapshot of each state, so that an unchanged state
//! is not stored again.
//!
//! The repository itself can't tell: the hash of a state is inside the encrypted payload, and
//! must be, since it lets anybody confirm a guess of what the state says. So a keyed hash is kept
//! here, in the user's own cache, with a key that is random for each stream. It tells whoever can
//! read this cache no more than the state that this machine can read anyway. A record that is
//! missing or makes no sense costs one more snapshot and nothing else.

use std::path::{Path, PathBuf};
use std::{fs, io};

use serde::{Deserialize, Serialize};

use super::Snapshot;
use super::snapshot::to_hex;
use crate::base::fs as files;

/// The remembered heads, in a folder that may be deleted at any time.
#[derive(Clone, Debug)]
pub struct Heads(PathBuf);

#[derive(Deserialize, Serialize)]
struct Head {
    v: u32,
    /// The name of the snapshot's file.
    snapshot: String,
    key: String,
    mac: String,
}

impl Heads {
    /// Returns the heads kept below a cache folder, which need not exist.
    pub fn below(cache: &Path) -> Self {
        Self(cache.join("heads"))
    }

    /// Returns whether this state is the one that the snapshot holds, as far as is remembered.
    pub(super) fn knows(&self, repo: &str, snapshot: &Snapshot, state: &[u8]) -> bool {
        let Some(head) = self.read(repo, &snapshot.stream) else { return false };
        let same_file = snapshot.path.file_name().is_some_and(|name| name == &*head.snapshot);
        same_file && mac(&head.key, state) == head.mac
    }

    /// Remembers which state a snapshot holds.
    pub(super) fn remember(&self, repo: &str, snapshot: &Snapshot, state: &[u8]) -> io::Result<()> {
        let name = snapshot.path.file_name().unwrap_or_default();
        let key = to_hex(&super::record::random::<32>()?);
        let mac = mac(&key, state);
        let head = Head { v: 1, snapshot: name.to_string_lossy().into_owned(), key, mac };
        files::create_private_folder(&self.0)?;
        files::replace(&self.path(repo, &snapshot.stream), &serde_json::to_vec(&head)?)
    }

    fn read(&self, repo: &str, stream: &str) -> Option<Head> {
        let bytes = fs::read(self.path(repo, stream)).ok()?;
        serde_json::from_slice(&bytes).ok().filter(|head: &Head| head.v == 1)
    }

    fn path(&self, repo: &str, stream: &str) -> PathBuf {
        self.0.join(format!("{repo}-{stream}.json"))
    }
}

fn mac(key: &str, state: &[u8]) -> String {
    let key = blake3::derive_key("tfstate 2026 head of a stream of snapshots", key.as_bytes());
    blake3::keyed_hash(&key, state).to_hex().to_string()
}
