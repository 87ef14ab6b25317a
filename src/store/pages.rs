//! Long lists, by several requests at once.
//!
//! A store lists a page at a time, and only a page tells where the next one begins: with many keys
//! most of the time goes by waiting for one after the other. But some stores list in the order of the
//! keys, from any key on. Where such a list was cut the last time is remembered, and then what lies
//! between two cuts is asked for beside the rest.
//!
//! No cut has to be right. What lies before the first, between them and after the last is every key
//! there can be; only the time that it takes depends on where they are, and where the parts grew, later
//! ones are remembered. And little is believed: that each part comes in order, that its last key is still
//! there, and that the next one begins with what comes behind that, is seen, or all is listed from the
//! front. What no part shows, such as a store that passes over keys by another order than that in which
//! it lists them, a list from the front does, and there is one every day.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Entry, Error, Store};
use crate::base::clock::{Clock, System};
use crate::base::fs as files;
use crate::base::workers;

/// A store that lists keys in the order of their bytes, and from any of them on.
pub trait Pages: Sync {
    /// Calls `each` with page after page of the keys that begin with `prefix` and come after another,
    /// until it says that it wants no more.
    ///
    /// Returns whether the store can begin there at all.
    fn list_after(
        &self,
        prefix: &str,
        after: Option<&str>,
        each: &mut dyn FnMut(Vec<Entry>) -> bool,
    ) -> Result<bool, Error>;

    /// Calls `each` with every key that begins with `prefix`, page after page, until it returns an error.
    fn list_all(
        &self,
        prefix: &str,
        each: &mut dyn FnMut(Entry) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut done = Ok(());
        self.list_after(prefix, None, &mut |page| {
            done = page.into_iter().try_for_each(&mut *each);
            done.is_ok()
        })?;
        done
    }
}

/// How many keys lie between two cuts: fewer than the thousand that a page mostly holds, so that one page
/// is enough even when some were added.
const BETWEEN: usize = 950;

/// With more keys than this in a part, it is soon more than a page: it is time for other cuts.
const MANY: usize = 975;

/// How long what is remembered of a list from the front counts.
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// How many requests are under way at once.
const AT_ONCE: usize = 8;

/// Where the lists of a store can be cut, in files that may be deleted at any time.
#[derive(Clone, Debug)]
pub struct Cuts {
    folder: PathBuf,
    store: String,
}

/// A file of cuts, which is JSON.
#[derive(Deserialize, Serialize)]
struct Kept {
    /// When all was last listed from the front: seconds since 1970.
    since: i64,
    /// Keys in their order; nothing where the list can't be cut.
    cuts: Option<Vec<String>>,
}

/// What is remembered of a list.
#[derive(Debug, Eq, PartialEq)]
enum Remembered {
    Nothing,
    /// Keys at which it can be cut, in their order.
    At(Vec<String>),
    /// It does not come in the order of the keys, or not in parts that fit together.
    Whole,
}

impl Cuts {
    /// Remembers them below a cache folder, by text that tells the store from others.
    pub fn below(cache: &Path, store: String) -> Self {
        Self { folder: cache.join("lists"), store }
    }

    fn path(&self, prefix: &str) -> PathBuf {
        let name = blake3::hash(format!("{}\n{prefix}", self.store).as_bytes()).to_hex();
        self.folder.join(&name[..32])
    }

    /// Returns what is remembered of a list, and since when.
    fn read(&self, prefix: &str) -> (Remembered, Timestamp) {
        let now = System.now();
        let kept = fs::read(self.path(prefix)).ok();
        let kept = kept.and_then(|bytes| serde_json::from_slice::<Kept>(&bytes).ok());
        let is_fresh = |since: &Timestamp| {
            let age = now.duration_since(*since);
            !age.is_negative() && age < DAY
        };
        let fit = |cuts: &Vec<String>| {
            let are_below = cuts.iter().all(|cut| cut.starts_with(prefix));
            !cuts.is_empty() && are_below && cuts.is_sorted_by(|a, b| a < b)
        };
        let kept = kept.and_then(|Kept { since, cuts }| {
            let since = Timestamp::from_second(since).ok().filter(is_fresh)?;
            match cuts {
                None => Some((Remembered::Whole, since)),
                Some(cuts) => fit(&cuts).then_some((Remembered::At(cuts), since)),
            }
        });
        kept.unwrap_or((Remembered::Nothing, now))
    }

