//! Units that run a backup at set times: for cron, systemd, Kubernetes and GitHub Actions.
//!
//! A [`Plan`] says what is run, when, and what it needs; each renderer is a pure function from a
//! plan to the text of its system. Nothing is installed. No credential gets into a unit: what a
//! unit needs of that kind it names by a file or a secret of its system.

mod cron;
mod error;
mod github;
mod kubernetes;
mod plan;
mod quote;
mod reference;
#[cfg(test)]
mod samples;
mod systemd;
mod when;

use std::fmt::{self, Write as _};

pub use error::Error;
pub use plan::{Plan, Readers, Repository, Runner};
pub use reference::State;
pub use when::{Every, When};

/// The variable that names the file of the key that signs.
const SIGNING_KEY: &str = "TFSTATE_SIGNING_KEY_FILE";
/// The variable that names the folder for what must not be lost: the key that signs, where no other
/// is named, and what is remembered of repositories.
const KEPT: &str = "STATE_DIR";
/// The variable that names the cache.
const CACHE: &str = "TFSTATE_CACHE_DIR";

/// Appends text.
fn add(out: &mut String, text: fmt::Arguments<'_>) {
    out.write_fmt(text).expect("writing to a string cannot fail");
}
