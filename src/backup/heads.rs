//! What this computer remembers of the newest snapshot of each state: so that an unchanged state is
//! not stored again, and a changed one is told by what it has in common with it.
//!
//! The repository itself can't tell: what a state says is inside encrypted payloads, and has to be.
//! So keyed hashes are kept here, in the user's own cache, with a key that is random for each full
//! snapshot. They tell whoever can read this cache no more than the state that this computer can
//! read anyway, but for a guess of what was removed since. A file that is missing or makes no sense
//! costs one full snapshot and nothing else.
//!
//! ```text
//! 0   8   magic "TFBHEAD5"
//! 8   4   length n of the record, little endian
//! 12  n   record: UTF-8 JSON
//! ..      the pieces of the last full snapshot, those of the newest if it is another, the runs of
//!         the newest, and the hashes of the instances in it
//! ..  32  BLAKE3 of all before
//! ```

use std::cell::OnceCell;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::{fs, io};

use serde::{Deserialize, Serialize};

use super::body::Hashed;
use super::contents::Contents;
use super::delta::{Index, Key};
use super::record::random;
use super::snapshot::{Snapshot, to_hex};
use crate::base::fs as files;
use crate::state::document::Document;
use crate::store::Version;

const MAGIC: &[u8; 8] = b"TFBHEAD5";

/// The remembered heads, in a folder that may be deleted at any time.
#[derive(Clone, Debug)]
pub struct Heads(PathBuf);

/// A snapshot that is remembered.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Member {
    /// The key of its object.
    pub key: String,
    /// Its whole id.
    pub id: String,
    /// The BLAKE3 of its header.
    pub header: String,
    /// How many bytes its object has.
    pub len: u64,
    /// The number of the record that it was encrypted by.
    pub record: u32,
}

/// What is remembered of one state.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub record: Record,
    key: Key,
    /// All of the file, in which these are.
    bytes: Vec<u8>,
    full: Range<usize>,
    newest: Option<Range<usize>>,
    runs: Range<usize>,
    contents: Range<usize>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Record {
    v: u32,
    /// The key of all hashes here.
    key: String,
    /// The keyed hash of the BLAKE3 of the whole state.
    mac: String,
    /// The keyed hash of its lineage.
    lineage: String,
    /// What the source called this content, where it has such names.
    tag: Option<String>,
    version: Option<String>,
    /// The snapshots that the newest one is restored from, the full one first, itself last.
    pub chain: Vec<Member>,
    /// How many bytes the pieces of the last full snapshot take.
    full: usize,
    /// How many those of the newest, if it is another.
    newest: usize,
    /// How many the runs of the newest.
    runs: usize,
    /// Whether the state could be parsed, so that its instances are known.
    is_parsed: bool,
}

/// What there is to remember after a snapshot was written.
pub(super) struct Written<'a> {
    pub state: Hashed<'a>,
    pub document: Option<&'a Document>,
    pub lineage: &'a str,
    pub source: Option<&'a Version>,
    pub chain: Vec<Member>,
}

/// The hashes of a state under one key, made when they are first asked for.
pub(super) struct Hashes<'a> {
    state: &'a [u8],
    document: Option<&'a Document>,
    key: Key,
    /// What was hashed with this key before.
    before: Option<Index<'a>>,
    index: OnceCell<Index<'static>>,
    contents: OnceCell<Option<Contents<'static>>>,
}

impl<'a> Hashes<'a> {
    fn new(
        (state, document): (&'a [u8], Option<&'a Document>),
        key: Key,
        before: Option<Index<'a>>,
    ) -> Self {
        let (index, contents) = (OnceCell::new(), OnceCell::new());
        Self { state, document, key, before, index, contents }
    }

    /// Returns those of its pieces.
    pub(super) fn index(&self) -> &Index<'static> {
        let parsed = || self.document.filter(|document| std::ptr::eq(document.bytes(), self.state));
        let before = self.before.as_ref();
        self.index.get_or_init(|| match parsed() {
            Some(document) => Index::of_document(document, &self.key, before),
            None => Index::of(self.state, &self.key, before),
        })
    }

    /// Returns those of its instances; nothing where it can't be parsed.
    fn contents(&self) -> Option<&Contents<'static>> {
        let make = |document: &Document| Contents::of(document, self.index(), &self.key);
        let make = || self.document.map(make);
        self.contents.get_or_init(make).as_ref()
    }
}

