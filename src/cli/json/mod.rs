//! The published shapes of `-o json`: one document for each command, `schema` first.
//!
//! Within a major number of a schema, fields are only added. Numbers of a state keep their digits;
//! a sensitive value is `{"sensitive": true}` unless it was revealed.

pub(crate) mod backup;
pub(crate) mod diff;
mod instance;
pub(crate) mod list;
pub(crate) mod lock;
pub(crate) mod output;
pub(crate) mod prune;
pub(crate) mod repo;
pub(crate) mod restore;
pub(crate) mod show;
pub(crate) mod snapshots;
pub(crate) mod stats;
pub(crate) mod three;
pub(crate) mod value;
pub(crate) mod verify;
