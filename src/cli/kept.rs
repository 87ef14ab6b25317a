//! Where commands keep a copy of what they replace.

use std::path::PathBuf;

use super::context::Context;
use super::error::Failure;
use super::repository::{self, RepositoryOption};
use crate::backup::{Protection, Recipients, Repository};
use crate::base::clock::System;
use crate::ops::backup::BackupOptions;
use crate::ops::keep::{Files, Snapshots};
use crate::ops::session::{Keep, Target};
use crate::state::bytes::Bytes;
use crate::store::Cause;

/// The options of commands that replace a state.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct KeepOption {
    #[command(flatten)]
    repository: RepositoryOption,
}

/// Where the copy goes.
#[derive(Debug)]
pub(crate) enum Kept {
    /// Into the backup repository.
    Snapshots { repository: PathBuf, protection: Option<Protection>, cache: Option<PathBuf> },
    /// Into a folder of plain files.
    Files(PathBuf),
}

impl KeepOption {
    /// Returns the option that says which repository it is.
    pub(crate) fn repository(&self) -> &RepositoryOption {
        &self.repository
    }

    /// Decides: a snapshot where there is a repository or where recipients for one are configured,
    /// else a file beside where the repository would be.
    pub(crate) fn keep(&self, context: &Context<'_>) -> Result<Kept, Failure> {
        let repository = self.repository.folder(context)?;
        let settings = &context.settings;
        if Repository::open(&repository).is_ok() {
            let cache = repository::cache(context);
            return Ok(Kept::Snapshots { repository, protection: None, cache });
        }
        let recipients = Recipients::parse(&settings.recipients.value)?;
        if recipients.is_some() || !settings.encryption.value {
            let protection = Some(recipients.map_or(Protection::None, Protection::Recipients));
            let cache = repository::cache(context);
            return Ok(Kept::Snapshots { repository, protection, cache });
        }
        Ok(Kept::Files(repository.with_file_name("replaced")))
    }
}

impl Kept {
    /// Returns the reference that reads a copy, of what [`Keep::keep`] says of it.
    pub(crate) fn reference(&self, kept: &str) -> String {
        match (self, kept.strip_prefix("snapshot ")) {
            (Self::Snapshots { .. }, Some(id)) => format!("snapshot:{id}"),
            (Self::Snapshots { .. }, None) | (Self::Files(_), _) => kept.to_owned(),
        }
    }
}

impl Keep for Kept {
    fn keep(&self, target: &Target, bytes: &Bytes) -> Result<String, Cause> {
        match self {
            Self::Files(folder) => Files { folder, clock: &System }.keep(target, bytes),
            Self::Snapshots { repository, protection, cache } => {
                let protection = protection.as_ref();
                let options = BackupOptions { repository, protection, cache: cache.as_deref() };
                Snapshots { options, clock: &System }.keep(target, bytes)
            }
        }
    }
}
