//! Does the same to many things with a bounded number of workers.

use std::collections::VecDeque;
use std::io;
use std::panic::resume_unwind;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// How many results may wait for the one before them, for each worker.
const AHEAD: usize = 2;

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
    // A thread of its own would cost a single item memory, and gain it nothing.
    if let [item] = items {
        return each(item, work(item));
    }
    let workers = workers.clamp(1, items.len().max(1));
    let queue = Queue::new(items.len(), workers * AHEAD);
    let run = || {
        let _guard = StopOnPanic(&queue);
        let mut next = queue.take();
        while let Some(at) = next {
            next = queue.put(at, work(&items[at]));
        }
    };
    thread::scope(|scope| {
        // Ends the workers on every way out, a panic of `each` included.
        let _stop = Stop(&queue);
        let spawn = |_: &usize| thread::Builder::new().spawn_scoped(scope, run).is_ok();
        // Where the system gives no more threads, those that it gave do.
        if (0..workers).take_while(spawn).count() == 0 {
            return items.iter().try_for_each(|item| each(item, work(item)));
        }
        for item in items {
            // Without a result a worker panicked; leaving the scope passes that on.
            let Some(result) = queue.next() else { return Ok(()) };
            each(item, result)?;
        }
        Ok(())
    })
}

/// Does `one` on a thread of its own beside `other`.
pub fn at_once<T: Send, U>(one: &(impl Fn() -> T + Sync), other: impl FnOnce() -> U) -> (T, U) {
    thread::scope(|scope| {
        let begun = thread::Builder::new().spawn_scoped(scope, one);
        let other = other();
        (done(begun, one), other)
    })
}

/// Returns what a thread did, and panics as it did; where the system gave none, this one does it.
fn done<T>(begun: io::Result<thread::ScopedJoinHandle<'_, T>>, instead: impl FnOnce() -> T) -> T {
    match begun {
        Ok(begun) => begun.join().unwrap_or_else(|panic| resume_unwind(panic)),
        Err(_) => instead(),
    }
}

/// Does `work` to shares of the items, one for each processor, and returns the results in their order.
/// Where there are no more than `worth` items, they are worth no thread of their own.
pub fn shares<I: Sync, T: Send>(
    items: &[I],
    worth: usize,
    work: impl Fn(&[I]) -> T + Sync,
) -> Vec<T> {
    let processors = thread::available_parallelism().map_or(1, usize::from);
    let share = items.len().div_ceil(processors).max(worth).max(1);
    let (own, others) = items.split_at(share.min(items.len()));
    let work = &work;
    thread::scope(|scope| {
        let begun: Vec<_> = others
            .chunks(share)
            .map(|share| (share, thread::Builder::new().spawn_scoped(scope, || work(share))))
            .collect();
        let own = work(own);
        let others = begun.into_iter().map(|(share, begun)| done(begun, || work(share)));
        std::iter::once(own).chain(others).collect()
    })
}

/// What the workers share. Who waits is woken only by what it waits for: with many workers,
/// waking all of them for each item took more time than small items did.
struct Queue<T> {
    items: usize,
    /// How many items may be taken whose results were not handed on.
    window: usize,
    progress: Mutex<Progress<T>>,
    /// There is room for the result of a further item.
    room: Condvar,
    /// The result that is to be handed on next is there.
    ready: Condvar,
}

/// Where the workers are.
struct Progress<T> {
    /// The first item that nobody has taken.
    next: usize,
    /// How many results were handed on.
    done: usize,
    /// The results of the items after those, as far as they are there.
    results: VecDeque<Option<T>>,
    /// How many workers wait for room.
    idle: usize,
    /// Whether nobody wants further results.
    stopped: bool,
}

impl<T> Queue<T> {
    fn new(items: usize, window: usize) -> Self {
        let results = VecDeque::new();
        let progress = Mutex::new(Progress { next: 0, done: 0, results, idle: 0, stopped: false });
        Self { items, window, progress, room: Condvar::new(), ready: Condvar::new() }
    }

    fn progress(&self) -> MutexGuard<'_, Progress<T>> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the next item that is to be done, once there is room for its result.
    fn take(&self) -> Option<usize> {
        self.take_with(self.progress())
    }

    fn take_with(&self, mut now: MutexGuard<'_, Progress<T>>) -> Option<usize> {
        while !now.stopped && now.next < self.items {
            if now.next < now.done + self.window {
                now.next += 1;
                return Some(now.next - 1);
            }
            now.idle += 1;
            now = self.room.wait(now).unwrap_or_else(PoisonError::into_inner);
            now.idle -= 1;
        }
        None
    }

    /// Takes the result of an item, and returns the next one as [`take`](Self::take) does.
    fn put(&self, at: usize, result: T) -> Option<usize> {
        let mut now = self.progress();
        let place = at - now.done;
        if place >= now.results.len() {
            now.results.resize_with(place + 1, || None);
        }
        now.results[place] = Some(result);
        if place == 0 {
            self.ready.notify_one();
        }
        self.take_with(now)
    }

    /// Returns the next result, once it is there; nothing where no worker will bring it.
    fn next(&self) -> Option<T> {
        let mut now = self.progress();
        while !now.stopped {
            if let Some(result) = now.results.front_mut().and_then(Option::take) {
                now.results.pop_front();
                now.done += 1;
                if now.idle > 0 {
                    self.room.notify_one();
                }
                return Some(result);
            }
            now = self.ready.wait(now).unwrap_or_else(PoisonError::into_inner);
        }
        None
    }

    fn stop(&self) {
        self.progress().stopped = true;
        self.room.notify_all();
        self.ready.notify_all();
    }
}

/// Tells everybody to stop when a worker panics, who would else be waited for.
struct StopOnPanic<'a, T>(&'a Queue<T>);

impl<T> Drop for StopOnPanic<'_, T> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.stop();
        }
    }
}

struct Stop<'a, T>(&'a Queue<T>);

impl<T> Drop for Stop<'_, T> {
    fn drop(&mut self) {
        self.0.stop();
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
    fn shares_are_of_all_items_in_their_order() {
        let items: Vec<usize> = (0..1000).collect();
        for (len, worth) in [(1000, 1), (1000, 64), (1000, 2000), (1, 1), (0, 1), (7, 0)] {
            let done = shares(&items[..len], worth, <[usize]>::to_vec);
            assert_eq!(done.concat(), items[..len], "{len} {worth}");
            assert!(done.len() <= len.div_ceil(worth.max(1)).max(1), "{len} {worth}");
        }
    }

    #[test]
    fn nothing_to_do_is_done() {
        let none: [u8; 0] = [];
        assert_eq!(each(&none, 4, |_| (), |_, ()| Err("never")), Ok(()));
    }
}
