//! Figures of two sides that were measured in turns.

use std::time::{Duration, Instant};

pub(crate) fn report(claim: &str, measured: f64, bound: &str) {
    println!("{claim:<58} {measured:>9.2} {bound:>9}");
}

/// Returns the medians of both, run in turns.
pub(crate) fn paired(
    mut a: impl FnMut(),
    mut b: impl FnMut(),
    runs: usize,
) -> (Duration, Duration) {
    let time = |run: &mut dyn FnMut()| {
        let start = Instant::now();
        run();
        start.elapsed()
    };
    a();
    b();
    let (mut left, mut right) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        left.push(time(&mut a));
        right.push(time(&mut b));
    }
    (median(left), median(right))
}

pub(crate) fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

pub(crate) fn ratio(a: Duration, b: Duration) -> f64 {
    a.as_secs_f64() / b.as_secs_f64()
}
