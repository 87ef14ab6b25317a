//! Finds objects that are at another address: removed here, added there, and the same.
//!
//! A state does not say that something moved, so it is inferred, from the surest evidence to the
//! weakest; each object is paired once:
//!
//! 1. the same name in the provider's world: `arn`, else `self_link`, else the resource identity,
//!    else `id`. The first of these that both carry decides, for and against. A name that others
//!    of the type share, such as the `none` of a `random_password`, is no name;
//! 2. the same attributes to the byte, where only one pair has them, or only one in that place;
//! 3. four fifths of the leaves equal, and among them a string that no other object has;
//! 4. four fifths of the leaves equal, at the same place in a module that moved from there to here.
//!
//! Only objects of one mode, type and provider are compared, and never deposed ones. The host of
//! the provider's registry may differ, since OpenTofu has another: that is told as a change. The
//! work is bounded; what would need too many comparisons stays removed and added.

mod content;
mod evidence;
mod group;

use std::collections::HashMap;

use super::merge::{Found, Place};
use crate::state::document::Document;
use group::Group;
pub(super) use group::names;

/// What moved from where.
#[derive(Debug, Default)]
pub(super) struct Moves<'a> {
    origins: HashMap<usize, Place<'a>>,
}

impl<'a> Moves<'a> {
    /// Returns where the object was, if what was found at `at` is one side of a move.
    pub(super) fn origin(&self, at: usize) -> Option<Place<'a>> {
        self.origins.get(&at).copied()
    }
}

/// Finds what moved among what was found.
pub(super) fn find<'a>(from: &'a Document, to: &'a Document, found: &[Found<'a>]) -> Moves<'a> {
    let mut groups = group::collect(from, to, found);
    let mut budget = content::Budget::default();
    for group in &mut groups {
        evidence::pair_by_name(group);
        evidence::pair_by_bytes(group);
        content::pair_by_likeness(group, &mut budget);
    }
    let modules = content::moved_modules(&groups);
    for group in &mut groups {
        content::pair_along(group, &modules, &mut budget);
    }
    let mut moves = Moves::default();
    for (removed, added) in groups.iter().flat_map(Group::pairs) {
        moves.origins.insert(removed.found, removed.place);
        moves.origins.insert(added.found, removed.place);
    }
    moves
}

#[cfg(test)]
mod tests {
    use crate::diff::properties::{compared, state};

    /// Shows moves as `from -> to`, and what is left as `-address` and `+address`.
    fn shown(before: &[&str], after: &[&str]) -> Vec<String> {
        let comparison = compared(&state(before), &state(after));
        let mut lines: Vec<String> = comparison
            .resources
            .iter()
            .map(|change| match (change.action, &change.from_address) {
                (_, Some(from)) => format!("{from} -> {}", change.address),
                (crate::diff::Action::Added, _) => format!("+{}", change.address),
                (crate::diff::Action::Removed, _) => format!("-{}", change.address),
                (crate::diff::Action::Changed | crate::diff::Action::Moved, _) => {
                    format!("~{}", change.address)
                }
            })
            .collect();
        lines.sort();
        lines
    }