    /// Remembers a list. Where that fails, the next one takes longer.
    fn write(&self, prefix: &str, list: &Remembered, since: Timestamp) {
        let path = self.path(prefix);
        let cuts = match list {
            Remembered::At(cuts) => Some(cuts.clone()),
            Remembered::Whole => None,
            Remembered::Nothing => return drop(fs::remove_file(path)),
        };
        let kept = Kept { since: since.as_second(), cuts };
        let written = serde_json::to_vec(&kept).map_err(io::Error::from).and_then(|bytes| {
            files::create_private_folder(&self.folder)?;
            files::replace_cached_with(&path, |out| out.write_all(&bytes))
        });
        if let Err(error) = written {
            tracing::debug!(%error, "cannot remember where a list can be cut");
        }
    }
}

/// Gathers what it wants of what is listed, or fails.
pub type Gather<'g, T> = dyn FnMut(&mut Vec<T>, Entry) -> Result<(), Error> + 'g;

/// Returns what `take` gathers of the keys that begin with a prefix, and fails where it does.
///
/// All may come a second time. What was gathered until then is dropped; what `take` noted elsewhere
/// stays.
pub fn list<T>(
    (store, prefix): (&dyn Store, &str),
    cuts: Option<&Cuts>,
    take: &mut Gather<'_, T>,
) -> Result<Vec<T>, Error> {
    let known = store.pages().zip(cuts).map(|(pages, cuts)| (pages, cuts, cuts.read(prefix)));
    if let Some((pages, cuts, (Remembered::At(at), since))) = &known {
        let (mut found, mut order) = (Vec::new(), Order::default());
        let done = in_parts((*pages, prefix), at, &mut |entry| {
            order.see(&entry.key);
            take(&mut found, entry)
        });
        match done {
            Ok(longest) => {
                if longest > MANY {
                    cuts.write(prefix, &order.remembered(), *since);
                }
                return Ok(found);
            }
            Err(Ended::Failed(error)) => return Err(error),
            Err(Ended::Apart) => {}
        }
    }
    let (mut found, mut order) = (Vec::new(), Order::default());
    store.list(prefix, &mut |entry| {
        order.see(&entry.key);
        take(&mut found, entry)
    })?;
    if let Some((_, cuts, (before, _))) = known {
        let now = order.remembered();
        // The parts did not fit together, and nothing changed: it is the store that does not.
        let is_odd = before == Remembered::Whole || before == now && now != Remembered::Nothing;
        let now = if is_odd { Remembered::Whole } else { now };
        if now != before {
            cuts.write(prefix, &now, System.now());
        }
    }
    Ok(found)
}

/// Where a list can be cut, by the keys that came.
#[derive(Debug, Default)]
struct Order {
    last: String,
    count: usize,
    cuts: Vec<String>,
    is_broken: bool,
}

impl Order {
    fn see(&mut self, key: &str) {
        self.is_broken |= self.count > 0 && *key <= *self.last;
        self.last.clear();
        self.last.push_str(key);
        self.count += 1;
        if self.count.is_multiple_of(BETWEEN) {
            self.cuts.push(key.to_owned());
        }
    }

    fn remembered(self) -> Remembered {
        match self {
            Self { is_broken: true, .. } => Remembered::Whole,
            Self { cuts, .. } if cuts.is_empty() => Remembered::Nothing,
            Self { cuts, .. } => Remembered::At(cuts),
        }
    }
}

/// Why a list in parts ended early.
#[derive(Debug)]
enum Ended {
    /// They do not fit together: something changed meanwhile, or the order is another.
    Apart,
    Failed(Error),
}

/// How many keys of a part are waited for; all of them are in memory at once.
const MOST: usize = 5 * BETWEEN;

