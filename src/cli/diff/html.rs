//! One page that stands alone: no network, no file beside it, and without scripts it only lacks
//! the search. Every text of a state is escaped, and the page's own policy forbids whatever is not
//! ours: it names the hashes of the one style and the one script.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::entry::{self, Entry, Members};
use super::lines::{self, Hunk};
use super::pieces::Text;
use super::row::{Row, SECRET, Values};
use super::{Report, summary, text};
use crate::base::sha256;
use crate::base::text::escape;
use crate::cli::output::{self, Output};
use crate::diff::{Action, Tag};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
/// With more entries than this they begin folded.
const MOST_UNFOLDED: usize = 300;
/// Text of more bytes than this gets a window of its own.
const LONG: usize = 4000;
const WRITES: &str = "writing to a string does not fail";

/// Writes the page.
pub(crate) fn write(out: &mut Output, report: Report<'_>) -> Result<(), output::Error> {
    out.bytes(page(report).as_bytes())
}

fn page(report: Report<'_>) -> String {
    let (from, to) = (escape_html(&escape(report.from)), escape_html(&escape(report.to)));
    let (style, script) = (hash(STYLE), hash(SCRIPT));
    let entries = report.entries();
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
         style-src {style}; script-src {script}; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>{from} → {to}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<header>\n\
         <h1>State changes</h1>\n<p><code>{from}</code> → <code>{to}</code></p>\n<p class=\"counts\">"
    );
    push_counts(&mut page, report);
    page.push_str("</p>\n");
    push_tools(&mut page, &entries);
    page.push_str("</header>\n<main>\n");
    for group in modules(&entries) {
        push_module(&mut page, &group, entries.len() <= MOST_UNFOLDED);
    }
    if entries.is_empty() {
        page.push_str("<p>Nothing differs.</p>\n");
    }
    write!(page, "</main>\n<script>{SCRIPT}</script>\n</body>\n</html>\n").expect(WRITES);
    page
}

/// Returns what a policy calls a text that may act.
fn hash(text: &str) -> String {
    format!("'sha256-{}'", BASE64.encode(sha256::of(text.as_bytes())))
}

fn push_counts(page: &mut String, report: Report<'_>) {
    for (at, part) in summary::of(report.comparison).iter().enumerate() {
        let between = if at == 0 { "" } else { summary::BETWEEN };
        write!(page, "{between}<span>{}</span>", escape_html(part)).expect(WRITES);
    }
}

/// The script shows them: without it they would do nothing.
fn push_tools(page: &mut String, entries: &[Entry]) {
    page.push_str(
        "<div class=\"tools\" hidden>\n<input type=\"search\" \
         placeholder=\"Filter by address, attribute or value (press /)\" aria-label=\"Filter\">\n\
         <span class=\"kinds\" role=\"group\" aria-label=\"Show\">\n",
    );
    let replaced = entries.iter().filter(|entry| entry.replaced).count();
    push_kind(page, "replaced", replaced);
    for action in [Action::Removed, Action::Changed, Action::Moved, Action::Added] {
        let is_it = |entry: &&Entry| entry.action == action && !entry.replaced;
        push_kind(page, action.name(), entries.iter().filter(is_it).count());
    }
    page.push_str(
        "</span>\n<button type=\"button\" data-open=\"1\">Unfold all</button>\n\
         <button type=\"button\" data-open=\"\">Fold all</button>\n\
         <span class=\"found\" role=\"status\"></span>\n</div>\n",
    );
}

fn push_kind(page: &mut String, name: &str, count: usize) {
    if count > 0 {
        writeln!(
            page,
            "<button type=\"button\" class=\"{name}\" data-kind=\"{name}\" \
             aria-pressed=\"true\">{name} {count}</button>"
        )
        .expect(WRITES);
    }
}

/// Puts entries of one module together, in the order in which modules first come.
fn modules(entries: &[Entry]) -> Vec<Vec<&Entry>> {
    let mut modules: Vec<Vec<&Entry>> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for entry in entries {
        let at = *places.entry(entry.module.as_str()).or_insert(modules.len());
        if at == modules.len() {
            modules.push(Vec::new());
        }
        modules[at].push(entry);
    }
    modules
}

