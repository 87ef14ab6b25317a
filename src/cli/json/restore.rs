//! `tfstate.restore/1`.

use serde::Serialize;

use super::diff::Summary;
use crate::diff::Comparison;

/// What a restore did.
#[derive(Debug, Serialize)]
pub(crate) struct Restore<'a> {
    pub(crate) schema: &'static str,
    /// The id of the snapshot, where it was one.
    pub(crate) snapshot: Option<&'a str>,
    /// What was restored, in words.
    pub(crate) from: &'a str,
    /// The place.
    pub(crate) to: &'a str,
    pub(crate) serial: Serials,
    /// A reference to the copy of what was there.
    pub(crate) kept: Option<String>,
    /// A reference to the copy of what was written.
    pub(crate) kept_after: Option<String>,
    pub(crate) written: bool,
    pub(crate) summary: Option<Summary>,
}

/// The serials of a place; nothing where no state is or was, or where it can't be read.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Serials {
    pub(crate) before: Option<u64>,
    pub(crate) after: Option<u64>,
}

impl<'a> Restore<'a> {
    /// Takes what was restored and where; nothing was written.
    pub(crate) fn new(from: &'a str, to: &'a str, comparison: Option<&Comparison>) -> Self {
        Self {
            schema: "tfstate.restore/1",
            snapshot: None,
            from,
            to,
            serial: Serials::default(),
            kept: None,
            kept_after: None,
            written: false,
            summary: comparison.map(Summary::of),
        }
    }
}
