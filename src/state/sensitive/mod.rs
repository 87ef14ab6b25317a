//! Which values of a state are secret.
//!
//! A state holds secrets in plain text, and says only of some where they are. Secret is:
//!
//! 1. what the state's own `sensitive_attributes` name: a lower bound, since Terraform before 1.8
//!    left out what only the provider's schema declares;
//! 2. a table of well-known attributes of well-known types, and of names such as `password`, also
//!    where such a name stands beside the value, as in the variables of an environment;
//! 3. text that looks like a credential whatever its name: private keys, signed tokens;
//! 4. text that is JSON or YAML with one of those in it, or has a line that gives such a name a
//!    value, where it is neither;
//! 5. every other string or key of the same object that repeats one of those, as the `output` of a
//!    `terraform_data` repeats its `input`.
//!
//! Masking takes the values out of the tree, so that what is printed afterwards can't leak them.

mod signs;
mod texts;

use std::borrow::Cow;

use super::document::{Instance, Output};
use super::path::{Path, Step};
use super::scan::SyntaxError;
use super::value::Value;

use signs::{
    data_of_secret, is_secret_name, is_worth_hiding, looks_secret, named_value, well_known,
};
pub(crate) use texts::embeds_secret;

/// Whether secrets are shown.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Reveal {
    /// They are masked.
    #[default]
    No,
    /// They are shown, because somebody asked for it.
    Yes,
}

/// Where the secrets of one value are.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Secrets(Vec<Path>);

impl Secrets {
    /// Finds the secrets among the attributes of a resource of type `kind`.
    ///
    /// `declared` are the paths of the state's own list; they address the typed value, so a
    /// wrapper that a dynamic attribute stands in is stepped over.
    pub fn of_attributes(kind: &str, attributes: &Value<'_>, declared: &[Path]) -> Self {
        let mut secrets: Vec<Path> =
            declared.iter().filter_map(|path| resolve(attributes, path)).collect();
        secrets.extend(well_known(kind).iter().map(|name| key_path(name)));
        Self(secrets).with_suspects(attributes)
    }

    /// Finds the secrets in the value of an output.
    pub fn of_output(name: &str, sensitive: bool, value: &Value<'_>) -> Self {
        if sensitive || (is_secret_name(name) && is_worth_hiding(value)) {
            return Self(vec![Path::root()]);
        }
        Self::default().with_suspects(value)
    }

    /// Adds the strings of `value` that are a document with a secret in it.
    ///
    /// Who can show what is in such a string, such as a comparison, does without this and finds
    /// the secrets in it itself.
    #[must_use]
    pub fn with_embedded(mut self, value: &Value<'_>) -> Self {
        let mut found = Vec::new();
        walk(value, &mut Path::root(), &mut |path, leaf| {
            if leaf.as_str().is_some_and(embeds_secret) {
                found.push(path.clone());
            }
        });
        self.extend(Self(found));
        self
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns whether the value at `path` is secret or inside something secret.
    pub fn cover(&self, path: &Path) -> bool {
        self.0.iter().any(|secret| path.starts_with(secret))
    }

    /// Returns whether something at or below `path` is secret.
    pub fn touch(&self, path: &Path) -> bool {
        self.0.iter().any(|secret| secret.starts_with(path)) || self.cover(path)
    }

    /// Returns where something in `value` is secret, in order; what is inside another secret is
    /// left out, and so is `null`, in which there is nothing to hide.
    pub fn paths(&self, value: &Value<'_>) -> Vec<&Path> {
        let is_there = |path: &Path| value.at(path).is_some_and(|found| *found != Value::Null);
        let mut paths: Vec<&Path> = self.0.iter().filter(|path| is_there(path)).collect();
        paths.sort();
        // A path stands behind those that lead to what it is in.
        paths.dedup_by(|inner, outer| inner.starts_with(outer));
        paths
    }

    /// Adds the secrets that `other` knows.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
        self.0.sort();
        self.0.dedup();
    }

