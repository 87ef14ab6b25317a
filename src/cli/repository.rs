//! Where the backup repository is, and what this computer has to work with it.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead as _, BufReader, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::context::Context;
use super::error::Failure;
use super::state;
use crate::backup::vault::{Folder, Stored, Vault};
use crate::backup::{Error, Identities, Keys, Known, Protection, Repository, Signer};
use crate::base::secret::Secret;
use crate::base::text::shell_word;
use crate::ops::earlier::{self, Kept};
use crate::store::Location;

/// The option of commands that work with the backup repository.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct RepositoryOption {
    /// The backup repository: a folder, or a prefix such as `s3://BUCKET/PREFIX`
    ///
    /// Without it: the variable `TFSTATE_REPO`, `backup.repo` in the configuration, or
    /// `$XDG_STATE_HOME/tfstate/backups`.
    #[arg(long, value_name = "PLACE", value_hint = clap::ValueHint::DirPath)]
    repo: Option<PathBuf>,
}

/// The options of commands that read what is encrypted in the repository.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct IdentityOption {
    /// Decrypt with the age or ssh private key in this file (can be repeated)
    #[arg(short, long = "identity", value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    identities: Vec<PathBuf>,
    /// Open what is under a passphrase with the first line of this file, or of standard input: `-`
    ///
    /// Without it: the file that `TFSTATE_PASSPHRASE_FILE` names.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    passphrase_file: Option<PathBuf>,
}

/// The option of commands that write to the repository.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct SignerOption {
    /// Sign with the key in this file; what writes snapshots makes it if there is none
    ///
    /// Without it: the file that `TFSTATE_SIGNING_KEY_FILE` names, or
    /// `$XDG_STATE_HOME/tfstate/signing.key`.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    signing_key: Option<PathBuf>,
}

impl RepositoryOption {
    /// Returns the place that was typed, if one was.
    pub(crate) fn typed(&self) -> Option<&Path> {
        self.repo.as_deref()
    }

    /// Returns the place that holds the repository, or that will.
    pub(crate) fn vault(&self, context: &Context<'_>) -> Result<Arc<dyn Vault>, Failure> {
        let set = || context.settings.repo.value.as_ref().map(PathBuf::from);
        let named = match self.repo.clone().or_else(set) {
            Some(named) => named,
            None => home(context)?.join("backups"),
        };
        let text = named.to_string_lossy();
        if named.exists() || !text.contains("://") {
            return Ok(Arc::new(Folder::new(named)));
        }
        match Location::resolve(Some(OsStr::new(&*text)), state::place(context))? {
            Location::Stored(place) if is_bucket(&text) => {
                let cuts = context.cache.as_deref().map(|cache| place.cuts(cache));
                Ok(Arc::new(Stored::new(place.store, &place.key).with_cuts(cuts)))
            }
            other => {
                let text = format!("cannot keep backups in {}", other.name());
                Err(Failure::new(text).hint(
                    "use a folder, or a prefix: s3://BUCKET/PREFIX, gs://BUCKET/PREFIX, az://CONTAINER/PREFIX",
                ))
            }
        }
    }

    /// Opens the repository, to read.
    pub(crate) fn open(&self, context: &Context<'_>) -> Result<Repository, Failure> {
        let known = known(context);
        let keys = Keys { signer: None, known: known.as_ref() };
        Ok(Repository::open(self.vault(context)?, keys)?)
    }
}

/// Tells of a repository that was made, and whose it is.
pub(crate) fn tell_made(name: &str, signer: &Signer, context: &mut Context<'_>) {
    context.out.note(&format!("Made a backup repository in {name}"));
    let owner = format!("Its owner is the signing key of this computer, {}", signer.public());
    context.out.note(&owner);
}

/// Warns of what may be regretted of how snapshots are protected from now on.
pub(crate) fn warn_of(protection: &Protection, context: &mut Context<'_>) {
    match protection {
        Protection::None => {
            context.out.warning("the snapshots in it will not be encrypted", None);
        }
        Protection::Recipients(recipients) if recipients.texts().len() == 1 => {
            let text = "there is one recipient: if its key is lost, so are the backups";
            let hint = "name all that are to read them: `tfstate repo rekey --recipient KEY --recipient KEY --identity FILE`";
            context.out.warning(text, Some(hint));
        }
        Protection::Recipients(_) => {}
    }
}

fn is_bucket(text: &str) -> bool {
    ["s3://", "gs://", "az://"].iter().any(|scheme| text.starts_with(scheme))
}

impl IdentityOption {
    /// Returns the files as they were typed.
    pub(crate) fn typed(&self) -> &[PathBuf] {
        &self.identities
    }

    /// Puts what was typed in the place of what is configured.
    pub(crate) fn beside(&self, mut kept: Kept) -> Result<Kept, Failure> {
        if !self.identities.is_empty() {
            kept.identities.clone_from(&self.identities);
        }
        if let Some(file) = &self.passphrase_file {
            kept.passphrase = Some(passphrase(file)?);
        }
        Ok(kept)
    }

    /// Returns whether the passphrase comes through standard input.
    pub(crate) fn reads_input(&self) -> bool {
        self.passphrase_file.as_deref().is_some_and(is_standard_input)
    }

    /// Returns whether a key was named.
    pub(crate) fn is_given(&self) -> bool {
        !self.identities.is_empty() || self.passphrase_file.is_some()
    }

