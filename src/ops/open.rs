//! Opening a state: from what the user wrote to a document.

use std::ffi::OsStr;

use super::earlier::{self, Kept};
use crate::backup;
use crate::state::document::Document;
use crate::state::parse::ParseError;
use crate::store::{self, Access, Context, Location};

/// A state that was opened.
#[derive(Debug)]
pub struct Opened {
    /// What it says.
    pub document: Document,
    /// What to call it when talking to the user.
    pub name: String,
    /// Where it is.
    pub location: Location,
}

/// Why a state could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The place can't be found, or its bytes can't be had.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// A snapshot can't be had.
    #[error(transparent)]
    Backup(#[from] backup::Error),
    /// The bytes are no state.
    #[error("cannot read {name} as a state")]
    Parse {
        /// The place.
        name: String,
        /// Why not.
        source: ParseError,
    },
}

/// Opens the state that `reference` names, or the one of the directory where there is none.
pub fn open(
    reference: Option<&OsStr>,
    context: Context<'_>,
    access: Access,
    kept: &Kept,
) -> Result<Opened, Error> {
    let location = Location::resolve(reference, context)?;
    read(location, access, kept)
}

/// Opens the state at a place that was resolved before; snapshots are looked up in what is kept.
pub fn read(location: Location, access: Access, kept: &Kept) -> Result<Opened, Error> {
    let content = earlier::content(&location, access, kept)?;
    let name = content.name;
    match Document::parse(content.bytes) {
        Ok(document) => Ok(Opened { document, name, location }),
        Err(source) => Err(Error::Parse { name, source }),
    }
}
