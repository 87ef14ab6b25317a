//! What is to be removed, and what was.
//!
//! Removing takes two steps, so that a writer who is just telling a state by an earlier snapshot
//! does not lose it: first `gc/UTC-ID.json` names the objects (from then on no writer builds on
//! them); a day later they are deleted, unless something was built on them all the same, and
//! `x/UTC-ID.json` goes on saying that they were removed on purpose. Only an owner's signature
//! counts: a computer that writes backups must not be able to have others removed.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Error;
use super::body::Flaw;
use super::note;
use super::record::random;
use super::sign::{PublicKey, Signer};
use super::snapshot::{to_hex, utc};
use super::vault::Vault;

/// Where the lists of what is to be removed are.
pub(super) const PENDING: &str = "gc/";

/// Where the lists of what was removed are.
pub(super) const REMOVED: &str = "x/";

/// What signatures on these lists belong to.
pub(super) const DOMAIN: &str = "tfstate removal v1";

/// The owners of a repository.
pub(super) type Owners<'a> = [PublicKey];

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Tomb {
    v: u32,
    must_understand: Vec<String>,
    repo: String,
    /// When it was written, as in keys.
    pub created: String,
    /// The keys of the objects.
    pub snapshots: Vec<String>,
    /// Whether they were encrypted anew since: then the objects go, and the snapshots stay.
    #[serde(default, skip_serializing_if = "is_false")]
    pub superseded: bool,
    /// Whether an owner named them since nobody can restore them.
    #[serde(default, skip_serializing_if = "is_false")]
    pub damaged: bool,
}

/// What the objects in a list are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Of {
    /// Snapshots that are to be removed.
    Snapshots,
    /// Old objects of snapshots that were encrypted anew.
    Superseded,
    /// Snapshots that nobody can restore.
    Damaged,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// Returns the keys of everything that is to be removed.
pub(super) fn read(vault: &dyn Vault, owners: &Owners<'_>) -> Result<BTreeSet<String>, Error> {
    Ok(all(vault, PENDING, owners)?.into_iter().flat_map(|(_, tomb)| tomb.snapshots).collect())
}

/// Returns the lists in one of the two places, with their keys, oldest first.
///
/// What no owner signed is passed over: a forged list must not stop backups.
pub(super) fn all(
    vault: &dyn Vault,
    place: &str,
    owners: &Owners<'_>,
) -> Result<Vec<(String, Tomb)>, Error> {
    let mut keys: Vec<String> = vault.list(place)?.into_iter().map(|object| object.key).collect();
    keys.sort();
    let mut tombs = Vec::new();
    for key in keys {
        let Some(bytes) = vault.read(&key)? else { continue };
        match note::open::<Tomb>(DOMAIN, &bytes) {
            Ok(note) if owners.contains(&note.signer) => tombs.push((key, note.says)),
            Err(Flaw::Newer(problem)) if is_owners(&bytes, owners) => {
                return Err(Error::Newer { what: vault.name(&key), problem });
            }
            _ => {
                tracing::warn!(key, "passed over a list of removed snapshots that no owner signed");
            }
        }
    }
    Ok(tombs)
}

fn is_owners(bytes: &[u8], owners: &Owners<'_>) -> bool {
    note::signed(DOMAIN, bytes).is_ok_and(|(_, signer)| owners.contains(&signer))
}

/// Writes a list into one of the two places.
pub(super) fn write(
    vault: &dyn Vault,
    place: &str,
    repo: &str,
    (of, snapshots): (Of, Vec<String>),
    (signer, now): (&Signer, Timestamp),
) -> Result<String, Error> {
    let created = utc(now);
    let id = to_hex(&random::<4>().map_err(|source| Error::Build { source })?);
    let key = format!("{place}{created}-{id}.json");
    let (v, must_understand, repo) = (1, Vec::new(), repo.to_owned());
    let (superseded, damaged) = (of == Of::Superseded, of == Of::Damaged);
    let tomb = Tomb { v, must_understand, repo, created, snapshots, superseded, damaged };
    note::create(vault, &key, &note::seal(DOMAIN, &tomb, signer))?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::backup::vault::Stored;
    use crate::store::Memory;

    #[test]
    fn a_list_of_a_later_version_stops_a_run_only_if_an_owner_signed_it() {
        let (owner, other) = (Signer::generate().unwrap(), Signer::generate().unwrap());
        for (signer, counts) in [(&owner, true), (&other, false)] {
            let vault = Stored::new(Arc::new(Memory::default()), "r");
            let (v, must_understand) = (2, Vec::new());
            let (repo, created, snapshots) = (String::new(), String::new(), Vec::new());
            let (superseded, damaged) = (false, false);
            let tomb = Tomb { v, must_understand, repo, created, snapshots, superseded, damaged };
            vault.create("gc/a.json", &note::seal(DOMAIN, &tomb, signer)).unwrap();
            let read = read(&vault, &[owner.public()]);
            assert_eq!(matches!(read, Err(Error::Newer { .. })), counts, "{read:?}");
        }
    }
}
