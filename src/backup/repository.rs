//! A repository: its record, its snapshots, and reading them.
//!
//! Everything in it is written once; a crash at any moment leaves it as it was before or with one
//! object more.

use std::collections::BTreeSet;
use std::io::Read;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::body::{self, Content, Flaw, Opened};
use super::catalogue::Catalogue;
use super::container::{self, Encryption, HEAD, Head, Header, Link};
use super::crypt::{self, Refusal};
use super::known::Known;
use super::record::{Change, FURTHER, Records, Writer};
use super::sign::{PublicKey, Signer};
use super::snapshot::FOLDER;
use super::tomb::PENDING;
use super::vault::{Created, Vault};
use super::{
    Error, IMPORTED, Identities, Origin, Protection, Recipients, Snapshot, delta, identity,
};
use crate::base::secret::Secret;

/// By how much the time of a snapshot may differ from that at which its place received it.
pub(super) const SKEW: SignedDuration = SignedDuration::from_hours(1);

/// How long a chain of snapshots may be that is followed.
const LONGEST_CHAIN: usize = 1000;

/// A repository that is there.
#[derive(Clone, Debug)]
pub struct Repository {
    pub(super) vault: Arc<dyn Vault>,
    pub(super) records: Records,
    is_new: bool,
}

/// What this computer has to work with repositories.
#[derive(Clone, Copy, Debug, Default)]
pub struct Keys<'a> {
    /// What it signs with; without it, it can only read.
    pub signer: Option<&'a Signer>,
    /// What it remembers of the repositories that it used; nothing trusts any.
    pub known: Option<&'a Known>,
}

/// What a snapshot holds, checked against what was written.
#[derive(Clone, Debug)]
pub struct Restored {
    /// The bytes of the state.
    pub state: crate::state::bytes::Bytes,
    /// Where it came from.
    pub origin: Origin,
}

/// What the clear header of a snapshot says.
#[derive(Clone, Debug)]
pub struct Described {
    /// Its whole id.
    pub id: String,
    /// The whole id of the snapshot that it builds on.
    pub parent: Option<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// Who signed it.
    pub signer: PublicKey,
}

impl Repository {
    /// Opens the repository at a place.
    pub fn open(vault: Arc<dyn Vault>, keys: Keys<'_>) -> Result<Self, Error> {
        let memory = keys.known.and_then(|known| known.recall(&*vault));
        let records = match Records::read(&*vault)? {
            Some(records) => records,
            None => match none(&*vault) {
                // Or it was made just now: its record is there before anything else.
                headless @ Error::Headless { .. } => Records::read(&*vault)?.ok_or(headless)?,
                none => return Err(none),
            },
        };
        if let Some(known) = keys.known {
            known.recognise(&*vault, memory.as_ref(), &records)?;
        }
        Ok(Self { vault, records, is_new: false })
    }

    /// Opens the repository at a place, or makes it there, protected as asked.
    ///
    /// What is asked of a repository that exists has to be what it has.
    pub fn open_or_create(
        vault: Arc<dyn Vault>,
        asked: Option<&Protection>,
        keys: Keys<'_>,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let mut found = Self::open(Arc::clone(&vault), keys);
        if let (Err(Error::NoRepository { .. }), Some(known)) = (&found, keys.known)
            && let Err(vanished) = known.expects_none(&*vault)
        {
            // Or another process made it just now, and remembered it.
            found = match Self::open(Arc::clone(&vault), keys) {
                Err(Error::NoRepository { .. }) => return Err(vanished),
                found => found,
            };
        }
        match (found, asked) {
            (Err(Error::NoRepository { place }), None) => Err(Error::Undecided { place }),
            (Err(Error::NoRepository { .. }), Some(asked)) => {
                let signer = keys.signer.ok_or(Error::NoSigner)?;
                let created = Records::create(&*vault, asked, signer, now)?;
                let made = Self::open(vault, keys)?.insist(asked)?;
                Ok(Self { is_new: created == Created::New, ..made })
            }
            (Ok(found), Some(asked)) => found.insist(asked),
            (result, _) => result,
        }
    }

