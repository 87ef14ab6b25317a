//! What is drawn. Each part reads the model and writes cells; nothing here remembers anything.

pub(crate) mod chrome;
pub(crate) mod detail;
pub(crate) mod prompt;
pub(crate) mod rule;
pub(crate) mod text;
pub(crate) mod tree;
