//! What a restore into a live place would do, and what is against it.

use super::{Error, Past, only};
use crate::diff::{self, Comparison, Noise};
use crate::ops::session::{Live, Rules};
use crate::query::filter::Filter;
use crate::state::document::Document;
use crate::state::header::{with_history, with_serial};
use crate::state::parse::{ParseError, is_field};
use crate::state::sensitive::Reveal;
use crate::state::value::Value;

/// How to restore.
#[derive(Clone, Copy, Debug)]
pub struct PlanOptions<'a> {
    /// Whether another lineage, or something that is no state, may be replaced.
    pub rules: Rules,
    /// What alone is to be put back; everything where there is none.
    pub only: Option<&'a Filter>,
    /// Whether the difference may show secrets.
    pub reveal: Reveal,
}

/// Which rule is against a restore.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The two have no common history.
    #[error("it has the lineage {live}, what is to be restored has {past}")]
    Lineage {
        /// The lineage that is there.
        live: String,
        /// The lineage of what is to be restored.
        past: String,
    },
    /// A part is to be put back where there is nothing to put it into.
    #[error("there is no state to put a part back into")]
    NoState,
    /// There is no serial above those of both.
    #[error("there is no serial above {0}")]
    Serial(u64),
}

/// What a restore would do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What would be written.
    pub(super) bytes: Vec<u8>,
    /// Whether that says anything else than what is there, besides the serial.
    pub is_needed: bool,
    /// The serial that is there, if a state is.
    pub before: Option<u64>,
    /// The serial that would be there; nothing where it can't be read.
    pub after: Option<u64>,
    /// What it would change; nothing where that can't be read.
    pub comparison: Option<Comparison>,
    /// What instances depend on that a part leaves out.
    pub missing: Vec<only::Missing>,
}

impl Plan {
    /// Decides what is to be written, and finds out what that changes.
    pub(super) fn new(
        what: &str,
        live: &Live,
        past: &Past,
        options: PlanOptions<'_>,
    ) -> Result<Self, Error> {
        let refused = |refusal| Error::Refused { what: what.to_owned(), refusal };
        match live {
            Live::Broken(_, source) if options.rules == Rules::Heeded => {
                Err(Error::Broken { what: what.to_owned(), source: Box::new(source.clone()) })
            }
            Live::Nothing | Live::Broken(..) if options.only.is_some() => {
                Err(refused(Refusal::NoState))
            }
            Live::Nothing if is_encrypted(past) => Ok(Self::unread(past)),
            Live::Nothing | Live::Broken(..) => {
                let state = readable(what, past)?;
                Ok(Self::fresh(state, options.reveal))
            }
            Live::State(live) => {
                let state = readable(what, past)?;
                if let Some(refusal) = against(live, state, options.rules) {
                    return Err(refused(refusal));
                }
                let highest = live.serial().max(state.serial());
                let serial =
                    highest.checked_add(1).ok_or_else(|| refused(Refusal::Serial(highest)))?;
                let in_part = |source| Error::Part { what: what.to_owned(), source };
                match options.only {
                    None => Ok(Self::whole((live, state), serial, options.reveal)),
                    Some(filter) => {
                        Self::part((live, state), serial, (filter, options.reveal)).map_err(in_part)
                    }
                }
            }
        }
    }

    /// Where no state is, it comes as it was.
    fn fresh(past: &Document, reveal: Reveal) -> Self {
        let comparison = Document::parse(EMPTY).ok().map(|empty| {
            let comparison = compare(&empty, past, reveal);
            // What is not there has neither a serial nor a lineage that could differ.
            Comparison { from: comparison.to.clone(), ..comparison }
        });
        Self {
            bytes: past.bytes().to_vec(),
            is_needed: true,
            before: None,
            after: Some(past.serial()),
            comparison,
            missing: Vec::new(),
        }
    }

    fn unread(past: &Past) -> Self {
        Self {
            bytes: past.bytes.to_vec(),
            is_needed: true,
            before: None,
            after: None,
            comparison: None,
            missing: Vec::new(),
        }
    }

    fn whole((live, past): (&Document, &Document), serial: u64, reveal: Reveal) -> Self {
        let lineage = if live.lineage().is_empty() { past.lineage() } else { live.lineage() };
        let bytes = with_history(past, serial, lineage);
        Self::over(live, (past, bytes, serial), reveal)
    }

    fn part(
        (live, past): (&Document, &Document),
        serial: u64,
        (filter, reveal): (&Filter, Reveal),
    ) -> Result<Self, only::Error> {
        let bytes = only::put_back(live, past, filter)?;
        let after = Document::parse(bytes).map_err(|_| only::Error::Unsound)?;
        let missing = only::missing(live, past, &after);
        let bytes = with_serial(&after, serial);
        Ok(Self { missing, ..Self::over(live, (&after, bytes, serial), reveal) })
    }

    /// Makes a plan of the text to be written over a state, and of a state that says the same.
    fn over(
        live: &Document,
        (after, bytes, serial): (&Document, Vec<u8>, u64),
        reveal: Reveal,
    ) -> Self {
        let mut comparison = compare(live, after, reveal);
        comparison.to.serial = serial;
        if !live.lineage().is_empty() {
            comparison.to.lineage.clone_from(&comparison.from.lineage);
        }
        let is_needed = !comparison.is_empty() || !is_same(live.bytes(), &bytes);
        Self {
            bytes,
            is_needed,
            before: Some(live.serial()),
            after: Some(serial),
            comparison: Some(comparison),
            missing: Vec::new(),
        }
    }
}

const EMPTY: &[u8] = br#"{"version":4}"#;

/// Everything is told that is written: what a refresh changes comes back too.
fn compare(from: &Document, to: &Document, reveal: Reveal) -> Comparison {
    let options = diff::Options { reveal, noise: Noise::Shown, ..diff::Options::default() };
    diff::compare(from, to, &options)
}

fn readable<'a>(what: &str, past: &'a Past) -> Result<&'a Document, Error> {
    past.state.as_ref().map_err(|source| Error::Unreadable {
        past: past.name.clone(),
        what: what.to_owned(),
        source: Box::new(source.clone()),
    })
}

fn is_encrypted(past: &Past) -> bool {
    matches!(past.state, Err(ParseError::Encrypted { .. }))
}

fn against(live: &Document, past: &Document, rules: Rules) -> Option<Refusal> {
    let (live, past) = (live.lineage(), past.lineage());
    let differ = live != past && !live.is_empty() && !past.is_empty();
    (differ && rules == Rules::Heeded)
        .then(|| Refusal::Lineage { live: live.to_owned(), past: past.to_owned() })
}

/// Returns whether two texts say the same but for the serial.
fn is_same(a: &[u8], b: &[u8]) -> bool {
    matches!((without_serial(a), without_serial(b)), (Some(a), Some(b)) if a.same(&b))
}

fn without_serial(bytes: &[u8]) -> Option<Value<'_>> {
    let Ok(Value::Object(mut members)) = Value::parse_lossy(bytes) else { return None };
    members.retain(|(key, _)| !is_field(key, "serial"));
    Some(Value::Object(members))
}
