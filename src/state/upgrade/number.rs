//! Numbers as Go prints them: in plain decimals for outputs, as a float for private data. Both
//! keep the digits where a float would lose some.

use std::cmp::Ordering;

use crate::state::value::{Value, compare_numbers};

/// Returns whether every number in the value is within the range of a float.
pub(super) fn all_finite(value: &Value<'_>) -> bool {
    match value {
        Value::Number(digits) => float(digits).is_finite(),
        Value::Array(items) => items.iter().all(all_finite),
        Value::Object(members) => members.iter().all(|(_, value)| all_finite(value)),
        Value::Null | Value::Bool(_) | Value::String(_) | Value::Sensitive => true,
    }
}

/// Returns whether a number other than zero is too close to zero for a float.
pub(super) fn is_tiny(digits: &str) -> bool {
    float(digits) == 0.0 && compare_numbers(digits, "0") != Ordering::Equal
}

/// Reads digits as a float: infinite where they are too large.
pub(super) fn float(digits: &str) -> f64 {
    digits.parse().unwrap_or(f64::NAN)
}

/// Writes a number without an exponent and without zeros that say nothing.
///
/// The number must be finite as a float, which bounds the length of the result.
pub(super) fn plain(number: &str) -> String {
    let (sign, text) = match number.strip_prefix('-') {
        Some(text) => ("-", text),
        None => ("", number),
    };
    if float(text) == 0.0 {
        return format!("{sign}0");
    }
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = [whole, fraction].concat();
    let significant = all.trim_start_matches('0');
    let zeros = all.len() - significant.len();
    let digits = significant.trim_end_matches('0');
    // Where the point goes, counted from the first digit. A finite number other than zero has no
    // exponent that is far longer than its mantissa.
    let point = signed(whole.len()) - signed(zeros) + exponent.parse::<i64>().unwrap_or(0);
    let zeros = |count: i64| "0".repeat(usize::try_from(count).unwrap_or(0));
    let length = signed(digits.len());
    if point <= 0 {
        return format!("{sign}0.{}{digits}", zeros(-point));
    }
    match usize::try_from(point) {
        Ok(point) if point < digits.len() => {
            format!("{sign}{}.{}", &digits[..point], &digits[point..])
        }
        _ => format!("{sign}{digits}{}", zeros(point - length)),
    }
}

/// Writes a number as Go's JSON encoder writes the float, unless that is another number.
pub(super) fn as_float(digits: &str) -> String {
    let float = float(digits);
    let size = float.abs();
    let text = if size == 0.0 || (1e-6..1e21).contains(&size) {
        format!("{float}")
    } else if size < 1.0 {
        format!("{float:e}")
    } else {
        format!("{float:e}").replace('e', "e+")
    };
    if compare_numbers(&text, digits) == Ordering::Equal { text } else { digits.to_owned() }
}

/// Returns the version that a number stands for, cut to a whole one as Go does.
pub(super) fn version(digits: &str) -> Option<u64> {
    if let Ok(version) = digits.parse() {
        return Some(version);
    }
    // Outside of this range the outcome in Go depends on the machine.
    let whole = plain(digits);
    let whole = whole.split_once('.').map_or(whole.as_str(), |(whole, _)| whole);
    if whole == "-0" { Some(0) } else { whole.parse().ok() }
}

fn signed(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_get_plain_decimals() {
        for (number, expected) in [
            ("1.50", "1.5"),
            ("-0", "-0"),
            ("0.00e5", "0"),
            ("1E-7", "0.0000001"),
            ("-12.5e1", "-125"),
            ("123456.789e3", "123456789"),
            ("1.2e3", "1200"),
            ("9007199254740993", "9007199254740993"),
            ("0.1000000000000000055", "0.1000000000000000055"),
            ("1e-400", "0"),
        ] {
            assert_eq!(plain(number), expected, "{number}");
        }
    }

    #[test]
    fn private_data_gets_floats_where_they_are_exact() {
        for (number, expected) in [
            ("1.50", "1.5"),
            ("1E3", "1000"),
            ("1e21", "1e+21"),
            ("0.0000001", "1e-7"),
            ("0.000001", "0.000001"),
            ("-0.0", "-0"),
            ("12345678901234567891", "12345678901234567891"),
        ] {
            assert_eq!(as_float(number), expected, "{number}");
        }
    }

    #[test]
    fn a_version_is_cut_to_a_whole_number() {
        assert_eq!(version("1.7"), Some(1));
        assert_eq!(version("2e0"), Some(2));
        assert_eq!(version("18446744073709551615"), Some(u64::MAX));
        assert_eq!(version("-0.5"), Some(0));
        assert_eq!(version("-1"), None);
        assert_eq!(version("1e30"), None);
    }
}
