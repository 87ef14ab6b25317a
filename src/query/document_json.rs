//! A whole state as one JSON value, in the shape of format version 4, with its secrets masked.
//!
//! It is for reading: states of older versions come upgraded, flat attributes come expanded under
//! `attributes`, and fields that Terraform does not know are only kept inside instances.

use std::borrow::Cow;

use crate::state::document::{Document, Instance, Output, Resource};
use crate::state::parse::is_field;
use crate::state::scan::SyntaxError;
use crate::state::sensitive::Reveal;
use crate::state::value::Value;

/// A part of a state that can't be decoded.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("cannot decode `{part}`")]
pub struct Error {
    /// The address, the output, or the field of the state.
    pub part: String,
    /// What is wrong with its JSON.
    pub source: SyntaxError,
}

type Members<'a> = Vec<(Cow<'a, str>, Value<'a>)>;

/// Returns the state as one value.
pub fn of(document: &Document, reveal: Reveal) -> Result<Value<'_>, Error> {
    let mut state = vec![
        member("version", Value::Number("4".into())),
        member("terraform_version", text(document.terraform_version())),
        member("serial", Value::Number(document.serial().to_string().into())),
        member("lineage", text(document.lineage())),
    ];
    let mut outputs = Vec::new();
    for output in document.outputs() {
        outputs.push((Cow::Borrowed(output.name()), of_output(output, reveal)?));
    }
    state.push(member("outputs", Value::Object(outputs)));
    let resources: Result<_, _> =
        document.resources().map(|resource| of_resource(resource, reveal)).collect();
    state.push(member("resources", Value::Array(resources?)));
    let checks = match document.check_results() {
        Some(raw) => decode(raw, || "check_results".to_owned())?,
        None => Value::Null,
    };
    state.push(member("check_results", checks));
    Ok(Value::Object(state))
}

fn member<'a>(key: &'static str, value: Value<'a>) -> (Cow<'a, str>, Value<'a>) {
    (Cow::Borrowed(key), value)
}

fn text(text: &str) -> Value<'_> {
    Value::String(Cow::Borrowed(text))
}

fn decode(raw: &[u8], part: impl FnOnce() -> String) -> Result<Value<'_>, Error> {
    Value::parse(raw).map_err(|source| Error { part: part(), source })
}

