//! One attribute that differs, in words: where it is, and its values as text.

use super::entry::sign;
use super::lines::{self, Hunk};
use super::pieces::Text;
use crate::base::text::escape;
use crate::cli::hcl;
use crate::diff::{Action, Change, Quiet};
use crate::state::value::Value;

/// One attribute that differs.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// What became of the attribute.
    pub(super) action: Action,
    /// Where it is; empty for the value of an output.
    pub(super) path: String,
    pub(super) values: Values,
}

/// What stood there, and what stands there now.
#[derive(Clone, Debug)]
pub(super) enum Values {
    /// Two values on one line each; a side that has none is missing.
    Sides(Option<Text>, Option<Text>),
    /// A secret on either side: only that it changed is told.
    Secret,
    /// Strings of several lines.
    Lines(Vec<Hunk>),
}

impl Row {
    pub(super) fn of(change: &Change) -> Self {
        Self::at(&change.path_text(), change)
    }

    /// Tells a change under this path.
    pub(super) fn at(path: &str, change: &Change) -> Self {
        let action = match (&change.before, &change.after) {
            (None, _) => Action::Added,
            (_, None) => Action::Removed,
            _ => Action::Changed,
        };
        let path = format!("{}{}", escape(path), note(change.quiet));
        Self { action, path, values: Values::of(change.before.as_ref(), change.after.as_ref()) }
    }

    /// Returns text that two rows share only if they show the same.
    pub(super) fn key(&self) -> String {
        let mut key = self.line();
        if let Values::Lines(hunks) = &self.values {
            for hunk in hunks {
                key.push('\n');
                key.push_str(&hunk.plain());
            }
        }
        key
    }

    /// Returns the row as one line of plain text, values included where they fit on one.
    pub(super) fn line(&self) -> String {
        let gap = if self.path.is_empty() { "" } else { "  " };
        let values = match &self.values {
            Values::Secret => SECRET.to_owned(),
            Values::Sides(Some(before), Some(after)) => {
                format!("{} → {}", before.text(), after.text())
            }
            Values::Sides(Some(value), None) | Values::Sides(None, Some(value)) => value.text(),
            Values::Sides(None, None) | Values::Lines(_) => String::new(),
        };
        format!("{} {}{gap}{values}", sign(self.action), self.path).trim_end().to_owned()
    }
}

/// Returns what is said behind the path of a change that is told with noise only.
pub(super) fn note(quiet: Option<Quiet>) -> &'static str {
    match quiet {
        Some(Quiet::Formatting) => " (formatting only)",
        Some(Quiet::Role) => " (same role)",
        None => "",
    }
}

/// What stands in the place of a secret that is not the same as before.
pub(super) const SECRET: &str = "(sensitive value, changed)";

impl Values {
    pub(super) fn of(before: Option<&Value<'static>>, after: Option<&Value<'static>>) -> Self {
        match (before, after) {
            (Some(Value::Sensitive), Some(Value::Sensitive)) => Self::Secret,
            (Some(Value::String(before)), Some(Value::String(after)))
                if before.contains('\n') || after.contains('\n') =>
            {
                Self::Lines(lines::hunks(before, after))
            }
            (before, after) => Self::words(before.map(inline), after.map(inline)),
        }
    }

    /// Takes two texts on one line each.
    pub(super) fn words(before: Option<String>, after: Option<String>) -> Self {
        match (before, after) {
            (Some(before), Some(after)) => {
                let (before, after) = Text::sides(&before, &after);
                Self::Sides(Some(before), Some(after))
            }
            (before, after) => {
                let plain = |side: Option<String>| side.map(|text| Text::plain(&text));
                Self::Sides(plain(before), plain(after))
            }
        }
    }
}

/// Returns a value on one line; it is still to be escaped.
fn inline(value: &Value<'_>) -> String {
    match value {
        Value::Sensitive => hcl::MASK.to_owned(),
        other => other.to_json(),
    }
}
