//! The inside of a payload: what the state is, and its bytes or its delta, compressed together.

use std::fmt;
use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize};
use zstd::zstd_safe::CParameter;

use super::snapshot::{Label, to_hex};
use crate::base::sha256;

/// Largest state that is kept, so that a forged length cannot fill the memory.
const LIMIT: u64 = 4 << 30;

/// Largest inner header.
const HEADER_LIMIT: u32 = 64 * 1024;

/// Longest text of what is known of a state, in bytes; each may take six in JSON.
const LONGEST_FACT: usize = 2000;

/// How much longer than its state a delta may be.
const DELTA_SLACK: u64 = 1 << 20;

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
    /// The whole id of the snapshot whose state the delta builds on; without one the state itself
    /// follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    pub state: Origin,
    pub tool: String,
}

/// What stands behind an inner header.
#[derive(Debug)]
pub(super) enum Content {
    State(Vec<u8>),
    Delta(Vec<u8>),
}

/// What is wrong with a body.
#[derive(Clone, Copy, Debug)]
pub(super) enum Flaw {
    Damaged(&'static str),
    Newer(&'static str),
}

/// The bytes of a state with their BLAKE3, so that it is made once.
#[derive(Clone, Copy)]
pub struct Hashed<'a> {
    bytes: &'a [u8],
    blake3: blake3::Hash,
}

impl<'a> Hashed<'a> {
    /// Hashes the bytes of a state.
    pub fn of(bytes: &'a [u8]) -> Self {
        Self { bytes, blake3: blake3::hash(bytes) }
    }

    pub(super) fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    pub(super) fn blake3(&self) -> &blake3::Hash {
        &self.blake3
    }
}

/// Says nothing of what the state holds.
impl fmt::Debug for Hashed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hashed({} bytes)", self.bytes.len())
    }
}

impl Origin {
    pub(super) fn of(uri: &str, facts: SourceFacts, state: &Hashed<'_>) -> Self {
        Self {
            uri: uri.to_owned(),
            facts: facts.short(),
            length: state.bytes.len() as u64,
            blake3: state.blake3.to_hex().to_string(),
            sha256: to_hex(&sha256::of(state.bytes)),
        }
    }
}

/// Returns whether a delta that tells a state of this length will be read.
pub(super) fn is_read(delta: usize, state: usize) -> bool {
    delta as u64 <= (state as u64).saturating_add(DELTA_SLACK)
}

/// How hard zstd tries on a whole state unless told otherwise.
pub const LEVEL: i32 = 3;

/// The logarithm of how far back it looks in a state then. By itself it would be twice as far, which
/// makes some states 2 % smaller and others larger, and costs whoever reads one, and whoever wrote it
/// and reads it back, 1 MB more of memory.
const WINDOW: u32 = 20;

/// Returns how hard to compress a body with a delta of this size, in which what is added is
/// compressed already: the rest is little, but for the longest ones.
pub(super) fn level_of_delta(len: usize) -> i32 {
    if len <= 0x1_0000 { 9 } else { 3 }
}

/// The logarithm of how far back zstd looks in the rest, and of how much it remembers of it. By
/// itself it would take up to 2 MB for that.
const WINDOW_OF_DELTA: u32 = 14;

impl SourceFacts {
    /// Leaves out what is so long that no tool wrote it: it would not fit into the inner header,
    /// and must not keep the state from being stored.
    fn short(self) -> Self {
        let fits = |text: &String| text.len() <= LONGEST_FACT;
        let cut = |text: String| text.chars().take(LONGEST_FACT / 4).collect();
        Self {
            serial: self.serial,
            lineage: self.lineage.filter(fits),
            terraform_version: self.terraform_version.filter(fits),
            broken: self.broken.map(|text| if fits(&text) { text } else { cut(text) }),
        }
    }
}

