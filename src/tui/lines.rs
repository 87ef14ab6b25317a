//! What the detail pane says, line by line: attributes as a tree, then what else is known.
//!
//! Lines are made when the selection or a fold changes, and hold nothing secret: in the place of
//! a secret stands its fingerprint, unless this one is revealed.

use std::collections::HashMap;

use unicode_width::UnicodeWidthStr;

use crate::base::text;
use crate::state::embedded;
use crate::state::path::{Path, Step};
use crate::state::sensitive::{Secrets, embeds_secret};
use crate::state::value::Value;

use super::fingerprint::Fingerprints;
use super::theme::{Meaning, Theme};

/// What a fold or the cursor can be at, whichever instance is shown.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Spot {
    /// A value among the attributes or the outputs.
    Value(Path),
    /// A section below them.
    Section(&'static str),
    /// A resource it depends on, by its address as the state has it.
    Dependency(String),
}

/// Whether something hides what is inside it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fold {
    Open,
    Closed,
}

/// One line.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) depth: usize,
    /// The name, escaped.
    pub(crate) label: String,
    /// The value, escaped and masked.
    pub(crate) value: String,
    /// What the value means.
    pub(crate) meaning: Meaning,
    pub(crate) fold: Option<Fold>,
    pub(crate) spot: Option<Spot>,
}

impl Line {
    /// Returns a line that says something without a name.
    pub(crate) fn text(depth: usize, meaning: Meaning, value: String) -> Self {
        Self { depth, label: String::new(), value, meaning, fold: None, spot: None }
    }

    /// Returns a line with a name.
    pub(crate) fn named(label: &str, meaning: Meaning, value: String) -> Self {
        Self { label: text::escape(label).into_owned(), ..Self::text(0, meaning, value) }
    }

    /// Returns the path of a value that is masked here.
    pub(crate) fn secret(&self) -> Option<&Path> {
        match &self.spot {
            Some(Spot::Value(path)) if self.meaning == Meaning::Secret => Some(path),
            _ => None,
        }
    }
}

/// What was folded or unfolded by hand, and what becomes of the rest.
#[derive(Clone, Debug, Default)]
pub(crate) struct Folds {
    by_hand: HashMap<Spot, Fold>,
    all: Option<Fold>,
}

impl Folds {
    pub(crate) fn set(&mut self, spot: Spot, fold: Fold) {
        self.by_hand.insert(spot, fold);
    }

    pub(crate) fn set_all(&mut self, fold: Fold) {
        self.by_hand.clear();
        self.all = Some(fold);
    }

    fn of(&self, spot: &Spot, usual: Fold) -> Fold {
        self.by_hand.get(spot).copied().or(self.all).unwrap_or(usual)
    }
}

/// Containers with more members than this begin folded.
const FEW: usize = 8;
/// JSON inside strings is looked for up to this size.
const JSON_MAX: usize = 1 << 20;

/// Writes lines.
#[derive(Debug)]
pub(crate) struct Writer<'m> {
    pub(crate) theme: Theme,
    pub(crate) prints: &'m Fingerprints,
    pub(crate) folds: &'m Folds,
    /// The one secret that is shown.
    pub(crate) revealed: Option<&'m Path>,
    /// How wide the pane is; text that does not fit can be unfolded into several lines.
    pub(crate) width: usize,
    pub(crate) lines: Vec<Line>,
}

