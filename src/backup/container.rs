//! The outside of a snapshot: magic, header, signatures, payload. The byte table is in
//! [`backup`](super).

use serde::{Deserialize, Serialize};

use super::body::Flaw;
use super::sign::{PublicKey, SIGNATURE, Signer};
use super::snapshot::{Kind, Label};

pub(super) const MAGIC: &[u8; 8] = b"TFBSNAP1";

/// How many bytes at the beginning of a snapshot hold its header and its signature at the most.
pub(super) const HEAD: u64 = 64 * 1024;

const HEADER_LIMIT: usize = 64 * 1024 - 16 - 2 - SIGNATURE;

/// What signatures on headers belong to.
pub(super) const DOMAIN: &str = "tfstate snapshot v1";

/// How a payload is protected.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Encryption {
    Age,
    None,
}

/// Another snapshot, by its whole id and the BLAKE3 of its header.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Link {
    pub id: String,
    pub header: String,
}

/// The clear header: nothing in it depends on what the state says.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Header {
    pub v: u32,
    pub must_understand: Vec<String>,
    pub snapshot: Label,
    /// What it tells the state by, if it is not a full one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Link>,
    /// The newest one of the stream when it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Link>,
    /// How often it was encrypted anew.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub generation: u32,
    /// The number of the repository's record that says for whom it is encrypted.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub record: u32,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    pub compression: Compression,
    pub encryption: Encryption,
    pub signer: PublicKey,
    pub payload: Payload,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Header {
    /// Returns the newest snapshot of the stream when this one was written.
    pub(super) fn before(&self) -> Option<Link> {
        self.previous.clone().or_else(|| self.parent.clone())
    }
}

/// How a body is compressed.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Compression {
    Zstd,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Payload {
    pub length: u64,
    pub blake3: String,
}

impl Payload {
    pub(super) fn of(payload: &[u8]) -> Self {
        Self { length: payload.len() as u64, blake3: blake3::hash(payload).to_hex().to_string() }
    }
}

/// The beginning of a snapshot, whose signature holds.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub header: Header,
    /// The BLAKE3 of the header's bytes.
    pub hash: String,
    /// How many bytes stand before the payload.
    pub len: usize,
}

impl Head {
    /// Returns what other snapshots refer to it by.
    pub(super) fn link(&self) -> Link {
        Link { id: self.header.snapshot.id.clone(), header: self.hash.clone() }
    }

    /// Returns whether this is what another snapshot refers to.
    pub(super) fn is(&self, link: &Link) -> bool {
        self.hash == link.header && self.header.snapshot.id == link.id
    }

    /// Returns how many bytes the whole snapshot has.
    pub(super) fn total(&self) -> u64 {
        (self.len as u64).saturating_add(self.header.payload.length)
    }
}

/// Returns what stands before the payload, signed.
pub(super) fn prefix(header: &Header, signer: &Signer) -> Vec<u8> {
    let header = serde_json::to_vec(header).expect("a header has only strings for keys");
    let length = u32::try_from(header.len()).expect("a header holds a few short strings");
    let mut out = Vec::with_capacity(header.len() + 18 + SIGNATURE);
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&0_u32.to_le_bytes());
    out.extend_from_slice(&header);
    out.extend_from_slice(&1_u16.to_le_bytes());
    out.extend_from_slice(&signer.sign(DOMAIN, &header));
    out
}

/// Reads the beginning of a snapshot; the first [`HEAD`] bytes are enough.
pub(super) fn head(file: &[u8]) -> Result<Head, Flaw> {
    let mut rest = file;
    check_magic(take(&mut rest)?)?;
    let length = u32::from_le_bytes(take(&mut rest)?) as usize;
    if take(&mut rest)? != [0; 4] {
        return Err(Flaw::Newer("it has flags"));
    }
    if length > HEADER_LIMIT {
        return Err(Flaw::Damaged("its header is too long"));
    }
    let (bytes, mut rest) = rest.split_at_checked(length).ok_or(SHORT)?;
    let header = parse(bytes)?;
    if take(&mut rest)? != 1_u16.to_le_bytes() {
        return Err(Flaw::Newer("it is not signed once"));
    }
    if !header.signer.verifies(DOMAIN, bytes, take(&mut rest)?) {
        return Err(Flaw::Damaged("its signature does not hold"));
    }
    if header.parent.is_some() == (header.snapshot.kind == Kind::Full) {
        return Err(Flaw::Damaged("its header contradicts itself"));
    }
    let hash = blake3::hash(bytes).to_hex().to_string();
    Ok(Head { header, hash, len: file.len() - rest.len() })
}

/// Splits a snapshot into its head and its payload, which is the one that was written.
pub(super) fn open(file: &[u8]) -> Result<(Head, &[u8]), Flaw> {
    let head = head(file)?;
    let payload = &file[head.len..];
    if head.header.payload != Payload::of(payload) {
        return Err(Flaw::Damaged("its payload is not the one that was written"));
    }
    Ok((head, payload))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backup::sample::Sample;

    #[test]
    fn a_header_longer_than_any_that_is_written_is_refused() {
        let with = |length: usize| {
            let prefix = u32::try_from(length).unwrap().to_le_bytes();
            let beginning = [MAGIC.as_slice(), &prefix, &[0; 4]].concat();
            head(&[beginning, vec![b' '; length + 200]].concat()).unwrap_err()
        };
        let too_long = with(HEADER_LIMIT + 1);
        assert!(matches!(too_long, Flaw::Damaged("its header is too long")), "{too_long:?}");
        let senseless = with(HEADER_LIMIT);
        assert!(
            matches!(senseless, Flaw::Damaged("a header in it makes no sense")),
            "{senseless:?}"
        );
    }

    #[test]
    fn the_longest_header_and_its_signature_end_where_readers_stop() {
        assert_eq!(HEAD, 65_536, "other programs know it from the description of the format");
        assert_eq!(8 + 4 + 4 + HEADER_LIMIT + 2 + SIGNATURE, 65_536);
    }

    #[test]
    fn a_header_says_nothing_of_what_is_as_at_first() {
        let sample = Sample::new();
        let repository = sample.plain();
        let snapshot = sample.add(&repository, "file:///a", b"{}", 1);
        let file = repository.read(&snapshot).unwrap();
        let length = usize::from(file[8]) + 256 * usize::from(file[9]);
        let header: serde_json::Value = serde_json::from_slice(&file[16..16 + length]).unwrap();
        for member in ["record", "generation", "parent", "previous", "tags"] {
            assert!(header.get(member).is_none(), "{member}");
        }
        assert!(header.get("payload").is_some());
    }
}
