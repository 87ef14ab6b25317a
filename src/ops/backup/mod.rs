//! Backs states up: one snapshot of each in the repository, unless the newest one holds it already.

mod import;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use super::room::Room;
use crate::backup::vault::Vault;
use crate::backup::{
    Added, Addition, BROKEN, Catalogue, Described, Error, Hashed, Heads, Keys, LEVEL, Order,
    Protection, Repository, Runs, Seen, Signer, Snapshot, SourceFacts, States, Strategy, stream_of,
};
use crate::base::clock::Clock;
use crate::base::workers;
use crate::state::bytes::Bytes;
use crate::state::document::Document;
use crate::state::parse::ParseError;
use crate::store::{self, Access, Content, Location, Version};

/// The state to back up, as it was read.
#[derive(Clone, Debug)]
pub struct Source<'a> {
    /// Text that stays the same for the same place: [`crate::store::Location::uri`].
    pub uri: &'a str,
    /// The bytes, whether or not they can be parsed.
    pub bytes: &'a [u8],
    /// What parsing them told.
    pub facts: SourceFacts,
    /// The state, if it can be parsed.
    pub document: Option<&'a Document>,
    /// What the place calls this content, where it has such names.
    pub version: Option<&'a Version>,
}

/// Where to keep it.
#[derive(Clone, Debug)]
pub struct BackupOptions<'a> {
    /// Where the repository is; it is made if there is none.
    pub vault: Arc<dyn Vault>,
    /// What was asked for; nothing takes a repository as it is.
    pub protection: Option<&'a Protection>,
    /// What this computer signs with, and what it remembers of repositories.
    pub keys: Keys<'a>,
    /// The cache folder, by which an unchanged state is known; without one it is stored again.
    pub cache: Option<&'a Path>,
    /// How to keep it.
    pub manner: Manner<'a>,
}

/// How to keep states.
#[derive(Clone, Copy, Debug)]
pub struct Manner<'a> {
    /// How to store what changed.
    pub strategy: Strategy,
    /// Whether a state that did not change is stored again.
    pub force: bool,
    /// How hard zstd tries on a whole state, 1 to 22.
    pub level: i32,
    /// What the snapshots are to be found by.
    pub tags: &'a [String],
    /// Whether a state that did not change is stored again where its newest snapshot lacks one of
    /// these tags, by which others may look for it or keep it.
    pub insists_on_tags: bool,
}

impl Default for Manner<'_> {
    fn default() -> Self {
        let (tags, insists_on_tags) = (&[], false);
        Self { strategy: Strategy::Auto, force: false, level: LEVEL, tags, insists_on_tags }
    }
}

impl<'a> Manner<'a> {
    /// Returns the tags without which a state is stored again.
    fn wanted_tags(&self) -> &'a [String] {
        if self.insists_on_tags { self.tags } else { &[] }
    }
}

/// What was done.
#[derive(Clone, Debug)]
pub struct Report {
    /// The snapshot that holds the state now.
    pub snapshot: Snapshot,
    /// How it was stored; nothing where that snapshot was there before.
    pub added: Option<Added>,
    /// Length of the state, where it was read.
    pub bytes_state: Option<u64>,
    /// Whether it is encrypted; to be said aloud where it is not.
    pub encrypted: bool,
    /// Whether the repository was made for it.
    pub made: bool,
    /// Why the state can't be parsed, if it can't.
    pub broken: Option<String>,
    /// How long it took, reading the state included.
    pub took: SignedDuration,
}

impl Report {
    /// Returns whether nothing was written, since the state did not change.
    pub fn skipped(&self) -> bool {
        self.added.is_none()
    }
}

/// Why a state was not backed up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failed {
    /// It can't be had.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// It can't be kept.
    #[error(transparent)]
    Backup(#[from] Error),
    /// Nothing was written into the pipe that it was to be read from.
    #[error("cannot back up standard input: nothing came in")]
    NothingCame,
}

/// A repository that takes snapshots, with a list of what it had when it was opened.
#[derive(Debug)]
pub struct Keeper<'a> {
    repository: Repository,
    catalogue: Catalogue,
    signer: &'a Signer,
    heads: Option<Heads>,
    seen: Option<Mutex<Seen>>,
    runs: Option<Runs>,
    manner: Manner<'a>,
    clock: &'a dyn Clock,
    /// What became of the states so far.
    states: Mutex<States>,
}

impl<'a> Keeper<'a> {
    /// Opens the repository, or makes it.
    pub fn open(options: &BackupOptions<'a>, clock: &'a dyn Clock) -> Result<Self, Error> {
        Repository::expect(&*options.vault);
        Self::open_with(options, clock, Repository::catalogue)
    }

