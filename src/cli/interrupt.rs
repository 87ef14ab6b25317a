//! What Ctrl-C does: ends the process with 130 at once, unless a command is writing.
//!
//! Files are written under a temporary name first, so an end at any moment leaves no half of a
//! file under its own name; what [`Interrupt::hold`] spares the user is the temporary file, and a
//! repository between two files. A second Ctrl-C ends the process whatever it is doing.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use signal_hook::SigId;

use super::error::{Exit, Failure};

/// Stands between the user's signals and the process.
///
/// The flag is what a signal looks at to decide whether it ends the process, and what it sets, so
/// that the next one will; but not while signals are left to another, however fast they come.
#[derive(Clone, Debug)]
pub(crate) struct Interrupt {
    ends_at_once: Arc<AtomicBool>,
    /// What sets the flag; nothing while signals are left to another.
    setters: Arc<Mutex<Vec<SigId>>>,
}

impl Interrupt {
    /// Takes over the signals that ask a process to end.
    pub(crate) fn install() -> io::Result<Self> {
        let ends_at_once = Arc::new(AtomicBool::new(true));
        // In this order: the first signal must be judged by the flag as it was before it.
        for (signal, status) in SIGNALS {
            let flag = Arc::clone(&ends_at_once);
            signal_hook::flag::register_conditional_shutdown(signal, status, flag)?;
        }
        let setters = Arc::new(Mutex::new(setters(&ends_at_once)?));
        Ok(Self { ends_at_once, setters })
    }

    /// Lets Ctrl-C pass for now: it is meant for a program that runs in front of this one.
    pub(crate) fn leave_to_another(&self) {
        for setter in self.setters.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            signal_hook::low_level::unregister(setter);
        }
        self.ends_at_once.store(false, Ordering::SeqCst);
    }

    /// Lets Ctrl-C end the process again.
    pub(crate) fn take_back(&self) {
        self.listen();
        self.ends_at_once.store(true, Ordering::SeqCst);
    }

    /// Sees to it that a signal sets the flag.
    fn listen(&self) {
        let mut now = self.setters.lock().unwrap_or_else(PoisonError::into_inner);
        if now.is_empty() {
            match setters(&self.ends_at_once) {
                Ok(again) => *now = again,
                Err(error) => tracing::warn!(%error, "a second Ctrl-C will not end the process"),
            }
        }
    }

    /// Returns, during work that a first signal does not end, whether one came: the next one will end it.
    pub(crate) fn is_asked(&self) -> bool {
        self.ends_at_once.load(Ordering::SeqCst)
    }

    /// Does work that a first Ctrl-C must not end halfway; when one came meanwhile, the process
    /// ends with 130 after it, and says what failed, if something did: it may be a lock that
    /// stays. The work is given what tells it to stop early.
    pub(crate) fn hold<T>(
        &self,
        work: impl FnOnce(&dyn Fn() -> bool) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.listen();
        self.ends_at_once.store(false, Ordering::SeqCst);
        let done = work(&|| self.is_asked());
        if self.ends_at_once.swap(true, Ordering::SeqCst) {
            let failure = done.err().unwrap_or_else(|| Failure::new("interrupted"));
            return Err(failure.exit(Exit::Interrupted));
        }
        done
    }
}

/// Registers what sets the flag at each signal.
fn setters(flag: &Arc<AtomicBool>) -> io::Result<Vec<SigId>> {
    SIGNALS
        .iter()
        .map(|(signal, _)| signal_hook::flag::register(*signal, Arc::clone(flag)))
        .collect()
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
    fn signals_that_are_left_to_another_set_nothing_until_they_are_taken_back() {
        let interrupt = interrupt();
        let listens = || !interrupt.setters.lock().unwrap().is_empty();
        let backs: [fn(&Interrupt); 2] =
            [|interrupt| interrupt.take_back(), |interrupt| interrupt.hold(|_| Ok(())).unwrap()];
        for back in backs {
            interrupt.leave_to_another();
            assert!(!interrupt.ends_at_once.load(Ordering::SeqCst) && !listens());
            back(&interrupt);
            assert!(interrupt.ends_at_once.load(Ordering::SeqCst) && listens());
        }
    }

    /// One that no signal ends the process of all tests by.
    fn interrupt() -> Interrupt {
        Interrupt { ends_at_once: Arc::new(AtomicBool::new(true)), setters: Arc::default() }
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
