//! The configuration file: where it is, what may be in it, and what is wrong with it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

mod find;
mod parse;

pub(crate) use find::find;
use parse::Entry;
pub(crate) use parse::Problem;

/// A configuration file that can't be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The file can't be read.
    #[error("cannot read the configuration {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The file says something that has no meaning.
    #[error("cannot use the configuration {}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Problem,
    },
}

impl Error {
    /// Returns what to do about it.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Read { .. } => None,
            Self::Invalid { source, .. } => source.hint().map(str::to_owned),
        }
    }
}

/// What a key is set to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Value {
    /// Text, a place, or one of the choices.
    Text(String),
    /// Several texts.
    Texts(Vec<String>),
    /// On or off.
    Switch(bool),
    /// A number of things.
    Count(u32),
}

/// What one file sets.
#[derive(Clone, Debug, Default)]
pub(crate) struct Config {
    path: PathBuf,
    entries: Vec<Entry>,
}

impl Config {
    /// Returns what a key is set to and on which line.
    pub(crate) fn get(&self, key: &str) -> Option<(&Value, usize)> {
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        Some((&entry.value, entry.line))
    }

    /// Returns the file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads a file.
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        let read = fs::read_to_string(path);
        let text = read.map_err(|source| Error::Read { path: path.to_owned(), source })?;
        let entries = parse::parse(&text, path.parent().unwrap_or(Path::new("")));
        let invalid = |source| Error::Invalid { path: path.to_owned(), source };
        Ok(Self { path: path.to_owned(), entries: entries.map_err(invalid)? })
    }
}
