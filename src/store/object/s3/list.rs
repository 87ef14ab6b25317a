//! Listing objects and their versions: requests of our own, since `object_store` stumbles over
//! keys with empty segments and knows no list of versions.

use jiff::Timestamp;
use percent_encoding::percent_decode_str;

use super::bucket::Bucket;
use super::xml::{self, Element};
use crate::store::object::error::Fault;
use crate::store::{Entry, Error, Revision, Version};

/// A page of a list, and how to ask for the next.
#[derive(Debug)]
pub(super) struct Page {
    /// The entries.
    pub(super) entries: Vec<Entry>,
    /// What leads to the next page; nothing on the last.
    pub(super) next: Option<String>,
}

/// Where a page begins that is not the first.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Start<'a> {
    /// Behind this key.
    Key(&'a str),
    /// Where the page before said.
    Token(String),
}

/// Returns whether a store may only not know what it was asked for: many have an answer of their own for
/// that. What else it can be, the list from the front says too.
pub(super) fn is_refused(fault: &Fault) -> bool {
    fault.status().is_some_and(|status| !matches!(status, 429 | 503))
}

/// Returns a page of the objects whose keys begin with `prefix`.
pub(super) async fn page(
    bucket: &Bucket,
    prefix: &str,
    from: Option<&Start<'_>>,
) -> Result<Page, Error> {
    let failed = |fault| bucket.failed(fault, "list", prefix);
    let mut query = vec![
        ("encoding-type", "url"),
        ("list-type", "2"),
        // Without it some stores hand out a hundred.
        ("max-keys", "1000"),
        ("prefix", prefix),
    ];
    query.extend(from.map(|from| match from {
        Start::Key(key) => ("start-after", *key),
        Start::Token(token) => ("continuation-token", token.as_str()),
    }));
    let answer = bucket.ask(&query).await.map_err(failed)?;
    let page = read(answer.body()).ok_or_else(unreadable).map_err(failed)?;
    match (&page.next, from) {
        (Some(token), Some(Start::Token(before))) if token == before => Err(failed(unreadable())),
        _ => Ok(page),
    }
}

/// Reads a page; nothing where it is none.
fn read(answer: &[u8]) -> Option<Page> {
    let (mut entries, mut entry) = (Vec::new(), Listed::default());
    let (mut is_encoded, mut more, mut token) = (false, false, String::new());
    let root = xml::each(answer, &mut |path, text| {
        match path {
            "Contents/Key" => text.clone_into(&mut entry.key),
            "Contents/Size" => entry.len = text.parse().ok(),
            "Contents/LastModified" => entry.modified = text.parse().ok(),
            "Contents/ETag" => entry.tag = Some(text.to_owned()).filter(|tag| !tag.is_empty()),
            "Contents" => entries.push(std::mem::take(&mut entry).entry()?),
            "EncodingType" => is_encoded = text == "url",
            "IsTruncated" => more = text == "true",
            "NextContinuationToken" => text.clone_into(&mut token),
            _ => {}
        }
        Some(())
    })?;
    // What a proxy says instead must not be taken for a list of nothing.
    if root != "ListBucketResult" {
        return None;
    }
    if is_encoded {
        for entry in &mut entries {
            entry.key = decoded(std::mem::take(&mut entry.key))?;
        }
    }
    if more && token.is_empty() {
        return None;
    }
    Some(Page { entries, next: more.then_some(token) })
}

/// What was read of an entry so far.
#[derive(Default)]
struct Listed {
    key: String,
    len: Option<u64>,
    modified: Option<Timestamp>,
    tag: Option<String>,
}

impl Listed {
    fn entry(self) -> Option<Entry> {
        let Self { key, len, modified, tag } = self;
        let is_whole = !key.is_empty();
        let version = Version { tag, id: None };
        is_whole.then_some(Entry { key, len: len?, modified, version })
    }
}