impl Head {
    /// Prepares to hash another state with the key of this one.
    pub(super) fn hashes<'a>(
        &'a self,
        state: &'a [u8],
        document: Option<&'a Document>,
    ) -> Hashes<'a> {
        Hashes::new((state, document), self.key.clone(), Some(self.by_newest()))
    }

    /// Returns the newest snapshot that is remembered.
    pub(super) fn newest(&self) -> Option<&Member> {
        self.record.chain.last()
    }

    /// Returns whether the state that was stored last is this one.
    pub(super) fn is_of(&self, state: &Hashed<'_>) -> bool {
        self.record.mac == mac(&self.record.key, state.blake3().as_bytes())
    }

    /// Returns whether the lineage of the state that was stored last is this one.
    pub(super) fn has_lineage(&self, lineage: &str) -> bool {
        self.record.lineage == mac(&self.record.key, lineage.as_bytes())
    }

    /// Returns whether the state that was stored last is what the source calls so.
    pub(super) fn is_version(&self, version: &Version) -> bool {
        let same = |ours: &Option<String>, theirs: &Option<String>| {
            ours.as_ref().zip(theirs.as_ref()).map(|(ours, theirs)| ours == theirs)
        };
        // A listing knows the tag of what a reading names by an id too.
        let by_tag = same(&self.record.tag, &version.tag);
        by_tag.or_else(|| same(&self.record.version, &version.id)).unwrap_or(false)
    }

    /// Returns how many instances of a state are other than in the one that was stored last;
    /// nothing where one of both could not be parsed.
    pub(super) fn differences(&self, hashes: &Hashes<'_>) -> Option<u64> {
        let contents = hashes.contents().filter(|_| self.record.is_parsed)?;
        Some(Contents::from_bytes(&self.bytes[self.contents.clone()])?.differences(contents))
    }

    /// Returns what tells a later state by the last full snapshot.
    pub(super) fn by_full(&self) -> Index<'_> {
        self.index(&self.full, &(0..0))
    }

    /// Returns what tells a later state by the newest snapshot.
    pub(super) fn by_newest(&self) -> Index<'_> {
        self.index(self.newest.as_ref().unwrap_or(&self.full), &self.runs)
    }

    fn index(&self, pieces: &Range<usize>, runs: &Range<usize>) -> Index<'_> {
        let bytes = [pieces, runs].map(|range| &self.bytes[range.clone()]);
        Index::from_bytes(bytes).unwrap_or_default()
    }

    pub(super) fn parse(bytes: Vec<u8>) -> Option<Self> {
        let rest = unaltered(&bytes, MAGIC)?;
        let body = &bytes[..MAGIC.len() + rest.len()];
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let (record, indexes) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        let record: Record = serde_json::from_slice(record).ok().filter(|r: &Record| r.v == 1)?;
        let mut start = body.len() - indexes.len();
        let mut next = |len: usize| {
            let end = start.checked_add(len).filter(|&end| end <= body.len())?;
            Some(std::mem::replace(&mut start, end)..end)
        };
        let (full, newest) = (next(record.full)?, next(record.newest)?);
        let runs = next(record.runs)?;
        let contents = start..body.len();
        Index::from_bytes([&body[full.clone()], &body[runs.clone()]])?;
        Index::from_bytes([&body[newest.clone()], &[]])?;
        Contents::from_bytes(&body[contents.clone()])?;
        // That of an empty state is empty too, and it is not the one of the full snapshot.
        let newest = (record.chain.len() != 1).then_some(newest);
        Some(Self { key: key_of(&record.key), bytes, full, newest, runs, contents, record })
    }
}

impl Heads {
    /// Returns the heads kept below a cache folder, which need not exist.
    pub fn below(cache: &Path) -> Self {
        Self(cache.join("heads"))
    }

    /// Returns what is remembered of a stream; nothing where that makes no sense.
    pub(super) fn read(&self, repo: &str, stream: &str) -> Option<Head> {
        Head::parse(fs::read(self.path(repo, stream)).ok()?)
    }

