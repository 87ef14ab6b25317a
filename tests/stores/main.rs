//! Every store against the one contract, and each against what its own protocol says.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::print_stderr, reason = "a test that is skipped says so")]

#[cfg(unix)]
mod cluster;
mod contract;
mod faults;
#[path = "../support/faulty.rs"]
mod faulty;
mod http;
#[cfg(unix)]
mod local;
mod memory;
#[cfg(unix)]
mod pg;
mod s3;
mod s3_credentials;
mod s3_faults;
mod s3_real;
mod s3_server;
mod server;
#[cfg(unix)]
mod terraform;
