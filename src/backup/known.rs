//! What this computer remembers of the repositories that it has used, as `known_hosts` does of
//! hosts: whoever can write to a place could put another repository there, with other recipients.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Error;
use super::record::Records;
use super::vault::Vault;
use crate::base::fs;

/// The folder of what is remembered.
#[derive(Clone, Debug)]
pub struct Known(PathBuf);

/// What is remembered of one place.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Memory {
    v: u32,
    /// Where it is, for a person who looks at the file.
    place: String,
    /// The hash of its first record.
    first: String,
    /// How many further records were seen: there can't be fewer later.
    number: u32,
}

impl Known {
    /// Takes the folder, which need not exist.
    pub fn below(state: &Path) -> Self {
        Self(state.join("known"))
    }

    /// Returns what is remembered of a place.
    pub(super) fn recall(&self, vault: &dyn Vault) -> Option<Memory> {
        let found = std::fs::read(self.path(&vault.place())).ok()?;
        serde_json::from_slice(&found).ok()
    }

    /// Compares a repository with what was remembered of its place, and remembers it.
    ///
    /// That has to be recalled before the repository is read: another process may change its record at
    /// any time and remember that, and what was read before is no repository that forgot it.
    ///
    /// # Errors
    ///
    /// [`Error::Stranger`] where another repository was at this place, or where it has forgotten a
    /// change of its record.
    pub(super) fn recognise(
        &self,
        vault: &dyn Vault,
        memory: Option<&Memory>,
        records: &Records,
    ) -> Result<(), Error> {
        let place = vault.place();
        let path = self.path(&place);
        let stranger =
            |problem| Error::Stranger { place: place.clone(), problem, path: path.clone() };
        if let Some(memory) = memory {
            if memory.first != records.first() {
                return Err(stranger("is not the one that was there before"));
            }
            if memory.number > records.number() {
                return Err(stranger("has an older record than it had before"));
            }
        }
        if memory.is_none_or(|memory| memory.number != records.number()) {
            let (first, number) = (records.first().to_owned(), records.number());
            self.remember(&path, &Memory { v: 1, place: place.clone(), first, number });
        }
        Ok(())
    }

    /// Returns an error if a repository is remembered at a place, where there is none: a disk that is
    /// not mounted is no reason to begin anew.
    pub(super) fn expects_none(&self, vault: &dyn Vault) -> Result<(), Error> {
        let place = vault.place();
        let path = self.path(&place);
        self.recall(vault).map_or(Ok(()), |_| Err(Error::Vanished { place, path }))
    }

    /// What can't be remembered is no reason to make no backup.
    fn remember(&self, path: &Path, memory: &Memory) {
        let written = fs::create_private_folder(&self.0).and_then(|()| {
            let text = serde_json::to_vec(memory)?;
            fs::replace(path, &text)
        });
        if let Err(error) = written {
            tracing::warn!(%error, "cannot remember the backup repository");
        }
    }

    fn path(&self, place: &str) -> PathBuf {
        self.0.join(format!("{}.json", &blake3::hash(place.as_bytes()).to_hex()[..16]))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::Timestamp;

    use super::*;
    use crate::backup::record::{Change, FIRST};
    use crate::backup::sign::Signer;
    use crate::backup::vault::Stored;
    use crate::backup::{Keys, Protection, Repository};
    use crate::store;

    #[test]
    fn another_repository_at_the_same_place_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let known = Known::below(folder.path());
        let vault = Stored::new(Arc::new(store::Memory::default()), "r");
        let make = || {
            let signer = Signer::generate().unwrap();
            Records::create(&vault, &Protection::None, &signer, Timestamp::UNIX_EPOCH).unwrap();
            (signer, Records::read(&vault).unwrap().unwrap())
        };
        let recognise =
            |records: &Records| known.recognise(&vault, known.recall(&vault).as_ref(), records);
        let (owner, first) = make();
        let before = known.recall(&vault);
        recognise(&first).unwrap();
        let key = Signer::generate().unwrap().public();
        first.change(&vault, &Change::Authorize(key), &owner, Timestamp::UNIX_EPOCH).unwrap();
        recognise(&Records::read(&vault).unwrap().unwrap()).unwrap();
        // Who read it before that change has nothing to fear.
        known.recognise(&vault, before.as_ref(), &first).unwrap();
        recognise(&Records::read(&vault).unwrap().unwrap()).unwrap();
        let rolled_back = recognise(&first).unwrap_err();
        assert!(matches!(rolled_back, Error::Stranger { .. }), "{rolled_back}");
        vault.delete(FIRST).unwrap();
        vault.delete("c/00000001.json").unwrap();
        let (_, other) = make();
        let said = recognise(&other).unwrap_err().to_string();
        assert!(said.contains("is not the one that was there before"), "{said}");
    }

    #[test]
    fn where_one_was_before_and_is_no_more_none_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let known = Known::below(folder.path());
        let vault: Arc<dyn Vault> = Arc::new(Stored::new(Arc::new(store::Memory::default()), "r"));
        let signer = Signer::generate().unwrap();
        let keys = Keys { signer: Some(&signer), known: Some(&known) };
        let open = |asked| {
            let (vault, now) = (Arc::clone(&vault), Timestamp::UNIX_EPOCH);
            Repository::open_or_create(vault, asked, keys, now)
        };
        open(Some(&Protection::None)).unwrap();
        vault.delete(FIRST).unwrap();
        for asked in [Some(&Protection::None), None] {
            let refused = open(asked).unwrap_err();
            assert!(matches!(refused, Error::Vanished { .. }), "{refused}");
        }
        assert!(vault.list("").unwrap().is_empty());
    }

    #[test]
    fn a_folder_that_cannot_be_written_stops_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write_new(&file, b"").unwrap();
        let vault = Stored::new(Arc::new(store::Memory::default()), "r");
        let signer = Signer::generate().unwrap();
        Records::create(&vault, &Protection::None, &signer, Timestamp::UNIX_EPOCH).unwrap();
        let records = Records::read(&vault).unwrap().unwrap();
        Known::below(&file).recognise(&vault, None, &records).unwrap();
    }
}
