//! Removes what a policy no longer keeps.
//!
//! Whatever the policy says, these stay: the newest snapshot that is proved to be good, and the newest
//! such one of a state that could be parsed, what is held or may be, what was there before a change in
//! the last 30 days, what can't be trusted or read, what did not come at the time that it says where
//! others did, what a clock that was off would have go too early, and all that any of these may need.
//! A stream in which a later version wrote something, or of which nothing is good, is left alone.
//!
//! Removing takes two steps, so that a writer who is just building on a snapshot does not lose it:
//!
//! 1. A signed list in `gc/` names the objects. From then on no writer builds on them.
//! 2. A day later everything is looked at anew. What is still to go is deleted, what builds on
//!    something before that; `x/` says that it was removed on purpose; the list goes last.
//!
//! So there is no lock, and after a crash at any moment the next run goes on where it was. Two runs
//! at once remove only what both may.

mod survey;
mod sweep;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::{SignedDuration, Timestamp};

use self::survey::{LOST, MISSING, Node, Survey};
use super::catalogue::Catalogue;
use super::hold::Holds;
use super::retention::{self, Candidate, Policy, Reason};
use super::snapshot::time_of;
use super::tomb::{self, Of};
use super::{BEFORE_CHANGE, BEFORE_GUARDED, BROKEN, Error, Repository, Signer, Snapshot};

pub use sweep::{Denied, Swept};

/// What snapshots carry that lead back to before a change.
const WAYS_BACK: [&str; 2] = [BEFORE_CHANGE, BEFORE_GUARDED];

/// How long those stay.
const WAYS_BACK_STAY: SignedDuration = SignedDuration::from_hours(30 * 24);

/// What is to be kept, and when it is.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// What to keep.
    pub policy: &'a Policy,
    /// How long an object is named before it is deleted.
    pub grace: SignedDuration,
    /// The present.
    pub now: Timestamp,
    /// Whether what can't be restored goes too, and everything is read to find it.
    pub damaged: bool,
}

/// A repository as it is now, to decide what goes.
#[derive(Debug)]
pub struct Pruner<'a> {
    repository: &'a Repository,
    rules: Rules<'a>,
    catalogue: Catalogue,
    holds: Holds,
    /// What is in pending lists, and since when.
    marked: BTreeMap<String, Timestamp>,
    /// What an owner named since nobody can restore it.
    named_damaged: BTreeSet<String>,
}

/// What becomes of one stream.
#[derive(Clone, Debug)]
pub struct StreamPlan {
    /// The stream.
    pub name: String,
    /// Its snapshots, oldest first, with those that were encrypted anew at the end.
    pub verdicts: Vec<Verdict>,
    /// Why nothing of it is removed, whatever the policy says.
    pub left_alone: Option<&'static str>,
}

/// What becomes of one snapshot.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// The snapshot.
    pub snapshot: Snapshot,
    /// Why it is kept; without a reason it goes.
    pub reasons: Vec<&'static str>,
    /// Since when it is named as one that goes.
    pub marked: Option<Timestamp>,
    /// Whether it was encrypted anew since, so that it is another snapshot's old object.
    pub is_superseded: bool,
    /// Whether it is deleted in this run already.
    pub is_due: bool,
    /// Whether nobody can restore it.
    is_lost: bool,
    /// The key of the object that it builds on.
    parent: Option<String>,
    /// How many others it builds on.
    depth: usize,
    /// The beginning of the id of the one before it.
    previous: Option<String>,
}

impl Verdict {
    /// Returns in which list it is named if it goes.
    fn of(&self) -> Of {
        match (self.is_superseded, self.is_lost) {
            (true, _) => Of::Superseded,
            (false, true) => Of::Damaged,
            (false, false) => Of::Snapshots,
        }
    }

    /// Returns whether it stays.
    pub fn is_kept(&self) -> bool {
        !self.reasons.is_empty()
    }
}

impl StreamPlan {
    /// Keeps what does not go by an earlier plan as well: one answer of the place that is wrong,
    /// such as a listing that misses a hold, must not be enough to remove something.
    pub fn spare(&mut self, earlier: &[StreamPlan]) {
        let same = earlier.iter().filter(|plan| plan.name == self.name);
        let goes: BTreeSet<&str> =
            same.flat_map(Self::removed).map(|verdict| verdict.snapshot.key.as_str()).collect();
        for verdict in &mut self.verdicts {
            if !verdict.is_kept() && !goes.contains(verdict.snapshot.key.as_str()) {
                verdict.reasons.push("kept by an earlier look");
                verdict.is_due = false;
            }
        }
    }

