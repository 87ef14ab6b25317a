//! What is wrong with a filter, and where.

use std::ops::Range;

use crate::base::text;

/// A filter that can't be read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{problem}")]
pub struct Error {
    /// The bytes of the filter that are wrong; empty at its end where something is missing.
    pub at: Range<usize>,
    /// What is wrong.
    pub problem: String,
    /// What to write instead.
    pub hint: Option<String>,
}

impl Error {
    pub(super) fn new(at: Range<usize>, problem: impl Into<String>) -> Self {
        Self { at, problem: problem.into(), hint: None }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Returns two lines: the filter, made safe to show, and carets below what is wrong.
    ///
    /// `filter` is the text that was parsed.
    pub fn caret(&self, filter: &str) -> String {
        text::caret(filter, self.at.clone())
    }
}
