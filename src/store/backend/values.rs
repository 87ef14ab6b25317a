//! Reads single settings, as leniently as Terraform does.
//!
//! A number or a switch may be written as text, which is how `-backend-config=KEY=VALUE` gives it,
//! and what is null or empty is not set.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::base::env::Env;
use crate::base::secret::Secret;
use crate::state::value::Value;
use crate::store::Error;

/// Where a configuration stands: what its relative paths and its `~` mean.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) struct Standing<'a> {
    /// The working directory.
    pub(in crate::store) dir: &'a Path,
    /// The environment, for the home directory.
    pub(in crate::store) env: &'a Env,
}

/// The settings of one backend, to be read by name.
#[derive(Clone, Copy)]
pub(super) struct Settings<'a> {
    pub(super) kind: &'static str,
    pub(super) config: &'a Value<'static>,
    pub(super) standing: Standing<'a>,
}

impl<'a> Settings<'a> {
    pub(super) fn problem(self, problem: String) -> Error {
        Error::Settings { backend: self.kind, problem }
    }

    pub(super) fn required(self, name: &str) -> Result<String, Error> {
        self.text(name)?.ok_or_else(|| self.problem(format!("`{name}` is not set")))
    }

    pub(super) fn value(self, name: &str) -> Option<&'a Value<'static>> {
        self.config.get(name).filter(|value| **value != Value::Null)
    }

    pub(super) fn text_or_empty(self, name: &str) -> Result<Option<String>, Error> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::String(text) | Value::Number(text)) => Ok(Some(text.to_string())),
            Some(Value::Bool(on)) => Ok(Some(on.to_string())),
            Some(_) => Err(self.problem(format!("`{name}` is not a string"))),
        }
    }

    pub(super) fn text(self, name: &str) -> Result<Option<String>, Error> {
        Ok(self.text_or_empty(name)?.filter(|text| !text.is_empty()))
    }

    pub(super) fn secret(self, name: &str) -> Result<Option<Secret>, Error> {
        Ok(self.text(name)?.map(Secret::new))
    }

    pub(super) fn switch(self, name: &str) -> Result<Option<bool>, Error> {
        match self.text(name)?.as_deref() {
            None => Ok(None),
            Some("true" | "1") => Ok(Some(true)),
            Some("false" | "0") => Ok(Some(false)),
            Some(_) => Err(self.problem(format!("`{name}` is neither true nor false"))),
        }
    }

    pub(super) fn is_on(self, name: &str) -> Result<bool, Error> {
        Ok(self.switch(name)?.unwrap_or(false))
    }

    pub(super) fn number<T: FromStr>(self, name: &str) -> Result<Option<T>, Error> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let not = |_| self.problem(format!("`{name}` is not a number that it can be"));
        text.parse().map(Some).map_err(not)
    }

    /// Reads a duration as Go writes it, `1h30m`, to the second.
    pub(super) fn duration(self, name: &str) -> Result<Option<u32>, Error> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let span = text.parse::<jiff::SignedDuration>().ok();
        let seconds = span.and_then(|span| u32::try_from(span.as_secs()).ok());
        let not = || self.problem(format!("`{name}` is not a duration, as `1h` is one"));
        seconds.map(Some).ok_or_else(not)
    }

    pub(super) fn texts(self, name: &str) -> Result<Vec<String>, Error> {
        let not = || self.problem(format!("`{name}` is not a list of strings"));
        match self.value(name) {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => {
                let text = |item: &Value<'_>| match item {
                    Value::String(text) | Value::Number(text) => Ok(text.to_string()),
                    _ => Err(not()),
                };
                items.iter().map(text).collect()
            }
            Some(_) => Err(not()),
        }
    }

    /// Reads texts by their names.
    pub(super) fn map(self, name: &str) -> Result<BTreeMap<String, String>, Error> {
        let Some(Value::Object(members)) = self.inside(name).map(|inside| inside.config) else {
            return Ok(BTreeMap::new());
        };
        let text = |(key, value): &(_, Value<'_>)| match value {
            Value::String(text) => Ok((ToString::to_string(key), text.to_string())),
            _ => Err(self.problem(format!("`{name}` is not a map of strings"))),
        };
        members.iter().map(text).collect()
    }

    /// Fails where a setting is set that can't be heeded: to go on without it might do more than
    /// was wanted.
    pub(super) fn refuse(self, name: &str, why: &str) -> Result<(), Error> {
        let is_set = match self.value(name) {
            None => false,
            Some(Value::String(text)) => !text.is_empty(),
            Some(Value::Array(items)) => !items.is_empty(),
            Some(_) => true,
        };
        if is_set { Err(self.problem(format!("`{name}` {why}"))) } else { Ok(()) }
    }

    pub(super) fn path(self, name: &str) -> Result<Option<PathBuf>, Error> {
        Ok(self.text(name)?.map(|text| self.standing.path(&text)))
    }

    pub(super) fn paths(self, name: &str) -> Result<Vec<PathBuf>, Error> {
        Ok(self.texts(name)?.iter().map(|text| self.standing.path(text)).collect())
    }

    /// Reads what is either the path of a file or its content.
    pub(super) fn file_or_text(self, name: &str) -> Result<Option<Secret>, Error> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let file = self.standing.path(&text);
        let is_file = !text.trim_start().starts_with('{') && file.is_file();
        let text = if is_file { file.to_string_lossy().into_owned() } else { text };
        Ok(Some(Secret::new(text)))
    }

    /// Returns the settings of an inner object, or of a block, of which there is one at most.
    pub(super) fn inside(self, name: &str) -> Option<Self> {
        let config = match self.value(name)? {
            Value::Array(blocks) => blocks.first().filter(|_| blocks.len() == 1)?,
            value => value,
        };
        matches!(config, Value::Object(_)).then_some(Self { config, ..self })
    }
}

impl Standing<'_> {
    /// Returns a path as it counts from the working directory, with the home directory for `~`.
    fn path(self, text: &str) -> PathBuf {
        if let Some(rest) = text.strip_prefix("~/")
            && let Some(home) = self.env.home()
        {
            return home.join(rest);
        }
        if self.dir == Path::new(".") { text.into() } else { self.dir.join(text) }
    }
}
