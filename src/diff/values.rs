//! Compares two decoded values and tells each difference by its path.
//!
//! Each side is walked twice at once: as it is, to see what differs, and with its secrets masked,
//! to say so. Secrets can't get into a result by a path that somebody forgot to check.

use std::collections::{BTreeMap, HashSet};

use super::canonical::{self, strings};
use super::change::{Change, Field, Quiet};
use super::roles::Roles;
use super::{list, unordered};
use crate::state::embedded;
use crate::state::path::{Path, Step};
use crate::state::schema::Schema;
use crate::state::sensitive::{Reveal, Secrets, embeds_secret};
use crate::state::value::Value;

/// A document inside a string inside a document is read as one down to this depth.
const MAX_EMBEDDED: usize = 4;

/// Shorter secrets repeat by chance, as a port or a region does.
const WORTH_REPEATING: usize = 8;

/// How the values of the two sides are spelled.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Spelling {
    /// Both have their types.
    Typed,
    /// One was a legacy flat map: its leaves are strings and nothing in it is null or empty.
    Flat,
}

/// What to compare, and what of it may be shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms<'t> {
    /// The type of the resource.
    pub(super) kind: &'t str,
    pub(super) field: Field,
    pub(super) spelling: Spelling,
    pub(super) reveal: Reveal,
    /// The secrets of both sides together.
    pub(super) secrets: &'t Secrets,
    /// What the provider says of the attributes, if it was asked.
    pub(super) schema: Option<&'t Schema>,
    /// What stands for what, between two environments.
    pub(super) roles: Option<&'t Roles>,
}

/// Compares two values.
pub(super) fn compare(before: &Value<'_>, after: &Value<'_>, terms: Terms<'_>) -> Vec<Change> {
    compare_as("", (before, after), terms)
}

/// Compares two values that stand under a name of their own.
pub(super) fn compare_as(
    name: &str,
    (before, after): (&Value<'_>, &Value<'_>),
    terms: Terms<'_>,
) -> Vec<Change> {
    let (known, path, changes) = (Vec::new(), Path::root(), Vec::new());
    let mut walk = Walk { terms, name, known, path, embedded: 0, changes };
    walk.masked(before, after, terms.secrets);
    walk.changes
}

/// Returns two values as they may be shown as a whole: what is secret on one side is masked on
/// both.
pub(super) fn shown(
    (before, after): (Option<&Value<'_>>, Option<&Value<'_>>),
    terms: Terms<'_>,
) -> (Option<Value<'static>>, Option<Value<'static>>) {
    let copied = |value: Option<&Value<'_>>| value.map(|value| value.clone().into_owned());
    if terms.reveal == Reveal::Yes {
        return (copied(before), copied(after));
    }
    let masked = |value: Option<&Value<'_>>| copied(value).map(|value| terms.secrets.mask(value));
    let (shown_before, shown_after) = (masked(before), masked(after));
    let (known, path, changes) = (Vec::new(), Path::root(), Vec::new());
    let mut walk = Walk { terms, name: "", known, path, embedded: 0, changes };
    for (raw, shown) in [(before, &shown_before), (after, &shown_after)] {
        if let (Some(raw), Some(shown)) = (raw, shown) {
            Side { raw, shown }.collect_hidden(&mut walk.known);
        }
    }
    let concealed = |value: &Option<Value<'_>>| value.as_ref().map(|value| walk.concealed(value));
    match (concealed(&shown_before), concealed(&shown_after)) {
        (Some(Value::Sensitive), Some(after)) => (Some(Value::Sensitive), Some(veiled(after))),
        (Some(before), Some(Value::Sensitive)) => (Some(veiled(before)), Some(Value::Sensitive)),
        sides => sides,
    }
}

/// A value as it is and as it may be shown.
#[derive(Clone, Copy)]
struct Side<'v> {
    raw: &'v Value<'v>,
    shown: &'v Value<'v>,
}

