//! Brings a state back where it lives: as one more change, under its lock, that can be undone.

use super::{Error, Past, Plan, PlanOptions};
use crate::ops::session::{Keep, Locking, Report, Session, Target};

/// How to do it.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// What is to be written.
    pub plan: PlanOptions<'a>,
    /// Whether the state is locked meanwhile.
    pub locking: Locking<'a>,
    /// What keeps a copy of what is there.
    pub keep: &'a dyn Keep,
}

impl std::fmt::Debug for Options<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options").field("plan", &self.plan).finish_non_exhaustive()
    }
}

/// What somebody says who was shown a plan.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Answer {
    /// It is to be done.
    Yes,
    /// Nothing is to be done.
    No,
}

/// What was done.
#[derive(Clone, Debug)]
pub struct Done {
    /// What was planned.
    pub plan: Plan,
    /// What became of the place.
    pub report: Report,
}

/// Locks and reads a place, asks whether what follows from it is right, and does it.
///
/// Where nothing differs but the serial, nobody is asked and nothing is written. On every way out
/// before the answer, nothing was changed; after it, the place holds what it held or what was
/// planned, whole, and of what it held a copy is kept.
pub fn run<E: From<Error>>(
    past: &Past,
    target: Target,
    options: Options<'_>,
    agree: impl FnOnce(&Plan) -> Result<Answer, E>,
) -> Result<Done, E> {
    let what = target.name();
    let session =
        Session::open(target, options.locking, options.plan.rules).map_err(Error::from)?;
    let planned = Plan::new(&what, session.live(), past, options.plan);
    let planned =
        planned.map(|plan| Plan { is_needed: plan.is_needed || session.is_doubted(), ..plan });
    let answer = match planned {
        Err(error) => Err(E::from(error)),
        Ok(plan) if !plan.is_needed => Ok((plan, Answer::No)),
        Ok(plan) => agree(&plan).map(|answer| (plan, answer)),
    };
    match answer {
        Ok((plan, Answer::Yes)) => {
            let report = session.replace(&plan.bytes, options.keep).map_err(Error::from)?;
            Ok(Done { plan, report })
        }
        Ok((plan, Answer::No)) => {
            session.leave().map_err(Error::from)?;
            Ok(Done { plan, report: Report::untouched() })
        }
        Err(error) => {
            session.leave().map_err(Error::from)?;
            Err(error)
        }
    }
}
