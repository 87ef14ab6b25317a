//! Commands over many states: each is named when it fails, and the others are done all the same.

use std::fmt;

use super::context::Context;
use super::error::{Exit, Failure};
use crate::ops::many;

/// How many states are worked on at once: they wait for the network, not for this computer.
pub(crate) const WORKERS: usize = 16;

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
    let mut done = 0_usize;
    many::each(items, WORKERS, work, |item, result| {
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
        Ok(())
    })?;
    match last {
        None => Ok(Exit::Done),
        Some(failure) if done > 0 => Err(failure.exit(Exit::Partly)),
        Some(failure) => Err(failure),
    }
}
