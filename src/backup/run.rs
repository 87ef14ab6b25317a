//! What each run of a backup says of itself: a signed note that names the newest snapshot of every
//! state that it looked at. So it shows that a state was looked at and had not changed, and that a
//! newest snapshot which it names was there.
//!
//! `r/YYYY/MM/UTC-WRITER8-N-HASH16.json`, where `WRITER8` stands for the writer's
//! key, `N` counts this writer's runs in 8 hex digits, and `HASH16` is the beginning of the
//! hash of the note. Each names the hash of the one before it, so that none can be taken out.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::Error;
use super::body::Flaw;
use super::note::{self, Note};
use super::repository::Repository;
use super::sign::Signer;
use super::snapshot::{hex, time_of, utc};
use super::vault::{Created, Object};
use crate::base::fs as files;

/// Where they are.
pub(super) const FOLDER: &str = "r/";

const DOMAIN: &str = "tfstate run v1";

/// What is wrong with a note that is not there.
pub(super) const GONE: &str = "is gone";

/// What became of the states in a run: of each stream the first 8 digits of its newest snapshot.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct States {
    /// Those of which a snapshot was stored.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub new: BTreeMap<String, String>,
    /// Those that a snapshot holds already.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unchanged: BTreeMap<String, String>,
    /// Those that could not be backed up; without a snapshot where there was none before.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub failed: BTreeMap<String, Option<String>>,
}

impl States {
    /// Returns whether the run looked at nothing.
    pub fn is_empty(&self) -> bool {
        self.new.is_empty() && self.unchanged.is_empty() && self.failed.is_empty()
    }

    /// Returns the streams whose states were the same as in a snapshot, with it.
    pub(super) fn confirmed(&self) -> impl Iterator<Item = (&String, &String)> {
        self.new.iter().chain(&self.unchanged)
    }

    /// Returns every snapshot that was there, with its stream.
    pub(super) fn heads(&self) -> impl Iterator<Item = (&String, &String)> {
        let known = self.failed.iter().filter_map(|(stream, id)| Some((stream, id.as_ref()?)));
        self.confirmed().chain(known)
    }
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Run {
    v: u32,
    must_understand: Vec<String>,
    pub repo: String,
    /// How many runs this writer has made, with this one.
    pub n: u32,
    /// The hash of the one before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<String>,
    pub created: String,
    pub states: States,
}

/// What the name of a run's note says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Name {
    pub key: String,
    pub created: Timestamp,
    pub writer: String,
    pub n: u32,
    pub hash: String,
}

impl Name {
    /// Returns what an object's key says, or nothing if it is not that of a run's note.
    pub(super) fn of(object: &Object) -> Option<Self> {
        let (year, rest) = object.key.strip_prefix(FOLDER)?.split_once('/')?;
        let (month, name) = rest.split_once('/')?;
        let mut parts = name.strip_suffix(".json")?.split('-');
        let mut part = || parts.next();
        let (utc, writer, n, hash) = (part()?, part()?, part()?, part()?);
        if part().is_some() || !utc.starts_with(&format!("{year}{month}")) {
            return None;
        }
        Some(Self {
            key: object.key.clone(),
            created: time_of(utc)?,
            writer: hex(writer, 8)?,
            n: u32::from_str_radix(&hex(n, 8)?, 16).ok()?,
            hash: hex(hash, 16)?,
        })
    }

    fn key(created: &str, writer: &str, n: u32, hash: &str) -> String {
        let (year, month) = (&created[..4], &created[4..6]);
        format!("{FOLDER}{year}/{month}/{created}-{writer}-{n:08x}-{}.json", &hash[..16])
    }
}

/// What this computer remembers of the newest runs, in a folder that may be deleted at any time.
#[derive(Clone, Debug)]
pub struct Runs(PathBuf);

/// The newest run of a writer that was seen.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Latest {
    pub n: u32,
    pub hash: String,
}

impl Runs {
    /// Returns the runs remembered below a cache folder, which need not exist.
    pub fn below(cache: &Path) -> Self {
        Self(cache.join("runs"))
    }

    pub(super) fn read(&self, repo: &str, writer: &str) -> Option<Latest> {
        let bytes = fs::read(self.path(repo, writer)).ok()?;
        let latest: Latest = serde_json::from_slice(&bytes).ok()?;
        hex(&latest.hash, 64).is_some().then_some(latest)
    }

    /// What can't be remembered is found by listing the next time.
    pub(super) fn remember(&self, repo: &str, writer: &str, latest: &Latest) {
        let written = files::create_private_folder(&self.0).and_then(|()| {
            let text = serde_json::to_vec(latest)?;
            // By an older one that a power cut brought back, the next note would not go on from this.
            files::replace(&self.path(repo, writer), &text)
        });
        if let Err(error) = written {
            tracing::debug!(%error, "cannot remember the newest run");
        }
    }

    fn path(&self, repo: &str, writer: &str) -> PathBuf {
        self.0.join(format!("{repo}-{writer}.json"))
    }
}

