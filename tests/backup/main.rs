//! Backups under everything that can go wrong: stores that fail, lie and lag, processes that are
//! killed, full disks, damaged and forged objects, hostile states. Whatever happens, what was
//! reported as stored comes back byte for byte, and what is damaged is refused.
//!
//! `TFSTATE_TEST_SEQUENCES` and `TFSTATE_TEST_KILLS` say how many random histories and kills there
//! are, `TFSTATE_TEST_POWER` how many states of a disk after power cuts, `TFSTATE_TEST_RACES` how many
//! rounds of a race, and `TFSTATE_TEST_SOAK` how many states that are backed up for weeks, where those
//! of the gate are not enough.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[cfg(unix)]
mod asked;
mod canary;
mod clocks;
mod faults;
mod faulty;
mod frozen;
mod hostile;
#[cfg(unix)]
mod killed;
mod model;
mod place;
#[cfg(unix)]
mod plugin;
#[cfg(target_os = "linux")]
mod power;
mod program;
mod races;
#[cfg(unix)]
mod room;
mod rounds;
mod soak;
#[cfg(target_os = "linux")]
mod stopped;
mod tamper;
#[cfg(unix)]
#[path = "../support/terminal.rs"]
#[expect(dead_code, reason = "the tests of the browser ask more of it")]
mod terminal;
