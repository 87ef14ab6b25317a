//! Every store against the one contract, and each against what its own protocol says.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod azure;
mod contract;
mod gcs;
mod http;
#[cfg(unix)]
mod local;
mod memory;
mod s3;
mod s3_server;
mod server;
