//! Opening a state: from what the user wrote to a document.

use std::ffi::OsStr;

use super::earlier::{self, Kept};
use crate::backup;
use crate::state::bytes::Bytes;
use crate::state::document::Document;
use crate::state::glance::Glance;
use crate::state::parse::ParseError;
use crate::store::{self, Access, Content, Context, Location};

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

/// A state that was found, and is not read yet.
#[derive(Debug)]
pub struct Found {
    content: Content,
    location: Location,
}

/// Equal files that are smaller are read all the same: it takes no time to see.
const WORTH_A_GLANCE: usize = 4 << 20;

impl Found {
    /// Returns where it is.
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// Reads what it says.
    pub fn read(self) -> Result<Opened, Error> {
        self.read_by(Document::parse)
    }

    /// Reads what it says, sooner where it has much in common with another state.
    pub fn read_beside(self, other: &Document) -> Result<Opened, Error> {
        self.read_by(|bytes| Document::parse_beside(bytes, other))
    }

    fn read_by(
        self,
        read: impl FnOnce(Bytes) -> Result<Document, ParseError>,
    ) -> Result<Opened, Error> {
        let Content { name, bytes, .. } = self.content;
        match read(bytes) {
            Ok(document) => Ok(Opened { document, name, location: self.location }),
            Err(source) => Err(Error::Parse { name, source }),
        }
    }

    /// Returns what both say of themselves if they are large and the same, byte for byte.
    ///
    /// Nothing can differ then, so all that is looked at is whether this is a state.
    pub fn is_copy_of(&self, other: &Self) -> Option<Glance> {
        let (a, b) = (&self.content.bytes, &other.content.bytes);
        if a.len() < WORTH_A_GLANCE || a != b { None } else { Glance::of(a) }
    }
}

/// Finds the state that `reference` names, or the one of the directory where there is none.
pub fn find(
    reference: Option<&OsStr>,
    context: Context<'_>,
    access: Access,
    kept: &Kept,
) -> Result<Found, Error> {
    at(Location::resolve(reference, context)?, access, kept)
}

/// Finds the state at a place that was resolved before; snapshots are looked up in what is kept.
pub fn at(location: Location, access: Access, kept: &Kept) -> Result<Found, Error> {
    Ok(Found { content: earlier::content(&location, access, kept)?, location })
}

/// Opens the state that `reference` names, or the one of the directory where there is none.
pub fn open(
    reference: Option<&OsStr>,
    context: Context<'_>,
    access: Access,
    kept: &Kept,
) -> Result<Opened, Error> {
    find(reference, context, access, kept)?.read()
}

/// Opens the state at a place that was resolved before; snapshots are looked up in what is kept.
pub fn read(location: Location, access: Access, kept: &Kept) -> Result<Opened, Error> {
    at(location, access, kept)?.read()
}
