use proptest::prelude::*;

use super::*;

fn at(time: &str) -> Candidate {
    let time = time.parse().unwrap();
    let (tags, needs) = (Vec::new(), None);
    Candidate { time, is_in_order: true, tags, is_held: false, is_good: false, needs }
}

fn now() -> Timestamp {
    "2026-11-21T12:00:00Z".parse().unwrap()
}

/// Returns the places that are kept, for a reason besides being the newest.
fn kept(snapshots: &[Candidate], policy: &Policy) -> Vec<usize> {
    let beside = |reasons: &BTreeSet<Reason>| {
        reasons.iter().any(|reason| !matches!(reason, Reason::Newest | Reason::NewestGood))
    };
    let decided = decide(snapshots, policy, now());
    decided.iter().enumerate().filter(|(_, r)| beside(r)).map(|(at, _)| at).collect()
}

#[test]
fn the_newest_of_each_day_is_kept() {
    let snapshots = [
        "2026-11-18T01:00:00Z",
        "2026-11-18T23:00:00Z",
        "2026-11-19T05:00:00Z",
        "2026-11-20T05:00:00Z",
    ];
    let snapshots: Vec<Candidate> = snapshots.iter().map(|time| at(time)).collect();
    assert_eq!(kept(&snapshots, &Policy { daily: 2, ..Policy::default() }), [2, 3]);
    assert_eq!(kept(&snapshots, &Policy { daily: 3, ..Policy::default() }), [1, 2, 3]);
}

#[test]
fn a_rule_with_a_number_left_keeps_the_oldest_too() {
    let snapshots = [at("2026-11-18T01:00:00Z"), at("2026-11-18T23:00:00Z")];
    assert_eq!(kept(&snapshots, &Policy { monthly: 1, ..Policy::default() }), [1]);
    assert_eq!(kept(&snapshots, &Policy { monthly: 2, ..Policy::default() }), [0, 1]);
}

#[test]
fn what_is_of_this_moment_is_of_no_later_time() {
    let snapshots = [at("2026-11-21T12:00:00Z"), at("2026-11-21T12:00:01Z")];
    let decided = decide(&snapshots, &Policy { last: 1, ..Policy::default() }, now());
    let is_future: Vec<bool> = decided.iter().map(|r| r.contains(&Reason::Future)).collect();
    assert_eq!(is_future, [false, true]);
}

#[test]
fn what_needs_one_that_there_is_not_keeps_nothing_by_that() {
    let needs = Some(2);
    let snapshots = [at("2026-11-18T01:00:00Z"), Candidate { needs, ..at("2026-11-19T01:00:00Z") }];
    assert_eq!(kept(&snapshots, &Policy { last: 1, ..Policy::default() }), [1]);
}

#[test]
fn weeks_are_iso_weeks_across_the_turn_of_the_year() {
    // 2026-01-01 is a Thursday: 29 December is in the same week, 28 December is not.
    let snapshots = [
        at("2025-12-27T00:00:00Z"),
        at("2025-12-28T00:00:00Z"),
        at("2025-12-29T00:00:00Z"),
        at("2026-01-01T00:00:00Z"),
    ];
    assert_eq!(kept(&snapshots, &Policy { weekly: 2, ..Policy::default() }), [1, 3]);
}

#[test]
fn the_hour_that_clocks_repeat_counts_twice() {
    let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
    let snapshots =
        [at("2026-10-24T22:00:00Z"), at("2026-10-25T00:30:00Z"), at("2026-10-25T01:30:00Z")];
    assert_eq!(kept(&snapshots, &Policy { hourly: 2, zone, ..Policy::default() }), [1, 2]);
}

#[test]
fn within_counts_back_from_the_newest() {
    let snapshots =
        [at("2026-09-30T00:00:00Z"), at("2026-10-01T00:00:00Z"), at("2026-11-01T00:00:00Z")];
    let within = Some(span("1mo").unwrap());
    assert_eq!(kept(&snapshots, &Policy { within, ..Policy::default() }), [1, 2]);
}

