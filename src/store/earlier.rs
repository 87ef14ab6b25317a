//! Earlier versions: what follows the `@` of a reference, and where a store has it.

use std::fmt;

use jiff::Timestamp;
use jiff::civil;
use jiff::tz::TimeZone;

use super::{Error, Found, Location, Place, Revision};
use crate::state::document::Document;

/// Which earlier version is meant.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Earlier {
    /// `@-N`: the N-th before the present one; `@-0` is the present one.
    Steps(usize),
    /// `@TIME`: the newest at or before. A time without an offset is in UTC.
    Time(Timestamp),
    /// `@serial:N`: the newest one with this serial.
    Serial(u64),
    /// `@ID`: the snapshot whose id begins like this.
    Snapshot(String),
}

/// How many versions are read to find a serial.
const MOST_READ: usize = 200;

/// The shortest beginning of a snapshot's id that is taken for one.
const SHORTEST_ID: usize = 4;

impl Earlier {
    /// Reads what follows the `@`; nothing where it is no version.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(steps) = text.strip_prefix('-') {
            let is_number = steps.bytes().all(|b| b.is_ascii_digit());
            return steps.parse().ok().filter(|_| is_number).map(Self::Steps);
        }
        if let Some(serial) = text.strip_prefix("serial:") {
            let is_number = serial.bytes().all(|b| b.is_ascii_digit());
            return serial.parse().ok().filter(|_| is_number).map(Self::Serial);
        }
        let is_hex = text.bytes().all(|b| b.is_ascii_hexdigit());
        if is_hex && (SHORTEST_ID..=32).contains(&text.len()) {
            return Some(Self::Snapshot(text.to_ascii_lowercase()));
        }
        time(text).map(Self::Time)
    }

    /// Splits a reference at its last `@`, where a version follows it.
    ///
    /// In a URL only an `@` behind the host counts: one before it ends a user's name.
    pub fn split(reference: &str) -> Option<(&str, Self)> {
        let (of, text) = reference.rsplit_once('@')?;
        let is_in_path = match of.split_once("://") {
            Some((_, rest)) => rest.contains('/'),
            None => !reference.contains("://"),
        };
        is_in_path.then_some((of, Self::parse(text)?))
    }

    /// Returns the version that this is among those of a store, which come newest first; nothing
    /// where only reading them tells.
    fn among<'r>(&self, revisions: &'r [Revision]) -> Option<&'r Revision> {
        let holds_a_state = |revision: &&Revision| !revision.is_deletion && revision.len > 0;
        match *self {
            Self::Steps(0) => revisions.iter().find(|revision| revision.is_current),
            Self::Steps(steps) => {
                let earlier = revisions.iter().filter(|revision| !revision.is_current);
                earlier.filter(holds_a_state).nth(steps - 1)
            }
            Self::Time(time) => {
                let then = revisions.iter().find(|revision| revision.modified <= time);
                then.filter(holds_a_state)
            }
            Self::Serial(_) | Self::Snapshot(_) => None,
        }
    }
}

/// Returns the reference again, without its `@`.
impl fmt::Display for Earlier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Steps(steps) => write!(f, "-{steps}"),
            Self::Time(time) => time.fmt(f),
            Self::Serial(serial) => write!(f, "serial:{serial}"),
            Self::Snapshot(id) => f.write_str(id),
        }
    }
}

fn time(text: &str) -> Option<Timestamp> {
    if let Ok(time) = text.parse() {
        return Some(time);
    }
    // Shorter than a date is a number, or a word that happens to be read as one.
    let is_dated = text.len() >= "2026-11-20".len() && text.as_bytes()[4] == b'-';
    let time = text.parse::<civil::DateTime>().ok().filter(|_| is_dated)?;
    TimeZone::UTC.to_timestamp(time).ok()
}

