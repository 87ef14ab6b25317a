//! What the browser wants done outside its model. Effects are data, so tests can look at them.

use crate::query::filter::Filter;

use super::reload::Keep;

/// One thing for the runtime to do.
#[derive(Debug)]
pub(crate) enum Effect {
    /// Leave.
    Quit,
    /// Hand the terminal back to the shell until it continues us.
    Suspend,
    /// Draw every cell again.
    Redraw,
    /// Load the document again, and find there what the user had.
    Load(Keep),
    /// Find the instances that match; supersedes every query of a lower generation.
    Query {
        /// Counts queries; results carry it, so that late ones are told apart.
        generation: u64,
        /// What to look for; `None` only ends what is running.
        filter: Option<Box<Filter>>,
    },
    /// Put text on the clipboard.
    Copy(String),
}
