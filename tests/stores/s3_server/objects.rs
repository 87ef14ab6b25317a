//! Objects and their versions.

use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use bytes::{Bytes, BytesMut};
use futures_util::{TryStreamExt, stream};
use md5::{Digest, Md5};
use s3s::dto::{
    BucketVersioningStatus, DeleteMarkerEntry, DeleteObjectInput, DeleteObjectOutput, ETag,
    ETagCondition, EncodingType, GetBucketVersioningInput, GetBucketVersioningOutput,
    GetObjectInput, GetObjectOutput, HeadObjectInput, HeadObjectOutput, ListObjectVersionsInput,
    ListObjectVersionsOutput, ListObjectsV2Input, ListObjectsV2Output, Object, ObjectVersion,
    PutObjectInput, PutObjectOutput, StreamingBlob,
};
use s3s::{S3, S3Request, S3Response, S3Result, s3_error};

use super::{Conditions, Memory};

/// One version of an object.
#[derive(Clone)]
pub(super) struct Version {
    pub(super) id: String,
    /// Nothing where it marks a deletion.
    pub(super) data: Option<Bytes>,
    tag: String,
    modified: SystemTime,
    checksum: Option<String>,
}

impl Version {
    pub(super) fn of(data: Bytes) -> Self {
        let tag = format!("{:032x}", u128::from_be_bytes(Md5::digest(&data).into()));
        #[expect(clippy::disallowed_methods, reason = "the server of a test has a clock")]
        let modified = SystemTime::now();
        Self { id: String::new(), data: Some(data), tag, modified, checksum: None }
    }
}

pub(super) struct Objects(pub(super) Arc<Mutex<Memory>>);

impl Memory {
    fn current(&self, key: &str) -> Option<&Version> {
        self.objects.get(key)?.last().filter(|version| version.data.is_some())
    }

    fn find(&self, key: &str, id: Option<&str>) -> S3Result<&Version> {
        let Some(id) = id else { return self.current(key).ok_or_else(|| s3_error!(NoSuchKey)) };
        let versions = self.objects.get(key).map(Vec::as_slice).unwrap_or_default();
        match versions.iter().find(|version| version.id == id) {
            Some(version) if version.data.is_none() => Err(s3_error!(MethodNotAllowed)),
            Some(version) => Ok(version),
            None => Err(s3_error!(NoSuchVersion)),
        }
    }

    fn check(&self, key: &str, create: bool, tag: Option<&ETagCondition>) -> S3Result<()> {
        if self.conditions == Conditions::Ignored {
            return Ok(());
        }
        let current = self.current(key);
        if create && current.is_some() {
            return Err(s3_error!(PreconditionFailed));
        }
        let Some(ETagCondition::ETag(tag)) = tag else { return Ok(()) };
        let Some(current) = current else { return Err(s3_error!(NoSuchKey)) };
        if tag.value() != current.tag || self.conditions == Conditions::NeverMatch {
            return Err(s3_error!(PreconditionFailed));
        }
        Ok(())
    }
}

#[async_trait::async_trait]
impl S3 for Objects {
    async fn get_bucket_versioning(
        &self,
        request: S3Request<GetBucketVersioningInput>,
    ) -> S3Result<S3Response<GetBucketVersioningOutput>> {
        known(&request.input.bucket)?;
        let is_versioned = self.0.lock().unwrap().is_versioned;
        let enabled = || BucketVersioningStatus::from_static(BucketVersioningStatus::ENABLED);
        let status = is_versioned.then(enabled);
        Ok(S3Response::new(GetBucketVersioningOutput { status, ..Default::default() }))
    }

