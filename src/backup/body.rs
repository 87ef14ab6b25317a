//! The inside of a payload: what the state is, and its bytes, compressed together.

use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::snapshot::{Label, to_hex};

/// Largest state that is kept, so that a forged length cannot fill the memory.
const LIMIT: u64 = 4 << 30;

/// Largest inner header.
const HEADER_LIMIT: u32 = 64 * 1024;

const LEVEL: i32 = 3;

/// What the caller knows of the state from parsing it; nothing of a broken one.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct SourceFacts {
    /// The state's serial.
    pub serial: Option<u64>,
    /// The state's lineage.
    pub lineage: Option<String>,
    /// The version of Terraform that wrote it.
    pub terraform_version: Option<String>,
    /// Why it can't be parsed, if it can't.
    pub broken: Option<String>,
}

/// Where a snapshot's state came from and what it was.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Origin {
    /// The URI of the place, which names the stream.
    pub uri: String,
    /// What its caller knew of it.
    pub facts: SourceFacts,
    /// Length of the state in bytes.
    pub length: u64,
    /// BLAKE3 of the state.
    pub blake3: String,
    /// SHA-256 of the state, for those who have no BLAKE3 at hand.
    pub sha256: String,
}

/// The inner header.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Inner {
    pub v: u32,
    pub must_understand: Vec<String>,
    pub snapshot: Label,
    pub state: Origin,
    pub tool: String,
}

/// What is wrong with a body.
#[derive(Clone, Copy, Debug)]
pub(super) enum Flaw {
    Damaged(&'static str),
    Newer(&'static str),
}

impl Origin {
    pub(super) fn of(uri: &str, facts: SourceFacts, state: &[u8]) -> Self {
        Self {
            uri: uri.to_owned(),
            facts,
            length: state.len() as u64,
            blake3: blake3::hash(state).to_hex().to_string(),
            sha256: to_hex(&Sha256::digest(state)),
        }
    }
}

/// Writes a body, compressed.
pub(super) fn write(inner: &Inner, state: &[u8], out: &mut dyn Write) -> io::Result<()> {
    let header = serde_json::to_vec(inner)?;
    let length = u32::try_from(header.len()).ok().filter(|&n| n <= HEADER_LIMIT);
    let length = length.ok_or(io::ErrorKind::InvalidInput)?;
    let mut encoder = zstd::Encoder::new(out, LEVEL)?;
    encoder.include_checksum(true)?;
    encoder.write_all(&length.to_le_bytes())?;
    encoder.write_all(&header)?;
    encoder.write_all(state)?;
    encoder.finish().map(drop)
}

/// Reads a body to its end and returns it only if the state is, by both hashes, the one that was
/// written.
pub(super) fn read(packed: impl Read) -> Result<(Inner, Vec<u8>), Flaw> {
    let unreadable = |_| Flaw::Damaged("its payload cannot be read to the end");
    let mut plain = zstd::Decoder::new(packed).map_err(unreadable)?;
    let mut length = [0; 4];
    plain.read_exact(&mut length).map_err(unreadable)?;
    let length = u32::from_le_bytes(length);
    if length > HEADER_LIMIT {
        return Err(Flaw::Damaged("its inner header is too long"));
    }
    let mut header = vec![0; length as usize];
    plain.read_exact(&mut header).map_err(unreadable)?;
    let inner = parse(&header)?;
    let mut state = Vec::new();
    let limit = inner.state.length.min(LIMIT) + 1;
    plain.by_ref().take(limit).read_to_end(&mut state).map_err(unreadable)?;
    check(&inner.state, &state)?;
    Ok((inner, state))
}

fn parse(header: &[u8]) -> Result<Inner, Flaw> {
    super::container::check_version(header)?;
    serde_json::from_slice(header).map_err(|_| Flaw::Damaged("its inner header makes no sense"))
}

fn check(origin: &Origin, state: &[u8]) -> Result<(), Flaw> {
    if origin.length != state.len() as u64 {
        return Err(Flaw::Damaged("the state is not as long as it was"));
    }
    if origin.blake3 != *blake3::hash(state).to_hex() {
        return Err(Flaw::Damaged("the state's BLAKE3 differs"));
    }
    if origin.sha256 != to_hex(&Sha256::digest(state)) {
        return Err(Flaw::Damaged("the state's SHA-256 differs"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backup::Kind;

    fn packed(edit: impl FnOnce(&mut Inner)) -> Vec<u8> {
        let snapshot = Label {
            repo: "r".to_owned(),
            stream: "s".to_owned(),
            id: "0".repeat(32),
            seq: 1,
            kind: Kind::Full,
            created: "19700101T000000Z".to_owned(),
        };
        let state = Origin::of("file:///a", SourceFacts::default(), b"{}");
        let tool = "test".to_owned();
        let mut inner = Inner { v: 1, must_understand: Vec::new(), snapshot, state, tool };
        edit(&mut inner);
        let mut out = Vec::new();
        write(&inner, b"{}", &mut out).unwrap();
        out
    }

    /// What was done to an inner header, and what is said of it.
    type Case = (fn(&mut Inner), &'static str);

    #[test]
    fn a_state_is_returned_only_if_length_and_both_hashes_agree() {
        assert_eq!(read(packed(|_| ()).as_slice()).unwrap().1, b"{}");
        let cases: [Case; 4] = [
            (|inner| inner.state.length = 1, "the state is not as long as it was"),
            (|inner| inner.state.length = 3, "the state is not as long as it was"),
            (|inner| inner.state.blake3.replace_range(..1, "x"), "the state's BLAKE3 differs"),
            (|inner| inner.state.sha256.replace_range(..1, "x"), "the state's SHA-256 differs"),
        ];
        for (edit, expected) in cases {
            let flaw = read(packed(edit).as_slice()).unwrap_err();
            assert!(matches!(flaw, Flaw::Damaged(said) if said == expected), "{flaw:?}");
        }
    }

    #[test]
    fn what_a_later_version_wrote_is_not_guessed_at() {
        let cases: [fn(&mut Inner); 2] =
            [|inner| inner.v = 2, |inner| inner.must_understand.push("delta".to_owned())];
        for edit in cases {
            let flaw = read(packed(edit).as_slice()).unwrap_err();
            assert!(matches!(flaw, Flaw::Newer(_)), "{flaw:?}");
        }
    }
}
