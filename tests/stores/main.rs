//! Every store against the one contract, and each against what its own protocol says.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::print_stderr, reason = "a test that is skipped says so")]

mod azure;
mod azure_server;
#[cfg(unix)]
mod cluster;
mod contract;
mod fake;
mod faults;
#[path = "../support/faulty.rs"]
mod faulty;
mod faulty_itself;
mod gcs;
mod gcs_server;
mod http;
#[cfg(unix)]
mod local;
mod memory;
#[cfg(unix)]
mod pg;
#[path = "../backup/place.rs"]
#[expect(dead_code, reason = "the tests of backups ask more of it")]
mod place;
mod repository;
#[path = "../backup/rounds.rs"]
mod rounds;
mod s3;
mod s3_credentials;
mod s3_faults;
mod s3_real;
mod s3_server;
mod server;
#[cfg(unix)]
mod terraform;