    #[test]
    fn an_object_of_the_same_id_has_moved() {
        let before = [r#"x.a {"id":"h-1","n":1}"#, r#"x.gone {"id":"h-2","n":1}"#];
        let after = [r#"x.b {"id":"h-1","n":2}"#, r#"x.new {"id":"h-3","n":1}"#];
        assert_eq!(shown(&before, &after), ["+x.new", "-x.gone", "x.a -> x.b"]);
    }

    #[test]
    fn the_name_that_is_valid_furthest_decides() {
        let same_id = |arn: &str| format!(r#"{{"id":"admin","arn":"arn:{arn}"}}"#);
        let (one, two) = (same_id("1"), same_id("2"));
        let (before, after) = (format!("x.a {one}"), format!("x.b {two}"));
        assert_eq!(shown(&[&before], &[&after]), ["+x.b", "-x.a"]);
        let after = r#"x.b {"id":"other","arn":"arn:1"}"#;
        assert_eq!(shown(&[&before], &[after]), ["x.a -> x.b"]);
    }

    #[test]
    fn an_id_that_others_share_is_no_evidence() {
        let stays = [r#"x.s {"id":"shared","n":1}"#, r#"x.t {"id":"shared","n":2}"#];
        let before = [stays[0], stays[1], r#"x.a {"id":"shared","n":3}"#];
        let after = [stays[0], stays[1], r#"x.b {"id":"shared","n":4}"#];
        assert_eq!(shown(&before, &after), ["+x.b", "-x.a"]);
        assert_eq!(
            shown(&[r#"x.a {"id":"none","n":3}"#], &[r#"x.b {"id":"none","n":4}"#]).len(),
            2
        );
    }

    #[test]
    fn equal_attributes_are_told_apart_by_their_place() {
        let before = [r#"m.p/x.a {"n":"1"}"#, r#"m.q/x.a {"n":"1"}"#];
        let after = [r#"m.p/x.b {"n":"1"}"#, r#"m.q/x.c {"n":"1"}"#];
        let moves = ["module.p.x.a -> module.p.x.b", "module.q.x.a -> module.q.x.c"];
        assert_eq!(shown(&before, &after), moves);
        // Which of the two moved can't be known.
        assert_eq!(
            shown(&[r#"x.a {"n":"1"}"#, r#"x.b {"n":"1"}"#], &[r#"x.c {"n":"1"}"#]).len(),
            3
        );
    }

    #[test]
    fn an_edited_object_without_a_name_is_known_by_what_only_it_has() {
        let object = |own: &str, edited: u8| {
            format!(r#"{{"id":"none","a":1,"b":2,"c":3,"d":4,"own":"{own}","e":{edited}}}"#)
        };
        let before = format!("x.a {}", object("0123456789", 1));
        let after = format!("x.b {}", object("0123456789", 2));
        assert_eq!(shown(&[&before], &[&after]), ["x.a -> x.b"]);
        let another = format!("x.b {}", object("9876543210", 1));
        assert_eq!(shown(&[&before], &[&another]), ["+x.b", "-x.a"]);
    }

    #[test]
    fn a_module_takes_its_nameless_objects_along() {
        let like = |n: u8| format!(r#"{{"a":1,"b":2,"c":3,"d":4,"n":{n}}}"#);
        let before = [
            r#"m.p/x.named {"id":"h-1"}"#.to_owned(),
            format!("m.p/x.a {}", like(1)),
            format!("m.p/x.b {}", like(1)),
        ];
        let after = [
            r#"m.q/x.named {"id":"h-1"}"#.to_owned(),
            format!("m.q/x.a {}", like(2)),
            format!("m.q/x.b {}", like(1)),
        ];
        let refs = |lines: &[String]| -> Vec<String> { lines.to_vec() };
        let (before, after) = (refs(&before), refs(&after));
        let (before, after): (Vec<&str>, Vec<&str>) = (
            before.iter().map(String::as_str).collect(),
            after.iter().map(String::as_str).collect(),
        );
        let moves =
            ["a", "b", "named"].map(|name| format!("module.p.x.{name} -> module.q.x.{name}"));
        assert_eq!(shown(&before, &after), moves);
    }

    #[test]
    fn only_the_registry_of_the_provider_may_differ() {
        let object = |name: &str, provider: &str| {
            format!(r#"x.{name} {{"id":"h-1"}} "provider":"provider[\"{provider}\"]","#)
        };
        let before = object("a", "registry.terraform.io/acme/acme");
        let after = object("b", "registry.opentofu.org/acme/acme");
        assert_eq!(shown(&[&before], &[&after]), ["x.a -> x.b"]);
        let after = object("b", "registry.terraform.io/other/acme");
        assert_eq!(shown(&[&before], &[&after]), ["+x.b", "-x.a"]);
    }

    #[test]
    fn objects_that_say_nothing_do_not_move() {
        assert_eq!(shown(&[r#"x.a {"n":null}"#], &[r#"x.b {"n":null}"#]).len(), 2);
    }

    #[test]
    fn a_deposed_object_does_not_move() {
        let deposed = r#"x.a {"id":"h-1"} "deposed":"0a0a0a0a","#;
        assert_eq!(shown(&[deposed], &[r#"x.b {"id":"h-1"}"#]), ["+x.b", "-x.a"]);
    }
}
