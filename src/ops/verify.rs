//! Proves that snapshots can be restored: the streams of a repository, several at a time.

use std::collections::BTreeSet;
use std::thread;

use super::room::Room;
use crate::backup::verify::{Check, LOOKS, Part, Reading, Severity, Survey, Verified, Wrong};
use crate::backup::{Error, Identities, Repository, Runs, Snapshot};
use crate::base::workers;

/// What to look at, and how closely.
#[derive(Debug)]
pub struct VerifyOptions<'a> {
    /// How much of each object to read.
    pub reading: Reading,
    /// Which snapshots to decrypt, and with what.
    pub data: Option<(Part, &'a Identities)>,
    /// Only these streams.
    pub streams: Option<&'a BTreeSet<String>>,
    /// Only snapshots whose ids begin like one of these, and what they build on.
    pub ids: &'a [String],
    /// What this computer remembers of runs.
    pub runs: Option<&'a Runs>,
}

/// How many streams are looked at at once where little is computed.
const WORKERS: usize = 16;

/// How much larger than its snapshot a state is taken to be.
const EXPANSION: u64 = 8;

/// Looks at a repository; `tell` is told how many of how many streams are done.
pub fn run(
    repository: &Repository,
    options: &VerifyOptions<'_>,
    mut tell: impl FnMut(usize, usize),
) -> Result<(Verified, usize), Error> {
    let mut survey = repository.survey()?;
    let chosen = chosen(repository, &survey, options.ids)?;
    let only = match options.ids {
        [] => None,
        _ => Some(repository.with_chains(&survey, &chosen)?),
    };
    let asked = streams(&survey, options, &chosen);
    let mut found = look(repository, (&survey, only.as_ref()), options, &asked, &mut tell)?;
    for _ in 0..LOOKS {
        // An owner may be removing something just now: what is there then is what counts.
        let failed = found.iter().filter(|found| has_failed(found));
        let mut again: Vec<String> = failed.map(|(stream, _)| stream.clone()).collect();
        if again.is_empty() || only.is_some() {
            break;
        }
        let now = repository.survey()?;
        again.retain(|stream| survey.differs(&now, stream));
        survey = now;
        if again.is_empty() {
            break;
        }
        let anew = look(repository, (&survey, None), options, &again, &mut |_, _| ())?;
        found.retain(|(stream, _)| !again.contains(stream));
        found.extend(anew);
    }
    let mut all = Verified::default();
    for (_, found) in found {
        all.add(found);
    }
    if only.is_none() {
        let reading = options.reading;
        let found = repository.verify_runs(&survey, reading, options.streams, options.runs)?;
        all.problems.extend(found);
        if options.streams.is_none() {
            all.problems.extend(survey.strays());
        }
    }
    // Those of what was looked at count, whatever was asked for; the others are the repository's.
    let is_all = only.is_none() && options.streams.is_none();
    let found = repository.verify_identities(&all, is_all)?;
    all.problems.extend(found);
    refuse_wrong_keys(&all)?;
    refuse_nothing(&survey, options.streams, &all)?;
    Ok((all, asked.len()))
}

/// A stream, and what was found in it.
type Found = (String, Verified);

fn has_failed((_, found): &Found) -> bool {
    found.count(Severity::Failure) > 0
}

/// Looks at some streams, several at a time.
fn look(
    repository: &Repository,
    (survey, only): (&Survey, Option<&BTreeSet<String>>),
    options: &VerifyOptions<'_>,
    streams: &[String],
    tell: &mut impl FnMut(usize, usize),
) -> Result<Vec<Found>, Error> {
    let these: BTreeSet<String> = streams.iter().cloned().collect();
    let data = match (&options.data, only) {
        (None, _) => None,
        (Some((Part::All, identities)), Some(only)) => Some((only.clone(), *identities)),
        (Some((part, identities)), _) => Some((part.of(survey, Some(&these)), *identities)),
    };
    let check = Check {
        reading: options.reading,
        data: data.as_ref().map(|(keys, identities)| (keys, *identities)),
        only,
    };
    let mut found = Vec::with_capacity(streams.len());
    let room = Room::default();
    let work = |stream: &String| {
        let _place = room.take(needed(survey, stream, &check));
        repository.verify_stream(survey, stream, &check)
    };
    workers::each(streams, workers(&check), work, |stream, verified| {
        found.push((stream.clone(), verified?));
        tell(found.len(), streams.len());
        Ok::<(), Error>(())
    })?;
    Ok(found)
}