fn push_module(page: &mut String, entries: &[&Entry], open: bool) {
    let Some(first) = entries.first() else { return };
    let (name, count) = (escape_html(&first.module), entry::counted_entries(entries.len()));
    write!(
        page,
        "<details class=\"module\" open>\n<summary><span class=\"name\">{name}</span> \
         <span class=\"note\">{count}</span></summary>\n"
    )
    .expect(WRITES);
    for entry in entries {
        push_entry(page, entry, open);
    }
    page.push_str("</details>\n");
}

fn push_entry(page: &mut String, entry: &Entry, open: bool) {
    let class = if entry.replaced { "replaced" } else { entry.action.name() };
    let (sign, name) = (escape_html(entry.sign()), escape_html(&entry.name));
    let from = entry.moved_from.as_ref();
    let from = from.map_or_else(String::new, |from| format!(" <code>{}</code>", escape_html(from)));
    let head = format!(
        "<span class=\"sign\" aria-label=\"{class}\">{sign}</span> <code>{name}</code> \
         <span class=\"note\">{}{from}</span>",
        escape_html(&entry.note)
    );
    if entry.rows.is_empty() && entry.members.is_none() {
        writeln!(page, "<div class=\"entry {class}\">{head}</div>").expect(WRITES);
        return;
    }
    let open = if open { " open" } else { "" };
    write!(page, "<details class=\"entry {class}\"{open}>\n<summary>{head}</summary>\n")
        .expect(WRITES);
    if let Some(members) = &entry.members {
        push_members(page, members);
    }
    if !entry.rows.is_empty() {
        page.push_str("<table>\n");
        for row in &entry.rows {
            push_row(page, row);
        }
        page.push_str("</table>\n");
    }
    page.push_str("</details>\n");
}

fn push_members(page: &mut String, members: &Members) {
    let short: Vec<String> = members.short.iter().map(|names| names.join(", ")).collect();
    let short = escape_html(&short.join(" · "));
    write!(page, "<details class=\"members\">\n<summary>{short}</summary>\n<ul>\n").expect(WRITES);
    for address in &members.addresses {
        writeln!(page, "<li><code>{}</code></li>", escape_html(address)).expect(WRITES);
    }
    page.push_str("</ul>\n</details>\n");
}

fn push_row(page: &mut String, row: &Row) {
    let path = escape_html(text::path(row));
    let (sign, class) = (entry::sign(row.action), row.action.name());
    write!(
        page,
        "<tr class=\"{class}\"><td class=\"sign\" aria-label=\"{class}\">{sign}</td>\
         <th scope=\"row\">{path}</th>"
    )
    .expect(WRITES);
    match &row.values {
        Values::Secret => {
            write!(page, "<td colspan=\"2\" class=\"secret\">{SECRET}</td>").expect(WRITES);
        }
        Values::Sides(before, after) => {
            push_side(page, "before", before.as_ref());
            push_side(page, "after", after.as_ref());
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

fn push_side(page: &mut String, class: &str, value: Option<&Text>) {
    let Some(value) = value else {
        page.push_str("<td class=\"none\"></td>");
        return;
    };
    write!(page, "<td class=\"{class}\">").expect(WRITES);
    if value.0.iter().map(|piece| piece.text.len()).sum::<usize>() > LONG {
        page.push_str("<div class=\"long\" tabindex=\"0\">");
        push_text(page, value);
        page.push_str("</div>");
    } else {
        push_text(page, value);
    }
    page.push_str("</td>");
}

fn push_line(page: &mut String, hunk: &Hunk) {
    let Hunk::Line(tag, text) = hunk else {
        page.push_str("<span class=\"gap\">…</span>\n");
        return;
    };
    let (open, close) = match tag {
        Tag::Equal => ("<span>", "</span>"),
        Tag::Removed => ("<del>", "</del>"),
        Tag::Added => ("<ins>", "</ins>"),
    };
    write!(page, "{open}{} ", lines::sign(*tag)).expect(WRITES);
    push_text(page, text);
    writeln!(page, "{close}").expect(WRITES);
}

/// Appends text with what differs in it marked.
fn push_text(page: &mut String, text: &Text) {
    for piece in &text.0 {
        let text = escape_html(&piece.text);
        if piece.differs {
            write!(page, "<b>{text}</b>").expect(WRITES);
        } else {
            page.push_str(&text);
        }
    }
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

    #[test]
    fn no_style_and_no_script_stands_outside_the_ones_that_the_policy_names() {
        for word in ["style=", "onclick", "javascript:", "</s"] {
            assert!(!STYLE.contains(word) && !SCRIPT.contains(word), "{word}");
        }
    }
}
