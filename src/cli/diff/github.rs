//! Annotations of a GitHub workflow: one command a line, which shows at the run and on the pull
//! request. What is removed or replaced is a warning, everything else a notice.

use super::Report;
use super::entry::{self, Entry, Row};
use crate::cli::output::{self, Output};
use crate::diff::Action;

/// An annotation tells this many attributes; GitHub cuts long ones anyway.
const MOST_ROWS: usize = 10;

/// Writes one command for each difference, and one for the counts.
pub(crate) fn write(out: &mut Output, report: Report<'_>) -> Result<(), output::Error> {
    for entry in Entry::all(report.comparison) {
        out.line(&annotation(&entry))?;
    }
    let summary = message(&entry::summary(report.comparison));
    out.line(&format!("::notice title=tfstate diff::{summary}"))
}

fn annotation(entry: &Entry) -> String {
    let warns = entry.action == Action::Removed || entry.replaced;
    let level = if warns { "warning" } else { "notice" };
    let mut lines = vec![format!("{} {}: {}", entry.sign(), entry.name, entry.note)];
    lines.extend(entry.rows.iter().take(MOST_ROWS).map(Row::line));
    if let Some(more) = entry.rows.len().checked_sub(MOST_ROWS + 1) {
        lines.push(format!("… and {} more", more + 1));
    }
    let title = property(&entry.name);
    format!("::{level} title={title}::{}", message(&lines.join("\n")))
}

/// Escapes the text of a command.
fn message(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes the value of a property, which a colon or a comma would end.
fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_end_a_command_is_escaped() {
        assert_eq!(message("100%\n::error::x"), "100%25%0A::error::x");
        assert_eq!(property("a[\"x,y::z\"]"), "a[\"x%2Cy%3A%3Az\"]");
    }
}
