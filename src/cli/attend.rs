//! Waiting for a command that runs in front of this program, which has something to clear up
//! after it.

use std::ffi::OsString;
use std::io;
use std::process::{Child, Command, ExitStatus};
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
    let child = child.args(arguments).envs(variables.iter().copied()).spawn();
    child.and_then(attend).map_err(|error| {
        let program = program.to_string_lossy();
        Failure::new(format!("cannot run {}", escape(&program))).because(&error)
    })
}

/// Waits until a command ends.
///
/// Ctrl-C reaches the command by itself, and what it makes of it, once or twice, is its own affair;
/// a request to end that only this process gets is handed on.
fn attend(mut child: Child) -> io::Result<ExitStatus> {
    let asked = Asked::listen()?;
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

#[cfg(unix)]
struct Asked {
    flag: std::sync::Arc<std::sync::atomic::AtomicBool>,
    id: signal_hook::SigId,
}

#[cfg(unix)]
impl Asked {
    fn listen() -> io::Result<Self> {
        let flag = std::sync::Arc::default();
        let listener = std::sync::Arc::clone(&flag);
        let id = signal_hook::flag::register(signal_hook::consts::SIGTERM, listener)?;
        Ok(Self { flag, id })
    }

    fn hand_on(&self, child: &Child) {
        use rustix::process::{Pid, Signal, kill_process};
        if self.flag.swap(false, std::sync::atomic::Ordering::SeqCst) {
            // It may have ended by itself, which the next glance tells.
            let _sent = kill_process(Pid::from_child(child), Signal::TERM);
        }
    }
}

#[cfg(unix)]
impl Drop for Asked {
    fn drop(&mut self) {
        signal_hook::low_level::unregister(self.id);
    }
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
