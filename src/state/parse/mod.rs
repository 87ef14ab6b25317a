//! Reading a document: from bytes to an index over them.
//!
//! One pass checks the JSON and everything for which Terraform's own reader refuses a whole
//! state, so that what opens here opens there. The order is Terraform's: what is not JSON is
//! told first, then what is no state, then every reason in a list.

mod body;
mod checks;
mod error;
mod fields;
mod order;
mod outputs;
mod sniff;
#[cfg(test)]
mod tests;
mod top;
mod version;

pub(crate) use body::Like;
pub use error::{Finding, Invalid, Lookalike, ParseError, Place, Warning};
pub(crate) use fields::sensitive_paths;
pub(crate) use top::{glance, read_v4};
pub(crate) use version::{field, is_field, is_key};

use super::scan::Scanner;
use version::Extent;

/// Returns the format version of the state in `bytes`, refusing what is no state.
pub(crate) fn version(bytes: &[u8]) -> Result<u64, ParseError> {
    sniff::check_start(bytes)?;
    version_in(bytes, Extent::First)
}

/// Does as [`version()`] for a document that has more than one: the last counts.
pub(crate) fn last_version(bytes: &[u8]) -> Result<u64, ParseError> {
    version_in(bytes, Extent::Whole)
}

fn version_in(bytes: &[u8], extent: Extent) -> Result<u64, ParseError> {
    let mut scanner = Scanner::new(bytes);
    match version::find(&mut scanner, extent) {
        Err(error) => Err(sniff::explain(bytes, &error)),
        Ok(version::Found::Object(Some(version))) => {
            // A version 4 document has nothing in it that could be taken for something else.
            match if version == 4 { None } else { sniff::explain_object(bytes, Some(version)) } {
                Some(other) => Err(other),
                None => Ok(version),
            }
        }
        Ok(version::Found::Object(None)) => {
            Err(sniff::explain_object(bytes, None).unwrap_or(ParseError::NoVersion))
        }
        Ok(version::Found::Bad { offset, found }) => {
            Err(ParseError::BadVersion { place: Place::of(bytes, offset), found })
        }
        Ok(version::Found::NotAnObject("null")) => Err(ParseError::NoVersion),
        Ok(version::Found::NotAnObject(kind)) => Err(ParseError::NotAState(Lookalike::Json(kind))),
    }
}