    /// Does as [`open`](Self::open), with a list of what the states that are to be kept have there.
    fn open_with(
        options: &BackupOptions<'a>,
        clock: &'a dyn Clock,
        list: impl FnOnce(&Repository) -> Result<Catalogue, Error>,
    ) -> Result<Self, Error> {
        let (vault, keys) = (Arc::clone(&options.vault), options.keys);
        let repository = Repository::open_or_create(vault, options.protection, keys, clock.now())?;
        let signer = keys.signer.ok_or(Error::NoSigner)?;
        repository.may_write(signer)?;
        let catalogue = list(&repository)?;
        let heads = options.cache.map(Heads::below);
        let tags = options.manner.wanted_tags();
        let seen = options.cache.map(|cache| Mutex::new(Seen::below(cache, &repository, tags)));
        let runs = options.cache.map(Runs::below);
        let (manner, states) = (options.manner, Mutex::default());
        Ok(Self { repository, catalogue, signer, heads, seen, runs, manner, clock, states })
    }

    /// Returns the repository.
    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    /// Returns when the newest snapshot of a state was made.
    pub fn newest(&self, location: &Location) -> Option<Timestamp> {
        let stream = stream_of(&location.uri().ok()?);
        Some(self.catalogue.stream(&stream).last()?.created)
    }

    /// Stores a snapshot of a state that changed since the newest one.
    ///
    /// Either the snapshot is there, whole and durable, when this returns, or nothing is.
    pub fn keep(&self, source: &Source<'_>) -> Result<Report, Error> {
        let heads = self.heads.as_ref().filter(|_| !self.manner.force);
        let state = Hashed::of(source.bytes);
        let known = heads.and_then(|heads| {
            let named = (source.uri, &state);
            self.repository.unchanged(&self.catalogue, named, source.version, heads)
        });
        let known = known.filter(|snapshot| self.has_tags(snapshot));
        let length = source.bytes.len() as u64;
        if let Some(snapshot) = known {
            return Ok(self.report(snapshot, None, Some(length), source.facts.broken.clone()));
        }
        let label = (self.manner.tags, self.clock.now(), Order::Next);
        let added = self.add(&self.catalogue, (source, state), label, self.heads.as_ref())?;
        let broken = source.facts.broken.clone();
        Ok(self.report(added.snapshot.clone(), Some(added), Some(length), broken))
    }

    fn add(
        &self,
        catalogue: &Catalogue,
        (source, state): (&Source<'_>, Hashed<'_>),
        (tags, created, order): (&[String], Timestamp, Order),
        heads: Option<&Heads>,
    ) -> Result<Added, Error> {
        let mut tags = tags.to_vec();
        if source.facts.broken.is_some() && !tags.iter().any(|tag| tag == BROKEN) {
            tags.push(BROKEN.to_owned());
        }
        let addition = Addition {
            uri: source.uri,
            facts: source.facts.clone(),
            state,
            document: source.document,
            source: source.version,
            strategy: self.manner.strategy,
            level: self.manner.level,
            tags: &tags,
            created,
            order,
        };
        self.repository.add(catalogue, &addition, heads, self.signer)
    }

    /// Reads a state and stores a snapshot of it; one that did not change, by what the listing of
    /// its store says, is not even read.
    pub fn read_and_keep(&self, location: &Location) -> Result<Report, Failed> {
        let began = self.clock.now();
        let done = self.read_and_keep_now(location)?;
        Ok(Report { took: self.clock.now().duration_since(began), ..done })
    }

    fn read_and_keep_now(&self, location: &Location) -> Result<Report, Failed> {
        let uri = location.uri()?;
        if let Some((snapshot, version)) = self.listed(location, &uri) {
            self.saw(&uri, version);
            return Ok(self.report(snapshot, None, None, None));
        }
        let (read, doubt) = match store::read(location, Access::Read) {
            // Of a state that was there it is what is left. Otherwise there is none yet: Azure's
            // locks make such a thing.
            Err(store::Error::Empty { what })
                if !self.catalogue.stream(&stream_of(&uri)).is_empty() =>
            {
                (Content { name: what, bytes: [].as_slice().into(), version: None }, None)
            }
            // Kept as it is, since it may be all that is left.
            Err(store::Error::Digest { what, why, found }) if found.bytes().is_some() => {
                let bytes = found.bytes().cloned().unwrap_or_else(|| [].as_slice().into());
                (Content { name: what, bytes, version: None }, Some(why))
            }
            read => (read?, None),
        };
        // Of a pipe it says that what writes into it failed.
        if *location == Location::StandardInput && read.bytes.is_empty() {
            return Err(Failed::NothingCame);
        }
        let (bytes, version) = (&read.bytes, read.version.as_ref());
        let parsed = Document::parse(bytes.clone());
        let (mut facts, document) = (facts(&parsed), parsed.as_ref().ok());
        facts.broken = facts.broken.or(doubt);
        let uri = if *location == Location::StandardInput {
            self.piped(uri, lineage(&parsed))
        } else {
            uri
        };
        let report = self.keep(&Source { uri: &uri, bytes, facts, document, version })?;
        // How what was just added looks in a listing is for the next run to see.
        if let Some(version) = version.filter(|_| report.skipped()) {
            self.saw(&uri, version);
        }
        Ok(report)
    }

