//! The record of a backend: what `terraform init` leaves in `.terraform/terraform.tfstate`.
//!
//! It is no state, though it says `"version": 3`. Terraform writes all settings of the backend's
//! type, those that are not set as null; what came from the environment is not in it. OpenTofu and
//! older versions of Terraform write `serial`, `lineage` and an empty module besides.

use std::path::Path;

use super::configured::Configured;
use crate::state::value::Value;
use crate::store::Error;

/// The members that can hold a backend: today's, that of pluggable state stores, and the one from
/// before Terraform 0.9.
const MEMBERS: [&str; 3] = ["backend", "state_store", "remote"];

/// Returns the backend that a record names; nothing where it names none.
///
/// # Errors
///
/// [`Error::Record`] for what Terraform would not read either. The causes are left out on purpose:
/// a record holds secrets, and its text is not ours to show.
pub(in crate::store) fn parse(path: &Path, text: &[u8]) -> Result<Option<Configured>, Error> {
    let invalid = |problem| Error::Record { path: path.to_owned(), problem };
    let record = Value::parse(text).map_err(|_| invalid("it is not valid JSON"))?;
    match record.get("version") {
        Some(Value::Number(version)) if version == "3" => {}
        Some(Value::Number(version)) if version == "4" => {
            return Err(invalid("it is a state, not a record of a backend"));
        }
        _ => return Err(invalid("its version is not 3")),
    }
    Ok(MEMBERS.into_iter().find_map(|member| configured(&record, member)))
}

fn configured(record: &Value<'_>, member: &str) -> Option<Configured> {
    let backend = record.get(member)?;
    let Some(Value::String(kind)) = backend.get("type") else { return None };
    let kind = match (member, kind.as_ref()) {
        (_, "") => return None,
        ("backend", kind) => kind,
        ("remote", kind) => before_0_9(kind),
        // A pluggable store is run by a provider, whatever it is called.
        (_, kind) => &format!("state_store {kind}"),
    };
    let config = backend.get("config").cloned().unwrap_or(Value::Null).into_owned();
    Some(Configured::of(kind.to_owned(), config))
}

/// Returns today's name of a kind of remote state, where its settings have kept their meaning.
fn before_0_9(kind: &str) -> &str {
    match kind {
        "azure" => "azurerm",
        "_local" => "local",
        // It named the object, and not the folder of several.
        "gcs" => "gcs of Terraform 0.8",
        other => other,
    }
}
