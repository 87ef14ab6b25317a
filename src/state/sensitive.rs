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

use std::borrow::Cow;

use super::document::{Instance, Output};
use super::embedded;
use super::path::{Path, Step};
use super::scan::SyntaxError;
use super::value::Value;

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

/// Attributes that hold secrets whatever they are called, by the type of their resource.
fn well_known(kind: &str) -> &'static [&'static str] {
    match kind {
        "random_password" => &["result", "bcrypt_hash"],
        "tls_private_key" => &["private_key_pem", "private_key_openssh", "private_key_pem_pkcs8"],
        "aws_iam_access_key" => &["secret", "ses_smtp_password_v4"],
        "aws_secretsmanager_secret_version" => &["secret_string", "secret_binary"],
        "aws_ssm_parameter" | "azurerm_key_vault_secret" | "azuread_application_password" => {
            &["value"]
        }
        "google_service_account_key" => &["private_key"],
        "google_secret_manager_secret_version" => &["secret_data"],
        "vault_generic_secret" | "vault_kv_secret" | "vault_kv_secret_v2" => &["data", "data_json"],
        "kubernetes_secret" | "kubernetes_secret_v1" => &["data", "binary_data"],
        "local_sensitive_file" => &["content", "content_base64"],
        "github_actions_secret" => &["plaintext_value", "encrypted_value"],
        _ => &[],
    }
}

/// Returns whether people give this name to secrets: `db_password`, `apiKey`, `client_secret`.
fn is_secret_name(name: &str) -> bool {
    const ENDS: [&str; 24] = [
        "password",
        "passwd",
        "passphrase",
        "secret",
        "secretkey",
        "secretstring",
        "secretaccesskey",
        "clientsecret",
        "privatekey",
        "privatekeypem",
        "token",
        "apikey",
        "accesskey",
        "accountkey",
        "primarykey",
        "secondarykey",
        "clientkey",
        "clientkeydata",
        "masterkey",
        "connectionstring",
        "credentials",
        "kubeconfig",
        "kubeconfigraw",
        "authkey",
    ];
    let plain: String =
        name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    ENDS.iter().any(|end| plain.ends_with(end))
}

/// Returns whether a value under a secret name is a secret and not a switch or an empty default.
fn is_worth_hiding(value: &Value<'_>) -> bool {
    match value {
        Value::String(text) => {
            !text.is_empty() && !matches!(text.as_ref(), "true" | "false" | "none")
        }
        Value::Array(_) | Value::Object(_) | Value::Number(_) => true,
        Value::Null | Value::Bool(_) | Value::Sensitive => false,
    }
}

/// Returns whether text is a credential by its looks.
fn looks_secret(text: &str) -> bool {
    const STARTS: [&str; 7] =
        ["AGE-SECRET-KEY-", "ghp_", "github_pat_", "glpat-", "xoxb-", "xoxp-", "hvs."];
    let token = || {
        let mut parts = text.split('.');
        let head = |part: Option<&str>| part.is_some_and(|part| part.starts_with("eyJ"));
        text.len() > 40 && head(parts.next()) && head(parts.next()) && parts.count() == 1
    };
    text.contains("PRIVATE KEY-----")
        || STARTS.iter().any(|start| text.starts_with(start))
        || token()
}

/// How deep documents are looked for inside documents; what is deeper counts as secret.
const MAX_EMBEDDED: usize = 4;

/// How many times its length is read of a string in search of documents inside documents, since
/// aliases of YAML multiply them; what is left over counts as secret.
const MAX_READINGS: usize = 8;

/// Returns whether text is a document that has a secret in it, also where the document stands in
/// another one, or has a line that gives a value to a name that people give to secrets.
///
/// The lines count where text is no document that can be read, for it may be a template of one,
/// too large, or have a key twice.
pub(crate) fn embeds_secret(text: &str) -> bool {
    let mut left = text.len().saturating_mul(MAX_READINGS);
    embeds_within(text, MAX_EMBEDDED, &mut left)
}

fn embeds_within(text: &str, depth: usize, left: &mut usize) -> bool {
    let Some(rest) = left.checked_sub(text.len()) else { return true };
    *left = rest;
    let Some(document) = embedded::parse(text) else { return text.lines().any(assigns_secret) };
    let Some(deeper) = depth.checked_sub(1) else { return true };
    let mut found = !Secrets::default().with_suspects(&document).is_empty();
    walk(&document, &mut Path::root(), &mut |_, leaf| {
        found = found || leaf.as_str().is_some_and(|text| embeds_within(text, deeper, left));
    });
    found
}