    /// Returns what goes.
    pub fn removed(&self) -> impl Iterator<Item = &Verdict> {
        self.verdicts.iter().filter(|verdict| !verdict.is_kept())
    }

    /// Returns whether so much goes at once that somebody should look at it first.
    pub fn is_drastic(&self) -> bool {
        let new = self.removed().filter(|verdict| !verdict.is_superseded);
        let new = new.filter(|verdict| verdict.marked.is_none()).count();
        let all = self.verdicts.iter().filter(|verdict| !verdict.is_superseded).count();
        new > 10 && new * 2 > all
    }
}

impl<'a> Pruner<'a> {
    /// Lists what there is.
    pub fn new(repository: &'a Repository, rules: Rules<'a>) -> Result<Self, Error> {
        let (mut marked, mut named_damaged) = (BTreeMap::new(), BTreeSet::new());
        for (_, tomb) in tomb::all(&*repository.vault, tomb::PENDING, repository.owners())? {
            let Some(since) = time_of(&tomb.created) else { continue };
            if tomb.damaged {
                named_damaged.extend(tomb.snapshots.iter().cloned());
            }
            for key in tomb.snapshots {
                let known = marked.entry(key).or_insert(since);
                *known = since.min(*known);
            }
        }
        let (catalogue, holds) = (repository.catalogue()?, repository.holds()?);
        Ok(Self { repository, rules, catalogue, holds, marked, named_damaged })
    }

    /// Returns the names of all streams.
    pub fn streams(&self) -> Vec<String> {
        self.catalogue.streams().map(str::to_owned).collect()
    }

    /// Decides what becomes of one stream.
    pub fn plan(&self, stream: &str) -> Result<StreamPlan, Error> {
        let mut survey = Survey::of(self.repository, &self.catalogue, stream)?;
        let living = survey.nodes.iter().filter(|node| !node.is_superseded).count();
        let (mut good, mut readable) = (None, None);
        if survey.left_alone.is_none() {
            good = self.newest_good(&mut survey, living, |_| true)?;
            if good.is_none() {
                survey.left_alone = Some("none of its snapshots can be shown to be good");
            }
            let is_whole = |node: &Node| {
                let head = node.head.as_ref();
                head.is_some_and(|head| !head.header.tags.iter().any(|tag| tag == BROKEN))
            };
            // Mostly it is the same one, which was read to its end just now.
            readable = match good {
                Some(at) if !is_whole(&survey.nodes[at]) => {
                    self.newest_good(&mut survey, living, is_whole)?
                }
                same => same,
            };
        }
        if self.rules.damaged {
            for at in 0..survey.nodes.len() {
                survey.is_good(at, self.repository)?;
            }
        }
        let mut reasons = self.reasons(&survey, living, good);
        // What was named since it is damaged may only show that when it is read, if it was not yet.
        let is_named =
            |node: &Node| !self.rules.damaged && self.named_damaged.contains(&node.snapshot.key);
        let in_question: Vec<usize> = (0..living)
            .filter(|&at| is_named(&survey.nodes[at]) && !reasons[at].is_empty())
            .collect();
        if !in_question.is_empty() {
            for at in in_question {
                survey.is_good(at, self.repository)?;
            }
            reasons = self.reasons(&survey, living, good);
        }
        if let Some(at) = readable.filter(|_| readable != good) {
            reasons[at].push("newest of a state that could be parsed");
        }
        for (at, reasons) in reasons.iter_mut().enumerate().skip(living) {
            *reasons = self.superseded(&mut survey, at, living)?;
        }
        keep_needed(&survey, &mut reasons);
        Ok(self.stream_plan(stream, &survey, reasons))
    }

    /// Returns whether something was named long enough to be deleted now.
    pub fn has_due(&self) -> bool {
        let is_due = |since: &Timestamp| self.rules.now.duration_since(*since) >= self.rules.grace;
        self.marked.values().any(is_due)
    }

