//! The pager, as git uses it: `TFSTATE_PAGER`, `PAGER`, or `less`, run by the shell.

use std::io::{self, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;

use super::interrupt::Interrupt;
use crate::base::env::Env;

/// How a shell says that it did not find a program, or that it is none.
const NOT_RUN: [i32; 2] = [126, 127];

/// Returns the command to page with; none where the user wants none.
pub(crate) fn command(env: &Env) -> Option<String> {
    let set = env.get("TFSTATE_PAGER").or_else(|| env.get("PAGER"));
    Some(set.unwrap_or_else(|| "less".to_owned())).filter(|command| command != "cat")
}

/// Shows text in a pager; returns whether it ran, so that nothing is lost where it did not.
///
/// Ctrl-C is the pager's until it ends: `less` stops searching, and must not be left behind with
/// a shell that reads the same keys.
pub(crate) fn show(command: &str, env: &Env, (text, interrupt): (&[u8], &Interrupt)) -> bool {
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).stdin(Stdio::piped());
    for (name, value) in [("LESS", "FRX"), ("LV", "-c")] {
        if env.get(name).is_none() {
            shell.env(name, value);
        }
    }
    interrupt.leave_to_another();
    let ended = shell.spawn().and_then(|child| feed(child, text));
    interrupt.take_back();
    let Ok(status) = ended else { return false };
    status.code().is_none_or(|code| !NOT_RUN.contains(&code))
}

/// Gives the pager its text, and waits until it ends.
fn feed(mut child: Child, text: &[u8]) -> io::Result<ExitStatus> {
    let stdin = child.stdin.take();
    thread::scope(|scope| {
        // The reader may leave before the end, and does not have to say why.
        scope.spawn(|| stdin.and_then(|mut stdin| stdin.write_all(text).ok()));
        child.wait()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_variable_comes_first_and_cat_is_none() {
        let page = |pairs: &[(&str, &str)]| command(&Env::from_pairs(pairs.iter().copied()));
        assert_eq!(page(&[]).as_deref(), Some("less"));
        assert_eq!(page(&[("PAGER", "more")]).as_deref(), Some("more"));
        assert_eq!(page(&[("PAGER", "more"), ("TFSTATE_PAGER", "most")]).as_deref(), Some("most"));
        assert_eq!(page(&[("PAGER", "cat")]), None);
    }

    #[cfg(unix)]
    #[test]
    fn a_pager_that_is_not_there_is_told_from_one_that_is() {
        let interrupt = Interrupt::install().unwrap();
        let show = |command, text: &[u8]| show(command, &Env::default(), (text, &interrupt));
        assert!(!show("no-such-pager-anywhere 2>&1", b"text"));
        assert!(show("exit 0", &b"text".repeat(100_000)));
    }
}
