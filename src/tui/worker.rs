//! The threads that do what takes time: loading and searching.

use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::query::filter::Filter;

use super::Loader;
use super::app::Event;
use super::reload::{Arrival, Keep, Loaded};
use super::terminal::take_panic;
use super::view::Matches;

/// How many instances are looked at between two looks at whether the query is still wanted.
const STRIDE: usize = 16 * 1024;
/// An attribute filter decodes what it looks at; so the clock is looked at more often.
const CLOCK_STRIDE: usize = 256;
/// When the first page is published, and how much later the next.
const FIRST_PAGE: Duration = Duration::from_millis(10);
const NEXT_PAGE: Duration = Duration::from_millis(250);

/// Starts a thread whose panic is an event.
pub(crate) fn spawn(events: &SyncSender<Event>, work: impl FnOnce() + Send + 'static) {
    let events = events.clone();
    thread::spawn(move || {
        if panic::catch_unwind(AssertUnwindSafe(work)).is_err() {
            // Nobody is left to hear it when the browser is gone already.
            events.send(Event::Panicked(take_panic())).ok();
        }
    });
}

/// Loads documents, one at a time.
#[derive(Debug)]
pub(crate) struct LoadWorker(Sender<Keep>);

impl LoadWorker {
    pub(crate) fn start(mut loader: Loader, events: &SyncSender<Event>) -> Self {
        let (sender, requests) = channel::<Keep>();
        let answers = events.clone();
        spawn(events, move || {
            for keep in requests {
                let event = match loader() {
                    Ok(document) => Event::Loaded(Arrival::new(document, keep)),
                    Err(error) => Event::LoadFailed(error),
                };
                if answers.send(event).is_err() {
                    return;
                }
            }
        });
        Self(sender)
    }

    pub(crate) fn load(&self, keep: Keep) {
        // A loader that panicked has said so.
        self.0.send(keep).ok();
    }
}

/// One search.
#[derive(Debug)]
pub(crate) struct Query {
    pub(crate) generation: u64,
    pub(crate) filter: Option<Box<Filter>>,
    pub(crate) loaded: Arc<Loaded>,
}

/// Searches; a newer query ends the one that runs.
#[derive(Debug)]
pub(crate) struct QueryWorker {
    queries: Sender<Query>,
    newest: Arc<AtomicU64>,
}

impl QueryWorker {
    pub(crate) fn start(events: &SyncSender<Event>) -> Self {
        let (queries, requests) = channel();
        let newest = Arc::new(AtomicU64::new(0));
        let (answers, wanted) = (events.clone(), Arc::clone(&newest));
        spawn(events, move || work(&requests, &wanted, &answers));
        Self { queries, newest }
    }

    pub(crate) fn search(&self, query: Query) {
        self.newest.store(query.generation, Ordering::SeqCst);
        self.queries.send(query).ok();
    }
}

fn work(requests: &Receiver<Query>, newest: &AtomicU64, answers: &SyncSender<Event>) {
    for query in requests {
        let Some(filter) = &query.filter else { continue };
        let is_wanted = || newest.load(Ordering::SeqCst) == query.generation;
        let publish = |matches: Matches, took| {
            let matches = Arc::new(matches);
            let found = Event::Found { generation: query.generation, matches, took };
            answers.send(found).is_ok()
        };
        search(&query.loaded, filter, is_wanted, publish);
    }
}

/// Looks at every instance in the order of the tree, and publishes the first page early.
///
/// Ends without a word when it is no longer wanted, or when nobody takes what it publishes.
pub(crate) fn search(
    loaded: &Loaded,
    filter: &Filter,
    is_wanted: impl Fn() -> bool,
    mut publish: impl FnMut(Matches, Option<Duration>) -> bool,
) {
    let started = Instant::now();
    let mut next_page = FIRST_PAGE;
    let (document, tree) = (&loaded.document, &loaded.tree);
    let mut matches = Matches::new(tree);
    let mut seen = 0;
    for (at, node) in tree.nodes.iter().enumerate() {
        for &place in &tree.order[node.own.clone()] {
            if filter.matches(document.instance(place as usize)) {
                matches.add(tree, at, place);
            }
            seen += 1;
            if seen % STRIDE == 0 && !is_wanted() {
                return;
            }
            if seen % CLOCK_STRIDE == 0 && started.elapsed() >= next_page {
                next_page = started.elapsed() + NEXT_PAGE;
                let has_page = matches.total > 0;
                if !is_wanted() || (has_page && !publish(matches.clone(), None)) {
                    return;
                }
            }
        }
    }
    if is_wanted() {
        publish(matches, Some(started.elapsed()));
    }
}
