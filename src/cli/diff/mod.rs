//! A comparison for review: on a terminal, on a pull request, in a browser, in a CI log.
//!
//! `entry` puts every difference into words that are safe to show; a format only lays them out and
//! escapes what its own language would act on. Secrets were masked before they got here.

pub(crate) mod brief;
mod entry;
mod fold;
pub(crate) mod gate;
pub(crate) mod github;
pub(crate) mod heads;
pub(crate) mod html;
mod lines;
pub(crate) mod markdown;
mod pieces;
pub(crate) mod print;
mod row;
pub(crate) mod rules;
mod side_by_side;
pub(crate) mod stat;
mod summary;
pub(crate) mod text;
pub(crate) mod three;
mod whole;
pub(crate) mod wrap;

use entry::Entry;
use wrap::Detail;

use crate::diff::Comparison;
use crate::state::document::Document;

/// What is shown: a comparison, and what its two sides are called.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Report<'a> {
    /// What differs.
    pub(crate) comparison: &'a Comparison,
    /// The name of the old state.
    pub(crate) from: &'a str,
    /// The name of the new state.
    pub(crate) to: &'a str,
    /// Both states.
    pub(crate) states: (&'a Document, &'a Document),
    /// Whether what is the same is told once, and long values in short.
    pub(crate) detail: Detail,
}

impl Report<'_> {
    /// Returns everything that differs, what is the same told once unless all is wanted.
    fn entries(&self) -> Vec<Entry> {
        let entries = Entry::all(self.comparison);
        match self.detail {
            Detail::Short => fold::fold(entries, self.states),
            Detail::Whole => entries,
        }
    }
}

/// How a change is laid out on a terminal.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Layout {
    /// Before and after below each other, or with an arrow between.
    Unified,
    /// Before on the left, after on the right.
    SideBySide,
}

impl Layout {
    /// From this many columns on there is room for two sides.
    const WIDE: u16 = 140;

    /// Returns the layout for a terminal of this width.
    pub(crate) fn of(width: Option<u16>) -> Self {
        if width.is_some_and(|width| width >= Self::WIDE) {
            Self::SideBySide
        } else {
            Self::Unified
        }
    }
}