    /// Takes the secrets out of `value`. A `null` stays: there is nothing in it to hide.
    pub fn mask<'a>(&self, mut value: Value<'a>) -> Value<'a> {
        for path in &self.0 {
            mask_at(&mut value, path.steps());
        }
        value
    }

    fn with_suspects(mut self, value: &Value<'_>) -> Self {
        let mut known = self.texts(value);
        let mut found = Vec::new();
        walk(value, &mut Path::root(), &mut |path, leaf| {
            if name_of(path).is_some_and(is_secret_name) && is_worth_hiding(leaf) {
                known.extend(leaf.as_str().map(str::to_owned));
            } else if !leaf.as_str().is_some_and(looks_secret) {
                return;
            }
            found.push(path.clone());
        });
        walk_objects(value, &mut Vec::new(), &mut |path, object| {
            if let Some(secret) = named_value(object) {
                known.extend(secret.as_str().map(str::to_owned));
                found.push(path.iter().cloned().chain([Step::Key("value".to_owned())]).collect());
            }
            for (name, inner) in data_of_secret(object) {
                collect_strings(inner, &mut known);
                found.push(path.iter().cloned().chain([Step::Key(name.to_owned())]).collect());
            }
        });
        self.extend(Self(found));
        self.with_repeats(value, &known)
    }

    /// Adds what repeats one of the `known` secrets: strings, and objects that have one for a key.
    fn with_repeats(mut self, value: &Value<'_>, known: &[String]) -> Self {
        let known: Vec<&String> =
            known.iter().filter(|text| text.len() >= WORTH_REPEATING).collect();
        if known.is_empty() {
            return self;
        }
        // A string may be JSON that holds the secret with its quotes and line breaks escaped.
        let escaped = known.iter().map(|text| Value::String((**text).as_str().into()).to_json());
        let escaped: Vec<String> = escaped.collect();
        let repeats = |text: &str| {
            known.iter().any(|secret| text.contains(secret.as_str()))
                || escaped.iter().any(|secret| text.contains(&secret[1..secret.len() - 1]))
        };
        let mut found = Vec::new();
        walk(value, &mut Path::root(), &mut |path, leaf| {
            if leaf.as_str().is_some_and(repeats) {
                found.push(path.clone());
            }
        });
        walk_objects(value, &mut Vec::new(), &mut |path, object| {
            if object.iter().any(|(key, _)| repeats(key)) {
                found.push(path.iter().cloned().collect());
            }
        });
        self.extend(Self(found));
        self
    }

    /// Returns the strings at and below the secret paths.
    fn texts(&self, value: &Value<'_>) -> Vec<String> {
        let mut texts = Vec::new();
        for path in &self.0 {
            each_at(value, path.steps(), &mut |secret| collect_strings(secret, &mut texts));
        }
        texts
    }
}

impl<'a> Instance<'a> {
    /// Finds the secrets among the decoded attributes of this instance.
    pub fn secrets(self, attributes: &Value<'_>) -> Secrets {
        let declared =
            if self.has_sensitive_paths() { self.details().sensitive } else { Vec::new() };
        Secrets::of_attributes(&self.resource().kind(), attributes, &declared)
    }

    /// Finds the secrets in a value that stands beside the attributes, such as the identity: by
    /// name, by looks, and where it repeats a secret of the attributes.
    pub fn secrets_beside(self, value: &Value<'_>) -> Secrets {
        let suspects = Secrets::default().with_suspects(value);
        let attributes = self.attributes_raw().and_then(|raw| Value::parse_lossy(raw).ok());
        match attributes {
            Some(attributes) => {
                let known = self.secrets(&attributes).texts(&attributes);
                suspects.with_repeats(value, &known)
            }
            None => suspects,
        }
    }

    /// Decodes the identity, with the secrets taken out unless they are to be revealed.
    pub fn shown_identity(self, reveal: Reveal) -> Option<Value<'a>> {
        let identity = self.details().identity()?;
        Some(match reveal {
            Reveal::Yes => identity,
            Reveal::No => self.secrets_beside(&identity).with_embedded(&identity).mask(identity),
        })
    }

    /// Returns the attribute `id`, masked where it is a secret and not to be revealed.
    ///
    /// Where the attributes can't be decoded, there is no telling: then it is masked.
    pub fn shown_id(self, reveal: Reveal) -> Option<Value<'a>> {
        let id = self.id()?;
        let is_harmless = id.len() < WORTH_REPEATING && !self.has_sensitive_paths();
        if reveal == Reveal::Yes || is_harmless && !looks_secret(&id) {
            return Some(Value::String(id));
        }
        let attributes = self.attributes_raw().and_then(|raw| Value::parse_lossy(raw).ok());
        let Some(Value::Object(members)) = &attributes else { return Some(Value::Sensitive) };
        let secrets = attributes.as_ref().map(|all| self.secrets(all)).unwrap_or_default();
        let mut names = members.iter().map(|(name, _)| name).filter(|name| is_id(name));
        let is_secret = names.any(|name| secrets.touch(&key_path(name)));
        Some(if is_secret { Value::Sensitive } else { Value::String(id) })
    }

    /// Decodes the attributes, with the secrets taken out unless they are to be revealed.
    pub fn shown_attributes(self, reveal: Reveal) -> Result<Value<'a>, SyntaxError> {
        let attributes = self.attributes()?;
        Ok(match reveal {
            Reveal::Yes => attributes,
            Reveal::No => self.secrets(&attributes).with_embedded(&attributes).mask(attributes),
        })
    }
}

impl<'a> Output<'a> {
    /// Decodes the value, with the secrets taken out unless they are to be revealed.
    pub fn shown_value(self, reveal: Reveal) -> Result<Value<'a>, SyntaxError> {
        let value = self.value()?;
        Ok(match reveal {
            Reveal::Yes => value,
            Reveal::No => {
                let secrets = Secrets::of_output(self.name(), self.is_sensitive(), &value);
                secrets.with_embedded(&value).mask(value)
            }
        })
    }
}

/// Shorter strings repeat by chance: a port, a region, a flag.
const WORTH_REPEATING: usize = 8;

