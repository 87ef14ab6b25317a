//! Copies a state into the place where it lives, by Terraform's rules of lineage and serial.
//!
//! What Terraform refuses to import is refused here: another lineage, an older serial, or the same
//! serial with another content. A place without a state, or with one that holds nothing, takes
//! anything, and so does one where either lineage is empty, as in states of old.
//!
//! What is written is the state as it came, byte for byte, but for its serial: where other content
//! is replaced it becomes one more than the higher of the two, so that whoever holds the old one can
//! tell. Terraform does the same, except that it gives up the lineage and the serial of a state
//! that it pushes to where there is none; here they are kept, so that its history goes on.

use super::session::{Error as SessionError, Keep, Live, Locking, Report, Rules, Session, Target};
use crate::state::document::Document;
use crate::state::header::with_serial;
use crate::state::parse::ParseError;
use crate::state::value::Value;

/// A state that was not pushed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// What happened between the lock and the unlock.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// Terraform's rules are against it.
    #[error("cannot push to {what}: {refusal}")]
    Refused {
        /// The name of the state that is there.
        what: String,
        /// Why not.
        refusal: Refusal,
    },
    /// What is there is no state.
    #[error("cannot push to {what}: what is there cannot be read")]
    Broken {
        /// The name of what is there.
        what: String,
        /// Why not.
        source: ParseError,
    },
}

/// Which of Terraform's rules is against a push.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// The two have no common history.
    #[error("it has the lineage {live}, the state to push has {pushed}")]
    Lineage {
        /// The lineage that is there.
        live: String,
        /// The lineage of the state to push.
        pushed: String,
    },
    /// The one that is there is newer.
    #[error("it has the serial {live}, the state to push has the older {pushed}")]
    Older {
        /// The serial that is there.
        live: u64,
        /// The serial of the state to push.
        pushed: u64,
    },
    /// One of the two came to be beside the other.
    #[error("both have the serial {serial}, but their content differs")]
    Diverged {
        /// The serial of both.
        serial: u64,
    },
}

/// What was done.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Pushed {
    /// What became of the place.
    pub report: Report,
    /// The serial that was there, if a state was.
    pub before: Option<u64>,
    /// The serial that is there now.
    pub serial: u64,
}

/// Pushes a state.
pub fn run(
    document: &Document,
    target: Target,
    rules: Rules,
    locking: Locking<'_>,
    keep: &dyn Keep,
) -> Result<Pushed, Error> {
    let what = target.name();
    let session = Session::open(target, locking, rules)?;
    if rules == Rules::Heeded
        && let Some(against) = against(document, session.live())
    {
        session.leave()?;
        return Err(match against {
            Against::Rule(refusal) => Error::Refused { what, refusal },
            Against::Broken(source) => Error::Broken { what, source },
        });
    }
    let live = match session.live() {
        Live::State(live) => Some(&**live),
        Live::Nothing | Live::Broken(..) => None,
    };
    let before = live.map(Document::serial);
    let serial = stored_serial(document, live);
    let report = if serial == document.serial() {
        session.replace(document.bytes(), keep)?
    } else {
        session.replace(&with_serial(document, serial), keep)?
    };
    Ok(Pushed { report, before, serial })
}

fn stored_serial(document: &Document, live: Option<&Document>) -> u64 {
    match live {
        None => document.serial(),
        Some(live) if same_content(document, live) => document.serial().max(live.serial()),
        Some(live) => document.serial().max(live.serial()).saturating_add(1),
    }
}

/// Why a state is not pushed.
enum Against {
    Rule(Refusal),
    Broken(ParseError),
}

fn against(pushed: &Document, live: &Live) -> Option<Against> {
    match live {
        Live::Nothing => None,
        Live::State(live) => refused(pushed, live).map(Against::Rule),
        Live::Broken(_, error) => Some(Against::Broken(error.clone())),
    }
}

fn refused(pushed: &Document, live: &Document) -> Option<Refusal> {
    let is_empty = live.is_empty() && live.outputs().len() == 0;
    if is_empty || live.lineage().is_empty() || pushed.lineage().is_empty() {
        return None;
    }
    if live.lineage() != pushed.lineage() {
        let (live, pushed) = (live.lineage().to_owned(), pushed.lineage().to_owned());
        return Some(Refusal::Lineage { live, pushed });
    }
    match pushed.serial().cmp(&live.serial()) {
        std::cmp::Ordering::Greater => None,
        std::cmp::Ordering::Less => {
            Some(Refusal::Older { live: live.serial(), pushed: pushed.serial() })
        }
        std::cmp::Ordering::Equal if same_content(pushed, live) => None,
        std::cmp::Ordering::Equal => Some(Refusal::Diverged { serial: live.serial() }),
    }
}

/// Returns whether two states say the same but for their headers.
fn same_content(a: &Document, b: &Document) -> bool {
    a.bytes() == b.bytes()
        || match (content(a), content(b)) {
            (Some(a), Some(b)) => a.same(&b),
            _ => false,
        }
}

