//! Which snapshots a policy keeps. Pure: times in, decisions out.
//!
//! The rules are restic's where the two agree, applied to each state on its own:
//!
//! - Snapshots are looked at from the newest to the oldest. `keep-last n` keeps the n newest.
//! - `keep-hourly n` keeps the newest of each of the n newest hours that have one; likewise days,
//!   ISO weeks, months and years. An hour without a snapshot does not count. The buckets are those of
//!   one time zone, UTC unless another is chosen, so that a change to summer time moves no boundary.
//! - Where a bucket rule has not yet used up its number at the oldest snapshot, it keeps that too, so
//!   that a young repository does not lose its beginning.
//! - `keep-within d` keeps all that are at most d older than the newest one. The span is taken off
//!   the calendar in the same time zone.
//! - `keep-tag t` keeps what carries the tag; what is held is always kept.
//! - The rules are independent: what any of them keeps is kept.
//!
//! Beyond the policy, and whatever it says, these are kept:
//!
//! - the newest snapshot, and the newest that is known to be good;
//! - every snapshot that something kept needs in order to be restored;
//! - what claims to be from the future, which uses up no bucket;
//! - what says a time more than six hours before that of one that was made earlier: a clock was off, so
//!   that by its time it may go although it is among the newest. It stays as long as the rules keep the
//!   one of the latest time that was made before it.
//!
//! A policy that says nothing keeps everything.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp, ToSpan, Zoned};

/// How many of what to keep.
#[derive(Clone, Debug)]
pub struct Policy {
    /// How many of the newest.
    pub last: u32,
    /// From how many hours the newest.
    pub hourly: u32,
    /// From how many days the newest.
    pub daily: u32,
    /// From how many ISO weeks the newest.
    pub weekly: u32,
    /// From how many months the newest.
    pub monthly: u32,
    /// From how many years the newest.
    pub yearly: u32,
    /// All that are at most so much older than the newest.
    pub within: Option<Span>,
    /// All that carry one of these tags.
    pub tags: Vec<String>,
    /// Where an hour and a day begin.
    pub zone: TimeZone,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            last: 0,
            hourly: 0,
            daily: 0,
            weekly: 0,
            monthly: 0,
            yearly: 0,
            within: None,
            tags: Vec::new(),
            zone: TimeZone::UTC,
        }
    }
}

/// What retention looks at in a snapshot.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// When it was made, by its signed header.
    pub time: Timestamp,
    /// Whether it was made after those before it in the list; of what was added although later ones
    /// were there, only its time says when it was so.
    pub is_in_order: bool,
    /// Its tags.
    pub tags: Vec<String>,
    /// Whether somebody holds it.
    pub is_held: bool,
    /// Whether it is known that it can be restored.
    pub is_good: bool,
    /// The place in the list of the snapshot that it needs, where it does not stand alone.
    pub needs: Option<usize>,
}

/// Why a snapshot is kept.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Reason {
    /// `keep-last`.
    Last,
    /// `keep-hourly`.
    Hourly,
    /// `keep-daily`.
    Daily,
    /// `keep-weekly`.
    Weekly,
    /// `keep-monthly`.
    Monthly,
    /// `keep-yearly`.
    Yearly,
    /// `keep-within`.
    Within,
    /// `keep-tag`.
    Tag,
    /// Somebody holds it.
    Held,
    /// It is the newest.
    Newest,
    /// It is the newest that is known to be good.
    NewestGood,
    /// Something kept can't be restored without it.
    Needed,
    /// Its time is in the future.
    Future,
    /// It says an earlier time than one that was made before it, which is kept.
    Clock,
    /// The policy says nothing.
    NoPolicy,
}

impl Reason {
    /// Returns the reason in words, for a line each.
    pub fn words(self) -> &'static str {
        match self {
            Self::Last => "last",
            Self::Hourly => "hourly",
            Self::Daily => "daily",
            Self::Weekly => "weekly",
            Self::Monthly => "monthly",
            Self::Yearly => "yearly",
            Self::Within => "within",
            Self::Tag => "tag",
            Self::Held => "held",
            Self::Newest => "newest",
            Self::NewestGood => "newest that is intact",
            Self::Needed => "needed by one that is kept",
            Self::Future => "from the future",
            Self::Clock => "clock was off: as the one before it",
            Self::NoPolicy => "no policy",
        }
    }
}

impl Policy {
    /// Returns whether the policy says nothing.
    pub fn is_silent(&self) -> bool {
        let counts = [self.last, self.hourly, self.daily, self.weekly, self.monthly, self.yearly];
        counts.iter().all(|&count| count == 0) && self.within.is_none() && self.tags.is_empty()
    }
}

/// A bucket of a rule: what all times in it have in common.
type Bucket = (i64, i64, i64, i64);

/// A rule that keeps the newest of each bucket.
struct Buckets {
    reason: Reason,
    left: u32,
    last: Option<Bucket>,
    of: fn(&Zoned) -> Bucket,
}

fn rules(policy: &Policy) -> [Buckets; 5] {
    let rule = |reason, left, of| Buckets { reason, left, last: None, of };
    [
        rule(Reason::Hourly, policy.hourly, |t| {
            // Two hours with one name, when clocks go back, are told apart by their offset.
            let (year, day) = day(t);
            (year, day, t.hour().into(), t.offset().seconds().into())
        }),
        rule(Reason::Daily, policy.daily, |t| {
            let (year, day) = day(t);
            (year, day, 0, 0)
        }),
        rule(Reason::Weekly, policy.weekly, |t| {
            let week = t.date().iso_week_date();
            (week.year().into(), week.week().into(), 0, 0)
        }),
        rule(Reason::Monthly, policy.monthly, |t| (t.year().into(), t.month().into(), 0, 0)),
        rule(Reason::Yearly, policy.yearly, |t| (t.year().into(), 0, 0, 0)),
    ]
}

