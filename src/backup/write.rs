//! Adding a snapshot: what it is told by, how it is built and checked, and how it is kept.
//!
//! A writer holds public recipients, a signing key and keyed hashes of what it stored last. Nothing
//! of that can read an earlier snapshot.

use std::fmt;
use std::io::Write;

use jiff::{SignedDuration, Timestamp};

use super::body::{self, Hashed, Inner};
use super::catalogue::Catalogue;
use super::container::{self, Compression, Header, Link, Payload};
use super::crypt::{self, AGE_MAGIC};
use super::delta;
use super::heads::{Hashes, Head, Heads, Member, Written};
use super::record::random;
use super::sign::{PublicKey, Signer};
use super::snapshot::{Label, to_hex, utc};
use super::vault::{Created, Object};
use super::{Error, Kind, Origin, Protection, Repository, Snapshot, SourceFacts, stream_of};
use crate::state::document::Document;
use crate::store::Version;

/// How to store what changed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Strategy {
    /// As a whole.
    Full,
    /// As what changed since the newest snapshot.
    Incremental,
    /// As what changed since the last full one.
    Differential,
    /// As what changed since the last full one, and as a whole where that says little less or gets
    /// old.
    #[default]
    Auto,
}

/// What is to be stored.
#[derive(Clone, Debug)]
pub struct Addition<'a> {
    /// Text that stays the same for the same place.
    pub uri: &'a str,
    /// What parsing the state told.
    pub facts: SourceFacts,
    /// The state's bytes, whether or not they can be parsed.
    pub state: Hashed<'a>,
    /// The state, if it can be parsed.
    pub document: Option<&'a Document>,
    /// What the source calls this content, where it has such names.
    pub source: Option<&'a Version>,
    /// How to store it.
    pub strategy: Strategy,
    /// How hard zstd tries on a whole state, 1 to 22.
    pub level: i32,
    /// What it is to be found by.
    pub tags: &'a [String],
    /// When it was so.
    pub created: Timestamp,
    /// Where it belongs.
    pub order: Order,
}

/// What snapshots of versions that a store still had are tagged with.
pub const IMPORTED: &str = "imported";

/// What snapshots of states are tagged with that can't be parsed: retention, which has no key to look
/// into them, must not take one of these for the newest that is of use.
pub const BROKEN: &str = "broken";

/// What snapshots are tagged with that are made before a state is replaced.
pub const BEFORE_CHANGE: &str = "before-change";

/// What snapshots are tagged with that are made before a guarded command runs.
pub const BEFORE_GUARDED: &str = "before";

/// The tags that mean something to retention and to checks, which nobody is to give by hand.
pub const OWN_TAGS: [&str; 4] = [IMPORTED, BROKEN, BEFORE_CHANGE, BEFORE_GUARDED];

/// Where a snapshot belongs among those of its state.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Order {
    /// It is the newest.
    #[default]
    Next,
    /// It is older than all that this computer made.
    Before,
}

/// What was stored.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Added {
    /// The snapshot.
    pub snapshot: Snapshot,
    /// The id of the one that it builds on.
    pub parent: Option<String>,
    /// The id of the full one that it builds on in the end.
    pub base: Option<String>,
    /// How many others have to be read to restore it.
    pub depth: usize,
    /// How many resource instances are other than in the snapshot before; nothing where that is not
    /// known.
    pub changed: Option<u64>,
    /// Why it was stored as a whole although something else was asked for.
    pub why_full: Option<Whole>,
    /// Why this computer can't remember it, if it can't: the state is stored again the next time, as a
    /// whole.
    pub forgotten: Option<String>,
    /// Whose key signed the newest snapshot before it, if that came after this computer's own: two
    /// computers add to one history.
    pub beside: Option<PublicKey>,
}

impl Added {
    /// Tells of a snapshot that stands alone.
    fn new(snapshot: Snapshot, why_full: Option<Whole>) -> Self {
        let (parent, base, changed, forgotten, beside) = (None, None, None, None, None);
        Self { snapshot, parent, base, depth: 0, changed, why_full, forgotten, beside }
    }
}

