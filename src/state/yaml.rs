//! YAML inside a string: cloud-init, Helm values, manifests.
//!
//! Almost any text is YAML of some kind, so only text that people would call YAML is read as such:
//! several lines, a mapping with keys that have no space in them or a sequence of which an element
//! is a mapping. The work is bounded in size, in depth and in what aliases multiply; what exceeds
//! a bound, has a key twice or a key that is no scalar stays text.
//!
//! Comments and layout are left out. A scalar keeps its text: `1.10` is not `1.1`, and `on` is not
//! `true`, for what reads the document may be of any version of YAML. A tag such as `!Ref` stands
//! as the key of what it tags.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use saphyr_parser::{Event, Parser, ScalarStyle, Tag};

use super::value::Value;

/// Longer text stays text.
const MAX_BYTES: usize = 1 << 20;

/// What nests deeper stays text.
const MAX_DEPTH: usize = 64;

/// How many values a document may have once its aliases are resolved.
const MAX_VALUES: usize = 1 << 17;

/// How much text a document may have once its aliases are resolved.
const MAX_TEXT: usize = 4 << 20;

/// Reads two strings as YAML, if both are.
///
/// Where the values are the same but one side quotes what readers may take for something else than
/// a string, as `1.10` or `no`, the two do not mean the same and are not read.
pub(super) fn pair(before: &str, after: &str) -> Option<(Value<'static>, Value<'static>)> {
    if directive(before) != directive(after) {
        return None;
    }
    let (old, new) = (Stream::read(before)?, Stream::read(after)?);
    let alone = old.documents.len() == 1 && new.documents.len() == 1;
    let doubtful = old.bare != new.bare;
    let (old, new) = (old.value(alone), new.value(alone));
    (old.kind() == new.kind() && !(doubtful && old.same(&new))).then_some((old, new))
}

/// Reads a string as YAML, if it is.
pub(super) fn parse(text: &str) -> Option<Value<'static>> {
    let stream = Stream::read(text)?;
    let alone = stream.documents.len() == 1;
    Some(stream.value(alone))
}

/// Returns the first line if it is a comment that says what the text is: `#cloud-config`.
fn directive(text: &str) -> Option<&str> {
    let line = text.lines().next()?.trim_end();
    let word = line.strip_prefix('#')?;
    (word.starts_with(|c: char| c.is_ascii_alphabetic()) || word.starts_with("# template"))
        .then_some(line)
}

/// Returns whether text could be YAML by its first line that says something.
fn is_likely(text: &str) -> bool {
    let says = |line: &&str| !line.is_empty() && !line.starts_with(['#', '%']) && *line != "---";
    let mut lines = text.lines().map(str::trim).filter(says);
    let first = lines.next().unwrap_or_default();
    let starts = first.starts_with("- ") || first == "-" || first.starts_with("---");
    let is_key = first.contains(": ") || first.ends_with(':');
    text.len() <= MAX_BYTES
        && !text.starts_with("#!")
        && (starts || is_key)
        && (lines.next().is_some() || starts && first.starts_with("---"))
}

/// The documents of a text.
#[derive(Default)]
struct Stream {
    documents: Vec<Value<'static>>,
    /// Scalars without quotes that not every reader takes for a string, in order.
    bare: Vec<String>,
    open: Vec<Open>,
    anchors: HashMap<usize, (Value<'static>, Cost)>,
    spent: Cost,
}

/// How large a value is.
#[derive(Clone, Copy, Debug, Default)]
struct Cost {
    values: usize,
    text: usize,
}

/// A collection that is not closed yet.
struct Open {
    anchor: usize,
    tag: Option<String>,
    inner: Inner,
}

enum Inner {
    Sequence(Vec<Value<'static>>),
    Mapping {
        members: Vec<(Cow<'static, str>, Value<'static>)>,
        taken: HashSet<String>,
        key: Option<String>,
    },
}

impl Stream {
    fn read(text: &str) -> Option<Self> {
        if !is_likely(text) {
            return None;
        }
        let mut stream = Self::default();
        let mut parser = Parser::new_from_str(text);
        while let Some(event) = parser.next_event() {
            let (event, _) = event.ok()?;
            stream.take(event)?;
        }
        let plain = stream.documents.iter().all(is_plain_yaml);
        (plain && !stream.documents.is_empty()).then_some(stream)
    }

    /// Returns the document, or all of them as a list.
    fn value(mut self, alone: bool) -> Value<'static> {
        match self.documents.pop() {
            Some(document) if alone => document,
            last => {
                self.documents.extend(last);
                Value::Array(self.documents)
            }
        }
    }