    /// Returns what a state that came through a pipe is told by: each has a history of its own. Its
    /// lineage is not to be had from that.
    fn piped(&self, uri: String, lineage: Option<&str>) -> String {
        let Some(lineage) = lineage else { return uri };
        let text = format!("{} {lineage}", self.repository.id());
        uri + &blake3::hash(text.as_bytes()).to_hex()[..16]
    }

    /// Returns the snapshot that holds a state, by what the listing of its store says, and that.
    fn listed<'l>(&self, location: &'l Location, uri: &str) -> Option<(Snapshot, &'l Version)> {
        let heads = self.heads.as_ref().filter(|_| !self.manner.force)?;
        let version = listed_version(location)?;
        let snapshot = self.repository.holds_version(&self.catalogue, (uri, version), heads)?;
        self.has_tags(&snapshot).then_some((snapshot, version))
    }

    /// Returns whether a snapshot carries the tags without which a state is stored again.
    fn has_tags(&self, snapshot: &Snapshot) -> bool {
        let wanted = self.manner.wanted_tags();
        let has_all = |found: Described| wanted.iter().all(|tag| found.tags.contains(tag));
        wanted.is_empty() || self.repository.describe(snapshot).is_ok_and(has_all)
    }

    /// Remembers how a state looks that a snapshot holds.
    fn saw(&self, uri: &str, version: &Version) {
        if let Some(seen) = &self.seen {
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.saw(&self.catalogue, &stream_of(uri), version);
        }
    }

    /// Returns the newest snapshot of each state that looks as at the end of the last run.
    fn unchanged(&self, locations: &[Location]) -> Vec<Option<&Snapshot>> {
        let seen = self.seen.as_ref().filter(|_| !self.manner.force);
        let seen = seen.map(|seen| seen.lock().unwrap_or_else(PoisonError::into_inner));
        let seen = seen.as_deref();
        let newest = |location: &Location| {
            let (version, uri) = (listed_version(location)?, location.uri().ok()?);
            seen?.holds(&self.catalogue, &stream_of(&uri), version)
        };
        let newest = |locations: &[Location]| -> Vec<Option<&Snapshot>> {
            locations.iter().map(newest).collect()
        };
        workers::shares(locations, WORTH_A_THREAD, newest).concat()
    }

    /// Backs many states up, several at a time, and hands what became of each to `each` in their
    /// order.
    pub fn keep_all<E>(
        &self,
        locations: &[Location],
        mut each: impl FnMut(&Location, Result<Report, Failed>) -> Result<(), E>,
    ) -> Result<(), E> {
        let unchanged = self.unchanged(locations);
        let unchanged_report = |newest: &Snapshot| self.report(newest.clone(), None, None, None);
        let to_do: Vec<&Location> = locations
            .iter()
            .zip(&unchanged)
            .filter(|(_, done)| done.is_none())
            .map(|(l, _)| l)
            .collect();
        let mut all = locations.iter().zip(unchanged);
        let mut tell = |location: &Location, done| {
            // What was only listed, and is no state yet, is nothing to speak of.
            if matches!(done, Err(Failed::Store(store::Error::Empty { .. })))
                && location.is_listed_empty()
            {
                return Ok(());
            }
            self.note(location, &done);
            each(location, done)
        };
        let room = Room::default();
        let work = |location: &&Location| {
            let _place = room.take(size(location));
            self.read_and_keep(location)
        };
        workers::each(&to_do, WORKERS, work, |location, done| {
            // Those before it that did not change come first.
            while let Some((location, Some(newest))) = all.next() {
                tell(location, Ok(unchanged_report(newest)))?;
            }
            tell(location, done)
        })?;
        all.try_for_each(|(location, newest)| {
            newest.map_or(Ok(()), |newest| tell(location, Ok(unchanged_report(newest))))
        })
    }

    /// Notes what became of a state.
    fn note(&self, location: &Location, done: &Result<Report, Failed>) {
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        match done {
            Ok(report) => {
                let Snapshot { stream, id, .. } = &report.snapshot;
                let known = if report.skipped() { &mut states.unchanged } else { &mut states.new };
                known.insert(stream.clone(), id.clone());
            }
            // Of a pipe, nobody knows which state did not come.
            Err(_) if *location == Location::StandardInput => {}
            // One that can't even be named is no state of this repository.
            Err(_) => {
                if let Ok(stream) = location.uri().map(|uri| stream_of(&uri)) {
                    let newest = self.catalogue.stream(&stream).last();
                    let newest = newest.map(|snapshot| snapshot.id.clone());
                    states.failed.insert(stream, newest);
                }
            }
        }
    }

    /// Writes down in the repository what this run did, if it looked at any state.
    pub fn finish(self) -> Result<(), Error> {
        let seen = self.seen.map(|seen| seen.into_inner().unwrap_or_else(PoisonError::into_inner));
        if let Some(Err(error)) = seen.map(|seen| seen.write()) {
            tracing::debug!(%error, "cannot remember how the states look");
        }
        let states = self.states.into_inner().unwrap_or_else(PoisonError::into_inner);
        if states.is_empty() {
            return Ok(());
        }
        self.repository.record_run(states, self.runs.as_ref(), (self.signer, self.clock.now()))
    }

    fn report(
        &self,
        snapshot: Snapshot,
        added: Option<Added>,
        bytes_state: Option<u64>,
        broken: Option<String>,
    ) -> Report {
        let encrypted = *self.repository.protection() != Protection::None;
        let took = SignedDuration::ZERO;
        let made = self.repository.is_new();
        Report { snapshot, added, bytes_state, encrypted, made, broken, took }
    }
}

