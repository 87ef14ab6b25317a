//! The verbs, from start to finish.

pub mod backup;
pub mod diff;
pub mod earlier;
pub mod git;
pub mod guard;
pub mod keep;
pub mod list;
pub mod lock;
pub mod merge;
pub mod metrics;
pub mod open;
pub mod prune;
pub mod push;
pub mod rekey;
pub mod restore;
mod room;
pub mod schedule;
pub mod session;
pub mod snapshots;
pub mod verify;
