//! Markdown for a comment on a pull request: counts, and one section to unfold for each difference.
//!
//! Text of a state stands in code blocks whose fence is longer than any run of backticks in them,
//! or in HTML with everything escaped: it can neither format, link nor mention anybody.

use std::fmt::Write as _;

use super::entry::{self, Entry};
use super::html::escape_html;
use super::lines::Hunk;
use super::pieces::Text;
use super::row::{SECRET, Values};
use super::{Report, summary, text, wrap};
use crate::base::text::escape;
use crate::cli::output::{self, Output};
use crate::diff::Action;

/// The sections, in the order of what a reviewer wants to see first.
const SECTIONS: [&str; 5] = ["Removed", "Replaced", "Changed", "Moved", "Added"];

/// Names of instances are put into lines of this many columns.
const WIDTH: usize = 100;
/// What the titles take, and what the last paragraph may be longer than the longest there is with
/// nothing told.
const BESIDES: usize = 128;

/// Writes the comment; of one that is longer than `most` bytes, as much as fits.
pub(crate) fn write(
    out: &mut Output,
    report: Report<'_>,
    most: Option<usize>,
) -> Result<(), output::Error> {
    out.bytes(comment(report, most).as_bytes())
}

/// One entry, in the two ways in which it can be told.
struct Block {
    /// Its section's place among [`SECTIONS`].
    section: usize,
    /// With its attributes.
    whole: String,
    /// Without them.
    short: String,
}

/// How an entry is told in a comment that must be short.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Told {
    Whole,
    Short,
    Not,
}

fn comment(report: Report<'_>, most: Option<usize>) -> String {
    let entries = report.entries();
    let mut blocks: Vec<Block> = entries.iter().map(Block::of).collect();
    blocks.sort_by_key(|block| block.section);
    let head = head(report);
    let mut told = vec![Told::Whole; blocks.len()];
    let whole = assemble(&head, &blocks, &told);
    let Some(most) = most.filter(|&most| whole.len() > most) else { return whole };
    let note = left_out(report, &blocks, &vec![Told::Not; blocks.len()]).len();
    choose(&blocks, &mut told, most.saturating_sub(head.len() + note + BESIDES));
    assemble(&head, &blocks, &told) + &left_out(report, &blocks, &told)
}

/// Chooses how each entry is told within so many bytes: as many as fit by name, in order, and of
/// those as many as fit with their attributes.
fn choose(blocks: &[Block], told: &mut [Told], room: usize) {
    let mut left = room;
    let mut full = false;
    for (block, told) in blocks.iter().zip(&mut *told) {
        full |= block.short.len() > left;
        *told = if full { Told::Not } else { Told::Short };
        left -= if full { 0 } else { block.short.len() };
    }
    for (block, told) in blocks.iter().zip(told).filter(|(_, told)| **told == Told::Short) {
        let more = block.whole.len().saturating_sub(block.short.len());
        if more <= left {
            *told = Told::Whole;
            left -= more;
        }
    }
}

fn head(report: Report<'_>) -> String {
    let (from, to) = (code(&escape(report.from)), code(&escape(report.to)));
    let summary = summary::line(report.comparison);
    format!("### State changes\n\n{from} → {to}\n\n**{summary}**\n")
}

fn assemble(head: &str, blocks: &[Block], told: &[Told]) -> String {
    let mut text = head.to_owned();
    let mut section = None;
    for (block, told) in blocks.iter().zip(told).filter(|(_, told)| **told != Told::Not) {
        if section != Some(block.section) {
            let title = SECTIONS[block.section];
            write!(text, "\n#### {title}\n\n").expect("writing to a string does not fail");
            section = Some(block.section);
        }
        text.push_str(if *told == Told::Whole { &block.whole } else { &block.short });
    }
    text
}

impl Block {
    fn of(entry: &Entry) -> Self {
        let head = head_of(entry);
        let short = format!("<p>{head}</p>\n\n");
        let whole = match body(entry) {
            None => short.clone(),
            Some(body) => {
                let fence = "`".repeat(longest_run(&body).max(2) + 1);
                format!(
                    "<details>\n<summary>{head}</summary>\n\n\
                     {fence}diff\n{body}{fence}\n\n</details>\n\n"
                )
            }
        };
        let section = match entry.action {
            Action::Removed => 0,
            _ if entry.replaced => 1,
            Action::Changed => 2,
            Action::Moved => 3,
            Action::Added => 4,
        };
        Self { section, whole, short }
    }
}