impl<'v> Side<'v> {
    fn is_hidden(self) -> bool {
        *self.shown == Value::Sensitive
    }

    fn members(self) -> impl Iterator<Item = (&'v str, Side<'v>)> {
        let of = |value: &'v Value<'v>| match value {
            Value::Object(members) => members.as_slice(),
            _ => &[],
        };
        let pairs = of(self.raw).iter().zip(of(self.shown));
        pairs.map(|((key, raw), (_, shown))| (&**key, Side { raw, shown }))
    }

    fn items(self) -> Vec<Side<'v>> {
        let of = |value: &'v Value<'v>| match value {
            Value::Array(items) => items.as_slice(),
            _ => &[],
        };
        of(self.raw).iter().zip(of(self.shown)).map(|(raw, shown)| Side { raw, shown }).collect()
    }

    /// Collects the strings that are hidden and long enough to know them again.
    fn collect_hidden(self, out: &mut Vec<String>) {
        if self.is_hidden() {
            strings(self.raw, &mut |text| {
                if text.len() >= WORTH_REPEATING {
                    out.push(text.to_owned());
                }
            });
        }
        self.members().for_each(|(_, member)| member.collect_hidden(out));
        self.items().into_iter().for_each(|item| item.collect_hidden(out));
    }
}

struct Walk<'t> {
    terms: Terms<'t>,
    /// What the whole is called; nothing where it has no name.
    name: &'t str,
    /// Secrets of either side, to be known again where the other side has them in the open.
    known: Vec<String>,
    path: Path,
    /// How many documents inside strings it is in.
    embedded: usize,
    changes: Vec<Change>,
}

