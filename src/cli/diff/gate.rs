//! Changes that a pipeline refuses.

use super::entry::is_replaced;
use crate::base::text::escape;
use crate::diff::{Action, Change, Comparison, OutputChange, ResourceChange};
use crate::state::address::Mode;
use crate::state::value::Value;

/// A kind of change that can be refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub(crate) enum Gate {
    /// A managed resource instance is gone.
    Delete,
    /// Another object is at the same address: its id is not what it was.
    Replace,
    /// An instance is at another address.
    Move,
    /// A sensitive value changed.
    Sensitive,
}

impl Gate {
    /// Returns what is refused, one sentence for each.
    ///
    /// The comparison must be a masked one: what was revealed is not known to be sensitive.
    pub(crate) fn refused(self, comparison: &Comparison) -> Vec<String> {
        let resources = comparison.resources.iter();
        let resources = resources.filter(|change| self.refuses(change));
        let mut refused: Vec<String> = resources
            .map(|change| format!("{} {}", escape(&change.address), self.what()))
            .collect();
        if self == Self::Sensitive {
            let outputs = comparison.outputs.iter().filter(|change| holds_secret(change));
            refused.extend(outputs.map(|o| format!("output.{} {}", escape(&o.name), self.what())));
        }
        refused
    }

    fn refuses(self, change: &ResourceChange) -> bool {
        match self {
            Self::Delete => change.action == Action::Removed && change.mode == Mode::Managed,
            Self::Replace => is_replaced(change),
            Self::Move => change.action == Action::Moved,
            Self::Sensitive => change.changes.iter().any(is_secret),
        }
    }

    fn what(self) -> &'static str {
        match self {
            Self::Delete => "is deleted, which --fail-on delete refuses",
            Self::Replace => "is replaced, which --fail-on replace refuses",
            Self::Move => "is moved, which --fail-on move refuses",
            Self::Sensitive => "has a sensitive change, which --fail-on sensitive refuses",
        }
    }
}

fn is_secret(change: &Change) -> bool {
    [&change.before, &change.after].into_iter().flatten().any(has_mask)
}

/// Returns whether a secret is in what differs, not only in what is the same beside it.
fn holds_secret(change: &OutputChange) -> bool {
    if !change.changes.is_empty() {
        return change.changes.iter().any(is_secret);
    }
    [&change.before, &change.after].into_iter().flatten().any(has_mask)
}

fn has_mask(value: &Value<'static>) -> bool {
    match value {
        Value::Sensitive => true,
        Value::Array(items) => items.iter().any(has_mask),
        Value::Object(members) => members.iter().any(|(_, value)| has_mask(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}
