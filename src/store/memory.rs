//! A store that forgets, for tests.

/// A store in the memory of this process.
#[derive(Debug, Default)]
pub struct Memory;
