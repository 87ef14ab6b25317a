//! The bytes of a state, from a file, a stream, git or a store.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::Path;

use super::compression::{Compression, MAGIC_LENGTH, at_most};
use super::{Error, Found, Location, Place, Version, earlier, git, local, many};
use crate::base::fs::Mapped;
use crate::state::bytes::Bytes;

/// How the bytes of a file are to be had.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Access {
    /// Mapped into memory where that is faster; another process's write can show through.
    Map,
    /// Read, and read again if the file changed meanwhile: what is needed to keep a copy.
    Read,
}

/// A state as it was found.
#[derive(Clone, Debug)]
pub struct Content {
    /// What to call the place when talking to the user.
    pub name: String,
    /// The state's bytes, decompressed.
    pub bytes: Bytes,
    /// What the store called this content, where it has such names.
    pub version: Option<Version>,
}

/// Below this, mapping a file costs more than reading it.
const SMALL: u64 = 64 * 1024;

/// From this many bytes on, two threads read a file faster than one.
const WORTH_TWO_THREADS: usize = 4 << 20;

/// How much of a stream is read before it is given up as not being a state.
const SNIFF: u64 = 64 * 1024;

/// Largest state that is read: 3.5 GiB. Up to there the index of what Terraform writes stays within
/// 40 MB, whatever is in it.
const LIMIT: u64 = 7 << 29;

/// How often a file that changes while it is read is read again.
const TRIES: usize = 5;

/// Reads the state at a location.
pub fn read(location: &Location, access: Access) -> Result<Content, Error> {
    let name = location.name();
    let mut version = None;
    let bytes = match location {
        Location::StandardInput => stream(io::stdin().lock(), &name, LIMIT),
        Location::File(path) => file(path, &name, access),
        Location::Git { revision, path } => {
            git::read(revision, path, LIMIT).and_then(|bytes| expand(bytes.into(), &name, LIMIT))
        }
        Location::Stored(place) => {
            let found = match &place.version {
                Some(id) => place.store.read_version(&place.key, id)?,
                None => place.store.read(&place.key)?,
            };
            if let Found::Bytes(_, found) = &found {
                version = Some(found.clone());
            }
            stored(place, found, &name)
        }
        Location::Earlier { of, which } => {
            let (place, found) = earlier::read(of, which)?;
            stored(&place, found, &name)
        }
        Location::Snapshot(_) => {
            let why = "it is in the backup repository".to_owned();
            Err(Error::NoVersions { what: name.clone(), why })
        }
        Location::Directory { dir, file: path, .. } => match file(path, &name, access) {
            Err(Error::NotFound { .. }) => {
                Err(Error::NoStateInDirectory { dir: dir.clone(), looked_for: path.clone() })
            }
            other => other,
        },
    };
    Ok(Content { bytes: bytes?, name, version })
}

/// Returns what was found in a store. It is as large as the state, so it is not copied.
fn stored(place: &Place, found: Found, name: &str) -> Result<Bytes, Error> {
    if let Some(error) = many::instead(place, &found) {
        return Err(error);
    }
    match found {
        Found::Nothing => Err(place.nothing()),
        Found::Empty(_) => Err(Error::Empty { what: name.to_owned() }),
        Found::Bytes(bytes, _) => expand(bytes, name, LIMIT),
    }
}

fn file(path: &Path, name: &str, access: Access) -> Result<Bytes, Error> {
    for _ in 0..TRIES {
        if let Some(bytes) = file_once(path, name, access)? {
            local::check_finished(&bytes, name, path)?;
            return Ok(bytes);
        }
    }
    Err(Error::Changing { what: name.to_owned() })
}

/// Returns nothing where the file changed while it was read.
fn file_once(path: &Path, name: &str, access: Access) -> Result<Option<Bytes>, Error> {
    let failed = |source| Error::reading(name, source);
    let file = File::open(path).map_err(failed)?;
    let before = file.metadata().map_err(failed)?;
    if !before.is_file() {
        return stream(file, name, LIMIT).map(Some);
    }
    if before.len() > LIMIT {
        return Err(too_large(name, LIMIT));
    }
    if access == Access::Map && before.len() >= SMALL && !is_compressed(&file).map_err(failed)? {
        return Mapped::of(&file).map(|map| Some(Bytes::new(map))).map_err(failed);
    }
    let bytes = settled_once(&file, &before, path, name, before.len())?;
    bytes.map(|bytes| expand(bytes.into(), name, LIMIT)).transpose()
}

/// Reads the first `most` bytes of a file as it is, at a moment when nobody writes it; tells how
/// long it is.
pub(super) fn settled(path: &Path, name: &str, most: u64) -> Result<(Vec<u8>, u64), Error> {
    let failed = |source| Error::reading(name, source);
    for _ in 0..TRIES {
        let file = File::open(path).map_err(failed)?;
        let before = file.metadata().map_err(failed)?;
        let len = before.len();
        if let Some(bytes) = settled_once(&file, &before, path, name, len.min(most))? {
            return Ok((bytes, len));
        }
    }
    Err(Error::Changing { what: name.to_owned() })
}