/// Returns whether a line is `NAME: VALUE` with a name that people give to secrets.
fn assigns_secret(line: &str) -> bool {
    let Some((name, value)) = line.split_once(':') else { return false };
    let name = name.trim_start_matches(['-', ' ', '\t']).trim_end().trim_matches(['"', '\'']);
    let value = value.strip_prefix([' ', '\t']).map(|value| value.trim().trim_matches(['"', '\'']));
    let is_value = |value: &str| {
        !matches!(value, "" | "null" | "~" | "[]" | "{}") && !value.starts_with(['#', '&', '*'])
    };
    let is_name = !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c == '#');
    is_name
        && value.is_some_and(|it| is_value(it) && is_worth_hiding(&Value::String(it.into())))
        && is_secret_name(name)
}

/// Returns the value of a `{name, value}` pair, such as a variable of an environment, whose name
/// is one that people give to secrets.
fn named_value<'v, 'a>(members: &'v [(Cow<'a, str>, Value<'a>)]) -> Option<&'v Value<'a>> {
    let member = |name: &str| members.iter().rev().find(|(key, _)| key == name).map(|(_, v)| v);
    let name = member("name").or_else(|| member("key"))?.as_str()?;
    member("value").filter(|value| is_secret_name(name) && is_worth_hiding(value))
}

/// Returns the members in which a manifest of Kubernetes keeps the data of a `Secret`.
fn data_of_secret<'v, 'a>(
    members: &'v [(Cow<'a, str>, Value<'a>)],
) -> impl Iterator<Item = (&'v str, &'v Value<'a>)> {
    let is_secret =
        members.iter().any(|(key, value)| key == "kind" && value.as_str() == Some("Secret"));
    let holds = |key: &str| matches!(key, "data" | "stringData");
    let data = members.iter().filter(move |(key, _)| is_secret && holds(key));
    data.filter(|(_, value)| is_worth_hiding(value)).map(|(key, value)| (&**key, value))
}

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
mod tests {
    use super::*;
    use crate::state::document::Document;

    fn masked(kind: &str, attributes: &str, declared: &[&str]) -> String {
        let value = Value::parse(attributes.as_bytes()).unwrap();
        let declared: Vec<Path> = declared.iter().map(|path| Path::parse(path).unwrap()).collect();
        Secrets::of_attributes(kind, &value, &declared).mask(value).to_json()
    }