/// Writes a body, compressed: the inner header, and the state or its delta.
pub(super) fn write(
    inner: &Inner,
    content: &[u8],
    level: i32,
    out: &mut dyn Write,
) -> io::Result<()> {
    if inner.state.length > LIMIT {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    let header = serde_json::to_vec(inner)?;
    let length = u32::try_from(header.len()).ok().filter(|&n| n <= HEADER_LIMIT);
    let length = length.ok_or(io::ErrorKind::InvalidInput)?;
    let beginning = [&length.to_le_bytes(), header.as_slice()].concat();
    // A state is compressed where it is: a frame that is fed copies all that it looks back to.
    if content.len() >= LARGE
        && let Some(state) = frame(content, inner, level)?
    {
        let mut encoder = encoder(out, inner, level, beginning.len())?;
        encoder.write_all(&beginning)?;
        return encoder.finish()?.write_all(&state);
    }
    let mut encoder = encoder(out, inner, level, beginning.len() + content.len())?;
    encoder.write_all(&beginning)?;
    encoder.write_all(content)?;
    encoder.finish().map(drop)
}

/// What is smaller loses more by a second frame than it gains.
const LARGE: usize = 1 << 20;

/// Compresses bytes into one frame; nothing where there is no room for what they could become, of
/// which only what they do become is touched.
fn frame(bytes: &[u8], inner: &Inner, level: i32) -> io::Result<Option<Vec<u8>>> {
    let mut compressed = Vec::new();
    if compressed.try_reserve_exact(zstd::zstd_safe::compress_bound(bytes.len())).is_err() {
        return Ok(None);
    }
    // No checksum of zstd's own: it takes a thirtieth of the time of a backup, and both hashes of the
    // state say more.
    let mut compressor = zstd::bulk::Compressor::new(level)?;
    for &parameter in parameters(inner, level, bytes.len()) {
        compressor.set_parameter(parameter)?;
    }
    compressor.compress_to_buffer(bytes, &mut compressed)?;
    Ok(Some(compressed))
}

/// Returns what zstd is told besides the level to compress so many bytes, so that it takes less memory.
fn parameters(inner: &Inner, level: i32, len: usize) -> &'static [CParameter] {
    match (inner.parent.is_some(), level) {
        (true, _) => &[
            CParameter::WindowLog(WINDOW_OF_DELTA),
            CParameter::HashLog(WINDOW_OF_DELTA),
            CParameter::ChainLog(WINDOW_OF_DELTA),
        ],
        // By itself it would remember twice as many places of a large state and look for 5 bytes that
        // are the same: made ones of 10 and 100 MB are larger by that, 0.3 to 1.2 %, and take it
        // longer, 3 to 5 %.
        (false, LEVEL) if len >= LARGE => &[
            CParameter::WindowLog(WINDOW),
            CParameter::HashLog(16),
            CParameter::ChainLog(15),
            CParameter::MinMatch(6),
        ],
        (false, LEVEL) => &[CParameter::WindowLog(WINDOW)],
        // Whoever asks for another level wants what zstd makes of it.
        _ => &[],
    }
}

fn encoder<'o>(
    out: &'o mut dyn Write,
    inner: &Inner,
    level: i32,
    len: usize,
) -> io::Result<zstd::Encoder<'static, &'o mut dyn Write>> {
    let mut encoder = zstd::Encoder::new(out, level)?;
    encoder.include_checksum(true)?;
    for &parameter in parameters(inner, level, len) {
        encoder.set_parameter(parameter)?;
    }
    // Without it zstd prepares for some MB, which takes it longer than a small state does.
    encoder.set_pledged_src_size(Some(len as u64))?;
    Ok(encoder)
}

/// A body whose inner header was read.
pub(super) struct Opened<R> {
    pub inner: Inner,
    rest: R,
}

/// Begins to read a body.
pub(super) fn open<R: Read>(packed: R) -> Result<Opened<impl Read + use<R>>, Flaw> {
    let mut rest = zstd::Decoder::new(packed).map_err(unreadable)?;
    let mut length = [0; 4];
    rest.read_exact(&mut length).map_err(unreadable)?;
    let length = u32::from_le_bytes(length);
    if length > HEADER_LIMIT {
        return Err(Flaw::Damaged("its inner header is too long"));
    }
    let mut header = vec![0; length as usize];
    rest.read_exact(&mut header).map_err(unreadable)?;
    Ok(Opened { inner: parse(&header)?, rest })
}

