//! Terraform and OpenTofu state: read it, search it, compare it, keep it.

pub mod backup;
pub mod base;
pub mod diff;
pub mod ops;
pub mod query;
pub mod state;
pub mod store;
#[cfg(feature = "tui")]
#[doc(hidden)]
pub mod tui;
