//! Snapshots that somebody holds: retention never removes them, until they are released.
//!
//! Each wish is one signed note, `h/SNAP8-UTC-RANDOM.json`; of those on one snapshot that a writer
//! or an owner signed, the newest counts. A note that is damaged may have been one to hold it, so
//! retention does not remove that snapshot either, until a later note says how it is.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::body::Flaw;
use super::note;
use super::record::random;
use super::snapshot::{hex, time_of, to_hex, utc};
use super::{Error, Repository, Signer, Snapshot};

/// Where the notes are.
const HOLDS: &str = "h/";

const DOMAIN: &str = "tfstate hold v1";

/// By how much a note is later at least than the one that it replaces.
const MOMENT: SignedDuration = SignedDuration::from_nanos(1);

/// The newest note on each snapshot, by their whole ids.
type Newest = BTreeMap<String, (Timestamp, Note)>;

#[derive(Debug, Deserialize, Serialize)]
struct Note {
    v: u32,
    must_understand: Vec<String>,
    repo: String,
    /// The whole id of the snapshot.
    snapshot: String,
    held: bool,
    /// To the nanosecond, so that a release right after is the newer one.
    created: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// Whether a snapshot is to be held.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Wish<'a> {
    /// Keep it whatever the policy says, for this reason.
    Hold(Option<&'a str>),
    /// Leave it to the policy again.
    Release,
}

/// The snapshots that are held.
#[derive(Clone, Debug, Default)]
pub struct Holds {
    /// By their whole ids.
    held: BTreeMap<String, Held>,
    /// The beginnings of the ids of those on which a note is damaged, and none of later says more,
    /// with its key.
    doubted: BTreeMap<String, String>,
}

/// That somebody holds a snapshot.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Held {
    /// Since when.
    pub since: Timestamp,
    /// Why.
    pub reason: Option<String>,
}

impl Holds {
    /// Returns whether somebody holds the snapshot with this whole id.
    pub fn of(&self, id: &str) -> Option<&Held> {
        self.held.get(id)
    }

    /// Returns whether nobody can tell if somebody holds the snapshot with this id, which may be the
    /// first 8 digits of it.
    pub(super) fn is_doubted(&self, id: &str) -> bool {
        self.doubted.contains_key(id.get(..8).unwrap_or(id))
    }

    /// Returns the snapshots of which nobody can tell whether they are held, by the first 8 digits of
    /// their ids, each with the key of the note that is damaged.
    pub(super) fn doubted(&self) -> impl Iterator<Item = (&String, &String)> {
        self.doubted.iter()
    }

    /// Returns all that are held, with their whole ids.
    pub fn all(&self) -> impl Iterator<Item = (&str, &Held)> {
        self.held.iter().map(|(id, held)| (id.as_str(), held))
    }
}

impl Repository {
    /// Notes that a snapshot is to be held or no longer.
    pub fn hold(
        &self,
        snapshot: &Snapshot,
        wish: Wish<'_>,
        signer: &Signer,
        now: Timestamp,
    ) -> Result<(), Error> {
        if !self.owners().contains(&signer.public()) {
            self.may_write(signer)?;
        }
        let reason = match wish {
            Wish::Hold(reason) => reason.map(str::to_owned),
            Wish::Release => None,
        };
        let id = self.full_id(snapshot)?;
        // What another computer's clock, or this one's before it was set, called later is not to
        // outrank what is wished now.
        let before = self.newest_wishes()?.0.remove(&id);
        let after = before.and_then(|(time, _)| time.checked_add(MOMENT).ok());
        let now = after.map_or(now, |after| after.max(now));
        let note = Note {
            v: 1,
            must_understand: Vec::new(),
            repo: self.id().to_owned(),
            snapshot: id,
            held: matches!(wish, Wish::Hold(_)),
            created: now.to_string(),
            reason,
        };
        let random = to_hex(&random::<4>().map_err(|source| Error::Build { source })?);
        let key = format!("{HOLDS}{}-{}-{random}.json", snapshot.id, utc(now));
        note::create(&*self.vault, &key, &note::seal(DOMAIN, &note, signer)).map(drop)
    }

    /// Returns what is held.
    pub fn holds(&self) -> Result<Holds, Error> {
        let (newest, doubted) = self.newest_wishes()?;
        let held = newest.into_iter().filter(|(_, (_, note))| note.held);
        let held = held.map(|(id, (since, Note { reason, .. }))| (id, Held { since, reason }));
        Ok(Holds { held: held.collect(), doubted })
    }

    /// Returns the newest note on each snapshot, and of which snapshots a later one is damaged.
    fn newest_wishes(&self) -> Result<(Newest, BTreeMap<String, String>), Error> {
        let mut newest = Newest::new();
        let mut keys: Vec<String> =
            self.vault.list(HOLDS)?.into_iter().map(|object| object.key).collect();
        keys.sort();
        let mut doubted = BTreeMap::new();
        for key in keys {
            match self.wish(&key)? {
                Look::Nothing => {}
                // The keys are in the order of time, so that the newest stays.
                Look::Damaged => {
                    doubted.extend(named(&key).map(|(id, time)| (id, (time, key.clone()))));
                }
                Look::Wish(created, note) => {
                    let known = newest.get(&note.snapshot);
                    if known.is_none_or(|(time, _)| *time <= created) {
                        newest.insert(note.snapshot.clone(), (created, note));
                    }
                }
            }
        }
        doubted.retain(|id: &String, (time, _): &mut (String, String)| {
            let mut of_it = newest.iter().filter(|(whole, _)| whole.starts_with(id));
            !of_it.any(|(_, (since, _))| utc(*since) > *time)
        });
        let doubted = doubted.into_iter().map(|(id, (_, key))| (id, key)).collect();
        Ok((newest, doubted))
    }