    /// Says that one stream of a place is to be listed now.
    pub fn expect_stream(vault: &dyn Vault, stream: &str) {
        // What is near lists it in less time than it takes to begin with it.
        if !vault.is_near() {
            vault.expect(&[PENDING, &format!("{FOLDER}{stream}/")]);
        }
    }

    /// Says that all of a place is to be listed soon. Its records are not: what they say by the time
    /// that it is opened has to count.
    pub fn expect(vault: &dyn Vault) {
        vault.expect(&[PENDING, FOLDER]);
    }

    /// Makes an identity and keeps it under a passphrase in a place that is a repository or is to
    /// become one, and returns its recipient: what is to be encrypted for that can be read by what is
    /// there, which is read back.
    pub fn keep_identity(vault: &dyn Vault, passphrase: &Secret) -> Result<Recipients, Error> {
        let (recipient, sealed) = crypt::seal_identity(passphrase)?;
        let key = identity::key_of(&recipient);
        vault.create(&key, &sealed)?;
        let kept = vault.read(&key)?.and_then(|kept| crypt::recipient_of(&kept, passphrase));
        if kept.as_ref() != Some(&recipient) {
            let what = vault.name(&key);
            vault.delete(&key)?;
            return Err(Error::KeptIdentity { what });
        }
        let recipients = Recipients::parse(&[recipient])?;
        recipients.ok_or(Error::Undecided { place: vault.name("") })
    }

    /// Adds the identities that this repository keeps under a passphrase.
    ///
    /// One that it does not open is no error where it opens another: there may be such of earlier
    /// passphrases, and of a run that did not get to say that it counts.
    pub fn unlock(&self, identities: &mut Identities, passphrase: &Secret) -> Result<(), Error> {
        let (mut opened, mut refusal) = (0, None);
        for object in self.vault.list(identity::FOLDER)? {
            let Some(sealed) = self.vault.read(&object.key)? else { continue };
            match identities.unlock(&sealed, passphrase) {
                Ok(()) => opened += 1,
                Err(error) => refusal = Some(error),
            }
        }
        refusal.filter(|_| opened == 0).map_or(Ok(()), Err)
    }

    /// Lists what is kept as identities under a passphrase.
    pub(super) fn identities(&self) -> Result<Vec<identity::Kept>, Error> {
        identity::list(&*self.vault)
    }

    /// Returns those of the recipients whose identities it keeps under a passphrase; nothing where it
    /// keeps no identity at all.
    pub fn kept_recipients(&self) -> Result<Option<Vec<String>>, Error> {
        let kept = self.identities()?;
        let is_kept = |recipient: &&String| {
            let key = identity::key_of(recipient);
            kept.iter().any(|kept| kept.key == key)
        };
        let recipients = self.recipients().iter().filter(is_kept).cloned().collect();
        Ok((!kept.is_empty()).then_some(recipients))
    }

    /// Returns whether what is written now is for an identity that it keeps under this passphrase,
    /// and for nobody else.
    pub fn is_under(&self, passphrase: &Secret) -> Result<bool, Error> {
        let [recipient] = self.recipients() else { return Ok(false) };
        let sealed = self.vault.read(&identity::key_of(recipient))?;
        let opened = sealed.and_then(|sealed| crypt::recipient_of(&sealed, passphrase));
        Ok(opened.as_ref() == Some(recipient))
    }

    /// Returns for whom snapshots are encrypted now.
    pub(super) fn recipients(&self) -> &[String] {
        match self.protection() {
            Protection::Recipients(recipients) => recipients.texts(),
            Protection::None => &[],
        }
    }

    /// Returns what to call it.
    pub fn name(&self) -> String {
        self.vault.name("")
    }

