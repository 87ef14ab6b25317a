//! Does the same to many states with a bounded number of workers.

use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;

/// How many results may wait for the one before them, for each worker.
const AHEAD: usize = 2;

/// Where the workers are.
struct Progress<T> {
    /// The first item that nobody has taken.
    next: usize,
    /// How many results were handed on.
    done: usize,
    /// Results that wait for the ones before them, with their places.
    waiting: Vec<(usize, T)>,
    /// Whether nobody wants further results.
    stopped: bool,
}

/// Does `work` to every item on up to `workers` threads, and hands the results to `each` in the
/// order of the items, on the calling thread, until it returns an error.
///
/// At most three results a worker exist at any time, so that memory stays bounded
/// however many items there are.
pub fn each<I: Sync, T: Send, E>(
    items: &[I],
    workers: usize,
    work: impl Fn(&I) -> T + Sync,
    mut each: impl FnMut(&I, T) -> Result<(), E>,
) -> Result<(), E> {
    let workers = workers.clamp(1, items.len().max(1));
    let window = workers * AHEAD;
    let progress = Mutex::new(Progress { next: 0, done: 0, waiting: Vec::new(), stopped: false });
    let changed = Condvar::new();
    let locked = || progress.lock().unwrap_or_else(PoisonError::into_inner);
    let take = || {
        let mut now = locked();
        loop {
            if now.stopped || now.next >= items.len() {
                return None;
            }
            if now.next < now.done + window {
                now.next += 1;
                return Some(now.next - 1);
            }
            now = changed.wait(now).unwrap_or_else(PoisonError::into_inner);
        }
    };
    let run = || {
        let _guard = StopOnPanic(&progress, &changed);
        while let Some(at) = take() {
            let result = work(&items[at]);
            locked().waiting.push((at, result));
            changed.notify_all();
        }
    };
    thread::scope(|scope| {
        // Ends the workers on every way out, a panic of `each` included.
        let _stop = Stop(&progress, &changed);
        let spawn = |_: &usize| thread::Builder::new().spawn_scoped(scope, run).is_ok();
        // Where the system gives no more threads, those that it gave do.
        if (0..workers).take_while(spawn).count() == 0 {
            return items.iter().try_for_each(|item| each(item, work(item)));
        }
        for (at, item) in items.iter().enumerate() {
            let mut now = locked();
            let result = loop {
                if now.stopped {
                    // A worker panicked; leaving the scope passes that on.
                    return Ok(());
                }
                if let Some(found) = now.waiting.iter().position(|(place, _)| *place == at) {
                    break now.waiting.swap_remove(found).1;
                }
                now = changed.wait(now).unwrap_or_else(PoisonError::into_inner);
            };
            now.done += 1;
            drop(now);
            changed.notify_all();
            each(item, result)?;
        }
        Ok(())
    })
}

/// Tells everybody to stop when a worker panics, who would else be waited for.
struct StopOnPanic<'a, T>(&'a Mutex<Progress<T>>, &'a Condvar);

impl<T> Drop for StopOnPanic<'_, T> {
    fn drop(&mut self) {
        if thread::panicking() {
            drop(Stop(self.0, self.1));
        }
    }
}

struct Stop<'a, T>(&'a Mutex<Progress<T>>, &'a Condvar);

impl<T> Drop for Stop<'_, T> {
    fn drop(&mut self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).stopped = true;
        self.1.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_items_whoever_is_done_first() {
        let items: Vec<u64> = (0..50).collect();
        let mut seen = Vec::new();
        let slow_first = |item: &u64| {
            thread::sleep(Duration::from_millis(5 * u64::from(item.is_multiple_of(7))));
            item * 2
        };
        each(&items, 4, slow_first, |item, result| {
            seen.push((*item, result));
            Ok::<(), ()>(())
        })
        .unwrap();
        assert!(seen.iter().enumerate().all(|(at, pair)| *pair == (at as u64, at as u64 * 2)));
        assert_eq!(seen.len(), 50);
    }

    #[test]
    fn workers_run_at_once_but_not_far_ahead() {
        let items: Vec<usize> = (0..100).collect();
        let (started, handed) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let furthest = AtomicUsize::new(0);
        let work = |_: &usize| {
            let ahead = started.fetch_add(1, Ordering::SeqCst) - handed.load(Ordering::SeqCst);
            furthest.fetch_max(ahead, Ordering::SeqCst);
        };
        each(&items, 3, work, |_, ()| {
            thread::sleep(Duration::from_millis(1));
            handed.fetch_add(1, Ordering::SeqCst);
            Ok::<(), ()>(())
        })
        .unwrap();
        let furthest = furthest.load(Ordering::SeqCst);
        assert!((1..=3 * AHEAD + 1).contains(&furthest), "{furthest}");
    }

    #[test]
    fn an_error_ends_the_work() {
        let items: Vec<usize> = (0..10_000).collect();
        let done = AtomicUsize::new(0);
        let work = |_: &usize| done.fetch_add(1, Ordering::SeqCst);
        let result = each(&items, 2, work, |item, _| if *item == 3 { Err("no") } else { Ok(()) });
        assert_eq!(result, Err("no"));
        assert!(done.load(Ordering::SeqCst) < 100);
    }

    #[test]
    #[should_panic(expected = "a scoped thread panicked")]
    fn a_panic_of_a_worker_is_passed_on() {
        let work = |item: &usize| assert!(*item != 5, "five");
        each(&(0..100).collect::<Vec<_>>(), 2, work, |_, ()| Ok::<(), ()>(())).unwrap();
    }

    #[test]
    fn nothing_to_do_is_done() {
        let none: [u8; 0] = [];
        assert_eq!(each(&none, 4, |_| (), |_, ()| Err("never")), Ok(()));
    }
}