/// Returns nothing where the file changed while it was read.
fn settled_once(
    file: &File,
    before: &Metadata,
    path: &Path,
    name: &str,
    len: u64,
) -> Result<Option<Vec<u8>>, Error> {
    let failed = |source| Error::reading(name, source);
    if before.len() > LIMIT {
        return Err(too_large(name, LIMIT));
    }
    let bytes = match whole(file, len) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        bytes => bytes.map_err(failed)?,
    };
    // Terraform empties a local state and writes it again in place.
    let is_same = is_same(before, &path.metadata().map_err(failed)?);
    Ok(is_same.then_some(bytes))
}

/// Reads a file of known length. The pages of a large buffer cost more than the reading, so two
/// threads share them.
#[cfg(unix)]
fn whole(file: &File, len: u64) -> io::Result<Vec<u8>> {
    use std::os::unix::fs::FileExt;
    let len = usize::try_from(len).map_err(io::Error::other)?;
    let mut bytes = vec![0; len];
    if len < WORTH_TWO_THREADS {
        file.read_exact_at(&mut bytes, 0)?;
        return Ok(bytes);
    }
    let (head, tail) = bytes.split_at_mut(len / 2);
    let at = head.len() as u64;
    std::thread::scope(|scope| {
        let second = scope.spawn(move || file.read_exact_at(tail, at));
        let first = file.read_exact_at(head, 0);
        let second = second.join().unwrap_or_else(|_| Err(io::Error::other("a reader is gone")));
        first.and(second)
    })?;
    Ok(bytes)
}

#[cfg(not(unix))]
fn whole(mut file: &File, len: u64) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(len).map_err(io::Error::other)?];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn is_compressed(mut file: &File) -> io::Result<bool> {
    use std::io::Seek;
    let mut beginning = [0; MAGIC_LENGTH];
    file.read_exact(&mut beginning)?;
    file.rewind()?;
    Ok(Compression::of(&beginning).is_some())
}

fn is_same(before: &Metadata, after: &Metadata) -> bool {
    before.len() == after.len()
        && before.modified().ok() == after.modified().ok()
        && same_file(before, after)
}

#[cfg(unix)]
fn same_file(before: &Metadata, after: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (before.dev(), before.ino()) == (after.dev(), after.ino())
}

#[cfg(not(unix))]
fn same_file(_before: &Metadata, _after: &Metadata) -> bool {
    true
}

/// Reads a stream to its end, unless its beginning shows that it is no state: then what was read
/// of it is enough to say so, and an endless stream does not fill the memory.
fn stream(mut source: impl Read, name: &str, limit: u64) -> Result<Bytes, Error> {
    let failed = |source| Error::reading(name, source);
    let mut bytes = Vec::new();
    source.by_ref().take(SNIFF).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 == SNIFF && can_begin_a_state(&bytes) {
        let rest = at_most(source, limit - SNIFF).map_err(failed)?;
        bytes.append(&mut rest.ok_or_else(|| too_large(name, limit))?);
    } else if bytes.len() as u64 == SNIFF {
        return Ok(bytes.into());
    }
    expand(bytes.into(), name, limit)
}

fn can_begin_a_state(bytes: &[u8]) -> bool {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let first = text.iter().find(|byte| !byte.is_ascii_whitespace());
    first == Some(&b'{') || Compression::of(bytes).is_some()
}

fn expand(bytes: Bytes, name: &str, limit: u64) -> Result<Bytes, Error> {
    let Some(compression) = Compression::of(&bytes) else {
        return Ok(bytes);
    };
    match compression.undo(&*bytes, limit) {
        Ok(Some(plain)) => Ok(plain.into()),
        Ok(None) => Err(too_large(name, limit)),
        Err(source) => {
            let (what, format) = (name.to_owned(), compression.name());
            Err(Error::Compression { what, format, source })
        }
    }
}