    /// Returns whether opening it made it.
    pub fn is_new(&self) -> bool {
        self.is_new
    }

    /// Returns its id: 32 hex digits.
    pub fn id(&self) -> &str {
        self.records.id()
    }

    /// Returns when it was made, as `20260801T101500Z`.
    pub fn created(&self) -> &str {
        self.records.created()
    }

    /// Returns how its snapshots are protected.
    pub fn protection(&self) -> &Protection {
        self.records.protection()
    }

    /// Returns the number of the newest record: how often it was changed.
    pub fn record_number(&self) -> u32 {
        self.records.number()
    }

    /// Encrypts for these from now on; what was written before stays as it is.
    pub fn set_recipients(
        &self,
        recipients: &Recipients,
        owner: &Signer,
        now: Timestamp,
    ) -> Result<(), Error> {
        let change = Change::Recipients(recipients.clone());
        self.records.change(&*self.vault, &change, owner, now)
    }

    /// Returns the keys that may change its record and remove snapshots.
    pub fn owners(&self) -> &[PublicKey] {
        self.records.owners()
    }

    /// Returns the keys whose signatures on snapshots count, or did.
    pub fn writers(&self) -> &[Writer] {
        self.records.writers()
    }

    /// Makes the signatures of a key count from now on.
    pub fn authorize(&self, key: PublicKey, owner: &Signer, now: Timestamp) -> Result<(), Error> {
        self.records.change(&*self.vault, &Change::Authorize(key), owner, now)
    }

    /// Makes what a key signs from now on not count.
    pub fn revoke(&self, key: PublicKey, owner: &Signer, now: Timestamp) -> Result<(), Error> {
        self.records.change(&*self.vault, &Change::Revoke(key), owner, now)
    }

    /// Lists everything.
    pub fn catalogue(&self) -> Result<Catalogue, Error> {
        Catalogue::read(&*self.vault, self.records.owners())
    }

    /// Lists one stream.
    pub fn catalogue_of(&self, stream: &str) -> Result<Catalogue, Error> {
        Catalogue::read_stream(&*self.vault, stream, self.records.owners())
    }

    /// Lists all snapshots, oldest first.
    pub fn list(&self) -> Result<Vec<Snapshot>, Error> {
        Ok(self.catalogue()?.snapshots())
    }

    /// Lists the snapshots of one stream in the order in which they were made.
    pub fn list_stream(&self, stream: &str) -> Result<Vec<Snapshot>, Error> {
        Ok(self.catalogue_of(stream)?.stream(stream).to_vec())
    }

    /// Returns by how much the time that a snapshot says differs from that at which its place received
    /// it; nothing where the place has no clock of its own, and of what was encrypted anew or imported,
    /// which is of an earlier time by its nature.
    pub(super) fn off_by(&self, snapshot: &Snapshot, header: &Header) -> Option<SignedDuration> {
        let came_later = header.generation > 0 || header.tags.iter().any(|tag| tag == IMPORTED);
        let modified = snapshot.modified.filter(|_| !came_later && !self.vault.is_near())?;
        Some(snapshot.created.duration_since(modified).abs())
    }

    /// Leaves out, where several objects are named as one snapshot, those that are not it: whoever
    /// can write to the place could put them there without any key. Of what was encrypted anew twice
    /// at once, one is left. Objects of one name have to stand one behind the other.
    pub fn genuine(&self, listed: &[Snapshot]) -> Result<Vec<Snapshot>, Error> {
        let mut genuine = Vec::with_capacity(listed.len());
        for same in listed.chunk_by(|a, b| a.name() == b.name()) {
            let [.., last] = same else { continue };
            let mut found = None;
            if same.len() > 1 {
                for snapshot in same {
                    match self.head(snapshot) {
                        Ok(_) => found = Some(snapshot),
                        Err(error @ (Error::Io { .. } | Error::Store(_))) => return Err(error),
                        Err(error) => tracing::warn!(%error, "passed over an object"),
                    }
                }
            }
            // Where none is, reading it says what is wrong.
            genuine.push(found.unwrap_or(last).clone());
        }
        Ok(genuine)
    }

