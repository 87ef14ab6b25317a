//! Two environments of one configuration: what plays the same role in each is no difference.
//!
//! Staging and production have other ids, ARNs, accounts, regions and names, and between them only
//! what else differs is of interest. What stands for what is learnt from the instances that have
//! the same address in both, and then holds everywhere:
//!
//! | what | learnt from | stands for its counterpart |
//! |---|---|---|
//! | an id | `id`, `arn`, `self_link`, `unique_id` and the identity of a managed resource; of a data source, what looks made up by a provider | in any string, between other letters than its own |
//! | an id of something else | strings at the same place that look made up by a provider: `sg-0a1b2c3d`, a UUID | likewise, unless the resource itself is in the state and says otherwise |
//! | an account | the fifth part of an ARN; twelve digits; `account_id`, `owner_id`, `project`, `subscription_id`, `tenant_id` | likewise |
//! | a region | the fourth part of an ARN; `region`, `location`, zones | likewise, with a letter for the zone after it too |
//! | an environment | words of names, ids and tags: `staging` for `prod` | as a word, in lower and upper case |
//!
//! Each thing stands for one other, and is stood for by one: where the evidence is divided, the
//! clear majority decides, and where there is none, nothing is learnt. What is the same on both
//! sides is evidence too, for standing for itself. So a reference to another resource than its
//! twin refers to is still a difference.
//!
//! Words for environments that everybody uses are believed at once; other words, such as the name
//! of a customer, only where three instances agree and none contradicts.
//!
//! Images (`ami-…`), snapshots and digests are versions of something and not its id: they are
//! never matched, and neither are numbers and short words, except as an id themselves.
//!
//! Instances whose addresses differ by such a role, as `module.staging.x.a` and `module.prod.x.a`,
//! are one and the same where each has only one counterpart.

mod learn;
#[cfg(test)]
mod tests;
mod twins;
mod votes;
mod words;

use std::borrow::Cow;
use std::collections::HashMap;

use super::merge::Found;
use crate::state::document::Document;
use crate::state::value::Value;
use words::{Case, segments};

pub(super) use twins::are_twins;

/// In longer text nothing is replaced: it is compared as it is.
const MAX_TEXT: usize = 1 << 18;

/// What stands for what.
#[derive(Debug, Default)]
pub(super) struct Roles {
    /// What stands for its counterpart wherever it is found.
    anywhere: HashMap<String, String>,
    /// Ids that could be anything: they count where an id stands, and as a whole.
    as_ids: HashMap<String, String>,
    /// Words in lower case.
    words: HashMap<String, String>,
    /// How many segments the longest entry of `anywhere` has that begins with this one.
    longest: HashMap<String, usize>,
}

impl Roles {
    /// Learns from what both documents have, and pairs the instances that differ by role only.
    pub(super) fn learn<'a>(
        from: &'a Document,
        to: &'a Document,
        found: Vec<Found<'a>>,
    ) -> (Self, Vec<Found<'a>>) {
        let mut votes = learn::of_documents(from, to, &found);
        twins::vote(&found, &mut votes);
        let roles = votes.roles();
        let found = twins::pair(found, &roles);
        if !found.iter().any(twins::are_twins) {
            return (roles, found);
        }
        learn::of_twins(&found, &mut votes);
        (votes.roles(), found)
    }

    /// Returns text with everything in it replaced by what stands for it.
    pub(super) fn text<'s>(&self, text: &'s str) -> Cow<'s, str> {
        if text.len() > MAX_TEXT || self.anywhere.is_empty() && self.words.is_empty() {
            return Cow::Borrowed(text);
        }
        let segments = segments(text);
        let (mut out, mut at, mut changed) = (String::new(), 0, false);
        while let Some(&(start, end)) = segments.get(at) {
            let (replacement, next) = self.replacement(text, &segments, at);
            changed |= replacement.is_some();
            out.push_str(replacement.as_deref().unwrap_or(&text[start..end]));
            at = next;
        }
        if changed { Cow::Owned(out) } else { Cow::Borrowed(text) }
    }

    /// Returns what stands for the longest entry that begins at a segment, and the one after it.
    fn replacement<'r>(
        &'r self,
        text: &str,
        segments: &[(usize, usize)],
        at: usize,
    ) -> (Option<Cow<'r, str>>, usize) {
        let (start, end) = segments[at];
        let first = &text[start..end];
        let most = self.longest.get(first).copied().unwrap_or(0).min(segments.len() - at);
        for count in (1..=most).rev() {
            let end = segments[at + count - 1].1;
            if let Some(found) = self.anywhere.get(&text[start..end]) {
                return (Some(Cow::Borrowed(found)), at + count);
            }
        }
        let case = Case::of(first);
        let word = case.and_then(|case| Some(case.apply(self.words.get(&first.to_lowercase())?)));
        (word.map(Cow::Owned), at + 1)
    }

    /// Returns a value with everything in its strings replaced by what stands for it; `None` if
    /// that is nothing. `key` is the name that the value stands under.
    pub(super) fn value(&self, value: &Value<'_>, key: &str) -> Option<Value<'static>> {
        let mut changed = false;
        let value = self.replaced(value, key, &mut changed);
        changed.then_some(value)
    }

    fn replaced(&self, value: &Value<'_>, key: &str, changed: &mut bool) -> Value<'static> {
        match value {
            Value::String(text) => {
                let new = self.as_id(text, key).map_or_else(|| self.text(text), Cow::Borrowed);
                *changed |= new != *text;
                Value::String(new.into_owned().into())
            }
            Value::Array(items) => {
                Value::Array(items.iter().map(|item| self.replaced(item, key, changed)).collect())
            }
            Value::Object(members) => Value::Object(
                members
                    .iter()
                    .map(|(key, inner)| {
                        let new = self.text(key);
                        *changed |= new != *key;
                        (new.into_owned().into(), self.replaced(inner, key, changed))
                    })
                    .collect(),
            ),
            leaf => leaf.clone().into_owned(),
        }
    }

    fn as_id(&self, text: &str, key: &str) -> Option<&str> {
        let found = self.as_ids.get(text).filter(|_| learn::is_id_key(key))?;
        Some(found)
    }

    /// Returns whether two scalars play the same role; `key` is the name that they stand under.
    pub(super) fn match_up(&self, (before, after): (&Value<'_>, &Value<'_>), key: &str) -> bool {
        match (before, after) {
            (Value::String(a), Value::String(b)) => {
                self.as_id(a, key).is_some_and(|id| id == b) || self.text(a) == *b
            }
            (Value::Number(a), Value::Number(b)) => {
                self.anywhere.get(&**a).is_some_and(|id| id == b)
            }
            // What is told as a whole, such as a secret list.
            (Value::Array(_), Value::Array(_)) | (Value::Object(_), Value::Object(_)) => {
                self.value(before, key).is_some_and(|before| before.same(after))
            }
            _ => false,
        }
    }
}
