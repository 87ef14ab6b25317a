//! Sizes in bytes as people write them: `12.3 MB`, `10KB`, `4 GiB`.

const UNITS: [&str; 6] = ["B", "KB", "MB", "GB", "TB", "PB"];

/// A size that can't be read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{0}` is not a size such as 500, 10KB or 1.5GiB")]
pub struct Error(pub String);

/// Returns a size in the largest unit that leaves at least 1, with one decimal below 100; a KB is
/// 1000 bytes.
pub fn to_string(bytes: u64) -> String {
    let mut unit = 0;
    let mut scale = 1_u64;
    // What would round to 1000 of a unit is 1.0 of the next.
    while unit + 1 < UNITS.len() && rounded(bytes, scale) >= 1000 {
        unit += 1;
        scale *= 1000;
    }
    if unit == 0 {
        return format!("{bytes} B");
    }
    match rounded(bytes, scale / 10) {
        tenths @ 0..1000 => format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit]),
        _ => format!("{} {}", rounded(bytes, scale), UNITS[unit]),
    }
}

fn rounded(bytes: u64, scale: u64) -> u64 {
    bytes / scale + u64::from(bytes % scale >= scale.div_ceil(2))
}

/// Parses a number with an optional unit: `B`, `K`, `KB` (1000), `KiB` (1024) and so on to `P`,
/// in any case.
pub fn parse(text: &str) -> Result<u64, Error> {
    let refused = || Error(text.to_owned());
    let trimmed = text.trim();
    let digits = trimmed.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(trimmed.len());
    let (number, unit) = trimmed.split_at(digits);
    let scale = u128::from(scale_of(unit.trim_start()).ok_or_else(refused)?);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    if whole.is_empty() || fraction.is_empty() || fraction.len() > 9 || fraction.contains('.') {
        return Err(refused());
    }
    let whole = u128::from(whole.parse::<u64>().map_err(|_| refused())?);
    let parts = u128::from(fraction.parse::<u64>().map_err(|_| refused())?);
    let divisor = u128::from(fraction.bytes().fold(1_u64, |power, _| power * 10));
    u64::try_from(whole * scale + parts * scale / divisor).map_err(|_| refused())
}

fn scale_of(unit: &str) -> Option<u64> {
    let unit = unit.to_ascii_lowercase();
    let Some(letter) = unit.chars().next().filter(|&c| c != 'b') else {
        return matches!(unit.as_str(), "" | "b").then_some(1);
    };
    let power = 1 + u32::try_from("kmgtp".find(letter)?).ok()?;
    match &unit[1..] {
        "" | "b" => Some(1000_u64.pow(power)),
        "i" | "ib" => Some(1024_u64.pow(power)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_shown_with_three_digits_at_most() {
        let cases = [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 KB"),
            (12_345_678, "12.3 MB"),
            (123_456_789, "123 MB"),
            (99_949, "99.9 KB"),
            (99_950, "100 KB"),
            (999_499, "999 KB"),
            (999_500, "1.0 MB"),
            (u64::MAX, "18447 PB"),
        ];
        for (bytes, text) in cases {
            assert_eq!(to_string(bytes), text, "{bytes}");
        }
    }

    #[test]
    fn sizes_are_read_with_and_without_a_unit() {
        let cases = [
            ("500", 500),
            ("10KB", 10_000),
            ("10 kb", 10_000),
            ("1.5GiB", 1_610_612_736),
            ("2m", 2_000_000),
            ("64Ki", 65_536),
            ("7 B", 7),
        ];
        for (text, bytes) in cases {
            assert_eq!(parse(text), Ok(bytes), "{text}");
        }
        for text in ["", "KB", "-1", "1.", ".5", "1.2.3", "10QB", "10KBs", "99999999999PB", "1é"] {
            assert_eq!(parse(text), Err(Error(text.to_owned())), "{text}");
        }
    }
}