#[test]
fn tags_and_holds_keep_whatever_the_rules_say() {
    let tagged = Candidate { tags: vec!["release".to_owned()], ..at("2020-01-01T00:00:00Z") };
    let held = Candidate { is_held: true, ..at("2019-01-01T00:00:00Z") };
    let snapshots = [held, tagged, at("2021-01-01T00:00:00Z"), at("2026-01-01T00:00:00Z")];
    let policy = Policy { last: 1, tags: vec!["release".to_owned()], ..Policy::default() };
    assert_eq!(kept(&snapshots, &policy), [0, 1, 3]);
}

#[test]
fn what_something_kept_needs_is_kept_down_to_its_base() {
    let chained = |time, needs| Candidate { needs: Some(needs), ..at(time) };
    let snapshots = [
        at("2026-11-01T00:00:00Z"),
        chained("2026-11-02T00:00:00Z", 0),
        chained("2026-11-03T00:00:00Z", 1),
        at("2026-11-04T00:00:00Z"),
        chained("2026-11-05T00:00:00Z", 2),
    ];
    assert_eq!(kept(&snapshots, &Policy { last: 1, ..Policy::default() }), [0, 1, 2, 4]);
}

#[test]
fn the_newest_good_one_is_kept_even_where_newer_ones_are_in_doubt() {
    let good = Candidate { is_good: true, ..at("2026-11-01T00:00:00Z") };
    let snapshots = [good, at("2026-11-02T00:00:00Z"), at("2026-11-03T00:00:00Z")];
    let decided = decide(&snapshots, &Policy { last: 1, ..Policy::default() }, now());
    assert!(decided[0].contains(&Reason::NewestGood) && decided[1].is_empty());
}

#[test]
fn a_forged_future_cannot_push_anything_out() {
    let snapshots =
        [at("2026-11-20T00:00:00Z"), at("2999-01-01T00:00:00Z"), at("2999-01-02T00:00:00Z")];
    assert_eq!(kept(&snapshots, &Policy { last: 1, ..Policy::default() }), [0, 1, 2]);
}

#[test]
fn what_a_clock_put_into_the_past_stays_as_long_as_the_one_before_it() {
    let snapshots: Vec<Candidate> = [
        "2026-11-01T00:00:00Z",
        "2026-11-18T00:00:00Z",
        // The clock began anew.
        "1970-01-01T00:00:00Z",
        "1970-01-02T00:00:00Z",
        "2026-11-19T06:00:00Z",
        // No more than clocks differ by.
        "2026-11-19T00:10:00Z",
        "2026-11-20T00:00:00Z",
    ]
    .map(at)
    .to_vec();
    assert_eq!(kept(&snapshots, &Policy { daily: 3, ..Policy::default() }), [1, 2, 3, 4, 6]);
    assert_eq!(kept(&snapshots, &Policy { daily: 2, ..Policy::default() }), [4, 6]);
}

#[test]
fn what_was_added_although_later_ones_were_there_puts_none_out_of_order() {
    let added = |time| Candidate { is_in_order: false, ..at(time) };
    let snapshots = [
        added("2026-11-18T00:00:00Z"),
        at("2026-11-01T00:00:00Z"),
        added("2026-10-01T00:00:00Z"),
        at("2026-11-20T00:00:00Z"),
    ];
    assert_eq!(kept(&snapshots, &Policy { last: 2, ..Policy::default() }), [0, 3]);
}

#[test]
fn a_clock_that_was_ahead_of_the_others_costs_none_of_what_came_after() {
    let snapshots =
        ["2026-06-01T00:00:00Z", "2026-11-01T00:00:00Z", "2026-06-02T00:00:00Z"].map(at);
    assert_eq!(kept(&snapshots, &Policy { last: 1, ..Policy::default() }), [1, 2]);
}

