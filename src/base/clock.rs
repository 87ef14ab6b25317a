//! The time, asked through a trait so that tests can fix it.

use std::fmt;

use jiff::Timestamp;

/// What tells the time.
pub trait Clock: fmt::Debug + Send + Sync {
    /// Returns the present moment.
    fn now(&self) -> Timestamp;
}

/// The clock of the computer.
#[derive(Clone, Copy, Debug, Default)]
pub struct System;

/// A clock that stands still.
#[derive(Clone, Copy, Debug)]
pub struct Fixed(pub Timestamp);

impl Clock for System {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the system")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        self.0
    }
}