    /// Reads a snapshot and those that it builds on, and checks them from end to end; whatever
    /// differs is an error, and then nothing of it is returned.
    pub fn get(&self, snapshot: &Snapshot, identities: &Identities) -> Result<Restored, Error> {
        let catalogue = match snapshot.kind {
            super::Kind::Full => Catalogue::default(),
            super::Kind::Incremental | super::Kind::Differential => {
                self.catalogue_of(&snapshot.stream)?
            }
        };
        self.get_by(&catalogue, snapshot, identities)
    }

    /// Does as [`get`](Self::get), with a catalogue that has the snapshot's stream.
    pub fn get_by(
        &self,
        catalogue: &Catalogue,
        snapshot: &Snapshot,
        identities: &Identities,
    ) -> Result<Restored, Error> {
        let mut links = self.chain(catalogue, snapshot)?;
        let mut below: Option<(String, Vec<u8>)> = None;
        while let Some((snapshot, file)) = links.pop() {
            let base = below.as_ref().map(|(id, state)| (id.as_str(), state.as_slice()));
            let (id, origin, state) = self.unpack(&snapshot, &file, base, identities)?;
            if links.is_empty() {
                body::check(&origin, &state).map_err(|flaw| flawed(&snapshot, flaw))?;
                return Ok(Restored { state: state.into(), origin });
            }
            body::check_step(&origin, &state).map_err(|flaw| flawed(&snapshot, flaw))?;
            below = Some((id, state));
        }
        unreachable!("a chain has at least the snapshot itself")
    }

    /// Returns where a snapshot's state came from and what it was, of which the signature holds; the
    /// state itself is not looked at.
    pub fn origin(&self, snapshot: &Snapshot, identities: &Identities) -> Result<Origin, Error> {
        let file = self.read(snapshot)?;
        let (head, payload) = self.open_file(snapshot, &file)?;
        let encryption = head.header.encryption;
        let inner = inside(snapshot, (encryption, payload), identities, |opened| Ok(opened.inner))?;
        if inner.snapshot != head.header.snapshot {
            let problem = "its payload belongs to another snapshot";
            return Err(flawed(snapshot, Flaw::Damaged(problem)));
        }
        Ok(inner.state)
    }

    /// Returns a snapshot and all that it builds on, the full one last, with their files.
    fn chain(
        &self,
        catalogue: &Catalogue,
        snapshot: &Snapshot,
    ) -> Result<Vec<(Snapshot, Vec<u8>)>, Error> {
        let file = self.read(snapshot)?;
        let mut parent = self.open_file(snapshot, &file)?.0.header.parent;
        let mut links = vec![(snapshot.clone(), file)];
        let mut seen = BTreeSet::from([snapshot.key.clone()]);
        while let Some(link) = parent {
            let broken = |problem| Error::Parent {
                id: snapshot.id.clone(),
                parent: link.id.get(..8).unwrap_or_default().to_owned(),
                problem,
            };
            let (found, file, head) = self
                .follow(catalogue, &snapshot.stream, &link)?
                .ok_or_else(|| broken("is not there"))?;
            if !seen.insert(found.key.clone()) || links.len() == LONGEST_CHAIN {
                return Err(broken("builds on itself"));
            }
            parent = head.header.parent;
            links.push((found, file));
        }
        Ok(links)
    }