#[test]
fn a_policy_that_says_nothing_removes_nothing() {
    let snapshots = [at("2026-11-18T00:00:00Z"), at("2026-11-19T00:00:00Z")];
    assert_eq!(kept(&snapshots, &Policy::default()), [0, 1]);
}

#[test]
fn spans_are_read_and_nonsense_is_refused() {
    for text in ["36h", "30d", "6mo", "1y 6mo", "2w"] {
        span(text).unwrap();
    }
    for text in ["", "soon", "-3d", "0d", "30"] {
        assert!(span(text).is_err(), "{text}");
    }
}

/// The rules once more, as sentences about sets instead of a walk.
fn oracle(snapshots: &[Candidate], policy: &Policy) -> BTreeSet<usize> {
    let mut order: Vec<usize> = (0..snapshots.len()).collect();
    order.sort_by_key(|&at| (snapshots[at].time, at));
    order.reverse();
    let mut kept: BTreeSet<usize> =
        order.iter().take(policy.last.max(1) as usize).copied().collect();
    let formats = [
        ("%Y-%j-%H%z", policy.hourly),
        ("%Y-%j", policy.daily),
        ("%G-%V", policy.weekly),
        ("%Y-%m", policy.monthly),
        ("%Y", policy.yearly),
    ];
    for (format, count) in formats {
        let name = |at: usize| {
            snapshots[at].time.to_zoned(policy.zone.clone()).strftime(format).to_string()
        };
        let mut seen: Vec<String> = Vec::new();
        for &at in &order {
            if !seen.contains(&name(at)) {
                seen.push(name(at));
                if seen.len() <= count as usize {
                    kept.insert(at);
                }
            }
        }
        if let Some((&oldest, newer)) = order.split_last() {
            let before: BTreeSet<String> = newer.iter().map(|&at| name(at)).collect();
            if (before.len() as u64) < u64::from(count) {
                kept.insert(oldest);
            }
        }
    }
    kept
}

proptest! {
    // As many as PROPTEST_CASES asks for, where that is more.
    #![proptest_config(ProptestConfig {
        cases: ProptestConfig::default().cases.max(4000),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_walk_keeps_what_the_sentences_say(
        mut hours in proptest::collection::vec(0_i64..60_000, 0..40),
        is_in_order in any::<bool>(),
        counts in proptest::array::uniform6(0_u32..6),
        zone in 0_usize..3,
    ) {
        let [last, hourly, daily, weekly, monthly, yearly] = counts;
        let zone = match zone {
            0 => TimeZone::UTC,
            1 => TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap(),
            _ => TimeZone::posix("<+1245>-12:45<+1345>,M9.5.0/2:45,M4.1.0/3:45").unwrap(),
        };
        let policy = Policy { last, hourly, daily, weekly, monthly, yearly, zone, ..Policy::default() };
        prop_assume!(!policy.is_silent());
        if is_in_order {
            hours.sort_unstable();
        }
        // Half hours, so that zones with odd offsets differ.
        let start: Timestamp = "2020-01-01T00:00:00Z".parse().unwrap();
        let snapshots: Vec<Candidate> = hours
            .iter()
            .map(|half| Candidate {
                time: start + jiff::SignedDuration::from_mins(half * 30 + 7),
                ..at("2020-01-01T00:00:00Z")
            })
            .collect();
        let decided = decide(&snapshots, &policy, now());
        let walked: BTreeSet<usize> = (0..decided.len()).filter(|&at| !decided[at].is_empty()).collect();
        let said = oracle(&snapshots, &policy);
        if is_in_order {
            prop_assert_eq!(walked, said);
        } else {
            // What is out of order stays beside what the rules keep, and takes the place of none.
            prop_assert!(walked.is_superset(&said));
            let only_by_clock = |at: &usize| decided[*at] == BTreeSet::from([Reason::Clock]);
            prop_assert!(walked.difference(&said).all(only_by_clock));
        }
    }
}
