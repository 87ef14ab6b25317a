//! Writing and deleting, so that what became of it is known.
//!
//! A write is never repeated blindly: the crate's own repetition takes its first write for
//! somebody else's. After every answer that is not clear, what is there is read and compared.

use bytes::Bytes;
use object_store::path::Path;

use super::bucket::{Bucket, Condition, Conditions};
use crate::store::object::error::Fault;
use crate::store::{Body, Cause, Error, Expected, Found, Version};

/// What is found under a key after a write.
enum Seen {
    /// What was to be written.
    Ours(Version),
    /// What was there before.
    Before,
    /// Something else.
    Other,
}

/// Writes a body under a key.
pub(super) async fn write(bucket: &Bucket, key: &str, body: &Body<'_>) -> Result<Version, Error> {
    bucket.path(key)?;
    if !is_sure(bucket, body.expected) {
        let found = bucket.head(key).await?.map(|entry| entry.version);
        if !is_expected(body.expected, found.as_ref()) {
            return Err(Error::Changed { what: bucket.call(key) });
        }
    }
    add(bucket, key, body).await
}

/// Writes a body on its condition alone, whether or not the store heeds that.
pub(super) async fn add(bucket: &Bucket, key: &str, body: &Body<'_>) -> Result<Version, Error> {
    let path = bucket.path(key)?;
    let bytes = Bytes::copy_from_slice(body.bytes);
    let writing = Writing { bucket, key, path: &path, bytes, expected: body.expected };
    writing.run().await
}

/// Whether the store itself sees to it that a write finds what it expects.
fn is_sure(bucket: &Bucket, expected: Expected<'_>) -> bool {
    let seen = match expected {
        Expected::Nothing => &bucket.conditions.create,
        Expected::Version(_) => &bucket.conditions.replace,
    };
    let useless = Conditions::has(&bucket.conditions.useless);
    (bucket.is_amazon || Conditions::has(seen)) && !useless
}

fn is_expected(expected: Expected<'_>, found: Option<&Version>) -> bool {
    match (expected, found) {
        (Expected::Nothing, None) => true,
        (Expected::Version(expected), Some(found)) => is_same(expected, found),
        _ => false,
    }
}

/// Whether two versions are of one content: by their tags, which every store gives, since some
/// give ids that mean nothing.
fn is_same(one: &Version, other: &Version) -> bool {
    let bare = |version: &Version| version.tag.clone().map(|tag| tag.trim_matches('"').to_owned());
    bare(one) == bare(other)
}

struct Writing<'a> {
    bucket: &'a Bucket,
    key: &'a str,
    path: &'a Path,
    bytes: Bytes,
    expected: Expected<'a>,
}

