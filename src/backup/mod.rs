//! States over time: a repository of snapshots, each one immutable file.
//!
//! # Layout
//!
//! ```text
//! ROOT/repo.json                                      the repository's record, written once
//! ROOT/s/STREAM/UTC-SEQ-f-SNAP8-CT16.tfb              one snapshot
//! ROOT/h/SNAP8-UTC-RANDOM.json                        that a snapshot is held, or no longer
//! ROOT/gc/UTC-RANDOM.json                             what is to be removed
//! ROOT/x/UTC-RANDOM.json                              what was removed on purpose
//! ```
//!
//! `STREAM` is a readable part of the source's name and 8 hex digits of the BLAKE3 of its URI.
//! `UTC` is `20260801T101500Z`, `SEQ` 8 hex digits, `f` the kind (full; `i`, `d` and `s` are
//! for incremental, differential and safety snapshots), `SNAP8` the first 8 hex digits of the snapshot's random id, `CT16` the first 16 of the BLAKE3 of its payload. A name
//! is a hint that spares reading; the header decides, and has to agree with it.
//!
//! # A snapshot, to the byte
//!
//! ```text
//! 0    8   magic "TFBSNAP1"
//! 8    4   length n of the header, little endian, at most 64 KiB
//! 12   4   flags, all 0
//! 16   n   header: UTF-8 JSON
//! 16+n 2   number m of signatures, little endian: 0 in this version
//! ..  64m  signatures
//! ..       payload, to the end: age(zstd(body)), or zstd(body) in a repository without encryption
//! ```
//!
//! The body is 4 bytes length (little endian) of the inner header, that header (UTF-8 JSON), and
//! the state's bytes as they were. The inner header says where the state came from, its lineage
//! and serial, its length, BLAKE3 and SHA-256. These are inside because each would tell a reader
//! of the repository something about the state: a hash lets anybody confirm a guess. The inner
//! header also repeats the snapshot's identity (`snapshot`), so that an encrypted snapshot cannot
//! be passed off as another by editing its header or its name.
//!
//! A state can be had without this program, by its inventors' tools: what follows the header goes
//! through `age -d` and `zstd -d`, and then ends with the state.
//!
//! What a reader does not know, it refuses: another magic, a flag, a signature, a version, an
//! entry in `must_understand`. Other unknown members are ignored, so that they can be added:
//!
//! | | snapshot of this version | one with new members | one with `must_understand`, flags, signatures or another kind |
//! |---|---|---|---|
//! | this version reads | yes | yes | refuses, and says that it is newer |
//! | a later version reads | yes | yes | yes |
//!
//! # What it does not do yet
//!
//! Nothing is signed, so who can write to the repository and knows a recipient can add a snapshot
//! that decrypts, or put another recipient into `repo.json`; naming the recipients on each run
//! guards against the second. There are only full snapshots.

mod body;
mod catalogue;
mod container;
mod crypt;
pub mod delta;
mod error;
mod heads;
mod hold;
mod known;
mod note;
pub mod prune;
mod record;
mod rekey;
mod repository;
pub mod retention;
mod sign;
mod snapshot;
mod tomb;
pub mod vault;
mod write;

#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
pub(crate) mod shelf;
#[cfg(test)]
mod tests;

pub use body::{Origin, SourceFacts};
pub use catalogue::Catalogue;
pub use crypt::{Identities, Recipients, make_identity};
pub use error::Error;
pub use heads::Heads;
pub use hold::{Held, Holds, Wish};
pub use known::Known;
pub use record::{Protection, Writer};
pub use rekey::Rekeyed;
pub use repository::{Described, Keys, Repository, Restored};
pub use sign::{PublicKey, Signer};
pub use snapshot::{Kind, Snapshot, stream_of};
pub use write::{Added, Addition, Strategy, Whole};
