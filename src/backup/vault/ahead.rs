//! Lists that were begun before they are asked for.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use super::Object;
use crate::backup::Error;

pub(super) type Listed = Result<Vec<Object>, Error>;

/// Lists that are on their way, by their prefixes.
#[derive(Debug, Default)]
pub(super) struct Ahead(Mutex<HashMap<String, JoinHandle<Listed>>>);

impl Ahead {
    /// Begins to list what begins with a prefix.
    pub(super) fn begin(&self, prefix: &str, list: impl FnOnce() -> Listed + Send + 'static) {
        // Where the system gives no thread, it is listed when it is asked for.
        let Ok(begun) = thread::Builder::new().spawn(list) else { return };
        self.lists().insert(prefix.to_owned(), begun);
    }

    /// Returns a list that was begun, once: what is listed the next time is what is there then.
    pub(super) fn take(&self, prefix: &str) -> Option<Listed> {
        let begun = self.lists().remove(prefix)?;
        begun.join().ok()
    }

    fn lists(&self) -> MutexGuard<'_, HashMap<String, JoinHandle<Listed>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_was_begun_is_taken_once_whatever_came_of_it() {
        let ahead = Ahead::default();
        let object = Object { key: "s/1".to_owned(), len: 1, modified: None, tag: None };
        let listed = vec![object];
        ahead.begin("s/", {
            let listed = listed.clone();
            move || Ok(listed)
        });
        ahead.begin("c/", || Err(Error::NoSigner));
        assert!(ahead.take("gc/").is_none());
        assert_eq!(ahead.take("s/").unwrap().unwrap(), listed);
        assert!(ahead.take("s/").is_none(), "what is there then is listed anew");
        assert!(matches!(ahead.take("c/"), Some(Err(Error::NoSigner))));
    }
}
