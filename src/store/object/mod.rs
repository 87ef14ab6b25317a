//! Stores of objects in buckets, through the crate `object_store`.
//!
//! Every request goes out through one [`client`], whether that crate makes it or this one: there it
//! is signed, tried again where that is safe, and its failure becomes an [`error`] that says what
//! can be done.

pub(super) mod answer;
pub(super) mod azure;
mod certainty;
mod client;
mod digest;
pub(super) mod error;
pub(super) mod gcs;
mod keys;
pub(super) mod network;
mod read;
pub(super) mod s3;
mod signing;
mod start;