fn of_output(output: Output<'_>, reveal: Reveal) -> Result<Value<'_>, Error> {
    let fail = |source| Error { part: format!("output.{}", output.name()), source };
    let mut members = vec![
        member("value", output.shown_value(reveal).map_err(fail)?),
        member("type", output.kind().map_err(fail)?),
    ];
    if output.is_sensitive() {
        members.push(member("sensitive", Value::Bool(true)));
    }
    if let Some(message) = output.deprecated() {
        members.push(member("deprecated", text(message)));
    }
    Ok(Value::Object(members))
}

fn of_resource(resource: Resource<'_>, reveal: Reveal) -> Result<Value<'_>, Error> {
    let mut members = Vec::new();
    if !resource.module().is_root() {
        members.push(member("module", text(resource.module_text())));
    }
    members.push(member("mode", text(resource.mode().as_str())));
    members.push(member("type", Value::String(resource.kind())));
    members.push(member("name", Value::String(resource.name())));
    if let Some(provider) = resource.provider_text() {
        members.push(member("provider", Value::String(provider)));
    }
    let instances: Result<_, _> =
        resource.instances().map(|instance| of_instance(instance, reveal)).collect();
    members.push(member("instances", Value::Array(instances?)));
    Ok(Value::Object(members))
}

fn of_instance(instance: Instance<'_>, reveal: Reveal) -> Result<Value<'_>, Error> {
    let fail = |source| Error { part: instance.address_text(), source };
    let attributes = instance.shown_attributes(reveal).map_err(fail)?;
    let members = match decode(instance.raw(), || instance.address_text())? {
        Value::Object(members) => members,
        _ => Vec::new(),
    };
    let mut members = without_attributes(members);
    members.push(member("attributes", attributes));
    if reveal == Reveal::No {
        members = masked(instance, members);
    }
    Ok(Value::Object(members))
}

/// Drops the attributes however they are spelled: Terraform reads keys in any letter case.
fn without_attributes(mut members: Members<'_>) -> Members<'_> {
    let is_attributes = |key: &str| is_field(key, "attributes") || is_field(key, "attributes_flat");
    members.retain(|(key, _)| !is_attributes(key));
    members
}

/// The fields beside the attributes whose values are no provider's: there is nothing to hide.
const PLAIN: [&str; 10] = [
    "index_key",
    "status",
    "deposed",
    "provider",
    "schema_version",
    "sensitive_attributes",
    "identity_schema_version",
    "dependencies",
    "create_before_destroy",
    "skip_destroy",
];

/// Masks what stands beside the attributes: private data as a whole, the rest by name and looks
/// and where it repeats a secret of the attributes.
fn masked<'a>(instance: Instance<'_>, members: Members<'a>) -> Members<'a> {
    let members = members.into_iter().map(|(key, value)| {
        if is_field(&key, "private") && value != Value::Null {
            return (key, Value::Sensitive);
        }
        if PLAIN.iter().any(|name| is_field(&key, name)) {
            return (key, value);
        }
        let secrets = instance.secrets_beside(&value).with_embedded(&value);
        (key, secrets.mask(value))
    });
    members.collect()
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::*;

    const STATE: &str = r#"{"version":4,"terraform_version":"1.9.0","serial":7,"lineage":"l",
      "outputs":{"o":{"value":"S3CR3T","type":"string","sensitive":true}},
      "resources":[{"module":"module.m","mode":"managed","type":"acme_db","name":"a","provider":"provider[\"registry.terraform.io/acme/acme\"]",
        "instances":[{"index_key":1,"schema_version":2,"ATTRIBUTES":{"password":"S3CR3T","n":1.50},
          "PRIVATE":"UzNDUjNU","later":{"token":"S3CR3T"},"dependencies":["acme_x.y"]}]}],
      "check_results":null}"#;

    #[test]
    fn the_state_comes_whole_with_its_secrets_masked() {
        let document = Document::parse(STATE.as_bytes().to_vec()).unwrap();
        insta::assert_snapshot!(of(&document, Reveal::No).unwrap().to_json(), @r#"{"version":4,"terraform_version":"1.9.0","serial":7,"lineage":"l","outputs":{"o":{"value":{"sensitive":true},"type":"string","sensitive":true}},"resources":[{"module":"module.m","mode":"managed","type":"acme_db","name":"a","provider":"provider[\"registry.terraform.io/acme/acme\"]","instances":[{"index_key":1,"schema_version":2,"PRIVATE":{"sensitive":true},"later":{"token":{"sensitive":true}},"dependencies":["acme_x.y"],"attributes":{"password":{"sensitive":true},"n":1.50}}]}],"check_results":null}"#);
    }

    #[test]
    fn no_secret_of_any_state_comes_out_masked() {
        let mut seen = 0;
        for path in states(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/testdata"))) {
            let bytes = std::fs::read(&path).unwrap();
            let Ok(document) = Document::parse(bytes) else { continue };
            let Ok(state) = of(&document, Reveal::No) else { continue };
            assert!(!state.to_json().contains("S3CR3T"), "{}", path.display());
            seen += 1;
        }
        assert!(seen > 50, "{seen}");
    }

    fn states(folder: &Path) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                found.extend(states(&path));
            } else if path.extension().is_some_and(|it| it == "tfstate") {
                found.push(path);
            }
        }
        found
    }

    #[test]
    fn revealed_it_has_its_secrets() {
        let document = Document::parse(STATE.as_bytes().to_vec()).unwrap();
        let json = of(&document, Reveal::Yes).unwrap().to_json();
        assert_eq!(json.matches("S3CR3T").count(), 3);
        assert!(json.contains("UzNDUjNU"));
    }

    #[test]
    fn what_can_not_be_decoded_is_named() {
        let deep = format!("{}{}", "[".repeat(1000), "]".repeat(1000));
        let document = Document::parse(STATE.replace("1.50", &deep).into_bytes()).unwrap();
        let error = of(&document, Reveal::No).unwrap_err();
        assert_eq!(error.to_string(), "cannot decode `module.m.acme_db.a[1]`");
    }
}
