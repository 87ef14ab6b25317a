//! The literals a key is written with: HCL's quoted strings and numbers.

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use super::Problem;

/// Reads a string up to and with its closing quote.
///
/// `text` starts after the opening quote. Returns the string, which HCL normalises to NFC, and how
/// many bytes it took; or the offset of what is wrong.
pub(super) fn string(text: &str) -> Result<(String, usize), (usize, Problem)> {
    let bytes = text.as_bytes();
    let mut string = String::new();
    let mut at = 0;
    loop {
        let plain = bytes[at..]
            .iter()
            .position(|b| matches!(b, b'"' | b'\\' | b'$' | b'%' | b'\n' | b'\r'));
        let Some(plain) = plain else { return Err((text.len(), Problem::Unterminated)) };
        string.push_str(&text[at..at + plain]);
        at += plain;
        match bytes[at] {
            b'"' => return Ok((normalise(string), at + 1)),
            b'\\' => {
                let (c, length) = escape(&text[at + 1..]).ok_or((at, Problem::Escape))?;
                string.push(c);
                at += 1 + length;
            }
            b'\n' | b'\r' => return Err((at, Problem::LineBreak)),
            sigil => {
                let length = sigils(&bytes[at..]).ok_or((at, Problem::Template(sigil.into())))?;
                string.push_str(&text[at..=at]);
                if length == 3 {
                    string.push('{');
                }
                at += length;
            }
        }
    }
}

/// Returns how many bytes to pass for the `$` or `%` that opens `bytes`: 3 for an escaped
/// template sequence, none for a bare one.
fn sigils(bytes: &[u8]) -> Option<usize> {
    match *bytes {
        [_, b'{', ..] => None,
        [first, second, b'{', ..] if first == second => Some(3),
        _ => Some(1),
    }
}

/// Reads what follows a backslash and returns it with its length.
fn escape(text: &str) -> Option<(char, usize)> {
    match text.bytes().next()? {
        b'n' => Some(('\n', 1)),
        b'r' => Some(('\r', 1)),
        b't' => Some(('\t', 1)),
        b'"' => Some(('"', 1)),
        b'\\' => Some(('\\', 1)),
        b'u' => Some((code_point(text.get(1..5)?)?, 5)),
        b'U' => Some((code_point(text.get(1..9)?)?, 9)),
        _ => None,
    }
}

fn code_point(digits: &str) -> Option<char> {
    if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    char::from_u32(u32::from_str_radix(digits, 16).ok()?)
}

fn normalise(string: String) -> String {
    if string.is_ascii() || is_nfc_quick(string.chars()) == IsNormalized::Yes {
        return string;
    }
    string.nfc().collect()
}

/// Reads a number from the start of a text that starts with a digit.
///
/// Returns it with how many bytes it took; no number when it is not whole or does not fit.
pub(super) fn number(text: &str) -> (Option<i64>, usize) {
    let whole = digits(text);
    let after = &text[whole..];
    let fraction = after.strip_prefix('.').map_or(0, digits);
    // A dot needs digits after it, but `1.e0` passes too.
    let dotted = if after.starts_with('.') { 1 + fraction } else { 0 };
    let (exponent, length) = exponent(&after[dotted..]).unwrap_or((Some(0), 0));
    if fraction == 0 && length == 0 {
        return (whole_number(&text[..whole], "", Some(0)), whole);
    }
    let fraction = &after[dotted - fraction..dotted];
    (whole_number(&text[..whole], fraction, exponent), whole + dotted + length)
}

/// Reads `e-1` and returns its value, if within reach, with its length.
fn exponent(text: &str) -> Option<(Option<i32>, usize)> {
    let signed = text.strip_prefix(['e', 'E'])?;
    let sign = usize::from(signed.starts_with(['+', '-']));
    match digits(&signed[sign..]) {
        0 => None,
        length => Some((signed[..sign + length].parse().ok(), 1 + sign + length)),
    }
}

/// Returns how many digits a text starts with.
fn digits(text: &str) -> usize {
    text.bytes().position(|b| !b.is_ascii_digit()).unwrap_or(text.len())
}

/// Returns `whole.fraction` times ten to the power of `exponent`; `None` is one beyond reach.
fn whole_number(whole: &str, fraction: &str, exponent: Option<i32>) -> Option<i64> {
    let mantissa = format!("{whole}{fraction}");
    let significant = mantissa.trim_end_matches('0');
    let dropped = i64::try_from(mantissa.len() - significant.len()).ok()?;
    let significant = significant.trim_start_matches('0');
    if significant.is_empty() {
        return Some(0);
    }
    let shift = i64::from(exponent?) - i64::try_from(fraction.len()).ok()? + dropped;
    let factor = 10_i64.checked_pow(u32::try_from(shift).ok()?)?;
    significant.parse::<i64>().ok()?.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_hcl_reads_them() {
        let max = Some(i64::MAX);
        for (text, number_read, length) in [
            ("0]", Some(0), 1),
            ("00", Some(0), 2),
            ("0.0", Some(0), 3),
            ("1e0", Some(1), 3),
            ("1E+0", Some(1), 4),
            ("10e-1", Some(1), 5),
            ("1.1e1", Some(11), 5),
            ("01.E2", Some(100), 5),
            ("1000e-3", Some(1), 7),
            ("0e99999999999", Some(0), 13),
            ("1e18", Some(1_000_000_000_000_000_000), 4),
            ("1e19", None, 4),
            ("9223372036854775807.0", max, 21),
            ("9223372036854775808", None, 19),
            ("1e400", None, 5),
            ("1e99999999999999999999", None, 22),
            ("1.5", None, 3),
            ("1e-1", None, 4),
            // What follows the number is for the caller to refuse.
            ("1e", Some(1), 1),
            ("1e+", Some(1), 1),
            ("1.", Some(1), 1),
            ("1_0", Some(1), 1),
            ("0x1", Some(0), 1),
        ] {
            assert_eq!(number(text), (number_read, length), "{text}");
        }
    }

    #[test]
    fn strings_are_read_as_hcl_reads_them() {
        for (text, read) in [
            (r#"""#, ""),
            (r#"a.b]"rest"#, "a.b]"),
            (r#"\n\r\t\"\\""#, "\n\r\t\"\\"),
            (r#"\u00e9\U0001F600""#, "é😀"),
            (r#"e\u0301""#, "é"),
            ("e\u{301}\"", "é"),
            (r#"$ $$ % %% $a""#, "$ $$ % %% $a"),
            (r#"$${x} %%{x}""#, "${x} %{x}"),
            (r#"$$${x}$%%%{""#, "$${x}$%%{"),
            ("\t\u{1}\"", "\t\u{1}"),
        ] {
            assert_eq!(string(text).unwrap().0, read, "{text}");
        }
    }

    #[test]
    fn a_bad_string_is_refused_where_it_is_bad() {
        for (text, at, problem) in [
            ("ab", 2, Problem::Unterminated),
            ("a\nb\"", 1, Problem::LineBreak),
            ("a\rb\"", 1, Problem::LineBreak),
            (r#"a\q""#, 1, Problem::Escape),
            (r#"\u12g4""#, 0, Problem::Escape),
            (r#"\u+123""#, 0, Problem::Escape),
            (r#"\ud83d\ude00""#, 0, Problem::Escape),
            (r#"\U00110000""#, 0, Problem::Escape),
            (r#"\u00é""#, 0, Problem::Escape),
            (r#"é${x}""#, 2, Problem::Template('$')),
            (r#"$%{""#, 1, Problem::Template('%')),
        ] {
            assert_eq!(string(text), Err((at, problem)), "{text}");
        }
    }
}
