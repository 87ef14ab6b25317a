//! Restores a snapshot to a file, byte for byte.
//!
//! This writes a file and nothing more: it takes no lock and does not raise the serial, so it is
//! meant for a new file beside the live state, not for the live state itself.

use std::io;
use std::path::{Path, PathBuf};

use crate::backup::{self, Identities, Origin, Repository, Snapshot, stream_of};
use crate::base::clock::Clock;
use crate::base::fs;

/// A restore that did not happen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The snapshot can't be had.
    #[error(transparent)]
    Backup(#[from] backup::Error),
    /// The target is there already.
    #[error("cannot restore to {}: it exists", to.display())]
    Exists {
        /// The target.
        to: PathBuf,
    },
    /// The target is not a file that could be replaced.
    #[error("cannot restore to {}: it is not a file", to.display())]
    NotAFile {
        /// The target.
        to: PathBuf,
    },
    /// What is in the target can't be kept, so the target was not touched.
    #[error("cannot keep a copy of {} as {}, so it was not touched", to.display(), kept.display())]
    Keep {
        /// The target.
        to: PathBuf,
        /// Where its content was to go.
        kept: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The target can't be written.
    #[error("cannot write {}", to.display())]
    Write {
        /// The target.
        to: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
}

/// Which snapshot is meant.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reference<'a> {
    /// The newest of all.
    Latest,
    /// The newest of the state with this URI.
    State(&'a str),
    /// The one whose id begins like this.
    Id(&'a str),
}

/// What to do with a target that exists.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Existing {
    /// Leave it and fail.
    Refuse,
    /// Put a copy of it beside it, then replace it.
    KeepAside,
}

/// What to restore, and where.
#[derive(Clone, Copy, Debug)]
pub struct RestoreOptions<'a> {
    /// The snapshot, from [`find`].
    pub snapshot: &'a Snapshot,
    /// The keys; none are needed for a repository without encryption.
    pub identities: &'a Identities,
    /// The file to write.
    pub to: &'a Path,
    /// What to do if it exists.
    pub existing: Existing,
}

/// What was done.
#[derive(Clone, Debug)]
pub struct Report {
    /// What the state was.
    pub origin: Origin,
    /// Where the target's old content is now, if it had any.
    pub kept: Option<PathBuf>,
}

/// Finds the snapshot that is meant.
pub fn find(repository: &Repository, reference: Reference<'_>) -> Result<Snapshot, backup::Error> {
    let newest = |mut snapshots: Vec<Snapshot>, reference: &str| {
        let reference = reference.to_owned();
        snapshots.pop().ok_or(backup::Error::NoSnapshot { reference })
    };
    match reference {
        Reference::Latest => newest(repository.list()?, "at all"),
        Reference::State(uri) => {
            newest(repository.list_stream(&stream_of(uri))?, &format!("of {uri}"))
        }
        Reference::Id(prefix) => by_id(repository, prefix),
    }
}

/// Names have 8 digits of an id; further ones are looked up in the headers.
fn by_id(repository: &Repository, prefix: &str) -> Result<Snapshot, backup::Error> {
    let reference = || prefix.to_owned();
    let wanted = prefix.to_ascii_lowercase();
    let beginning = wanted.get(..8).unwrap_or(&wanted);
    let mut found = repository.list()?;
    found.retain(|snapshot| !wanted.is_empty() && snapshot.id.starts_with(beginning));
    if wanted.len() > 8 {
        // One that can't be read stays, so that reading it says what is wrong with it.
        let fits = |id: String| id.starts_with(&wanted);
        found.retain(|snapshot| repository.full_id(snapshot).map_or(true, fits));
    }
    let candidates = || found.iter().map(|snapshot| snapshot.id.clone()).collect();
    match found.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err(backup::Error::NoSnapshot { reference: reference() }),
        _ => Err(backup::Error::Ambiguous { reference: reference(), candidates: candidates() }),
    }
}

