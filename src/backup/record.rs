//! The record of a repository, `repo.json`: its id and how its snapshots are protected.

use std::io;
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::body::Flaw;
use super::container::{self, Encryption};
use super::snapshot::{to_hex, utc};
use super::{Error, Recipients};
use crate::base::fs;

/// How the snapshots of a repository are protected.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Protection {
    /// Encrypted for these.
    Recipients(Recipients),
    /// Not at all, by explicit wish.
    None,
}

#[derive(Deserialize, Serialize)]
struct Record {
    v: u32,
    must_understand: Vec<String>,
    id: String,
    created: String,
    encryption: Encryption,
    recipients: Vec<String>,
}

/// Returns the id and the protection that a record says.
pub(super) fn parse(path: &Path, bytes: &[u8]) -> Result<(String, Protection), Error> {
    let refused = |problem| Error::Record { path: path.to_owned(), problem };
    container::check_version(bytes).map_err(|flaw| match flaw {
        Flaw::Damaged(_) => refused("is not that of a backup repository"),
        Flaw::Newer(problem) => Error::Newer { what: path.display().to_string(), problem },
    })?;
    let record: Record =
        serde_json::from_slice(bytes).map_err(|_| refused("is not that of a backup repository"))?;
    let recipients = Recipients::parse(&record.recipients)
        .map_err(|_| refused("has a recipient that cannot be used"))?;
    let protection = match (record.encryption, recipients) {
        (Encryption::Age, Some(recipients)) => Protection::Recipients(recipients),
        (Encryption::None, None) => Protection::None,
        _ => return Err(refused("contradicts itself on encryption")),
    };
    // The id becomes part of file names in the cache.
    if record.id.len() != 32 || !record.id.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(refused("has an id that is none"));
    }
    Ok((record.id, protection))
}

/// Makes a repository's folder and its record, unless another process made one first: then
/// theirs stands, and the caller has to look what it says.
pub(super) fn create(root: &Path, asked: &Protection, now: Timestamp) -> Result<(), Error> {
    let path = root.join("repo.json");
    let failed = |source| Error::Io { action: "write", path: path.clone(), source };
    let (encryption, recipients) = match asked {
        Protection::Recipients(recipients) => (Encryption::Age, recipients.texts().to_vec()),
        Protection::None => (Encryption::None, Vec::new()),
    };
    let record = Record {
        v: 1,
        must_understand: Vec::new(),
        id: to_hex(&random::<16>().map_err(|source| Error::Build { source })?),
        created: utc(now),
        encryption,
        recipients,
    };
    let mut text = serde_json::to_vec_pretty(&record).map_err(|error| failed(error.into()))?;
    text.push(b'\n');
    fs::create_private_folder(root).map_err(failed)?;
    match fs::write_new(&path, &text) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other.map_err(failed),
    }
}

/// Returns random bytes of the operating system.
pub(super) fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_that_makes_no_sense_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        create(folder.path(), &Protection::None, Timestamp::UNIX_EPOCH).unwrap();
        let path = folder.path().join("repo.json");
        let text = std::fs::read_to_string(&path).unwrap();
        parse(&path, text.as_bytes()).unwrap();
        let cases = [
            (String::new(), "is not that of a backup repository"),
            (text.replace("\"none\"", "\"age\""), "contradicts itself on encryption"),
            (text.replace("\"id\": \"", "\"id\": \"../"), "has an id that is none"),
            (text.replace("[]\n}", "[\"x\"]\n}"), "has a recipient that cannot be used"),
            (text.replace("\"v\": 1", "\"v\": 2"), "its header has another version"),
        ];
        for (text, expected) in cases {
            let said = parse(&path, text.as_bytes()).unwrap_err().to_string();
            assert!(said.ends_with(expected), "{said}");
        }
    }

    #[test]
    fn a_record_that_is_there_stands() {
        let folder = tempfile::tempdir().unwrap();
        let make = || create(folder.path(), &Protection::None, Timestamp::UNIX_EPOCH).unwrap();
        let text = || std::fs::read(folder.path().join("repo.json")).unwrap();
        make();
        let first = text();
        make();
        assert_eq!(text(), first);
    }
}
