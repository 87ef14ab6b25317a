//! What identifies a snapshot, and the key of its object.

use std::fmt::Write;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::vault::Object;

/// How a snapshot stores its state.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Kind {
    /// As a whole.
    Full,
    /// As a difference to the one before.
    Incremental,
    /// As a difference to the last full one.
    Differential,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Full, Self::Incremental, Self::Differential];

    /// Returns the name people use: `full`, `incremental`, ….
    pub fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Incremental => "incremental",
            Self::Differential => "differential",
        }
    }

    /// Returns the letter that stands for it in names of files.
    fn letter(self) -> &'static str {
        match self {
            Self::Full => "f",
            Self::Incremental => "i",
            Self::Differential => "d",
        }
    }
}

/// What a snapshot is, said alike in its header and inside its payload.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Label {
    pub repo: String,
    pub stream: String,
    pub id: String,
    pub seq: u32,
    pub kind: Kind,
    /// As in the object's key, to the second.
    pub created: String,
}

/// One snapshot, as the name of its file has it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Snapshot {
    /// First 8 digits of its id; what users call it by.
    pub id: String,
    /// The series of snapshots of one state.
    pub stream: String,
    /// Its number in the stream, from 1; 0 where it was added when later ones were there.
    pub sequence: u32,
    /// How it is stored.
    pub kind: Kind,
    /// How often it was encrypted anew.
    pub generation: u32,
    /// When it was made, to the second.
    pub created: Timestamp,
    /// Size of its file.
    pub bytes_stored: u64,
    /// The key of its object in the repository.
    pub key: String,
    /// The tag that the place gave its object, where it gives any: another for other bytes.
    pub(super) tag: Option<String>,
    /// When its object was written, by the clock of the place.
    pub(super) modified: Option<Timestamp>,
}

/// Where snapshots are.
pub(super) const FOLDER: &str = "s/";

const UTC: &str = "%Y%m%dT%H%M%SZ";

impl Label {
    /// Returns the key of this snapshot with a payload of this hash.
    pub(super) fn key(&self, generation: u32, payload: &str) -> String {
        // A header from elsewhere may have an id of any length.
        let (id, payload) = (self.id.get(..8).unwrap_or(""), payload.get(..16).unwrap_or(""));
        let mut kind = self.kind.letter().to_owned();
        if generation > 0 {
            kind.push_str(&generation.to_string());
        }
        let name = format!("{}-{:08x}-{kind}-{id}-{payload}.tfb", self.created, self.seq);
        format!("{FOLDER}{}/{name}", self.stream)
    }
}

impl Snapshot {
    /// Returns what an object's key says, or nothing if it is not that of a snapshot.
    pub(super) fn of(object: Object) -> Option<Self> {
        let (stream, name) = object.key.strip_prefix(FOLDER)?.split_once('/')?;
        let mut parts = name.strip_suffix(".tfb")?.split('-');
        let mut part = || parts.next();
        let (utc, seq, kind, id, payload) = (part()?, part()?, part()?, part()?, part()?);
        if part().is_some() || hex(payload, 16).is_none() {
            return None;
        }
        let (letter, generation) = kind.split_at_checked(1)?;
        let kind = Kind::ALL.into_iter().find(|known| known.letter() == letter)?;
        let generation = match generation {
            "" => 0,
            // In one spelling only, or two keys would mean one snapshot.
            digits if digits.starts_with(['0', '+']) => return None,
            digits => digits.parse().ok()?,
        };
        Some(Self {
            id: hex(id, 8)?,
            stream: stream.to_owned(),
            sequence: u32::from_str_radix(&hex(seq, 8)?, 16).ok()?,
            kind,
            generation,
            created: time_of(utc)?,
            bytes_stored: object.len,
            tag: object.tag,
            modified: object.modified,
            key: object.key,
        })
    }

    /// Returns what a key says, where nothing else is known of its object.
    pub(super) fn named(key: &str) -> Option<Self> {
        Self::of(Object { key: key.to_owned(), len: 0, modified: None, tag: None })
    }

    /// Returns its stream, and the parts of its name that stay the same when it is encrypted anew.
    pub(super) fn name(&self) -> (&str, Timestamp, u32, &str, &str) {
        (&self.stream, self.created, self.sequence, self.kind.letter(), &self.id)
    }

    /// Orders the snapshots of one state, the oldest first, whatever the clock did meanwhile.
    pub(super) fn by_sequence(&self) -> (u32, Timestamp, &str) {
        (self.sequence, self.created, &self.id)
    }
}

/// Returns a time as labels and names have it.
pub(super) fn utc(time: Timestamp) -> String {
    time.strftime(UTC).to_string()
}

/// Reads a time as labels and names have it.
pub(super) fn time_of(text: &str) -> Option<Timestamp> {
    let is_in_form = text.bytes().enumerate().all(|(at, byte)| match at {
        8 => byte == b'T',
        15 => byte == b'Z',
        _ => byte.is_ascii_digit(),
    });
    if text.len() != 16 || !is_in_form {
        return None;
    }
    // Every name in a list has one: what reads times of all forms would take most of its time.
    let two = |at: usize| text[at..at + 2].parse().ok();
    let (year, month, day) = (text[..4].parse().ok()?, two(4)?, two(6)?);
    let time = DateTime::new(year, month, day, two(9)?, two(11)?, two(13)?, 0).ok()?;
    TimeZone::UTC.to_timestamp(time).ok()
}

