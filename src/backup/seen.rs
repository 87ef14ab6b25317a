//! How each state and its snapshots looked in the listings of the last run that found the newest
//! snapshot to hold the state: what looks the same the next time did not change, and neither its
//! [head](super::heads) nor the state itself has to be read to know.
//!
//! One file for a whole repository, beside the heads in the user's cache. It says nothing of what a
//! state holds. What changes in a place without a trace in its listing, such as a bit on a disk, is
//! for `verify` to find.
//!
//! ```text
//! 0   8   magic "TFBSEEN1"
//! 8   ..  for each stream 16 bytes of the BLAKE3 of its name, and 16 of the BLAKE3 of its look
//! ..  32  BLAKE3 of all before
//! ```

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use jiff::Timestamp;

use super::heads::unaltered;
use super::{Catalogue, Repository, Snapshot};
use crate::base::fs as files;
use crate::store::Version;

const MAGIC: &[u8; 8] = b"TFBSEEN1";

/// The looks of all states in a repository, in a file that may be deleted at any time.
#[derive(Debug)]
pub struct Seen {
    path: PathBuf,
    /// What a snapshot has to carry in order to count.
    tags: Vec<String>,
    /// For whom it has to be.
    readers: Vec<String>,
    looks: HashMap<Name, Look>,
    /// What differs from the file.
    changes: usize,
}

type Name = [u8; 16];
type Look = [u8; 16];

impl Seen {
    /// Reads what is kept of a repository below a cache folder; nothing where that makes no sense.
    /// Only what a run saw that asked for the same tags, and for the same readers, is known.
    pub fn below(cache: &Path, repository: &Repository, tags: &[String]) -> Self {
        Self::of(cache, repository.id(), (tags, repository.recipients()))
    }

    fn of(cache: &Path, repo: &str, (tags, readers): (&[String], &[String])) -> Self {
        let path = cache.join("seen").join(repo);
        let looks = fs::read(&path).ok().and_then(|bytes| parse(&bytes)).unwrap_or_default();
        Self { path, tags: tags.to_vec(), readers: readers.to_vec(), looks, changes: 0 }
    }

    /// Returns the newest snapshot of a stream if the state that has this version, and what is there
    /// of the stream, look as they did.
    pub fn holds<'c>(
        &self,
        catalogue: &'c Catalogue,
        stream: &str,
        version: &Version,
    ) -> Option<&'c Snapshot> {
        let (listed, tag) = (catalogue.stream(stream), name_of(version)?);
        let found = self.looks.get(&short(blake3::hash(stream.as_bytes())))?;
        (self.look(catalogue, listed, tag) == *found).then(|| listed.last())?
    }

    /// Remembers that the newest snapshot of a stream holds the state that has this version.
    pub fn saw(&mut self, catalogue: &Catalogue, stream: &str, version: &Version) {
        let Some(tag) = name_of(version) else { return };
        let look = self.look(catalogue, catalogue.stream(stream), tag);
        let before = self.looks.insert(short(blake3::hash(stream.as_bytes())), look);
        self.changes += usize::from(before != Some(look));
    }

    fn look(&self, catalogue: &Catalogue, listed: &[Snapshot], tag: &str) -> Look {
        let mut parts = Vec::new();
        let mut part = |bytes: &[u8]| {
            parts.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
            parts.extend_from_slice(bytes);
        };
        part(tag.as_bytes());
        for asked in [&self.tags, &self.readers] {
            part(&(asked.len() as u64).to_le_bytes());
            for text in asked {
                part(text.as_bytes());
            }
        }
        for snapshot in listed {
            part(snapshot.key.as_bytes());
            part(&snapshot.bytes_stored.to_le_bytes());
            part(snapshot.tag.as_deref().unwrap_or_default().as_bytes());
            let modified = snapshot.modified.map(Timestamp::as_nanosecond);
            part(&modified.unwrap_or_default().to_le_bytes());
            part(&[u8::from(catalogue.is_doomed(snapshot))]);
        }
        short(blake3::hash(&parts))
    }

    /// Writes down what was seen.
    pub fn write(&self) -> io::Result<()> {
        if self.changes == 0 {
            return Ok(());
        }
        let mut bytes = MAGIC.to_vec();
        for (name, look) in &self.looks {
            bytes.extend_from_slice(name);
            bytes.extend_from_slice(look);
        }
        bytes.extend_from_slice(blake3::hash(&bytes).as_bytes());
        if let Some(folder) = self.path.parent() {
            files::create_private_folder(folder)?;
        }
        files::replace_cached_with(&self.path, |out| out.write_all(&bytes))
    }
}