/// Why a state is stored as a whole.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Whole {
    /// There is no snapshot of it yet.
    First,
    /// Nothing is remembered of the snapshots that there are.
    Forgotten,
    /// The snapshot that it would build on is gone, damaged or about to be removed.
    Lost,
    /// What it would build on was not listed: it is gone, or was made after the listing.
    Unlisted,
    /// The state has another lineage now.
    Lineage,
    /// The snapshot that it would build on was encrypted anew, and this computer does not know what
    /// that became.
    Anew,
    /// Others are to read what is written since.
    Recipients,
    /// It has a lineage that can be read and the one before had none, or the other way.
    Broken,
    /// The last full one is old.
    Old,
    /// The state is so small that there is nothing to gain.
    Small,
    /// What changed since the last full one is no longer little.
    Large,
    /// The snapshots since the last full one take more place than it does.
    AddedUp,
    /// Too many others would have to be read.
    Deep,
}

impl fmt::Display for Whole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::First => "the first of this state",
            Self::Forgotten => "this computer remembers nothing of the one before",
            Self::Lost => "the one before is gone, damaged or about to be removed",
            Self::Unlisted => "the one before is gone, or was made just now",
            Self::Lineage => "the state has another lineage",
            Self::Anew => "the one before was encrypted anew",
            Self::Recipients => "it is encrypted for others than the one before",
            Self::Broken => "of this and the one before, only one can be read",
            Self::Old => "the last full one is old",
            Self::Small => "the state is small",
            Self::Large => "much has changed since the last full one",
            Self::AddedUp => "those since the last full one have added up",
            Self::Deep => "the chain is long",
        })
    }
}

/// Under `auto`, a smaller state is always stored as a whole.
const SMALL: usize = 64 * 1024;

/// Under `auto`, the last full snapshot may be so old.
const OLD: SignedDuration = SignedDuration::from_hours(14 * 24);

/// How many snapshots a chain of incremental ones may have.
const DEEP: usize = 100;

impl Repository {
    /// Returns an error if snapshots with this signature would not count.
    pub fn may_write(&self, signer: &Signer) -> Result<(), Error> {
        if self.records.may_write(signer.public()) {
            return Ok(());
        }
        let (place, key) = (self.name(), signer.public());
        if self.writers().iter().any(|writer| writer.key == key) {
            return Err(Error::Revoked { place, key });
        }
        Err(Error::NotAuthorised { place, key })
    }

