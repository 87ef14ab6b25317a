//! States over time: a repository of snapshots, each one immutable file.
//!
//! This page is the format, to the byte, so that another program can read it; one that does is
//! `testdata/backup/reader.py`, and `tests/backup/` runs it.
//!
//! # Layout
//!
//! Every object is written once, whole or not at all, and never changed.
//!
//! | key | what it is |
//! |---|---|
//! | `repo.json` | the first record: how snapshots are protected, and whose signatures count |
//! | `c/NUMBER.json` | each change of it; `NUMBER` is 8 hex digits from `00000001`, without gaps |
//! | `s/STREAM/NAME.tfb` | one snapshot |
//! | `gc/UTC-RANDOM8.json` | a list of snapshots that are to be removed |
//! | `x/UTC-RANDOM8.json` | a list of snapshots that were |
//! | `h/SNAP8-UTC-RANDOM.json` | that a snapshot is held, so that it is not removed, or no longer |
//! | `r/YYYY/MM/UTC-WRITER8-N-HASH16.json` | what one run of `backup` looked at |
//! | `keys/FINGERPRINT.age` | an age identity under a passphrase (a scrypt stanza), which `age -d` opens; its name is the first 16 digits of the BLAKE3 of its recipient. There may be several: what is written now is for the recipients of the newest record |
//!
//! Whoever only restores needs `repo.json`, `c/` and `s/`, and passes over what else there is. In a
//! folder, a file whose name begins with a dot and ends with `.tmp` is left of an interrupted
//! write, and no object.
//!
//! # Names
//!
//! `STREAM` is a readable part of the source's name, `-`, and the first 8 hex digits of the BLAKE3
//! of its URI. `NAME` is five parts with `-` between them, all hex digits in lower case:
//!
//! | part | what it is |
//! |---|---|
//! | `20260801T101500Z` | when the state was so, in UTC; `UTC` above is the same |
//! | `0000001f` | the snapshot's number in its stream, from 1; 0 where it was added although later ones were there |
//! | `f` | `f` for a full one, `i` for an incremental, `d` for a differential; behind it, in decimal without zeros before it, how often it was encrypted anew, and nothing for never |
//! | `01234567` | the first 8 digits of the snapshot's id, which is 16 random bytes |
//! | `abababababababab` | the first 16 digits of the BLAKE3 of the payload |
//!
//! The snapshots of a stream are in the order of their numbers, then of their times: clocks go back,
//! and two computers at once may give out one number. Of several objects whose names differ only in
//! the digits behind the letter and in the last part, the one that was encrypted anew most often
//! counts. A name spares reading; the header decides, and has to agree with it.
//!
//! # A snapshot
//!
//! ```text
//! 0     8   magic "TFBSNAP1"
//! 8     4   length n of the header, little endian; all before the payload is at most 64 KiB
//! 12    4   flags, all 0
//! 16    n   header: UTF-8 JSON
//! 16+n  2   number of signatures, little endian: 1
//! 18+n  64  Ed25519 signature by the header's `signer` of "tfstate snapshot v1", a zero byte, and
//!           the n bytes of the header as they stand
//! 82+n      payload, to the end
//! ```
//!
//! | member of the header | what it is |
//! |---|---|
//! | `v` | 1 |
//! | `must_understand` | a list of words, empty in this version |
//! | `snapshot` | the label: `repo` (the repository's id), `stream`, `id` (32 hex digits), `seq` (the number), `kind` (`full`, `incremental`, `differential`), `created` (as in the name) |
//! | `parent` | of all but full ones: `id` and `header` of the snapshot whose state this one builds on; `header` is the BLAKE3 of that one's n bytes |
//! | `previous` | `id` and `header` of the newest trusted snapshot of the stream when this one was written, where there was one; absent where that is the `parent`, and in those with the number 0. Where that one is missing and no list names it, something was removed |
//! | `generation` | how often it was encrypted anew, which only an owner can; absent for 0 |
//! | `tags` | a list of words; absent where there is none |
//! | `compression` | `zstd` |
//! | `record` | the number of the record that it was encrypted by; absent for 0 |
//! | `encryption` | `age` or `none`, as that record has it |
//! | `signer` | `ed25519:` and 32 bytes in base 64 |
//! | `payload` | `length` in bytes, and `blake3` in hex |
//!
//! Base 64 is that for URLs, without padding, wherever it stands here. A header counts if its
//! signature holds and the record lists its `signer` as a writer whose `until`, if it has one, is
//! not before `created`. So whoever can write to the place, and knows a recipient, still makes no
//! snapshot that counts; and nothing in the header depends on what the state says, but for the tag
//! `broken` of one that can't be parsed, and the stream of one that came through a pipe: that is by
//! `stdin:` and 16 hex digits of the BLAKE3 of the repository's id, a space and the lineage.
//!
//! # A payload
//!
//! `age(zstd(body))`, with an age file in its binary form, or `zstd(body)` in a repository without
//! encryption: one zstd frame or several, one behind the other, with or without checksums of zstd's
//! own.
//!
//! ```text
//! 0    4  length m of the inner header, little endian, at most 64 KiB
//! 4    m  inner header: UTF-8 JSON
//! 4+m     the state's bytes as they were, or a delta where the inner header has a `parent`, to the
//!         end
//! ```
//!
//! | member of the inner header | what it is |
//! |---|---|
//! | `v`, `must_understand` | as in the header |
//! | `snapshot` | the same label as in the header |
//! | `parent` | the whole `id` in the header's `parent`, where that has one |
//! | `state` | of the whole state: `uri` of its place, `length`, `blake3` and `sha256` in hex; `facts`: `serial`, `lineage`, `terraform_version`, `broken` (why it can't be parsed), each `null` where nothing is known |
//! | `tool` | what wrote it |
//!
//! What tells a reader of the repository something about the state is in here: a hash lets anybody
//! confirm a guess. The label stands here too, so that a payload can't be passed off as another's by
//! whoever makes headers.
//!
//! A full state can be had without this program: what follows the signature goes through `age -d`
//! and `zstd -d`, and then ends with the state. A [`delta`] says what to copy of the parent's
//! state and what to add, to the byte as described there. To restore, follow `parent` (each link by
//! `id`, and then by the hash of the header) to a full snapshot, and apply the deltas on the way
//! back; each state on the way has to have the length and the BLAKE3 of its inner header, and the
//! last one its SHA-256 too.
//!
//! # Records and other notes
//!
//! All other JSON is notes of two lines, each ended by one line feed:
//!
//! ```text
//! line 1   the note, one JSON document
//! line 2   {"key":"ed25519:…","signature":"…"}: the key and its Ed25519 signature, in base 64, of
//!          the note's domain, a zero byte, and the bytes of line 1 without their line feed
//! ```
//!
//! Each has `v` and `must_understand` as a header has. A *note's hash* is the BLAKE3 of line 1.
//!
//! | note | domain | members |
//! |---|---|---|
//! | record | `tfstate repository record v1` | `id` (32 hex digits, the same in all), `number` (0 in `repo.json`, then as in the key), `previous` (the hash of the record before it; absent in the first), `created`, `encryption` (`age` or `none`), `recipients` (texts as `age -r` takes them; none without encryption), `keeps_identity` (true where the identity of one of them is in `keys/`; else absent), `owners` (keys), `writers` (a list of `key`, `since`, and `until` where it was revoked) |
//! | list in `gc/` and `x/` | `tfstate removal v1` | `repo` (the id), `created`, `snapshots` (whole keys), `superseded` (true where these are old objects of snapshots that were encrypted anew, which are still there), `damaged` (true where nobody can restore them); each of the two is absent otherwise |
//! | hold | `tfstate hold v1` | `repo`, `snapshot` (the whole id), `held`, `created` (to the nanosecond), `reason`; the newest that a writer or an owner signed says how it is |
//! | run in `r/` | `tfstate run v1` | `repo`, `n` (how many runs this writer has made, in the name in 8 hex digits), `previous` (the hash of the writer's note before it; absent in the first), `created`, `states`: of each stream the first 8 digits of its newest snapshot, in `new`, `unchanged` or `failed` (`null` where there was none); each of the three is absent where it is empty |
//!
//! `WRITER8` is the first 8 digits of the BLAKE3 of the 32 bytes of the writer's key, `HASH16` the
//! first 16 of the note's own hash. A writer signs its runs.
//!
//! A record counts if an owner signed it: one of its own for the first, one of those in the record
//! before it for all others; `encryption` never goes back to `none`. The newest says how things are.
//! A snapshot's `encryption` has to be that of some record. A record that does not count makes the
//! whole repository refused; a list that no owner in the newest record signed is passed over. What
//! is in a list of `gc/` is still there to be restored, and no writer builds on it.
//!
//! # What is not known
//!
//! A reader refuses another magic, a flag, another number of signatures, another `v`, a word in
//! `must_understand`. Other unknown members are ignored, so that they can be added. An object whose
//! name has another letter, or is otherwise no name of this version, is not listed at all.
//!
//! | | snapshot of this version | one with new members | one with `must_understand`, flags, more signatures |
//! |---|---|---|---|
//! | this version reads | yes | yes | refuses, and says that it is newer |
//! | a later version reads | yes | yes | yes |