    /// Returns the snapshot that a link leads to, whole and checked.
    fn follow(
        &self,
        catalogue: &Catalogue,
        stream: &str,
        link: &Link,
    ) -> Result<Option<(Snapshot, Vec<u8>, Head)>, Error> {
        let mut refusal = None;
        for candidate in catalogue.candidates(stream, &link.id) {
            let Some(file) = self.vault.read(&candidate.key)? else { continue };
            match self.open_file(candidate, &file).map(|(head, _)| head) {
                Ok(head) if head.is(link) => {
                    return Ok(Some((candidate.clone(), file, head)));
                }
                // Another generation of it.
                Ok(_) => {}
                Err(error) => refusal = Some(error),
            }
        }
        refusal.map_or(Ok(None), Err)
    }

    /// Returns the whole id, the origin and the state of a snapshot, given the state below it.
    pub(super) fn unpack(
        &self,
        snapshot: &Snapshot,
        file: &[u8],
        below: Option<(&str, &[u8])>,
        identities: &Identities,
    ) -> Result<(String, Origin, Vec<u8>), Error> {
        let (head, payload) = self.open_file(snapshot, file)?;
        let flawed = |flaw| flawed(snapshot, flaw);
        let damaged = |problem| flawed(Flaw::Damaged(problem));
        let encryption = head.header.encryption;
        let (inner, content) =
            inside(snapshot, (encryption, payload), identities, Opened::content)?;
        let parent = head.header.parent.map(|link| link.id);
        if inner.snapshot != head.header.snapshot || inner.parent != parent {
            return Err(damaged("its payload belongs to another snapshot"));
        }
        let id = inner.snapshot.id;
        match (content, below) {
            (Content::State(state), None) => Ok((id, inner.state, state)),
            (Content::Delta(delta), Some((below, base))) if Some(below) == parent.as_deref() => {
                let len = usize::try_from(inner.state.length).unwrap_or(usize::MAX);
                let state = delta::decode(&delta, base, len)
                    .map_err(|_| damaged("its delta does not fit what it builds on"))?;
                Ok((id, inner.state, state))
            }
            _ => Err(damaged("its payload belongs to another snapshot")),
        }
    }

    /// Checks what can be checked of a snapshot without an identity: that it is the object that
    /// was written, under its own name, by a writer of this repository.
    pub fn check(&self, snapshot: &Snapshot) -> Result<Described, Error> {
        let file = self.read(snapshot)?;
        self.open_file(snapshot, &file).map(|(head, _)| described(&head))
    }

    /// Does as [`check`](Self::check), but for its payload, of which only the length is looked at.
    pub fn describe(&self, snapshot: &Snapshot) -> Result<Described, Error> {
        self.head(snapshot).map(|head| described(&head))
    }

    /// Reads the head of a snapshot.
    pub(super) fn head(&self, snapshot: &Snapshot) -> Result<Head, Error> {
        let start = self.vault.start(&snapshot.key, HEAD)?.ok_or_else(|| gone(snapshot))?;
        let head = container::head(&start).map_err(|flaw| flawed(snapshot, flaw))?;
        self.hold_against(snapshot, &head)?;
        if head.total() != snapshot.bytes_stored {
            let problem = "its payload is not as long as the one that was written";
            return Err(flawed(snapshot, Flaw::Damaged(problem)));
        }
        Ok(head)
    }

    /// Returns the whole id of a snapshot, of which its name has the beginning.
    pub fn full_id(&self, snapshot: &Snapshot) -> Result<String, Error> {
        self.head(snapshot).map(|head| head.header.snapshot.id)
    }

    pub(super) fn read(&self, snapshot: &Snapshot) -> Result<Vec<u8>, Error> {
        self.vault.read(&snapshot.key)?.ok_or_else(|| gone(snapshot))
    }

    fn insist(self, asked: &Protection) -> Result<Self, Error> {
        let problem = match (self.protection(), asked) {
            (found, asked) if found == asked => return Ok(self),
            (Protection::None, Protection::Recipients(_)) => "was made without encryption",
            (Protection::Recipients(_), Protection::None) => "is encrypted",
            _ => "is encrypted for other recipients",
        };
        Err(Error::Protection { place: self.name(), problem })
    }