    /// Returns the newest snapshot of a state if it is known to hold these bytes and is there.
    pub fn unchanged(
        &self,
        catalogue: &Catalogue,
        (uri, state): (&str, &Hashed<'_>),
        source: Option<&Version>,
        heads: &Heads,
    ) -> Option<Snapshot> {
        let stream = stream_of(uri);
        let head = heads.read(self.id(), &stream).filter(|head| head.is_of(state))?;
        let snapshot = self.newest(catalogue, &stream, &head)?;
        if let Some(source) = source.filter(|source| !head.is_version(source))
            && let Err(error) = heads.rename((self.id(), &stream), &head, source)
        {
            tracing::debug!(%error, "cannot remember what the source calls the state");
        }
        Some(snapshot)
    }

    /// Returns the newest snapshot of a state if it is known to hold what the source calls so.
    pub fn holds_version(
        &self,
        catalogue: &Catalogue,
        (uri, version): (&str, &Version),
        heads: &Heads,
    ) -> Option<Snapshot> {
        let stream = stream_of(uri);
        let head = heads.read(self.id(), &stream).filter(|head| head.is_version(version))?;
        self.newest(catalogue, &stream, &head)
    }

    /// Returns the snapshot that is remembered if it is the newest and all that it needs is there.
    fn newest(&self, catalogue: &Catalogue, stream: &str, head: &Head) -> Option<Snapshot> {
        let newest = catalogue.stream(stream).last()?;
        let is_newest = head.newest().is_some_and(|member| member.is(newest));
        // What those who are to read it now can't read is none that holds it.
        let chain = &head.record.chain;
        let whole =
            is_newest && self.is_for_the_same(chain) && self.has_all(catalogue, stream, chain);
        whole.then(|| newest.clone())
    }

    /// Returns whether all of a chain is for those who are to read what is written now. Who encrypts
    /// the others anew need not have a key of what builds on them.
    fn is_for_the_same(&self, chain: &[Member]) -> bool {
        chain.iter().all(|member| self.records.is_for_the_same(member.record))
    }

    /// Returns whether snapshots are there, as far as can be told in little time, and stay.
    fn has_all(&self, catalogue: &Catalogue, stream: &str, chain: &[Member]) -> bool {
        chain.iter().all(|member| {
            let listed = catalogue.stream(stream).iter().find(|listed| member.is(listed));
            listed.is_some_and(|listed| {
                !catalogue.is_doomed(listed)
                    && (!self.vault.is_near() || self.is_whole(listed, member))
            })
        })
    }

    fn is_whole(&self, listed: &Snapshot, member: &Member) -> bool {
        let file = self.read(listed);
        let head = file.and_then(|file| self.open_file(listed, &file).map(|(head, _)| head));
        head.is_ok_and(|head| head.hash == member.header)
    }

    /// Adds a snapshot of a state, after reading it back from the very bytes to be written.
    ///
    /// Without `heads`, and where nothing is remembered, it is a full one.
    pub fn add(
        &self,
        catalogue: &Catalogue,
        addition: &Addition<'_>,
        heads: Option<&Heads>,
        signer: &Signer,
    ) -> Result<Added, Error> {
        self.may_write(signer)?;
        let stream = stream_of(addition.uri);
        let head = heads.and_then(|heads| heads.read(self.id(), &stream));
        let remembered = head.as_ref().and_then(Head::newest).and_then(Member::sequence);
        let task = Task { repository: self, catalogue, addition, stream, signer, remembered };
        let previous = task.previous(head.as_ref())?;
        let beside = task.beside(head.as_ref());
        let (why, changed) = match head {
            Some(head) => {
                let hashes = head.hashes(addition.state.bytes(), addition.document);
                let delta = match task.base((&head, &hashes)) {
                    Ok(base) => task.delta(&base, previous.clone())?,
                    Err(why) => Err(why),
                };
                let changed = head.differences(&hashes);
                match delta {
                    Ok((added, chain)) => {
                        let forgotten = task.remember(heads, Some((&head, &hashes)), chain);
                        return Ok(Added { changed, forgotten, beside, ..added });
                    }
                    Err(why) => (why, changed),
                }
            }
            None => (task.without_base(), None),
        };
        // What was remembered is let go of by now: nothing takes as much memory as this does.
        let (added, chain) = task.full(previous, why)?;
        let forgotten = task.remember(heads, None, chain);
        Ok(Added { changed, forgotten, beside, ..added })
    }
}

/// One snapshot in the making.
struct Task<'a> {
    repository: &'a Repository,
    catalogue: &'a Catalogue,
    addition: &'a Addition<'a>,
    stream: String,
    signer: &'a Signer,
    /// The number of the newest snapshot that this computer remembers.
    remembered: Option<u32>,
}

/// What a snapshot can be told by.
struct Base<'h> {
    kind: Kind,
    index: delta::Index<'h>,
    hashes: &'h Hashes<'h>,
    /// The snapshots that have to be read, the full one first, the parent last.
    chain: &'h [Member],
}

