//! The bytes that a delta adds, compressed beside what is copied around them.
//!
//! An instance that changed looks much like those that stand next to it, which did not change and are
//! told in a few bytes. So zstd is given them first, as a prefix: both sides have them.

use std::io::{self, BufReader, Read, Write};

use zstd::zstd_safe::CParameter;

/// How much of a copy counts on each side where bytes are added.
const BESIDE: usize = 4096;

/// How much counts in all.
const CONTEXT: usize = 128 * 1024;

/// The logarithm of how far back zstd looks: all that is twice as far costs memory, and nothing there
/// is more alike.
const REACH: u32 = 18;

/// The logarithm of how far back a reader looks at most.
const WINDOW: u32 = 23;

/// The logarithm of how many places zstd remembers at most: by itself it would take 12 MB for 1 MB.
const PLACES: u32 = 16;

/// Returns what zstd is given first. Of the pieces of the state in their order each is what is
/// copied, or nothing where bytes are added.
pub(super) fn context<'t>(pieces: impl Iterator<Item = Option<&'t [u8]>>) -> Vec<u8> {
    let mut pieces = pieces.peekable();
    // What a last piece may add is cut off again.
    let (mut context, mut is_behind) = (Vec::with_capacity(CONTEXT + 2 * BESIDE), false);
    while let Some(piece) = pieces.next() {
        let is_before = matches!(pieces.peek(), Some(None));
        let behind = std::mem::replace(&mut is_behind, piece.is_none());
        let Some(copied) = piece else { continue };
        let [first, last] = [behind, is_before].map(|is_beside| BESIDE * usize::from(is_beside));
        if copied.len() <= first + last {
            context.extend_from_slice(copied);
        } else {
            context.extend_from_slice(&copied[..first]);
            context.extend_from_slice(&copied[copied.len() - last..]);
        }
        if context.len() >= CONTEXT {
            context.truncate(CONTEXT);
            break;
        }
    }
    context
}

/// Returns how hard to compress so many bytes.
///
/// Level 19 makes 3 % less of what is added to states of 10 MB than 9, and nothing less of what is to
/// smaller ones, and takes a third of all the time of a backup for it.
fn level(len: usize) -> i32 {
    if len <= 0x100_0000 { 9 } else { 3 }
}

/// Compresses bytes that are added, one after the other, and reads them back.
pub(super) fn compress(added: &[&[u8]], context: &[u8]) -> io::Result<Vec<u8>> {
    let len = added.iter().map(|bytes| bytes.len()).sum();
    let mut encoder = zstd::Encoder::with_ref_prefix(Vec::new(), level(len), context)?;
    // Without it zstd prepares for some MB, which takes it longer than these bytes do.
    encoder.set_pledged_src_size(Some(len as u64))?;
    let reach = (context.len() + len).next_power_of_two().trailing_zeros();
    encoder.set_parameter(CParameter::WindowLog(reach.clamp(10, REACH)))?;
    let places = reach.clamp(10, PLACES);
    encoder.set_parameter(CParameter::HashLog(places))?;
    encoder.set_parameter(CParameter::ChainLog(places))?;
    for bytes in added {
        encoder.write_all(bytes)?;
    }
    let compressed = encoder.finish()?;
    if !holds(&compressed, context, added)? {
        return Err(io::Error::other("what was compressed does not come back"));
    }
    Ok(compressed)
}

/// How much is read back at once.
const PART: usize = 16 * 1024;

fn holds(compressed: &[u8], context: &[u8], added: &[&[u8]]) -> io::Result<bool> {
    let mut decoder = decoder(compressed, context)?;
    let mut buffer = [0; PART];
    for expected in added.iter().flat_map(|bytes| bytes.chunks(PART)) {
        let found = &mut buffer[..expected.len()];
        decoder.read_exact(found)?;
        if found != expected {
            return Ok(false);
        }
    }
    Ok(decoder.read(&mut buffer)? == 0)
}

/// Returns the bytes that are added, if they are so many.
pub(super) fn decompress(compressed: &[u8], context: &[u8], len: usize) -> io::Result<Vec<u8>> {
    let mut added = Vec::new();
    added.try_reserve_exact(len)?;
    let limit = (len as u64).saturating_add(1);
    let mut decoder = decoder(compressed, context)?.take(limit);
    decoder.read_to_end(&mut added)?;
    if added.len() == len { Ok(added) } else { Err(io::ErrorKind::InvalidData.into()) }
}

fn decoder<'a>(
    compressed: &'a [u8],
    context: &'a [u8],
) -> io::Result<zstd::Decoder<'a, BufReader<&'a [u8]>>> {
    let mut decoder = zstd::Decoder::with_ref_prefix(BufReader::new(compressed), context)?;
    decoder.window_log_max(WINDOW)?;
    Ok(decoder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_counts_is_what_is_copied_on_the_sides_of_what_is_added() {
        let long: Vec<u8> = (0..20_000_u32).map(|n| n.to_le_bytes()[0]).collect();
        let of = |pieces: &[Option<&[u8]>]| context(pieces.iter().copied());
        assert_eq!(of(&[Some(b"a"), Some(b"b")]), b"", "nothing is added");
        assert_eq!(of(&[Some(b"a"), None, Some(b"b")]), b"ab");
        assert_eq!(of(&[Some(b"a"), Some(b"b"), None]), b"b", "not what is further away");
        assert_eq!(of(&[None, Some(b"a"), None]), b"a", "once");
        assert_eq!(of(&[Some(&long), None]), &long[long.len() - BESIDE..]);
        assert_eq!(of(&[None, Some(&long)]), &long[..BESIDE]);
        let both = [&long[..BESIDE], &long[long.len() - BESIDE..]].concat();
        assert_eq!(of(&[None, Some(&long), None]), both);
        let many = [None, Some(long.as_slice())].repeat(100);
        assert_eq!(of(&many).len(), CONTEXT);
    }

    #[test]
    fn what_does_not_come_back_is_noticed() {
        let compressed = compress(&[b"abc", b"defg"], b"").unwrap();
        let holds = |added: &[&[u8]]| holds(&compressed, b"", added).unwrap_or(false);
        assert!(holds(&[b"abc", b"defg"]) && holds(&[b"abcdefg"]));
        assert!(!holds(&[b"abc", b"defx"]) && !holds(&[b"abc"]) && !holds(&[b"abcdefgh"]));
    }

    #[test]
    fn what_looks_like_its_context_takes_little_and_comes_back() {
        let context: Vec<u8> = blake3::hash(b"a").to_hex().bytes().cycle().take(3000).collect();
        let added = [&context[100..164], b"", &context[7..1000]];
        let compressed = compress(&added, &context).unwrap();
        assert!(compressed.len() < 40, "{}", compressed.len());
        let all = added.concat();
        assert_eq!(decompress(&compressed, &context, all.len()).unwrap(), all);
        decompress(&compressed, &context, all.len() - 1).unwrap_err();
        decompress(&compressed, &context, all.len() + 1).unwrap_err();
        decompress(&compressed[..compressed.len() - 1], &context, all.len()).unwrap_err();
        assert!(decompress(&compressed, b"", all.len()).map_or(true, |other| other != all));
    }
}