    /// Opens a snapshot's file and holds it against its name and this repository.
    pub(super) fn open_file<'f>(
        &self,
        snapshot: &Snapshot,
        file: &'f [u8],
    ) -> Result<(Head, &'f [u8]), Error> {
        let (head, payload) = container::open(file).map_err(|flaw| flawed(snapshot, flaw))?;
        self.hold_against(snapshot, &head)?;
        Ok((head, payload))
    }

    /// Holds the head of a snapshot against its name and this repository.
    pub(super) fn hold_against(&self, snapshot: &Snapshot, head: &Head) -> Result<(), Error> {
        let header = &head.header;
        let damaged = |problem| Err(flawed(snapshot, Flaw::Damaged(problem)));
        let key = header.snapshot.key(header.generation, &header.payload.blake3);
        if key != snapshot.key {
            return damaged("its header belongs to another name");
        }
        if header.snapshot.repo != self.records.id() {
            return damaged("it comes from another repository");
        }
        // What was written under an earlier record stays readable until it is encrypted anew.
        if !self.records.had(header.encryption) {
            return damaged("it is not protected as its repository is");
        }
        // What was encrypted anew hides what it was made of, so no writer may do that alone.
        let may = header.generation == 0 || self.owners().contains(&header.signer);
        if !may || !self.records.counts(header.signer, &header.snapshot.created) {
            return Err(Error::Untrusted { id: snapshot.id.clone(), signer: header.signer });
        }
        Ok(())
    }
}

/// Says that there is no repository at a place, or none any more: by another one that is made there,
/// what is left would count as nothing.
fn none(vault: &dyn Vault) -> Error {
    let place = vault.name("");
    for folder in [FURTHER, FOLDER] {
        match vault.list(folder) {
            Ok(objects) if objects.is_empty() => {}
            Ok(_) => return Error::Headless { place },
            Err(error) => return error,
        }
    }
    Error::NoRepository { place }
}

/// Opens a payload and hands what is inside to `read`.
fn inside<'p, T>(
    snapshot: &Snapshot,
    (encryption, payload): (Encryption, &'p [u8]),
    identities: &Identities,
    read: impl FnOnce(Opened<Box<dyn Read + 'p>>) -> Result<T, Flaw>,
) -> Result<T, Error> {
    let flawed = |flaw| flawed(snapshot, flaw);
    let plain: Box<dyn Read + 'p> = match encryption {
        Encryption::None => Box::new(payload),
        Encryption::Age if identities.is_empty() => {
            return Err(Error::NoIdentity { id: snapshot.id.clone() });
        }
        Encryption::Age => {
            let plain = crypt::decrypt(payload, identities);
            Box::new(plain.map_err(|refusal| match refusal {
                Refusal::NoneFits => Error::WrongIdentity { id: snapshot.id.clone() },
                Refusal::Damaged => flawed(Flaw::Damaged("its payload cannot be decrypted")),
            })?)
        }
    };
    body::open_boxed(plain).and_then(read).map_err(flawed)
}

fn described(head: &Head) -> Described {
    let header = &head.header;
    Described {
        id: header.snapshot.id.clone(),
        parent: header.parent.as_ref().map(|link| link.id.clone()),
        tags: header.tags.clone(),
        signer: header.signer,
    }
}

/// What is said of a snapshot that was listed and is not there.
pub(super) const GONE: &str = "it is gone";

fn gone(snapshot: &Snapshot) -> Error {
    Error::Damaged { id: snapshot.id.clone(), problem: GONE }
}

pub(super) fn flawed(snapshot: &Snapshot, flaw: Flaw) -> Error {
    let id = snapshot.id.clone();
    match flaw {
        Flaw::Damaged(problem) => Error::Damaged { id, problem },
        Flaw::Newer(problem) => Error::Newer { what: format!("snapshot {id}"), problem },
    }
}
