//! Guards a state while a command changes it: what it was is kept, and what became of it compared.

use super::backup::{self, BackupOptions};
use super::earlier;
use super::open::Error;
use crate::base::clock::Clock;
use crate::diff::{self, Comparison, Options};
use crate::state::bytes::Bytes;
use crate::state::document::Document;
use crate::state::parse::ParseError;
use crate::store::{Access, Location};

/// A snapshot that holds a state.
#[derive(Clone, Debug)]
pub struct Kept {
    /// Its id.
    pub id: String,
    /// Whether it is encrypted.
    pub encrypted: bool,
    /// Whether the repository was made for it.
    pub made: bool,
}

/// Reads a state as it is now; nothing where there is none yet, or no more.
///
/// The bytes are a copy: a command may write to the file in place.
pub fn read(location: &Location) -> Result<Option<Bytes>, Error> {
    // Terraform, too, takes an empty file for no state.
    Ok(earlier::present(location, Access::Read)?.filter(|bytes| !bytes.is_empty()))
}

/// Keeps a state as it was read.
pub fn keep(
    location: &Location,
    bytes: &Bytes,
    (options, clock): (&BackupOptions<'_>, &dyn Clock),
) -> Result<Kept, Error> {
    let uri = location.uri()?;
    let report = backup::run_on((&uri, bytes), options, clock)?;
    Ok(Kept { id: report.snapshot.id, encrypted: report.encrypted, made: report.made })
}

/// Returns what a command changed.
pub fn compare(before: &Bytes, after: &Bytes) -> Result<Comparison, ParseError> {
    let before = Document::parse(before.clone())?;
    let after = Document::parse_beside(after.clone(), &before)?;
    Ok(diff::compare(&before, &after, &Options::default()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::backup::vault::Folder;
    use crate::backup::{Keys, Protection, Signer};
    use crate::base::clock::Fixed;
    use crate::base::fs;
    use crate::ops::backup::Manner;

    #[test]
    fn what_was_read_stays_as_it_was_while_the_file_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.tfstate");
        let location = Location::File(file.clone());
        assert!(read(&location).unwrap().is_none());
        fs::write_new(&file, b"{\"version\":4}").unwrap();
        let before = read(&location).unwrap().unwrap();
        std::fs::OpenOptions::new().write(true).truncate(true).open(&file).unwrap();
        assert_eq!(&*before, b"{\"version\":4}");
        assert!(read(&location).is_ok_and(|after| after.is_none()), "an empty file is no state");
    }

    #[test]
    fn a_state_that_stays_is_kept_once() {
        let folder = tempfile::tempdir().unwrap();
        let location = Location::File(folder.path().join("a.tfstate"));
        let (repository, cache) = (folder.path().join("repo"), folder.path().join("cache"));
        let signer = Signer::generate().unwrap();
        let options = BackupOptions {
            vault: Arc::new(Folder::new(repository)),
            protection: Some(&Protection::None),
            keys: Keys { signer: Some(&signer), known: None },
            cache: Some(&cache),
            manner: Manner::default(),
        };
        let clock = Fixed("2026-08-01T10:15:00Z".parse().unwrap());
        let keep =
            |text: &[u8]| keep(&location, &Bytes::from(text), (&options, &clock)).unwrap().id;
        let first = keep(b"{\"version\":4}");
        assert_eq!(keep(b"{\"version\":4}"), first);
        assert_ne!(keep(b"{\"version\":4,\"serial\":2}"), first);
    }
}