/// A part of a list: what comes after one key, up to another and with that.
#[derive(Clone, Copy, Debug)]
struct Part<'a> {
    after: Option<&'a str>,
    until: Option<&'a str>,
}

/// What a part holds.
#[derive(Debug)]
struct Held {
    entries: Vec<Entry>,
    /// The first key that was seen.
    first: Option<String>,
    /// The first one that was seen behind the end of the part.
    beyond: Option<String>,
}

/// Lists in parts, hands on what they hold in their order, and returns how many keys the longest had.
///
/// A store could list in another order than that of the bytes, so that what comes behind a cut there is
/// before it here, and in no part. But each part is listed on until a key comes that is behind its end,
/// and where the next part begins with the very same, a store that lists all behind a key from that key
/// on has nothing between them, in whatever order. Where a key is gone, some stores begin elsewhere.
fn in_parts(
    (pages, prefix): (&dyn Pages, &str),
    cuts: &[String],
    see: &mut dyn FnMut(Entry) -> Result<(), Error>,
) -> Result<usize, Ended> {
    let ends = || cuts.iter().map(|cut| Some(cut.as_str()));
    let starts = std::iter::once(None).chain(ends());
    let untils = ends().chain([None]);
    let parts: Vec<Part<'_>> =
        starts.zip(untils).map(|(after, until)| Part { after, until }).collect();
    let (mut begins_with, mut longest) = (None::<Option<String>>, 0);
    let work = |part: &Part<'_>| part.list(pages, prefix);
    workers::each(&parts, AT_ONCE, work, |part, held| {
        let Held { entries, first, beyond } = held?;
        let fits = begins_with.as_ref().is_none_or(|expected| *expected == first);
        let last = entries.last().map(|entry| entry.key.as_str());
        if !fits || part.until.is_some_and(|until| last != Some(until)) {
            return Err(Ended::Apart);
        }
        begins_with = Some(beyond);
        longest = longest.max(entries.len());
        entries.into_iter().try_for_each(&mut *see).map_err(Ended::Failed)
    })?;
    Ok(longest)
}

