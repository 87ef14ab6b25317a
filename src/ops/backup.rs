//! Backs a state up: one snapshot in the repository, unless the newest one holds it already.

use std::path::Path;

use crate::backup::{Error, Heads, Protection, Repository, Snapshot, SourceFacts};
use crate::base::clock::Clock;
use crate::state::bytes::Bytes;
use crate::state::document::Document;

/// The state to back up, as it was read.
#[derive(Clone, Debug)]
pub struct Source<'a> {
    /// Text that stays the same for the same place: [`crate::store::Location::uri`].
    pub uri: &'a str,
    /// The bytes, whether or not they can be parsed.
    pub bytes: &'a [u8],
    /// What parsing them told.
    pub facts: SourceFacts,
}

/// Where and how to keep it.
#[derive(Clone, Debug)]
pub struct BackupOptions<'a> {
    /// The repository's folder; it is made if there is none.
    pub repository: &'a Path,
    /// What was asked for; nothing takes a repository as it is.
    pub protection: Option<&'a Protection>,
    /// The cache folder, by which an unchanged state is known; without one it is stored again.
    pub cache: Option<&'a Path>,
}

/// What was done.
#[derive(Clone, Debug)]
pub struct Report {
    /// The snapshot that holds the state now.
    pub snapshot: Snapshot,
    /// Length of the state.
    pub bytes_state: u64,
    /// Whether that snapshot was there before, so that nothing was written.
    pub skipped: bool,
    /// Whether it is encrypted; to be said aloud where it is not.
    pub encrypted: bool,
    /// Why the state can't be parsed, if it can't.
    pub broken: Option<String>,
}

/// Stores a full snapshot of a state that changed since the newest one.
///
/// Either the snapshot is there, whole and synced to the disk, when this returns, or nothing is.
pub fn run(
    source: &Source<'_>,
    options: &BackupOptions<'_>,
    clock: &dyn Clock,
) -> Result<Report, Error> {
    let repository =
        Repository::open_or_create(options.repository, options.protection, clock.now())?;
    let heads = options.cache.map(Heads::below);
    let known =
        heads.as_ref().and_then(|heads| repository.unchanged(source.uri, source.bytes, heads));
    let skipped = known.is_some();
    let snapshot = match known {
        Some(snapshot) => snapshot,
        None => add(&repository, source, heads.as_ref(), clock)?,
    };
    Ok(Report {
        snapshot,
        bytes_state: source.bytes.len() as u64,
        skipped,
        encrypted: *repository.protection() != Protection::None,
        broken: source.facts.broken.clone(),
    })
}

/// Returns what is known of a state, whether or not it can be parsed.
pub fn facts(bytes: &Bytes) -> SourceFacts {
    match Document::parse(bytes.clone()) {
        Ok(document) => SourceFacts {
            serial: Some(document.serial()),
            lineage: Some(document.lineage().to_owned()),
            terraform_version: Some(document.terraform_version().to_owned()),
            broken: None,
        },
        Err(error) => SourceFacts { broken: Some(error.to_string()), ..SourceFacts::default() },
    }
}

fn add(
    repository: &Repository,
    source: &Source<'_>,
    heads: Option<&Heads>,
    clock: &dyn Clock,
) -> Result<Snapshot, Error> {
    let facts = source.facts.clone();
    let snapshot = repository.add(source.uri, facts, source.bytes, clock.now())?;
    if let Some(heads) = heads
        && let Err(error) = repository.remember(&snapshot, source.bytes, heads)
    {
        // The snapshot is safe; the next run stores one more than it had to.
        tracing::warn!(%error, "cannot remember the newest snapshot in the cache");
    }
    Ok(snapshot)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backup::Recipients;
    use crate::base::clock::Fixed;

    struct Place(tempfile::TempDir);

    impl Place {
        fn run(&self, bytes: &[u8], cache: Option<&Path>) -> Report {
            let key = age::x25519::Identity::generate().to_public().to_string();
            let protection = Protection::Recipients(Recipients::parse(&[key]).unwrap().unwrap());
            let repository = &self.0.path().join("repo");
            let new = !repository.exists();
            let protection = new.then_some(&protection);
            let source = Source { uri: "file:///a", bytes, facts: SourceFacts::default() };
            let clock = Fixed("2026-08-01T10:15:00Z".parse().unwrap());
            run(&source, &BackupOptions { repository, protection, cache }, &clock).unwrap()
        }

        fn cache(&self) -> std::path::PathBuf {
            self.0.path().join("cache")
        }
    }

    #[test]
    fn an_unchanged_state_is_not_stored_again() {
        let place = Place(tempfile::tempdir().unwrap());
        let cache = place.cache();
        let first = place.run(b"one", Some(&cache));
        let again = place.run(b"one", Some(&cache));
        let changed = place.run(b"two", Some(&cache));
        assert_eq!([first.skipped, again.skipped, changed.skipped], [false, true, false]);
        assert_eq!(first.snapshot, again.snapshot);
        assert_eq!(changed.snapshot.sequence, 2);
        assert!(first.encrypted);
    }

    #[test]
    fn a_state_that_changed_back_is_stored() {
        let place = Place(tempfile::tempdir().unwrap());
        let cache = place.cache();
        for bytes in [b"one", b"two", b"one"] {
            assert!(!place.run(bytes, Some(&cache)).skipped);
        }
    }

    #[test]
    fn without_a_cache_an_unchanged_state_is_stored_again() {
        let place = Place(tempfile::tempdir().unwrap());
        for _ in 0..2 {
            assert!(!place.run(b"one", None).skipped);
        }
    }

    #[test]
    fn a_snapshot_that_is_damaged_or_gone_does_not_count() {
        let place = Place(tempfile::tempdir().unwrap());
        let cache = place.cache();
        let first = place.run(b"one", Some(&cache)).snapshot;
        let mut bytes = std::fs::read(&first.path).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        crate::base::fs::replace(&first.path, &bytes).unwrap();
        let second = place.run(b"one", Some(&cache));
        assert!(!second.skipped);
        std::fs::remove_file(second.snapshot.path).unwrap();
        assert!(!place.run(b"one", Some(&cache)).skipped);
    }

    #[test]
    fn a_cache_that_cannot_be_written_does_not_fail_the_backup() {
        let place = Place(tempfile::tempdir().unwrap());
        let file = place.0.path().join("file");
        crate::base::fs::write_new(&file, b"").unwrap();
        assert!(!place.run(b"one", Some(&file)).skipped);
    }
}
