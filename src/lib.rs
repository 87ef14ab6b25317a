//! Terraform and OpenTofu state: read it, search it, compare it, keep it.

pub mod base;
pub mod state;
pub mod store;