    async fn put_object(
        &self,
        request: S3Request<PutObjectInput>,
    ) -> S3Result<S3Response<PutObjectOutput>> {
        let unquoted =
            request.headers.get("if-match").is_none_or(|tag| !tag.as_bytes().starts_with(b"\""));
        let input = request.input;
        known(&input.bucket)?;
        let data = input.body.unwrap_or_else(|| blob(Bytes::new()));
        let collect = data.try_fold(BytesMut::new(), |mut all, part| async move {
            all.extend_from_slice(&part);
            Ok(all)
        });
        // A digest that is not the signed one shows here.
        let data = collect.await.map_err(|error| s3_error!(InvalidRequest, "{error}"))?;
        let mut version = Version::of(data.freeze());
        version.checksum = input.checksum_sha256;
        let mut memory = self.0.lock().unwrap();
        if memory.conditions == Conditions::Unquoted && !unquoted {
            return Err(s3_error!(PreconditionFailed));
        }
        let create = matches!(input.if_none_match, Some(ETagCondition::Any));
        memory.check(&input.key, create, input.if_match.as_ref())?;
        let version = memory.store(&input.key, version);
        Ok(S3Response::new(PutObjectOutput {
            e_tag: Some(ETag::Strong(version.tag)),
            version_id: (version.id != "null").then_some(version.id),
            ..Default::default()
        }))
    }

    async fn get_object(
        &self,
        request: S3Request<GetObjectInput>,
    ) -> S3Result<S3Response<GetObjectOutput>> {
        let input = request.input;
        known(&input.bucket)?;
        let memory = self.0.lock().unwrap();
        let version = memory.find(&input.key, input.version_id.as_deref())?;
        if let Some(ETagCondition::ETag(tag)) = &input.if_match
            && tag.value() != version.tag
        {
            return Err(s3_error!(PreconditionFailed));
        }
        let all = version.data.clone().unwrap();
        let total = all.len() as u64;
        let (data, content_range) = match input.range {
            None => (all, None),
            Some(range) => {
                let span = range.check(total)?;
                let text = format!("bytes {}-{}/{total}", span.start, span.end - 1);
                let at = |offset: u64| usize::try_from(offset).unwrap();
                (all.slice(at(span.start)..at(span.end)), Some(text))
            }
        };
        let whole = content_range.is_none() && input.checksum_mode.is_some();
        Ok(S3Response::new(GetObjectOutput {
            content_length: Some(data.len().try_into().unwrap()),
            body: Some(blob(data)),
            content_range,
            checksum_sha256: version.checksum.clone().filter(|_| whole),
            e_tag: Some(ETag::Strong(version.tag.clone())),
            last_modified: Some(version.modified.into()),
            version_id: memory.is_versioned.then(|| version.id.clone()),
            ..Default::default()
        }))
    }

    async fn head_object(
        &self,
        request: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        let input = request.input;
        known(&input.bucket)?;
        let memory = self.0.lock().unwrap();
        let version = memory.find(&input.key, input.version_id.as_deref())?;
        Ok(S3Response::new(HeadObjectOutput {
            content_length: Some(version.data.as_ref().unwrap().len().try_into().unwrap()),
            e_tag: Some(ETag::Strong(version.tag.clone())),
            last_modified: Some(version.modified.into()),
            version_id: memory.is_versioned.then(|| version.id.clone()),
            ..Default::default()
        }))
    }

