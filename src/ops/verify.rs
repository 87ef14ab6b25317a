//! Proves that snapshots can be restored: the streams of a repository, several at a time.

use std::collections::BTreeSet;
use std::thread;

use super::many;
use super::room::Room;
use crate::backup::verify::{Check, Part, Reading, Survey, Verified, Wrong};
use crate::backup::{Error, Identities, Repository, Runs, Snapshot};

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
    let survey = repository.survey()?;
    let chosen = chosen(repository, &survey, options.ids)?;
    let only = match options.ids {
        [] => None,
        _ => Some(repository.with_chains(&survey, &chosen)?),
    };
    let data = match (&options.data, &only) {
        (None, _) => None,
        (Some((Part::All, identities)), Some(only)) => Some((only.clone(), *identities)),
        (Some((part, identities)), _) => Some((part.of(&survey, options.streams), *identities)),
    };
    let check = Check {
        reading: options.reading,
        data: data.as_ref().map(|(keys, identities)| (keys, *identities)),
        only: only.as_ref(),
    };
    let streams = streams(&survey, options, &chosen);
    let (mut all, mut done) = (Verified::default(), 0);
    let room = Room::default();
    let work = |stream: &&str| {
        let _place = room.take(needed(&survey, stream, &check));
        repository.verify_stream(&survey, stream, &check)
    };
    many::each(&streams, workers(&check), work, |_, found| {
        done += 1;
        tell(done, streams.len());
        all.add(found?);
        Ok::<(), Error>(())
    })?;
    if only.is_none() {
        let found = repository.verify_runs(&survey, &check, options.streams, options.runs)?;
        all.problems.extend(found);
        if options.streams.is_none() {
            all.problems.extend(survey.strays());
        }
    }
    refuse_wrong_keys(&all)?;
    refuse_nothing(&survey, options.streams, &all)?;
    Ok((all, streams.len()))
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

fn streams<'s>(
    survey: &'s Survey,
    options: &VerifyOptions<'_>,
    chosen: &[Snapshot],
) -> Vec<&'s str> {
    let is_asked = |stream: &&str| {
        let named = options.streams.is_none_or(|streams| streams.contains(*stream));
        named && (options.ids.is_empty() || chosen.iter().any(|s| s.stream == **stream))
    };
    survey.catalogue().streams().filter(is_asked).collect()
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
