//! What a writer remembers of the instances in a state, to count those that changed: keyed hashes
//! of each address and of what the instance holds.

use std::borrow::Cow;

use super::delta::{Index, Key};
use crate::state::document::{Document, Instance};

/// Sorted pairs of hashes, 8 bytes of an address before 8 of what is held there.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Contents<'a>(Cow<'a, [[u8; 16]]>);

impl<'a> Contents<'a> {
    /// Hashes every instance of a state; what its index has hashed already is taken from there.
    pub(super) fn of(document: &Document, index: &Index<'_>, key: &Key) -> Self {
        let starts = index.starts();
        let hashed = |instance: Instance<'_>| {
            let piece = starts.binary_search(&instance.offset()).ok()?;
            index.short_hash(piece, instance.raw().len())
        };
        let mut pairs = Vec::with_capacity(document.len());
        let mut address = String::new();
        for resource in document.resources() {
            address.clear();
            resource.push_address(&mut address);
            let of_all = address.len();
            for instance in resource.instances() {
                address.truncate(of_all);
                instance.push_key(&mut address);
                if let Some(deposed) = instance.deposed() {
                    address.push('\0');
                    address.push_str(&deposed);
                }
                let held = hashed(instance).unwrap_or_else(|| key.short_hash(instance.raw()));
                let pair = [key.short_hash(address.as_bytes()), held];
                pairs.push(*pair.as_flattened().first_chunk().unwrap_or(&[0; 16]));
            }
        }
        pairs.sort_unstable_by_key(|pair| u128::from_be_bytes(*pair));
        Self(Cow::Owned(pairs))
    }

    /// Returns how many instances came, went or hold something else.
    pub(super) fn differences(&self, other: &Self) -> u64 {
        let (mut a, mut b) = (&*self.0, &*other.0);
        let mut count = 0;
        while let (Some(x), Some(y)) = (a.first(), b.first()) {
            count += u64::from(x != y);
            let (x, y) = (&x[..8], &y[..8]);
            if x <= y {
                a = &a[1..];
            }
            if y <= x {
                b = &b[1..];
            }
        }
        count + a.len() as u64 + b.len() as u64
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.0.as_flattened()
    }

    /// Takes what [`as_bytes`](Self::as_bytes) returned; nothing where it is none.
    pub(super) fn from_bytes(bytes: &'a [u8]) -> Option<Self> {
        let (pairs, rest) = bytes.as_chunks();
        rest.is_empty().then_some(Self(Cow::Borrowed(pairs)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(ids: &[(&str, u32)]) -> Document {
        let instance = |(key, id): &(&str, u32)| {
            format!(
                "{{\"index_key\": \"{key}\", \"schema_version\": 0, \"attributes\": {{\"id\": \"{id}\"}}}}"
            )
        };
        let instances: Vec<String> = ids.iter().map(instance).collect();
        let text = format!(
            "{{\"version\": 4, \"terraform_version\": \"1.9.0\", \"serial\": 1, \"lineage\": \"l\", \"outputs\": {{}}, \
             \"resources\": [{{\"mode\": \"managed\", \"type\": \"a\", \"name\": \"b\", \
             \"provider\": \"provider[\\\"registry.terraform.io/x/a\\\"]\", \"instances\": [{}]}}]}}",
            instances.join(",")
        );
        Document::parse(text.into_bytes()).unwrap()
    }

    fn contents(ids: &[(&str, u32)]) -> Contents<'static> {
        let (document, key) = (document(ids), Key::new([7; 32]));
        Contents::of(&document, &Index::of_document(&document, &key, None), &key)
    }

    #[test]
    fn what_the_index_has_hashed_is_the_same_as_hashed_again() {
        let (document, key) = (document(&[("a", 1), ("b", 2)]), Key::new([7; 32]));
        let fine = Index::of_document(&document, &key, None);
        let starts = fine.starts();
        for instance in document.instances() {
            let piece = starts.binary_search(&instance.offset()).unwrap();
            let held = fine.short_hash(piece, instance.raw().len());
            assert_eq!(held, Some(key.short_hash(instance.raw())));
        }
        let coarse = Index::of(document.bytes(), &key, None);
        assert_eq!(Contents::of(&document, &coarse, &key), Contents::of(&document, &fine, &key));
    }

    #[test]
    fn what_came_went_or_changed_is_counted_and_nothing_else() {
        let before = contents(&[("a", 1), ("b", 2), ("c", 3)]);
        assert_eq!(before.differences(&before), 0);
        assert_eq!(before.differences(&contents(&[("c", 3), ("a", 1), ("b", 2)])), 0);
        assert_eq!(before.differences(&contents(&[("a", 1), ("b", 9), ("c", 3)])), 1);
        assert_eq!(before.differences(&contents(&[("a", 1), ("d", 4), ("e", 5)])), 4);
        assert_eq!(before.differences(&contents(&[])), 3);
        assert_eq!(Contents::from_bytes(before.as_bytes()), Some(before.clone()));
        assert_eq!(Contents::from_bytes(&[0; 17]), None);
    }
}
