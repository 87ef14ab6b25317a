//! A repository: a folder with its record and its snapshots.
//!
//! Everything in it is written once, under a temporary name first; a crash at any moment leaves
//! it as it was before or with one snapshot more.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::body::{self, Flaw, Inner};
use super::container::{self, Encryption, Header};
use super::crypt::{self, AGE_MAGIC, FileIdentity, Refusal};
use super::record;
use super::snapshot::{Label, to_hex, utc};
use super::{Error, Heads, Identities, Kind, Origin, Protection, Snapshot, SourceFacts, stream_of};
use crate::base::fs as files;

/// A repository that is there.
#[derive(Clone, Debug)]
pub struct Repository {
    root: PathBuf,
    id: String,
    protection: Protection,
}

/// What a snapshot holds, checked against what was written.
#[derive(Clone, Debug)]
pub struct Restored {
    /// The bytes of the state.
    pub state: crate::state::bytes::Bytes,
    /// Where it came from.
    pub origin: Origin,
}

impl Repository {
    /// Opens the repository in a folder.
    pub fn open(root: &Path) -> Result<Self, Error> {
        let path = root.join("repo.json");
        match fs::read(&path) {
            Ok(bytes) => {
                let (id, protection) = record::parse(&path, &bytes)?;
                Ok(Self { root: root.to_owned(), id, protection })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(Error::NoRepository { root: root.to_owned() })
            }
            Err(source) => Err(Error::Io { action: "read", path, source }),
        }
    }

    /// Opens the repository in a folder, or makes it there, protected as asked.
    ///
    /// What is asked of a repository that exists has to be what it has.
    pub fn open_or_create(
        root: &Path,
        asked: Option<&Protection>,
        now: Timestamp,
    ) -> Result<Self, Error> {
        match (Self::open(root), asked) {
            (Err(Error::NoRepository { root }), None) => Err(Error::Undecided { root }),
            (Err(Error::NoRepository { .. }), Some(asked)) => {
                record::create(root, asked, now)?;
                Self::open(root)?.insist(asked)
            }
            (Ok(found), Some(asked)) => found.insist(asked),
            (result, _) => result,
        }
    }

    /// Returns its folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns how its snapshots are protected.
    pub fn protection(&self) -> &Protection {
        &self.protection
    }

    /// Lists all snapshots, oldest first.
    pub fn list(&self) -> Result<Vec<Snapshot>, Error> {
        let mut snapshots = Vec::new();
        for stream in names(&self.root.join("s"))? {
            snapshots.append(&mut self.list_stream(&stream)?);
        }
        snapshots.sort_by(|a, b| order(a).cmp(&order(b)));
        Ok(snapshots)
    }

    /// Lists the snapshots of one stream, oldest first.
    pub fn list_stream(&self, stream: &str) -> Result<Vec<Snapshot>, Error> {
        let folder = self.folder(stream);
        let mut snapshots = Vec::new();
        for name in names(&folder)? {
            let path = folder.join(name);
            let size = path.metadata().map_or(0, |found| found.len());
            snapshots.extend(Snapshot::of_name(stream, path, size));
        }
        snapshots.sort_by(|a, b| order(a).cmp(&order(b)));
        Ok(snapshots)
    }

    /// Returns the newest snapshot of a state, if it is known to hold these bytes and is intact.
    pub fn unchanged(&self, uri: &str, state: &[u8], heads: &Heads) -> Option<Snapshot> {
        let newest = self.list_stream(&stream_of(uri)).ok()?.pop()?;
        let known = heads.knows(&self.id, &newest, state);
        (known && self.check(&newest).is_ok()).then_some(newest)
    }

    /// Remembers in the cache which state a snapshot holds.
    pub fn remember(&self, snapshot: &Snapshot, state: &[u8], heads: &Heads) -> io::Result<()> {
        heads.remember(&self.id, snapshot, state)
    }

    /// Adds a full snapshot of a state, after reading it back from the very bytes to be written.
    pub fn add(
        &self,
        uri: &str,
        facts: SourceFacts,
        state: &[u8],
        now: Timestamp,
    ) -> Result<Snapshot, Error> {
        let build = |source| Error::Build { source };
        let label = self.next_label(uri, now).map_err(build)?;
        let inner = Inner {
            v: 1,
            must_understand: Vec::new(),
            snapshot: label.clone(),
            state: Origin::of(uri, facts, state),
            tool: concat!("tfstate ", env!("CARGO_PKG_VERSION")).to_owned(),
        };
        let payload = self.payload(&inner, state)?;
        let header = Header::new(label, self.encryption(), &payload);
        self.commit(&header, &payload)
    }