impl Task<'_> {
    /// Stores the state as a whole.
    fn full(&self, previous: Option<Link>, why: Whole) -> Result<(Added, Vec<Member>), Error> {
        let asked_for_full = self.addition.strategy == Strategy::Full;
        let label = self.label(Kind::Full)?;
        let inner = self.inner(label.clone(), None);
        let payload = self.payload(&inner, self.addition.state.bytes(), self.addition.level)?;
        let (snapshot, member) =
            self.commit(&self.header(label, None, previous, &payload), &payload)?;
        let why_full = (!asked_for_full).then_some(why);
        Ok((Added::new(snapshot, why_full), vec![member]))
    }

    /// Remembers a snapshot that was written, and returns why it can't, if it can't; `before` is what a
    /// delta was told by.
    fn remember(
        &self,
        heads: Option<&Heads>,
        before: Option<(&Head, &Hashes<'_>)>,
        chain: Vec<Member>,
    ) -> Option<String> {
        let heads = heads?;
        let Addition { state, document, source, .. } = *self.addition;
        let lineage = self.addition.facts.lineage.as_deref().unwrap_or_default();
        let done = Written { state, document, lineage, source, chain };
        let done = heads.remember((self.repository.id(), &self.stream), before, done);
        let error = done.err()?;
        // The snapshot is safe.
        tracing::warn!(%error, "cannot remember the newest snapshot in the cache");
        Some(error.to_string())
    }

    /// Returns why a state is stored as a whole of which nothing is remembered.
    fn without_base(&self) -> Whole {
        match self.catalogue.stream(&self.stream) {
            [] => Whole::First,
            _ => Whole::Forgotten,
        }
    }

    /// Returns what the state can be told by, or why by nothing.
    fn base<'h>(&self, (head, hashes): (&'h Head, &'h Hashes<'h>)) -> Result<Base<'h>, Whole> {
        let listed = self.catalogue.stream(&self.stream);
        let strategy = self.addition.strategy;
        if listed.is_empty() || strategy == Strategy::Full {
            return Err(Whole::First);
        }
        let chain = &head.record.chain;
        if !self.repository.has_all(self.catalogue, &self.stream, chain) {
            let newest = listed.last().map(|snapshot| snapshot.sequence);
            return Err(if chain.iter().any(|member| self.was_encrypted_anew(member)) {
                Whole::Anew
            } else if self.remembered > newest {
                Whole::Unlisted
            } else {
                Whole::Lost
            });
        }
        if !self.repository.is_for_the_same(chain) {
            return Err(Whole::Recipients);
        }
        // That of what can't be parsed counts as empty.
        let lineage = self.addition.facts.lineage.as_deref().unwrap_or_default();
        if !head.has_lineage(lineage) {
            let only_one = lineage.is_empty() || head.has_lineage("");
            return Err(if only_one { Whole::Broken } else { Whole::Lineage });
        }
        if strategy == Strategy::Incremental {
            if chain.len() > DEEP {
                return Err(Whole::Deep);
            }
            return Ok(Base { kind: Kind::Incremental, index: head.by_newest(), hashes, chain });
        }
        let full = chain.first().ok_or(Whole::Forgotten)?;
        if strategy == Strategy::Auto {
            self.is_worth_telling_by(full, listed)?;
        }
        let chain = &chain[..1];
        Ok(Base { kind: Kind::Differential, index: head.by_full(), hashes, chain })
    }

    /// Returns whether a later generation of a snapshot is there.
    fn was_encrypted_anew(&self, member: &Member) -> bool {
        let Some(old) = Snapshot::named(&member.key) else { return false };
        let mut listed = self.catalogue.stream(&self.stream).iter();
        listed.any(|new| new.name() == old.name() && new.generation > old.generation)
    }

    /// Returns why `auto` takes no difference to this full snapshot, if it does not.
    fn is_worth_telling_by(&self, full: &Member, listed: &[Snapshot]) -> Result<(), Whole> {
        if self.addition.state.bytes().len() < SMALL {
            return Err(Whole::Small);
        }
        let full = listed.iter().position(|listed| full.is(listed)).ok_or(Whole::Lost)?;
        if self.addition.created.duration_since(listed[full].created) > OLD {
            return Err(Whole::Old);
        }
        let since: u64 = listed[full + 1..].iter().map(|listed| listed.bytes_stored).sum();
        if since > 2 * listed[full].bytes_stored { Err(Whole::AddedUp) } else { Ok(()) }
    }

    /// Stores the difference, unless it says little less than the state.
    fn delta(
        &self,
        base: &Base<'_>,
        previous: Option<Link>,
    ) -> Result<Result<(Added, Vec<Member>), Whole>, Error> {
        let (Some(full), Some(parent)) = (base.chain.first(), base.chain.last()) else {
            return Ok(Err(Whole::Forgotten));
        };
        let delta = delta::encode(self.addition.state.bytes(), base.hashes.index(), &base.index)
            .map_err(|source| Error::Build { source })?;
        if !body::is_read(delta.len(), self.addition.state.bytes().len()) {
            return Ok(Err(Whole::Large));
        }
        let label = self.label(base.kind)?;
        let inner = self.inner(label.clone(), Some(parent.id.clone()));
        let payload = self.payload(&inner, &delta, body::level_of_delta(delta.len()))?;
        let limit = match self.addition.strategy {
            Strategy::Auto => full.len / 2,
            _ => full.len,
        };
        if payload.len() as u64 > limit.max(4096) {
            return Ok(Err(Whole::Large));
        }
        let link = Link { id: parent.id.clone(), header: parent.header.clone() };
        let header = self.header(label, Some(link), previous, &payload);
        let (snapshot, member) = self.commit(&header, &payload)?;
        // It may have been removed since the listing; what was written is then worth nothing.
        if self.repository.vault.start(&parent.key, 1)?.is_none() {
            // A place that lets nothing be deleted keeps it, and `verify` names it.
            if let Err(error) = self.repository.vault.delete(&snapshot.key) {
                tracing::warn!(%error, snapshot = snapshot.id, "cannot take a snapshot back");
            }
            return Ok(Err(Whole::Lost));
        }
        let mut chain = base.chain.to_vec();
        let short = |member: &Member| Some(member.id.get(..8).unwrap_or_default().to_owned());
        let (parent, base_id, depth) = (short(parent), short(full), chain.len());
        chain.push(member);
        let added = Added { parent, base: base_id, depth, ..Added::new(snapshot, None) };
        Ok(Ok((added, chain)))
    }

    /// Returns the newest snapshot of the stream that a writer of this repository made.
    fn previous(&self, head: Option<&Head>) -> Result<Option<Link>, Error> {
        if self.addition.order == Order::Before {
            return Ok(None);
        }
        for listed in self.catalogue.stream(&self.stream).iter().rev() {
            if let Some(member) = head.and_then(Head::newest).filter(|member| member.is(listed)) {
                return Ok(Some(Link { id: member.id.clone(), header: member.header.clone() }));
            }
            match self.repository.head(listed) {
                Ok(head) => return Ok(Some(head.link())),
                Err(error @ (Error::Io { .. } | Error::Store(_))) => return Err(error),
                // What is damaged or forged has no place in the order.
                Err(error) => tracing::warn!(%error, "passed over a snapshot"),
            }
        }
        Ok(None)
    }

    /// Returns whose snapshot is the newest, if another computer made it after this one's own.
    fn beside(&self, head: Option<&Head>) -> Option<PublicKey> {
        let (own, newest) = (head?.newest()?, self.catalogue.stream(&self.stream).last()?);
        if own.is(newest) {
            return None;
        }
        let signer = self.repository.head(newest).ok()?.header.signer;
        (signer != self.signer.public()).then_some(signer)
    }

    fn label(&self, kind: Kind) -> Result<Label, Error> {
        let listed = self.catalogue.stream(&self.stream);
        // A listing may lag behind what was just written.
        let last = listed.iter().map(|snapshot| snapshot.sequence).chain(self.remembered).max();
        let seq = match self.addition.order {
            Order::Next => last.unwrap_or(0).saturating_add(1),
            Order::Before => 0,
        };
        let id = random::<16>().map_err(|source| Error::Build { source })?;
        Ok(Label {
            repo: self.repository.id().to_owned(),
            stream: self.stream.clone(),
            id: to_hex(&id),
            seq,
            kind,
            created: utc(self.addition.created),
        })
    }

    fn inner(&self, snapshot: Label, parent: Option<String>) -> Inner {
        let Addition { uri, facts, state, .. } = self.addition;
        let state = Origin::of(uri, facts.clone(), state);
        let tool = concat!("tfstate ", env!("CARGO_PKG_VERSION")).to_owned();
        Inner { v: 1, must_understand: Vec::new(), snapshot, parent, state, tool }
    }

    fn header(
        &self,
        snapshot: Label,
        parent: Option<Link>,
        previous: Option<Link>,
        payload: &[u8],
    ) -> Header {
        // Where both are the same, one says it.
        let previous = previous.filter(|previous| parent.as_ref() != Some(previous));
        Header {
            v: 1,
            must_understand: Vec::new(),
            snapshot,
            parent,
            previous,
            generation: 0,
            record: self.repository.records.number(),
            tags: self.addition.tags.to_vec(),
            compression: Compression::Zstd,
            encryption: self.repository.records.encryption(),
            signer: self.signer.public(),
            payload: Payload::of(payload),
        }
    }

    fn payload(&self, inner: &Inner, content: &[u8], level: i32) -> Result<Vec<u8>, Error> {
        let fill = |out: &mut dyn Write| body::write(inner, content, level, out);
        sealed(self.repository.protection(), content, fill)
    }

    fn commit(&self, header: &Header, payload: &[u8]) -> Result<(Snapshot, Member), Error> {
        commit(self.repository, header, payload, self.signer)
    }
}