    /// Remembers a snapshot that was written: one told by what was remembered `before`, with the
    /// hashes of its state by the same key, or a full one.
    pub(super) fn remember(
        &self,
        (repo, stream): (&str, &str),
        before: Option<(&Head, &Hashes<'_>)>,
        written: Written<'_>,
    ) -> io::Result<()> {
        let text = match before {
            Some((head, _)) => head.record.key.clone(),
            None => to_hex(&random::<32>()?),
        };
        let fresh = Hashes::new((written.state.bytes(), written.document), key_of(&text), None);
        let (full, hashes) = match before {
            Some((head, hashes)) => (Some(&head.bytes[head.full.clone()]), hashes),
            None => (None, &fresh),
        };
        let [pieces, runs] = hashes.index().as_bytes();
        let (full, newest) = full.map_or((pieces, [].as_slice()), |full| (full, pieces));
        let contents = hashes.contents();
        let record = Record {
            v: 1,
            mac: mac(&text, written.state.blake3().as_bytes()),
            lineage: mac(&text, written.lineage.as_bytes()),
            key: text,
            tag: written.source.and_then(|version| version.tag.clone()),
            version: written.source.and_then(|version| version.id.clone()),
            chain: written.chain,
            full: full.len(),
            newest: newest.len(),
            runs: runs.len(),
            is_parsed: contents.is_some(),
        };
        let contents = contents.map(Contents::as_bytes).unwrap_or_default();
        self.write(repo, stream, &record, &[full, newest, runs, contents])
    }

    /// Remembers under another name of the source that its state is the same.
    pub(super) fn rename(
        &self,
        (repo, stream): (&str, &str),
        head: &Head,
        source: &Version,
    ) -> io::Result<()> {
        let (tag, version) = (source.tag.clone(), source.id.clone());
        let record = Record { tag, version, ..head.record.clone() };
        let all = head.full.start..head.contents.end;
        self.write(repo, stream, &record, &[&head.bytes[all]])
    }

    fn write(
        &self,
        repo: &str,
        stream: &str,
        record: &Record,
        indexes: &[&[u8]],
    ) -> io::Result<()> {
        let record = serde_json::to_vec(record)?;
        let length = u32::try_from(record.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
        let beginning = [MAGIC.as_slice(), &length.to_le_bytes(), &record].concat();
        let mut hash = blake3::Hasher::new();
        files::create_private_folder(&self.0)?;
        files::replace_cached_with(&self.path(repo, stream), |out| {
            for part in std::iter::once(beginning.as_slice()).chain(indexes.iter().copied()) {
                hash.update(part);
                out.write_all(part)?;
            }
            out.write_all(hash.finalize().as_bytes())
        })
    }

    fn path(&self, repo: &str, stream: &str) -> PathBuf {
        self.0.join(format!("{repo}-{stream}.head"))
    }
}

impl Member {
    /// Returns whether a snapshot that is listed is, as far as a listing tells, this one.
    pub(super) fn is(&self, listed: &Snapshot) -> bool {
        self.key == listed.key && self.len == listed.bytes_stored
    }

    /// Returns its number in its stream.
    pub(super) fn sequence(&self) -> Option<u32> {
        Snapshot::named(&self.key).map(|snapshot| snapshot.sequence)
    }
}

/// Returns what stands in a file of the cache between its magic and the BLAKE3 of all before that;
/// nothing where it is not what was written.
pub(super) fn unaltered<'b>(bytes: &'b [u8], magic: &[u8]) -> Option<&'b [u8]> {
    let (body, sum) = bytes.split_last_chunk::<32>()?;
    (blake3::hash(body) == *sum).then(|| body.strip_prefix(magic))?
}

fn key_of(text: &str) -> Key {
    Key::new(blake3::derive_key("tfstate 2026 pieces of a state", text.as_bytes()))
}

