//! Commands over many states: each is named when it fails, and the others are done all the same.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fmt;

use super::context::Context;
use super::error::{Exit, Failure};
use super::progress::Progress;
use super::state;
use crate::backup::{Repository, is_stream, stream_of};
use crate::base::workers;
use crate::store::Location;

/// How many states are worked on at once: they wait for the network, not for this computer.
pub(crate) const WORKERS: usize = 16;

/// Returns the places that these references name; none means the one that Terraform uses here.
pub(crate) fn locations(
    context: &Context<'_>,
    references: &[OsString],
) -> Result<Vec<Location>, Failure> {
    let references = match references {
        [] => vec![state::default(context)],
        references => references.iter().cloned().map(Some).collect(),
    };
    let mut all = Vec::new();
    for reference in references {
        all.extend(Location::resolve_many(reference.as_deref(), state::place(context))?);
    }
    Ok(all)
}

/// Returns the stream that is listed under this name, if one is: there is nothing else to call a state
/// by that came through a pipe or from another computer.
pub(crate) fn listed(
    reference: &OsStr,
    repository: &Repository,
) -> Result<Option<String>, Failure> {
    let name = reference.to_string_lossy();
    let is_listed = is_stream(&name) && !repository.list_stream(&name)?.is_empty();
    Ok(is_listed.then(|| name.into_owned()))
}

/// Returns the streams of these states, which may be named as they are listed.
pub(crate) fn streams(
    context: &Context<'_>,
    references: &[OsString],
    repository: &Repository,
) -> Result<BTreeSet<String>, Failure> {
    let mut streams = BTreeSet::new();
    for reference in references {
        if let Some(stream) = listed(reference, repository)? {
            streams.insert(stream);
            continue;
        }
        for location in locations(context, std::slice::from_ref(reference))? {
            streams.insert(stream_of(&location.uri()?));
        }
    }
    Ok(streams)
}

fn told(done: usize, all: usize) -> String {
    format!("{done} of {all} states")
}

/// Does `work` to every item at once and hands the results to `each` in the order of the items.
///
/// What fails is told when its turn comes. Fails as the last one where all failed; else the status
/// says that it was done in part.
pub(crate) fn each<I: Sync, T: Send, E: Into<Failure> + Send + fmt::Debug>(
    context: &mut Context<'_>,
    items: &[I],
    work: impl Fn(&I) -> Result<T, E> + Sync,
    mut each: impl FnMut(&mut Context<'_>, &I, T) -> Result<(), Failure>,
) -> Result<Exit, Failure> {
    let mut last: Option<Failure> = None;
    let (mut done, mut handed) = (0_usize, 0_usize);
    let progress = Progress::start(context.out, told(0, items.len()));
    workers::each(items, WORKERS, work, |item, result| {
        handed += 1;
        progress.tell(|| told(handed, items.len()));
        progress.make_room();
        match result {
            Ok(result) => {
                done += 1;
                each(context, item, result)?;
            }
            Err(error) => {
                if let Some(failure) = last.replace(error.into()) {
                    context.out.failure(&failure);
                }
            }
        }
        Ok::<(), Failure>(())
    })?;
    drop(progress);
    match last {
        None => Ok(Exit::Done),
        Some(failure) if done > 0 => Err(failure.exit(Exit::Partly)),
        Some(failure) => Err(failure),
    }
}
