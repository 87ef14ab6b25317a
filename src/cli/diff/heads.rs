//! A comparison in short, for whoever is to agree to it: one line for each resource, up to a number
//! of lines, and the last line.

use super::entry::{self, Entry};
use super::{summary, text};
use crate::base::theme::Meaning;
use crate::cli::output::{self, Output};
use crate::diff::Comparison;

/// Writes the first line of what differs, of so many entries at the most, and the last line.
pub(crate) fn write(
    out: &mut Output,
    comparison: &Comparison,
    most: usize,
) -> Result<(), output::Error> {
    let entries = Entry::all(comparison);
    // One line too many takes no more room than to say so.
    let most = if entries.len() == most + 1 { entries.len() } else { most };
    for entry in entries.iter().take(most) {
        text::write_head(out, entry)?;
    }
    if let Some(more) = entries.len().checked_sub(most).filter(|more| *more > 0) {
        let more = format!("… and {} more", entry::counted_entries(more));
        out.line(&out.paint(Meaning::Muted, &more))?;
    }
    text::write_summary(out, &summary::of(comparison))
}