/// Returns the key that a value stands under, whatever lists are between them.
fn name_of(path: &Path) -> Option<&str> {
    path.steps().iter().rev().find_map(|step| match step {
        Step::Key(name) => Some(name.as_str()),
        Step::Index(_) => None,
    })
}

/// Returns whether an attribute is the `id` as Terraform finds it.
fn is_id(name: &str) -> bool {
    name.eq_ignore_ascii_case("id")
}

fn key_path(name: &str) -> Path {
    std::iter::once(Step::Key(name.to_owned())).collect()
}

/// Translates a path through the typed value into one through its JSON.
///
/// A set can't be stepped into: the path ends there, and the set is secret as a whole. Nothing is
/// returned where there is nothing at the path.
fn resolve(value: &Value<'_>, path: &Path) -> Option<Path> {
    let mut found = Path::root();
    let mut here = value;
    for step in path.steps() {
        if let Some(inner) = unwrapped(here) {
            found.push(Step::Key("value".to_owned()));
            here = inner;
        }
        let next = match (step, here) {
            (Step::Key(key), Value::Object(_)) => here.get(key)?,
            (Step::Index(index), Value::Array(items)) => items.get(*index)?,
            _ => break,
        };
        found.push(step.clone());
        here = next;
    }
    Some(found)
}

/// Returns the value inside the wrapper of a dynamic attribute: `{"value": …, "type": …}`.
fn unwrapped<'v, 'a>(value: &'v Value<'a>) -> Option<&'v Value<'a>> {
    let Value::Object(members) = value else { return None };
    let is_type = |kind: &Value<'_>| matches!(kind, Value::String(_) | Value::Array(_));
    if members.len() != 2 || !value.get("type").is_some_and(is_type) {
        return None;
    }
    value.get("value")
}

/// Takes out what is at a path: under each of the members, where a key stands several times.
fn mask_at(value: &mut Value<'_>, steps: &[Step]) {
    match (steps.split_first(), value) {
        (None, Value::Null) => {}
        (None, secret) => *secret = Value::Sensitive,
        (Some((Step::Key(key), rest)), Value::Object(members)) => {
            let same = members.iter_mut().filter(|(name, _)| name == key);
            same.for_each(|(_, inner)| mask_at(inner, rest));
        }
        (Some((Step::Index(index), rest)), Value::Array(items)) => {
            if let Some(item) = items.get_mut(*index) {
                mask_at(item, rest);
            }
        }
        _ => {}
    }
}

/// Calls `visit` with what is at a path: each of them, where a key stands several times.
fn each_at(value: &Value<'_>, steps: &[Step], visit: &mut impl FnMut(&Value<'_>)) {
    match (steps.split_first(), value) {
        (None, value) => visit(value),
        (Some((Step::Key(key), rest)), Value::Object(members)) => {
            let same = members.iter().filter(|(name, _)| name == key);
            same.for_each(|(_, inner)| each_at(inner, rest, visit));
        }
        (Some((Step::Index(index), rest)), Value::Array(items)) => {
            if let Some(item) = items.get(*index) {
                each_at(item, rest, visit);
            }
        }
        _ => {}
    }
}

fn collect_strings(value: &Value<'_>, out: &mut Vec<String>) {
    match value {
        Value::String(text) => out.push(text.clone().into_owned()),
        Value::Array(items) => items.iter().for_each(|item| collect_strings(item, out)),
        Value::Object(members) => members.iter().for_each(|(_, inner)| collect_strings(inner, out)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Sensitive => {}
    }
}

/// Calls `visit` with every leaf.
fn walk<'v, 'a>(
    value: &'v Value<'a>,
    path: &mut Path,
    visit: &mut impl FnMut(&Path, &'v Value<'a>),
) {
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                path.push(Step::Index(index));
                walk(item, path, visit);
                path.pop();
            }
        }
        Value::Object(members) => {
            for (key, inner) in members {
                path.push(Step::Key(key.clone().into_owned()));
                walk(inner, path, visit);
                path.pop();
            }
        }
        leaf => visit(path, leaf),
    }
}

/// Calls `visit` with the members of every object and the steps that lead to it.
fn walk_objects<'v, 'a>(
    value: &'v Value<'a>,
    path: &mut Vec<Step>,
    visit: &mut impl FnMut(&[Step], &'v [(Cow<'a, str>, Value<'a>)]),
) {
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate().filter(|(_, item)| is_container(item)) {
                path.push(Step::Index(index));
                walk_objects(item, path, visit);
                path.pop();
            }
        }
        Value::Object(members) => {
            visit(path, members);
            for (key, inner) in members.iter().filter(|(_, inner)| is_container(inner)) {
                path.push(Step::Key(key.clone().into_owned()));
                walk_objects(inner, path, visit);
                path.pop();
            }
        }
        _ => {}
    }
}

fn is_container(value: &Value<'_>) -> bool {
    matches!(value, Value::Array(_) | Value::Object(_))
}

#[cfg(test)]
mod tests;
