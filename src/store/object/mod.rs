//! Stores of objects in buckets, through the crate `object_store`.

pub(super) mod azure;
pub(super) mod gcs;
pub(super) mod s3;
