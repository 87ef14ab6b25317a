//! Finds the snapshot that a user names.

use crate::backup::{self, Repository, Snapshot, stream_of};

/// Which snapshot is meant.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reference<'a> {
    /// The newest of all.
    Latest,
    /// The newest of the state with this URI.
    State(&'a str),
    /// The newest of the state that is listed under this name.
    Listed(&'a str),
    /// The one whose id begins like this.
    Id(&'a str),
}

/// Finds the snapshot that is meant.
pub fn find(repository: &Repository, reference: Reference<'_>) -> Result<Snapshot, backup::Error> {
    let newest = |mut snapshots: Vec<Snapshot>, reference: &str| {
        let reference = reference.to_owned();
        snapshots.pop().ok_or(backup::Error::NoSnapshot { reference })
    };
    match reference {
        Reference::Latest => newest(repository.genuine(&repository.list()?)?, "at all"),
        Reference::State(uri) => {
            let listed = repository.list_stream(&stream_of(uri))?;
            newest(repository.genuine(&listed)?, &format!("of {uri}"))
        }
        Reference::Listed(stream) => {
            newest(repository.genuine(&repository.list_stream(stream)?)?, &format!("of {stream}"))
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
    let mut found = repository.genuine(&found)?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backup::sample::Sample;

    #[test]
    fn a_snapshot_is_found_by_id_by_state_or_as_the_latest() {
        let sample = Sample::new();
        let repository = sample.plain();
        let old = sample.add(&repository, "file:///a", b"1", 10);
        let newest_of_a = sample.add(&repository, "file:///a", b"2", 20);
        let latest = sample.add(&repository, "file:///b", b"3", 30);
        let find = |reference| find(&repository, reference).unwrap().key;
        assert_eq!(find(Reference::Latest), latest.key);
        assert_eq!(find(Reference::State("file:///a")), newest_of_a.key);
        let listed = stream_of("file:///a");
        assert_eq!(find(Reference::Listed(&listed)), newest_of_a.key);
        assert_eq!(find(Reference::Id(&old.id)), old.key);
        assert_eq!(find(Reference::Id(&repository.full_id(&old).unwrap())), old.key);
        let mut other = repository.full_id(&old).unwrap();
        let digit = if other.pop() == Some('0') { '1' } else { '0' };
        other.push(digit);
        let error = super::find(&repository, Reference::Id(&other)).unwrap_err();
        assert_eq!(error.to_string(), format!("there is no snapshot {other}"));
        let listed: Vec<String> = repository.list().unwrap().into_iter().map(|s| s.key).collect();
        assert_eq!(listed, [old.key, newest_of_a.key, latest.key]);
    }

    #[test]
    fn what_somebody_without_a_key_put_beside_a_snapshot_is_passed_over() {
        let sample = Sample::new();
        let repository = sample.plain();
        let one = sample.add(&repository, "file:///a", b"1", 10);
        let (rest, _) = one.key.rsplit_once('-').unwrap();
        for hash in ["0000000000000000", "ffffffffffffffff"] {
            sample.vault().create(&format!("{rest}-{hash}.tfb"), b"nonsense").unwrap();
        }
        let id = repository.full_id(&one).unwrap();
        for wanted in [&one.id, &id] {
            assert_eq!(find(&repository, Reference::Id(wanted)).unwrap().key, one.key);
        }
        for wanted in [Reference::Latest, Reference::State("file:///a")] {
            assert_eq!(find(&repository, wanted).unwrap().key, one.key);
        }
        // Without the genuine one, reading what is there says what is wrong.
        sample.vault().delete(&one.key).unwrap();
        let found = find(&repository, Reference::Latest).unwrap();
        assert!(matches!(repository.full_id(&found), Err(backup::Error::Damaged { .. })));
    }

    #[test]
    fn a_reference_that_fits_none_or_several_is_refused() {
        let sample = Sample::new();
        let repository = sample.plain();
        let latest = find(&repository, Reference::Latest).unwrap_err();
        assert_eq!(latest.to_string(), "there is no snapshot at all");
        // With 17 ids, two begin with the same digit.
        let ids: Vec<String> =
            (0..17).map(|n| sample.add(&repository, "file:///a", b"1", n).id).collect();
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
}
