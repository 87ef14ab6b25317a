//! Asking a state: the filter language, lookups by address and path, jq, and counts. Pure.
//!
//! - [`filter`]: which instances; one language for the command line and the browser.
//! - [`lookup`]: one value, by its address and path.
//! - [`jq`]: any expression, over the JSON that [`document_json`] makes of a state.
//! - [`stats`]: how many of what, and how large.
//!
//! Whatever comes out of here is masked unless the caller asks to reveal it.

pub mod document_json;
pub mod filter;
pub mod jq;
pub mod lookup;
pub(crate) mod reference;
pub mod stats;
