//! Every store against the one contract, and each against what its own protocol says.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod azure;
mod azure_server;
mod contract;
mod fake;
mod faults;
mod gcs;
mod gcs_server;
#[cfg(unix)]
mod local;
mod memory;
mod s3;
mod s3_server;
