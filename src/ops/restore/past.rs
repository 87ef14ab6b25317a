//! What a state was: which version is meant, its bytes, and where that state lives.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use super::{Error, Reference, find};
use crate::backup::{self, Keys, Origin, Repository, Snapshot, is_stream};
use crate::ops::earlier::{self, Kept};
use crate::ops::open;
use crate::state::bytes::Bytes;
use crate::state::document::Document;
use crate::state::parse::ParseError;
use crate::store::{self, Access, Context, Earlier, Location};

/// Which version of which state is to come back.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Wanted {
    /// The newest snapshot of all.
    Latest,
    /// The snapshot whose id begins like this.
    Id(String),
    /// The newest snapshot of the state at a place.
    Newest(Location),
    /// The state at a place that names a version: an earlier one, or a copy.
    Version(Location),
}

impl Wanted {
    /// Returns what a reference means: `latest`, an id, or a state, whose newest snapshot is meant
    /// unless the reference or `at` names a version. What has its literal name on the disk wins.
    pub fn parse(
        reference: Option<&OsStr>,
        at: Option<Timestamp>,
        context: Context<'_>,
    ) -> Result<Self, Error> {
        let wanted = Self::of(reference, context).map_err(open::Error::from)?;
        match (wanted, at) {
            (wanted, None) => Ok(wanted),
            (Self::Newest(of), Some(time)) => Ok(Self::Version(Location::Earlier {
                of: Box::new(of),
                which: Earlier::Time(time),
            })),
            (_, Some(_)) => {
                let what = reference.map_or_else(|| OsString::from("it"), OsStr::to_owned);
                Err(Error::OneVersion { what: what.to_string_lossy().into_owned() })
            }
        }
    }

    fn of(reference: Option<&OsStr>, context: Context<'_>) -> Result<Self, store::Error> {
        let text = reference.and_then(OsStr::to_str).unwrap_or_default();
        let is_hex = !text.is_empty() && text.bytes().all(|b| b.is_ascii_hexdigit());
        if (text == "latest" || is_hex) && !Path::new(text).exists() {
            return Ok(if is_hex { Self::Id(text.to_owned()) } else { Self::Latest });
        }
        Ok(match Location::resolve(reference, context)? {
            Location::Snapshot(id) => Self::Id(id),
            location if location.home().is_ok() => Self::Newest(location),
            location => Self::Version(location),
        })
    }
}

/// What a state was.
#[derive(Debug)]
pub struct Past {
    /// What to call it: `snapshot ed7632ea of 2026-11-21T06:50:02Z`, `s3://b/k@-1`.
    pub name: String,
    /// Its bytes.
    pub bytes: Bytes,
    /// What it says, or why it can't be read.
    pub state: Result<Document, ParseError>,
    /// The id of the snapshot that it was found in.
    pub snapshot: Option<String>,
    /// Where that state lives, or why that is not known.
    pub home: Result<Location, store::Error>,
}

impl Past {
    /// Finds and reads a version; all of it is checked before anything is returned.
    pub fn read(wanted: &Wanted, kept: &Kept, context: Context<'_>) -> Result<Self, open::Error> {
        let there = |origin: &Origin| Location::of_uri(&origin.uri, context);
        match wanted {
            Wanted::Latest => Self::kept(Reference::Latest, kept, there),
            Wanted::Id(id) => Self::kept(Reference::Id(id), kept, there),
            Wanted::Newest(location) => {
                let home = |_: &Origin| Ok(location.clone());
                let found = Self::kept(Reference::State(&location.uri()?), kept, home);
                let Some(name) = listed_name(location) else { return found };
                match found {
                    Err(open::Error::Backup(backup::Error::NoSnapshot { .. })) => {
                        Self::kept(Reference::Listed(name), kept, there)
                    }
                    found => found,
                }
            }
            Wanted::Version(location) => {
                let version = earlier::version(location, Access::Read, kept)?;
                let home = home(location);
                let bytes = version.content.bytes;
                // What writes into a pipe may have failed.
                if *location == Location::StandardInput && bytes.is_empty() {
                    return Err(store::Error::Empty { what: version.content.name }.into());
                }
                Ok(match version.snapshot {
                    Some((snapshot, _)) => Self::of_snapshot(&snapshot, bytes, home),
                    None => Self::new(version.content.name, bytes, home),
                })
            }
        }
    }

    fn kept(
        reference: Reference<'_>,
        kept: &Kept,
        home: impl FnOnce(&Origin) -> Result<Location, store::Error>,
    ) -> Result<Self, open::Error> {
        let missing = || backup::Error::NoRepository { place: String::new() };
        let vault = kept.repository.as_ref().ok_or_else(missing)?;
        let keys = Keys { signer: None, known: kept.known.as_ref() };
        let repository = Repository::open(Arc::clone(vault), keys)?;
        let snapshot = find(&repository, reference)?;
        let (files, passphrase) = (&kept.identities, kept.passphrase.as_ref());
        let identities = earlier::identities(&repository, files, passphrase)?;
        let restored = repository.get(&snapshot, &identities)?;
        Ok(Self::of_snapshot(&snapshot, restored.state, home(&restored.origin)))
    }

    fn of_snapshot(
        snapshot: &Snapshot,
        bytes: Bytes,
        home: Result<Location, store::Error>,
    ) -> Self {
        let name = format!("snapshot {} of {}", snapshot.id, snapshot.created);
        Self { snapshot: Some(snapshot.id.clone()), ..Self::new(name, bytes, home) }
    }

    /// Returns these bytes as what a state was.
    pub(super) fn new(name: String, bytes: Bytes, home: Result<Location, store::Error>) -> Self {
        let state = Document::parse(bytes.clone());
        Self { name, bytes, state, snapshot: None, home }
    }
}

/// Returns what a file that is not there may be meant as instead: the name that a state is listed
/// under, which is all there is of one that came through a pipe or from another computer.
fn listed_name(location: &Location) -> Option<&str> {
    let Location::File(path) = location else { return None };
    path.to_str().filter(|name| is_stream(name) && !path.exists())
}

fn home(location: &Location) -> Result<Location, store::Error> {
    let present = location.present();
    match present.home() {
        Ok(_) => Ok(present),
        Err(_) => {
            Err(store::Error::NoWayBack { uri: present.name(), problem: "it is a copy".to_owned() })
        }
    }
}
