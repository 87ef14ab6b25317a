//! Whether two things are the same: the questions of a merge, which needs no list of differences.

use super::instance::Rules;
use super::{instance, moves, outputs};
use crate::state::document::{Instance, Output};
use crate::state::sensitive::Reveal;

/// Nothing is known but the two states.
const RULES: Rules<'_> = Rules { reveal: Reveal::No, schemas: None, roles: None };

/// Returns whether two instances say the same, however they are spelled, their providers included.
///
/// Nothing is ignored: what [`Options`](super::Options) calls noise is a difference.
pub fn is_same_instance(a: Instance<'_>, b: Instance<'_>) -> bool {
    instance::compare(a, b, RULES).is_empty()
}

/// Returns whether two outputs have the same value of the same type, and are declared alike.
pub fn is_same_output(a: Output<'_>, b: Output<'_>) -> bool {
    let kinds = (a.kind(), b.kind());
    outputs::same(a, b) && matches!(kinds, (Ok(a), Ok(b)) if a.same(&b))
}

/// Returns the name by which the provider knows an object, of those that are valid furthest: an
/// ARN, a link, an identity, an id. Two instances of one type that share it are one object.
///
/// It may be a secret: it is for comparing only.
pub fn object_name(instance: Instance<'_>) -> Option<String> {
    let names = moves::names(instance);
    names.into_iter().enumerate().find_map(|(kind, name)| Some(format!("{kind} {}", name?)))
}

/// Returns the paths at which two instances differ, as printed; never what stands there.
pub fn differing_paths(a: Instance<'_>, b: Instance<'_>) -> Vec<String> {
    instance::compare(a, b, RULES).iter().map(super::Change::path_text).collect()
}
