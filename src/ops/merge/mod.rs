//! Merges what two sides made of one state, as a merge driver of git.
//!
//! The unit is the instance, the output, the check and the field: what only one side changed is
//! taken, what both changed in the same way is had once, everything else is a conflict. Two sides
//! that change different attributes of one instance are in conflict too: an instance is what one
//! run of a provider left, and half of one run and half of another is an object nobody ever saw.
//!
//! A merge is all or nothing. Ours is edited in place, so what neither side changed stays byte for
//! byte; the result is parsed again and held against the three states before anybody gets it.

pub(super) mod blocks;
mod check;
mod checks;
mod conflict;
mod fields;
mod header;
pub(super) mod order;
mod outputs;
#[cfg(test)]
pub(super) mod properties;
mod resources;
mod rules;
#[cfg(test)]
mod tests;
mod three;
mod work;

use std::io;
use std::path::{Path, PathBuf};

pub use conflict::{Clash, Conflict};
pub use three::Side;

use crate::base;
use crate::state::document::Document;
use crate::state::parse::ParseError;
use crate::state::parse::Warning;
use crate::state::scan::SyntaxError;
use three::Three;
use work::Work;

/// Why two sides were not merged; nothing was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file can't be read.
    #[error("cannot read {}", side.of())]
    Read {
        /// Which of the three.
        side: Side,
        /// The system's answer.
        source: io::Error,
    },
    /// A file is no state.
    #[error("cannot read {} as a state", side.of())]
    Parse {
        /// Which of the three.
        side: Side,
        /// Why not.
        source: ParseError,
    },
    /// A state is not of version 4, the only one that is written.
    #[error("{} has format version {version}, and only version 4 is merged", side.of())]
    Version {
        /// Which of the three.
        side: Side,
        /// Its version.
        version: u64,
    },
    /// A state has a field twice, and what is edited would not be what is read.
    #[error("{} has the key `{key}` twice", side.of())]
    Twice {
        /// Which of the three.
        side: Side,
        /// The key.
        key: String,
    },
    /// The states belong to different histories.
    #[error("the states have different lineages: they are not of one history")]
    Lineage,
    /// There is no serial above those of both sides.
    #[error("there is no serial above {0}")]
    Serial(u64),
    /// Both sides changed the same.
    #[error("both sides changed the same")]
    Conflicts(Vec<Conflict>),
    /// The merged text is not what it should be.
    #[error("the merged state does not say what both sides say")]
    Unsound,
    /// The merged state can't be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
}

impl From<SyntaxError> for Error {
    /// The texts were checked when they were opened, so one that can't be read was changed since.
    fn from(_: SyntaxError) -> Self {
        Self::Unsound
    }
}

/// The three files of a merge.
#[derive(Clone, Copy, Debug)]
pub struct Files<'a> {
    /// What both sides come from; empty where there is no such state.
    pub base: &'a Path,
    /// One side; the result takes its place.
    pub ours: &'a Path,
    /// The other side.
    pub theirs: &'a Path,
}

/// Merges three files and puts the result in the place of ours, in one step; on every error ours
/// is as it was.
pub fn merge_files(files: Files<'_>) -> Result<(), Error> {
    let (ours, merged) = merged_files(files)?;
    if merged == ours { Ok(()) } else { write(files.ours, &merged) }
}

/// Does as [`merge_files`] with two of several common ancestors, whose merge is to be the base of
/// another one. Where they can't be merged, the state that they come from takes the place of ours:
/// either of them would make a change of one side look as if there were none.
pub fn merge_ancestors(files: Files<'_>) -> Result<(), Error> {
    match merged_files(files) {
        Ok((_, merged)) => write(files.ours, &merged),
        Err(error @ (Error::Read { .. } | Error::Write { .. })) => Err(error),
        Err(_) => write(files.ours, &read(Side::Base, files.base)?),
    }
}

/// Returns the text of ours, and of the merged state.
fn merged_files(files: Files<'_>) -> Result<(Vec<u8>, Vec<u8>), Error> {
    let parse = |side, bytes: Vec<u8>| {
        Document::parse(bytes).map_err(|source| Error::Parse { side, source })
    };
    let open = |side, path| parse(side, read(side, path)?);
    let base = match read(Side::Base, files.base)? {
        bytes if bytes.is_empty() => None,
        bytes => Some(parse(Side::Base, bytes)?),
    };
    let (ours, theirs) = (open(Side::Ours, files.ours)?, open(Side::Theirs, files.theirs)?);
    let merged = merge(base.as_ref(), &ours, &theirs)?;
    Ok((ours.bytes().to_vec(), merged))
}

fn read(side: Side, path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|source| Error::Read { side, source })
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    base::fs::replace(path, bytes).map_err(|source| Error::Write { path: path.to_owned(), source })
}

/// Merges two states that come from `base`, or from nothing, and returns the text of the result:
/// ours, with what theirs did spliced in.
///
/// Which side is which does not matter to what the result means, only to how it is spelled.
pub fn merge(
    base: Option<&Document>,
    ours: &Document,
    theirs: &Document,
) -> Result<Vec<u8>, Error> {
    if ours.bytes() == theirs.bytes() {
        return Ok(ours.bytes().to_vec());
    }
    let states = Three { base, ours: Some(ours), theirs: Some(theirs) };
    for (side, state) in states.sides() {
        usable(side, state)?;
    }
    let lineages = states.sides().map(|(_, state)| state.lineage());
    if lineages.into_iter().any(|lineage| lineage != ours.lineage()) {
        return Err(Error::Lineage);
    }
    let mut work = Work::new(states, ours, theirs)?;
    resources::merge(&mut work)?;
    outputs::merge(&mut work)?;
    checks::merge(&mut work)?;
    fields::merge(&mut work)?;
    let (bytes, mut conflicts) = work.finish()?;
    let merged = Document::parse(bytes).map_err(|_| Error::Unsound)?;
    rules::apply(states, &merged, &mut conflicts);
    if !conflicts.is_empty() {
        return Err(Error::Conflicts(conflicts));
    }
    check::check(states, &merged)?;
    Ok(merged.bytes().to_vec())
}

fn usable(side: Side, state: &Document) -> Result<(), Error> {
    if state.version() != 4 {
        return Err(Error::Version { side, version: state.version() });
    }
    let twice = state.warnings().iter().find_map(|warning| match warning {
        Warning::DuplicateKey { key, .. } => Some(key.clone()),
        _ => None,
    });
    twice.map_or(Ok(()), |key| Err(Error::Twice { side, key }))
}
