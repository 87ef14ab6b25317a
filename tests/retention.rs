//! Retention keeps what `restic forget` keeps, on the same times by the same rules.
//!
//! Differences that are meant, and taken out here: the newest snapshot always stays, and so does what
//! claims to be from the future. restic counts hours and days in the offset that is stored in each
//! snapshot, so it runs with `TZ=UTC`. And restic 0.14 drops the oldest where a rule has a number
//! left, which later versions keep, and we do: that one may be kept by us alone.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};

use jiff::Timestamp;
use tfstate::backup::retention::{Candidate, Policy, Reason, decide, span};

/// Runs restic on a repository of its own.
fn restic(folder: &Path, args: &[&str]) -> Option<Output> {
    let mut command = Command::new("restic");
    command
        .args(["--no-cache", "--quiet", "--repo"])
        .arg(folder.join("repo"))
        .args(args)
        .env("RESTIC_PASSWORD", "test")
        .env("TZ", "UTC")
        .current_dir(folder);
    command.output().ok()
}

/// Numbers that look random and are the same in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// Returns the times of a timeline, oldest first, no two alike.
fn timeline(numbers: &mut Numbers) -> Vec<i64> {
    // Around the turn of a year with 53 ISO weeks, and a leap day.
    let begins = [1_609_372_800, 1_709_078_400, 1_767_052_800];
    let begin = begins[usize::try_from(numbers.below(3)).unwrap()];
    let gaps = [600, 5 * 3600, 3 * 86_400, 40 * 86_400];
    let gap = gaps[usize::try_from(numbers.below(4)).unwrap()];
    let mut time = begin + i64::try_from(numbers.below(86_400)).unwrap();
    let steps = (0..4 + numbers.below(6)).map(|_| {
        time += 1 + i64::try_from(numbers.below(gap)).unwrap();
        time
    });
    steps.collect()
}

/// Returns a policy, and the options of restic that say the same.
fn policy(numbers: &mut Numbers) -> (Policy, Vec<String>) {
    let mut policy = Policy::default();
    let rules: [(&str, &mut u32); 6] = [
        ("last", &mut policy.last),
        ("hourly", &mut policy.hourly),
        ("daily", &mut policy.daily),
        ("weekly", &mut policy.weekly),
        ("monthly", &mut policy.monthly),
        ("yearly", &mut policy.yearly),
    ];
    let mut options = Vec::new();
    for (name, count) in rules {
        if numbers.below(3) == 0 {
            *count = 1 + u32::try_from(numbers.below(4)).unwrap();
            options.extend([format!("--keep-{name}"), count.to_string()]);
        }
    }
    if numbers.below(3) == 0 || options.is_empty() {
        let days = 1 + numbers.below(40);
        policy.within = Some(span(&format!("{days}d")).unwrap());
        options.extend(["--keep-within".to_owned(), format!("{days}d")]);
    }
    (policy, options)
}

/// Returns the times that restic keeps.
fn kept_by_restic(folder: &Path, options: &[String]) -> BTreeSet<i64> {
    let fixed = ["forget", "--dry-run", "--json", "--group-by", ""];
    let args: Vec<&str> = fixed.into_iter().chain(options.iter().map(String::as_str)).collect();
    let told = restic(folder, &args).unwrap();
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    let told: serde_json::Value = serde_json::from_slice(&told.stdout).unwrap();
    let kept = told[0]["keep"].as_array().unwrap().iter();
    kept.map(|snapshot| {
        let time: Timestamp = snapshot["time"].as_str().unwrap().parse().unwrap();
        time.as_second()
    })
    .collect()
}

/// Returns the times that we keep by the policy.
fn kept(times: &[i64], policy: &Policy) -> BTreeSet<i64> {
    let candidate = |&time: &i64| Candidate {
        time: Timestamp::from_second(time).unwrap(),
        // Restic knows of no order but that of the times.
        is_in_order: false,
        tags: Vec::new(),
        is_held: false,
        is_good: false,
        needs: None,
    };
    let snapshots: Vec<Candidate> = times.iter().map(candidate).collect();
    let decided = decide(&snapshots, policy, Timestamp::from_second(4_000_000_000).unwrap());
    let by_policy = |reasons: &BTreeSet<Reason>| reasons.iter().any(|r| *r != Reason::Newest);
    times.iter().zip(decided).filter(|(_, reasons)| by_policy(reasons)).map(|(t, _)| *t).collect()
}

#[test]
fn what_restic_keeps_is_kept_and_nothing_else() {
    let found = Command::new("restic").arg("version").output();
    if !found.is_ok_and(|found| found.status.success()) {
        eprintln!("not compared: there is no restic on the PATH");
        return;
    }
    let mut numbers = Numbers(7);
    let mut compared = 0;
    for _ in 0..6 {
        let folder = tempfile::tempdir().unwrap();
        let times = timeline(&mut numbers);
        assert!(restic(folder.path(), &["init"]).unwrap().status.success());
        tfstate::base::fs::write_new(&folder.path().join("file"), b"x").unwrap();
        for time in &times {
            let time = Timestamp::from_second(*time).unwrap();
            let time = time.strftime("%Y-%m-%d %H:%M:%S").to_string();
            let made = restic(folder.path(), &["backup", "file", "--time", &time]).unwrap();
            assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        }
        for _ in 0..6 {
            let (policy, options) = policy(&mut numbers);
            let theirs = kept_by_restic(folder.path(), &options);
            let ours = kept(&times, &policy);
            let only_ours: Vec<&i64> = ours.difference(&theirs).collect();
            assert!(theirs.is_subset(&ours), "{times:?} {options:?}: {ours:?} {theirs:?}");
            let meant = only_ours.iter().all(|time| **time == times[0]);
            assert!(meant, "{times:?} {options:?}: {only_ours:?}");
            compared += 1;
        }
    }
    assert_eq!(compared, 36);
}
