//! Where the copy goes that is kept of a state before a command replaces it.

use std::path::PathBuf;
use std::sync::Arc;

use super::context::Context;
use super::error::Failure;
use super::repository::{self, RepositoryOption, SignerOption};
use crate::backup::vault::Vault;
use crate::backup::{self, Keys, Known, Protection, Recipients, Repository, Signer};
use crate::base::clock::System;
use crate::ops::backup::{BackupOptions, Manner};
use crate::ops::keep::{Files, Snapshots};
use crate::ops::session::{Keep, Target};
use crate::state::bytes::Bytes;
use crate::store::Cause;

/// The options of commands that replace a state.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct KeepOption {
    #[command(flatten)]
    repository: RepositoryOption,
    #[command(flatten)]
    signer: SignerOption,
}

/// Where the copy goes.
#[derive(Debug)]
pub(crate) enum Kept {
    /// Into the backup repository.
    Snapshots(Box<InRepository>),
    /// Into a folder of plain files.
    Files(PathBuf),
}

/// What a snapshot of what is replaced is made with.
#[derive(Debug)]
pub(crate) struct InRepository {
    vault: Arc<dyn Vault>,
    protection: Option<Protection>,
    signer: Signer,
    known: Option<Known>,
    cache: Option<PathBuf>,
    tags: Vec<String>,
}

/// What snapshots are tagged with that are made before a state is replaced.
const TAG: &str = "before-change";

impl KeepOption {
    /// Decides: a snapshot where there is a repository or where recipients for one are configured,
    /// else a file beside where the repository would be.
    pub(crate) fn keep(&self, context: &Context<'_>) -> Result<Kept, Failure> {
        let vault = self.repository.vault(context)?;
        let settings = &context.settings;
        let known = repository::known(context);
        let keys = Keys { signer: None, known: known.as_ref() };
        let protection = match Repository::open(Arc::clone(&vault), keys) {
            Ok(_) => None,
            Err(backup::Error::NoRepository { .. }) => {
                let recipients = Recipients::parse(&settings.recipients.value)?;
                if recipients.is_none() && settings.encryption.value {
                    return Ok(Kept::Files(repository::home(context)?.join("replaced")));
                }
                Some(recipients.map_or(Protection::None, Protection::Recipients))
            }
            Err(error) => return Err(error.into()),
        };
        let (signer, cache) = (self.signer.read_or_make(context)?, repository::cache(context));
        let tags = vec![TAG.to_owned()];
        Ok(Kept::Snapshots(Box::new(InRepository {
            vault,
            protection,
            signer,
            known,
            cache,
            tags,
        })))
    }
}

impl Keep for Kept {
    fn keep(&self, target: &Target, bytes: &Bytes) -> Result<String, Cause> {
        match self {
            Self::Files(folder) => Files { folder, clock: &System }.keep(target, bytes),
            Self::Snapshots(kept) => {
                let options = BackupOptions {
                    vault: Arc::clone(&kept.vault),
                    protection: kept.protection.as_ref(),
                    keys: Keys { signer: Some(&kept.signer), known: kept.known.as_ref() },
                    cache: kept.cache.as_deref(),
                    manner: Manner { tags: &kept.tags, ..Manner::default() },
                };
                Snapshots { options, clock: &System }.keep(target, bytes)
            }
        }
    }
}