mod body;
mod catalogue;
mod container;
mod contents;
mod crypt;
pub mod delta;
mod error;
mod fresh;
#[doc(hidden)]
pub mod fuzzing;
mod heads;
mod hold;
mod identity;
mod known;
mod note;
pub mod prune;
mod rebuild;
mod record;
mod rekey;
mod repository;
pub mod retention;
mod run;
mod seen;
mod sign;
mod snapshot;
mod tomb;
pub mod vault;
pub mod verify;
mod write;

#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
pub(crate) mod shelf;
#[cfg(test)]
mod tests;

pub use body::{Hashed, LEVEL, Origin, SourceFacts};
pub use catalogue::Catalogue;
pub use crypt::{Identities, Recipients, make_identity};
pub use error::Error;
pub use fresh::Period;
pub use heads::Heads;
pub use hold::{Held, Holds, Wish};
pub use known::Known;
pub use rebuild::Rebuilder;
pub use record::{Protection, Writer};
pub use rekey::{Rekeyed, Rekeyer};
pub use repository::{Described, Keys, Repository, Restored};
pub use run::{Runs, States};
pub use seen::Seen;
pub use sign::{PublicKey, Signer};
pub use snapshot::{Kind, Snapshot, is_stream, stream_of};
pub use write::{
    Added, Addition, BEFORE_CHANGE, BEFORE_GUARDED, BROKEN, IMPORTED, OWN_TAGS, Order, Strategy,
    Whole,
};
