//! What a value of a filter is compared with: text, wildcards, numbers, moments.

use std::cmp::Ordering;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use regex::{Regex, RegexBuilder};

use super::error::Error;
use super::syntax::{Kind, Literal, Op};
use crate::base::glob::Glob;
use crate::state::value::{Value, compare_numbers};

/// How much memory a compiled regular expression may take.
const MAX_REGEX_BYTES: usize = 1 << 20;

/// A test of a text.
#[derive(Clone, Debug)]
pub(super) enum Pattern {
    /// It is this text.
    Exact(String),
    /// It is covered by wildcards.
    Glob(Glob),
    /// A part of it matches.
    Regex(Regex),
}

impl Pattern {
    /// Reads a literal as a test of a whole text: words may have wildcards.
    pub(super) fn of(literal: &Literal, op: Op) -> Result<Self, Error> {
        let is_regex = matches!(op, Op::Like | Op::NotLike) || literal.kind == Kind::Regex;
        if is_regex {
            return regex(literal, &literal.text, false).map(Self::Regex);
        }
        if literal.kind == Kind::Word && Glob::is_glob(&literal.text) {
            return Ok(Self::Glob(Glob::new(&*literal.text)));
        }
        Ok(Self::Exact(literal.text.clone()))
    }

    /// Reads a literal as a test of how a text begins; regular expressions as ever.
    pub(super) fn of_beginning(literal: &Literal, op: Op) -> Result<Self, Error> {
        Ok(match Self::of(literal, op)? {
            Self::Exact(text) if literal.kind == Kind::Word => Self::Glob(Glob::new(text + "*")),
            Self::Glob(_) => Self::Glob(Glob::new(format!("{}*", literal.text))),
            other => other,
        })
    }

    /// Reads a literal as text that is looked for anywhere.
    ///
    /// A word without capital letters is found in any case; quoted text as it stands.
    pub(super) fn of_part(literal: &Literal) -> Result<Self, Error> {
        let in_any_case =
            literal.kind == Kind::Word && !literal.text.chars().any(char::is_uppercase);
        let source = match literal.kind {
            Kind::Regex => literal.text.clone(),
            Kind::Quoted => regex::escape(&literal.text),
            Kind::Word => {
                regex::escape(&literal.text).replace(r"\*", "(?s:.*)").replace(r"\?", "(?s:.)")
            }
        };
        regex(literal, &source, in_any_case).map(Self::Regex)
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        match self {
            Self::Exact(exact) => exact == text,
            Self::Glob(glob) => glob.matches(text),
            Self::Regex(regex) => regex.is_match(text),
        }
    }
}

fn regex(literal: &Literal, source: &str, in_any_case: bool) -> Result<Regex, Error> {
    RegexBuilder::new(source)
        .case_insensitive(in_any_case)
        .size_limit(MAX_REGEX_BYTES)
        .dfa_size_limit(MAX_REGEX_BYTES)
        .build()
        .map_err(|error| {
            // The crate's message draws the expression with a caret of its own; the last line says
            // what is wrong.
            let text = error.to_string();
            let last = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
            let problem = format!("bad regular expression: {}", last.to_lowercase());
            Error::new(literal.at.clone(), problem.trim_end_matches('.'))
        })
}

/// The right side of a comparison with a JSON value.
#[derive(Clone, Debug)]
pub(super) struct Operand {
    pattern: Pattern,
    text: String,
    /// Whether `text` is a JSON number that was not quoted.
    is_number: bool,
    moment: Option<Timestamp>,
}

impl Operand {
    pub(super) fn of(literal: &Literal, op: Op) -> Result<Self, Error> {
        let is_regex = matches!(op, Op::Like | Op::NotLike) || literal.kind == Kind::Regex;
        if op.is_order() && is_regex {
            let problem = format!("a regular expression after `{}`", op.text());
            return Err(Error::new(literal.at.clone(), problem));
        }
        let is_plain = !is_regex && literal.kind == Kind::Word;
        Ok(Self {
            pattern: Pattern::of(literal, op)?,
            text: literal.text.clone(),
            is_number: is_plain && is_number(&literal.text),
            moment: if is_regex { None } else { moment(&literal.text) },
        })
    }

    /// Tests a scalar; `None` where there is nothing to compare: containers, what is masked, and
    /// `null` unless it is asked for.
    pub(super) fn test(&self, value: &Value<'_>, op: Op) -> Option<bool> {
        if *value == Value::Null && self.text != "null" {
            return None;
        }
        let text = value.scalar_text()?;
        let order = self.order(value, text);
        Some(match op {
            Op::Is | Op::IsNot => self.equals(order) || self.pattern.matches(text),
            Op::Like | Op::NotLike => self.pattern.matches(text),
            Op::Greater => order == Some(Ordering::Greater),
            Op::AtLeast => order.is_some_and(Ordering::is_ge),
            Op::Less => order == Some(Ordering::Less),
            Op::AtMost => order.is_some_and(Ordering::is_le),
        })
    }

    /// Returns whether both are the same number or moment; equal text is the pattern's matter.
    fn equals(&self, order: Option<Ordering>) -> bool {
        (self.is_number || self.moment.is_some()) && order == Some(Ordering::Equal)
    }

    fn order(&self, value: &Value<'_>, text: &str) -> Option<Ordering> {
        match value {
            Value::Number(_) | Value::String(_) if self.is_number => {
                is_number(text).then(|| compare_numbers(text, &self.text))
            }
            Value::String(_) => match &self.moment {
                Some(when) => moment(text).map(|it| it.cmp(when)),
                None => Some(text.cmp(self.text.as_str())),
            },
            _ => None,
        }
    }
}

fn is_number(text: &str) -> bool {
    text.starts_with(|c: char| c == '-' || c.is_ascii_digit())
        && text.ends_with(|c: char| c.is_ascii_digit())
        && matches!(Value::parse(text.as_bytes()), Ok(Value::Number(_)))
}

/// Reads `2026-11-21`, `2026-11-21T03:00[:00][Z]` or RFC 3339; without an offset it is UTC.
fn moment(text: &str) -> Option<Timestamp> {
    // Such as `20261121` is a number, whatever the parser takes it for.
    let shape: Vec<bool> = text.bytes().take(10).map(|b| b == b'-').collect();
    if shape != [false, false, false, false, true, false, false, true, false, false] {
        return None;
    }
    if let Ok(when) = text.parse::<Timestamp>() {
        return Some(when);
    }
    let civil = text.trim_end_matches('Z');
    let civil = match civil.len() {
        10 => civil.parse::<Date>().ok()?.to_datetime(jiff::civil::Time::midnight()),
        _ => civil.parse::<DateTime>().ok()?,
    };
    civil.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_people_write_them() {
        let same = ["2026-11-21", "2026-11-21T00:00", "2026-11-21T00:00:00Z", "2026-11-21T00:00Z"];
        for text in same {
            assert_eq!(moment(text), moment("2026-11-21T02:00:00+02:00"), "{text}");
            assert!(moment(text).is_some(), "{text}");
        }
        for text in ["20261121", "2026-13-01", "2026-11-21x", "", "1.2.3", "2026-11"] {
            assert_eq!(moment(text), None, "{text}");
        }
    }

    #[test]
    fn only_json_numbers_are_numbers() {
        for text in ["0", "-1.5", "1e9"] {
            assert!(is_number(text), "{text}");
        }
        for text in ["", "-", "1.2.3", "0x10", "NaN", " 1", "1 ", "01"] {
            assert!(!is_number(text), "{text}");
        }
    }
}