impl Repository {
    /// Writes down what a run did.
    pub fn record_run(
        &self,
        states: States,
        memory: Option<&Runs>,
        (signer, now): (&Signer, Timestamp),
    ) -> Result<(), Error> {
        let (repo, writer, created) = (self.id(), signer.public().fingerprint(), utc(now));
        let latest = match memory.and_then(|memory| memory.read(repo, &writer)) {
            None => self.latest_run(&writer, &created)?,
            remembered => remembered,
        };
        let n = latest.as_ref().map_or(0, |latest| latest.n).saturating_add(1);
        let previous = latest.map(|latest| latest.hash);
        let (v, must_understand, repo) = (1, Vec::new(), repo.to_owned());
        let run = Run { v, must_understand, repo, n, previous, created, states };
        let bytes = note::seal(DOMAIN, &run, signer);
        // What it says was not read from anywhere: whether it is sound counts, and its hash.
        let hash = match note::open::<IgnoredAny>(DOMAIN, &bytes) {
            Ok(note) => note.hash,
            Err(Flaw::Damaged(problem) | Flaw::Newer(problem)) => {
                return Err(Error::SelfCheck { problem });
            }
        };
        let key = Name::key(&run.created, &writer, n, &hash);
        if self.vault.add(&key, &bytes)? == Created::Exists
            && self.vault.read(&key)?.as_ref() != Some(&bytes)
        {
            return Err(Error::SelfCheck { problem: "another object has its name" });
        }
        if let Some(memory) = memory {
            memory.remember(self.id(), &writer, &Latest { n, hash });
        }
        Ok(())
    }

    /// Finds the newest run of a writer: in this month, or else anywhere.
    fn latest_run(&self, writer: &str, created: &str) -> Result<Option<Latest>, Error> {
        let month = format!("{FOLDER}{}/{}/", &created[..4], &created[4..6]);
        for place in [month.as_str(), FOLDER] {
            let mut names = self.runs_in(place)?;
            names.retain(|name| name.writer == writer);
            names.sort_by_key(|name| name.n);
            while let Some(name) = names.pop() {
                // One that is damaged is gone on with by nobody; `verify` names it.
                if let Ok(note) = self.run(&name) {
                    return Ok(Some(Latest { n: name.n, hash: note.hash }));
                }
            }
        }
        Ok(None)
    }

    /// Lists runs.
    pub(super) fn runs_in(&self, place: &str) -> Result<Vec<Name>, Error> {
        Ok(self.vault.list(place)?.iter().filter_map(Name::of).collect())
    }

    /// Reads what a run says, and holds it against its name, this repository and its writers.
    pub(super) fn run(&self, name: &Name) -> Result<Note<Run>, Error> {
        let what = || self.vault.name(&name.key);
        let refused = |problem| Error::Note { what: what(), problem };
        let bytes = self.vault.read(&name.key)?.ok_or_else(|| refused(GONE))?;
        let note: Note<Run> = note::open(DOMAIN, &bytes).map_err(|flaw| match flaw {
            Flaw::Damaged(_) => refused("is damaged"),
            Flaw::Newer(problem) => Error::Newer { what: what(), problem },
        })?;
        let run = &note.says;
        let writer = note.signer.fingerprint();
        let is_time = time_of(&run.created).is_some_and(|time| utc(time) == run.created);
        if !is_time || Name::key(&run.created, &writer, run.n, &note.hash) != name.key {
            return Err(refused("belongs to another name"));
        }
        if run.repo != self.id() {
            return Err(refused("comes from another repository"));
        }
        if !self.records.counts(note.signer, &run.created) {
            return Err(refused("is signed by nobody whose signature counts"));
        }
        Ok(note)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backup::sample::{Sample, at};

    fn states(count: usize) -> States {
        let mut states = States::default();
        for n in 0..count {
            let uri = format!("s3://acme-tf/envs/prod-{n:04}/network/terraform.tfstate");
            let stream = crate::backup::stream_of(&uri);
            states.unchanged.insert(stream, format!("{n:08x}"));
        }
        states
    }

    #[test]
    fn runs_count_on_from_what_is_remembered_and_from_what_is_listed() {
        let sample = Sample::new();
        let repository = sample.plain();
        let memory = Runs::below(&sample.folder().join("cache"));
        let month = 31 * 86_400;
        for (second, memory) in [(0, None), (1, Some(&memory)), (2, Some(&memory)), (month, None)] {
            repository.record_run(states(1), memory, (&sample.signer, at(second))).unwrap();
        }
        let mut names = repository.runs_in(FOLDER).unwrap();
        names.sort_by_key(|name| name.n);
        assert_eq!(names.iter().map(|name| name.n).collect::<Vec<_>>(), [1, 2, 3, 4]);
        let mut previous = None;
        for name in &names {
            let note = repository.run(name).unwrap();
            assert_eq!(note.says.previous, previous);
            previous = Some(note.hash);
        }
        assert!(names[3].key.starts_with("r/2026/09/20260901T101500Z-"), "{}", names[3].key);
    }

    #[test]
    fn a_run_over_thousands_of_states_stays_small_and_says_nothing_secret() {
        let sample = Sample::new();
        let repository = sample.plain();
        repository.record_run(states(3000), None, (&sample.signer, at(0))).unwrap();
        let name = repository.runs_in(FOLDER).unwrap().remove(0);
        let bytes = repository.vault.read(&name.key).unwrap().unwrap();
        assert!(bytes.len() < 160_000, "{}", bytes.len());
        assert_eq!(repository.run(&name).unwrap().says.states, states(3000));
    }

    #[test]
    fn other_objects_are_no_runs() {
        let object = |key: &str| Object { key: key.to_owned(), len: 1, modified: None, tag: None };
        let good = "r/2026/08/20260801T101500Z-01234567-0000000a-0123456789abcdef.json";
        assert_eq!(Name::of(&object(good)).unwrap().n, 10);
        for key in [
            "r/2026/09/20260801T101500Z-01234567-0000000a-0123456789abcdef.json",
            "r/2026/08/20260801T101500Z-01234567-a-0123456789abcdef.json",
            "r/2026/08/20260801T101500Z-01234567-0000000a-0123456789abcdef-x.json",
            "r/20260801T101500Z-01234567-0000000a-0123456789abcdef.json",
            "s/2026/08/20260801T101500Z-01234567-0000000a-0123456789abcdef.json",
        ] {
            assert_eq!(Name::of(&object(key)), None, "{key}");
        }
    }
}
