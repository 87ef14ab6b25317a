//! One difference: where it is, and what stood there before and after.

use std::fmt;

use crate::state::path::{Path, Step};
use crate::state::value::Value;

/// The part of an instance in which something changed.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Field {
    /// An attribute.
    Attributes,
    /// Whether it is marked to be replaced.
    Tainted,
    /// The provider configuration.
    Provider,
    /// The version of the provider's schema.
    SchemaVersion,
    /// A dependency; each one that came or went is a change of its own.
    Dependencies,
    /// A path of the state's own list of secrets; each one that came or went is a change.
    SensitiveAttributes,
    /// Whether it was made to be replaced before it is destroyed.
    CreateBeforeDestroy,
    /// OpenTofu: whether it is to be forgotten rather than destroyed.
    SkipDestroy,
    /// The resource identity.
    Identity,
    /// The version of the identity's schema.
    IdentitySchemaVersion,
    /// The provider's opaque data, never shown.
    Private,
    /// A field that Terraform does not know.
    Other,
}

impl Field {
    /// Every part, in the order in which they are told.
    const ALL: [Self; 12] = [
        Self::Attributes,
        Self::Tainted,
        Self::Provider,
        Self::SchemaVersion,
        Self::Dependencies,
        Self::SensitiveAttributes,
        Self::CreateBeforeDestroy,
        Self::SkipDestroy,
        Self::Identity,
        Self::IdentitySchemaVersion,
        Self::Private,
        Self::Other,
    ];

    /// Returns the part of a reserved name.
    pub(super) fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name() == name)
    }

    /// Returns the reserved name. No attribute prints like it: its parentheses would be quoted.
    pub fn name(self) -> &'static str {
        match self {
            Self::Attributes => "(attributes)",
            Self::Tainted => "(tainted)",
            Self::Provider => "(provider)",
            Self::SchemaVersion => "(schema_version)",
            Self::Dependencies => "(dependencies)",
            Self::SensitiveAttributes => "(sensitive_attributes)",
            Self::CreateBeforeDestroy => "(create_before_destroy)",
            Self::SkipDestroy => "(skip_destroy)",
            Self::Identity => "(identity)",
            Self::IdentitySchemaVersion => "(identity_schema_version)",
            Self::Private => "(private)",
            Self::Other => "(other)",
        }
    }
}

/// One difference between two instances.
///
/// A side that is `None` has nothing there: with `before` missing it was added. A secret on either
/// side is [`Value::Sensitive`] on both, so that only the fact of the change is told.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Change {
    /// The part of the instance.
    pub field: Field,
    /// The path inside that part.
    ///
    /// An element that is gone counts in the old list, any other in the new one. Inside a string
    /// that holds a JSON or YAML document the path goes on into the document.
    pub path: Path,
    /// What stood there before.
    pub before: Option<Value<'static>>,
    /// What stands there now.
    pub after: Option<Value<'static>>,
    /// Why it is told only where noise is told too; `None` for what is always told.
    pub quiet: Option<Quiet>,
}

/// Why a difference is none to most people. It is counted, and told where noise is.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Quiet {
    /// Two strings hold the same document in another layout, or with other comments.
    Formatting,
    /// The two sides play the same role, each in its environment.
    Role,
}

impl Quiet {
    /// Returns its name in JSON: `formatting`, `role`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Formatting => "formatting",
            Self::Role => "role",
        }
    }
}

impl Change {
    /// Makes a change of a whole field.
    pub(super) fn of(field: Field, before: Option<Value<'_>>, after: Option<Value<'_>>) -> Self {
        let (before, after) = (before.map(Value::into_owned), after.map(Value::into_owned));
        Self { field, path: Path::root(), before, after, quiet: None }
    }

    /// Makes a change of one element of a field that is a set.
    pub(super) fn of_element(field: Field, element: &str, came: bool) -> Self {
        let value = || Some(Value::String(element.to_owned().into()));
        let (before, after) = if came { (None, value()) } else { (value(), None) };
        let path = Path::from_iter([Step::Key(element.to_owned())]);
        Self { field, path, before, after, quiet: None }
    }

    /// Returns where it is, as printed: `tags.env`, `ingress[0].to_port`, `(tainted)`,
    /// `(dependencies)["aws_vpc.main"]`.
    pub fn path_text(&self) -> String {
        Location(self).to_string()
    }
}

struct Location<'a>(&'a Change);

impl fmt::Display for Location<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Change { field, path, .. } = self.0;
        if *field == Field::Attributes && !path.is_root() {
            return path.fmt(f);
        }
        f.write_str(field.name())?;
        let inner = path.to_string();
        let dot = if inner.is_empty() || inner.starts_with('[') { "" } else { "." };
        write!(f, "{dot}{inner}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(field: Field, path: &str) -> String {
        let path = Path::parse(path).unwrap();
        Change { path, ..Change::of(field, None, None) }.path_text()
    }

    #[test]
    fn reserved_names_can_not_be_taken_for_attributes() {
        assert_eq!(text(Field::Attributes, "tags.env"), "tags.env");
        assert_eq!(text(Field::Attributes, r#"["(tainted)"]"#), r#"["(tainted)"]"#);
        assert_eq!(text(Field::Attributes, ""), "(attributes)");
        assert_eq!(text(Field::Tainted, ""), "(tainted)");
        assert_eq!(text(Field::Identity, "arn"), "(identity).arn");
        let came = Change::of_element(Field::Dependencies, "aws_vpc.main", true);
        assert_eq!(came.path_text(), r#"(dependencies)["aws_vpc.main"]"#);
    }
}
