//! Removes snapshots that a policy no longer keeps: decide, name them, delete what was named long
//! enough.

use std::collections::BTreeSet;

use crate::backup::prune::{Pruner, Rules, StreamPlan, Swept};
use crate::backup::{Error, Repository, Signer};
use crate::base::workers;

/// What to prune, and how.
#[derive(Clone, Copy, Debug)]
pub struct PruneOptions<'a> {
    /// What to keep.
    pub rules: Rules<'a>,
    /// The streams to look at; nothing means all.
    pub streams: Option<&'a BTreeSet<String>>,
}

/// What was done.
#[derive(Debug)]
pub struct Report {
    /// How many objects were named that were not before.
    pub marked: usize,
    /// What was deleted.
    pub swept: Swept,
}

/// How many streams are looked at at once: that is mostly waiting for the place.
const WORKERS: usize = 16;

/// Decides what becomes of each snapshot. Nothing is changed.
pub fn plan(repository: &Repository, options: &PruneOptions<'_>) -> Result<Vec<StreamPlan>, Error> {
    plans(&Pruner::new(repository, options.rules)?, options)
}

fn plans(pruner: &Pruner<'_>, options: &PruneOptions<'_>) -> Result<Vec<StreamPlan>, Error> {
    let mut streams = pruner.streams();
    streams.retain(|name| options.streams.is_none_or(|wanted| wanted.contains(name)));
    let mut plans = Vec::new();
    let work = |stream: &String| pruner.plan(stream);
    workers::each(&streams, WORKERS, work, |_, plan| plan.map(|plan| plans.push(plan)))?;
    Ok(plans)
}

/// Does what was decided: names what goes, and deletes what was named long enough and still goes
/// by what is there now. Nothing goes that was not decided to go.
pub fn run(
    repository: &Repository,
    options: &PruneOptions<'_>,
    decided: &[StreamPlan],
    signer: &Signer,
) -> Result<Report, Error> {
    repository.may_remove(signer)?;
    let marked = Pruner::new(repository, options.rules)?.mark(decided, signer)?;
    // Somebody may have built on something since it was decided, so that is looked at again.
    let pruner = Pruner::new(repository, options.rules)?;
    let mut now = if pruner.has_due() { plans(&pruner, options)? } else { Vec::new() };
    for plan in &mut now {
        plan.spare(decided);
    }
    Ok(Report { marked, swept: pruner.sweep(&now, signer)? })
}