fn mac(key: &str, bytes: &[u8]) -> String {
    let key = blake3::derive_key("tfstate 2026 head of a stream of snapshots", key.as_bytes());
    blake3::keyed_hash(&key, bytes).to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(state: Hashed<'_>) -> Written<'_> {
        let member = Member {
            key: "s/a/b".to_owned(),
            id: "0".repeat(32),
            header: String::new(),
            len: 3,
            record: 0,
        };
        let (document, source) = (None, None);
        Written { state, document, lineage: "l", source, chain: vec![member] }
    }

    #[test]
    fn a_head_tells_its_state_and_its_lineage_and_both_its_indexes() {
        let folder = tempfile::tempdir().unwrap();
        let heads = Heads::below(folder.path());
        heads.remember(("r", "s"), None, written(Hashed::of(b"one"))).unwrap();
        let first = heads.read("r", "s").unwrap();
        assert!(first.is_of(&Hashed::of(b"one")) && !first.is_of(&Hashed::of(b"two")));
        assert!(first.has_lineage("l") && !first.has_lineage("m"));
        let mut four = written(Hashed::of(b"four"));
        four.chain.push(four.chain[0].clone());
        heads.remember(("r", "s"), Some((&first, &first.hashes(b"four", None))), four).unwrap();
        let second = heads.read("r", "s").unwrap();
        assert_eq!((second.by_full().state_len(), second.by_newest().state_len()), (3, 4));
        assert!(second.is_of(&Hashed::of(b"four")));
        heads.remember(("r", "s"), None, written(Hashed::of(b"fifth"))).unwrap();
        assert_eq!(heads.read("r", "s").unwrap().by_full().state_len(), 5);
    }

    #[test]
    fn a_state_of_no_bytes_is_not_taken_for_that_of_the_full_snapshot() {
        let folder = tempfile::tempdir().unwrap();
        let heads = Heads::below(folder.path());
        heads.remember(("r", "s"), None, written(Hashed::of(b"one"))).unwrap();
        let first = heads.read("r", "s").unwrap();
        let mut empty = written(Hashed::of(b""));
        empty.chain.push(empty.chain[0].clone());
        heads.remember(("r", "s"), Some((&first, &first.hashes(b"", None))), empty).unwrap();
        let second = heads.read("r", "s").unwrap();
        assert_eq!((second.by_full().state_len(), second.by_newest().state_len()), (3, 0));
    }

    #[test]
    fn a_source_that_names_its_content_is_believed_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let heads = Heads::below(folder.path());
        heads.remember(("r", "s"), None, written(Hashed::of(b"one"))).unwrap();
        let head = heads.read("r", "s").unwrap();
        let version = Version { tag: Some("t".to_owned()), id: None };
        assert!(!head.is_version(&version) && !head.is_version(&Version::default()));
        heads.rename(("r", "s"), &head, &version).unwrap();
        let head = heads.read("r", "s").unwrap();
        assert!(head.is_version(&version) && !head.is_version(&Version::default()));
        assert!(head.is_of(&Hashed::of(b"one")));
        let text = |text: &str| Some(text.to_owned());
        heads.rename(("r", "s"), &head, &Version { tag: text("t"), id: text("7") }).unwrap();
        let head = heads.read("r", "s").unwrap();
        let named = |tag: Option<&str>, id: Option<&str>| {
            let (tag, id) = (tag.map(str::to_owned), id.map(str::to_owned));
            head.is_version(&Version { tag, id })
        };
        assert!(named(Some("t"), None), "a listing that knows no id");
        assert!(named(None, Some("7")) && named(Some("t"), Some("7")));
        assert!(!named(Some("u"), Some("7")) && !named(None, Some("8")) && !named(None, None));
    }

    #[test]
    fn a_head_with_any_byte_changed_or_cut_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let heads = Heads::below(folder.path());
        heads.remember(("r", "s"), None, written(Hashed::of(b"{\"resources\":[{},{}]}"))).unwrap();
        let mut bytes = fs::read(heads.path("r", "s")).unwrap();
        assert!(Head::parse(bytes.clone()).is_some());
        for at in 0..bytes.len() {
            bytes[at] ^= 1;
            assert!(Head::parse(bytes.clone()).is_none(), "{at}");
            bytes[at] ^= 1;
            assert!(Head::parse(bytes[..at].to_vec()).is_none(), "{at}");
        }
    }
}