impl Writer<'_> {
    /// Returns how something is folded, where nothing else was asked for.
    pub(crate) fn fold(&self, spot: &Spot, usual: Fold) -> Fold {
        self.folds.of(spot, usual)
    }

    /// Writes the members of a container without a line for itself.
    pub(crate) fn members(&mut self, value: &Value<'_>, masked: &Value<'_>) {
        self.inside(value, masked, &mut Path::root(), 0);
    }

    /// Writes a value with its name. What is masked in `masked` is taken from there.
    pub(crate) fn value(
        &mut self,
        value: &Value<'_>,
        masked: &Value<'_>,
        path: &mut Path,
        depth: usize,
    ) {
        let label = match path.steps().last() {
            Some(Step::Key(key)) => text::escape(key).into_owned(),
            Some(Step::Index(index)) => format!("[{index}]"),
            None => String::new(),
        };
        let spot = Spot::Value(path.clone());
        let mut line = Line { label, ..Line::text(depth, Meaning::Plain, String::new()) };
        if *masked == Value::Sensitive || is_secret_text(value) {
            if self.revealed == Some(path) {
                return self.revealed(value, line, path);
            }
            line.value = self.theme.mask(self.prints.of(value));
            line.meaning = Meaning::Secret;
            line.spot = Some(spot);
            self.lines.push(line);
            return;
        }
        line.spot = Some(spot);
        match value {
            Value::String(string) => self.string(string, line, path),
            Value::Array(_) | Value::Object(_) => self.container(value, masked, line, path),
            Value::Number(_) | Value::Bool(_) => {
                line_of(&mut self.lines, line, Meaning::Literal, value);
            }
            Value::Null | Value::Sensitive => line_of(&mut self.lines, line, Meaning::Quiet, value),
        }
    }

    fn revealed(&mut self, value: &Value<'_>, mut line: Line, path: &mut Path) {
        let depth = line.depth;
        line.meaning = Meaning::Revealed;
        line.spot = Some(Spot::Value(path.clone()));
        match value {
            Value::Array(_) | Value::Object(_) => {
                line.value = summary(value);
                self.lines.push(line);
                self.inside(value, value, path, depth + 1);
            }
            Value::String(string) => {
                let fits = !string.contains('\n') && self.fits(&line, string);
                if fits {
                    line.value = text::escape(string).into_owned();
                }
                self.lines.push(line);
                if !fits {
                    self.wrapped(string, depth + 1, Meaning::Revealed);
                }
            }
            scalar => line_of(&mut self.lines, line, Meaning::Revealed, scalar),
        }
    }

    fn container(
        &mut self,
        value: &Value<'_>,
        masked: &Value<'_>,
        mut line: Line,
        path: &mut Path,
    ) {
        let len = len(value);
        line.value = summary(value);
        line.meaning = Meaning::Quiet;
        if len == 0 {
            self.lines.push(line);
            return;
        }
        let is_simple = line.depth == 0 && len <= FEW && !has_containers(value);
        let usual = if is_simple { Fold::Open } else { Fold::Closed };
        let fold = self.folds.of(&Spot::Value(path.clone()), usual);
        line.fold = Some(fold);
        let depth = line.depth;
        self.lines.push(line);
        if fold == Fold::Open {
            self.inside(value, masked, path, depth + 1);
        }
    }

    fn inside(&mut self, value: &Value<'_>, masked: &Value<'_>, path: &mut Path, depth: usize) {
        match (value, masked) {
            (Value::Object(members), Value::Object(shown)) => {
                for ((key, value), (_, masked)) in members.iter().zip(shown) {
                    path.push(Step::Key(key.clone().into_owned()));
                    self.value(value, masked, path, depth);
                    path.pop();
                }
            }
            (Value::Array(items), Value::Array(shown)) => {
                for (index, (value, masked)) in items.iter().zip(shown).enumerate() {
                    path.push(Step::Index(index));
                    self.value(value, masked, path, depth);
                    path.pop();
                }
            }
            _ => {}
        }
    }

    /// Writes a string: JSON, and YAML with secrets in it, as the tree it is; long text folded,
    /// short text as it is.
    fn string(&mut self, string: &str, mut line: Line, path: &mut Path) {
        let spot = Spot::Value(path.clone());
        if let Some((language, document)) = tree(string) {
            let fold = self.folds.of(&spot, Fold::Closed);
            line.value = format!("{language} {}", summary(&document));
            line.meaning = Meaning::Quiet;
            line.fold = Some(fold);
            let depth = line.depth;
            self.lines.push(line);
            if fold == Fold::Open {
                let masked = Secrets::of_attributes("", &document, &[]).mask(document.clone());
                self.inside(&document, &masked, path, depth + 1);
            }
            return;
        }
        if string.is_empty() {
            line.value = String::from("\"\"");
            line.meaning = Meaning::Quiet;
            self.lines.push(line);
            return;
        }
        let lines = string.lines().count();
        if lines <= 1 && self.fits(&line, string) {
            line.value = text::escape(string.trim_end_matches('\n')).into_owned();
            self.lines.push(line);
            return;
        }
        let fold = self.folds.of(&spot, Fold::Closed);
        line.fold = Some(fold);
        line.value = match (fold, lines) {
            (Fold::Closed, 0 | 1) => text::escape(&clipped(string, self.width)).into_owned(),
            (_, 0 | 1) => format!("text, {} characters", string.chars().count()),
            _ => format!("text, {lines} lines"),
        };
        if lines > 1 || fold == Fold::Open {
            line.meaning = Meaning::Quiet;
        }
        let depth = line.depth;
        self.lines.push(line);
        if fold == Fold::Open {
            self.wrapped(string, depth + 1, Meaning::Plain);
        }
    }

    /// Writes text over as many lines as it takes.
    fn wrapped(&mut self, string: &str, depth: usize, meaning: Meaning) {
        let room = self.width.saturating_sub(indent(depth) + 1).max(10);
        for source in string.lines() {
            // A tab would be shown as an escape, which is no way to read an indented script.
            let source = source.replace('\t', "    ");
            let escaped = text::escape(&source);
            let mut rest = escaped.as_ref();
            loop {
                let end = cut(rest, room);
                self.lines.push(Line::text(depth, meaning, rest[..end].to_owned()));
                rest = &rest[end..];
                if rest.is_empty() {
                    break;
                }
            }
        }
    }

    fn fits(&self, line: &Line, string: &str) -> bool {
        let label = indent(line.depth) + line.label.width();
        string.len() < self.width || label.max(self.width / 3) + 2 + string.width() <= self.width
    }
}