/// Reads an earlier version of a place from the store's own versions.
///
/// # Errors
///
/// [`Error::NoVersions`] where the store keeps none, or where a snapshot is named, which stores do
/// not have; [`Error::NoEarlier`] where it keeps others.
pub(super) fn read(of: &Location, which: &Earlier) -> Result<(Place, Found), Error> {
    let no_versions = |why: &str| Err(Error::NoVersions { what: of.name(), why: why.to_owned() });
    let Location::Stored(place) = of else {
        return no_versions("it keeps no versions of its own");
    };
    if let Earlier::Snapshot(_) = which {
        return no_versions("a snapshot is not one of its versions");
    }
    let revisions = place.store.versions(&place.key)?;
    if revisions.is_empty() {
        return no_versions("the store has none");
    }
    if let Earlier::Serial(serial) = which {
        return with_serial(place, *serial, &revisions);
    }
    let Some(revision) = which.among(&revisions) else {
        return Err(none(place, which, &revisions));
    };
    at(place, revision)
}

fn at(place: &Place, revision: &Revision) -> Result<(Place, Found), Error> {
    let place = place.with_version(Some(revision.id.clone()));
    let found = place.store.read_version(&place.key, &revision.id)?;
    Ok((place, found))
}

fn with_serial(
    place: &Place,
    serial: u64,
    revisions: &[Revision],
) -> Result<(Place, Found), Error> {
    let states = revisions.iter().filter(|revision| !revision.is_deletion && revision.len > 0);
    for revision in states.take(MOST_READ) {
        let (place, found) = at(place, revision)?;
        // What can't be read as a state has no serial; an older version may have this one.
        if let Found::Bytes(bytes, _) = &found
            && let Ok(state) = Document::parse(bytes.clone())
            && state.serial() == serial
        {
            return Ok((place, found));
        }
    }
    Err(none(place, &Earlier::Serial(serial), revisions))
}

