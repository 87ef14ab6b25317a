//! Markdown for a comment on a pull request: counts, and one section to unfold for each difference.
//!
//! Text of a state stands in code blocks whose fence is longer than any run of backticks in them,
//! or in HTML with everything escaped: it can neither format, link nor mention anybody.

use std::fmt::Write as _;

use super::Report;
use super::entry::{self, Entry, Values};
use super::html::escape_html;
use crate::base::text::escape;
use crate::cli::output::{self, Output};
use crate::diff::Action;

/// The sections, in the order of what a reviewer wants to see first.
const SECTIONS: [(&str, Action); 4] = [
    ("Removed", Action::Removed),
    ("Changed", Action::Changed),
    ("Moved", Action::Moved),
    ("Added", Action::Added),
];

/// Writes the comment; of one that is longer than `most` bytes, as many whole sections as fit.
pub(crate) fn write(
    out: &mut Output,
    report: Report<'_>,
    most: Option<usize>,
) -> Result<(), output::Error> {
    out.bytes(text(report, most).as_bytes())
}

fn text(report: Report<'_>, most: Option<usize>) -> String {
    let entries = Entry::all(report.comparison);
    let blocks: Vec<(Action, String)> = SECTIONS
        .iter()
        .flat_map(|(_, action)| entries.iter().filter(move |entry| entry.action == *action))
        .map(|entry| (entry.action, block(entry)))
        .collect();
    let head = head(report);
    let whole = assemble(&head, &blocks);
    let Some(most) = most.filter(|&most| whole.len() > most) else { return whole };
    let left_out = |kept: usize| left_out(report, blocks.len() - kept, blocks.len());
    // Longer with every block, so the first that does not fit ends it.
    let size = |kept: usize| assemble(&head, &blocks[..kept]).len() + left_out(kept).len();
    let kept = most_that_fit(blocks.len(), |kept| size(kept) <= most);
    assemble(&head, &blocks[..kept]) + &left_out(kept)
}

/// Returns the largest number below `count` for which `fits` holds, or 0.
fn most_that_fit(count: usize, fits: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, count.max(1));
    while low + 1 < high {
        let middle = usize::midpoint(low, high);
        if fits(middle) { low = middle } else { high = middle }
    }
    low
}

fn head(report: Report<'_>) -> String {
    let (from, to) = (code(&escape(report.from)), code(&escape(report.to)));
    let summary = entry::summary(report.comparison);
    format!("### State changes\n\n{from} → {to}\n\n**{summary}**\n")
}

fn assemble(head: &str, blocks: &[(Action, String)]) -> String {
    let mut text = head.to_owned();
    let mut section = None;
    for (action, block) in blocks {
        if section != Some(*action) {
            let title = SECTIONS.iter().find(|(_, of)| of == action).map_or("", |(title, _)| title);
            write!(text, "\n#### {title}\n\n").expect("writing to a string does not fail");
            section = Some(*action);
        }
        text.push_str(block);
    }
    text
}

fn block(entry: &Entry) -> String {
    let sign = escape_html(entry.sign());
    let (name, note) = (escape_html(&entry.name), escape_html(&entry.note));
    if entry.rows.is_empty() {
        return format!("<p><code>{sign}</code> <code>{name}</code> {note}</p>\n\n");
    }
    let body = body(entry);
    let fence = "`".repeat(longest_run(&body).max(2) + 1);
    format!(
        "<details>\n<summary><code>{sign}</code> <code>{name}</code> {note}</summary>\n\n\
         {fence}diff\n{body}{fence}\n\n</details>\n\n"
    )
}

/// Returns the attributes as lines of a `diff` block, which shows `-` red and `+` green.
fn body(entry: &Entry) -> String {
    let mut lines = Vec::new();
    for row in &entry.rows {
        let path = if row.path.is_empty() { "value" } else { &row.path };
        match &row.values {
            Values::Secret => lines.push(format!("! {path} = {}", entry::SECRET)),
            Values::Sides(before, after) => {
                lines.extend(before.as_ref().map(|value| format!("- {path} = {value}")));
                lines.extend(after.as_ref().map(|value| format!("+ {path} = {value}")));
            }
            Values::Lines(hunks) => {
                lines.push(format!("@@ {path} @@"));
                lines.extend(hunks.iter().map(super::lines::Hunk::plain));
            }
        }
    }
    lines.join("\n") + "\n"
}

fn left_out(report: Report<'_>, count: usize, all: usize) -> String {
    let quote = |name: &str| format!("'{}'", escape(name).replace('\'', r"'\''"));
    let command = format!("tfstate diff {} {}", quote(report.from), quote(report.to));
    format!("\n**{count} of {all} left out** to keep this short. To see all: {}\n", code(&command))
}

/// Returns text as code within a line.
fn code(text: &str) -> String {
    let ticks = "`".repeat(longest_run(text) + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{ticks}{pad}{text}{pad}{ticks}")
}

/// Returns the length of the longest run of backticks.
fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backticks_can_not_end_the_code_they_stand_in() {
        assert_eq!(code("a``b"), "```a``b```");
        assert_eq!(code("`"), "`` ` ``");
    }

    #[test]
    fn the_most_that_fit_are_found() {
        for limit in 0..9 {
            assert_eq!(most_that_fit(10, |kept| kept <= limit), limit, "{limit}");
        }
        assert_eq!(most_that_fit(0, |_| true), 0);
    }
}
