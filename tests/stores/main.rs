//! Every store against the one contract, and each against what its own protocol says.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod contract;
#[cfg(unix)]
mod local;
mod memory;
mod s3;
mod s3_faults;
mod s3_real;
mod s3_server;
