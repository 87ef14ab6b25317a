//! The verbs, from start to finish.

pub mod backup;
pub mod diff;
pub mod git;
pub mod list;
pub mod merge;
pub mod open;
pub mod restore;