/// Does as [`open`] with a reader of whatever kind.
pub(super) fn open_boxed<'r>(
    packed: Box<dyn Read + 'r>,
) -> Result<Opened<Box<dyn Read + 'r>>, Flaw> {
    let Opened { inner, rest } = open(packed)?;
    Ok(Opened { inner, rest: Box::new(rest) })
}

/// A body, whole and as it is, members that this version does not know included.
pub(super) struct Raw {
    pub inner: Inner,
    bytes: Vec<u8>,
    content: usize,
}

impl Raw {
    /// Reads a body to its end.
    pub(super) fn read(packed: impl Read) -> Result<Self, Flaw> {
        let decoder = zstd::Decoder::new(packed).map_err(unreadable)?;
        let mut bytes = Vec::new();
        decoder.take(LIMIT + DELTA_SLACK).read_to_end(&mut bytes).map_err(unreadable)?;
        let short = Flaw::Damaged("its payload cannot be read to the end");
        let (length, rest) = bytes.split_first_chunk::<4>().ok_or(short)?;
        let length = u32::from_le_bytes(*length) as usize;
        let header = rest.get(..length).ok_or(short)?;
        Ok(Self { inner: parse(header)?, content: 4 + length, bytes })
    }

    /// Returns the state or the delta.
    pub(super) fn content(&self) -> &[u8] {
        &self.bytes[self.content..]
    }

    /// Compresses it again.
    pub(super) fn write(&self, level: i32, out: &mut dyn Write) -> io::Result<()> {
        let mut encoder = encoder(out, &self.inner, level, self.bytes.len())?;
        encoder.write_all(&self.bytes)?;
        encoder.finish().map(drop)
    }
}

fn unreadable(_: io::Error) -> Flaw {
    Flaw::Damaged("its payload cannot be read to the end")
}

impl<R: Read> Opened<R> {
    /// Reads the rest, to its end.
    pub(super) fn content(mut self) -> Result<(Inner, Content), Flaw> {
        let is_delta = self.inner.parent.is_some();
        // A delta is never much longer than the state that it makes: it was not kept then.
        let limit = self.inner.state.length.min(LIMIT) + if is_delta { DELTA_SLACK } else { 1 };
        let mut bytes = Vec::new();
        if !is_delta {
            let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
            bytes
                .try_reserve_exact(wanted)
                .map_err(|_| Flaw::Damaged("it asks for too much memory"))?;
        }
        self.rest.by_ref().take(limit).read_to_end(&mut bytes).map_err(unreadable)?;
        // What goes on is read to the end all the same, or not all of it would be looked at.
        if is_delta {
            if self.rest.read(&mut [0]).map_err(unreadable)? != 0 {
                return Err(Flaw::Damaged("its delta is too long"));
            }
            return Ok((self.inner, Content::Delta(bytes)));
        }
        if bytes.len() as u64 != self.inner.state.length {
            return Err(Flaw::Damaged("the state is not as long as it was"));
        }
        Ok((self.inner, Content::State(bytes)))
    }

    /// Compares the rest with what should be there, without keeping it.
    pub(super) fn holds(mut self, content: &[u8]) -> Result<bool, Flaw> {
        let mut buffer = vec![0; 64 * 1024];
        let mut expected = content;
        loop {
            let read = self.rest.read(&mut buffer).map_err(unreadable)?;
            if read == 0 {
                return Ok(expected.is_empty());
            }
            let Some((next, after)) = expected.split_at_checked(read) else { return Ok(false) };
            if *next != buffer[..read] {
                return Ok(false);
            }
            expected = after;
        }
    }
}

fn parse(header: &[u8]) -> Result<Inner, Flaw> {
    super::container::check_version(header)?;
    serde_json::from_slice(header).map_err(|_| Flaw::Damaged("its inner header makes no sense"))
}