    fn newest_good(
        &self,
        survey: &mut Survey,
        living: usize,
        will_do: impl Fn(&Node) -> bool,
    ) -> Result<Option<usize>, Error> {
        for at in (0..living).rev() {
            let node = &survey.nodes[at];
            if node.doubt.is_none() && will_do(node) && survey.is_good(at, self.repository)? {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }

    /// Returns why each snapshot is kept for its own sake.
    fn reasons(
        &self,
        survey: &Survey,
        living: usize,
        good: Option<usize>,
    ) -> Vec<Vec<&'static str>> {
        let counts_as = count_as(survey, living);
        let counted: Vec<usize> =
            (0..living).filter(|&at| counts_as.get(&at) == Some(&at)).collect();
        let place = |at: usize| counted.binary_search(counts_as.get(&at)?).ok();
        let candidates: Vec<Candidate> = counted
            .iter()
            .map(|&at| {
                let node = &survey.nodes[at];
                let header = node.head.as_ref().map(|head| &head.header);
                Candidate {
                    time: node.snapshot.created,
                    is_in_order: node.snapshot.sequence > 0,
                    tags: header.map(|header| header.tags.clone()).unwrap_or_default(),
                    is_held: header.is_some_and(|h| self.holds.of(&h.snapshot.id).is_some()),
                    is_good: good.and_then(|good| counts_as.get(&good)) == Some(&at),
                    needs: survey.parents[at].and_then(place),
                }
            })
            .collect();
        let decided = retention::decide(&candidates, self.rules.policy, self.rules.now);
        let mut reasons = vec![Vec::new(); survey.nodes.len()];
        for ((&at, candidate), decided) in counted.iter().zip(&candidates).zip(decided) {
            reasons[at].extend(decided.into_iter().map(Reason::words));
            let is_young = self.rules.now.duration_since(candidate.time) < WAYS_BACK_STAY;
            if is_young && candidate.tags.iter().any(|tag| WAYS_BACK.contains(&tag.as_str())) {
                reasons[at].push("before a change of the last 30 days");
            }
        }
        for (&at, &one) in counts_as.iter().filter(|(at, one)| at != one) {
            let same = reasons[one].clone();
            reasons[at].extend(same);
        }
        for (at, node) in survey.nodes.iter().enumerate() {
            reasons[at].extend(self.doubt(node));
            // Of what can't be read, its name has the beginning of the id.
            let is_held = || self.holds.all().any(|(id, _)| id.starts_with(&node.snapshot.id));
            if node.doubt.is_some() && is_held() {
                reasons[at].push(Reason::Held.words());
            }
            if self.holds.is_doubted(&node.snapshot.id) {
                reasons[at].push("held, as far as can be told: a note on it is damaged");
            }
        }
        reasons
    }

    /// Returns why an object can't be relied on, if that is why it stays. What can't be restored is of
    /// no use to anybody once an owner asks for that, or named it for that; nor is what was named as
    /// one to go, and is left alone of what went.
    fn doubt(&self, node: &Node) -> Option<&'static str> {
        let key = &node.snapshot.key;
        let asked = self.rules.damaged || self.named_damaged.contains(key);
        let is_left = |doubt| doubt == MISSING && self.marked.contains_key(key);
        node.doubt.filter(|&doubt| !(is_left(doubt) || asked && LOST.contains(&doubt)))
    }