    fn take(&mut self, event: Event<'_>) -> Option<()> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let value = self.scalar(&text, (style, tag.as_deref()));
                self.spend(Cost { values: 1, text: text.len() })?;
                self.place(value, Some(&text), anchor)
            }
            Event::Alias(anchor) => {
                // An anchor that is still open contains itself.
                let (value, cost) = self.anchors.get(&anchor)?.clone();
                self.spend(cost)?;
                let text = value.as_str().map(str::to_owned);
                self.place(value, text.as_deref(), 0)
            }
            Event::SequenceStart(anchor, tag) => {
                self.open((anchor, tag.as_deref()), Inner::Sequence(Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                let (members, taken, key) = (Vec::new(), HashSet::new(), None);
                let inner = Inner::Mapping { members, taken, key };
                self.open((anchor, tag.as_deref()), inner)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => Some(()),
        }
    }

    fn spend(&mut self, cost: Cost) -> Option<()> {
        self.spent.values += cost.values;
        self.spent.text += cost.text;
        (self.spent.values <= MAX_VALUES && self.spent.text <= MAX_TEXT).then_some(())
    }

    fn open(&mut self, (anchor, tag): (usize, Option<&Tag>), inner: Inner) -> Option<()> {
        self.spend(Cost { values: 1, text: 0 })?;
        self.open.push(Open { anchor, tag: tag.and_then(own_tag), inner });
        (self.open.len() <= MAX_DEPTH).then_some(())
    }

    fn close(&mut self) -> Option<()> {
        let Open { anchor, tag, inner } = self.open.pop()?;
        let value = match inner {
            Inner::Sequence(items) => Value::Array(items),
            Inner::Mapping { members, .. } => Value::Object(members),
        };
        let value = match tag {
            Some(tag) => Value::Object(vec![(tag.into(), value)]),
            None => value,
        };
        self.place(value, None, anchor)
    }

    /// Puts a value where it belongs; `text` is what it says as a key.
    fn place(&mut self, value: Value<'static>, text: Option<&str>, anchor: usize) -> Option<()> {
        if anchor != 0 {
            let cost = cost(&value);
            self.spend(cost)?;
            self.anchors.insert(anchor, (value.clone(), cost));
        }
        match self.open.last_mut().map(|open| &mut open.inner) {
            None => self.documents.push(value),
            Some(Inner::Sequence(items)) => items.push(value),
            Some(Inner::Mapping { members, taken, key }) => {
                if let Some(key) = key.take() {
                    members.push((key.into(), value));
                } else if taken.insert(text?.to_owned()) {
                    *key = text.map(str::to_owned);
                } else {
                    return None;
                }
            }
        }
        Some(())
    }

    fn scalar(&mut self, text: &str, (style, tag): (ScalarStyle, Option<&Tag>)) -> Value<'static> {
        let string = || Value::String(text.to_owned().into());
        if let Some(tag) = tag.and_then(own_tag) {
            return Value::Object(vec![(tag.into(), string())]);
        }
        if style != ScalarStyle::Plain || tag.is_some() {
            return string();
        }
        match text {
            "" | "~" | "null" | "Null" | "NULL" => Value::Null,
            "true" | "True" | "TRUE" => Value::Bool(true),
            "false" | "False" | "FALSE" => Value::Bool(false),
            number if is_number(number) => Value::Number(number.to_owned().into()),
            _ => {
                if is_doubtful(text) {
                    self.bare.push(text.to_owned());
                }
                string()
            }
        }
    }
}

/// Returns a tag as written, unless it is one of YAML's own.
fn own_tag(tag: &Tag) -> Option<String> {
    (!tag.is_yaml_core_schema()).then(|| format!("{}{}", tag.handle, tag.suffix))
}

/// Returns whether people would call this document YAML rather than prose with colons in it.
fn is_plain_yaml(document: &Value<'_>) -> bool {
    match document {
        Value::Object(members) => {
            let is_word = |key: &str| !key.contains(char::is_whitespace);
            !members.is_empty() && members.iter().all(|(key, _)| is_word(key))
        }
        Value::Array(items) => items.iter().any(|item| matches!(item, Value::Object(_))),
        // An empty document stands between two separators.
        other => *other == Value::Null,
    }
}

/// Returns whether this is a number in the only spelling that it has.
fn is_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (text, None),
    };
    let size = whole.strip_prefix('-').unwrap_or(whole);
    let is_whole = digits(size) && (size == "0" || !size.starts_with('0')) && text != "-0";
    is_whole && fraction.is_none_or(|part| digits(part) && !part.ends_with('0'))
}