/// Checks a state on the way to another: its length and its BLAKE3.
pub(super) fn check_step(origin: &Origin, state: &[u8]) -> Result<(), Flaw> {
    if origin.length != state.len() as u64 {
        return Err(Flaw::Damaged("the state is not as long as it was"));
    }
    if origin.blake3 != *blake3::hash(state).to_hex() {
        return Err(Flaw::Damaged("the state's BLAKE3 differs"));
    }
    Ok(())
}

/// Checks that a state is, by both hashes, the one that was written.
pub(super) fn check(origin: &Origin, state: &[u8]) -> Result<(), Flaw> {
    check_step(origin, state)?;
    if origin.sha256 != to_hex(&sha256::of(state)) {
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
        let state = Origin::of("file:///a", SourceFacts::default(), &Hashed::of(b"{}"));
        let tool = "test".to_owned();
        let (v, must_understand) = (1, Vec::new());
        let mut inner = Inner { v, must_understand, snapshot, parent: None, state, tool };
        edit(&mut inner);
        let mut out = Vec::new();
        write(&inner, b"{}", 3, &mut out).unwrap();
        out
    }

    fn read(packed: &[u8]) -> Result<Vec<u8>, Flaw> {
        let (inner, content) = open(packed)?.content()?;
        match content {
            Content::State(state) => check(&inner.state, &state).map(|()| state),
            Content::Delta(delta) => Ok(delta),
        }
    }

    /// What was done to an inner header, and what is said of it.
    type Case = (fn(&mut Inner), &'static str);

    #[test]
    fn a_state_is_returned_only_if_length_and_both_hashes_agree() {
        assert_eq!(read(&packed(|_| ())).unwrap(), b"{}");
        let cases: [Case; 4] = [
            (|inner| inner.state.length = 1, "the state is not as long as it was"),
            (|inner| inner.state.length = 3, "the state is not as long as it was"),
            (|inner| inner.state.blake3.replace_range(..1, "x"), "the state's BLAKE3 differs"),
            (|inner| inner.state.sha256.replace_range(..1, "x"), "the state's SHA-256 differs"),
        ];
        for (edit, expected) in cases {
            let flaw = read(&packed(edit)).unwrap_err();
            assert!(matches!(flaw, Flaw::Damaged(said) if said == expected), "{flaw:?}");
        }
    }

    #[test]
    fn a_large_state_is_a_frame_of_its_own_without_which_nothing_is_read() {
        let state: Vec<u8> = (0..LARGE + 5).map(|n| b"0123456789abcdef"[n * n % 16]).collect();
        let (mut inner, _) = open(packed(|_| ()).as_slice()).unwrap().content().unwrap();
        inner.state = Origin::of("file:///a", SourceFacts::default(), &Hashed::of(&state));
        let mut out = Vec::new();
        write(&inner, &state, 3, &mut out).unwrap();
        assert!(read(&out).unwrap() == state);
        assert!(open(out.as_slice()).unwrap().holds(&state).unwrap());
        let first = zstd::zstd_safe::find_frame_compressed_size(&out).unwrap();
        for len in [first - 1, first, first + 1, out.len() - 1] {
            read(&out[..len]).unwrap_err();
        }
    }

    /// Returns whether a frame can be read by whoever looks back no further than 2 to this power.
    fn looks_back_at_most(frame: &[u8], power: u32) -> bool {
        let mut decoder = zstd::Decoder::new(frame).unwrap().single_frame();
        decoder.window_log_max(power).unwrap();
        io::copy(&mut decoder, &mut io::sink()).is_ok()
    }

    #[test]
    fn how_far_back_a_reader_has_to_look_is_bounded_unless_another_level_is_asked_for() {
        let state: Vec<u8> = (0..4 * LARGE).map(|n| b"0123456789abcdef"[n * n % 16]).collect();
        let (mut inner, _) = open(packed(|_| ()).as_slice()).unwrap().content().unwrap();
        inner.state = Origin::of("file:///a", SourceFacts::default(), &Hashed::of(&state));
        let written = |inner: &Inner, content: &[u8], level: i32| {
            let mut out = Vec::new();
            write(inner, content, level, &mut out).unwrap();
            let first = zstd::zstd_safe::find_frame_compressed_size(&out).unwrap();
            // The state is the last frame, the inner header another before it.
            if first < out.len() { out.split_off(first) } else { out }
        };
        let state_frame = written(&inner, &state, LEVEL);
        assert!(looks_back_at_most(&state_frame, WINDOW));
        assert!(!looks_back_at_most(&state_frame, WINDOW - 1));
        assert!(!looks_back_at_most(&written(&inner, &state, LEVEL + 2), WINDOW));
        inner.parent = Some("0".repeat(32));
        let delta_frame = written(&inner, &state[..LARGE / 2], 9);
        assert!(looks_back_at_most(&delta_frame, WINDOW_OF_DELTA));
        assert!(!looks_back_at_most(&delta_frame, WINDOW_OF_DELTA - 1));
    }

    #[test]
    fn an_inner_header_longer_than_any_that_is_written_is_refused() {
        let with = |length: u32| {
            let mut body = length.to_le_bytes().to_vec();
            body.resize(4 + length as usize, b' ');
            let packed = zstd::encode_all(body.as_slice(), 1).unwrap();
            open(packed.as_slice()).map(drop).unwrap_err()
        };
        let too_long = with(HEADER_LIMIT + 1);
        assert!(matches!(too_long, Flaw::Damaged("its inner header is too long")), "{too_long:?}");
        let senseless = with(HEADER_LIMIT);
        assert!(
            matches!(senseless, Flaw::Damaged("a header in it makes no sense")),
            "{senseless:?}"
        );
    }

    #[test]
    fn debug_output_of_a_state_shows_its_length_only() {
        assert_eq!(format!("{:?}", Hashed::of(b"hunter2")), "Hashed(7 bytes)");
    }

    #[test]
    fn what_could_not_be_read_again_is_not_written() {
        let (mut inner, _) = open(packed(|_| ()).as_slice()).unwrap().content().unwrap();
        inner.state.length = LIMIT + 1;
        let error = write(&inner, b"{}", 3, &mut Vec::new()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
    }

    #[test]
    fn facts_of_any_length_leave_room_in_the_inner_header() {
        let long = || Some("\u{1}".repeat(100_000));
        let facts = SourceFacts {
            serial: Some(7),
            lineage: long(),
            terraform_version: long(),
            broken: long(),
        };
        let packed =
            packed(|inner| inner.state = Origin::of("file:///a", facts, &Hashed::of(b"{}")));
        assert_eq!(read(&packed).unwrap(), b"{}");
        let facts = open(packed.as_slice()).unwrap().inner.state.facts;
        assert_eq!((facts.serial, facts.lineage), (Some(7), None));
        assert_eq!(facts.broken.unwrap().len(), LONGEST_FACT / 4, "a beginning of it stays");
    }

    #[test]
    fn what_a_later_version_wrote_is_not_guessed_at() {
        let cases: [fn(&mut Inner); 2] =
            [|inner| inner.v = 2, |inner| inner.must_understand.push("delta".to_owned())];
        for edit in cases {
            let flaw = read(&packed(edit)).unwrap_err();
            assert!(matches!(flaw, Flaw::Newer(_)), "{flaw:?}");
        }
    }

    #[test]
    fn what_is_inside_is_compared_without_being_kept() {
        let holds =
            |content: &[u8]| open(packed(|_| ()).as_slice()).unwrap().holds(content).unwrap();
        assert_eq!(
            [holds(b"{}"), holds(b"{"), holds(b"{]"), holds(b"{}x")],
            [true, false, false, false]
        );
    }

    #[test]
    fn a_delta_longer_than_any_that_is_kept_is_refused() {
        let packed = packed(|inner| inner.parent = Some("0".repeat(32)));
        let (inner, _) = open(packed.as_slice()).unwrap().content().unwrap();
        let mut out = Vec::new();
        let long = vec![0; usize::try_from(DELTA_SLACK).unwrap() + 3];
        assert!(!is_read(long.len(), 2) && is_read(long.len() - 1, 2));
        write(&inner, &long, 1, &mut out).unwrap();
        let flaw = read(&out).unwrap_err();
        assert!(matches!(flaw, Flaw::Damaged("its delta is too long")), "{flaw:?}");
    }
}
