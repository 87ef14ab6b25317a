//! Puts the resources that a filter selects back to what they were, and leaves every other byte of
//! the live state as it is.
//!
//! The unit is the instance. One is selected if the filter matches it as it is now or as it was, and
//! then it becomes what it was: another one, one that comes back, or none, if it did not exist then.
//! The element of a resource stays that of the live state where there is one. Outputs and the
//! results of checks match no filter, so they stay. The result is parsed again and held against both
//! states before anybody gets it.

mod check;
mod missing;
#[cfg(test)]
mod tests;
mod work;

pub use missing::{Missing, missing};

use crate::query::filter::Filter;
use crate::state::document::Document;
use crate::state::parse::Warning;
use crate::state::scan::SyntaxError;

/// Why resources can't be put back on their own.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Neither state has an instance that the filter matches.
    #[error("the filter selects nothing, neither there nor in the earlier version")]
    NothingSelected,
    /// A state is not of version 4, the only one that is edited.
    #[error("{state} has format version {version}, and only version 4 is edited")]
    Version {
        /// Which of the two.
        state: Side,
        /// Its version.
        version: u64,
    },
    /// A state has a field twice, and what is edited would not be what is read.
    #[error("{state} has the key `{key}` twice")]
    Twice {
        /// Which of the two.
        state: Side,
        /// The key.
        key: String,
    },
    /// A selected resource stands in several elements of a state, or has an instance twice.
    #[error("{address} stands in a state more than once")]
    Spread {
        /// Its address.
        address: String,
    },
    /// A resource would have instances of two provider configurations.
    #[error("{address} had another provider configuration than it has now")]
    Provider {
        /// Its address.
        address: String,
    },
    /// The edited text is not what it should be.
    #[error("the edited state does not say what it should")]
    Unsound,
}

impl From<SyntaxError> for Error {
    /// The texts were checked when they were opened, so one that can't be read was changed since.
    fn from(_: SyntaxError) -> Self {
        Self::Unsound
    }
}

/// One of the two states.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Side {
    /// The one that is there.
    Live,
    /// The one it was.
    Past,
}

impl std::fmt::Display for Side {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Live => "the live state",
            Self::Past => "the earlier version",
        })
    }
}

/// Returns the text of the live state with what the filter selects as it was in the past.
pub fn put_back(live: &Document, past: &Document, filter: &Filter) -> Result<Vec<u8>, Error> {
    usable(Side::Live, live)?;
    usable(Side::Past, past)?;
    let selects = |state: &Document| state.instances().any(|instance| filter.matches(instance));
    if !selects(live) && !selects(past) {
        return Err(Error::NothingSelected);
    }
    let bytes = work::edited((live, past), filter)?;
    let after = Document::parse(bytes).map_err(|_| Error::Unsound)?;
    if check::is_right((live, past), filter, &after) {
        Ok(after.bytes().to_vec())
    } else {
        Err(Error::Unsound)
    }
}

fn usable(side: Side, state: &Document) -> Result<(), Error> {
    if state.version() != 4 {
        return Err(Error::Version { state: side, version: state.version() });
    }
    let twice = state.warnings().iter().find_map(|warning| match warning {
        Warning::DuplicateKey { key, .. } => Some(key.clone()),
        _ => None,
    });
    twice.map_or(Ok(()), |key| Err(Error::Twice { state: side, key }))
}
