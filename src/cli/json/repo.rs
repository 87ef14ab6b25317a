//! `tfstate.repo/1`.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::backup::{Error, Protection, PublicKey, Repository, Writer};

/// What a repository is and holds.
#[derive(Debug, Serialize)]
pub(crate) struct Repo {
    schema: &'static str,
    pub(crate) place: String,
    pub(crate) id: String,
    pub(crate) created: String,
    /// The number of its newest record.
    pub(crate) record: u32,
    pub(crate) encryption: &'static str,
    pub(crate) recipients: Vec<String>,
    pub(crate) owners: Vec<PublicKey>,
    pub(crate) writers: Vec<Writer>,
    /// The key of this computer, where it has one.
    pub(crate) key: Option<PublicKey>,
    pub(crate) key_owns: bool,
    pub(crate) key_writes: bool,
    pub(crate) keeps_identities: bool,
    /// Those of the recipients whose identities are among them.
    pub(crate) kept_recipients: Vec<String>,
    pub(crate) states: usize,
    pub(crate) snapshots: usize,
    pub(crate) bytes_stored: u64,
    /// How many snapshots there are of each kind, and how many bytes they have.
    pub(crate) kinds: BTreeMap<&'static str, Kind>,
    pub(crate) held: usize,
    pub(crate) superseded: usize,
    pub(crate) pending: usize,
}

#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Kind {
    pub(crate) snapshots: usize,
    pub(crate) bytes_stored: u64,
}

impl Repo {
    /// Looks at a repository.
    pub(crate) fn of(repository: &Repository, key: Option<PublicKey>) -> Result<Self, Error> {
        let catalogue = repository.catalogue()?;
        let mut kinds: BTreeMap<&'static str, Kind> = BTreeMap::new();
        let snapshots = catalogue.snapshots();
        for snapshot in &snapshots {
            let kind = kinds.entry(snapshot.kind.name()).or_default();
            kind.snapshots += 1;
            kind.bytes_stored += snapshot.bytes_stored;
        }
        let (encryption, recipients) = match repository.protection() {
            Protection::None => ("none", Vec::new()),
            Protection::Recipients(recipients) => ("age", recipients.texts().to_vec()),
        };
        let kept = repository.kept_recipients()?;
        let open = |writer: &Writer| Some(writer.key) == key && writer.until.is_none();
        Ok(Self {
            schema: "tfstate.repo/1",
            place: repository.name(),
            id: repository.id().to_owned(),
            created: repository.created().to_owned(),
            record: repository.record_number(),
            encryption,
            recipients,
            owners: repository.owners().to_vec(),
            writers: repository.writers().to_vec(),
            key,
            key_owns: key.is_some_and(|key| repository.owners().contains(&key)),
            key_writes: repository.writers().iter().any(open),
            keeps_identities: kept.is_some(),
            kept_recipients: kept.unwrap_or_default(),
            states: catalogue.streams().count(),
            snapshots: snapshots.len(),
            bytes_stored: snapshots.iter().map(|snapshot| snapshot.bytes_stored).sum(),
            kinds,
            held: repository.holds()?.all().count(),
            superseded: catalogue.superseded_count(),
            pending: catalogue.pending(),
        })
    }
}