    /// Reads a snapshot and checks it from end to end; whatever differs is an error, and then
    /// nothing of it is returned.
    pub fn get(&self, snapshot: &Snapshot, identities: &Identities) -> Result<Restored, Error> {
        self.unpack(snapshot, &read_file(&snapshot.path)?, identities)
    }

    fn unpack(
        &self,
        snapshot: &Snapshot,
        file: &[u8],
        identities: &Identities,
    ) -> Result<Restored, Error> {
        let id = || snapshot.id.clone();
        let (header, payload) = self.open_file(snapshot, file)?;
        let flawed = |flaw| flawed(snapshot, flaw);
        let (inner, state) = match &self.protection {
            Protection::None => body::read(payload).map_err(flawed)?,
            Protection::Recipients(_) if identities.is_empty() => {
                return Err(Error::NoIdentity { id: id() });
            }
            Protection::Recipients(_) => {
                let plain =
                    crypt::decrypt(payload, identities).map_err(|refusal| match refusal {
                        Refusal::NoneFits => Error::WrongIdentity { id: id() },
                        Refusal::Damaged => {
                            flawed(Flaw::Damaged("its payload cannot be decrypted"))
                        }
                    })?;
                body::read(plain).map_err(flawed)?
            }
        };
        if inner.snapshot != header.snapshot {
            return Err(flawed(Flaw::Damaged("its payload belongs to another snapshot")));
        }
        Ok(Restored { state: state.into(), origin: inner.state })
    }

    /// Checks what can be checked of a snapshot without an identity: that it is the file that
    /// was written, under its own name.
    pub fn check(&self, snapshot: &Snapshot) -> Result<(), Error> {
        let file = read_file(&snapshot.path)?;
        self.open_file(snapshot, &file).map(drop)
    }

    /// Returns the whole id of a snapshot, of which its name has the beginning.
    pub fn full_id(&self, snapshot: &Snapshot) -> Result<String, Error> {
        let file = read_file(&snapshot.path)?;
        self.open_file(snapshot, &file).map(|(header, _)| header.snapshot.id)
    }

    fn insist(self, asked: &Protection) -> Result<Self, Error> {
        let problem = match (&self.protection, asked) {
            (found, asked) if found == asked => return Ok(self),
            (Protection::None, Protection::Recipients(_)) => "was made without encryption",
            (Protection::Recipients(_), Protection::None) => "is encrypted",
            _ => "is encrypted for other recipients",
        };
        Err(Error::Protection { root: self.root, problem })
    }

    fn encryption(&self) -> Encryption {
        match self.protection {
            Protection::Recipients(_) => Encryption::Age,
            Protection::None => Encryption::None,
        }
    }

    fn next_label(&self, uri: &str, now: Timestamp) -> io::Result<Label> {
        let stream = stream_of(uri);
        // A folder that can't be listed fails the commit; the number is only a hint.
        let last = self.list_stream(&stream).unwrap_or_default();
        let seq =
            last.iter().map(|snapshot| snapshot.sequence).max().unwrap_or(0).saturating_add(1);
        let id = to_hex(&record::random::<16>()?);
        let repo = self.id.clone();
        Ok(Label { repo, stream, id, seq, kind: Kind::Full, created: utc(now) })
    }

    fn payload(&self, inner: &Inner, state: &[u8]) -> Result<Vec<u8>, Error> {
        match &self.protection {
            Protection::None => {
                let mut payload = Vec::new();
                let written = body::write(inner, state, &mut payload);
                written.map_err(|source| Error::Build { source })?;
                same(body::read(payload.as_slice()), state)?;
                Ok(payload)
            }
            Protection::Recipients(recipients) => {
                let fill = |out: &mut dyn Write| body::write(inner, state, out);
                let (payload, key) = crypt::encrypt(recipients, fill)?;
                self_check(&payload, &key, state)?;
                Ok(payload)
            }
        }
    }