fn line_of(lines: &mut Vec<Line>, mut line: Line, meaning: Meaning, value: &Value<'_>) {
    line.meaning = meaning;
    line.value = text::escape(value.scalar_text().unwrap_or_default()).into_owned();
    lines.push(line);
}

/// Returns the columns before the label of a line: its indent, and room for the fold mark.
pub(crate) fn indent(depth: usize) -> usize {
    2 * depth.min(20) + 2
}

/// Returns how many bytes of escaped text fit into some columns; at least one character.
fn cut(text: &str, columns: usize) -> usize {
    let mut width = 0;
    for (at, c) in text.char_indices() {
        width += UnicodeWidthStr::width(c.encode_utf8(&mut [0; 4]) as &str);
        if width > columns && at > 0 {
            return at;
        }
    }
    text.len()
}

/// Returns the beginning of a text: enough to fill a line.
fn clipped(string: &str, columns: usize) -> String {
    string.chars().take(columns + 1).collect()
}

fn len(value: &Value<'_>) -> usize {
    match value {
        Value::Array(items) => items.len(),
        Value::Object(members) => members.len(),
        _ => 0,
    }
}

fn summary(value: &Value<'_>) -> String {
    match value {
        Value::Array(items) if items.is_empty() => String::from("[]"),
        Value::Array(items) => format!("[{}]", items.len()),
        Value::Object(members) if members.is_empty() => String::from("{}"),
        Value::Object(members) => format!("{{{}}}", members.len()),
        _ => String::new(),
    }
}

fn has_containers(value: &Value<'_>) -> bool {
    let is_container = |value: &Value<'_>| len(value) > 0;
    match value {
        Value::Array(items) => items.iter().any(is_container),
        Value::Object(members) => members.iter().any(|(_, value)| is_container(value)),
        _ => false,
    }
}

/// Decodes a string that is shown as the tree it is, and names its language.
///
/// YAML is shown as it is written, with its comments, unless something in it is to be masked.
fn tree(string: &str) -> Option<(&'static str, Value<'_>)> {
    let yaml = || {
        let is_yaml = string.len() <= JSON_MAX && !string.trim_start().starts_with(['{', '[']);
        if is_yaml && embeds_secret(string) { embedded::parse(string) } else { None }
    };
    json(string).map(|json| ("JSON", json)).or_else(|| Some(("YAML", yaml()?)))
}

/// Returns whether this is text with secrets in it that can't be masked one by one.
fn is_secret_text(value: &Value<'_>) -> bool {
    value.as_str().is_some_and(|text| tree(text).is_none() && embeds_secret(text))
}

