//! What Ctrl-C does: ends the process with 130 at once, unless a command is writing.
//!
//! Files are written under a temporary name first, so an end at any moment leaves no half of a
//! file under its own name; what [`Interrupt::hold`] spares the user is the temporary file, and a
//! repository between two files. A second Ctrl-C ends the process whatever it is doing.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::error::{Exit, Failure};

/// Stands between the user's signals and the process.
///
/// The flag is what a signal looks at to decide whether it ends the process, and what it sets, so
/// that the next one will.
#[derive(Clone, Debug)]
pub(crate) struct Interrupt {
    ends_at_once: Arc<AtomicBool>,
}

impl Interrupt {
    /// Takes over the signals that ask a process to end.
    pub(crate) fn install() -> io::Result<Self> {
        let ends_at_once = Arc::new(AtomicBool::new(true));
        for (signal, status) in SIGNALS {
            // In this order: the first signal must be judged by the flag as it was before it.
            let flag = || Arc::clone(&ends_at_once);
            signal_hook::flag::register_conditional_shutdown(signal, status, flag())?;
            signal_hook::flag::register(signal, flag())?;
        }
        Ok(Self { ends_at_once })
    }

    /// Lets Ctrl-C pass for now: it is meant for a program that runs in front of this one. To be
    /// called again and again while that runs, since every signal takes it back.
    pub(crate) fn leave_to_another(&self) {
        self.ends_at_once.store(false, Ordering::SeqCst);
    }

    /// Lets Ctrl-C end the process again.
    pub(crate) fn take_back(&self) {
        self.ends_at_once.store(true, Ordering::SeqCst);
    }

    /// Does work that a first Ctrl-C must not end halfway; when one came meanwhile, the process
    /// ends with 130 after it, and says what failed, if something did: it may be a lock that
    /// stays. The work is given what tells it to stop early.
    pub(crate) fn hold<T>(
        &self,
        work: impl FnOnce(&dyn Fn() -> bool) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.ends_at_once.store(false, Ordering::SeqCst);
        let done = work(&|| self.ends_at_once.load(Ordering::SeqCst));
        if self.ends_at_once.swap(true, Ordering::SeqCst) {
            let failure = done.err().unwrap_or_else(|| Failure::new("interrupted"));
            return Err(failure.exit(Exit::Interrupted));
        }
        done
    }
}

#[cfg(unix)]
const SIGNALS: [(i32, i32); 2] =
    [(signal_hook::consts::SIGINT, 130), (signal_hook::consts::SIGTERM, 143)];

#[cfg(not(unix))]
const SIGNALS: [(i32, i32); 1] = [(signal_hook::consts::SIGINT, 130)];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_that_are_left_to_another_do_not_end_the_process() {
        let interrupt = interrupt();
        interrupt.leave_to_another();
        assert!(!interrupt.ends_at_once.load(Ordering::SeqCst));
        interrupt.take_back();
        assert!(interrupt.ends_at_once.load(Ordering::SeqCst));
    }

    fn interrupt() -> Interrupt {
        Interrupt { ends_at_once: Arc::new(AtomicBool::new(true)) }
    }

    #[test]
    fn work_that_nobody_interrupts_is_done() {
        assert!(!interrupt().hold(|stop| Ok(stop())).unwrap());
    }

    #[test]
    fn a_signal_during_work_tells_it_to_stop_and_ends_the_process_after_it() {
        let interrupt = interrupt();
        let flag = Arc::clone(&interrupt.ends_at_once);
        let failure = interrupt
            .hold(|stop| {
                // What the registered handler does.
                flag.store(true, Ordering::SeqCst);
                assert!(stop());
                Ok(())
            })
            .unwrap_err();
        assert_eq!(failure.exit, Exit::Interrupted);
        assert!(flag.load(Ordering::SeqCst));
    }

    #[test]
    fn what_failed_during_an_interrupt_is_still_told() {
        let interrupt = interrupt();
        let flag = Arc::clone(&interrupt.ends_at_once);
        let fail = |_: &dyn Fn() -> bool| {
            flag.store(true, Ordering::SeqCst);
            Err::<(), _>(Failure::new("the lock stays"))
        };
        let failure = interrupt.hold(fail).unwrap_err();
        assert_eq!((failure.exit, failure.error.as_str()), (Exit::Interrupted, "the lock stays"));
    }
}
