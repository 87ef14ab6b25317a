use proptest::prelude::*;

use super::*;

fn key() -> Key {
    Key::new([7; 32])
}

/// A state of these instances.
fn state(instances: &[u32]) -> Vec<u8> {
    let instances: Vec<String> =
        instances.iter().map(|n| format!("{{\"attributes\": {{\"id\": \"i-{n}\"}}}}")).collect();
    let text = format!(
        "{{\n  \"version\": 4,\n  \"serial\": {},\n  \"resources\": [{{\"instances\": [{}]}}]\n}}\n",
        instances.len(),
        instances.join(", ")
    );
    text.into_bytes()
}

fn delta(base: &[u8], new: &[u8]) -> Vec<u8> {
    let base = Index::of(base, &key(), None);
    encode(new, &Index::of(new, &key(), Some(&base)), &base).unwrap()
}

fn round(base: &[u8], new: &[u8]) -> usize {
    let delta = delta(base, new);
    assert_eq!(decode(&delta, base, new.len()).unwrap(), new);
    delta.len()
}

#[test]
fn a_state_that_did_not_change_is_one_copy() {
    let base = state(&(0..1000).collect::<Vec<_>>());
    assert!(round(&base, &base) < 10);
}

#[test]
fn pieces_that_follow_their_like_are_one_copy_too() {
    let base = state(&[7; 1000]);
    assert!(round(&base, &base) < 10);
}

#[test]
fn debug_output_of_a_key_does_not_show_it() {
    assert_eq!(format!("{:?}", key()), "Key(…)");
}

#[test]
fn one_changed_instance_of_many_costs_little_more_than_itself() {
    let base = state(&(0..1000).collect::<Vec<_>>());
    let mut instances: Vec<u32> = (0..1000).collect();
    instances[500] = 77_777;
    assert!(round(&base, &state(&instances)) < 120);
}

#[test]
fn pieces_that_every_resource_has_are_copied_from_where_the_last_copy_ended() {
    let state = |changed: u32| {
        let resource = |n: u32| {
            let value = if n == 50 { changed } else { n };
            format!("{{\"name\": \"n{n}\", \"instances\": [{{\"id\": {value}}}]}}")
        };
        let resources: Vec<String> = (0..100).map(resource).collect();
        format!("{{\"resources\": [{}]}}", resources.join(", ")).into_bytes()
    };
    // What comes before, the instance, and all that follows.
    assert_eq!(delta(&state(0), &state(7777))[0], 3);
}

#[test]
fn what_moved_is_copied_from_where_it_was() {
    let base = state(&(0..100).collect::<Vec<_>>());
    let turned: Vec<u32> = (50..100).chain(0..50).collect();
    assert!(round(&base, &state(&turned)) < 250);
}

#[test]
fn what_is_no_state_is_added_as_a_whole() {
    assert!(round(b"{}", b"<html>\xff\xfe") < 24);
    round(b"", b"");
    round(b"", b"x");
    round(b"x", b"");
}

#[test]
fn an_index_survives_being_written_down_and_a_broken_one_is_refused() {
    let index = Index::of(&state(&[1, 2, 3]), &key(), Some(&Index::default()));
    let [pieces, runs] = index.as_bytes();
    assert_eq!(Index::from_bytes([pieces, runs]).as_ref(), Some(&index));
    assert_eq!(Index::from_bytes([&pieces[1..], runs]), None);
    assert_eq!(Index::from_bytes([pieces, &runs[1..]]), None);
}

#[test]
fn runs_that_are_as_they_were_are_not_hashed_again_piece_by_piece() {
    let base = state(&(0..4000).collect::<Vec<_>>());
    assert_eq!(Index::of(&base, &key(), None).as_bytes()[1], b"", "nothing may ever come after it");
    let index = Index::of(&base, &key(), Some(&Index::default()));
    let [pieces, runs] = index.as_bytes();
    // Pieces that nobody hashed so show where others come from.
    let pieces: Vec<u8> =
        pieces.chunks(16).flat_map(|piece| [&[0; 12], &piece[12..]]).flatten().copied().collect();
    let marked = Index::from_bytes([&pieces, runs]).unwrap();
    let taken = |changed: u32| {
        let mut instances: Vec<u32> = (0..4000).collect();
        instances[2000] = changed;
        let index = Index::of(&state(&instances), &key(), Some(&marked));
        let pieces = index.pieces().count();
        (index.pieces().filter(|(piece, _)| piece[..12] == [0; 12]).count(), pieces)
    };
    let (same, all) = taken(2000);
    assert_eq!(same, all);
    let (same, all) = taken(7777);
    assert!(same < all && same > all / 3, "{same} of {all}");
}