/// How many states are worked on at once: each waits for its store most of the time.
const WORKERS: usize = 32;

/// To look at so many states that are listed is worth a thread.
const WORTH_A_THREAD: usize = 256;

/// Returns how large a state is, as far as that is known without reading it.
fn size(location: &Location) -> u64 {
    if let Some(path) = location.path() {
        return path.metadata().map_or(0, |found| found.len());
    }
    let listed = if let Location::Stored(place) = location { place.listed.as_ref() } else { None };
    // Most states that were named one by one are small.
    listed.map_or(1 << 20, |entry| entry.len)
}

/// Returns what the listing that a state was found by calls its content.
fn listed_version(location: &Location) -> Option<&Version> {
    let Location::Stored(place) = location else { return None };
    Some(&place.listed.as_ref()?.version)
}

/// Stores a snapshot of one state, of which no more is known than its bytes, if it changed since the
/// newest one.
pub fn run_on(
    (uri, bytes): (&str, &Bytes),
    options: &BackupOptions<'_>,
    clock: &dyn Clock,
) -> Result<Report, Error> {
    let parsed = Document::parse(bytes.clone());
    let (facts, document) = (facts(&parsed), parsed.as_ref().ok());
    run(&Source { uri, bytes, facts, document, version: None }, options, clock)
}

/// Stores a snapshot of one state that changed since the newest one.
pub fn run(
    source: &Source<'_>,
    options: &BackupOptions<'_>,
    clock: &dyn Clock,
) -> Result<Report, Error> {
    let stream = stream_of(source.uri);
    Repository::expect_stream(&*options.vault, &stream);
    let list = |repository: &Repository| repository.catalogue_of(&stream);
    Keeper::open_with(options, clock, list)?.keep(source)
}

/// Returns the lineage of a state, which OpenTofu leaves in the clear where it encrypts the rest.
fn lineage(parsed: &Result<Document, ParseError>) -> Option<&str> {
    let lineage = match parsed {
        Ok(document) => document.lineage(),
        Err(ParseError::Encrypted { lineage, .. }) => lineage,
        Err(_) => return None,
    };
    Some(lineage).filter(|lineage| !lineage.is_empty())
}