    #[test]
    fn declared_paths_are_masked_and_null_stays() {
        let shown = masked("acme_host", r#"{"a":{"b":["x","y"]},"c":null}"#, &["a.b[1]", "c"]);
        assert_eq!(shown, r#"{"a":{"b":["x",{"sensitive":true}]},"c":null}"#);
    }

    #[test]
    fn a_path_steps_over_the_wrapper_of_a_dynamic_attribute() {
        let attributes = r#"{"input":{"value":{"pin":"1234"},"type":["object",{"pin":"string"}]}}"#;
        let shown = masked("terraform_data", attributes, &["input.pin"]);
        assert!(!shown.contains("1234"), "{shown}");
        assert!(shown.contains(r#""type":["object""#), "{shown}");
    }

    #[test]
    fn a_path_that_leads_into_a_set_masks_the_set() {
        assert_eq!(
            masked("x", r#"{"s":["p"],"t":1}"#, &["s.p"]),
            r#"{"s":{"sensitive":true},"t":1}"#
        );
    }

    #[test]
    fn each_of_several_equal_keys_is_masked() {
        let shown = masked("x", r#"{"password":"first1","password":"second"}"#, &["password"]);
        assert!(!shown.contains("first1") && !shown.contains("second"), "{shown}");
    }

    #[test]
    fn each_secret_is_told_once_and_where_it_is() {
        let value = Value::parse(br#"{"a":{"b":"x"},"c":"y","d":null}"#).unwrap();
        let declared = ["a.b", "c", "a", "d", "e"].map(|path| Path::parse(path).unwrap());
        let secrets = Secrets::of_attributes("x", &value, &declared);
        let paths: Vec<String> = secrets.paths(&value).iter().map(ToString::to_string).collect();
        assert_eq!(paths, ["a", "c"]);
    }

    #[test]
    fn a_path_to_nothing_masks_nothing() {
        assert_eq!(masked("x", r#"{"a":"plain"}"#, &["gone.b", "a2"]), r#"{"a":"plain"}"#);
    }

    #[test]
    fn well_known_attributes_need_no_declaration() {
        assert!(
            !masked("random_password", r#"{"result":"hunter22","length":8}"#, &[])
                .contains("hunter22")
        );
        for name in ["password", "db_password", "apiKey", "client_secret", "auth-token"] {
            let attributes = format!(r#"{{"{name}":"hunter22"}}"#);
            assert!(!masked("x", &attributes, &[]).contains("hunter22"), "{name}");
        }
        for name in ["password_length", "secret_id", "token_ttl", "key_name"] {
            let attributes = format!(r#"{{"{name}":"hunter22"}}"#);
            assert!(masked("x", &attributes, &[]).contains("hunter22"), "{name}");
        }
    }

    #[test]
    fn a_secret_is_masked_wherever_the_same_object_repeats_it() {
        let attributes = r#"{"input":"hunter22","output":"hunter22","url":"https://u:hunter22@h"}"#;
        assert!(!masked("terraform_data", attributes, &["input"]).contains("hunter22"));
    }

    #[test]
    fn keys_and_tokens_are_told_by_their_looks() {
        let pem = r#"{"body":"-----BEGIN RSA PRIVATE KEY-----\nabc"}"#;
        assert_eq!(masked("x", pem, &[]), r#"{"body":{"sensitive":true}}"#);
    }

    #[test]
    fn names_that_only_speak_of_secrets_hide_nothing() {
        for name in [
            "public_key",
            "token_type",
            "secret_name",
            "secret_arn",
            "kms_key_id",
            "access_key_id",
            "password_policy",
            "ssh_key_name",
            "password_expiry_days",
        ] {
            assert!(!is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn lists_and_numbers_under_a_secret_name_are_masked() {
        let shown = masked("x", r#"{"token":["one","two"],"pin_password":123456}"#, &[]);
        assert!(!shown.contains("one") && !shown.contains("123456"), "{shown}");
    }

    #[test]
    fn a_block_under_a_secret_name_is_masked_by_the_names_in_it() {
        let attributes = r#"{"secret":[{"secret_name":"plain","password":"hunter22"}]}"#;
        let expected = r#"{"secret":[{"secret_name":"plain","password":{"sensitive":true}}]}"#;
        assert_eq!(masked("x", attributes, &[]), expected);
    }

    #[test]
    fn a_variable_with_a_secret_name_is_masked() {
        let attributes =
            r#"{"env":[{"name":"DB_PASSWORD","value":"hunter22"},{"name":"HOST","value":"h"}]}"#;
        let expected = r#"{"env":[{"name":"DB_PASSWORD","value":{"sensitive":true}},{"name":"HOST","value":"h"}]}"#;
        assert_eq!(masked("x", attributes, &[]), expected);
    }

    #[test]
    fn json_in_a_string_is_masked_where_it_has_a_secret() {
        let document =
            instance_of(r#""attributes":{"a":"{\"password\":\"p\"}","b":"{\"c\":\"p\"}"}"#);
        let shown = document.instance(0).shown_attributes(Reveal::No).unwrap().to_json();
        assert_eq!(shown, r#"{"a":{"sensitive":true},"b":"{\"c\":\"p\"}"}"#);
    }

    #[test]
    fn text_is_masked_where_it_is_yaml_with_a_secret_in_it_or_nearly_so() {
        for text in [
            "users:\n- name: a\n  user:\n    client-key-data: S3CR3T\n",
            "image: x\nauth:\n  password: S3CR3T\n",
            "#cloud-config\nchpasswd:\n  password: S3CR3T\n",
            "kind: Secret\nstringData:\n  plain: S3CR3T\n",
            "env:\n- name: API_TOKEN\n  value: S3CR3T\n",
            "write_files:\n- path: x\n  content: |\n    a: 1\n    password: S3CR3T\n",
            "write_files:\n- content: '{\"password\": \"S3CR3T\"}'\n- b\n",
            "a: 1\n---\nb: 2\npassword: S3CR3T\n",
            // What is no YAML, or not yet.
            "\"password\": \"S3CR3T\"\n",
            "password: S3CR3T\npassword: S3CR3T\n",
            "{{ if x }}\npassword: S3CR3T\n{{ end }}\n",
            "#!/bin/sh\ncat > x <<EOF\n  - password: 'S3CR3T'\nEOF\n",
        ] {
            assert!(embeds_secret(text), "{text}");
            let attributes = Value::Object(vec![("a".into(), Value::String(text.into()))]);
            let shown = Secrets::default().with_embedded(&attributes).mask(attributes).to_json();
            assert_eq!(shown, r#"{"a":{"sensitive":true}}"#, "{text}");
        }
        let large = format!("a: {}\npassword: S3CR3T\n", "x".repeat(2 << 20));
        assert!(embeds_secret(&large));
    }

    #[test]
    fn text_that_only_speaks_of_secrets_is_shown() {
        for text in [
            "image: x\nsecretName: tls\npassword: \n",
            "image: x\npassword: ~\ntoken: false\n",
            "Reset your password: see the wiki\nAnd then: go on\n",
            "https://token:443/\nand more\n",
            "token: *anchor\n# password: none of it\n",
            "kind: ConfigMap\ndata:\n  a: b\n",
        ] {
            assert!(!embeds_secret(text), "{text}");
        }
    }

    #[test]
    fn documents_inside_documents_end_somewhere_and_what_is_deeper_counts_as_secret() {
        let inside = |text: String| Value::Array(vec![Value::String(text.into())]).to_json();
        let shallow = inside(inside(String::from("x")));
        assert!(!embeds_secret(&shallow));
        assert!(embeds_secret(&(0..4).fold(shallow, |text, _| inside(text))));
        let again = "- *x\n".repeat(200);
        assert!(embeds_secret(&format!(
            "- k: &x |\n    a: {}\n    b: 1\n{again}",
            "y".repeat(1000)
        )));
    }

    #[test]
    fn a_secret_is_masked_where_it_is_a_key_or_stands_escaped_in_json() {
        let attributes =
            r#"{"pin":"hun\"ter22","m":{"hun\"ter22":1},"j":"{\"x\":\"hun\\\"ter22\"}","k":1}"#;
        let shown = masked("x", attributes, &["pin"]);
        assert_eq!(shown.matches("sensitive").count(), 3, "{shown}");
        assert!(!shown.contains("ter22"), "{shown}");
    }

    #[test]
    fn a_secret_under_the_first_of_two_equal_keys_is_masked_where_it_repeats() {
        let attributes = r#"{"pin":"hunter22","pin":"other","url":"x-hunter22"}"#;
        assert!(!masked("x", attributes, &["pin"]).contains("hunter22"));
    }

    fn instance_of(fields: &str) -> Document {
        let state = format!(
            r#"{{"version":4,"resources":[{{"mode":"managed","type":"t","name":"n","instances":[{{{fields}}}]}}]}}"#
        );
        Document::parse(state.into_bytes()).unwrap()
    }

    #[test]
    fn an_id_that_is_a_secret_is_masked_however_that_is_known() {
        let declared = r#""sensitive_attributes":[[{"type":"get_attr","value":"pin"}]]"#;
        for fields in [
            r#""attributes":{"id":"hunter22","password":"hunter22"}"#.to_owned(),
            r#""attributes":{"ID":"glpat-hunter22"}"#.to_owned(),
            r#""attributes_flat":{"id":"hunter22","password":"hunter22"}"#.to_owned(),
            format!(
                r#""attributes":{{"id":"hunter22","pin":"hunter22","bad":"\ud800"}},{declared}"#
            ),
            r#""attributes":{"id":"hunter22"},"sensitive_attributes":[[]]"#.to_owned(),
        ] {
            let document = instance_of(&fields);
            let instance = document.instance(0);
            assert_eq!(instance.shown_id(Reveal::No), Some(Value::Sensitive), "{fields}");
            assert!(instance.shown_id(Reveal::Yes).unwrap().to_json().contains("hunter22"));
        }
        let plain = instance_of(r#""attributes":{"id":"i-0123456789","password":"hunter22"}"#);
        assert_eq!(plain.instance(0).shown_id(Reveal::No).unwrap().to_json(), "\"i-0123456789\"");
    }

    #[test]
    fn the_identity_is_masked_where_it_repeats_a_secret_of_the_attributes() {
        let document = instance_of(
            r#""attributes":{"pin":"hunter22"},"identity":{"a":"hunter22","token":"t","b":"plain"},
               "sensitive_attributes":[[{"type":"get_attr","value":"pin"}]]"#,
        );
        let shown = document.instance(0).shown_identity(Reveal::No).unwrap().to_json();
        let expected = r#"{"a":{"sensitive":true},"token":{"sensitive":true},"b":"plain"}"#;
        assert_eq!(shown, expected);
    }

    #[test]
    fn a_sensitive_output_is_masked_as_a_whole() {
        let value = Value::parse(br#"{"a":"x"}"#).unwrap();
        assert_eq!(Secrets::of_output("o", true, &value).mask(value), Value::Sensitive);
    }
}