/// Encrypts what `fill` writes, as the repository wants it, and reads it back: the content has to
/// come out of the very bytes that will be written.
pub(super) fn sealed(
    protection: &Protection,
    content: &[u8],
    fill: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
) -> Result<Vec<u8>, Error> {
    match protection {
        Protection::None => {
            let mut payload = Vec::new();
            fill(&mut payload).map_err(|source| Error::Build { source })?;
            same(body::open(payload.as_slice()).and_then(|opened| opened.holds(content)))?;
            Ok(payload)
        }
        Protection::Recipients(recipients) => {
            let (payload, key) = crypt::encrypt(recipients, fill)?;
            self_check(&payload, &key, content)?;
            Ok(payload)
        }
    }
}

/// Holds an encrypted payload against what it should be: encrypted, and the content.
pub(super) fn self_check(
    payload: &[u8],
    key: &crypt::FileIdentity,
    content: &[u8],
) -> Result<(), Error> {
    if !payload.starts_with(AGE_MAGIC) {
        return Err(Error::SelfCheck { problem: "it is not encrypted" });
    }
    let plain = crypt::read_back(payload, key)
        .map_err(|_| Error::SelfCheck { problem: "it cannot be decrypted" })?;
    same(body::open(plain).and_then(|opened| opened.holds(content)))
}

