//! A backend as a record, a block or the command line says it is.

use std::path::PathBuf;

use super::Backend;
use super::values::{Settings, Standing};
use crate::state::value::Value;
use crate::store::Error;

/// A backend as it is configured: its type and what is said of it.
#[derive(Clone, Debug)]
pub(in crate::store) struct Configured {
    /// The type: `s3`; `cloud` for the block of that name.
    pub(in crate::store) kind: String,
    /// An object of its settings. They hold secrets.
    pub(in crate::store) config: Value<'static>,
    /// Settings whose values only a run of Terraform knows.
    pub(in crate::store) unknown: Vec<Unknown>,
}

/// A setting whose value is no literal, and where it stands.
#[derive(Clone, Debug)]
pub(in crate::store) struct Unknown {
    /// The setting, or what is inside of one: `assume_role.role_arn`.
    pub(in crate::store) name: String,
    /// The file.
    pub(in crate::store) path: PathBuf,
    /// Line and column.
    pub(in crate::store) place: (usize, usize),
}

impl Configured {
    /// Returns the settings, or an error that names the backend where this library can't use it.
    pub(in crate::store) fn backend(&self, standing: Standing<'_>) -> Result<Backend, Error> {
        if let Some(Unknown { name, path, place: (line, column) }) = self.unknown.first() {
            let problem = format!("`{name}` is not a literal value");
            return Err(Error::Block { path: path.clone(), line: *line, column: *column, problem });
        }
        let of = |kind| Settings { kind, config: &self.config, standing };
        match self.kind.as_str() {
            "local" => of("local").local().map(Backend::Local),
            "s3" => of("s3").s3().map(|s| Backend::S3(Box::new(s))),
            "gcs" => of("gcs").gcs().map(|s| Backend::Gcs(Box::new(s))),
            "azurerm" => of("azurerm").azure().map(|s| Backend::Azure(Box::new(s))),
            "http" => of("http").http().map(|s| Backend::Http(Box::new(s))),
            "pg" => of("pg").pg().map(|s| Backend::Pg(Box::new(s))),
            other => {
                let (dir, backend) = (standing.dir.to_owned(), other.to_owned());
                Err(Error::Backend { dir, backend })
            }
        }
    }

    /// Returns the backend of a directory that names none.
    pub(in crate::store) fn local() -> Self {
        Self::of("local".to_owned(), Value::Object(Vec::new()))
    }

    /// Returns a backend all of whose settings are known.
    pub(in crate::store) fn of(kind: String, config: Value<'static>) -> Self {
        Self { kind, config, unknown: Vec::new() }
    }

    /// Sets what was given besides, in place of what was said before.
    pub(in crate::store) fn overlay(&mut self, given: Vec<(String, Value<'static>)>) {
        if !matches!(self.config, Value::Object(_)) {
            self.config = Value::Object(Vec::new());
        }
        let Value::Object(members) = &mut self.config else { return };
        for (name, value) in given {
            members.retain(|(known, _)| **known != *name);
            self.unknown.retain(|unknown| unknown.name.split('.').next() != Some(&name));
            members.push((name.into(), value));
        }
    }
}