fn none(place: &Place, which: &Earlier, revisions: &[Revision]) -> Error {
    let what = format!("{}@{which}", place.name());
    let kept = revisions.iter().filter(|revision| !revision.is_deletion).count();
    let oldest = revisions.last().map(|revision| revision.modified);
    let why = match (kept, oldest) {
        (0, _) | (_, None) => "the store only knows that it was deleted".to_owned(),
        (kept, _) if kept > MOST_READ && matches!(which, Earlier::Serial(_)) => {
            format!("it is not among the newest {MOST_READ} of {kept} versions")
        }
        (1, Some(oldest)) => format!("the store has only the version of {oldest}"),
        (kept, Some(oldest)) => format!("the store has {kept} versions, the oldest of {oldest}"),
    };
    Error::NoEarlier { what, why }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::store::{Access, Body, Expected, Memory, Store, read};

    #[test]
    fn what_follows_the_at_is_a_version_or_part_of_the_name() {
        let time = |text: &str| Some(Earlier::Time(text.parse().unwrap()));
        let cases = [
            ("-1", Some(Earlier::Steps(1))),
            ("-0", Some(Earlier::Steps(0))),
            ("serial:412", Some(Earlier::Serial(412))),
            ("3F9a12bc", Some(Earlier::Snapshot("3f9a12bc".to_owned()))),
            ("2026-11-20T03:00Z", time("2026-11-20T03:00:00Z")),
            ("2026-11-20T03:00+01:00", time("2026-11-20T02:00:00Z")),
            ("2026-11-20T03:00:05", time("2026-11-20T03:00:05Z")),
            ("2026-11-20", time("2026-11-20T00:00:00Z")),
            ("-", None),
            ("-1.5", None),
            ("-+1", None),
            ("-99999999999999999999999", None),
            ("serial:", None),
            ("serial:-1", None),
            ("1", None),
            ("abc", None),
            ("b.tfstate", None),
            ("example.com", None),
            ("", None),
        ];
        for (text, which) in cases {
            assert_eq!(Earlier::parse(text), which, "{text}");
        }
    }

    #[test]
    fn an_at_before_the_host_of_a_url_ends_the_name_of_a_user() {
        let of = |reference: &'static str| Earlier::split(reference).map(|(of, _)| of);
        assert_eq!(of("https://u:p@-1"), None);
        assert_eq!(of("https://user@deadbeef/state"), None);
        assert_eq!(of("https://user@host/state@-1"), Some("https://user@host/state"));
        assert_eq!(of("s3://b/a@b.tfstate"), None);
        assert_eq!(of("s3://b/a@b.tfstate@-1"), Some("s3://b/a@b.tfstate"));
        assert_eq!(of("s3://b/a@deadbeef@-0"), Some("s3://b/a@deadbeef"));
        assert_eq!(of("@-1"), Some(""));
    }

    fn state(serial: u64) -> String {
        format!(r#"{{"version":4,"serial":{serial},"lineage":"l","outputs":{{}},"resources":[]}}"#)
    }

    /// Writes these, one second apart from the first second on; nothing is a deletion.
    fn place(contents: &[Option<&str>]) -> Location {
        let store = Memory::default();
        let mut last = None;
        for content in contents {
            last = match (content, &last) {
                (Some(content), last) => {
                    let expected = last.as_ref().map_or(Expected::Nothing, Expected::Version);
                    let body = Body { bytes: content.as_bytes(), expected, lock: None };
                    Some(store.write("k", &body).unwrap())
                }
                (None, Some(version)) => {
                    store.delete("k", version, None).unwrap();
                    None
                }
                (None, None) => None,
            };
        }
        Location::Stored(Place::new(Arc::new(store), "k".to_owned()))
    }

    fn serial(of: &Location, which: &str) -> Result<u64, Error> {
        let which = Earlier::parse(which).unwrap();
        let location = Location::Earlier { of: Box::new(of.clone()), which };
        let content = read(&location, Access::Read)?;
        Ok(Document::parse(content.bytes).unwrap().serial())
    }

    #[test]
    fn versions_are_counted_back_and_found_by_time_and_serial() {
        let texts = [state(7), state(8), state(9)];
        let three = place(&[Some(&texts[0]), Some(&texts[1]), Some(&texts[2])]);
        assert_eq!(serial(&three, "-1").unwrap(), 8);
        assert_eq!(serial(&three, "-2").unwrap(), 7);
        assert_eq!(serial(&three, "1970-01-01T00:00:02Z").unwrap(), 8);
        assert_eq!(serial(&three, "2000-01-01").unwrap(), 9);
        assert_eq!(serial(&three, "serial:7").unwrap(), 7);
        assert_eq!(serial(&three, "serial:9").unwrap(), 9);
        for which in ["-3", "1970-01-01T00:00:00Z", "serial:1"] {
            let error = serial(&three, which).unwrap_err();
            let why = "the store has 3 versions, the oldest of 1970-01-01T00:00:01Z";
            assert!(error.to_string().ends_with(why), "{error}");
        }
    }

    #[test]
    fn a_deletion_is_not_counted_but_there_was_nothing_after_it() {
        let texts = [state(7), state(8)];
        let deleted = place(&[Some(&texts[0]), Some(&texts[1]), None]);
        assert_eq!(serial(&deleted, "-1").unwrap(), 8);
        assert_eq!(serial(&deleted, "-2").unwrap(), 7);
        assert!(serial(&deleted, "2000-01-01").is_err());
    }

    #[test]
    fn what_keeps_no_versions_says_so() {
        let error = serial(&Location::File("a.tfstate".into()), "-1").unwrap_err();
        assert!(matches!(error, Error::NoVersions { .. }), "{error}");
        let texts = [state(7)];
        let error = serial(&place(&[Some(&texts[0])]), "3f9a12bc").unwrap_err();
        assert!(matches!(error, Error::NoVersions { .. }), "{error}");
    }
}