/// Finds the snapshots that are asked for; each beginning has to mean one at least.
fn chosen(
    repository: &Repository,
    survey: &Survey,
    ids: &[String],
) -> Result<Vec<Snapshot>, Error> {
    let all = if ids.is_empty() { Vec::new() } else { survey.catalogue().snapshots() };
    let mut chosen = Vec::new();
    for id in ids {
        let wanted = id.to_ascii_lowercase();
        let beginning = wanted.get(..8).unwrap_or(&wanted);
        // Names have 8 digits. One that can't be read stays, so that it is told what is wrong.
        let is_it = |snapshot: &Snapshot| {
            wanted.len() <= 8
                || repository.full_id(snapshot).map_or(true, |id| id.starts_with(&wanted))
        };
        let before = chosen.len();
        let fits = |s: &&Snapshot| !wanted.is_empty() && s.id.starts_with(beginning) && is_it(s);
        chosen.extend(all.iter().filter(fits).cloned());
        if chosen.len() == before {
            return Err(Error::NoSnapshot { reference: id.clone() });
        }
    }
    Ok(chosen)
}

fn streams(survey: &Survey, options: &VerifyOptions<'_>, chosen: &[Snapshot]) -> Vec<String> {
    let is_asked = |stream: &&str| {
        let named = options.streams.is_none_or(|streams| streams.contains(*stream));
        named && (options.ids.is_empty() || chosen.iter().any(|s| s.stream == **stream))
    };
    survey.catalogue().streams().filter(is_asked).map(str::to_owned).collect()
}

/// Where states are decompressed and compared, more workers than processors only take memory.
fn workers(check: &Check<'_>) -> usize {
    match check.data {
        None => WORKERS,
        Some(_) => thread::available_parallelism().map_or(2, usize::from).min(WORKERS),
    }
}

/// Returns how much memory a stream is taken to need at once.
fn needed(survey: &Survey, stream: &str, check: &Check<'_>) -> u64 {
    let sizes = survey.catalogue().stream(stream).iter().map(|snapshot| snapshot.bytes_stored);
    let largest = sizes.max().unwrap_or(0);
    match (check.reading, check.data) {
        (_, Some(_)) => largest.saturating_mul(EXPANSION),
        (Reading::Whole, None) => largest,
        (Reading::Heads, None) => 0,
    }
}

/// A state of which there is no snapshot, and never was, is not one whose snapshots are good.
fn refuse_nothing(
    survey: &Survey,
    asked: Option<&BTreeSet<String>>,
    all: &Verified,
) -> Result<(), Error> {
    let is_told = |stream: &&String| all.problems.iter().any(|p| p.stream.as_ref() == Some(stream));
    let is_there = |stream: &&String| !survey.catalogue().stream(stream).is_empty();
    match asked.into_iter().flatten().find(|stream| !is_there(stream) && !is_told(stream)) {
        Some(stream) => Err(Error::NoSnapshot { reference: format!("of {stream}") }),
        None => Ok(()),
    }
}