#[test]
fn a_delta_that_does_not_add_up_is_refused_and_allocates_nothing() {
    let base = b"0123456789";
    let delta = |numbers: &[u64], added: &[u8]| {
        let mut out = Vec::new();
        for &number in numbers {
            put(&mut out, number);
        }
        // None of the cases has a copy beside what it adds.
        if !added.is_empty() {
            out.extend_from_slice(&added::compress(&[added], b"").unwrap());
        }
        out
    };
    let tried = |numbers: &[u64], added: &[u8], len| decode(&delta(numbers, added), base, len);
    assert_eq!(tried(&[1, 10 << 1, 0], b"", 10), Ok(base.to_vec()));
    assert_eq!(tried(&[1, 11 << 1, 0], b"", 11), Err(Error::Copy));
    assert_eq!(tried(&[1, 2 << 1, 9 << 1], b"", 2), Err(Error::Copy));
    assert_eq!(tried(&[1, 2 << 1, 1], b"", 2), Err(Error::Copy));
    assert_eq!(tried(&[1, 2 << 1 | 1], b"a", 2), Err(Error::Added));
    assert_eq!(tried(&[1, 2 << 1 | 1], b"abc", 2), Err(Error::Added));
    assert_eq!(tried(&[1, 2 << 1 | 1], b"ab", 3), Err(Error::Size));
    assert_eq!(tried(&[1, 2 << 1, 0], b"a", 2), Err(Error::Length));
    assert_eq!(tried(&[1, u64::MAX], b"", 3), Err(Error::Size));
    assert_eq!(tried(&[u64::MAX, 1], b"", 3), Err(Error::Length));
    assert_eq!(decode(&[0x80; 11], base, 0), Err(Error::Length));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_changes_comes_back_byte_for_byte(
        base in proptest::collection::vec(0_u32..50, 0..60),
        new in proptest::collection::vec(0_u32..50, 0..60),
    ) {
        round(&state(&base), &state(&new));
    }

    #[test]
    fn an_index_is_the_same_with_an_earlier_one_and_without(
        edits in proptest::collection::vec((0_usize..2000, 0_u32..10_000, 0_u8..3), 0..8),
    ) {
        let mut instances: Vec<u32> = (0..2000).collect();
        let base = Index::of(&state(&instances), &key(), Some(&Index::default()));
        for (at, id, edit) in edits {
            let at = at % instances.len();
            match edit {
                0 => instances[at] = id,
                1 => instances.insert(at, id),
                _ => drop(instances.remove(at)),
            }
        }
        let new = state(&instances);
        let alone = Index::of(&new, &key(), Some(&Index::default()));
        prop_assert!(Index::of(&new, &key(), Some(&base)) == alone);
        let pieces = |index: &Index<'_>| index.as_bytes()[0].to_vec();
        prop_assert_eq!(pieces(&alone), pieces(&Index::of(&new, &key(), None)));
    }

    #[test]
    fn bytes_of_any_kind_come_back(base: Vec<u8>, new: Vec<u8>) {
        round(&base, &new);
    }

    #[test]
    fn no_bytes_make_the_decoder_fall_over(delta: Vec<u8>, base: Vec<u8>, len in 0_usize..300) {
        if let Ok(state) = decode(&delta, &base, len) {
            prop_assert_eq!(state.len(), len);
        }
    }
}

#[test]
fn a_state_that_was_parsed_is_cut_at_what_it_says_and_comes_back() {
    let text = |ids: &[u32]| {
        let instances: Vec<String> = ids
            .iter()
            .map(|id| format!("{{\"index_key\": {id}, \"schema_version\": 0, \"attributes\": {{\"id\": \"i-{id}\"}}}}"))
            .collect();
        format!(
            "{{\"version\": 4, \"terraform_version\": \"1.9.0\", \"serial\": {}, \"lineage\": \"l\", \
             \"outputs\": {{\"a\": {{\"value\": \"{}\", \"type\": \"string\"}}}}, \"resources\": [{{\"mode\": \"managed\", \
             \"type\": \"a\", \"name\": \"b\", \"provider\": \"provider[\\\"registry.terraform.io/x/a\\\"]\", \
             \"instances\": [{}]}}], \"check_results\": null}}\n",
            ids.len(),
            ids.len(),
            instances.join(",\n  ")
        )
    };
    let parsed =
        |ids: &[u32]| crate::state::document::Document::parse(text(ids).into_bytes()).unwrap();
    let (base, new) =
        (parsed(&(0..500).collect::<Vec<_>>()), parsed(&(1..501).collect::<Vec<_>>()));
    let [base_index, new_index] =
        [&base, &new].map(|state| Index::of_document(state, &key(), Some(&Index::default())));
    assert_eq!(base_index.state_len(), base.bytes().len() as u64);
    let delta = encode(new.bytes(), &new_index, &base_index).unwrap();
    assert_eq!(decode(&delta, base.bytes(), new.bytes().len()).unwrap(), new.bytes());
    assert!(delta.len() < 150, "{}", delta.len());
    // A state that could not be parsed then has an index of the other kind.
    let coarse = Index::of(base.bytes(), &key(), None);
    assert!(Index::of_document(&base, &key(), Some(&coarse)) == base_index);
    let delta = encode(new.bytes(), &new_index, &coarse).unwrap();
    assert_eq!(decode(&delta, base.bytes(), new.bytes().len()).unwrap(), new.bytes());
}