fn content(document: &Document) -> Option<Value<'_>> {
    let Ok(Value::Object(mut members)) = Value::parse_lossy(document.bytes()) else { return None };
    let header = ["version", "terraform_version", "serial", "lineage"];
    members.retain(|(key, _)| !header.contains(&&**key));
    Some(Value::Object(members))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::state::bytes::Bytes;
    use crate::store::{Body, Cause, Expected, Found, Memory, Store};

    struct Forget;

    impl Keep for Forget {
        fn keep(&self, _target: &Target, _bytes: &Bytes) -> Result<String, Cause> {
            Ok("a copy".to_owned())
        }
    }

    fn state(lineage: &str, serial: u64, output: &str) -> String {
        format!(
            "{{\n  \"version\": 4,\n  \"serial\": {serial},\n  \"lineage\": \"{lineage}\",\n  \"outputs\": \
             {{\"a\": {{\"value\": \"{output}\", \"type\": \"string\"}}}}\n}}\n"
        )
    }

    /// Pushes to where `live` is, and returns what is there then.
    fn push(live: Option<&str>, pushed: &str, rules: Rules) -> Result<(Pushed, String), Error> {
        let store = Arc::new(Memory::default());
        if let Some(live) = live {
            let bytes = live.as_bytes();
            store.write("a", &Body { bytes, expected: Expected::Nothing, lock: None }).unwrap();
        }
        let document = Document::parse(pushed.as_bytes().to_vec()).unwrap();
        let target = Target::of_store(Arc::<Memory>::clone(&store), "a");
        let done = run(&document, target, rules, Locking::Off, &Forget)?;
        let Found::Bytes(bytes, _) = store.read("a").unwrap() else { panic!("it was pushed") };
        Ok((done, String::from_utf8(bytes.to_vec()).unwrap()))
    }

    #[test]
    fn a_newer_state_is_stored_with_the_next_serial_and_else_as_it_came() {
        let (pushed, now) =
            push(Some(&state("l", 4, "x")), &state("l", 7, "y"), Rules::Heeded).unwrap();
        assert_eq!((pushed.before, pushed.serial), (Some(4), 8));
        assert_eq!(now, state("l", 8, "y"));
    }

    #[test]
    fn the_same_again_writes_nothing() {
        let (pushed, _) =
            push(Some(&state("l", 4, "x")), &state("l", 4, "x"), Rules::Heeded).unwrap();
        assert!(!pushed.report.written);
    }

    #[test]
    fn the_same_in_another_layout_keeps_its_serial() {
        let compact = state("l", 4, "x").replace(['\n', ' '], "");
        let (pushed, now) = push(Some(&state("l", 4, "x")), &compact, Rules::Heeded).unwrap();
        assert_eq!((pushed.serial, now), (4, compact));
    }

    #[test]
    fn what_terraform_refuses_is_refused() {
        let refused = |live: &str, pushed: &str| match push(Some(live), pushed, Rules::Heeded) {
            Err(Error::Refused { refusal, .. }) => refusal,
            other => panic!("{other:?}"),
        };
        let live = state("l", 4, "x");
        assert_eq!(refused(&live, &state("l", 4, "y")), Refusal::Diverged { serial: 4 });
        assert_eq!(refused(&live, &state("l", 3, "x")), Refusal::Older { live: 4, pushed: 3 });
        let other = Refusal::Lineage { live: "l".to_owned(), pushed: "m".to_owned() };
        assert_eq!(refused(&live, &state("m", 9, "y")), other);
    }

    #[test]
    fn force_overrules_and_yet_the_serial_never_goes_back() {
        let live = state("l", 9, "x");
        for pushed in [state("l", 9, "y"), state("l", 3, "y"), state("m", 3, "y")] {
            let (done, now) = push(Some(&live), &pushed, Rules::Overruled).unwrap();
            assert_eq!(done.serial, 10);
            assert!(now.contains("\"serial\": 10"), "{now}");
        }
    }

    #[test]
    fn where_there_is_no_state_it_comes_as_it_is() {
        let pushed = state("l", 7, "y");
        assert_eq!(push(None, &pushed, Rules::Heeded).unwrap().1, pushed);
    }

    #[test]
    fn an_empty_state_takes_any_and_so_does_one_without_a_lineage() {
        let empty = r#"{"version":4,"serial":5,"lineage":"other"}"#;
        let (pushed, _) = push(Some(empty), &state("l", 1, "y"), Rules::Heeded).unwrap();
        assert_eq!(pushed.serial, 6);
        push(Some(&state("", 5, "x")), &state("l", 1, "y"), Rules::Heeded).unwrap();
    }

    #[test]
    fn what_cannot_be_read_is_only_replaced_by_force() {
        let error = push(Some("<html>"), &state("l", 1, "y"), Rules::Heeded).unwrap_err();
        assert!(matches!(error, Error::Broken { .. }), "{error}");
        let (pushed, now) = push(Some("<html>"), &state("l", 1, "y"), Rules::Overruled).unwrap();
        assert_eq!((pushed.before, pushed.serial), (None, 1));
        assert_eq!(now, state("l", 1, "y"));
    }
}
