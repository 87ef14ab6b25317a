//! What can't be merged, told without values.

use super::three::{Choice, Side, Three};
use crate::diff;
use crate::state::document::Instance;

/// A place where both sides changed what can't be had together.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Conflict {
    /// What it is about: an address, `output.NAME`, a check, a field of the state.
    pub subject: String,
    /// What both sides did.
    pub clash: Clash,
}

/// What two sides did that can't be had together.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Clash {
    /// Both changed it; with the paths, where there are such.
    Changed {
        /// What our side changed.
        ours: Vec<String>,
        /// What their side changed.
        theirs: Vec<String>,
    },
    /// Both added it, and these paths differ.
    Added(Vec<String>),
    /// One side removed it, the other changed it.
    Removed {
        /// Who removed it.
        by: Side,
        /// Where it is now, if it moved.
        moved_to: Option<String>,
        /// What the other side changed.
        changed: Vec<String>,
    },
    /// Both moved it, to different places.
    Moved {
        /// Where our side has it.
        ours: String,
        /// Where their side has it.
        theirs: String,
    },
    /// One side moved it, the other removed it.
    MovedAndRemoved {
        /// Who moved it.
        by: Side,
        /// Where it is now.
        to: String,
    },
    /// One side has another provider for the resource, the other changed or added instances of it.
    Provider {
        /// Who has another provider.
        by: Side,
    },
    /// One side gave the resource keys of another kind, the other added an instance.
    Keys,
    /// One side changed or added it, and what it depends on the other removed.
    Dependency {
        /// Who changed it.
        by: Side,
        /// What is gone.
        on: String,
    },
    /// It is the same object as another that the other side added.
    SameObject {
        /// The other address.
        other: String,
    },
    /// The resource stands in several blocks of one state.
    Blocks,
}

impl Conflict {
    /// Tells what became of an instance that both sides changed.
    pub(super) fn of_instance(three: Three<Instance<'_>>) -> Option<Self> {
        if three.choose(diff::is_same_instance) != Choice::Clash {
            return None;
        }
        let (Some(instance), base) = (three.ours.or(three.theirs), three.base) else { return None };
        let changed = |side: Instance<'_>| {
            base.map(|base| diff::differing_paths(base, side)).unwrap_or_default()
        };
        let clash = match (three.base, three.ours, three.theirs) {
            (Some(_), Some(ours), Some(theirs)) => {
                Clash::Changed { ours: changed(ours), theirs: changed(theirs) }
            }
            (None, Some(ours), Some(theirs)) => Clash::Added(diff::differing_paths(ours, theirs)),
            (_, None, _) => {
                Clash::Removed { by: Side::Ours, moved_to: None, changed: changed(instance) }
            }
            (_, Some(ours), None) => {
                Clash::Removed { by: Side::Theirs, moved_to: None, changed: changed(ours) }
            }
        };
        Some(Self { subject: name(instance), clash })
    }

    /// Tells what became of something that has no paths.
    pub(super) fn of_whole<T>(subject: String, three: &Three<T>) -> Self {
        let removed = |by| Clash::Removed { by, moved_to: None, changed: Vec::new() };
        let clash = match (&three.base, &three.ours, &three.theirs) {
            (_, None, _) => removed(Side::Ours),
            (_, _, None) => removed(Side::Theirs),
            (None, Some(_), Some(_)) => Clash::Added(Vec::new()),
            (Some(_), Some(_), Some(_)) => Clash::Changed { ours: Vec::new(), theirs: Vec::new() },
        };
        Self { subject, clash }
    }
}

/// Returns the address, with the key of a deposed object.
pub(super) fn name(instance: Instance<'_>) -> String {
    let address = instance.address_text();
    match instance.deposed() {
        Some(key) => format!("{address} (deposed {key})"),
        None => address,
    }
}
