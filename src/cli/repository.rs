//! Where the backup repository is.

use std::path::{Path, PathBuf};

use super::context::Context;
use super::error::Failure;

/// The option of commands that work with the backup repository.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct RepositoryOption {
    /// The folder of the backup repository
    ///
    /// Without it: the variable `TFSTATE_REPO`, `backup.repo` in the configuration, or
    /// `$XDG_STATE_HOME/tfstate/backups`.
    #[arg(long, value_name = "FOLDER", value_hint = clap::ValueHint::DirPath)]
    repo: Option<PathBuf>,
}

impl RepositoryOption {
    /// Returns the folder as it was typed.
    pub(crate) fn typed(&self) -> Option<&Path> {
        self.repo.as_deref()
    }

    /// Returns the folder that holds the repository, or that will.
    pub(crate) fn folder(&self, context: &Context<'_>) -> Result<PathBuf, Failure> {
        let named =
            self.repo.clone().or_else(|| context.settings.repo.value.as_ref().map(PathBuf::from));
        if let Some(folder) = named {
            return local(folder);
        }
        if let Some(folder) = context.env.path("STATE_DIR") {
            return Ok(folder.join("backups"));
        }
        let home = || context.env.path("HOME").map(|home| home.join(".local/state"));
        let states = context.env.path("XDG_STATE_HOME").or_else(home);
        states.map(|states| states.join("tfstate/backups")).ok_or_else(|| {
            Failure::new("cannot tell where the backup repository is: HOME is not set")
                .hint("name it: `--repo FOLDER`")
        })
    }
}

fn local(folder: PathBuf) -> Result<PathBuf, Failure> {
    let text = folder.to_string_lossy();
    if text.contains("://") && !folder.exists() {
        let text = format!("cannot use {text} as a backup repository: only folders are supported");
        return Err(Failure::new(text).hint("use a folder, and copy it where it is to be kept"));
    }
    Ok(folder)
}

/// Returns the folder for what can be made again.
pub(crate) fn cache(context: &Context<'_>) -> Option<PathBuf> {
    let env = context.env;
    let home = || env.path("HOME").map(|home| home.join(".cache"));
    let caches = || env.path("XDG_CACHE_HOME").or_else(home).map(|caches| caches.join("tfstate"));
    env.path("TFSTATE_CACHE_DIR").or_else(caches)
}