/// Returns what is known of a state, whether or not it can be parsed.
pub fn facts(parsed: &Result<Document, ParseError>) -> SourceFacts {
    match parsed {
        Ok(document) => SourceFacts {
            serial: Some(document.serial()),
            lineage: Some(document.lineage().to_owned()),
            terraform_version: Some(document.terraform_version().to_owned()),
            broken: None,
        },
        Err(error) => SourceFacts { broken: Some(error.to_string()), ..SourceFacts::default() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backup::vault::Folder;
    use crate::backup::{BEFORE_CHANGE, Recipients};
    use crate::base::clock::Fixed;

    struct Place {
        folder: tempfile::TempDir,
        protection: Protection,
        signer: Signer,
    }

    impl Place {
        fn new() -> Self {
            let key = age::x25519::Identity::generate().to_public().to_string();
            let protection = Protection::Recipients(Recipients::parse(&[key]).unwrap().unwrap());
            let (folder, signer) = (tempfile::tempdir().unwrap(), Signer::generate().unwrap());
            Self { folder, protection, signer }
        }

        fn run(&self, bytes: &[u8], cache: Option<&Path>) -> Report {
            self.run_in(bytes, cache, Manner::default())
        }

        fn run_in(&self, bytes: &[u8], cache: Option<&Path>, manner: Manner<'_>) -> Report {
            let options = BackupOptions {
                vault: Arc::new(Folder::new(self.folder.path().join("repo"))),
                protection: Some(&self.protection),
                keys: Keys { signer: Some(&self.signer), known: None },
                cache,
                manner,
            };
            let facts = SourceFacts::default();
            let (document, version) = (None, None);
            let source = Source { uri: "file:///a", bytes, facts, document, version };
            let clock = Fixed("2026-08-01T10:15:00Z".parse().unwrap());
            run(&source, &options, &clock).unwrap()
        }

        fn cache(&self) -> std::path::PathBuf {
            self.folder.path().join("cache")
        }

        fn file(&self, snapshot: &Snapshot) -> std::path::PathBuf {
            self.folder.path().join("repo").join(&snapshot.key)
        }
    }

    #[test]
    fn an_unchanged_state_is_not_stored_again_unless_that_is_asked_for() {
        let place = Place::new();
        let cache = place.cache();
        let first = place.run(b"one", Some(&cache));
        let again = place.run(b"one", Some(&cache));
        let changed = place.run(b"two", Some(&cache));
        assert_eq!([&first, &again, &changed].map(Report::skipped), [false, true, false]);
        assert_eq!(first.snapshot.key, again.snapshot.key);
        assert_eq!(changed.snapshot.sequence, 2);
        assert!(first.encrypted);
        let forced = Manner { force: true, ..Manner::default() };
        assert!(!place.run_in(b"two", Some(&cache), forced).skipped());
    }

    #[test]
    fn an_unchanged_state_is_stored_again_where_a_tag_is_wanted_that_the_newest_lacks() {
        let place = Place::new();
        let cache = place.cache();
        let tags = [BEFORE_CHANGE, "x"].map(str::to_owned);
        let stored = |tags: &[String], insists_on_tags| {
            let manner = Manner { tags, insists_on_tags, ..Manner::default() };
            !place.run_in(b"one", Some(&cache), manner).skipped()
        };
        assert!(stored(&[], true));
        assert!(!stored(&tags, false), "nobody insists");
        assert!(stored(&tags[..1], true));
        for again in [&tags[..1], &[]] {
            assert!(!stored(again, true), "{again:?}");
        }
        assert!(stored(&tags, true), "only one of the two is there");
        assert!(!stored(&tags, true));
    }

    #[test]
    fn a_state_that_changed_back_is_stored() {
        let place = Place::new();
        let cache = place.cache();
        for bytes in [b"one", b"two", b"one"] {
            assert!(!place.run(bytes, Some(&cache)).skipped());
        }
    }

    #[test]
    fn without_a_cache_an_unchanged_state_is_stored_again() {
        let place = Place::new();
        for _ in 0..2 {
            assert!(!place.run(b"one", None).skipped());
        }
    }

    #[test]
    fn a_snapshot_that_is_damaged_or_gone_does_not_count() {
        let place = Place::new();
        let cache = place.cache();
        let first = place.file(&place.run(b"one", Some(&cache)).snapshot);
        let mut bytes = std::fs::read(&first).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        crate::base::fs::replace(&first, &bytes).unwrap();
        let second = place.run(b"one", Some(&cache));
        assert!(!second.skipped());
        std::fs::remove_file(place.file(&second.snapshot)).unwrap();
        assert!(!place.run(b"one", Some(&cache)).skipped());
    }

    #[test]
    fn a_cache_that_cannot_be_written_does_not_fail_the_backup() {
        let place = Place::new();
        let file = place.folder.path().join("file");
        crate::base::fs::write_new(&file, b"").unwrap();
        let report = place.run(b"one", Some(&file));
        assert!(report.added.unwrap().forgotten.is_some());
        assert_eq!(place.run(b"one", Some(&place.cache())).added.unwrap().forgotten, None);
    }
}