    /// Reads a note that counts; what nobody of this repository signed does not.
    fn wish(&self, key: &str) -> Result<Look, Error> {
        let Some(bytes) = self.vault.read(key)? else { return Ok(Look::Nothing) };
        let note = match note::open::<Note>(DOMAIN, &bytes) {
            Ok(note) => note,
            Err(Flaw::Newer(problem)) => {
                return Err(Error::Newer { what: self.vault.name(key), problem });
            }
            Err(Flaw::Damaged(_)) => return Ok(Look::Damaged),
        };
        let Ok(created) = note.says.created.parse() else { return Ok(Look::Nothing) };
        let counts =
            self.owners().contains(&note.signer) || self.records.counts(note.signer, &utc(created));
        if !counts || note.says.repo != self.id() {
            tracing::warn!(key, "passed over a note on a snapshot that no writer signed");
            return Ok(Look::Nothing);
        }
        Ok(Look::Wish(created, note.says))
    }
}

/// What a note turned out to be.
enum Look {
    /// It is gone, or of nobody whose word counts.
    Nothing,
    /// It is not what was written.
    Damaged,
    Wish(Timestamp, Note),
}

/// Returns the beginning of a snapshot's id and the time in the name of a note.
fn named(key: &str) -> Option<(String, String)> {
    let mut parts = key.strip_prefix(HOLDS)?.split('-');
    let (id, time) = (hex(parts.next()?, 8)?, parts.next()?);
    time_of(time).map(|_| (id, time.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backup::sample::{Sample, at};

    const URI: &str = "file:///srv/prod/terraform.tfstate";

    #[test]
    fn the_newest_wish_counts_and_only_of_those_who_may() {
        let sample = Sample::new();
        let repository = sample.plain();
        let snapshot = sample.add(&repository, URI, b"{}", 0);
        let id = repository.full_id(&snapshot).unwrap();
        let wish =
            |wish, signer: &Signer, second| repository.hold(&snapshot, wish, signer, at(second));
        wish(Wish::Hold(Some("audit")), &sample.signer, 1).unwrap();
        let held = repository.holds().unwrap().of(&id).cloned();
        assert_eq!(held, Some(Held { since: at(1), reason: Some("audit".to_owned()) }));
        let stranger = Signer::generate().unwrap();
        let refused = wish(Wish::Release, &stranger, 2).unwrap_err();
        assert!(matches!(refused, Error::NotAuthorised { .. }), "{refused}");
        wish(Wish::Release, &sample.signer, 3).unwrap();
        assert_eq!(repository.holds().unwrap().all().count(), 0);
        wish(Wish::Hold(None), &sample.signer, 4).unwrap();
        assert!(repository.holds().unwrap().of(&id).is_some());
        repository.authorize(stranger.public(), &sample.signer, at(5)).unwrap();
        let repository = sample.open_as(None).unwrap();
        repository.hold(&snapshot, Wish::Release, &stranger, at(6)).unwrap();
        assert!(repository.holds().unwrap().of(&id).is_none(), "a writer that is no owner counts");
    }

    #[test]
    fn a_wish_counts_although_a_clock_that_was_ahead_made_the_one_before() {
        let sample = Sample::new();
        let repository = sample.plain();
        let snapshot = sample.add(&repository, URI, b"{}", 0);
        let wish = |wish, second| {
            repository.hold(&snapshot, wish, &sample.signer, at(second)).unwrap();
            repository.holds().unwrap().all().count()
        };
        assert_eq!(wish(Wish::Release, 300), 0);
        assert_eq!(wish(Wish::Hold(None), 120), 1);
        assert_eq!(wish(Wish::Release, 120), 0);
    }

    #[test]
    fn a_forged_release_is_passed_over() {
        let sample = Sample::new();
        let repository = sample.plain();
        let snapshot = sample.add(&repository, URI, b"{}", 0);
        repository.hold(&snapshot, Wish::Hold(None), &sample.signer, at(1)).unwrap();
        let note = Note {
            v: 1,
            must_understand: Vec::new(),
            repo: repository.id().to_owned(),
            snapshot: repository.full_id(&snapshot).unwrap(),
            held: false,
            created: at(2).to_string(),
            reason: None,
        };
        let forged = note::seal(DOMAIN, &note, &Signer::generate().unwrap());
        sample.vault().create("h/00000000-x.json", &forged).unwrap();
        let of_another = Note { repo: "0".repeat(32), ..note };
        let of_another = note::seal(DOMAIN, &of_another, &sample.signer);
        sample.vault().create("h/00000000-z.json", &of_another).unwrap();
        sample.vault().create("h/00000000-y.json", b"nonsense").unwrap();
        assert_eq!(repository.holds().unwrap().all().count(), 1);
    }

    #[test]
    fn a_note_that_is_damaged_is_in_doubt_until_a_later_one_says_how_it_is() {
        let sample = Sample::new();
        let repository = sample.plain();
        let snapshot = sample.add(&repository, URI, b"{}", 0);
        let key = format!("h/{}-{}-01234567.json", snapshot.id, utc(at(5)));
        sample.vault().create(&key, b"nonsense").unwrap();
        let is_doubted = || repository.holds().unwrap().is_doubted(&snapshot.id);
        assert!(is_doubted());
        let wish = |second| {
            repository.hold(&snapshot, Wish::Release, &sample.signer, at(second)).unwrap();
        };
        for second in [4, 5] {
            wish(second);
            assert!(is_doubted(), "{second}");
        }
        wish(6);
        assert!(!is_doubted());
    }
}
