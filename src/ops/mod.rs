//! The verbs, from start to finish.

pub mod backup;
pub mod restore;
