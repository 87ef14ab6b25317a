//! Older states: reads format versions 1, 2 and 3 by rewriting them as version 4.
//!
//! The result is what Terraform makes of the same file, byte for byte, except that
//! `terraform_version` stays that of the file. It promises:
//!
//! - what the upgrade cannot keep is told in [`Upgraded::notes`], one [`Note`] for each loss;
//! - what Terraform crashes on (`null` among modules, resources, outputs or deposed objects) and
//!   what it silently forgets (a resource whose type names no provider) is an [`Error`];
//! - numbers in outputs keep their digits. Terraform sends them through a 64-bit float, which
//!   turns 9007199254740993 into 9007199254740992; where a float holds the number exactly, both
//!   print the same. What a float cannot hold at all is an error in both.
//!
//! Reading goes through one file per step: `v1` and `v2` read into `legacy`, `v2` repairs the
//! counts of flat maps, `v3` folds entries into resources, `write` prints.

use std::fmt;

use super::path::Path;
use super::scan::SyntaxError;
use super::value::Value;

mod address;
mod legacy;
mod node;
mod note;
mod number;
mod output;
mod v1;
mod v2;
mod v3;
mod write;

pub use note::Note;

use node::Node;

/// A state of an older format as version 4 has it.
#[derive(Clone, Eq, PartialEq)]
pub struct Upgraded {
    /// The document in Terraform's own serialisation, with a newline at its end.
    pub bytes: Vec<u8>,
    /// What did not survive.
    pub notes: Vec<Note>,
}

impl fmt::Debug for Upgraded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Upgraded({} bytes, {:?})", self.bytes.len(), self.notes)
    }
}

/// A state of an older format that cannot be upgraded.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is not JSON.
    #[error("cannot read the state as JSON")]
    Syntax(#[source] SyntaxError),
    /// This is no version that is upgraded.
    #[error("state format version {0} is not one that can be upgraded")]
    Version(u64),
    /// A field holds another kind of value than the format asks for.
    #[error("{at} must be {expected}, not {found}")]
    Type {
        /// Where in the document.
        at: Path,
        /// What the format asks for.
        expected: &'static str,
        /// The kind of value that is there.
        found: &'static str,
    },
    /// A number does not fit its field.
    #[error("{at} is not {expected}")]
    Number {
        /// Where in the document.
        at: Path,
        /// What the format asks for.
        expected: &'static str,
    },
    /// The serial is below zero.
    #[error("serial is less than zero")]
    NegativeSerial,
    /// A module's path is missing or starts elsewhere than at the root.
    #[error("{at} must start with `root`")]
    ModulePath {
        /// Where in the document.
        at: Path,
    },
    /// A step of a module's path is not a name.
    #[error("{at} is not the name of a module: `{name}`")]
    ModuleName {
        /// Where in the document.
        at: Path,
        /// What is there.
        name: String,
    },
    /// The key of a resource is not its address.
    #[error("{at} is not the address of a resource: {problem}")]
    ResourceKey {
        /// Where in the document.
        at: Path,
        /// What is wrong with the key.
        problem: &'static str,
    },
    /// The provider of a resource cannot be told.
    #[error("cannot tell the provider of {address} from `{provider}`: {problem}")]
    Provider {
        /// The instance.
        address: String,
        /// The reference as the file has it, or the type that had to imply it.
        provider: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// An instance is there twice.
    #[error("{address} is in the state twice")]
    Duplicate {
        /// The instance.
        address: String,
    },
}

/// Rewrites a state of format version 1, 2 or 3 as version 4.
///
/// `version` is what the document names as its `version`; finding that out is up to the caller.
pub fn to_v4(bytes: &[u8], version: u64) -> Result<Upgraded, Error> {
    if !(1..=3).contains(&version) {
        return Err(Error::Version(version));
    }
    let document = Value::parse_lossy(bytes).map_err(Error::Syntax)?;
    let root = Node::root(&document).object()?;
    let mut state = if version == 1 { v1::read(&root)? } else { v2::read(&root)? };
    if version < 3 {
        v2::repair_counts(&mut state);
    }
    let mut notes = Vec::new();
    let upgraded = v3::upgrade(&state, &mut notes)?;
    Ok(Upgraded { bytes: write::document(&upgraded), notes })
}

#[cfg(test)]
mod tests;