    async fn delete_object(
        &self,
        request: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        let input = request.input;
        known(&input.bucket)?;
        let mut memory = self.0.lock().unwrap();
        let tag = input.if_match.map(|tag| match tag {
            ETagCondition::ETag(tag) => ETagCondition::ETag(tag),
            ETagCondition::Any => ETagCondition::Any,
        });
        memory.check(&input.key, false, tag.as_ref())?;
        if memory.is_versioned {
            let marker = Version { data: None, ..Version::of(Bytes::new()) };
            memory.store(&input.key, marker);
        } else {
            memory.objects.remove(&input.key);
        }
        Ok(S3Response::new(DeleteObjectOutput::default()))
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        let input = request.input;
        known(&input.bucket)?;
        let memory = self.0.lock().unwrap();
        let prefix = input.prefix.unwrap_or_default();
        let after = input
            .continuation_token
            .map(|token| token.strip_prefix('t').unwrap_or_default().to_owned())
            .or(input.start_after);
        let from = after.clone().unwrap_or_default().max(prefix.clone());
        let mut current = memory
            .objects
            .range(from..)
            .map(|(key, _)| key)
            .take_while(|key| key.starts_with(&prefix))
            .filter(|key| after.as_ref() != Some(key))
            .filter_map(|key| Some((key, memory.current(key)?)));
        let mut last = String::new();
        let encode = |key: &str| match &input.encoding_type {
            Some(_) => urlencoded(key),
            None => key.to_owned(),
        };
        let mut contents = Vec::new();
        for (key, version) in current.by_ref().take(1_000) {
            last.clone_from(key);
            contents.push(Object {
                key: Some(encode(key)),
                size: version.data.as_ref().map(|data| data.len().try_into().unwrap()),
                e_tag: Some(ETag::Strong(version.tag.clone())),
                last_modified: Some(version.modified.into()),
                ..Default::default()
            });
        }
        let more = current.next().is_some();
        Ok(S3Response::new(ListObjectsV2Output {
            encoding_type: input.encoding_type.clone(),
            is_truncated: Some(more),
            next_continuation_token: more.then(|| format!("t{last}")),
            contents: Some(contents),
            ..Default::default()
        }))
    }

    async fn list_object_versions(
        &self,
        request: S3Request<ListObjectVersionsInput>,
    ) -> S3Result<S3Response<ListObjectVersionsOutput>> {
        let input = request.input;
        known(&input.bucket)?;
        let memory = self.0.lock().unwrap();
        let prefix = input.prefix.unwrap_or_default();
        let mark = input.key_marker.zip(input.version_id_marker);
        let all = memory.objects.iter().filter(|(key, _)| key.starts_with(&prefix));
        let all = all.flat_map(|(key, versions)| versions.iter().rev().map(move |one| (key, one)));
        let all: Vec<_> = all.collect();
        let is_mark = |(key, one): &(&String, &Version)| {
            mark.as_ref().is_some_and(|mark| (&mark.0, &mark.1) == (key, &one.id))
        };
        let start = all.iter().position(is_mark).map_or(0, |at| at + 1);
        // Small pages, so that a test reaches the second one.
        let page = &all[start..(start + 2).min(all.len())];
        let more = start + page.len() < all.len();
        let mut output = ListObjectVersionsOutput {
            encoding_type: Some(EncodingType::from_static(EncodingType::URL)),
            is_truncated: Some(more),
            ..Default::default()
        };
        if let Some((key, one)) = page.last().filter(|_| more) {
            output.next_key_marker = Some(urlencoded(key));
            output.next_version_id_marker = Some(one.id.clone());
        }
        let (mut versions, mut markers) = (Vec::new(), Vec::new());
        for (key, one) in page {
            let is_latest = Some(memory.objects[*key].last().unwrap().id == one.id);
            let (key, version_id) = (Some(urlencoded(key)), Some(one.id.clone()));
            let last_modified = Some(one.modified.into());
            match &one.data {
                None => markers.push(DeleteMarkerEntry {
                    key,
                    version_id,
                    is_latest,
                    last_modified,
                    ..Default::default()
                }),
                Some(data) => versions.push(ObjectVersion {
                    key,
                    version_id,
                    is_latest,
                    last_modified,
                    size: Some(data.len().try_into().unwrap()),
                    ..Default::default()
                }),
            }
        }
        (output.versions, output.delete_markers) = (Some(versions), Some(markers));
        Ok(S3Response::new(output))
    }
}

fn blob(data: Bytes) -> StreamingBlob {
    StreamingBlob::wrap(stream::iter([Ok::<_, std::io::Error>(data)]))
}

fn known(bucket: &str) -> S3Result<()> {
    if bucket == "states" { Ok(()) } else { Err(s3_error!(NoSuchBucket)) }
}

/// Encodes a key as S3 does in lists: a space is a plus sign.
fn urlencoded(key: &str) -> String {
    url::form_urlencoded::byte_serialize(key.as_bytes()).collect()
}
