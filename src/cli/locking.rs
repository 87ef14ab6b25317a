//! How commands that change a state come by its lock.

use std::time::Duration;

use jiff::SignedDuration;

use super::context::Context;
use super::error::Failure;
use crate::base::clock::System;
use crate::base::text::escape;
use crate::ops::lock::Wait;
use crate::ops::session::Target;
use crate::store::{Holder, LockInfo};

/// The options of commands that lock a state.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct LockingOption {
    /// Wait this long for the lock if somebody else holds it, such as `90s` or `5m` [default: 0s]
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "0s", hide_default_value = true)]
    lock_timeout: Duration,
}

/// Reads a length of time, such as `90s`, `26h` or `1h 30m`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let parsed: SignedDuration =
        text.parse().map_err(|_| "give a number and a unit, as in `90s`, `5m` or `26h`")?;
    Duration::try_from(parsed).map_err(|_| "a length of time cannot be negative".to_owned())
}

impl LockingOption {
    /// Does work that may have to wait for a lock, and that a first Ctrl-C must not end halfway.
    pub(crate) fn with<T>(
        &self,
        operation: &str,
        context: &Context<'_>,
        work: impl FnOnce(&LockInfo, Wait<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let info = info(operation, context)?;
        let told = told(context.out.talks());
        context.interrupt.hold(|stop| {
            let wait = Wait { timeout: self.lock_timeout, told: &told, stop, ..Wait::default() };
            work(&info, wait)
        })
    }

    /// Does as [`with`](Self::with), with work that shows something while it holds the lock.
    pub(crate) fn with_output<'a, T>(
        &self,
        operation: &str,
        context: &mut Context<'a>,
        work: impl FnOnce(&mut Context<'a>, &LockInfo, Wait<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let info = info(operation, context)?;
        let told = told(context.out.talks());
        let interrupt = context.interrupt.clone();
        interrupt.hold(|stop| {
            let wait = Wait { timeout: self.lock_timeout, told: &told, stop, ..Wait::default() };
            work(context, &info, wait)
        })
    }
}

/// Warns where a state is changed that nothing locks meanwhile.
pub(crate) fn warn_of_no_lock(target: &Target, no_lock: bool, context: &mut Context<'_>) {
    let name = target.name();
    let name = escape(&name);
    if no_lock {
        context.out.warning(&format!("{name} is not locked meanwhile"), None);
    } else if target.store.locks().is_none() {
        let text = format!("{name} has no locks: others may be changing it");
        let hint = "where a backend says how it is locked, run this in the directory of that";
        context.out.warning(&text, Some(hint));
    }
}

fn info(operation: &str, context: &Context<'_>) -> Result<LockInfo, Failure> {
    LockInfo::new(operation, context.env, &System)
        .map_err(|error| Failure::new("cannot make an id for the lock").because(&error))
}

fn told(talks: bool) -> impl Fn(&Holder) {
    move |holder| {
        if let Some(line) = waiting_for(holder).filter(|_| talks) {
            super::output::say(&line);
        }
    }
}

fn waiting_for(holder: &Holder) -> Option<String> {
    match holder {
        Holder::Nobody => None,
        Holder::Somebody { info, .. } => Some(format!(
            "Waiting for the lock, which {} holds since {}",
            escape(&info.who),
            escape(&info.created)
        )),
        Holder::Unnamed { .. } => {
            Some("Waiting for the lock, which somebody else holds".to_owned())
        }
    }
}