/// Returns the versions of a key, newest first.
pub(super) async fn versions(bucket: &Bucket, key: &str) -> Result<Vec<Revision>, Error> {
    let failed = |fault| bucket.failed(fault, "list the versions of", key);
    // An id in an answer does not mean that versions are kept; only this does.
    let status = ask(bucket, &[("versioning", "")]).await;
    let none = |why: &str| Err(Error::NoVersions { what: bucket.call(key), why: why.to_owned() });
    let is_kept = match status {
        Ok(root) => matches!(root.text("Status"), "Enabled" | "Suspended"),
        Err(fault) if matches!(fault.status(), Some(405 | 501)) => false,
        Err(fault) => return Err(failed(fault)),
    };
    if !is_kept {
        return none("the bucket keeps none");
    }
    let mut revisions = Vec::new();
    let (mut key_marker, mut id_marker) = (String::new(), String::new());
    loop {
        let mut query = vec![("encoding-type", "url"), ("prefix", key), ("versions", "")];
        if !key_marker.is_empty() {
            query.push(("key-marker", &key_marker));
        }
        if !id_marker.is_empty() {
            query.push(("version-id-marker", &id_marker));
        }
        let root = ask(bucket, &query).await.map_err(failed)?;
        let is_encoded = root.text("EncodingType") == "url";
        let mut beyond = false;
        for element in root.children() {
            let is_deletion = element.name() == "DeleteMarker";
            if !is_deletion && element.name() != "Version" {
                continue;
            }
            if self::key(element, is_encoded).as_deref() != Some(key) {
                // Keys come in order, and the key itself before those that it begins.
                beyond = true;
                continue;
            }
            let revision = revision(element, is_deletion).ok_or_else(unreadable).map_err(failed)?;
            revisions.push(revision);
        }
        if root.text("IsTruncated") != "true" || beyond {
            break;
        }
        let next = root.text("NextKeyMarker").to_owned();
        let next = if is_encoded { decoded(next) } else { Some(next) };
        let next = next.ok_or_else(unreadable).map_err(failed)?;
        let next_id = root.text("NextVersionIdMarker").to_owned();
        if (&next, &next_id) == (&key_marker, &id_marker) || next.is_empty() {
            return Err(failed(unreadable()));
        }
        (key_marker, id_marker) = (next, next_id);
    }
    revisions.sort_by_key(|revision| (!revision.is_current, std::cmp::Reverse(revision.modified)));
    Ok(revisions)
}

fn revision(element: &Element, is_deletion: bool) -> Option<Revision> {
    let modified: Timestamp = element.text("LastModified").parse().ok()?;
    let len = if is_deletion { 0 } else { element.text("Size").parse().ok()? };
    Some(Revision {
        id: element.text("VersionId").to_owned(),
        modified,
        len,
        is_current: element.text("IsLatest") == "true",
        is_deletion,
    })
}

fn key(element: &Element, is_encoded: bool) -> Option<String> {
    let text = element.text("Key").to_owned();
    if is_encoded { decoded(text) } else { Some(text) }
}

/// Undoes the encoding of a key, in which a space is a plus sign.
fn decoded(text: String) -> Option<String> {
    if !text.contains(['+', '%']) {
        return Some(text);
    }
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().ok().map(Into::into)
}

async fn ask(bucket: &Bucket, query: &[(&str, &str)]) -> Result<Element, Fault> {
    let answer = bucket.ask(query).await?;
    Element::parse(answer.body()).ok_or_else(unreadable)
}

fn unreadable() -> Fault {
    Fault::Damaged("it is not a list".to_owned())
}

/// Whether a read failed because a version is a deletion, or is not there.
pub(super) fn is_no_version(fault: &Fault) -> bool {
    fault.status() == Some(405)
        || fault.is_not_found()
        || fault.status() == Some(400) && fault.code() == "InvalidArgument"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page_of(root: &str, inside: &str) -> Option<Page> {
        read(format!("<?xml version=\"1.0\"?><{root} xmlns=\"u\">{inside}</{root}>").as_bytes())
    }

    fn list(inside: &str) -> Option<Page> {
        page_of("ListBucketResult", inside)
    }

    #[test]
    fn a_page_is_read_in_whatever_order_it_comes() {
        let page = list(
            "<NextContinuationToken>t&amp;1</NextContinuationToken><Contents><Size>7</Size>\
             <LastModified>2026-08-01T10:15:00.000Z</LastModified><Owner><ID>x</ID></Owner>\
             <ETag>&quot;5d41&quot;</ETag><Key>a%2Bb+c%C3%BC</Key></Contents>\
             <Contents><Key>plain</Key><Size>0</Size></Contents>\
             <EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>",
        );
        let Page { entries, next } = page.unwrap();
        assert_eq!(next.as_deref(), Some("t&1"));
        let [one, two] = entries.try_into().unwrap();
        assert_eq!((one.key.as_str(), one.len), ("a+b c\u{fc}", 7));
        assert_eq!(one.version.tag.as_deref(), Some("\"5d41\""));
        assert_eq!(one.modified, "2026-08-01T10:15:00Z".parse().ok());
        assert_eq!((two.key.as_str(), two.modified, two.version.tag), ("plain", None, None));
        let bare = list("<Contents><Key>a%2Bb+c</Key><Size>1</Size></Contents>").unwrap();
        assert_eq!((bare.entries[0].key.as_str(), bare.next), ("a%2Bb+c", None));
    }

    #[test]
    fn what_is_no_list_is_none_of_nothing() {
        assert!(list("").unwrap().entries.is_empty());
        assert!(page_of("html", "<body>Please log in</body>").is_none());
        assert!(page_of("Error", "<Code>SlowDown</Code>").is_none());
        assert!(list("<IsTruncated>true</IsTruncated>").is_none(), "and no way on");
        assert!(list("<Contents><Size>1</Size></Contents>").is_none(), "nothing has no name");
        assert!(list("<Contents><Key>a</Key></Contents>").is_none());
    }
}
