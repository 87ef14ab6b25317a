//! The outside of a snapshot: magic, header, signatures, payload. The byte table is in
//! [`backup`](super).

use serde::{Deserialize, Serialize};

use super::body::Flaw;
use super::snapshot::Label;

const MAGIC: &[u8; 8] = b"TFBSNAP1";
const HEADER_LIMIT: usize = 64 * 1024;

/// How a payload is protected.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Encryption {
    Age,
    None,
}

/// The clear header: nothing in it depends on what the state says.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Header {
    pub v: u32,
    pub must_understand: Vec<String>,
    pub snapshot: Label,
    pub compression: Compression,
    pub encryption: Encryption,
    pub payload: Payload,
}

/// How a body is compressed.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Compression {
    Zstd,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Payload {
    pub length: u64,
    pub blake3: String,
}

impl Header {
    pub(super) fn new(snapshot: Label, encryption: Encryption, payload: &[u8]) -> Self {
        let blake3 = blake3::hash(payload).to_hex().to_string();
        Self {
            v: 1,
            must_understand: Vec::new(),
            snapshot,
            compression: Compression::Zstd,
            encryption,
            payload: Payload { length: payload.len() as u64, blake3 },
        }
    }
}

/// Returns what stands before the payload.
pub(super) fn prefix(header: &Header) -> Vec<u8> {
    let header = serde_json::to_vec(header).expect("a header has only strings for keys");
    let length = u32::try_from(header.len()).expect("a header holds a few short strings");
    let mut out = Vec::with_capacity(header.len() + 18);
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&0_u32.to_le_bytes());
    out.extend_from_slice(&header);
    out.extend_from_slice(&0_u16.to_le_bytes());
    out
}

/// Splits a snapshot into its header and its payload, which is the one that was written.
pub(super) fn open(file: &[u8]) -> Result<(Header, &[u8]), Flaw> {
    let mut rest = file;
    check_magic(take(&mut rest)?)?;
    let length = u32::from_le_bytes(take(&mut rest)?) as usize;
    if take(&mut rest)? != [0; 4] {
        return Err(Flaw::Newer("it has flags"));
    }
    if length > HEADER_LIMIT {
        return Err(Flaw::Damaged("its header is too long"));
    }
    let (header, mut rest) = rest.split_at_checked(length).ok_or(SHORT)?;
    let header = parse(header)?;
    if take(&mut rest)? != [0; 2] {
        return Err(Flaw::Newer("it is signed"));
    }
    let same_length = header.payload.length == rest.len() as u64;
    if !same_length || header.payload.blake3 != *blake3::hash(rest).to_hex() {
        return Err(Flaw::Damaged("its payload is not the one that was written"));
    }
    Ok((header, rest))
}

const SHORT: Flaw = Flaw::Damaged("it ends before its payload");

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], Flaw> {
    let (taken, after) = rest.split_first_chunk().ok_or(SHORT)?;
    *rest = after;
    Ok(*taken)
}

fn check_magic(magic: [u8; 8]) -> Result<(), Flaw> {
    if magic == *MAGIC {
        return Ok(());
    }
    if magic.starts_with(&MAGIC[..7]) {
        return Err(Flaw::Newer("the format is another"));
    }
    Err(Flaw::Damaged("it does not begin as a snapshot"))
}

fn parse(header: &[u8]) -> Result<Header, Flaw> {
    check_version(header)?;
    serde_json::from_slice(header).map_err(|_| Flaw::Damaged("its header makes no sense"))
}

/// Refuses a header that a later version made, before anything else in it is looked at.
pub(super) fn check_version(header: &[u8]) -> Result<(), Flaw> {
    #[derive(Deserialize)]
    struct Version {
        v: u32,
        must_understand: Vec<String>,
    }
    let version: Version = serde_json::from_slice(header)
        .map_err(|_| Flaw::Damaged("a header in it makes no sense"))?;
    if version.v != 1 {
        return Err(Flaw::Newer("its header has another version"));
    }
    if !version.must_understand.is_empty() {
        return Err(Flaw::Newer("it must be read by rules that this version does not know"));
    }
    Ok(())
}