fn parse(bytes: &[u8]) -> Option<HashMap<Name, Look>> {
    let (pairs, rest) = unaltered(bytes, MAGIC)?.as_chunks::<32>();
    let pair = |pair: &[u8; 32]| {
        let (name, look) = pair.split_first_chunk::<16>()?;
        Some((*name, look.try_into().ok()?))
    };
    rest.is_empty().then(|| pairs.iter().map(pair).collect())?
}

/// Returns what a listing and a reading both call a content by.
fn name_of(version: &Version) -> Option<&str> {
    version.tag.as_deref().or(version.id.as_deref())
}

fn short(hash: blake3::Hash) -> [u8; 16] {
    let mut short = [0; 16];
    short.copy_from_slice(&hash.as_bytes()[..16]);
    short
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::backup::vault::Object;

    const STREAM: &str = "a-01234567";

    fn object(number: u32, len: u64) -> Object {
        let key =
            format!("s/{STREAM}/20260801T101500Z-{number:08x}-f-01234567-abababababababab.tfb");
        Object { key, len, modified: None, tag: Some("5d41".to_owned()) }
    }

    fn catalogue(objects: &[Object], doomed: &[&Object]) -> Catalogue {
        let doomed: BTreeSet<String> = doomed.iter().map(|object| object.key.clone()).collect();
        Catalogue::of(objects.to_vec(), doomed)
    }

    fn version(tag: &str) -> Version {
        Version { tag: Some(tag.to_owned()), id: None }
    }

    #[test]
    fn what_looks_the_same_is_held_by_the_newest_snapshot_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let [one, two, longer] = [object(1, 5), object(2, 7), object(2, 8)];
        let altered = Object { tag: Some("0000".to_owned()), ..two.clone() };
        let before = catalogue(std::slice::from_ref(&one), &[]);
        let both = catalogue(&[one.clone(), two.clone()], &[]);
        let mut seen = Seen::of(folder.path(), "r", (&[], &[]));
        assert!(seen.holds(&both, STREAM, &version("t")).is_none());
        seen.saw(&both, STREAM, &version("t"));
        seen.write().unwrap();
        let seen = Seen::of(folder.path(), "r", (&[], &[]));
        assert_eq!(seen.holds(&both, STREAM, &version("t")), both.stream(STREAM).last());
        assert!(seen.holds(&both, STREAM, &version("u")).is_none(), "another content");
        assert!(seen.holds(&both, STREAM, &Version::default()).is_none(), "no name at all");
        assert!(seen.holds(&before, STREAM, &version("t")).is_none(), "the newest is gone");
        let asks_more = Seen::of(folder.path(), "r", (&["release".to_owned()], &[]));
        assert!(asks_more.holds(&both, STREAM, &version("t")).is_none(), "for another tag");
        let others = Seen::of(folder.path(), "r", (&[], &["age1".to_owned()]));
        assert!(others.holds(&both, STREAM, &version("t")).is_none(), "for other readers");
        let only = catalogue(std::slice::from_ref(&two), &[]);
        assert!(seen.holds(&only, STREAM, &version("t")).is_none(), "the one before is gone");
        let doomed = catalogue(&[one.clone(), two.clone()], &[&one]);
        assert!(seen.holds(&doomed, STREAM, &version("t")).is_none(), "one is to be removed");
        for other in [longer, altered] {
            let other = catalogue(&[one.clone(), other], &[]);
            assert!(seen.holds(&other, STREAM, &version("t")).is_none(), "one is another");
        }
    }

    #[test]
    fn a_file_with_any_byte_changed_or_cut_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let mut seen = Seen::of(folder.path(), "r", (&[], &[]));
        seen.saw(&catalogue(&[object(1, 5)], &[]), STREAM, &version("t"));
        seen.write().unwrap();
        let mut bytes = fs::read(&seen.path).unwrap();
        assert!(parse(&bytes).is_some_and(|looks| looks == seen.looks));
        for at in 0..bytes.len() {
            bytes[at] ^= 1;
            assert!(parse(&bytes).is_none(), "{at}");
            bytes[at] ^= 1;
            assert!(parse(&bytes[..at]).is_none(), "{at}");
        }
    }
}
