//! Annotations of a GitHub workflow: one command a line, which shows at the run and on the pull
//! request. What is removed or replaced is a warning, everything else a notice.
//!
//! Of each kind GitHub shows ten a step and drops the others silently. So the counts come first,
//! what matters most comes next, and what would be dropped is printed to the log of the step and
//! counted.

use super::entry::Entry;
use super::row::Values;
use super::{Report, summary};
use crate::cli::output::{self, Output};
use crate::diff::Action;

/// GitHub shows this many annotations of a kind for a step.
const MOST: usize = 10;
/// An annotation tells this many lines of attributes; a line has this many characters at most.
/// GitHub cuts long ones anyway.
const MOST_LINES: usize = 10;
const MOST_CHARS: usize = 200;

/// Writes the counts, a command for each difference that GitHub will show, and the others.
pub(crate) fn write(out: &mut Output, report: Report<'_>) -> Result<(), output::Error> {
    let (warnings, mut others): (Vec<Entry>, Vec<Entry>) =
        report.entries().into_iter().partition(warns);
    // Stable, so that entries stay in order otherwise.
    others.sort_by_key(|entry| entry.action == Action::Added);
    let (shown, rest) = warnings.split_at(warnings.len().min(MOST));
    // One notice is taken by the counts.
    let (noticed, unnoticed) = others.split_at(others.len().min(MOST - 1));
    let left_out = rest.len() + unnoticed.len();

    let mut counts = summary::line(report.comparison);
    if left_out > 0 {
        let all = warnings.len() + others.len();
        counts = format!("{counts}\n{left_out} of {all} entries are in the log of this step only");
    }
    out.line(&format!("::notice title=tfstate diff::{}", message(&counts)))?;
    for entry in shown.iter().chain(noticed) {
        out.line(&annotation(entry))?;
    }
    if left_out > 0 {
        out.line(&format!("::group::{left_out} more differences"))?;
        for entry in rest.iter().chain(unnoticed) {
            for line in head(entry).into_iter().chain(attributes(entry)) {
                out.line(&log(&line))?;
            }
        }
        out.line("::endgroup::")?;
    }
    Ok(())
}

fn warns(entry: &Entry) -> bool {
    entry.action == Action::Removed || entry.replaced
}

fn annotation(entry: &Entry) -> String {
    let level = if warns(entry) { "warning" } else { "notice" };
    let (head, attributes) = (head(entry), attributes(entry));
    let shown = head.iter().chain(attributes.iter().take(MOST_LINES));
    let mut lines: Vec<String> = shown.map(|line| shorten(line)).collect();
    if attributes.len() > MOST_LINES {
        lines.push(format!("  … and {} more lines", attributes.len() - MOST_LINES));
    }
    let title = property(&entry.name);
    format!("::{level} title={title}::{}", message(&lines.join("\n")))
}

/// Returns what became of an entry, and whom it tells of.
fn head(entry: &Entry) -> Vec<String> {
    let mut lines = vec![format!("{} {}: {}", entry.sign(), entry.name, entry.note())];
    for names in entry.members.iter().flat_map(|members| &members.short) {
        lines.push(format!("  {}", names.join(", ")));
    }
    lines
}

fn attributes(entry: &Entry) -> Vec<String> {
    let mut lines = Vec::new();
    for row in &entry.rows {
        lines.push(format!("  {}", row.line()));
        if let Values::Lines(hunks) = &row.values {
            lines.extend(hunks.iter().map(|hunk| format!("      {}", hunk.plain())));
        }
    }
    lines
}

fn shorten(line: &str) -> String {
    match line.char_indices().nth(MOST_CHARS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

/// Escapes the text of a command.
fn message(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes the value of a property, which a colon or a comma would end.
fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}

/// Makes a line that no runner takes for a command: it begins with none, and of the older kind,
/// which is looked for anywhere in a line, it holds none.
fn log(line: &str) -> String {
    line.replace("##[", "#\\u{23}[")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_end_a_command_is_escaped() {
        assert_eq!(message("100%\n::error::x"), "100%25%0A::error::x");
        assert_eq!(property("a[\"x,y::z\"]"), "a[\"x%2Cy%3A%3Az\"]");
    }

    #[test]
    fn a_line_of_the_log_holds_no_command() {
        assert_eq!(log("~ x  ##[error]y"), r"~ x  #\u{23}[error]y");
    }
}
