//! Which values of a state are secret.
//!
//! A state holds secrets in plain text, and says only of some where they are. Secret is:
//!
//! 1. what the state's own `sensitive_attributes` name: a lower bound, since Terraform before 1.8
//!    left out what only the provider's schema declares;
//! 2. a table of well-known attributes of well-known types, and of names such as `password`;
//! 3. text that looks like a credential whatever its name: private keys, signed tokens;
//! 4. every other string of the same object that repeats one of those, as the `output` of a
//!    `terraform_data` repeats its `input`.
//!
//! Masking takes the values out of the tree, so that what is printed afterwards can't leak them.

use super::document::{Instance, Output};
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
        let mut known: Vec<&str> = Vec::new();
        for path in &self.0 {
            if let Some(secret) = value.at(path) {
                collect_strings(secret, &mut known);
            }
        }
        let mut found = Vec::new();
        walk(value, &mut Path::root(), &mut |path, leaf| {
            let Some(text) = leaf.as_str() else { return };
            if let Some(Step::Key(name)) = path.steps().last()
                && is_secret_name(name)
                && is_worth_hiding(leaf)
            {
                known.push(text);
            } else if !looks_secret(text) {
                return;
            }
            found.push(path.clone());
        });
        known.retain(|text| text.len() >= WORTH_REPEATING);
        if !known.is_empty() {
            walk(value, &mut Path::root(), &mut |path, leaf| {
                let repeats = |text: &str| known.iter().any(|secret| text.contains(secret));
                if leaf.as_str().is_some_and(repeats) {
                    found.push(path.clone());
                }
            });
        }
        self.extend(Self(found));
        self
    }
}

impl<'a> Instance<'a> {
    /// Finds the secrets among the decoded attributes of this instance.
    pub fn secrets(self, attributes: &Value<'_>) -> Secrets {
        let declared =
            if self.has_sensitive_paths() { self.details().sensitive } else { Vec::new() };
        Secrets::of_attributes(&self.resource().kind(), attributes, &declared)
    }

    /// Decodes the attributes, with the secrets taken out unless they are to be revealed.
    pub fn shown_attributes(self, reveal: Reveal) -> Result<Value<'a>, SyntaxError> {
        let attributes = self.attributes()?;
        Ok(match reveal {
            Reveal::Yes => attributes,
            Reveal::No => self.secrets(&attributes).mask(attributes),
        })
    }
}

impl<'a> Output<'a> {
    /// Decodes the value, with the secrets taken out unless they are to be revealed.
    pub fn shown_value(self, reveal: Reveal) -> Result<Value<'a>, SyntaxError> {
        let value = self.value()?;
        Ok(match reveal {
            Reveal::Yes => value,
            Reveal::No => Secrets::of_output(self.name(), self.is_sensitive(), &value).mask(value),
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
    const ENDS: [&str; 20] = [
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

fn collect_strings<'v>(value: &'v Value<'_>, out: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => out.push(text),
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

#[cfg(test)]
mod tests {
    use super::*;

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
    fn a_sensitive_output_is_masked_as_a_whole() {
        let value = Value::parse(br#"{"a":"x"}"#).unwrap();
        assert_eq!(Secrets::of_output("o", true, &value).mask(value), Value::Sensitive);
    }
}