    fn commit(&self, header: &Header, payload: &[u8]) -> Result<Snapshot, Error> {
        let folder = self.folder(&header.snapshot.stream);
        let path = folder.join(header.snapshot.file_name(&header.payload.blake3));
        let failed = |source| Error::Io { action: "write", path: path.clone(), source };
        files::create_private_folder(&folder).map_err(failed)?;
        let prefix = container::prefix(header);
        files::write_new_with(&path, |out| {
            out.write_all(&prefix)?;
            out.write_all(payload)
        })
        .map_err(failed)?;
        let size = (prefix.len() + payload.len()) as u64;
        let snapshot = Snapshot::of_name(&header.snapshot.stream, path.clone(), size);
        Ok(snapshot.expect("a label's own file name can be read"))
    }

    /// Opens a snapshot's file and holds it against its name and this repository.
    fn open_file<'f>(
        &self,
        snapshot: &Snapshot,
        file: &'f [u8],
    ) -> Result<(Header, &'f [u8]), Error> {
        let (header, payload) = container::open(file).map_err(|flaw| flawed(snapshot, flaw))?;
        let damaged = |problem| Err(flawed(snapshot, Flaw::Damaged(problem)));
        let name = header.snapshot.file_name(&header.payload.blake3);
        let same_name = snapshot.path.file_name().is_some_and(|found| found == &*name);
        if !same_name || header.snapshot.stream != snapshot.stream {
            return damaged("its header belongs to another name");
        }
        if header.snapshot.repo != self.id {
            return damaged("it comes from another repository");
        }
        if header.encryption != self.encryption() {
            return damaged("it is not protected as its repository is");
        }
        match header.snapshot.kind {
            Kind::Full => Ok((header, payload)),
            Kind::Incremental | Kind::Differential | Kind::Safety => {
                Err(flawed(snapshot, Flaw::Newer("it is not a full snapshot")))
            }
        }
    }

    fn folder(&self, stream: &str) -> PathBuf {
        self.root.join("s").join(stream)
    }
}

/// Holds an encrypted payload against what it should be: encrypted, and the state.
fn self_check(payload: &[u8], key: &FileIdentity, state: &[u8]) -> Result<(), Error> {
    if !payload.starts_with(AGE_MAGIC) {
        return Err(Error::SelfCheck { problem: "it is not encrypted" });
    }
    let plain = crypt::read_back(payload, key)
        .map_err(|_| Error::SelfCheck { problem: "it cannot be decrypted" })?;
    same(body::read(plain), state)
}

fn same(read: Result<(Inner, Vec<u8>), Flaw>, state: &[u8]) -> Result<(), Error> {
    let problem = match read {
        Ok((_, read)) if read == state => return Ok(()),
        Ok(_) => "its bytes differ",
        Err(Flaw::Damaged(problem) | Flaw::Newer(problem)) => problem,
    };
    Err(Error::SelfCheck { problem })
}

fn flawed(snapshot: &Snapshot, flaw: Flaw) -> Error {
    let id = snapshot.id.clone();
    match flaw {
        Flaw::Damaged(problem) => Error::Damaged { id, problem },
        Flaw::Newer(problem) => Error::Newer { what: format!("snapshot {id}"), problem },
    }
}

fn order(snapshot: &Snapshot) -> (Timestamp, &str, u32, &str) {
    (snapshot.created, &snapshot.stream, snapshot.sequence, &snapshot.id)
}

/// Returns the names in a folder; none where it does not exist.
fn names(folder: &Path) -> Result<Vec<String>, Error> {
    let failed = |source| Error::Io { action: "list", path: folder.to_owned(), source };
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(failed)?,
    };
    let name = |entry: io::Result<fs::DirEntry>| entry.map(|entry| entry.file_name().into_string());
    let names: Result<Vec<_>, _> = entries.map(name).collect();
    // No name of ours is anything but ASCII.
    Ok(names.map_err(failed)?.into_iter().flatten().collect())
}