/// Returns the line that is seen of a folded section. Names are code, so that they mention nobody.
fn head_of(entry: &Entry) -> String {
    let (sign, name) = (escape_html(entry.sign()), escape_html(&entry.name));
    let from = entry.moved_from.as_ref();
    let from = from.map_or_else(String::new, |from| format!(" <code>{}</code>", escape_html(from)));
    format!("<code>{sign}</code> <code>{name}</code> {}{from}", escape_html(&entry.note))
}

/// Returns the attributes as lines of a `diff` block, which shows `-` red and `+` green; none where
/// there is nothing to unfold.
fn body(entry: &Entry) -> Option<String> {
    let mut lines = Vec::new();
    for names in entry.members.iter().flat_map(|members| &members.short) {
        lines.extend(wrap::list(names, WIDTH, usize::MAX).iter().map(|line| format!("# {line}")));
    }
    for row in &entry.rows {
        let path = text::path(row);
        match &row.values {
            Values::Secret => lines.push(format!("! {path} = {SECRET}")),
            Values::Sides(before, after) => {
                let line = |sign, value: &Text| format!("{sign} {path} = {}", value.text());
                lines.extend(before.as_ref().map(|value| line("-", value)));
                lines.extend(after.as_ref().map(|value| line("+", value)));
            }
            Values::Lines(hunks) => {
                lines.push(format!("@@ {path} @@"));
                lines.extend(hunks.iter().map(Hunk::plain));
            }
        }
    }
    (!lines.is_empty()).then(|| lines.join("\n") + "\n")
}

/// Says what is not told, and how to see it.
fn left_out(report: Report<'_>, blocks: &[Block], told: &[Told]) -> String {
    let told = || blocks.iter().zip(told);
    let missing: Vec<usize> =
        told().filter(|(_, told)| **told == Told::Not).map(|(block, _)| block.section).collect();
    let is_short =
        |(block, told): &(&Block, &Told)| **told == Told::Short && block.whole != block.short;
    let short = told().filter(is_short).count();
    let mut parts = Vec::new();
    if !missing.is_empty() {
        let kinds = SECTIONS.iter().enumerate().map(|(at, title)| {
            (missing.iter().filter(|section| **section == at).count(), title.to_lowercase())
        });
        let kinds = kinds.filter(|(count, _)| *count > 0);
        let kinds: Vec<String> = kinds.map(|(count, kind)| format!("{count} {kind}")).collect();
        let (count, kinds) = (missing.len(), kinds.join(", "));
        parts.push(format!("**{count} of {} entries** ({kinds})", blocks.len()));
    }
    if short > 0 {
        parts.push(format!("**the attributes of {}**", entry::counted_entries(short)));
    }
    let quote = |name: &str| format!("'{}'", escape(name).replace('\'', r"'\''"));
    let command = format!("tfstate diff {} {}", quote(report.from), quote(report.to));
    let parts = parts.join(", ");
    format!("\nLeft out to keep this short: {parts}. To see all: {}\n", code(&command))
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
    fn names_come_before_attributes_and_a_large_entry_hides_no_small_one() {
        let block =
            |whole: usize| Block { section: 0, whole: "w".repeat(whole), short: "s".repeat(10) };
        let blocks = [block(1000), block(20), block(20)];
        let chosen = |room| {
            let mut told = [Told::Whole; 3];
            choose(&blocks, &mut told, room);
            told.map(|told| ["whole", "short", "not"][told as usize])
        };
        assert_eq!(chosen(2000), ["whole", "whole", "whole"]);
        assert_eq!(chosen(50), ["short", "whole", "whole"]);
        assert_eq!(chosen(40), ["short", "whole", "short"]);
        assert_eq!(chosen(29), ["short", "short", "not"]);
        assert_eq!(chosen(0), ["not", "not", "not"]);
    }
}
