//! Waiting for a command that runs in front of this program, which has something to clear up
//! after it.

use std::ffi::OsString;
use std::io;
use std::process::{Child, Command, ExitStatus};
#[cfg(unix)]
use std::sync::Arc;
#[cfg(unix)]
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::Duration;

use super::error::Failure;
use super::interrupt::Interrupt;
use crate::base::text::escape;

/// How long it takes at the most to notice that the command has ended.
const GLANCE: Duration = Duration::from_millis(50);

/// Runs a command with these variables more, and waits until it ends.
///
/// Afterwards Ctrl-C passes by this program until [`Interrupt::hold`] or
/// [`Interrupt::take_back`].
pub(crate) fn run(
    command: &[OsString],
    variables: &[(&str, &str)],
    interrupt: &Interrupt,
) -> Result<ExitStatus, Failure> {
    let Some((program, arguments)) = command.split_first() else {
        return Err(Failure::new("no command was given"));
    };
    // From here on: the command may be interrupted before it is waited for.
    interrupt.leave_to_another();
    let mut child = Command::new(program);
    child.args(arguments).envs(variables.iter().copied());
    let ended = Asked::listen().and_then(|asked| attend(child.spawn()?, &asked));
    ended.map_err(|error| {
        let program = program.to_string_lossy();
        Failure::new(format!("cannot run {}", escape(&program))).because(&error)
    })
}

/// Waits until a command ends.
///
/// Ctrl-C reaches the command by itself, and what it makes of it, once or twice, is its own affair;
/// a request to end that only this process gets is handed on.
fn attend(mut child: Child, asked: &Asked) -> io::Result<ExitStatus> {
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        asked.hand_on(&child);
        sleep(pause);
        pause = (pause * 2).min(GLANCE);
    }
}

/// Listens to what this process is told. From then on, on Linux, a closed terminal does not end it, so
/// that what there is to clear up after the command is done even without one.
#[cfg(unix)]
struct Asked {
    to_end: Arc<AtomicBool>,
    ids: Vec<signal_hook::SigId>,
}

#[cfg(unix)]
impl Asked {
    fn listen() -> io::Result<Self> {
        use signal_hook::consts::{SIGHUP, SIGTERM};
        use signal_hook::flag::register;
        let to_end = Arc::default();
        let mut asked = Self { ids: vec![register(SIGTERM, Arc::clone(&to_end))?], to_end };
        if hears_of_closed_terminals() {
            // The command hears of that by itself.
            asked.ids.push(register(SIGHUP, Arc::default())?);
        }
        Ok(asked)
    }

    fn hand_on(&self, child: &Child) {
        use rustix::process::{Pid, Signal, kill_process};
        if self.to_end.swap(false, Ordering::SeqCst) {
            // It may have ended by itself, which the next glance tells.
            let _sent = kill_process(Pid::from_child(child), Signal::TERM);
        }
    }
}

#[cfg(unix)]
impl Drop for Asked {
    fn drop(&mut self) {
        for id in self.ids.drain(..) {
            signal_hook::low_level::unregister(id);
        }
    }
}

/// Returns whether the signal of a closed terminal reaches this process. Whoever started it may have
/// it not heard, as `nohup` does, and to listen would end that; where the system does not tell, it is
/// left as it is.
#[cfg(unix)]
fn hears_of_closed_terminals() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    ignored.is_some_and(|mask| mask >> (signal_hook::consts::SIGHUP - 1) & 1 == 0)
}

#[cfg(not(unix))]
struct Asked;

#[cfg(not(unix))]
impl Asked {
    #[expect(clippy::unnecessary_wraps, reason = "elsewhere it can fail")]
    fn listen() -> io::Result<Self> {
        Ok(Self)
    }

    #[expect(clippy::unused_self, reason = "elsewhere it is needed")]
    fn hand_on(&self, _child: &Child) {}
}
