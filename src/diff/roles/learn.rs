//! What two instances of one role say of what stands for what.

use std::collections::{BTreeSet, HashSet};

use super::twins;
use super::votes::{Kind, Votes};
use super::words::parallel;
use crate::diff::canonical::members;
use crate::diff::merge::Found;
use crate::state::address::Mode;
use crate::state::document::{Document, Instance};
use crate::state::embedded;
use crate::state::value::Value;

/// Attributes by which a resource says what it is.
const OWN: [&str; 4] = ["id", "arn", "self_link", "unique_id"];

const ACCOUNTS: [&str; 8] = [
    "account",
    "account_id",
    "owner_id",
    "owner",
    "project",
    "project_id",
    "subscription_id",
    "tenant_id",
];

const REGIONS: [&str; 3] = ["region", "location", "aws_region"];

const ZONES: [&str; 3] = ["availability_zone", "availability_zones", "zone"];

/// Learns from the instances that have the same address in both documents.
///
/// Those that are equal say that everything in them stands for itself.
pub(super) fn of_documents(from: &Document, to: &Document, found: &[Found<'_>]) -> Votes {
    let mut votes = Votes::default();
    let mut differing = HashSet::new();
    for found in found {
        match found {
            Found::Both(a, b) => {
                differing.insert(a.at);
                of_pair(a.instance, b.instance, &mut votes);
            }
            Found::Removed(a) => _ = differing.insert(a.at),
            Found::Added(_) => {}
        }
    }
    for (at, instance) in from.instances().enumerate() {
        if !differing.contains(&at) {
            of_pair(instance, instance, &mut votes);
        }
    }
    for output in from.outputs() {
        let values = (output.value().ok(), to.output(output.name()).and_then(|o| o.value().ok()));
        if let (Some(before), Some(after)) = values {
            Pair::new(Mode::Data, &mut votes).walk(output.name(), &before, &after);
        }
    }
    votes
}

/// Learns from the instances whose addresses differ by role only.
pub(super) fn of_twins(found: &[Found<'_>], votes: &mut Votes) {
    for found in found.iter().filter(|found| twins::are_twins(found)) {
        if let Found::Both(a, b) = found {
            of_pair(a.instance, b.instance, votes);
        }
    }
}

fn of_pair(a: Instance<'_>, b: Instance<'_>, votes: &mut Votes) {
    let (Ok(before), Ok(after)) = (a.attributes(), b.attributes()) else { return };
    let mode = a.resource().mode();
    let mut pair = Pair::new(mode, votes);
    let own = |value: &Value<'_>, name: &str| Some(value.get(name)?.as_str()?.to_owned());
    for name in OWN {
        if let (Some(a), Some(b)) = (own(&before, name), own(&after, name)) {
            pair.own(&a, &b);
        }
    }
    if let (Some(a), Some(b)) = (a.details().identity(), b.details().identity()) {
        pair.walk("", &a, &b);
    }
    pair.walk("", &before, &after);
}

/// Two values of the same role.
struct Pair<'v> {
    mode: Mode,
    votes: &'v mut Votes,
    /// Words vote once for each instance.
    words: BTreeSet<(String, String)>,
}

impl<'v> Pair<'v> {
    fn new(mode: Mode, votes: &'v mut Votes) -> Self {
        Self { mode, votes, words: BTreeSet::new() }
    }

    fn own(&mut self, a: &str, b: &str) {
        let says = |text: &str| !is_version(text) && !text.is_empty();
        // What a data source answers is often what it was asked for.
        let made_up = opaque(a).is_some() || is_arn(a);
        if says(a) && says(b) && (self.mode == Mode::Managed || made_up) {
            self.votes.add(Kind::Own, a, b);
        }
    }

    /// Walks two values side by side; `key` is the name that they stand under.
    fn walk(&mut self, key: &str, before: &Value<'_>, after: &Value<'_>) {
        match (before, after) {
            (Value::Object(_), Value::Object(_)) => {
                let (old, new) = (members(before), members(after));
                for (key, inner) in old {
                    if let Some(other) = new.get(key) {
                        self.walk(key, inner, other);
                    }
                }
            }
            (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
                a.iter().zip(b).for_each(|(a, b)| self.walk(key, a, b));
            }
            (Value::String(a), Value::String(b)) => match embedded::pair(a, b) {
                Some((a, b)) => self.walk(key, &a, &b),
                None => self.strings(key, a, b),
            },
            _ => {}
        }
    }

    fn strings(&mut self, key: &str, a: &str, b: &str) {
        if is_arn(a) && is_arn(b) {
            self.arns(a, b);
        }
        let is_named = ACCOUNTS.contains(&key) && is_word_like(a) && is_word_like(b);
        if is_named || is_account(a) && is_account(b) {
            self.votes.add(Kind::Account, a, b);
        }
        if REGIONS.contains(&key) && is_word_like(a) && is_word_like(b) {
            self.votes.add(Kind::Region, a, b);
        }
        if ZONES.contains(&key) {
            self.zones(a, b);
        }
        if opaque(a).is_some_and(|family| opaque(b) == Some(family)) {
            self.votes.add(Kind::Opaque, a, b);
        }
        if is_naming(key) {
            self.name(a, b);
        }
    }

    fn arns(&mut self, a: &str, b: &str) {
        let part = |arn: &str, at: usize| arn.split(':').nth(at).unwrap_or_default().to_owned();
        let (old, new) = (part(a, 4), part(b, 4));
        if is_account(&old) && is_account(&new) {
            self.votes.add(Kind::Account, &old, &new);
        }
        let (old, new) = (part(a, 3), part(b, 3));
        if !old.is_empty() && !new.is_empty() {
            self.votes.add(Kind::Region, &old, &new);
        }
    }

    /// `eu-west-1a` is in `eu-west-1`, `europe-west1-b` in `europe-west1`.
    fn zones(&mut self, a: &str, b: &str) {
        let split = |zone: &str| -> Option<(String, String)> {
            let letter = zone.strip_suffix(|c: char| c.is_ascii_lowercase())?;
            let region = letter.strip_suffix('-').unwrap_or(letter);
            let ends = region.ends_with(|c: char| c.is_ascii_digit());
            ends.then(|| (region.to_owned(), zone[region.len()..].to_owned()))
        };
        if let (Some((old, a)), Some((new, b))) = (split(a), split(b))
            && a == b
        {
            self.votes.add(Kind::Region, &old, &new);
        }
    }

    fn name(&mut self, a: &str, b: &str) {
        for (old, new) in parallel(a, b) {
            let pair = (old.to_lowercase(), new.to_lowercase());
            let is_word = |word: &str| word.len() > 1 && word.starts_with(char::is_alphabetic);
            if is_word(&pair.0) && is_word(&pair.1) && self.words.insert(pair.clone()) {
                self.votes.add(Kind::Word, &pair.0, &pair.1);
            }
        }
    }
}

/// Returns whether what stands under this name is an id.
pub(super) fn is_id_key(key: &str) -> bool {
    let is = |end: &str| {
        key.strip_suffix(end).is_some_and(|rest| rest.is_empty() || rest.ends_with('_'))
    };
    ["id", "ids", "arn", "arns", "self_link"].into_iter().any(is)
}

/// Returns whether what stands under this name is a name that people chose.
fn is_naming(key: &str) -> bool {
    const NAMES: [&str; 10] = [
        "id",
        "arn",
        "name",
        "bucket",
        "identifier",
        "family",
        "environment",
        "env",
        "stage",
        "workspace",
    ];
    let key = key.to_lowercase();
    NAMES.contains(&key.as_str()) || key.ends_with("_name") || key.ends_with("_identifier")
}

/// Returns whether text could hardly be anything else than this id, wherever it stands.
pub(super) fn is_distinct(text: &str) -> bool {
    let has = |is: fn(char) -> bool| text.contains(is);
    let digit = has(|c| c.is_ascii_digit());
    let letter = has(char::is_alphabetic);
    let separator = has(|c| !c.is_alphanumeric());
    // A version, an address of a network or a size has digits and dots too.
    let dotted = text.starts_with(|c: char| c.is_ascii_digit()) && separator && !text.contains('-');
    match (digit, letter) {
        _ if dotted => false,
        (true, true) => text.len() >= 5,
        (true, false) => text.len() >= 8,
        (false, _) => text.len() >= 8 && separator,
    }
}

/// Returns whether text names a version of something rather than the thing.
fn is_version(text: &str) -> bool {
    ["ami-", "snap-", "sha256:", "aki-", "ari-"].iter().any(|start| text.starts_with(start))
}

fn is_arn(text: &str) -> bool {
    text.starts_with("arn:") && text.split(':').count() >= 6
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_word_like(text: &str) -> bool {
    (2..=64).contains(&text.len()) && !text.contains(char::is_whitespace)
}

/// Returns the family of what looks made up by a provider: `sg` for `sg-0a1b2c3d4e5f`, `uuid`.
fn opaque(text: &str) -> Option<&str> {
    let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let parts: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    if lengths == [8, 4, 4, 4, 12] && parts.iter().all(|part| is_hex(part)) {
        return Some("uuid");
    }
    let (family, number) = text.rsplit_once('-')?;
    let made_up = matches!(number.len(), 8 | 17) && is_hex(number);
    let named = !family.is_empty() && family.bytes().all(|byte| byte.is_ascii_lowercase());
    (made_up && named && !is_version(text)).then_some(family)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_told_from_what_could_be_anything() {
        for id in ["vpc-1", "i-0a1b2c3d", "acme-staging-logs", "123456789012"] {
            assert!(is_distinct(id), "{id}");
        }
        for other in ["main", "3600", "10.0.0.0/16", "1.2.3", "x1", "default"] {
            assert!(!is_distinct(other), "{other}");
        }
    }

    #[test]
    fn what_a_provider_made_up_is_known_by_its_looks() {
        assert_eq!(opaque("sg-0a1b2c3d4e5f60718"), Some("sg"));
        assert_eq!(opaque("7c0e4d2a-1111-2222-3333-0123456789ab"), Some("uuid"));
        for other in ["ami-0a1b2c3d4e5f60718", "snap-0a1b2c3d", "app-1", "sg-web", "t3.micro"] {
            assert_eq!(opaque(other), None, "{other}");
        }
    }

    #[test]
    fn names_and_ids_are_known_by_what_they_stand_under() {
        assert!(is_id_key("id") && is_id_key("vpc_id") && is_id_key("subnet_ids"));
        assert!(!is_id_key("valid") && !is_id_key("name"));
        assert!(is_naming("Name") && is_naming("function_name") && !is_naming("instance_type"));
    }
}