/// Returns whether some reader of YAML takes this for something else than a string.
fn is_doubtful(text: &str) -> bool {
    const SWITCHES: [&str; 6] = ["yes", "no", "on", "off", "y", "n"];
    text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.'))
        || SWITCHES.iter().any(|word| text.eq_ignore_ascii_case(word))
}

fn cost(value: &Value<'_>) -> Cost {
    let sum = |costs: &mut dyn Iterator<Item = Cost>| {
        costs.fold(Cost { values: 1, text: 0 }, |sum, part| Cost {
            values: sum.values + part.values,
            text: sum.text + part.text,
        })
    };
    match value {
        Value::Array(items) => sum(&mut items.iter().map(cost)),
        Value::Object(members) => sum(&mut members.iter().map(|(key, inner)| {
            let Cost { values, text } = cost(inner);
            Cost { values, text: text + key.len() }
        })),
        leaf => Cost { values: 1, text: leaf.scalar_text().map_or(0, str::len) },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn json(text: &str) -> Option<String> {
        parse(text).map(|value| value.to_json())
    }

    #[test]
    fn what_people_call_yaml_is_read() {
        for (text, read) in [
            ("a: 1\nb: x\n", r#"{"a":1,"b":"x"}"#),
            ("#cloud-config\nruncmd:\n  - [ls, -l]\n", r#"{"runcmd":[["ls","-l"]]}"#),
            ("- name: a\n  on: ~\n- b\n", r#"[{"name":"a","on":null},"b"]"#),
            ("a: 1\n---\nb: 2\n", r#"[{"a":1},{"b":2}]"#),
            ("a: &x {k: v}\nb: *x\n", r#"{"a":{"k":"v"},"b":{"k":"v"}}"#),
            ("a: !Ref vpc\nb: !Sub [x]\n", r#"{"a":{"!Ref":"vpc"},"b":{"!Sub":["x"]}}"#),
            ("v: 1.10\nw: \"8\"\nx: 1.5\n", r#"{"v":"1.10","w":"8","x":1.5}"#),
            ("s: |\n  one\n  two\nb: no\n", r#"{"s":"one\ntwo\n","b":"no"}"#),
        ] {
            assert_eq!(json(text).as_deref(), Some(read), "{text}");
        }
    }

    #[test]
    fn other_text_stays_text() {
        for text in [
            "a: 1",
            "one line\nand another\n",
            "#!/bin/sh\na: 1\nb: 2\n",
            "Dear all: hello\nSee you: soon\n",
            "- milk\n- bread\n",
            "[section]\nkey=value\n",
            "a: 1\na: 2\n",
            "? {x: 1}\n: 2\nb: 1\n",
            "a: [1\nb: 2\n",
            "a: &x [*x]\nb: 1\n",
            "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
        ] {
            assert_eq!(json(text), None, "{text}");
        }
    }

    #[test]
    fn what_would_grow_without_bound_stays_text() {
        let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for level in 1..12 {
            let inner = format!("*a{},", level - 1).repeat(10);
            std::fmt::Write::write_fmt(&mut bomb, format_args!("a{level}: &a{level} [{inner}]\n"))
                .unwrap();
        }
        assert_eq!(json(&bomb), None);
        let deep = format!("a: {}{}\nb: 1\n", "[".repeat(10_000), "]".repeat(10_000));
        assert_eq!(json(&deep), None);
        assert_eq!(json(&"key: value\n".repeat(200_000)), None);
    }

    #[test]
    fn only_layout_and_comments_may_differ_between_documents_that_are_the_same() {
        let same = |a: &str, b: &str| pair(a, b).map(|(a, b)| a.same(&b));
        assert_eq!(same("a: 1\nb: [x]\n", "# why\nb:\n- x\na:   1\n"), Some(true));
        assert_eq!(same("a: 1\nb: 2\n", "a: 1\nb: \"2\"\n"), Some(false));
        // To some readers the one is a number or a switch, and the other is not.
        assert_eq!(same("a: 1.10\nb: 2\n", "a: \"1.10\"\nb: 2\n"), None);
        assert_eq!(same("a: on\nb: 2\n", "a: 'on'\nb: 2\n"), None);
        assert_eq!(same("#cloud-config\na: 1\nb: 2\n", "a: 1\nb: 2\n"), None);
        assert_eq!(same("- a: 1\n- b\n", "a: 1\nb: 2\n"), None);
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_fail(text in "[a-c:&*!|>\\[\\]{}, \"'#%?\\-\n\t]{0,60}") {
            drop(parse(&format!("a: 1\n{text}\nb: 2\n")));
            drop(parse(&format!("- {text}")));
        }
    }
}
