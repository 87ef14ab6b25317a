//! What a repository says of itself: how its snapshots are protected, and whose signatures count.
//!
//! The first record is `repo.json`; each change writes one more, `c/NUMBER.json`, that names the
//! hash of the one before it and is signed by one of its owners. So who can write to the place
//! can't name other recipients or writers, and two changes at once can't both take effect.

use std::io;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::body::Flaw;
use super::container::Encryption;
use super::note::{self, Note};
use super::sign::{PublicKey, Signer};
use super::snapshot::{to_hex, utc};
use super::vault::{Created, Vault};
use super::{Error, Recipients, identity};
use crate::base::workers;

/// The first record.
pub(super) const FIRST: &str = "repo.json";

/// Where further ones are.
pub(super) const FURTHER: &str = "c/";

/// What signatures on records belong to.
pub(super) const DOMAIN: &str = "tfstate repository record v1";

/// How the snapshots of a repository are protected.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Protection {
    /// Encrypted for these.
    Recipients(Recipients),
    /// Not at all, by explicit wish.
    None,
}

/// A key whose signatures on snapshots count.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Writer {
    /// The key.
    pub key: PublicKey,
    /// From when on, as `20260801T101500Z`.
    pub since: String,
    /// Until when, where it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
struct Record {
    v: u32,
    must_understand: Vec<String>,
    id: String,
    number: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous: Option<String>,
    created: String,
    encryption: Encryption,
    recipients: Vec<String>,
    /// Whether an identity of one of the recipients is kept in the repository under a passphrase.
    #[serde(default, skip_serializing_if = "is_false")]
    keeps_identity: bool,
    owners: Vec<PublicKey>,
    writers: Vec<Writer>,
}

/// The records of a repository, each checked against the one before it.
#[derive(Clone, Debug)]
pub(super) struct Records {
    now: Record,
    protection: Protection,
    /// The hash of the newest record.
    hash: String,
    /// The hash of the first record, by which the repository is known again.
    first: String,
    created: String,
    /// Of each record how it has snapshots protected.
    protections: Vec<Protection>,
    /// Of each record whether it says that an identity is kept.
    keeps: Vec<bool>,
}

/// What is to be changed.
#[derive(Clone, Debug)]
pub(super) enum Change {
    Recipients(Recipients),
    Authorize(PublicKey),
    Revoke(PublicKey),
}

impl Records {
    /// Reads all records; nothing where there is no repository.
    pub(super) fn read(vault: &dyn Vault) -> Result<Option<Self>, Error> {
        let (first, further) = (|| vault.read(FIRST), || vault.list(FURTHER));
        // What has to be waited for is asked for at once.
        let (first, further) =
            if vault.is_near() { (first(), further()) } else { workers::at_once(&first, further) };
        let Some(bytes) = first? else { return Ok(None) };
        let first = open(vault, FIRST, &bytes)?;
        let refused = |key: &str, problem| Error::Record { what: vault.name(key), problem };
        if first.says.number != 0 || !first.says.owners.contains(&first.signer) {
            return Err(refused(FIRST, "is not signed by an owner of the repository"));
        }
        let protection = protection(vault, FIRST, &first.says)?;
        let hash = first.hash;
        let created = first.says.created.clone();
        let protections = vec![protection.clone()];
        let first_hash = hash.clone();
        let keeps = vec![first.says.keeps_identity];
        let (now, first) = (first.says, first_hash);
        let mut records = Self { now, protection, hash, first, created, protections, keeps };
        let mut further: Vec<String> = further?.into_iter().map(|object| object.key).collect();
        further.sort();
        // Some places show an object twice.
        further.dedup();
        for key in further.iter().filter(|key| key.strip_suffix(".json").is_some()) {
            let bytes = vault.read(key)?.ok_or_else(|| refused(key, "is gone"))?;
            let note = open(vault, key, &bytes)?;
            records.follow(vault, key, note)?;
        }
        Ok(Some(records))
    }

    fn follow(&mut self, vault: &dyn Vault, key: &str, note: Note<Record>) -> Result<(), Error> {
        let refused = |problem| Error::Record { what: vault.name(key), problem };
        if *key != key_of(note.says.number) || note.says.number != self.now.number + 1 {
            return Err(refused("does not follow the one before it"));
        }
        if note.says.previous.as_deref() != Some(&self.hash) || note.says.id != self.now.id {
            return Err(refused("does not follow the one before it"));
        }
        if !self.now.owners.contains(&note.signer) {
            return Err(refused("is not signed by an owner of the repository"));
        }
        if note.says.encryption == Encryption::None && self.now.encryption == Encryption::Age {
            return Err(refused("gives up encryption"));
        }
        self.protection = protection(vault, key, &note.says)?;
        self.protections.push(self.protection.clone());
        self.keeps.push(note.says.keeps_identity);
        (self.now, self.hash) = (note.says, note.hash);
        Ok(())
    }

