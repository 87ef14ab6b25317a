//! Every store against the one contract, and each against what its own protocol says.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod contract;
mod http;
#[cfg(unix)]
mod local;
mod memory;
mod server;
mod s3;
mod s3_server;