fn same(holds: Result<bool, body::Flaw>) -> Result<(), Error> {
    let problem = match holds {
        Ok(true) => return Ok(()),
        Ok(false) => "its bytes differ",
        Err(body::Flaw::Damaged(problem) | body::Flaw::Newer(problem)) => problem,
    };
    Err(Error::SelfCheck { problem })
}

/// Writes a snapshot's object.
pub(super) fn commit(
    repository: &Repository,
    header: &Header,
    payload: &[u8],
    signer: &Signer,
) -> Result<(Snapshot, Member), Error> {
    let mut file = container::prefix(header, signer);
    let head = container::head(&file)
        .map_err(|_| Error::SelfCheck { problem: "its header is too long" })?;
    file.extend_from_slice(payload);
    let key = header.snapshot.key(header.generation, &header.payload.blake3);
    if repository.vault.add(&key, &file)? == Created::Exists
        && repository.vault.read(&key)?.as_ref() != Some(&file)
    {
        return Err(Error::SelfCheck { problem: "another object has its name" });
    }
    let len = file.len() as u64;
    let link = head.link();
    tracing::info!(snapshot = link.id, key, bytes = file.len(), "wrote a snapshot");
    let record = head.header.record;
    let member = Member { key: key.clone(), id: link.id, header: link.header, len, record };
    let snapshot = Snapshot::of(Object { key, len, modified: None, tag: None });
    Ok((snapshot.expect("a label's own key can be read"), member))
}