    /// Returns why the old object of a snapshot that was encrypted anew stays, if it does.
    fn superseded(
        &self,
        survey: &mut Survey,
        at: usize,
        living: usize,
    ) -> Result<Vec<&'static str>, Error> {
        let id = |at: usize| {
            let head = survey.nodes[at].head.as_ref();
            head.map(|head| head.header.snapshot.id.clone())
        };
        let (own, doubt) = (id(at), self.doubt(&survey.nodes[at]));
        let newer = (0..living).find(|&other| own.is_some() && id(other) == own);
        let Some(newer) = newer.filter(|_| doubt.is_none()) else {
            return Ok(vec![doubt.unwrap_or("nothing else holds it")]);
        };
        let is_good =
            survey.nodes[newer].doubt.is_none() && survey.is_good(newer, self.repository)?;
        Ok(if is_good { Vec::new() } else { vec!["what it was encrypted anew as is in doubt"] })
    }

    fn stream_plan(
        &self,
        stream: &str,
        survey: &Survey,
        reasons: Vec<Vec<&'static str>>,
    ) -> StreamPlan {
        let verdict = |(at, mut reasons): (usize, Vec<&'static str>)| {
            let node = &survey.nodes[at];
            if let Some(left_alone) = survey.left_alone.filter(|_| reasons.is_empty()) {
                reasons.push(left_alone);
            }
            let marked = self.marked.get(&node.snapshot.key).copied();
            let since = marked.unwrap_or(self.rules.now);
            let header = node.head.as_ref().map(|head| &head.header);
            let previous = header.and_then(|header| header.previous.as_ref());
            Verdict {
                snapshot: node.snapshot.clone(),
                is_due: reasons.is_empty()
                    && self.rules.now.duration_since(since) >= self.rules.grace,
                reasons,
                marked,
                is_superseded: node.is_superseded,
                is_lost: node.doubt.is_some_and(|doubt| LOST.contains(&doubt)),
                parent: survey.parents[at].map(|at| survey.nodes[at].snapshot.key.clone()),
                depth: survey.chain(at).len(),
                previous: previous.map(|link| link.id.get(..8).unwrap_or_default().to_owned()),
            }
        };
        let verdicts = reasons.into_iter().enumerate().map(verdict).collect();
        StreamPlan { name: stream.to_owned(), verdicts, left_alone: survey.left_alone }
    }

    /// Names what goes and is not yet named, and returns how much that is: snapshots in one list, in
    /// another the old objects of those that were encrypted anew, in a third what is damaged.
    ///
    /// # Errors
    ///
    /// [`Error::NotOwner`] if the signer is none: nobody would believe the list.
    pub fn mark(&self, plans: &[StreamPlan], signer: &Signer) -> Result<usize, Error> {
        self.repository.may_remove(signer)?;
        let mut count = 0;
        for of in [Of::Snapshots, Of::Superseded, Of::Damaged] {
            let new = plans.iter().flat_map(StreamPlan::removed);
            let new = new.filter(|verdict| verdict.marked.is_none() && verdict.of() == of);
            let keys: BTreeSet<String> = new.map(|verdict| verdict.snapshot.key.clone()).collect();
            if !keys.is_empty() {
                count += keys.len();
                let (vault, id) = (&*self.repository.vault, self.repository.id());
                let keys = (of, keys.into_iter().collect());
                tomb::write(vault, tomb::PENDING, id, keys, (signer, self.rules.now))?;
            }
        }
        Ok(count)
    }
}

impl Repository {
    /// Returns an error if nobody would believe what this key says of removals.
    pub fn may_remove(&self, signer: &Signer) -> Result<(), Error> {
        if self.owners().contains(&signer.public()) {
            return Ok(());
        }
        Err(Error::NotOwner { place: self.name(), key: signer.public() })
    }
}

/// Returns of each living object that can be relied on which one it counts as: mostly itself. Where two
/// encrypted a snapshot anew at once, there are two objects of it, and one of them counts for both. Only
/// an owner can do that; what a writer puts beside a snapshot must not stand in for it.
fn count_as(survey: &Survey, living: usize) -> BTreeMap<usize, usize> {
    let named = |at: usize| {
        let Node { snapshot, head, doubt: None, .. } = &survey.nodes[at] else { return None };
        let header = &head.as_ref()?.header;
        // By an owner, or for itself alone.
        let alone = (header.generation == 0).then_some(at);
        Some((snapshot.name(), &header.snapshot.id, alone))
    };
    let last: HashMap<_, usize> = (0..living).filter_map(|at| Some((named(at)?, at))).collect();
    (0..living).filter_map(|at| Some((at, *last.get(&named(at)?)?))).collect()
}

/// Keeps all that something kept may need.
fn keep_needed(survey: &Survey, reasons: &mut [Vec<&'static str>]) {
    let mut open: Vec<usize> = (0..reasons.len()).filter(|&at| !reasons[at].is_empty()).collect();
    while let Some(at) = open.pop() {
        for needed in survey.may_need(at) {
            if reasons[needed].is_empty() {
                reasons[needed].push(Reason::Needed.words());
                open.push(needed);
            }
        }
    }
}
