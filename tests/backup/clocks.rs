//! Clocks go back, and jump. The order of snapshots is that of their numbers.

use std::sync::Arc;

use tfstate::backup::vault::Vault;
use tfstate::backup::{Kind, Strategy};

use crate::place::{Backup, Owner, Shelf, folder, listed, state};

const DAY: i64 = 86_400;

/// Backs the `n`th state up at a time; returns the snapshot's kind and number, or nothing where it
/// was unchanged.
fn keep(
    owner: &Owner,
    shelf: &Arc<Shelf>,
    home: &std::path::Path,
    (n, second): (u64, i64),
) -> Option<(Kind, u32)> {
    let vault: Arc<dyn Vault> = Arc::<Shelf>::clone(shelf);
    let (signer, strategy) = (&owner.signer, Strategy::Auto);
    let backup = Backup { vault, signer, home, strategy, second };
    let report = owner.keep(&backup, &state(800, n)).unwrap();
    let kept = (report.snapshot.kind, report.snapshot.sequence);
    report.added.map(|_| kept)
}

#[test]
fn a_clock_that_goes_back_changes_neither_the_order_nor_what_is_unchanged() {
    for near in [true, false] {
        let (owner, shelf) = (Owner::new(true), Arc::new(Shelf::new(near)));
        let home = folder();
        let kept = |n, second| keep(&owner, &shelf, home.path(), (n, second));
        assert_eq!(kept(0, 0), Some((Kind::Full, 1)));
        assert_eq!(kept(1, 10 * DAY), Some((Kind::Differential, 2)));
        assert_eq!(kept(2, 5 * DAY), Some((Kind::Differential, 3)));
        assert_eq!(kept(2, 5 * DAY + 1), None);
        assert_eq!(kept(2, -300 * DAY), None);
        assert_eq!(kept(3, -300 * DAY), Some((Kind::Differential, 4)));
        let repository = Owner::open(Arc::<Shelf>::clone(&shelf) as Arc<dyn Vault>);
        let listed = listed(&repository);
        assert_eq!(listed.iter().map(|s| s.sequence).collect::<Vec<_>>(), [1, 2, 3, 4]);
        for (n, snapshot) in (0..).zip(&listed) {
            assert!(owner.restore(&repository, snapshot).unwrap() == state(800, n));
        }
    }
}

#[test]
fn a_clock_that_was_far_ahead_once_costs_one_full_snapshot_and_no_more() {
    let (owner, shelf) = (Owner::new(true), Arc::new(Shelf::new(true)));
    let home = folder();
    let kept = |n, second| keep(&owner, &shelf, home.path(), (n, second)).unwrap().0;
    assert_eq!(kept(0, 0), Kind::Full);
    assert_eq!(kept(1, 4000 * DAY), Kind::Full);
    for (n, day) in [(2, 1), (3, 2), (4, 30)] {
        assert_eq!(kept(n, day * DAY), Kind::Differential);
    }
}

#[test]
fn a_listing_that_lags_behind_does_not_give_a_number_out_again() {
    let (owner, shelf) = (Owner::new(true), Arc::new(Shelf::new(false)));
    let home = folder();
    for n in 0..3 {
        keep(&owner, &shelf, home.path(), (n, 0)).unwrap();
    }
    let newest = listed(&Owner::open(Arc::<Shelf>::clone(&shelf) as Arc<dyn Vault>));
    let key = &newest.last().unwrap().key;
    let bytes = shelf.bytes(key);
    shelf.set(key, None);
    assert_eq!(keep(&owner, &shelf, home.path(), (3, 0)).unwrap().1, 4);
    shelf.set(key, bytes);
    let listed = listed(&Owner::open(shelf as Arc<dyn Vault>));
    assert_eq!(listed.iter().map(|s| s.sequence).collect::<Vec<_>>(), [1, 2, 3, 4]);
}
