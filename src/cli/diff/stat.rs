//! One line for each type of resource: how many came, went, changed and moved, with a bar.

use std::collections::BTreeMap;

use unicode_width::UnicodeWidthStr as _;

use super::Report;
use super::{entry, summary, text};
use crate::base::text::escape;
use crate::base::theme::Meaning;
use crate::cli::output::{self, Output};
use crate::diff::Action;

/// The widest bar where nobody says how wide the terminal is, as git has it.
const WIDTH: usize = 80;
const ACTIONS: [Action; 4] = [Action::Added, Action::Removed, Action::Changed, Action::Moved];

/// Counts in the order of [`ACTIONS`].
type Counts = [usize; ACTIONS.len()];

/// Writes the counts, and the last line of the whole text.
pub(crate) fn write(out: &mut Output, report: Report<'_>) -> Result<(), output::Error> {
    let rows = rows(report);
    let names = rows.iter().map(|(name, _)| name.width()).max().unwrap_or(0);
    let most = rows.iter().map(|(_, counts)| counts.iter().sum()).max().unwrap_or(0);
    let digits = most.to_string().len();
    let width = out.width().map_or(WIDTH, usize::from);
    let room = width.saturating_sub(names + digits + 5).max(8);
    for (name, counts) in rows {
        let total: usize = counts.iter().sum();
        let pad = " ".repeat(names - name.width());
        let bar = bar(out, counts, (most, room));
        out.line(&format!(
            " {}{pad} | {total:>digits$} {bar}",
            out.paint(Meaning::Address, &name)
        ))?;
    }
    text::write_summary(out, &summary::of(report.comparison))
}

fn rows(report: Report<'_>) -> Vec<(String, Counts)> {
    let mut rows: BTreeMap<String, Counts> = BTreeMap::new();
    for change in &report.comparison.resources {
        add(rows.entry(escape(&change.kind).into_owned()).or_default(), change.action);
    }
    let mut rows: Vec<_> = rows.into_iter().collect();
    let mut outputs = Counts::default();
    for change in &report.comparison.outputs {
        add(&mut outputs, change.action);
    }
    if outputs != Counts::default() {
        rows.push(("(outputs)".to_owned(), outputs));
    }
    rows
}

fn add(counts: &mut Counts, action: Action) {
    for (count, of) in counts.iter_mut().zip(ACTIONS) {
        *count += usize::from(of == action);
    }
}

/// Returns a sign for each change, or for several where not all fit; each kind that is there has
/// one at least.
fn bar(out: &Output, counts: Counts, (most, room): (usize, usize)) -> String {
    let scaled = |count: usize| match count {
        0 => 0,
        _ if most <= room => count,
        _ => (count * room / most).max(1),
    };
    let part = |(count, action): (usize, Action)| {
        out.paint(entry::meaning(action), &entry::sign(action).repeat(scaled(count)))
    };
    let parts = counts.into_iter().zip(ACTIONS).filter(|(count, _)| *count > 0);
    parts.map(part).collect()
}