impl Part<'_> {
    /// Returns what it holds.
    fn list(self, pages: &dyn Pages, prefix: &str) -> Result<Held, Ended> {
        let mut held = Held { entries: Vec::new(), first: None, beyond: None };
        let (mut last, mut fits) = (self.after.map(str::to_owned), true);
        let begins = pages.list_after(prefix, self.after, &mut |page| {
            for entry in page {
                fits &= last.as_ref().is_none_or(|last| *last < entry.key);
                last = Some(entry.key.clone());
                if held.first.is_none() {
                    held.first.clone_from(&last);
                }
                if self.until.is_none_or(|until| *entry.key <= *until) {
                    held.entries.push(entry);
                } else if held.beyond.is_none() {
                    held.beyond.clone_from(&last);
                }
            }
            fits &= held.entries.len() <= MOST;
            fits && held.beyond.is_none()
        });
        match begins {
            Ok(true) if fits => Ok(held),
            Ok(_) => Err(Ended::Apart),
            Err(error) => Err(Ended::Failed(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::store::{Body, Expected, Memory};

    /// Keys in the order in which a store lists them, and what was asked for.
    #[derive(Default)]
    struct Odd {
        keys: Vec<String>,
        /// What `after` leads to is passed over: the list always begins at the front.
        ignores_after: bool,
        refuses_after: bool,
        asked: Mutex<Vec<Option<String>>>,
    }

    impl Odd {
        fn asked(&self) -> Vec<Option<String>> {
            let mut asked = std::mem::take(&mut *self.asked.lock().unwrap());
            asked.sort();
            asked
        }
    }

    impl Pages for Odd {
        fn list_after(
            &self,
            prefix: &str,
            after: Option<&str>,
            each: &mut dyn FnMut(Vec<Entry>) -> bool,
        ) -> Result<bool, Error> {
            if after.is_some() && self.refuses_after {
                return Ok(false);
            }
            let key = after.filter(|_| !self.ignores_after);
            let start =
                key.map_or(0, |key| match self.keys.iter().position(|other| other == key) {
                    Some(at) => at + 1,
                    None => {
                        self.keys.iter().position(|other| **other > *key).unwrap_or(self.keys.len())
                    }
                });
            let below: Vec<&String> =
                self.keys[start..].iter().filter(|key| key.starts_with(prefix)).collect();
            for page in below.chunks(10) {
                self.asked.lock().unwrap().push(after.map(str::to_owned));
                if !each(page.iter().map(|key| entry(key)).collect()) {
                    break;
                }
            }
            Ok(true)
        }
    }

    fn entry(key: &str) -> Entry {
        let version = crate::store::Version::default();
        Entry { key: key.to_owned(), len: 1, modified: None, version }
    }

    fn keys(numbers: std::ops::Range<usize>) -> Vec<String> {
        numbers.map(|number| format!("a/{number:05}")).collect()
    }

    /// Returns what comes in parts, and whether they fit together.
    fn parts(odd: &Odd, cuts: &[&str]) -> (Vec<String>, bool) {
        let cuts: Vec<String> = cuts.iter().map(|cut| (*cut).to_owned()).collect();
        let mut seen = Vec::new();
        let done = in_parts((odd, "a/"), &cuts, &mut |entry| {
            seen.push(entry.key);
            Ok(())
        });
        match done {
            Err(Ended::Failed(error)) => panic!("{error}"),
            done => (seen, done.is_ok()),
        }
    }

    /// Returns the cuts after every tenth of so many keys.
    fn every_tenth(count: usize) -> Vec<String> {
        keys(0..count).into_iter().skip(9).step_by(10).collect()
    }

    #[test]
    fn every_key_comes_once_and_in_order_wherever_the_list_is_cut() {
        let odd = Odd { keys: keys(0..35), ..Odd::default() };
        let cuts: [&[&str]; 6] = [
            &["a/00009", "a/00019", "a/00029"],
            &["a/00000"],
            &["a/00034"],
            &["a/00003", "a/00004", "a/00031"],
            &["a/00007", "a/00008"],
            &[],
        ];
        for cuts in cuts {
            assert_eq!(parts(&odd, cuts), (keys(0..35), true), "{cuts:?}");
        }
    }

    #[test]
    fn a_part_is_one_request_until_it_grows_to_a_page() {
        let odd = Odd { keys: keys(0..24), ..Odd::default() };
        let cuts = ["a/00007", "a/00015"];
        let owned = |asked: &[Option<&str>]| -> Vec<Option<String>> {
            asked.iter().map(|key| key.map(str::to_owned)).collect()
        };
        parts(&odd, &cuts);
        assert_eq!(odd.asked(), owned(&[None, Some("a/00007"), Some("a/00015")]));
        let more = ["a/00014x", "a/00014y"].map(str::to_owned).to_vec();
        let more = [keys(0..15), more, keys(15..24)].concat();
        let odd = Odd { keys: more.clone(), ..Odd::default() };
        assert_eq!(parts(&odd, &cuts), (more, true));
        // Whether something is behind the last of a page, only the next one says.
        let grown = [None, Some("a/00007"), Some("a/00007"), Some("a/00015")];
        assert_eq!(odd.asked(), owned(&grown));
    }

    #[test]
    fn a_part_whose_last_key_is_gone_is_not_believed_and_any_other_may_go() {
        for (gone, fits) in [
            (9..10, false),
            (5..15, false),
            (0..30, false),
            (10..19, true),
            (0..9, true),
            (20..30, true),
        ] {
            let left: Vec<String> =
                keys(0..gone.start).into_iter().chain(keys(gone.end..30)).collect();
            let odd = Odd { keys: left.clone(), ..Odd::default() };
            let (seen, is_all) = parts(&odd, &["a/00009", "a/00019"]);
            assert_eq!(is_all, fits, "{gone:?}");
            assert!(!is_all || seen == left, "{gone:?}");
        }
    }

    #[test]
    fn a_store_that_lists_in_another_order_or_not_from_everywhere_is_found_out() {
        let cuts = ["a/00009", "a/00019"];
        let all = keys(0..30);
        let odd = |keys: Vec<String>| Odd { keys, ..Odd::default() };
        let mut late = all.clone();
        // What is in the order of no bytes: it belongs to the first part, and comes in the second.
        late.insert(15, "a/00003x".to_owned());
        let mut early = all.clone();
        // And what belongs to the second, and comes in the first, whose end it seems to be.
        early.insert(5, "a/00012x".to_owned());
        for (number, odd) in [
            odd(late),
            odd(early),
            Odd { ignores_after: true, ..odd(all.clone()) },
            Odd { refuses_after: true, ..odd(all) },
        ]
        .into_iter()
        .enumerate()
        {
            assert!(!parts(&odd, &cuts).1, "{number}");
        }
    }

    /// Whatever the order is in which a store lists, and wherever its pages end: all of it comes, or it
    /// is said that this is not so.
    #[test]
    fn no_key_is_missed_in_silence_whatever_order_a_store_has() {
        // Whole pages that belong behind a cut come before it: folders before what else begins so.
        let own = (0..25).map(|n| format!("a/b/{n:05}"));
        let other = (0..30).map(|n| format!("a/b-{n:05}"));
        let folders: Vec<String> = own.chain(other).collect();
        let cuts: Vec<String> = folders[25..].iter().skip(9).step_by(10).cloned().collect();
        let cuts: Vec<&str> = cuts.iter().map(String::as_str).collect();
        let odd = Odd { keys: folders, ..Odd::default() };
        assert!(!parts(&odd, &cuts).1);
        let all = keys(0..60);
        let mut turned = all.clone();
        for start in 0..60 {
            turned.rotate_left(1);
            turned[start..].reverse();
            let odd = Odd { keys: turned.clone(), ..Odd::default() };
            for cuts in [every_tenth(60), every_tenth(20)] {
                let cuts: Vec<&str> = cuts.iter().map(String::as_str).collect();
                let (mut seen, is_all) = parts(&odd, &cuts);
                seen.sort();
                assert!(seen == all || !is_all, "{start} {seen:?}");
            }
        }
    }

    #[test]
    fn a_part_that_grew_beyond_what_is_to_be_in_memory_is_no_part() {
        let odd = Odd { keys: keys(0..3 * MOST), ..Odd::default() };
        assert!(!parts(&odd, &["a/00007"]).1);
        assert_eq!(odd.asked().len(), 1 + MOST / 10 + 1);
        let odd = Odd { keys: keys(0..2 * MOST), ..Odd::default() };
        let middle = format!("a/{:05}", MOST - 1);
        assert_eq!(parts(&odd, &[&middle]), (keys(0..2 * MOST), true));
    }

    fn at(cuts: &[&str]) -> Remembered {
        Remembered::At(cuts.iter().map(|cut| (*cut).to_owned()).collect())
    }

    struct Place(tempfile::TempDir, Memory, Cuts);

    impl Place {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let cuts = Cuts::below(folder.path(), "memory:".to_owned());
            Self(folder, Memory::default(), cuts)
        }

        fn put(&self, keys: &[String]) {
            for key in keys {
                let body = Body { bytes: b"x", expected: Expected::Nothing, lock: None };
                self.1.write(key, &body).unwrap();
            }
        }

        fn remembered(&self, prefix: &str) -> Remembered {
            self.2.read(prefix).0
        }

        fn kept(&self) -> Kept {
            serde_json::from_slice(&fs::read(self.2.path("a/")).unwrap()).unwrap()
        }

        /// Lets what is remembered be of this second.
        fn is_of(&self, since: i64) {
            let kept = serde_json::to_vec(&Kept { since, ..self.kept() }).unwrap();
            files::replace(&self.2.path("a/"), &kept).unwrap();
        }

        fn list(&self) -> Vec<String> {
            let gathered = |all: &mut Vec<String>, entry: Entry| {
                all.push(entry.key);
                Ok(())
            };
            list((&self.1, "a/"), Some(&self.2), &mut { gathered }).unwrap()
        }
    }

    #[test]
    fn cuts_are_remembered_of_long_lists_and_follow_them() {
        let place = Place::new();
        place.put(&keys(0..900));
        assert_eq!(place.list(), keys(0..900));
        assert_eq!(place.remembered("a/"), Remembered::Nothing);
        assert!(!place.0.path().join("lists").exists(), "nothing to remember is not written");
        place.put(&keys(900..2000));
        let cuts = at(&["a/00949", "a/01899"]);
        for _ in 0..2 {
            assert_eq!(place.list(), keys(0..2000));
            assert_eq!(place.remembered("a/"), cuts);
        }
        let day = DAY.as_secs();
        for (age, counts) in [(day / 2, true), (day * 2, false), (-100, false), (0, true)] {
            place.is_of(System.now().as_second() - age);
            assert_eq!(place.remembered("a/") == cuts, counts, "{age}");
        }
        place.is_of(0);
        assert_eq!(place.list(), keys(0..2000));
        assert_eq!(place.remembered("a/"), cuts, "all was listed from the front");
        place.put(&keys(2000..20_000));
        assert_eq!(place.list(), keys(0..20_000), "more than a part may hold");
        let Remembered::At(cuts) = place.remembered("a/") else { panic!("no cuts") };
        assert_eq!(cuts.len(), 21);
        assert_eq!(place.remembered("b/"), Remembered::Nothing, "of another list");
    }

    #[test]
    fn cuts_follow_parts_that_grew_and_all_still_comes_from_the_front_after_a_day() {
        let place = Place::new();
        place.put(&keys(0..2000));
        place.list();
        let more = |numbers: std::ops::Range<usize>| -> Vec<String> {
            numbers.map(|number| format!("a/00500-{number:02}")).collect()
        };
        place.put(&more(0..MANY - BETWEEN));
        place.list();
        let before = at(&["a/00949", "a/01899"]);
        assert_eq!(place.remembered("a/"), before, "one page holds what was added");
        let almost = System.now().as_second() - DAY.as_secs() + 100;
        place.is_of(almost);
        place.put(&more(MANY - BETWEEN..MANY - BETWEEN + 1));
        assert_eq!(place.list().len(), 2026);
        assert_eq!(place.remembered("a/"), at(&["a/00923", "a/01873"]));
        assert_eq!(place.kept().since, almost, "that was no list from the front");
    }

    #[test]
    fn no_key_is_missed_whatever_a_file_of_cuts_says() {
        let place = Place::new();
        place.put(&keys(0..2000));
        place.list();
        let path = place.2.path("a/");
        let cuts = [
            "",
            "{",
            "null",
            "[]",
            "[\"b\"]",
            "[\"a/9\"]",
            "[\"a/00500\",\"a/00500\"]",
            "[\"a/01000\",\"a/00500\"]",
            "[\"a/\",\"a/00001\",\"a/0000199\"]",
        ];
        let since = System.now().as_second();
        let of_now = cuts.map(|cuts| format!("{{\"since\":{since},\"cuts\":{cuts}}}"));
        let of_no_time = ["\"now\"", "9223372036854775807", "-9223372036854775808", "1e99", "null"]
            .map(|since| format!("{{\"since\":{since},\"cuts\":[\"a/9\"]}}"));
        let others = ["", "{}", "[\"a/9\"]"].map(str::to_owned);
        for text in of_now.iter().chain(&of_no_time).chain(&others) {
            files::replace(&path, text.as_bytes()).unwrap();
            assert_eq!(place.list(), keys(0..2000), "{text}");
        }
    }

    #[test]
    fn what_gathers_can_end_it() {
        let place = Place::new();
        place.put(&keys(0..2000));
        place.list();
        let failing = |_: &mut Vec<()>, entry: Entry| {
            if entry.key == "a/01500" { Err(Error::NotFound { what: entry.key }) } else { Ok(()) }
        };
        let error = list((&place.1, "a/"), Some(&place.2), &mut { failing }).unwrap_err();
        assert!(matches!(error, Error::NotFound { .. }), "{error}");
    }
}