/// Returns text that is exactly this many lower-case hex digits.
pub(super) fn hex(text: &str, digits: usize) -> Option<String> {
    let lower = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    (text.len() == digits && text.bytes().all(lower)).then(|| text.to_owned())
}

/// Returns bytes as lower-case hex digits.
pub(super) fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string cannot fail");
        text
    })
}

/// Returns the stream that holds the snapshots of the state with this URI.
pub fn stream_of(uri: &str) -> String {
    let hash = blake3::hash(uri.as_bytes()).to_hex();
    format!("{}-{}", slug(uri), &hash[..8])
}

/// Returns whether this may be the name of a stream.
pub fn is_stream(name: &str) -> bool {
    let is_hash = |hash: &str| hash.len() == 8 && hash.bytes().all(|b| b.is_ascii_hexdigit());
    !name.contains('/') && name.rsplit_once('-').is_some_and(|(_, hash)| is_hash(hash))
}

/// Makes something readable of the last two parts of a URI.
fn slug(uri: &str) -> String {
    const LONGEST: usize = 48;
    let mut parts: Vec<&str> = uri.rsplit('/').take(2).collect();
    parts.reverse();
    let text = parts.join("-").to_ascii_lowercase();
    let text = text.strip_suffix(".tfstate").unwrap_or(&text);
    let keep = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
    let text: String = text.chars().map(keep).take(LONGEST).collect();
    match text.trim_matches('-') {
        "" => "state".to_owned(),
        text => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_readable_and_stays_the_same() {
        let stream = stream_of("file:///srv/Prod/terraform.tfstate");
        assert!(stream.starts_with("prod-terraform-"), "{stream}");
        assert_eq!(stream, stream_of("file:///srv/Prod/terraform.tfstate"));
        assert_ne!(stream, stream_of("file:///other/Prod/terraform.tfstate"));
        assert!(stream_of("file:///../..").starts_with("state-"));
        assert!(is_stream(&stream) && !is_stream("a/b-01234567") && !is_stream("b-0123456x"));
    }

    fn object(key: &str) -> Object {
        Object { key: key.to_owned(), len: 9, modified: None, tag: None }
    }

    #[test]
    fn a_time_is_read_in_the_form_that_it_is_written_in_and_no_other() {
        for text in ["20260801T101500Z", "00010101T000000Z", "20240229T235959Z"] {
            assert_eq!(time_of(text).map(utc).as_deref(), Some(text));
        }
        for text in [
            "",
            "20260801T101500",
            "20260801T101500z",
            "20260801 101500Z",
            "+0260801T101500Z",
            "2026081T101500Z",
            "202600801T101500Z",
            "20261301T101500Z",
            "20260230T101500Z",
            "20260801T241500Z",
            "20260801T106000Z",
            "20260801T101560Z",
            "2026080\u{661}T10150Z",
        ] {
            assert_eq!(time_of(text), None, "{text}");
        }
    }

    #[test]
    fn a_kind_has_one_name_for_people_and_in_headers() {
        for kind in Kind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
        assert_eq!(Kind::ALL.map(Kind::name), ["full", "incremental", "differential"]);
    }

    #[test]
    fn a_key_says_what_the_label_says() {
        let created = "2026-08-01T10:15:00.9Z".parse().unwrap();
        let label = Label {
            repo: "r".to_owned(),
            stream: "prod-1a2b3c4d".to_owned(),
            id: "0123456789abcdef0123456789abcdef".to_owned(),
            seq: 31,
            kind: Kind::Full,
            created: utc(created),
        };
        let key = label.key(0, &"ab".repeat(32));
        assert_eq!(
            key,
            "s/prod-1a2b3c4d/20260801T101500Z-0000001f-f-01234567-abababababababab.tfb"
        );
        let snapshot = Snapshot::of(object(&key)).unwrap();
        assert_eq!((snapshot.id.as_str(), snapshot.sequence), ("01234567", 31));
        assert_eq!((snapshot.stream.as_str(), snapshot.bytes_stored), ("prod-1a2b3c4d", 9));
        assert_eq!(snapshot.created.to_string(), "2026-08-01T10:15:00Z");
        let again = Snapshot::of(object(&label.key(12, &"cd".repeat(32)))).unwrap();
        assert_eq!((again.kind, again.generation, snapshot.generation), (Kind::Full, 12, 0));
    }

    #[test]
    fn other_objects_are_no_snapshots() {
        let names = [
            ".20260801T101500Z-0000001f-f-01234567-abababababababab.tfb.x.tmp",
            "20260801T101500Z-0000001f-x-01234567-abababababababab.tfb",
            "20260801T101500Z-0000001f-f01-01234567-abababababababab.tfb",
            "20260801T101500Z-0000001f-f+1-01234567-abababababababab.tfb",
            "20260801T101500Z-0000001f-f-0123456-abababababababab.tfb",
            "20261301T101500Z-0000001f-f-01234567-abababababababab.tfb",
            "20260801T101500Z-0000001f-f-01234567-abababababababab-x.tfb",
        ];
        for name in names {
            assert_eq!(Snapshot::of(object(&format!("s/s/{name}"))), None, "{name}");
        }
        assert_eq!(Snapshot::of(object("c/00000001.json")), None);
    }
}