impl Walk<'_> {
    fn masked(&mut self, before: &Value<'_>, after: &Value<'_>, secrets: &Secrets) {
        if self.terms.reveal == Reveal::Yes {
            let (before, after) =
                (Side { raw: before, shown: before }, Side { raw: after, shown: after });
            return self.both(before, after);
        }
        let (shown_before, shown_after) =
            (secrets.mask(before.clone()), secrets.mask(after.clone()));
        let before = Side { raw: before, shown: &shown_before };
        let after = Side { raw: after, shown: &shown_after };
        before.collect_hidden(&mut self.known);
        after.collect_hidden(&mut self.known);
        self.known.sort_unstable();
        self.known.dedup();
        self.both(before, after);
    }

    fn both(&mut self, before: Side<'_>, after: Side<'_>) {
        match (before.raw, after.raw) {
            _ if before.is_hidden() || after.is_hidden() => self.leaves(before, after),
            (Value::Object(_), Value::Object(_)) => self.objects(before, after),
            (Value::Array(_), Value::Array(_)) => self.lists(before, after),
            (Value::String(a), Value::String(b)) if a != b => match self.documents(a, b) {
                Some((a, b)) => self.inside((&a, &b), (before, after)),
                None => self.leaves(before, after),
            },
            _ => self.leaves(before, after),
        }
    }

    fn either(&mut self, before: Option<Side<'_>>, after: Option<Side<'_>>) {
        match (before, after) {
            (Some(before), Some(after)) => self.both(before, after),
            (None, None) => {}
            (Some(side), None) | (None, Some(side)) if self.is_void(side.raw) => {}
            (before, after) => self.emit(before, after),
        }
    }

    fn objects(&mut self, before: Side<'_>, after: Side<'_>) {
        let mut members = Members::new();
        for (key, side) in before.members() {
            members.entry(key).or_default().0 = Some(side);
        }
        for (key, side) in after.members() {
            members.entry(key).or_default().1 = Some(side);
        }
        if let Some(roles) = self.terms.roles {
            match_keys(&mut members, roles);
        }
        for (key, (before, after)) in members {
            self.path.push(Step::Key(key.to_owned()));
            self.either(before, after);
            self.path.pop();
        }
    }

    fn lists(&mut self, before: Side<'_>, after: Side<'_>) {
        let (before, after) = (before.items(), after.items());
        let (old, new): (Vec<_>, Vec<_>) = (
            before.iter().map(|side| side.raw).collect(),
            after.iter().map(|side| side.raw).collect(),
        );
        let played = self.played(&old, &new);
        let olds: Vec<&Value<'_>> =
            old.iter().zip(&played).map(|(raw, played)| played.as_ref().unwrap_or(raw)).collect();
        let edits =
            if self.is_set() { list::match_up(&olds, &new) } else { list::align(&olds, &new) };
        for (at, to) in list::equals(&olds, &new, &edits, |at| played[at].is_some()) {
            self.path.push(Step::Index(to));
            self.emit_as(by_role(before[at], after[to]), Some(before[at]), Some(after[to]));
            self.path.pop();
        }
        for edit in edits {
            let Some(index) = edit.after.or(edit.before) else { continue };
            self.path.push(Step::Index(index));
            self.either(edit.before.map(|at| before[at]), edit.after.map(|at| after[at]));
            self.path.pop();
        }
    }

    /// Returns what stands for each element in the other environment, where that is not itself.
    fn played(&self, old: &[&Value<'_>], new: &[&Value<'_>]) -> Vec<Option<Value<'static>>> {
        let Some(roles) = self.terms.roles else { return vec![None; old.len()] };
        let kept: HashSet<String> = new.iter().map(|item| canonical::text(item)).collect();
        let key = self.key();
        let play = |item: &&Value<'_>| {
            if kept.contains(&canonical::text(item)) { None } else { roles.value(item, key) }
        };
        old.iter().map(play).collect()
    }

    fn is_set(&self) -> bool {
        let Terms { kind, field, schema, .. } = self.terms;
        match (field, self.embedded) {
            (Field::Attributes, 0) => {
                schema.is_some_and(|schema| schema.is_set(&self.path))
                    || unordered::is_set(kind, &self.path)
            }
            (Field::Attributes, _) => unordered::is_set_of_policy(&self.path),
            _ => false,
        }
    }

    /// Reads two strings as documents, if both hold one and of the same kind.
    fn documents<'s>(&self, before: &'s str, after: &'s str) -> Option<(Value<'s>, Value<'s>)> {
        if self.embedded < MAX_EMBEDDED { embedded::pair(before, after) } else { None }
    }

    /// Compares the documents that two strings hold.
    fn inside(&mut self, (before, after): (&Value<'_>, &Value<'_>), strings: (Side<'_>, Side<'_>)) {
        let mut secrets = suspects(before);
        secrets.extend(suspects(after));
        let told = self.changes.len();
        self.embedded += 1;
        self.masked(before, after, &secrets);
        self.embedded -= 1;
        if self.changes.len() == told {
            self.emit_as(Some(Quiet::Formatting), Some(strings.0), Some(strings.1));
        }
    }

    /// Compares what is told as a whole: scalars, and secrets of any kind.
    fn leaves(&mut self, before: Side<'_>, after: Side<'_>) {
        if self.same(before.raw, after.raw) {
            return;
        }
        let play = |roles: &Roles| roles.match_up((before.raw, after.raw), self.key());
        let plays = self.terms.roles.is_some_and(play);
        let quiet = if plays { by_role(before, after) } else { None };
        self.emit_as(quiet, Some(before), Some(after));
    }

    /// Returns the key that the present value stands under, whatever lists are between them.
    fn key(&self) -> &str {
        self.path.steps().iter().rev().find_map(unordered::name).unwrap_or(self.name)
    }

    fn same(&self, a: &Value<'_>, b: &Value<'_>) -> bool {
        let flat = || self.terms.spelling == Spelling::Flat && a.scalar_text() == b.scalar_text();
        match (a, b) {
            (Value::String(a), Value::String(b)) if a != b => {
                self.documents(a, b).is_some_and(|(a, b)| a.same(&b))
            }
            (Value::Array(_) | Value::Object(_), _) => a.same(b),
            _ => a.same(b) || (a.scalar_text().is_some() && flat()),
        }
    }

    /// Returns whether a value says no more than its absence.
    ///
    /// Terraform reads an attribute that is not there as null. Deeper it can't be known without
    /// the schema: a map may hold a null.
    fn is_void(&self, value: &Value<'_>) -> bool {
        let is_attribute = self.terms.field == Field::Attributes
            && self.embedded == 0
            && matches!(self.path.steps(), [Step::Key(_)]);
        let spelling = self.terms.spelling;
        match value {
            Value::Null => is_attribute || spelling == Spelling::Flat,
            Value::String(text) => spelling == Spelling::Flat && text.is_empty(),
            Value::Array(items) => spelling == Spelling::Flat && items.is_empty(),
            Value::Object(members) => spelling == Spelling::Flat && members.is_empty(),
            Value::Bool(_) | Value::Number(_) | Value::Sensitive => false,
        }
    }

    fn emit(&mut self, before: Option<Side<'_>>, after: Option<Side<'_>>) {
        self.emit_as(None, before, after);
    }

    fn emit_as(&mut self, quiet: Option<Quiet>, before: Option<Side<'_>>, after: Option<Side<'_>>) {
        let hidden = [before, after].into_iter().flatten().any(Side::is_hidden);
        let show = |side: Option<Side<'_>>| {
            side.map(|side| match side.raw {
                Value::Null => Value::Null,
                _ if hidden => Value::Sensitive,
                _ if self.terms.reveal == Reveal::Yes => side.shown.clone().into_owned(),
                _ => self.concealed(side.shown),
            })
        };
        let (before, after) = (show(before), show(after));
        // One side's secret can be in the open on the other, and no less secret there.
        let (before, after) = match (before, after) {
            (Some(Value::Sensitive), Some(after)) => (Some(Value::Sensitive), Some(veiled(after))),
            (Some(before), Some(Value::Sensitive)) => {
                (Some(veiled(before)), Some(Value::Sensitive))
            }
            sides => sides,
        };
        let (field, path) = (self.terms.field, self.path.clone());
        self.changes.push(Change { field, path, before, after, quiet });
    }

    /// Copies a value without the strings that hold a known secret or a document with secrets.
    fn concealed(&self, value: &Value<'_>) -> Value<'static> {
        match value {
            Value::String(text) if self.is_telling(text) => Value::Sensitive,
            Value::Array(items) => {
                Value::Array(items.iter().map(|item| self.concealed(item)).collect())
            }
            Value::Object(members) => Value::Object(
                members
                    .iter()
                    .map(|(key, inner)| (key.clone().into_owned().into(), self.concealed(inner)))
                    .collect(),
            ),
            leaf => leaf.clone().into_owned(),
        }
    }

    fn is_telling(&self, text: &str) -> bool {
        self.known.iter().any(|secret| text.contains(secret.as_str())) || embeds_secret(text)
    }
}