    /// Makes the first record, unless another process made one first: then theirs stands, and the
    /// caller has to look what it says.
    pub(super) fn create(
        vault: &dyn Vault,
        asked: &Protection,
        signer: &Signer,
        now: Timestamp,
    ) -> Result<Created, Error> {
        let (encryption, recipients) = parts(asked);
        let owner = signer.public();
        let keeps_identity = identity::is_kept(vault, &recipients)?;
        let record = Record {
            v: 1,
            must_understand: Vec::new(),
            id: to_hex(&random::<16>().map_err(|source| Error::Build { source })?),
            number: 0,
            previous: None,
            created: utc(now),
            encryption,
            recipients,
            keeps_identity,
            owners: vec![owner],
            writers: vec![Writer { key: owner, since: utc(now), until: None }],
        };
        vault.create(FIRST, &note::seal(DOMAIN, &record, signer))
    }

    /// Writes one more record.
    pub(super) fn change(
        &self,
        vault: &dyn Vault,
        change: &Change,
        signer: &Signer,
        now: Timestamp,
    ) -> Result<(), Error> {
        if !self.now.owners.contains(&signer.public()) {
            return Err(Error::NotOwner { place: vault.name(""), key: signer.public() });
        }
        let mut record = self.now.clone();
        record.number += 1;
        record.previous = Some(self.hash.clone());
        record.created = utc(now);
        match change {
            Change::Recipients(recipients) => {
                let protection = Protection::Recipients(recipients.clone());
                (record.encryption, record.recipients) = parts(&protection);
            }
            Change::Authorize(key) => {
                record.writers.retain(|writer| writer.key != *key || writer.until.is_some());
                record.writers.push(Writer { key: *key, since: utc(now), until: None });
            }
            Change::Revoke(key) => {
                let open = |writer: &&mut Writer| writer.key == *key && writer.until.is_none();
                let mut found = record.writers.iter_mut().filter(open).peekable();
                if found.peek().is_none() {
                    return Err(Error::NotWriter { place: vault.name(""), key: *key });
                }
                found.for_each(|writer| writer.until = Some(utc(now)));
            }
        }
        // That it is gone does not make it unneeded, and records did not always say it.
        let stays = record.keeps_identity && !matches!(change, Change::Recipients(_));
        record.keeps_identity = stays || identity::is_kept(vault, &record.recipients)?;
        let key = key_of(record.number);
        match note::create(vault, &key, &note::seal(DOMAIN, &record, signer))? {
            Created::New => Ok(()),
            Created::Exists => Err(Error::Overtaken { place: vault.name("") }),
        }
    }

    pub(super) fn id(&self) -> &str {
        &self.now.id
    }

    pub(super) fn number(&self) -> u32 {
        self.now.number
    }

    pub(super) fn first(&self) -> &str {
        &self.first
    }

    pub(super) fn created(&self) -> &str {
        &self.created
    }

    pub(super) fn protection(&self) -> &Protection {
        &self.protection
    }

    /// Returns whether the record of this number has snapshots protected as they are now.
    pub(super) fn is_for_the_same(&self, number: u32) -> bool {
        self.protection_by(number) == Some(&self.protection)
    }

    /// Returns for whom the record of this number has snapshots encrypted, if an identity of one of
    /// them is to be in the repository under a passphrase.
    pub(super) fn keeps_identity(&self, number: u32) -> Option<&[String]> {
        let Protection::Recipients(recipients) = self.protection_by(number)? else { return None };
        // Earlier versions did not say it; the next record for the same ones does.
        let keeps = |(protection, keeps): (&Protection, &bool)| {
            *keeps && matches!(protection, Protection::Recipients(same) if same == recipients)
        };
        self.protections.iter().zip(&self.keeps).any(keeps).then_some(recipients.texts())
    }

    pub(super) fn encryption(&self) -> Encryption {
        self.now.encryption
    }

    /// Returns how the record of this number has snapshots protected.
    pub(super) fn protection_by(&self, number: u32) -> Option<&Protection> {
        self.protections.get(usize::try_from(number).ok()?)
    }

    /// Returns whether any record had snapshots encrypted like this.
    pub(super) fn had(&self, encryption: Encryption) -> bool {
        self.protections.iter().any(|protection| parts(protection).0 == encryption)
    }

