//! One page that stands alone: no network, no file beside it, and without scripts it only lacks
//! the search. Every text of a state is escaped, and the page's own policy forbids the rest.

use std::fmt::Write as _;

use super::Report;
use super::entry::{self, Entry, Row, Values};
use super::lines::{self, Hunk};
use crate::base::text::escape;
use crate::cli::output::{self, Output};
use crate::diff::Tag;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Writes the page.
pub(crate) fn write(out: &mut Output, report: Report<'_>) -> Result<(), output::Error> {
    out.bytes(page(report).as_bytes())
}

fn page(report: Report<'_>) -> String {
    let (from, to) = (escape_html(&escape(report.from)), escape_html(&escape(report.to)));
    let summary = escape_html(&entry::summary(report.comparison));
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
         style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>{from} → {to}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <header>\n<h1>State changes</h1>\n<p><code>{from}</code> → <code>{to}</code></p>\n\
         <p class=\"summary\">{summary}</p>\n{TOOLS}</header>\n<main>\n"
    );
    let entries = Entry::all(report.comparison);
    for group in entries.chunk_by(|one, other| one.module == other.module) {
        push_module(&mut page, group);
    }
    if entries.is_empty() {
        page.push_str("<p>Nothing differs.</p>\n");
    }
    write!(page, "</main>\n<script>\n{SCRIPT}</script>\n</body>\n</html>\n").expect(WRITES);
    page
}

const WRITES: &str = "writing to a string does not fail";

/// The script shows them: without it they would do nothing.
const TOOLS: &str = "<div class=\"tools\" hidden>\n\
    <input type=\"search\" placeholder=\"Filter by address, attribute or value\" \
    aria-label=\"Filter\">\n<button type=\"button\" data-open=\"1\">Unfold all</button>\n\
    <button type=\"button\" data-open=\"\">Fold all</button>\n\
    <span class=\"found\" role=\"status\"></span>\n</div>\n";

fn push_module(page: &mut String, entries: &[Entry]) {
    let Some(first) = entries.first() else { return };
    let (name, count) = (escape_html(&first.module), entry::counted(entries.len(), "entry"));
    let count = count.replace("entrys", "entries");
    write!(
        page,
        "<details class=\"module\" open>\n<summary><span class=\"name\">{name}</span> \
         <span class=\"note\">{count}</span></summary>\n"
    )
    .expect(WRITES);
    for entry in entries {
        push_entry(page, entry);
    }
    page.push_str("</details>\n");
}

fn push_entry(page: &mut String, entry: &Entry) {
    let class = if entry.replaced { "replaced" } else { entry.action.name() };
    let (sign, name) = (escape_html(entry.sign()), escape_html(&entry.name));
    let head = format!(
        "<span class=\"sign\">{sign}</span> <code>{name}</code> <span class=\"note\">{}</span>",
        escape_html(&entry.note)
    );
    if entry.rows.is_empty() {
        writeln!(page, "<div class=\"entry {class}\">{head}</div>").expect(WRITES);
        return;
    }
    write!(page, "<details class=\"entry {class}\" open>\n<summary>{head}</summary>\n<table>\n")
        .expect(WRITES);
    for row in &entry.rows {
        push_row(page, row);
    }
    page.push_str("</table>\n</details>\n");
}

fn push_row(page: &mut String, row: &Row) {
    let path = if row.path.is_empty() { "value" } else { &row.path };
    let path = escape_html(path);
    let sign = entry::sign(row.action);
    let class = row.action.name();
    write!(page, "<tr class=\"{class}\"><td class=\"sign\">{sign}</td><th>{path}</th>")
        .expect(WRITES);
    match &row.values {
        Values::Secret => {
            write!(page, "<td colspan=\"2\" class=\"secret\">{}</td>", entry::SECRET)
                .expect(WRITES);
        }
        Values::Sides(before, after) => {
            push_side(page, ("before", before.as_deref()));
            push_side(page, ("after", after.as_deref()));
        }
        Values::Lines(hunks) => {
            page.push_str("<td colspan=\"2\"><pre>");
            for hunk in hunks {
                push_line(page, hunk);
            }
            page.push_str("</pre></td>");
        }
    }
    page.push_str("</tr>\n");
}

fn push_side(page: &mut String, (class, value): (&str, Option<&str>)) {
    match value {
        Some(value) => write!(page, "<td class=\"{class}\">{}</td>", escape_html(value)),
        None => write!(page, "<td class=\"none\"></td>"),
    }
    .expect(WRITES);
}

fn push_line(page: &mut String, hunk: &Hunk) {
    let Hunk::Line(tag, pieces) = hunk else {
        page.push_str("<span class=\"gap\">…</span>\n");
        return;
    };
    let (open, close) = match tag {
        Tag::Equal => ("<span>", "</span>"),
        Tag::Removed => ("<del>", "</del>"),
        Tag::Added => ("<ins>", "</ins>"),
    };
    write!(page, "{open}{} ", lines::sign(*tag)).expect(WRITES);
    for piece in pieces {
        let text = escape_html(&piece.text);
        if piece.differs {
            write!(page, "<b>{text}</b>").expect(WRITES);
        } else {
            page.push_str(&text);
        }
    }
    writeln!(page, "{close}").expect(WRITES);
}

/// Escapes what HTML would act on, in text and in attributes.
pub(super) fn escape_html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_html_would_act_on_is_escaped() {
        assert_eq!(escape_html("</pre><script>'\"&"), "&lt;/pre&gt;&lt;script&gt;&#39;&quot;&amp;");
    }

    #[test]
    fn the_page_asks_for_nothing_from_elsewhere() {
        for word in ["http", "url(", "@import", "fetch", "src="] {
            assert!(!STYLE.contains(word) && !SCRIPT.contains(word), "{word}");
        }
    }
}