fn read_file(path: &Path) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(|source| Error::Io { action: "read", path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use age::secrecy::ExposeSecret;

    use super::*;
    use crate::backup::Recipients;

    const URI: &str = "file:///srv/prod/terraform.tfstate";
    const STATE: &[u8] = br#"{"version":4,"serial":7,"lineage":"hunter2"}"#;

    struct Place {
        folder: tempfile::TempDir,
        key: age::x25519::Identity,
    }

    impl Place {
        fn new() -> Self {
            let key = age::x25519::Identity::generate();
            Self { folder: tempfile::tempdir().unwrap(), key }
        }

        fn root(&self) -> PathBuf {
            self.folder.path().join("a/repo")
        }

        fn encrypted(&self) -> Protection {
            let recipients = Recipients::parse(&[self.key.to_public().to_string()]);
            Protection::Recipients(recipients.unwrap().unwrap())
        }

        fn identities(&self) -> Identities {
            let path = self.folder.path().join("key");
            files::replace(&path, self.key.to_string().expose_secret().as_bytes()).unwrap();
            Identities::read(&[path]).unwrap()
        }

        fn open(&self, asked: Option<&Protection>) -> Result<Repository, Error> {
            Repository::open_or_create(&self.root(), asked, now())
        }
    }

    fn now() -> Timestamp {
        "2026-08-01T10:15:00Z".parse().unwrap()
    }

    fn add(repository: &Repository) -> Snapshot {
        let facts = SourceFacts { serial: Some(7), ..SourceFacts::default() };
        repository.add(URI, facts, STATE, now()).unwrap()
    }

    #[test]
    fn a_state_comes_back_byte_for_byte_with_and_without_encryption() {
        let large: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
        for encrypted in [true, false] {
            let place = Place::new();
            let asked = if encrypted { place.encrypted() } else { Protection::None };
            let repository = place.open(Some(&asked)).unwrap();
            for state in [b"".as_slice(), STATE, b"not a state \xff\0", &large] {
                let snapshot = repository.add(URI, SourceFacts::default(), state, now()).unwrap();
                let restored = repository.get(&snapshot, &place.identities()).unwrap();
                assert!(*restored.state == *state);
                assert_eq!(restored.origin.length, state.len() as u64);
            }
            assert_eq!(Repository::open(&place.root()).unwrap().list().unwrap().len(), 4);
        }
    }

    #[test]
    fn an_encrypted_repository_says_nothing_of_the_state() {
        let place = Place::new();
        let snapshot = add(&place.open(Some(&place.encrypted())).unwrap());
        let file = fs::read(&snapshot.path).unwrap();
        let hashes = Origin::of(URI, SourceFacts::default(), STATE);
        for secret in ["hunter2", "serial", "lineage", &hashes.blake3, &hashes.sha256, "/srv/"] {
            assert!(memchr::memmem::find(&file, secret.as_bytes()).is_none(), "{secret}");
        }
    }

    #[test]
    fn a_snapshot_cut_short_anywhere_is_refused() {
        for encrypted in [true, false] {
            let place = Place::new();
            let asked = if encrypted { place.encrypted() } else { Protection::None };
            let repository = place.open(Some(&asked)).unwrap();
            let identities = place.identities();
            let snapshot = add(&repository);
            let whole = fs::read(&snapshot.path).unwrap();
            let longer = [whole.as_slice(), b"x"].concat();
            for cut in (0..whole.len()).map(|end| &whole[..end]).chain([longer.as_slice()]) {
                let error = repository.unpack(&snapshot, cut, &identities).unwrap_err();
                assert!(matches!(error, Error::Damaged { .. }), "{}: {error}", cut.len());
                assert!(repository.open_file(&snapshot, cut).is_err());
            }
            assert_eq!(*repository.unpack(&snapshot, &whole, &identities).unwrap().state, *STATE);
        }
    }

    #[test]
    fn a_snapshot_with_any_bit_flipped_is_refused() {
        for encrypted in [true, false] {
            let place = Place::new();
            let asked = if encrypted { place.encrypted() } else { Protection::None };
            let repository = place.open(Some(&asked)).unwrap();
            let identities = place.identities();
            let snapshot = add(&repository);
            let mut bytes = fs::read(&snapshot.path).unwrap();
            for bit in 0..bytes.len() * 8 {
                bytes[bit / 8] ^= 1 << (bit % 8);
                let error = repository.unpack(&snapshot, &bytes, &identities).unwrap_err();
                let named = matches!(error, Error::Damaged { .. } | Error::Newer { .. });
                assert!(named, "{bit}: {error}");
                bytes[bit / 8] ^= 1 << (bit % 8);
            }
        }
    }

    #[test]
    fn a_payload_with_any_byte_changed_is_refused_even_under_a_matching_hash() {
        let place = Place::new();
        let repository = place.open(Some(&place.encrypted())).unwrap();
        let identities = place.identities();
        let snapshot = add(&repository);
        let file = fs::read(&snapshot.path).unwrap();
        let (header, payload) = container::open(&file).ok().unwrap();
        for at in 0..payload.len() {
            let mut payload = payload.to_vec();
            payload[at] ^= 1;
            let forged = Header::new(header.snapshot.clone(), Encryption::Age, &payload);
            let name = forged.snapshot.file_name(&forged.payload.blake3);
            let path = snapshot.path.with_file_name(name);
            let forged_snapshot = Snapshot::of_name(&snapshot.stream, path, 0).unwrap();
            let file = [container::prefix(&forged), payload].concat();
            let error = repository.unpack(&forged_snapshot, &file, &identities).unwrap_err();
            let named = matches!(error, Error::Damaged { .. } | Error::WrongIdentity { .. });
            assert!(named, "{at}: {error}");
        }
    }

    #[test]
    fn a_snapshot_cannot_pass_for_another() {
        let place = Place::new();
        let repository = place.open(Some(&place.encrypted())).unwrap();
        let identities = place.identities();
        let snapshot = add(&repository);
        let refused = |found: &Snapshot, expected: &str| {
            let said = repository.get(found, &identities).unwrap_err().to_string();
            assert!(said.ends_with(expected), "{said}");
        };
        let file = fs::read(&snapshot.path).unwrap();
        let renamed = snapshot
            .path
            .with_file_name("20270801T101500Z-00000009-f-01234567-abababababababab.tfb");
        files::write_new(&renamed, &file).unwrap();
        let stream = &snapshot.stream;
        refused(
            &Snapshot::of_name(stream, renamed, 0).unwrap(),
            "its header belongs to another name",
        );
        // A header that was made anew around the same payload agrees with its own name.
        let (mut header, payload) = container::open(&file).ok().unwrap();
        header.snapshot.seq = 2;
        let forged =
            snapshot.path.with_file_name(header.snapshot.file_name(&header.payload.blake3));
        let bytes = [container::prefix(&header).as_slice(), payload].concat();
        files::write_new(&forged, &bytes).unwrap();
        refused(
            &Snapshot::of_name(stream, forged, 0).unwrap(),
            "its payload belongs to another snapshot",
        );
        header.encryption = Encryption::None;
        header.snapshot.seq = 1;
        let unprotected = [container::prefix(&header).as_slice(), payload].concat();
        header.snapshot.repo = "0".repeat(32);
        let foreign = [container::prefix(&header).as_slice(), payload].concat();
        let cases = [
            (unprotected, "it is not protected as its repository is"),
            (foreign, "it comes from another repository"),
        ];
        for (file, expected) in cases {
            let said = repository.unpack(&snapshot, &file, &identities).unwrap_err().to_string();
            assert!(said.ends_with(expected), "{said}");
        }
    }

    #[test]
    fn what_a_later_version_wrote_is_refused_as_such() {
        let place = Place::new();
        let repository = place.open(Some(&Protection::None)).unwrap();
        let snapshot = add(&repository);
        let file = fs::read(&snapshot.path).unwrap();
        let (header, payload) = container::open(&file).ok().unwrap();
        let mut later = Vec::new();
        for (at, byte) in [(7, b'2'), (12, 1), (container::prefix(&header).len() - 2, 1)] {
            let mut file = file.clone();
            file[at] = byte;
            later.push(file);
        }
        let mut edited = header.clone();
        edited.must_understand.push("delta".to_owned());
        later.push([container::prefix(&edited).as_slice(), payload].concat());
        edited = header;
        edited.v = 2;
        later.push([container::prefix(&edited).as_slice(), payload].concat());
        for (i, file) in later.iter().enumerate() {
            let read = repository.unpack(&snapshot, file, &Identities::default());
            let error = read.unwrap_err();
            assert!(matches!(error, Error::Newer { .. }), "{i}: {error}");
        }
        edited.v = 1;
        edited.snapshot.kind = Kind::Differential;
        let path = snapshot.path.with_file_name(edited.snapshot.file_name(&edited.payload.blake3));
        let delta = Snapshot::of_name(&snapshot.stream, path, 0).unwrap();
        let file = [container::prefix(&edited).as_slice(), payload].concat();
        let error = repository.unpack(&delta, &file, &Identities::default()).unwrap_err();
        assert!(matches!(error, Error::Newer { .. }), "{error}");
    }

    #[test]
    fn an_encrypted_snapshot_needs_a_key_that_fits() {
        let place = Place::new();
        let repository = place.open(Some(&place.encrypted())).unwrap();
        let snapshot = add(&repository);
        let none = repository.get(&snapshot, &Identities::default()).unwrap_err();
        assert!(matches!(none, Error::NoIdentity { .. }), "{none}");
        let other = repository.get(&snapshot, &Place::new().identities()).unwrap_err();
        assert!(matches!(other, Error::WrongIdentity { .. }), "{other}");
    }

    #[test]
    fn a_repository_is_made_only_when_protection_was_decided_on() {
        let place = Place::new();
        let undecided = place.open(None).unwrap_err();
        assert!(matches!(undecided, Error::Undecided { .. }), "{undecided}");
        assert!(!place.root().exists());
        let missing = Repository::open(&place.root()).unwrap_err();
        assert!(matches!(missing, Error::NoRepository { .. }), "{missing}");
        place.open(Some(&place.encrypted())).unwrap();
        assert_eq!(*place.open(None).unwrap().protection(), place.encrypted());
    }

    #[test]
    fn a_repository_keeps_the_protection_it_was_made_with() {
        let (place, other) = (Place::new(), Place::new());
        place.open(Some(&place.encrypted())).unwrap();
        let said = |asked| place.open(Some(&asked)).unwrap_err().to_string();
        assert!(said(Protection::None).ends_with("is encrypted"));
        assert!(said(other.encrypted()).ends_with("is encrypted for other recipients"));
        other.open(Some(&Protection::None)).unwrap();
        let error = other.open(Some(&place.encrypted())).unwrap_err().to_string();
        assert!(error.ends_with("was made without encryption"), "{error}");
    }

    #[test]
    fn what_is_left_of_a_crashed_run_is_not_listed() {
        let place = Place::new();
        let repository = place.open(Some(&Protection::None)).unwrap();
        let snapshot = add(&repository);
        let name = snapshot.path.file_name().unwrap().to_str().unwrap();
        let left = snapshot.path.with_file_name(format!(".{name}.AbC123.tmp"));
        files::write_new(&left, b"half").unwrap();
        assert_eq!(repository.list().unwrap(), [snapshot]);
    }

    #[test]
    fn a_snapshot_that_is_not_what_it_should_be_is_not_kept() {
        let place = Place::new();
        let Protection::Recipients(recipients) = place.encrypted() else { unreachable!() };
        let repository = place.open(Some(&place.encrypted())).unwrap();
        let inner = Inner {
            v: 1,
            must_understand: Vec::new(),
            snapshot: repository.next_label(URI, now()).unwrap(),
            state: Origin::of(URI, SourceFacts::default(), STATE),
            tool: String::new(),
        };
        let fill = |out: &mut dyn Write| body::write(&inner, STATE, out);
        let (payload, key) = crypt::encrypt(&recipients, fill).unwrap();
        self_check(&payload, &key, STATE).unwrap();
        let mut damaged = payload.clone();
        *damaged.last_mut().unwrap() ^= 1;
        let mut plain = Vec::new();
        fill(&mut plain).unwrap();
        let cases: [(&[u8], &[u8]); 3] = [(&payload, b"{}"), (&damaged, STATE), (&plain, STATE)];
        for (payload, state) in cases {
            let error = self_check(payload, &key, state).unwrap_err();
            assert!(matches!(error, Error::SelfCheck { .. }), "{error}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_can_read_a_repository() {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let place = Place::new();
        let snapshot = add(&place.open(Some(&Protection::None)).unwrap());
        let private = [(place.root(), 0o700), (place.root().join("repo.json"), 0o600)];
        for (path, expected) in private.into_iter().chain([(snapshot.path, 0o600)]) {
            assert_eq!(mode(&path), expected, "{}", path.display());
        }
    }
}
