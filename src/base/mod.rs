//! Leaves that know nothing of Terraform: files, text, time, the environment.

pub mod clock;
pub mod env;
pub mod fs;
pub mod git;
pub mod glob;
pub mod nearest;
pub mod secret;
pub mod sha256;
pub mod size;
pub mod text;
pub mod theme;
pub mod workers;