/// Decodes a string that holds a JSON array or object with something in it.
fn json(string: &str) -> Option<Value<'_>> {
    let text = string.trim();
    if string.len() > JSON_MAX || !text.starts_with(['{', '[']) {
        return None;
    }
    Value::parse(text.as_bytes()).ok().filter(|value| len(value) > 0)
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    fn written(
        attributes: &str,
        secrets: &[&str],
        folds: &Folds,
        revealed: Option<&str>,
    ) -> String {
        let value = Value::parse(attributes.as_bytes()).unwrap();
        let declared: Vec<Path> = secrets.iter().map(|path| Path::parse(path).unwrap()).collect();
        let masked = Secrets::of_attributes("x", &value, &declared).mask(value.clone());
        let revealed = revealed.map(|path| Path::parse(path).unwrap());
        let mut writer = Writer {
            theme: Theme::default(),
            prints: &Fingerprints::fixed(),
            folds,
            revealed: revealed.as_ref(),
            width: 30,
            lines: Vec::new(),
        };
        writer.members(&value, &masked);
        let mut out = String::new();
        for line in &writer.lines {
            let fold = line.fold.map_or(' ', |fold| if fold == Fold::Open { '-' } else { '+' });
            let indent = " ".repeat(2 * line.depth);
            writeln!(out, "{indent}{fold}{} = {}", line.label, line.value).unwrap();
        }
        out
    }

    fn all(fold: Fold) -> Folds {
        Folds { all: Some(fold), ..Folds::default() }
    }

    #[test]
    fn small_maps_begin_open_and_nested_ones_folded() {
        let attributes = r#"{"tags":{"env":"prod"},"rules":[{"port":22}],"none":{},"n":1.50}"#;
        let lines = written(attributes, &[], &Folds::default(), None);
        assert_eq!(lines, "-tags = {1}\n   env = prod\n+rules = [1]\n none = {}\n n = 1.50\n");
    }

    #[test]
    fn json_in_a_string_is_a_tree_whose_own_secrets_are_masked() {
        let attributes = r#"{"policy":"{\"Version\":1,\"password\":\"S3CR3T-value\"}"}"#;
        assert_eq!(written(attributes, &[], &Folds::default(), None), "+policy = JSON {2}\n");
        let open = written(attributes, &[], &all(Fold::Open), None);
        assert!(open.contains("Version = 1") && open.contains("‹secret #"), "{open}");
        assert!(!open.contains("S3CR3T"), "{open}");
    }

    #[test]
    fn yaml_in_a_string_is_a_tree_only_where_it_has_secrets_to_mask() {
        let attributes = r#"{"values":"image: x\nauth:\n  password: S3CR3T-value\n"}"#;
        assert_eq!(written(attributes, &[], &Folds::default(), None), "+values = YAML {2}\n");
        let open = written(attributes, &[], &all(Fold::Open), None);
        assert!(open.contains("image = x") && open.contains("‹secret #"), "{open}");
        assert!(!open.contains("S3CR3T"), "{open}");
        let shown = written(attributes, &[], &all(Fold::Open), Some("values.auth.password"));
        assert!(shown.contains("S3CR3T-value"), "{shown}");
        let plain = written(r#"{"a":"image: x\nb: y\n"}"#, &[], &all(Fold::Open), None);
        assert_eq!(plain, "-a = text, 2 lines\n    = image: x\n    = b: y\n");
    }

    #[test]
    fn text_with_a_secret_that_is_no_document_is_masked_as_a_whole() {
        let attributes = r#"{"a":"{{ x }}\npassword: S3CR3T\n"}"#;
        let masked = written(attributes, &[], &all(Fold::Open), None);
        assert!(masked.contains("‹secret #") && !masked.contains("S3CR3T"), "{masked}");
        assert!(written(attributes, &[], &all(Fold::Open), Some("a")).contains("S3CR3T"));
    }

    #[test]
    fn only_the_revealed_secret_is_shown() {
        let attributes = r#"{"a":"S3CR3T-one","b":["S3CR3T-two"]}"#;
        let masked = written(attributes, &["a", "b"], &all(Fold::Open), None);
        assert!(!masked.contains("S3CR3T"), "{masked}");
        let shown = written(attributes, &["a", "b"], &all(Fold::Open), Some("b"));
        assert!(shown.contains("S3CR3T-two") && !shown.contains("S3CR3T-one"), "{shown}");
    }

    #[test]
    fn long_text_unfolds_into_lines_that_fit() {
        let attributes = format!(r#"{{"script":"one\ntwo\n{}"}}"#, "日".repeat(20));
        let closed = written(&attributes, &[], &Folds::default(), None);
        assert_eq!(closed, "+script = text, 3 lines\n");
        let open = written(&attributes, &[], &all(Fold::Open), None);
        assert_eq!(open.lines().count(), 1 + 2 + 2, "{open}");
    }

    #[test]
    fn hostile_text_is_escaped_in_names_and_values() {
        let attributes =
            r#"{"\u001b[31m":"\u202e\u0007x","long":"\u001b]0;evil\u0007\n\u001b[2J"}"#;
        let lines = written(attributes, &[], &all(Fold::Open), None);
        assert!(lines.chars().all(|c| c == '\n' || !c.is_control()), "{lines:?}");
        assert!(!lines.contains('\u{202e}'));
    }
}