fn day(time: &Zoned) -> (i64, i64) {
    (time.year().into(), time.day_of_year().into())
}

/// Decides of each snapshot of one state why it is kept; what has no reason may be removed.
///
/// The snapshots come in the order in which they were made, the oldest first; `now` tells which are
/// from the future.
pub fn decide(snapshots: &[Candidate], policy: &Policy, now: Timestamp) -> Vec<BTreeSet<Reason>> {
    let mut reasons = vec![BTreeSet::new(); snapshots.len()];
    let mut order: Vec<usize> = (0..snapshots.len()).collect();
    // Of two at one time the later in the list is the newer.
    order.sort_by_key(|&at| std::cmp::Reverse((snapshots[at].time, at)));
    if let Some(&newest) = order.first() {
        reasons[newest].insert(Reason::Newest);
    }
    if let Some(&good) = order.iter().find(|&&at| snapshots[at].is_good) {
        reasons[good].insert(Reason::NewestGood);
    }
    for &at in &order {
        let snapshot = &snapshots[at];
        if snapshot.is_held {
            reasons[at].insert(Reason::Held);
        }
        if snapshot.tags.iter().any(|tag| policy.tags.contains(tag)) {
            reasons[at].insert(Reason::Tag);
        }
        if snapshot.time > now {
            reasons[at].insert(Reason::Future);
        }
        if policy.is_silent() {
            reasons[at].insert(Reason::NoPolicy);
        }
    }
    order.retain(|&at| snapshots[at].time <= now);
    if let Some(&newest) = order.first() {
        reasons[newest].insert(Reason::Newest);
    }
    keep_by_rules(snapshots, policy, &order, &mut reasons);
    keep_out_of_time(snapshots, now, &mut reasons);
    keep_needed(snapshots, &mut reasons);
    reasons
}

fn keep_by_rules(
    snapshots: &[Candidate],
    policy: &Policy,
    order: &[usize],
    reasons: &mut [BTreeSet<Reason>],
) {
    let zoned = |at: usize| snapshots[at].time.to_zoned(policy.zone.clone());
    let mut rules = rules(policy);
    // Where the calendar can't go back that far, everything is within.
    let within = policy.within.and_then(|span| {
        let newest = zoned(*order.first()?);
        Some(newest.checked_sub(span).map_or(Timestamp::MIN, |time| time.timestamp()))
    });
    for (place, &at) in order.iter().enumerate() {
        if place < policy.last as usize {
            reasons[at].insert(Reason::Last);
        }
        if within.is_some_and(|start| snapshots[at].time >= start) {
            reasons[at].insert(Reason::Within);
        }
        let time = zoned(at);
        let is_oldest = place + 1 == order.len();
        for rule in &mut rules {
            let bucket = (rule.of)(&time);
            if rule.left > 0 && (rule.last != Some(bucket) || is_oldest) {
                rule.left -= 1;
                rule.last = Some(bucket);
                reasons[at].insert(rule.reason);
            }
        }
    }
}

/// How far the clocks of computers may be apart: what they make of one state is not in doubt by that.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_hours(6);

/// Returns of each time, in the order in which they were noted, the place of the latest one before it
/// where that is so much later that a clock was off.
pub fn clocks_off(times: impl IntoIterator<Item = Timestamp>) -> Vec<Option<usize>> {
    let mut latest: Option<(usize, Timestamp)> = None;
    let shown_by = |(at, time): (usize, Timestamp)| {
        if latest.is_none_or(|(_, latest)| latest <= time) {
            latest = Some((at, time));
        }
        let is_off = |(_, latest): &(usize, Timestamp)| latest.duration_since(time) > CLOCKS_DIFFER;
        latest.filter(is_off).map(|(at, _)| at)
    };
    times.into_iter().enumerate().map(shown_by).collect()
}

/// Keeps what says an earlier time than one that was made before it as long as that one.
fn keep_out_of_time(snapshots: &[Candidate], now: Timestamp, reasons: &mut [BTreeSet<Reason>]) {
    let is_comparable = |at: &usize| snapshots[*at].is_in_order && snapshots[*at].time <= now;
    let comparable: Vec<usize> = (0..snapshots.len()).filter(is_comparable).collect();
    let off = clocks_off(comparable.iter().map(|&at| snapshots[at].time));
    for (&at, latest) in comparable.iter().zip(off) {
        if latest.is_some_and(|latest| !reasons[comparable[latest]].is_empty()) {
            reasons[at].insert(Reason::Clock);
        }
    }
}

fn keep_needed(snapshots: &[Candidate], reasons: &mut [BTreeSet<Reason>]) {
    for at in 0..snapshots.len() {
        let mut next = if reasons[at].is_empty() { None } else { snapshots[at].needs };
        // What is kept has had its own chain followed, or will have; a ring ends here too.
        while let Some(needed) = next.filter(|&needed| needed < snapshots.len()) {
            if !reasons[needed].insert(Reason::Needed) {
                break;
            }
            next = snapshots[needed].needs;
        }
    }
}

/// Reads a span such as `30d`, `6mo` or `1y 6mo`.
///
/// # Errors
///
/// A text that is none, or a span that goes back in time.
pub fn span(text: &str) -> Result<Span, &'static str> {
    let span: Span =
        text.parse().map_err(|_| "give spans as in `36h`, `30d`, `6mo` or `1y 6mo`")?;
    if span.is_negative() || span == 0.seconds().fieldwise() {
        return Err("a span must be longer than nothing");
    }
    Ok(span)
}

#[cfg(test)]
mod tests;
