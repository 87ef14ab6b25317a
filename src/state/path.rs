//! Paths into the attributes of a resource or the value of an output: `tags.env`,
//! `ingress[0].cidr_blocks`, `labels["app.kubernetes.io/name"]`.

use std::fmt;

/// One step of a [`Path`].
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Step {
    /// The member of an object or map.
    Key(String),
    /// The element of a list, counted from 0.
    Index(usize),
}

/// A path from a value to a value inside it; empty for the value itself.
#[derive(Clone, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Path(Vec<Step>);

/// A path that can't be read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{problem} at character {}", .at + 1)]
pub struct Error {
    /// Offset in bytes of what is wrong in the path's text.
    pub at: usize,
    /// What is wrong.
    pub problem: &'static str,
}

impl Path {
    /// Returns the path of the value itself.
    pub fn root() -> Self {
        Self::default()
    }

    /// Returns the steps from the outside in.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// Returns whether this is the value itself.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// Appends a step.
    pub fn push(&mut self, step: Step) {
        self.0.push(step);
    }

    /// Takes the last step off.
    pub fn pop(&mut self) -> Option<Step> {
        self.0.pop()
    }

    /// Returns whether this path is `other` or leads to something inside it.
    pub fn starts_with(&self, other: &Path) -> bool {
        self.0.starts_with(&other.0)
    }

    /// Parses `a.b[0]["c"]`; a step of digits after a dot is an index too.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut path = Self::root();
        let mut rest = text;
        while !rest.is_empty() {
            let at = text.len() - rest.len();
            let fail = |problem| Error { at, problem };
            if let Some(inner) = rest.strip_prefix('[') {
                let (step, after) = bracketed(inner)
                    .ok_or(fail("a `[` without a number or a quoted key and `]`"))?;
                path.push(step);
                rest = after;
                continue;
            }
            let word = match rest.strip_prefix('.') {
                Some(word) if at > 0 => word,
                Some(_) => return Err(fail("a `.` with nothing before it")),
                None if at == 0 => rest,
                None => return Err(fail("text after `]`, where `.` or `[` was expected")),
            };
            let end = word.find(['.', '[']).unwrap_or(word.len());
            if end == 0 {
                return Err(fail("a `.` with no name after it"));
            }
            path.push(step_of(&word[..end]));
            rest = &word[end..];
        }
        Ok(path)
    }
}

fn step_of(word: &str) -> Step {
    match word.parse() {
        Ok(index) if word.bytes().all(|b| b.is_ascii_digit()) => Step::Index(index),
        _ => Step::Key(word.to_owned()),
    }
}

/// Reads `0]` or `"key"]` and returns the step with what follows it.
fn bracketed(inner: &str) -> Option<(Step, &str)> {
    if !inner.starts_with('"') {
        let (digits, after) = inner.split_once(']')?;
        return Some((Step::Index(digits.parse().ok()?), after));
    }
    let mut stream = serde_json::Deserializer::from_str(inner).into_iter::<String>();
    let key = stream.next()?.ok()?;
    let after = inner[stream.byte_offset()..].strip_prefix(']')?;
    Some((Step::Key(key), after))
}

impl FromIterator<Step> for Path {
    fn from_iter<I: IntoIterator<Item = Step>>(steps: I) -> Self {
        Self(steps.into_iter().collect())
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, step) in self.0.iter().enumerate() {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(key) if !is_plain(key) => {
                    f.write_str("[")?;
                    f.write_str(&serde_json::to_string(key).map_err(|_| fmt::Error)?)?;
                    f.write_str("]")?;
                }
                Step::Key(key) if i == 0 => f.write_str(key)?,
                Step::Key(key) => write!(f, ".{key}")?,
            }
        }
        Ok(())
    }
}

/// Returns whether a key can stand in a path without brackets and be read back as that key.
fn is_plain(key: &str) -> bool {
    let mut bytes = key.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b':' | b'/' | b'@'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paths_are_read_as_people_write_them() {
        let key = |k: &str| Step::Key(k.to_owned());
        let path = Path::parse(r#"ingress[0].tags["a.b/c"].2.name"#).unwrap();
        let steps = [
            key("ingress"),
            Step::Index(0),
            key("tags"),
            key("a.b/c"),
            Step::Index(2),
            key("name"),
        ];
        assert_eq!(path.steps(), steps);
        assert_eq!(path.to_string(), r#"ingress[0].tags["a.b/c"][2].name"#);
    }

    #[test]
    fn a_bad_path_is_refused_where_it_is_bad() {
        for (text, at) in [("a..b", 1), (".a", 0), ("a[", 1), ("a[x]", 1), ("a[0]b", 4), ("a.", 1)]
        {
            assert_eq!(Path::parse(text).unwrap_err().at, at, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(steps in proptest::collection::vec(
            prop_oneof![any::<String>().prop_map(Step::Key), (0usize..1000).prop_map(Step::Index)], 0..6)
        ) {
            let path: Path = steps.into_iter().collect();
            prop_assert_eq!(Path::parse(&path.to_string()), Ok(path));
        }
    }
}