impl Writing<'_> {
    async fn run(&self) -> Result<Version, Error> {
        let (mut tries, mut in_doubt) = (0, false);
        loop {
            let fault = match self.bucket.put(self.path, self.bytes.clone(), self.condition()).await
            {
                Ok(version) => return Ok(version),
                Err(fault) => fault,
            };
            let is_refused = is_refusal(&fault);
            let is_clear = !is_refused && !fault.is_ambiguous() && !fault.is_passing();
            if is_clear && !in_doubt {
                return Err(self.bucket.failed(fault, "write", self.key));
            }
            in_doubt |= fault.is_ambiguous();
            match self.look().await {
                Ok(Seen::Ours(version)) => return Ok(version),
                Ok(Seen::Before) if fault.status() == Some(412) => self.learn(),
                Ok(Seen::Before) => {}
                Ok(Seen::Other) if is_refused && !in_doubt => {
                    return Err(Error::Changed { what: self.bucket.call(self.key) });
                }
                // Ours may have been there for a moment.
                Ok(Seen::Other) => return Err(self.unknown(fault.into())),
                Err(error) => return Err(self.unknown(Box::new(error))),
            }
            if tries >= self.bucket.retries && matches!(fault, Fault::TimedOut(_)) {
                // It is not there yet; what was sent may be carried out late.
                return Err(self.unknown(fault.into()));
            }
            if is_clear || tries >= self.bucket.retries {
                return Err(self.bucket.failed(fault, "write", self.key));
            }
            tries += 1;
            tracing::info!(%fault, "writing again, {tries} of {}", self.bucket.retries);
            self.bucket.pause(tries).await;
        }
    }

    fn unknown(&self, source: Cause) -> Error {
        Error::Unknown { what: self.bucket.call(self.key), source }
    }

    fn condition(&self) -> Condition<'_> {
        match self.expected {
            Expected::Nothing => Condition::Nothing,
            Expected::Version(Version { tag: Some(tag), .. })
                if !Conditions::has(&self.bucket.conditions.useless) =>
            {
                Condition::Tag(tag)
            }
            Expected::Version(_) => Condition::Checked,
        }
    }

    /// Notes that the store refused although it holds what was expected.
    fn learn(&self) {
        if matches!(self.expected, Expected::Nothing) {
            return;
        }
        let conditions = &self.bucket.conditions;
        if Conditions::has(&conditions.unquoted) {
            tracing::warn!(
                bucket = self.bucket.name,
                "this store cannot replace a version: it is compared just before, which only a lock makes sure"
            );
            Conditions::note(&conditions.useless);
        } else {
            tracing::info!(
                bucket = self.bucket.name,
                "asking without quotes, as an old Ceph wants it"
            );
            Conditions::note(&conditions.unquoted);
        }
    }

    async fn look(&self) -> Result<Seen, Error> {
        let Some(object) = self.bucket.get(self.key, None).await? else {
            let before = matches!(self.expected, Expected::Nothing);
            return Ok(if before { Seen::Before } else { Seen::Other });
        };
        if object.bytes == *self.bytes {
            return Ok(Seen::Ours(object.version));
        }
        let before = is_expected(self.expected, Some(&object.version));
        Ok(if before { Seen::Before } else { Seen::Other })
    }
}

/// Whether the store says that something else is there than expected. Of a version that is gone,
/// some say that it is not found.
pub(super) fn is_refusal(fault: &Fault) -> bool {
    matches!(fault.status(), Some(304 | 409 | 412)) || fault.is_not_found()
}

/// Deletes what is under a key if it is still this version.
pub(super) async fn delete(bucket: &Bucket, key: &str, expected: &Version) -> Result<(), Error> {
    let changed = || Error::Changed { what: bucket.call(key) };
    bucket.path(key)?;
    let (mut tries, mut in_doubt, mut conditional) = (0, false, true);
    loop {
        match bucket.head(key).await? {
            // It was ours that deleted it, or somebody's who wanted the same.
            None if in_doubt => return Ok(()),
            Some(entry) if is_same(&entry.version, expected) => {}
            _ => return Err(changed()),
        }
        let tag = expected.tag.as_deref().filter(|_| conditional);
        let fault = match bucket.delete(key, tag).await {
            Ok(()) => return Ok(()),
            Err(fault) => fault,
        };
        match fault.status() {
            // This store knows no conditions there, or has another version by now: what it holds
            // is compared again.
            Some(412 | 501) if conditional => conditional = false,
            Some(404) if fault.is_not_found() => return Ok(()),
            _ if fault.is_ambiguous() || fault.is_passing() || fault.status() == Some(409) => {
                in_doubt |= fault.is_ambiguous();
                if tries >= bucket.retries {
                    return Err(bucket.failed(fault, "delete", key));
                }
                tries += 1;
                bucket.pause(tries).await;
            }
            _ => return Err(bucket.failed(fault, "delete", key)),
        }
    }
}

/// Returns what a read found.
pub(super) fn found(object: Option<crate::store::object::read::Object>) -> Found {
    object.map_or(Found::Nothing, |object| Found::of(object.bytes, object.version))
}