/// Returns why two values that play the same role are quiet. Secrets are not: that one is the
/// other but for the environment would say what is in them.
fn by_role(before: Side<'_>, after: Side<'_>) -> Option<Quiet> {
    let hidden = [before, after].into_iter().any(|side| holds_mask(side.shown));
    (!hidden).then_some(Quiet::Role)
}

type Members<'v> = BTreeMap<&'v str, (Option<Side<'v>>, Option<Side<'v>>)>;

/// Pairs the members that only one side has, where one key stands for the other.
fn match_keys(members: &mut Members<'_>, roles: &Roles) {
    let gone: Vec<(&str, String)> = members
        .iter()
        .filter(|(_, (_, after))| after.is_none())
        .map(|(key, _)| (*key, roles.text(key).into_owned()))
        .collect();
    for (old, new) in gone {
        let came = members.get(new.as_str()).is_some_and(|(before, _)| before.is_none());
        let before = if came { members.remove(old).and_then(|(before, _)| before) } else { None };
        if let Some(sides) = members.get_mut(new.as_str()).filter(|_| before.is_some()) {
            sides.0 = before;
        }
    }
}

fn holds_mask(value: &Value<'_>) -> bool {
    match value {
        Value::Sensitive => true,
        Value::Array(items) => items.iter().any(holds_mask),
        Value::Object(members) => members.iter().any(|(_, value)| holds_mask(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// Masks a value whose counterpart is masked.
fn veiled(value: Value<'static>) -> Value<'static> {
    if value == Value::Null { value } else { Value::Sensitive }
}

/// Finds what looks secret in a value of which nothing is declared.
pub(super) fn suspects(value: &Value<'_>) -> Secrets {
    Secrets::of_attributes("", value, &[])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Shows each difference between two attribute objects as `path: before -> after`.
    fn shown(before: &str, after: &str, (declared, reveal): (&[&str], Reveal)) -> Vec<String> {
        let (before, after) =
            (Value::parse(before.as_bytes()).unwrap(), Value::parse(after.as_bytes()).unwrap());
        let paths: Vec<Path> = declared.iter().map(|path| Path::parse(path).unwrap()).collect();
        let secrets = |value: &Value<'_>| {
            let own: Vec<Path> =
                paths.iter().filter(|path| value.at(path).is_some()).cloned().collect();
            Secrets::of_attributes("x", value, &own)
        };
        let (mut secrets, others) = (secrets(&before), secrets(&after));
        secrets.extend(others);
        let (field, spelling) = (Field::Attributes, Spelling::Typed);
        let changes = compare(
            &before,
            &after,
            Terms {
                kind: "aws_x",
                field,
                spelling,
                reveal,
                secrets: &secrets,
                schema: None,
                roles: None,
            },
        );
        let told = changes.iter().filter(|change| change.quiet.is_none());
        let json = |side: &Option<Value<'_>>| match side {
            Some(Value::Sensitive) => String::from("?"),
            Some(value) => value.to_json(),
            None => String::new(),
        };
        let show = |change: &Change| {
            format!("{}: {} -> {}", change.path_text(), json(&change.before), json(&change.after))
        };
        told.map(show).collect()
    }

    fn open(before: &str, after: &str) -> String {
        shown(before, after, (&[], Reveal::No)).join("; ")
    }

    fn hidden(before: &str, after: &str, declared: &[&str]) -> String {
        shown(before, after, (declared, Reveal::No)).join("; ")
    }

    #[test]
    fn each_difference_has_its_path() {
        for (before, after, changes) in [
            (r#"{"a":1}"#, r#"{"a":2}"#, "a: 1 -> 2"),
            (r#"{"a":"1"}"#, r#"{"a":1}"#, r#"a: "1" -> 1"#),
            (r#"{"a":null}"#, r#"{"a":""}"#, r#"a: null -> """#),
            (r#"{"t":{"env":"dev"}}"#, r#"{"t":{"env":"prod"}}"#, r#"t.env: "dev" -> "prod""#),
            (r#"{"t":{}}"#, r#"{"t":{"a.b":"x"}}"#, r#"t["a.b"]:  -> "x""#),
            (r#"{"t":{"a":"x"}}"#, r#"{"t":{}}"#, r#"t.a: "x" -> "#),
            (r#"{"t":{}}"#, r#"{"t":[]}"#, "t: {} -> []"),
            (r#"{"l":["a"]}"#, r#"{"l":["a","b"]}"#, r#"l[1]:  -> "b""#),
            (r#"{"l":["a","b"]}"#, r#"{"l":["b"]}"#, r#"l[0]: "a" -> "#),
            (
                r#"{"in":[{"port":80,"p":"tcp"},{"port":90,"p":"tcp"}]}"#,
                r#"{"in":[{"port":80,"p":"tcp"},{"port":91,"p":"tcp"}]}"#,
                "in[1].port: 90 -> 91",
            ),
            (
                r#"{"input":{"type":["object",{"sha":"string"}],"value":{"sha":"a"}}}"#,
                r#"{"input":{"type":["object",{"sha":"string"}],"value":{"sha":"b"}}}"#,
                r#"input.value.sha: "a" -> "b""#,
            ),
            (
                r#"{"n":12345678901234567890.10}"#,
                r#"{"n":12345678901234567890.2}"#,
                "n: 12345678901234567890.10 -> 12345678901234567890.2",
            ),
        ] {
            assert_eq!(open(before, after), changes, "{before} {after}");
            assert_eq!(open(before, before), "");
        }
    }

    #[test]
    fn another_spelling_is_no_difference() {
        for (before, after) in [
            (r#"{"a":1,"b":2}"#, r#"{"b":2,"a":1}"#),
            (r#"{"n":[1.50,1E5]}"#, r#"{"n":[1.5,100000]}"#),
            (r#"{"s":"\u00e9"}"#, r#"{"s":"é"}"#),
            (r#"{"p":"{\"a\":[1,2]}"}"#, r#"{"p":" { \"a\" : [1, 2.0] }\n"}"#),
            (r#"{"a":1,"a":2}"#, r#"{"a":2}"#),
            // Terraform reads an attribute that is not there as null.
            (r#"{"a":null}"#, "{}"),
        ] {
            assert_eq!(open(before, after), "", "{before} {after}");
            assert_eq!(open(after, before), "", "{after} {before}");
        }
        assert_eq!(open(r#"{"m":{"a":null}}"#, r#"{"m":{}}"#), "m.a: null -> ");
    }

    #[test]
    fn a_string_that_holds_a_document_is_compared_as_one() {
        let policy = |effect: &str| {
            format!(r#"{{"policy":"{{\"Statement\":[{{\"Effect\":\"{effect}\"}}]}}"}}"#)
        };
        let changes = r#"policy.Statement[0].Effect: "Allow" -> "Deny""#;
        assert_eq!(open(&policy("Allow"), &policy("Deny")), changes);
        // Where only one side is a document, or they are of two kinds, they are strings.
        assert_eq!(open(r#"{"p":"{}"}"#, r#"{"p":"x"}"#), r#"p: "{}" -> "x""#);
        assert_eq!(open(r#"{"p":"{}"}"#, r#"{"p":"[]"}"#), r#"p: "{}" -> "[]""#);
    }

    #[test]
    fn yaml_in_a_string_is_compared_as_a_document() {
        let state =
            |yaml: &str| format!(r#"{{"values":[{}]}}"#, Value::String(yaml.into()).to_json());
        let (before, after) =
            ("a: 1\nl: [x]\npassword: S3CR3T-1\n", "a: 2\nl:\n- x\n- y\npassword: S3CR3T-2\n");
        let changes = open(&state(before), &state(after));
        assert_eq!(
            changes,
            r#"values[0].a: 1 -> 2; values[0].l[1]:  -> "y"; values[0].password: ? -> ?"#
        );
        assert_eq!(open(&state(before), &state(&before.replace("a: 1", "a:   1 # one"))), "");
        // A document with a secret in it stays hidden where the other side is none.
        assert_eq!(open(&state(before), &state("text")), "values[0]: ? -> ?");
        assert_eq!(
            open(&state("a: 1\nb: 2\n"), &state("text")),
            r#"values[0]: "a: 1\nb: 2\n" -> "text""#
        );
    }

    #[test]
    fn another_layout_of_a_document_is_quiet() {
        let quiet = |before: &str, after: &str| {
            let value = |text: &str| {
                Value::Object(vec![("p".into(), Value::String(text.to_owned().into()))])
            };
            let (kind, field, spelling) = ("x", Field::Attributes, Spelling::Typed);
            let (secrets, reveal, schema, roles) = (&Secrets::default(), Reveal::No, None, None);
            let terms = Terms { kind, field, spelling, reveal, secrets, schema, roles };
            compare(&value(before), &value(after), terms).remove(0).quiet
        };
        assert_eq!(quiet(r#"{"a":[1]}"#, "{ \"a\": [1] }"), Some(Quiet::Formatting));
        assert_eq!(quiet("a: 1\nb: 2\n", "b: 2\na: 1\n"), Some(Quiet::Formatting));
        assert_eq!(quiet("a: 1\nb: 2\n", "a: 1\nb: 3\n"), None);
    }

    #[test]
    fn elements_of_a_set_are_told_by_content_and_not_by_place() {
        let (before, after) = (r#"{"subnet_ids":["a","b"]}"#, r#"{"subnet_ids":["c","b","a"]}"#);
        assert_eq!(open(before, after), r#"subnet_ids[0]:  -> "c""#);
        let (before, after) = (r#"{"layers":["a","b"]}"#, r#"{"layers":["b","a"]}"#);
        assert!(!open(before, after).is_empty());
        let policy = |actions: &str| {
            format!(r#"{{"policy":"{{\"Statement\":[{{\"Action\":[{actions}]}}]}}"}}"#)
        };
        let (before, after) = (policy(r#"\"a\",\"b\""#), policy(r#"\"b\",\"a\",\"c\""#));
        assert_eq!(open(&before, &after), r#"policy.Statement[0].Action[2]:  -> "c""#);
    }

    #[test]
    fn secrets_are_told_to_have_changed_and_no_more() {
        assert_eq!(hidden(r#"{"a":"S3CR3T"}"#, r#"{"a":"S3CR3T-2"}"#, &["a"]), "a: ? -> ?");
        assert_eq!(hidden(r#"{"a":null}"#, r#"{"a":"S3CR3T"}"#, &["a"]), "a: null -> ?");
        assert_eq!(hidden("{}", r#"{"a":"S3CR3T"}"#, &["a"]), "a:  -> ?");
        assert_eq!(hidden(r#"{"a":["S3CR3T","x"]}"#, r#"{"a":["x"]}"#, &["a"]), "a: ? -> ?");
        assert_eq!(hidden(r#"{"a":["x",{"b":1}]}"#, r#"{"a":["x",{"b":2}]}"#, &["a"]), "a: ? -> ?");
        assert_eq!(hidden(r#"{"a":"S3CR3T"}"#, r#"{"a":"S3CR3T"}"#, &["a"]), "");
        let revealed = shown(r#"{"a":"S3CR3T"}"#, r#"{"a":"x"}"#, (&["a"], Reveal::Yes));
        assert_eq!(revealed, [r#"a: "S3CR3T" -> "x""#]);
    }

    #[test]
    fn a_secret_of_one_side_is_none_the_less_on_the_other() {
        let (before, after) =
            (r#"{"password":"S3CR3T-1","note":"-"}"#, r#"{"note":"it was S3CR3T-1"}"#);
        assert_eq!(hidden(before, after, &[]), "note: ? -> ?; password: ? -> ");
        let (before, after) = (r#"{"l":["a","S3CR3T-1"]}"#, r#"{"l":["S3CR3T-1"]}"#);
        assert!(!hidden(before, after, &["l[1]"]).contains("S3CR3T"));
    }

    #[test]
    fn secrets_inside_a_document_in_a_string_are_masked() {
        let document = |user: &str, password: &str| {
            format!(r#"{{"p":"{{\"user\":\"{user}\",\"password\":\"{password}\"}}"}}"#)
        };
        let changes = open(&document("a", "S3CR3T-1"), &document("b", "S3CR3T-2"));
        assert_eq!(changes, r#"p.password: ? -> ?; p.user: "a" -> "b""#);
        assert_eq!(open(r#"{"p":"x"}"#, &document("b", "S3CR3T-2")), "p: ? -> ?");
    }
}