/// Where none of the keys fits any snapshot, it is the keys that are wrong.
fn refuse_wrong_keys(all: &Verified) -> Result<(), Error> {
    let mut locked = all.problems.iter().filter(|problem| problem.wrong == Wrong::Key);
    match locked.next().and_then(|problem| problem.snapshot.clone()) {
        Some(id) if all.read == 0 => Err(Error::WrongIdentity { id }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::fmt;
    use std::sync::{Arc, Mutex};

    use jiff::{SignedDuration, Timestamp};

    use super::*;
    use crate::backup::prune::Rules;
    use crate::backup::retention::Policy;
    use crate::backup::vault::{Created, Folder, Object, Vault};
    use crate::backup::{Keys, Protection, Signer, SourceFacts, States, stream_of};
    use crate::base::clock::Fixed;
    use crate::ops::backup::{BackupOptions, Keeper, Manner, Source};
    use crate::ops::prune::{self, PruneOptions};

    const URI: &str = "file:///srv/prod/terraform.tfstate";

    type Act = Box<dyn FnOnce(&Arc<dyn Vault>) + Send>;

    /// A place in which something happens between the listing of snapshots and what comes next.
    struct Meanwhile {
        inner: Arc<dyn Vault>,
        act: Mutex<Option<Act>>,
    }

    impl fmt::Debug for Meanwhile {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.inner.fmt(f)
        }
    }

    impl Vault for Meanwhile {
        fn name(&self, key: &str) -> String {
            self.inner.name(key)
        }

        fn read(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
            self.inner.read(key)
        }

        fn start(&self, key: &str, len: u64) -> Result<Option<Vec<u8>>, Error> {
            self.inner.start(key, len)
        }

        fn create(&self, key: &str, bytes: &[u8]) -> Result<Created, Error> {
            self.inner.create(key, bytes)
        }

        fn delete(&self, key: &str) -> Result<(), Error> {
            self.inner.delete(key)
        }

        fn list(&self, prefix: &str) -> Result<Vec<Object>, Error> {
            let listed = self.inner.list(prefix);
            if prefix == "s/"
                && let Some(act) = self.act.lock().unwrap().take()
            {
                act(&self.inner);
            }
            listed
        }

        fn sweep(&self, before: Timestamp) -> Result<usize, Error> {
            self.inner.sweep(before)
        }

        fn is_near(&self) -> bool {
            self.inner.is_near()
        }
    }

    /// A repository of two snapshots of one state.
    struct Place {
        _folder: tempfile::TempDir,
        vault: Arc<dyn Vault>,
        signer: Arc<Signer>,
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::constant(1_785_579_300, 0) + SignedDuration::from_secs(second)
    }

    fn prune(vault: &Arc<dyn Vault>, signer: &Signer, second: i64) -> usize {
        let policy = Policy { last: 1, ..Policy::default() };
        let (grace, now) = (SignedDuration::from_secs(10), at(second));
        let options = PruneOptions {
            rules: Rules { policy: &policy, grace, now, damaged: false },
            streams: None,
        };
        let repository = Repository::open(Arc::clone(vault), Keys::default()).unwrap();
        let plans = prune::plan(&repository, &options).unwrap();
        prune::run(&repository, &options, &plans, signer).unwrap().swept.deleted.len()
    }

    impl Place {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let vault: Arc<dyn Vault> = Arc::new(Folder::new(folder.path()));
            let signer = Arc::new(Signer::generate().unwrap());
            for second in 0..2 {
                let clock = Fixed(at(second));
                let options = BackupOptions {
                    vault: Arc::clone(&vault),
                    protection: Some(&Protection::None),
                    keys: Keys { signer: Some(&signer), known: None },
                    cache: None,
                    manner: Manner::default(),
                };
                let (facts, document, version) = (SourceFacts::default(), None, None);
                let bytes = format!("{{\"serial\": {second}}}");
                let source = Source { uri: URI, bytes: bytes.as_bytes(), facts, document, version };
                let keeper = Keeper::open(&options, &clock).unwrap();
                let id = keeper.keep(&source).unwrap().snapshot.id;
                let states = States { new: [(stream_of(URI), id)].into(), ..States::default() };
                keeper.repository().record_run(states, None, (&signer, clock.0)).unwrap();
            }
            Self { _folder: folder, vault, signer }
        }

        /// Looks at all of it while something happens; returns what is wrong.
        fn verify(&self, act: impl FnOnce(&Arc<dyn Vault>) + Send + 'static) -> Verified {
            let (inner, act) = (Arc::clone(&self.vault), Mutex::new(Some(Box::new(act) as Act)));
            let vault: Arc<dyn Vault> = Arc::new(Meanwhile { inner, act });
            let repository = Repository::open(vault, Keys::default()).unwrap();
            let options = VerifyOptions {
                reading: Reading::Whole,
                data: None,
                streams: None,
                ids: &[],
                runs: None,
            };
            run(&repository, &options, |_, _| ()).unwrap().0
        }
    }

    #[test]
    fn what_an_owner_removes_while_it_is_looked_at_is_nothing_that_is_wrong() {
        let place = Place::new();
        assert_eq!(prune(&place.vault, &place.signer, 20), 0);
        let signer = Arc::clone(&place.signer);
        let found = place.verify(move |vault| assert_eq!(prune(vault, &signer, 40), 1));
        assert_eq!((found.snapshots, found.problems), (1, Vec::new()));
    }

    #[test]
    fn that_the_newest_is_taken_away_while_it_is_looked_at_is_told() {
        let place = Place::new();
        let found = place.verify(|vault| {
            let newest = vault.list("s/").unwrap().into_iter().map(|object| object.key).max();
            vault.delete(&newest.unwrap()).unwrap();
        });
        let wrong: Vec<Wrong> = found.problems.iter().map(|problem| problem.wrong).collect();
        assert_eq!((found.snapshots, wrong), (1, vec![Wrong::Removed]));
    }
}