    /// Returns the keys that were named or are configured, and those that the repository keeps.
    pub(crate) fn read(
        &self,
        repository: &Repository,
        context: &Context<'_>,
    ) -> Result<Identities, Failure> {
        let set = context.settings.identity.value.as_ref().map(PathBuf::from);
        let files: Vec<PathBuf> = if self.identities.is_empty() {
            set.into_iter().collect()
        } else {
            self.identities.clone()
        };
        let file = self.passphrase_file.clone().or_else(|| passphrase_file(context));
        let passphrase = file.as_deref().map(passphrase).transpose()?;
        Ok(earlier::identities(repository, &files, passphrase.as_ref())?)
    }
}

/// Returns the file of the passphrase that the environment names. Standard input it cannot name: that
/// is for one command.
pub(crate) fn passphrase_file(context: &Context<'_>) -> Option<PathBuf> {
    context.env.path("TFSTATE_PASSPHRASE_FILE").filter(|path| !is_standard_input(path))
}

/// What is told where two things are to come through standard input.
pub(crate) fn read_twice() -> Failure {
    Failure::new("standard input cannot be read twice").hint("name a file for one of the two")
}

/// Returns whether a file that was named stands for standard input.
pub(crate) fn is_standard_input(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Returns the first line of a file, or of standard input where the file is `-`: a passphrase.
pub(crate) fn passphrase(path: &Path) -> Result<Secret, Failure> {
    let is_input = is_standard_input(path);
    if is_input && std::io::stdin().is_terminal() {
        return Err(Failure::new(
            "cannot read the passphrase from the terminal, which would show it",
        )
        .hint("pipe it in from what keeps it, or name a file"));
    }
    let name = if is_input { "standard input".to_owned() } else { path.display().to_string() };
    let mut line = String::new();
    let read = if is_input {
        std::io::stdin().lock().read_line(&mut line)
    } else {
        File::open(path).and_then(|file| BufReader::new(file).read_line(&mut line))
    };
    read.map_err(|error| {
        Failure::new(format!("cannot read the passphrase in {name}")).because(&error)
    })?;
    match line.trim_end_matches(['\r', '\n']) {
        "" => Err(Failure::new(format!("the first line of {name} is empty"))
            .hint("write the passphrase there")),
        passphrase => Ok(Secret::new(passphrase)),
    }
}

impl SignerOption {
    /// Returns the key of this computer where there is one.
    pub(crate) fn read(&self, context: &Context<'_>) -> Result<Option<Signer>, Failure> {
        let path = self.path(context)?;
        if path.exists() { Ok(Some(Signer::read(&path)?)) } else { Ok(None) }
    }

    /// Returns the key of this computer, which has to be there: a new one would be nobody's.
    pub(crate) fn existing(&self, context: &mut Context<'_>) -> Result<Signer, Failure> {
        let path = self.path(context)?;
        match Signer::read(&path) {
            Err(Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
                let text = format!("there is no signing key in {}", path.display());
                let hint =
                    "run this where the repository was made, or give its key: `--signing-key FILE`";
                Err(Failure::new(text).hint(hint))
            }
            read => {
                let signer = read?;
                warn_of_others(&path, context);
                Ok(signer)
            }
        }
    }

    fn path(&self, context: &Context<'_>) -> Result<PathBuf, Failure> {
        let set = || context.env.path("TFSTATE_SIGNING_KEY_FILE");
        match self.signing_key.clone().or_else(set) {
            Some(path) => Ok(path),
            None => Ok(home(context)?.join("signing.key")),
        }
    }

    /// Returns the key of this computer, which is made if there is none.
    pub(crate) fn read_or_make(&self, context: &mut Context<'_>) -> Result<Signer, Failure> {
        let path = self.path(context)?;
        let signer = Signer::read_or_make(&path)?;
        warn_of_others(&path, context);
        Ok(signer)
    }
}

/// Warns of a key that others can read.
fn warn_of_others(path: &Path, context: &mut Context<'_>) {
    if is_open_to_all(path) {
        let file = path.display();
        let text = format!("everybody on this computer can read the signing key in {file}");
        let hint = format!("make it yours alone: `chmod 600 {}`", shell_word(&file.to_string()));
        context.out.warning(&text, Some(&hint));
    }
}

#[cfg(unix)]
fn is_open_to_all(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    const OTHERS_READ: u32 = 0o004;
    file.metadata().is_ok_and(|file| file.permissions().mode() & OTHERS_READ != 0)
}

#[cfg(not(unix))]
fn is_open_to_all(_file: &Path) -> bool {
    false
}

/// Returns the folder for what must not be lost: `$STATE_DIR`, or one in the user's home.
pub(crate) fn home(context: &Context<'_>) -> Result<PathBuf, Failure> {
    if let Some(folder) = context.env.path("STATE_DIR") {
        return Ok(folder);
    }
    let home = || context.env.path("HOME").map(|home| home.join(".local/state"));
    let states = context.env.path("XDG_STATE_HOME").or_else(home);
    states.map(|states| states.join("tfstate")).ok_or_else(|| {
        Failure::new("cannot tell where this computer keeps its keys and backups: HOME is not set")
            .hint("name a folder for both: `STATE_DIR`")
    })
}

/// Returns what this computer remembers of repositories.
pub(crate) fn known(context: &Context<'_>) -> Option<Known> {
    home(context).ok().map(|home| Known::below(&home))
}