    pub(super) fn owners(&self) -> &[PublicKey] {
        &self.now.owners
    }

    pub(super) fn writers(&self) -> &[Writer] {
        &self.now.writers
    }

    /// Returns whether signatures of this key counted at a time, as names and headers write it.
    pub(super) fn counts(&self, key: PublicKey, time: &str) -> bool {
        let at = |writer: &Writer| {
            // Times of this form sort as text. What one key made in the second before it was
            // authorised by another computer's clock is its own all the same.
            writer.key == key && writer.until.as_deref().is_none_or(|until| time <= until)
        };
        self.now.writers.iter().any(at)
    }

    /// Returns whether a key may write now.
    pub(super) fn may_write(&self, key: PublicKey) -> bool {
        self.now.writers.iter().any(|writer| writer.key == key && writer.until.is_none())
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_false(flag: &bool) -> bool {
    !flag
}

fn key_of(number: u32) -> String {
    format!("{FURTHER}{number:08x}.json")
}

fn parts(protection: &Protection) -> (Encryption, Vec<String>) {
    match protection {
        Protection::Recipients(recipients) => (Encryption::Age, recipients.texts().to_vec()),
        Protection::None => (Encryption::None, Vec::new()),
    }
}

fn open(vault: &dyn Vault, key: &str, bytes: &[u8]) -> Result<Note<Record>, Error> {
    let what = || vault.name(key);
    let note: Note<Record> = note::open(DOMAIN, bytes).map_err(|flaw| match flaw {
        Flaw::Damaged(_) => {
            Error::Record { what: what(), problem: "is not that of a backup repository" }
        }
        Flaw::Newer(problem) => Error::Newer { what: what(), problem },
    })?;
    // The id becomes part of file names in the cache.
    let id = &note.says.id;
    if id.len() != 32 || !id.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(Error::Record { what: what(), problem: "has an id that is none" });
    }
    Ok(note)
}

fn protection(vault: &dyn Vault, key: &str, record: &Record) -> Result<Protection, Error> {
    let refused = |problem| Error::Record { what: vault.name(key), problem };
    let recipients = Recipients::parse(&record.recipients)
        .map_err(|_| refused("has a recipient that cannot be used"))?;
    match (record.encryption, recipients) {
        (Encryption::Age, Some(recipients)) => Ok(Protection::Recipients(recipients)),
        (Encryption::None, None) => Ok(Protection::None),
        _ => Err(refused("contradicts itself on encryption")),
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
    use std::sync::Arc;

    use super::*;
    use crate::backup::vault::Stored;
    use crate::store::Memory;

    /// What is said of a record, and what was done to it.
    type Case = (&'static str, fn(&mut Record));

    const NOW: Timestamp = Timestamp::constant(1_785_579_300, 0);

    fn place() -> (Stored, Signer, Records) {
        let vault = Stored::new(Arc::new(Memory::default()), "r");
        let signer = Signer::generate().unwrap();
        Records::create(&vault, &Protection::None, &signer, NOW).unwrap();
        let records = Records::read(&vault).unwrap().unwrap();
        (vault, signer, records)
    }

    fn later(seconds: i64) -> Timestamp {
        NOW + jiff::SignedDuration::from_secs(seconds)
    }

    #[test]
    fn a_record_that_makes_no_sense_is_refused() {
        let signer = Signer::generate().unwrap();
        let (_, _, records) = place();
        let owned = Record { owners: vec![signer.public()], ..records.now };
        let broken: [Case; 5] = [
            ("contradicts itself on encryption", |r| r.encryption = Encryption::Age),
            ("has an id that is none", |r| r.id = "../../x".to_owned()),
            ("has a recipient that cannot be used", |r| r.recipients.push("x".to_owned())),
            ("is not signed by an owner of the repository", |r| r.owners.clear()),
            ("its header has another version", |r| r.v = 2),
        ];
        for (expected, edit) in broken {
            let vault = Stored::new(Arc::new(Memory::default()), "r");
            let mut record = owned.clone();
            edit(&mut record);
            vault.create(FIRST, &note::seal(DOMAIN, &record, &signer)).unwrap();
            let said = Records::read(&vault).unwrap_err().to_string();
            assert!(said.ends_with(expected), "{said}");
        }
    }

    #[test]
    fn a_record_that_is_there_stands() {
        let (vault, _, records) = place();
        let other = Signer::generate().unwrap();
        Records::create(&vault, &Protection::None, &other, NOW).unwrap();
        assert_eq!(Records::read(&vault).unwrap().unwrap().id(), records.id());
    }

    #[test]
    fn an_owner_authorises_and_revokes_writers_and_nobody_else_can() {
        let (vault, owner, records) = place();
        let writer = Signer::generate().unwrap();
        let key = writer.public();
        let refused = records.change(&vault, &Change::Authorize(key), &writer, NOW).unwrap_err();
        assert!(matches!(refused, Error::NotOwner { .. }), "{refused}");
        records.change(&vault, &Change::Authorize(key), &owner, later(10)).unwrap();
        let now = Records::read(&vault).unwrap().unwrap();
        assert!(now.may_write(key) && now.may_write(owner.public()));
        now.change(&vault, &Change::Revoke(key), &owner, later(20)).unwrap();
        let now = Records::read(&vault).unwrap().unwrap();
        assert!(!now.may_write(key));
        let at = |seconds| now.counts(key, &utc(later(seconds)));
        assert_eq!([at(15), at(20), at(21)], [true, true, false]);
        let again = now.change(&vault, &Change::Revoke(key), &owner, later(30)).unwrap_err();
        assert!(matches!(again, Error::NotWriter { .. }), "{again}");
    }

    #[test]
    fn encryption_can_be_begun_and_never_given_up() {
        let (vault, owner, records) = place();
        let key = age::x25519::Identity::generate().to_public().to_string();
        let recipients = Recipients::parse(&[&key]).unwrap().unwrap();
        records.change(&vault, &Change::Recipients(recipients), &owner, NOW).unwrap();
        let now = Records::read(&vault).unwrap().unwrap();
        assert_eq!(now.encryption(), Encryption::Age);
        assert!(now.had(Encryption::None));
        let (encryption, recipients) = (Encryption::None, Vec::new());
        let (number, previous) = (2, Some(now.hash));
        let record = Record { number, previous, encryption, recipients, ..now.now };
        vault.create(&key_of(2), &note::seal(DOMAIN, &record, &owner)).unwrap();
        let said = Records::read(&vault).unwrap_err().to_string();
        assert!(said.ends_with("gives up encryption"), "{said}");
    }

    #[test]
    fn of_two_changes_at_once_one_is_refused() {
        let (vault, owner, records) = place();
        let key = Signer::generate().unwrap().public();
        records.change(&vault, &Change::Authorize(key), &owner, NOW).unwrap();
        let error = records.change(&vault, &Change::Authorize(key), &owner, NOW).unwrap_err();
        assert!(matches!(error, Error::Overtaken { .. }), "{error}");
    }

    #[test]
    fn a_record_that_an_owner_did_not_sign_or_that_skips_one_is_refused() {
        for (number, by_owner) in [(1, false), (2, true)] {
            let (vault, owner, records) = place();
            let forger = if by_owner { owner } else { Signer::generate().unwrap() };
            let record = Record { number, previous: Some(records.hash), ..records.now };
            vault.create(&key_of(number), &note::seal(DOMAIN, &record, &forger)).unwrap();
            let error = Records::read(&vault).unwrap_err();
            assert!(matches!(error, Error::Record { .. }), "{error}");
        }
    }

    #[test]
    fn a_record_says_whether_an_identity_is_kept_whatever_is_changed_next() {
        let vault = Stored::new(Arc::new(Memory::default()), "r");
        let signer = Signer::generate().unwrap();
        let of = |number: u8| {
            let key = age::x25519::Identity::generate().to_public().to_string();
            vault.create(&format!("keys/{number:016x}.age"), b"of another").unwrap();
            Recipients::parse(&[key]).unwrap().unwrap()
        };
        let (first, second) = (of(1), of(2));
        let says = || Records::read(&vault).unwrap().unwrap();
        let keeps = |number| says().keeps_identity(number).is_some();
        Records::create(&vault, &Protection::Recipients(first.clone()), &signer, NOW).unwrap();
        assert!(!keeps(0), "those that are there are of others");
        vault.create(&identity::key_of(&first.texts()[0]), b"").unwrap();
        let other = Signer::generate().unwrap().public();
        says().change(&vault, &Change::Authorize(other), &signer, NOW).unwrap();
        assert!(keeps(1) && keeps(0), "also where an earlier record did not say it");
        vault.delete(&identity::key_of(&first.texts()[0])).unwrap();
        says().change(&vault, &Change::Revoke(other), &signer, NOW).unwrap();
        assert!(keeps(2), "that it is gone does not make it unneeded");
        says().change(&vault, &Change::Recipients(second), &signer, NOW).unwrap();
        assert!(!keeps(3) && keeps(2), "what is older needs it as before");
    }
}
