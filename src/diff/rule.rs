//! Which changes are meant, by the type of the resource and the path of the change.

use std::fmt;
use std::str::FromStr;

use super::change::{Change, Field};
use crate::base::glob::Glob;
use crate::state::path::{Path, Step};

/// Which changes are meant: `aws_*.tags_all`, `*.etag`, `aws_instance.root_block_device[*].volume_id`.
///
/// Before the first dot stands the type, after it the path as a difference prints it. A rule
/// covers what is at its path and all below. In the type and in names `*` is any text and `?` any
/// character; `[*]` and `.*` are any one step, be it a name or a number. Parts beside the
/// attributes have their reserved names: `*.(private)`, `*.(dependencies)`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rule {
    text: String,
    kind: Glob,
    field: Field,
    steps: Vec<Wanted>,
}

/// What a step of a path must be.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Wanted {
    Any,
    Key(Glob),
    Index(usize),
}

/// A rule that can't be read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no type or no path.
    #[error("a rule is a type, a dot and a path")]
    Incomplete,
    /// The path can't be read.
    #[error("{problem} in the path `{path}`")]
    Path {
        /// The path of the rule.
        path: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// There is no part of this reserved name.
    #[error("no part of an instance is called `{0}`")]
    Field(String),
}

impl Rule {
    /// Returns whether it is about resources of this type.
    pub(super) fn is_about(&self, kind: &str) -> bool {
        self.kind.matches(kind)
    }

    /// Returns whether it covers a change, of whatever type.
    pub(super) fn covers(&self, change: &Change) -> bool {
        let steps = change.path.steps();
        let mut pairs = self.steps.iter().zip(steps);
        self.field == change.field
            && self.steps.len() <= steps.len()
            && pairs.all(|(wanted, step)| wanted.matches(step))
    }
}

impl Wanted {
    fn of(step: &Step) -> Self {
        match step {
            Step::Key(key) if key == "*" => Self::Any,
            Step::Key(key) => Self::Key(Glob::new(key.as_str())),
            Step::Index(index) => Self::Index(*index),
        }
    }

    fn matches(&self, step: &Step) -> bool {
        match (self, step) {
            (Self::Any, _) => true,
            (Self::Key(glob), Step::Key(key)) => glob.matches(key),
            (Self::Index(wanted), Step::Index(index)) => wanted == index,
            (Self::Key(_), Step::Index(_)) | (Self::Index(_), Step::Key(_)) => false,
        }
    }
}

impl FromStr for Rule {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let (kind, path) = text.split_once('.').ok_or(Error::Incomplete)?;
        if kind.is_empty() || path.is_empty() {
            return Err(Error::Incomplete);
        }
        let (field, inner) = match path.find(')') {
            Some(end) if path.starts_with('(') => {
                let (name, inner) = path.split_at(end + 1);
                let field = Field::of_name(name).ok_or_else(|| Error::Field(name.to_owned()))?;
                (field, inner.strip_prefix('.').unwrap_or(inner))
            }
            _ => (Field::Attributes, path),
        };
        let parsed = Path::parse(&inner.replace("[*]", ".*"));
        let fail = |problem| Error::Path { path: path.to_owned(), problem };
        let steps = parsed.map_err(|error| fail(error.problem))?;
        let steps = steps.steps().iter().map(Wanted::of).collect();
        Ok(Self { text: text.to_owned(), kind: Glob::new(kind), field, steps })
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(rule: &str, kind: &str, (field, path): (Field, &str)) -> bool {
        let rule: Rule = rule.parse().unwrap();
        let path = Path::parse(path).unwrap();
        rule.is_about(kind) && rule.covers(&Change { path, ..Change::of(field, None, None) })
    }

    #[test]
    fn a_rule_covers_its_path_and_all_below() {
        for (rule, kind, path) in [
            ("aws_*.tags_all", "aws_vpc", "tags_all"),
            ("aws_*.tags_all", "aws_vpc", r#"tags_all["a.b"]"#),
            ("*.etag", "github_repository", "etag"),
            ("x.disk[*].id", "x", "disk[3].id"),
            ("x.disk.*.id", "x", "disk[3].id"),
            ("x.disk[0]", "x", "disk[0].id"),
            ("x.m.*", "x", "m.k"),
            ("x.*_at", "x", "seen_at"),
        ] {
            assert!(covers(rule, kind, (Field::Attributes, path)), "{rule} {path}");
        }
    }

    #[test]
    fn a_rule_covers_nothing_else() {
        for (rule, kind, path) in [
            ("aws_*.tags_all", "awscc_vpc", "tags_all"),
            ("aws_*.tags_all", "aws_vpc", "tags"),
            ("*.etag", "x", "source.etag"),
            ("x.disk[0]", "x", "disk[1]"),
            ("x.disk[*].id", "x", "disk"),
            ("x.disk.a*", "x", "disk[1]"),
            ("x.(tainted)", "x", "tainted"),
        ] {
            assert!(!covers(rule, kind, (Field::Attributes, path)), "{rule} {path}");
        }
        assert!(!covers("x.*", "x", (Field::Identity, "arn")));
    }

    #[test]
    fn parts_beside_the_attributes_have_their_reserved_names() {
        assert!(covers("*.(private)", "x", (Field::Private, "")));
        assert!(covers("*.(identity).arn", "x", (Field::Identity, "arn")));
        let dependency = r#"*.(dependencies)["aws_vpc.main"]"#;
        assert!(covers(dependency, "x", (Field::Dependencies, r#"["aws_vpc.main"]"#)));
    }

    #[test]
    fn a_rule_that_can_not_be_read_says_why() {
        for (text, said) in [
            ("etag", "a rule is a type, a dot and a path"),
            (".etag", "a rule is a type, a dot and a path"),
            ("aws_vpc.", "a rule is a type, a dot and a path"),
            ("x.(nothing)", "no part of an instance is called `(nothing)`"),
            ("x.a..b", "a `.` with no name after it in the path `a..b`"),
        ] {
            assert_eq!(text.parse::<Rule>().unwrap_err().to_string(), said, "{text}");
        }
        assert_eq!("*.etag".parse::<Rule>().unwrap().to_string(), "*.etag");
    }
}
