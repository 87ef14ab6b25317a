//! Where the copy goes that is kept of a state before a command replaces it.

use std::path::PathBuf;
use std::sync::Arc;

use super::context::Context;
use super::error::Failure;
use super::repository::{self, RepositoryOption, SignerOption};
use crate::backup::vault::Vault;
use crate::backup::{self, BEFORE_CHANGE, Keys, Known, Protection, Recipients, Repository, Signer};
use crate::base::clock::System;
use crate::base::text::{escape, shell_word};
use crate::ops::backup::{BackupOptions, Manner};
use crate::ops::keep::{Files, Snapshots};
use crate::ops::session::{Keep, Report, Target};
use crate::state::bytes::Bytes;
use crate::store::Cause;

/// What snapshots are tagged with of what a command left.
pub(crate) const AFTER: &str = "after";

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
    /// Whether there was none when this looked.
    is_new: bool,
}

impl InRepository {
    /// Prepares to write to a repository that is made if there is none, protected as configured.
    pub(crate) fn new(
        repository: &RepositoryOption,
        signer: &SignerOption,
        context: &mut Context<'_>,
    ) -> Result<Self, Failure> {
        let recipients = Recipients::parse(&context.settings.recipients.value)?;
        let plain = (!context.settings.encryption.value).then_some(Protection::None);
        let protection = recipients.map(Protection::Recipients).or(plain);
        Self::protected((repository.vault(context)?, false), protection, signer, context)
    }

    fn protected(
        (vault, is_new): (Arc<dyn Vault>, bool),
        protection: Option<Protection>,
        signer: &SignerOption,
        context: &mut Context<'_>,
    ) -> Result<Self, Failure> {
        let (signer, known) = (signer.read_or_make(context)?, repository::known(context));
        let cache = context.cache.clone();
        Ok(Self { vault, protection, signer, known, cache, is_new })
    }

    /// Tells of the repository that was made on the way.
    pub(crate) fn tell_made(&self, context: &mut Context<'_>) {
        repository::tell_made(&self.vault.name(""), &self.signer, context);
        if let Some(protection) = &self.protection {
            repository::warn_of(protection, context);
        }
    }

    /// Returns how to back up, with these tags.
    pub(crate) fn options<'a>(&'a self, tags: &'a [String]) -> BackupOptions<'a> {
        BackupOptions {
            vault: Arc::clone(&self.vault),
            protection: self.protection.as_ref(),
            keys: Keys { signer: Some(&self.signer), known: self.known.as_ref() },
            cache: self.cache.as_deref(),
            manner: Manner { tags, ..Manner::default() },
        }
    }
}

impl KeepOption {
    /// Returns the option that says which repository it is.
    pub(crate) fn repository(&self) -> &RepositoryOption {
        &self.repository
    }

    /// Decides: a snapshot where there is a repository or where recipients for one are configured,
    /// else a file beside where the repository would be.
    pub(crate) fn keep(&self, context: &mut Context<'_>) -> Result<Kept, Failure> {
        let vault = self.repository.vault(context)?;
        let settings = &context.settings;
        let known = repository::known(context);
        let keys = Keys { signer: None, known: known.as_ref() };
        let (protection, is_new) = match Repository::open(Arc::clone(&vault), keys) {
            Ok(_) => (None, false),
            Err(backup::Error::NoRepository { .. }) => {
                let recipients = Recipients::parse(&settings.recipients.value)?;
                if recipients.is_none() && settings.encryption.value {
                    return Ok(Kept::Files(repository::home(context)?.join("replaced")));
                }
                (Some(recipients.map_or(Protection::None, Protection::Recipients)), true)
            }
            Err(error) => return Err(error.into()),
        };
        let kept = InRepository::protected((vault, is_new), protection, &self.signer, context)?;
        Ok(Kept::Snapshots(Box::new(kept)))
    }
}

impl Kept {
    /// Tells where the copies are of a state that was replaced, and of what was written.
    pub(crate) fn told(&self, report: &Report, name: &str, context: &mut Context<'_>) {
        let is_made = report.kept.is_some() || matches!(report.after, Some(Ok(_)));
        if let Self::Snapshots(repository) = self
            && repository.is_new
            && is_made
        {
            repository.tell_made(context);
        }
        match &report.after {
            Some(Ok(kept)) => {
                context.out.note(&format!("Kept what is there now as {}", escape(kept)));
            }
            Some(Err(why)) => {
                let text = format!("what is there now is not kept: {why}");
                let hint = format!("keep it: `tfstate backup {}`", shell_word(name));
                context.out.warning(&text, Some(&hint));
            }
            None => {}
        }
    }

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
            Self::Snapshots(kept) => {
                let tags = [BEFORE_CHANGE.to_owned()];
                let mut options = kept.options(&tags);
                // By the tag it stays until nobody wants the change back.
                options.manner.insists_on_tags = true;
                Snapshots { options, clock: &System }.keep(target, bytes)
            }
        }
    }

    fn keep_written(&self, target: &Target, bytes: &[u8]) -> Option<Result<String, Cause>> {
        let Self::Snapshots(kept) = self else { return None };
        let tags = [AFTER.to_owned()];
        let snapshots = Snapshots { options: kept.options(&tags), clock: &System };
        Some(snapshots.keep(target, &bytes.into()))
    }
}