fn too_large(name: &str, limit: u64) -> Error {
    Error::TooLarge { what: name.to_owned(), limit }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::base::fs;

    const STATE: &[u8] = br#"{"version":4,"serial":1,"lineage":"a","outputs":{},"resources":[]}"#;

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(plain: &[u8]) -> Vec<u8> {
        zstd::encode_all(plain, 3).unwrap()
    }

    fn read_file(bytes: &[u8], access: Access) -> Result<Vec<u8>, Error> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.tfstate");
        fs::write_new(&path, bytes).unwrap();
        read(&Location::File(path), access).map(|content| content.bytes.to_vec())
    }

    /// Gives its bytes in small pieces and then fails, as a pipe whose writer was killed does.
    struct Broken<'a>(&'a [u8]);

    impl Read for Broken<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() {
                return Err(io::ErrorKind::ConnectionReset.into());
            }
            let n = self.0.len().min(7).min(out.len());
            out[..n].copy_from_slice(&self.0[..n]);
            self.0 = &self.0[n..];
            Ok(n)
        }
    }

    #[test]
    fn a_state_is_the_same_read_mapped_or_compressed() {
        let large = [b"{\"a\":\"", "x".repeat(200_000).as_bytes(), b"\"}"].concat();
        for plain in [STATE, &large] {
            for bytes in [plain.to_vec(), gzip(plain), zstd(plain)] {
                for access in [Access::Map, Access::Read] {
                    assert!(read_file(&bytes, access).unwrap() == plain);
                }
                assert!(*stream(bytes.as_slice(), "-", LIMIT).unwrap() == *plain);
            }
        }
    }

    #[test]
    fn a_large_compressed_file_is_not_mapped_as_it_is() {
        let noise: Vec<u8> = (0..100_000_u32)
            .flat_map(|n| blake3::hash(&n.to_le_bytes()).as_bytes()[..2].to_vec())
            .collect();
        let packed = zstd(&noise);
        assert!(packed.len() as u64 > SMALL);
        assert!(read_file(&packed, Access::Map).unwrap() == noise);
    }

    #[test]
    fn compressed_data_cut_short_anywhere_is_refused() {
        for (format, packed) in [("gzip", gzip(STATE)), ("zstd", zstd(STATE))] {
            for end in MAGIC_LENGTH..packed.len() {
                let error = stream(&packed[..end], "standard input", LIMIT).unwrap_err();
                let message = format!("cannot decompress standard input as {format}");
                assert_eq!(error.to_string(), message, "{end}");
            }
        }
    }

    #[test]
    fn a_file_that_is_too_large_is_refused_unread() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.tfstate");
        File::create_new(&path).unwrap().set_len(LIMIT + 1).unwrap();
        for access in [Access::Map, Access::Read] {
            let error = read(&Location::File(path.clone()), access).unwrap_err();
            assert!(matches!(error, Error::TooLarge { .. }), "{error}");
        }
    }

    #[test]
    fn what_expands_without_end_is_refused() {
        let bomb = zstd(&vec![b' '; 100_000]);
        let error = stream(bomb.as_slice(), "standard input", 70_000).unwrap_err();
        assert_eq!(error.to_string(), "standard input holds more than 70000 bytes");
        let endless = io::Read::chain(STATE, io::repeat(b' '));
        let error = stream(endless, "standard input", 70_000).unwrap_err();
        assert!(matches!(error, Error::TooLarge { .. }), "{error}");
    }

    #[test]
    fn an_endless_stream_that_is_no_state_is_given_up_early() {
        for byte in [b'[', b' ', b'y', 0] {
            let bytes = stream(io::repeat(byte), "standard input", LIMIT).unwrap();
            assert_eq!(bytes.len() as u64, SNIFF);
        }
    }

    #[test]
    fn a_pipe_that_breaks_is_an_error_and_not_a_short_state() {
        let error = stream(Broken(STATE), "standard input", LIMIT).unwrap_err();
        assert_eq!(error.to_string(), "cannot read standard input");
    }

    #[test]
    fn what_is_not_there_is_named() {
        let missing = Location::File("no/such.tfstate".into());
        let error = read(&missing, Access::Map).unwrap_err();
        assert_eq!(error.to_string(), "cannot find no/such.tfstate");
        let (dir, file) = ("no".into(), "no/terraform.tfstate".into());
        let directory = Location::Directory { dir, workspace: "default".to_owned(), file };
        let error = read(&directory, Access::Map).unwrap_err();
        assert_eq!(error.to_string(), "there is no state in no: no file no/terraform.tfstate");
    }

    #[test]
    fn a_file_whose_write_was_interrupted_is_no_broken_state_but_says_where_the_whole_one_is() {
        let mark = b"tfstate was interrupted while it wrote this file.\n";
        for rest in [10, 200_000] {
            for access in [Access::Map, Access::Read] {
                let error = read_file(&[mark, &*vec![b' '; rest]].concat(), access).unwrap_err();
                let Error::Unfinished { copy, .. } = error else { panic!("{error}") };
                assert!(copy.ends_with(".a.tfstate.unfinished"), "{}", copy.display());
            }
        }
    }

    #[test]
    fn a_file_changed_while_it_is_read_does_not_pass_for_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write_new(&path, STATE).unwrap();
        let before = path.metadata().unwrap();
        assert!(is_same(&before, &path.metadata().unwrap()));
        // The old file stays open, so that its place on the disk is not used again.
        let _held = File::open(&path).unwrap();
        fs::replace(&path, STATE).unwrap();
        assert!(!is_same(&before, &path.metadata().unwrap()));
    }
}
