//! A repository to test with.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use age::secrecy::ExposeSecret;
use jiff::Timestamp;

use super::vault::{Folder, Vault};
use super::{
    Added, Addition, Error, Hashed, Heads, Identities, Keys, Order, Protection, Recipients,
    Repository, Signer, Snapshot, SourceFacts, Strategy,
};
use crate::base::fs;

/// A folder with room for a repository, a cache and keys.
pub(crate) struct Sample {
    folder: tempfile::TempDir,
    key: age::x25519::Identity,
    pub(crate) signer: Signer,
}

impl Sample {
    pub(crate) fn new() -> Self {
        let key = age::x25519::Identity::generate();
        let (folder, signer) = (tempfile::tempdir().unwrap(), Signer::generate().unwrap());
        Self { folder, key, signer }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("repo")
    }

    pub(crate) fn vault(&self) -> Arc<dyn Vault> {
        Arc::new(Folder::new(self.root()))
    }

    pub(crate) fn heads(&self) -> Heads {
        Heads::below(&self.folder.path().join("cache"))
    }

    pub(crate) fn encrypted(&self) -> Protection {
        let recipients = Recipients::parse(&[self.key.to_public().to_string()]);
        Protection::Recipients(recipients.unwrap().unwrap())
    }

    pub(crate) fn identities(&self) -> Identities {
        let path = self.folder.path().join("key");
        fs::replace(&path, self.key.to_string().expose_secret().as_bytes()).unwrap();
        Identities::read(&[path]).unwrap()
    }

    pub(crate) fn keys(&self) -> Keys<'_> {
        Keys { signer: Some(&self.signer), known: None }
    }

    pub(crate) fn open_as(&self, asked: Option<&Protection>) -> Result<Repository, Error> {
        Repository::open_or_create(self.vault(), asked, self.keys(), at(0))
    }

    /// Returns an encrypted repository.
    pub(crate) fn repository(&self) -> Repository {
        self.open_as(Some(&self.encrypted())).unwrap()
    }

    /// Returns one in plain text.
    pub(crate) fn plain(&self) -> Repository {
        self.open_as(Some(&Protection::None)).unwrap()
    }

    /// Adds a full snapshot.
    pub(crate) fn add(&self, to: &Repository, uri: &str, state: &[u8], second: i64) -> Snapshot {
        let addition = Addition { created: at(second), ..addition(uri, state, Strategy::Full) };
        let catalogue = to.catalogue().unwrap();
        to.add(&catalogue, &addition, None, &self.signer).unwrap().snapshot
    }

    /// Adds a snapshot by what is remembered.
    pub(crate) fn add_by(&self, to: &Repository, addition: &Addition<'_>) -> Result<Added, Error> {
        to.add(&to.catalogue()?, addition, Some(&self.heads()), &self.signer)
    }
}

/// Returns a moment so many seconds after a beginning.
pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::constant(1_785_579_300, 0) + jiff::SignedDuration::from_secs(second)
}

pub(crate) fn addition<'a>(uri: &'a str, state: &'a [u8], strategy: Strategy) -> Addition<'a> {
    let facts = SourceFacts { serial: Some(7), ..SourceFacts::default() };
    let (document, source, level, tags) = (None, None, 3, [].as_slice());
    Addition {
        uri,
        facts,
        state: Hashed::of(state),
        document,
        source,
        strategy,
        level,
        tags,
        created: at(0),
        order: Order::Next,
    }
}
