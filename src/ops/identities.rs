//! What opens snapshots: the keys that were named or that the repository keeps, and the passphrase
//! of those that are under one.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use crate::backup::{Error, Identities, Repository};
use crate::base::secret::Secret;

/// Where the passphrase of identities comes from.
#[derive(Clone, Default)]
pub struct Passphrase {
    /// What it is, once that is known; clones know it too, so that nobody is asked twice.
    known: Arc<OnceLock<Secret>>,
    ask: Option<Ask>,
}

/// Asks somebody for the passphrase of what is called so.
pub type Ask = fn(&str) -> io::Result<Secret>;

impl Passphrase {
    /// Takes what was given.
    pub fn given(passphrase: Secret) -> Self {
        Self { known: Arc::new(OnceLock::from(passphrase)), ask: None }
    }

    /// Asks once it is needed.
    pub fn asked(ask: Ask) -> Self {
        Self { known: Arc::default(), ask: Some(ask) }
    }

    /// Returns what is known without asking.
    #[must_use]
    pub fn unasked(self) -> Self {
        Self { ask: None, ..self }
    }

    /// Returns it, if there is one or something needs one; `what` says what.
    fn get(
        &self,
        what: impl FnOnce() -> Result<Option<String>, Error>,
    ) -> Result<Option<&Secret>, Error> {
        let Some(ask) = self.ask.filter(|_| self.known.get().is_none()) else {
            return Ok(self.known.get());
        };
        let Some(what) = what()? else { return Ok(None) };
        let answer = ask(&what).map_err(|source| Error::Unanswered { source })?;
        Ok(Some(self.known.get_or_init(|| answer)))
    }
}

/// Shows nothing of it.
impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(…)")
    }
}

/// Returns the keys in these files and, where there is none, those that the repository keeps under
/// the passphrase.
pub fn identities(
    repository: &Repository,
    files: &[PathBuf],
    passphrase: &Passphrase,
) -> Result<Identities, Error> {
    let passphrase = passphrase.get(|| sealed(repository, files))?;
    let mut identities = Identities::read_with(files, passphrase)?;
    if let Some(passphrase) = passphrase.filter(|_| files.is_empty()) {
        repository.unlock(&mut identities, passphrase)?;
    }
    Ok(identities)
}

/// Returns what to call that which has a passphrase.
fn sealed(repository: &Repository, files: &[PathBuf]) -> Result<Option<String>, Error> {
    if let Some(file) = files.iter().find(|file| Identities::is_sealed(file)) {
        return Ok(Some(file.display().to_string()));
    }
    let is_kept = files.is_empty() && repository.keeps_identities()?;
    Ok(is_kept.then(|| format!("the identity in {}", repository.name())))
}