/// Writes the state of a snapshot to a file, after all of it was checked.
///
/// Until then nothing is touched; after that the file is the old one or the new one, whole.
pub fn run(
    repository: &Repository,
    options: &RestoreOptions<'_>,
    clock: &dyn Clock,
) -> Result<Report, Error> {
    let restored = repository.get(options.snapshot, options.identities)?;
    let to = options.to.to_owned();
    let kept = match (to.symlink_metadata(), options.existing) {
        (Err(_), _) => {
            fs::write_new(&to, &restored.state).map_err(|source| Error::writing(to, source))?;
            None
        }
        (Ok(_), Existing::Refuse) => return Err(Error::Exists { to }),
        (Ok(_), Existing::KeepAside) => {
            let kept = keep_aside(&to, clock)?;
            fs::replace(&to, &restored.state).map_err(|source| Error::Write { to, source })?;
            Some(kept)
        }
    };
    Ok(Report { origin: restored.origin, kept })
}

impl Error {
    fn writing(to: PathBuf, source: io::Error) -> Self {
        match source.kind() {
            // It came to be since it was looked for.
            io::ErrorKind::AlreadyExists => Self::Exists { to },
            _ => Self::Write { to, source },
        }
    }
}

/// Copies a file to a new name beside it.
fn keep_aside(to: &Path, clock: &dyn Clock) -> Result<PathBuf, Error> {
    if !to.is_file() {
        return Err(Error::NotAFile { to: to.to_owned() });
    }
    let mut name = to.file_name().unwrap_or_default().to_owned();
    name.push(clock.now().strftime(".%Y%m%dT%H%M%SZ.before-restore").to_string());
    let kept = to.with_file_name(name);
    let copied = std::fs::File::open(to).and_then(|mut old| {
        fs::write_new_with(&kept, |mut out| io::copy(&mut old, &mut out).map(drop))
    });
    match copied {
        Ok(()) => Ok(kept),
        Err(source) => Err(Error::Keep { to: to.to_owned(), kept, source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backup::sample::Sample;
    use crate::base::clock::Fixed;

    const CLOCK: Fixed = Fixed(jiff::Timestamp::constant(1_785_579_300, 0));

    struct Place(Sample);

    impl Place {
        fn new() -> (Self, Repository) {
            let sample = Sample::new();
            let repository = sample.plain();
            (Self(sample), repository)
        }

        fn add(&self, to: &Repository, uri: &str, state: &[u8], second: i64) -> Snapshot {
            self.0.add(to, uri, state, second)
        }

        fn target(&self) -> PathBuf {
            self.0.folder().join("a.tfstate")
        }

        fn restore(&self, repository: &Repository, existing: Existing) -> Result<Report, Error> {
            let snapshot = &find(repository, Reference::Latest)?;
            let identities = &Identities::default();
            let to = &self.target();
            run(repository, &RestoreOptions { snapshot, identities, to, existing }, &CLOCK)
        }

        fn names(&self) -> Vec<String> {
            let entries = std::fs::read_dir(self.0.folder()).unwrap();
            let mut names: Vec<String> =
                entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
            names.sort();
            names
        }
    }

    #[test]
    fn a_snapshot_is_found_by_id_by_state_or_as_the_latest() {
        let (place, repository) = Place::new();
        let old = place.add(&repository, "file:///a", b"1", 10);
        let newest_of_a = place.add(&repository, "file:///a", b"2", 20);
        let latest = place.add(&repository, "file:///b", b"3", 30);
        let find = |reference| find(&repository, reference).unwrap().key;
        assert_eq!(find(Reference::Latest), latest.key);
        assert_eq!(find(Reference::State("file:///a")), newest_of_a.key);
        assert_eq!(find(Reference::Id(&old.id)), old.key);
        assert_eq!(find(Reference::Id(&repository.full_id(&old).unwrap())), old.key);
        let listed: Vec<String> = repository.list().unwrap().into_iter().map(|s| s.key).collect();
        assert_eq!(listed, [old.key, newest_of_a.key, latest.key]);
    }

    #[test]
    fn a_reference_that_fits_none_or_several_is_refused() {
        let (place, repository) = Place::new();
        let latest = find(&repository, Reference::Latest).unwrap_err();
        assert_eq!(latest.to_string(), "there is no snapshot at all");
        // With 17 ids, two begin with the same digit.
        let ids: Vec<String> =
            (0..17).map(|n| place.add(&repository, "file:///a", b"1", n).id).collect();
        let shared = |digit: &char| ids.iter().filter(|id| id.starts_with(*digit)).count() > 1;
        let digit = "0123456789abcdef".chars().find(shared).unwrap().to_string();
        let error = find(&repository, Reference::Id(&digit)).unwrap_err();
        assert!(matches!(error, backup::Error::Ambiguous { .. }), "{error}");
        for text in ["", "xyz", "größe🦀", "ffffffffffffffffffffffffffffffffff"] {
            let error = find(&repository, Reference::Id(text)).unwrap_err();
            assert_eq!(error.to_string(), format!("there is no snapshot {text}"));
        }
        let error = find(&repository, Reference::State("file:///c")).unwrap_err();
        assert_eq!(error.to_string(), "there is no snapshot of file:///c");
    }

    #[test]
    fn a_new_file_gets_the_exact_bytes() {
        let (place, repository) = Place::new();
        let state = b"\xef\xbb\xbf{\r\n\t\"serial\": 1.0e0 }\0\xff".as_slice();
        place.add(&repository, "file:///a", state, 10);
        let report = place.restore(&repository, Existing::Refuse).unwrap();
        assert_eq!(std::fs::read(place.target()).unwrap(), state);
        assert_eq!((report.origin.length, report.kept), (state.len() as u64, None));
    }

    #[test]
    fn a_file_that_exists_is_left_alone() {
        let (place, repository) = Place::new();
        place.add(&repository, "file:///a", b"new", 10);
        fs::write_new(&place.target(), b"old").unwrap();
        let error = place.restore(&repository, Existing::Refuse).unwrap_err();
        assert!(matches!(error, Error::Exists { .. }), "{error}");
        assert_eq!(std::fs::read(place.target()).unwrap(), b"old");
    }

    #[test]
    fn what_is_replaced_is_kept_beside_it() {
        let (place, repository) = Place::new();
        place.add(&repository, "file:///a", b"new", 10);
        fs::write_new(&place.target(), b"old").unwrap();
        let kept = place.restore(&repository, Existing::KeepAside).unwrap().kept.unwrap();
        assert_eq!(std::fs::read(place.target()).unwrap(), b"new");
        assert_eq!(std::fs::read(&kept).unwrap(), b"old");
        let name = "a.tfstate.20260801T101500Z.before-restore";
        assert_eq!(place.names(), ["a.tfstate", name, "repo"]);
        // A second restore in the same second would lose that copy, so it is refused.
        let error = place.restore(&repository, Existing::KeepAside).unwrap_err();
        assert!(matches!(error, Error::Keep { .. }), "{error}");
        assert_eq!(std::fs::read(&kept).unwrap(), b"old");
    }

    #[test]
    fn a_damaged_snapshot_touches_nothing() {
        let (place, repository) = Place::new();
        let snapshot = place.add(&repository, "file:///a", b"new", 10);
        fs::write_new(&place.target(), b"old").unwrap();
        let path = place.0.root().join(&snapshot.key);
        let whole = std::fs::read(&path).unwrap();
        fs::replace(&path, &whole[..whole.len() - 1]).unwrap();
        place.restore(&repository, Existing::KeepAside).unwrap_err();
        assert_eq!(std::fs::read(place.target()).unwrap(), b"old");
        assert_eq!(place.names(), ["a.tfstate", "repo"]);
    }

    #[test]
    fn a_target_that_cannot_be_a_file_is_refused() {
        let (place, repository) = Place::new();
        let snapshot = &place.add(&repository, "file:///a", b"new", 10);
        let identities = &Identities::default();
        let to = |to: &Path, existing| {
            let options = RestoreOptions { snapshot, identities, to, existing };
            run(&repository, &options, &CLOCK).unwrap_err()
        };
        let folder = to(place.0.folder(), Existing::KeepAside);
        assert!(matches!(folder, Error::NotAFile { .. }), "{folder}");
        let nowhere = to(&place.0.folder().join("no/such"), Existing::Refuse);
        assert!(matches!(nowhere, Error::Write { .. }), "{nowhere}");
    }
}
