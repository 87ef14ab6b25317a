//! What every request to S3 or `DynamoDB` carries: the headers that settings ask for, and the
//! signature of the region where the bucket is.

use std::fmt;
use std::sync::{PoisonError, RwLock};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::BoxFuture;
use http::request::Parts;
use http::uri::{Authority, PathAndQuery};
use http::{HeaderName, HeaderValue, Method, Uri};
use md5::{Digest, Md5};
use reqsign_aws_v4::{Credential, EMPTY_STRING_SHA256, RequestSigner};
use reqsign_core::{ErrorKind, Signer};

use super::config::{Config, amazon};
use crate::store::Error;
use crate::store::backend::S3;
use crate::store::object::answer::Answer;
use crate::store::object::client::{BodyDigest, Sign};
use crate::store::object::error::Fault;

/// Marks a request, in its extensions, that is about the bucket and not about one object.
#[derive(Clone, Copy, Debug)]
pub(super) struct AboutBucket;

/// Signs requests to S3.
#[derive(Debug)]
pub(super) struct S3Sign {
    region: RwLock<Region>,
    /// The host of the region to begin with, which other regions take the place of; nothing where
    /// the endpoint is not Amazon's own.
    host: Option<String>,
    headers: ObjectHeaders,
}

#[derive(Debug)]
struct Region {
    name: String,
    signer: Signer<Credential>,
    /// How often it turned out to be another.
    lessons: u32,
}

impl S3Sign {
    /// Returns what signs requests to the bucket of these settings.
    pub(super) fn new(
        settings: &S3,
        customer_key: Option<&str>,
        config: &Config,
        signer: Signer<Credential>,
    ) -> Result<Self, Error> {
        let host = amazon("s3", &config.region);
        let host = config.bucket_url.contains(&host).then_some(host);
        let headers = ObjectHeaders::new(settings, customer_key)?;
        Ok(Self {
            region: RwLock::new(Region { name: config.region.clone(), signer, lessons: 0 }),
            host,
            headers,
        })
    }

    /// Sends a request to the region that is right by now.
    fn direct(&self, head: &mut Parts, region: &str) -> Option<()> {
        let authority = head.uri.authority()?.as_str();
        let bucket = authority.strip_suffix(self.host.as_deref()?)?;
        let authority = Authority::try_from(format!("{bucket}{}", amazon("s3", region))).ok()?;
        let mut parts = head.uri.clone().into_parts();
        parts.authority = Some(authority);
        parts.path_and_query.get_or_insert(PathAndQuery::from_static("/"));
        head.uri = Uri::from_parts(parts).ok()?;
        Some(())
    }
}

impl Sign for S3Sign {
    fn sign<'a>(&'a self, head: &'a mut Parts) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(async move {
            if head.extensions.get::<AboutBucket>().is_none() {
                self.headers.add(head);
            }
            let signer = {
                let region = self.region.read().unwrap_or_else(PoisonError::into_inner);
                self.direct(head, &region.name);
                region.signer.clone()
            };
            sign(&signer, head).await
        })
    }

    fn lessons(&self) -> u32 {
        self.region.read().unwrap_or_else(PoisonError::into_inner).lessons
    }

    fn learn(&self, answer: &Answer, lessons: u32) -> bool {
        let Some(there) = &answer.region else { return false };
        let mut region = self.region.write().unwrap_or_else(PoisonError::into_inner);
        if region.name == *there {
            // Another request that was under way may have learned it meanwhile.
            return matches!(answer.status, 301 | 307 | 308 | 400) && region.lessons != lessons;
        }
        region.lessons += 1;
        tracing::info!(region = %there, "the bucket is in another region");
        region.signer = region.signer.clone().with_request_signer(RequestSigner::new("s3", there));
        region.name.clone_from(there);
        true
    }
}

/// Signs requests to `DynamoDB`.
#[derive(Debug)]
pub(super) struct TableSign(Signer<Credential>);

impl TableSign {
    /// Returns what signs requests to tables with the credentials of `signer`.
    pub(super) fn new(signer: &Signer<Credential>, region: &str) -> Self {
        Self(signer.clone().with_request_signer(RequestSigner::new("dynamodb", region)))
    }
}

impl Sign for TableSign {
    fn sign<'a>(&'a self, head: &'a mut Parts) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(sign(&self.0, head))
    }
}

async fn sign(signer: &Signer<Credential>, head: &mut Parts) -> Result<(), Fault> {
    let digest = head.extensions.get::<BodyDigest>();
    let digest = digest.map_or(EMPTY_STRING_SHA256, |digest| digest.0.as_str());
    if let Ok(digest) = HeaderValue::from_str(digest) {
        head.headers.insert("x-amz-content-sha256", digest);
    }
    signer.sign(head, None).await.map_err(|error| match error.kind() {
        ErrorKind::PermissionDenied => Fault::WrongCredentials(words(&error)),
        _ => Fault::NoCredentials(words(&error)),
    })
}

/// Returns why there are no credentials; the library's own words for that nothing was found say
/// nothing that the problem doesn't.
fn words(error: &reqsign_core::Error) -> String {
    let text = error.to_string();
    if text == "failed to load signing credential" { String::new() } else { text }
}

/// The headers that the settings add to requests about objects.
struct ObjectHeaders {
    /// To those that write.
    write: Vec<(HeaderName, HeaderValue)>,
    /// To all.
    always: Vec<(HeaderName, HeaderValue)>,
    /// Whether the store is to check and to tell what it stores.
    checksums: bool,
}

/// Shows no value: among them is a key.
impl fmt::Debug for ObjectHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.write.iter().chain(&self.always).map(|(name, _)| name);
        f.debug_list().entries(names).finish()
    }
}

impl ObjectHeaders {
    /// Returns what Terraform sends for these settings.
    fn new(settings: &S3, customer_key: Option<&str>) -> Result<Self, Error> {
        let (mut write, mut always) = (Vec::new(), Vec::new());
        if let Some(acl) = &settings.acl {
            write.push(header("x-amz-acl", acl)?);
        }
        match (settings.encrypt, &settings.kms_key_id, customer_key) {
            (false, ..) => {}
            (true, Some(key), _) => {
                write.push(header("x-amz-server-side-encryption", "aws:kms")?);
                write.push(header("x-amz-server-side-encryption-aws-kms-key-id", key)?);
            }
            (true, None, Some(key)) => {
                let bytes = STANDARD.decode(key).ok().filter(|bytes| bytes.len() == 32);
                let Some(bytes) = bytes else {
                    let problem = "the customer key is not 32 bytes in base64".to_owned();
                    return Err(Error::Settings { backend: "s3", problem });
                };
                let name = "x-amz-server-side-encryption-customer";
                always.push(header(&format!("{name}-algorithm"), "AES256")?);
                always.push(header(&format!("{name}-key"), key)?);
                let digest = STANDARD.encode(Md5::digest(&bytes));
                always.push(header(&format!("{name}-key-md5"), &digest)?);
            }
            (true, None, None) => write.push(header("x-amz-server-side-encryption", "AES256")?),
        }
        Ok(Self { write, always, checksums: !settings.skip_s3_checksum })
    }

    fn add(&self, head: &mut Parts) {
        if head.method == Method::DELETE {
            return;
        }
        let writes = head.method == Method::PUT;
        let write = self.write.iter().filter(|_| writes);
        for (name, value) in self.always.iter().chain(write) {
            head.headers.insert(name.clone(), value.clone());
        }
        if self.checksums && !writes {
            head.headers.insert("x-amz-checksum-mode", HeaderValue::from_static("ENABLED"));
        }
        let digest = head.extensions.get::<BodyDigest>();
        if let (true, true, Some(digest)) = (self.checksums, writes, digest)
            && let Some(digest) = base64_of(&digest.0)
        {
            let name = HeaderName::from_static("x-amz-sdk-checksum-algorithm");
            head.headers.insert(name, HeaderValue::from_static("SHA256"));
            head.headers.insert("x-amz-checksum-sha256", digest);
        }
    }
}

fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), Error> {
    let invalid = || {
        let problem = format!("a setting cannot be sent as {name}");
        Error::Settings { backend: "s3", problem }
    };
    let name = HeaderName::try_from(name).map_err(|_| invalid())?;
    let mut value = HeaderValue::from_str(value).map_err(|_| invalid())?;
    value.set_sensitive(true);
    Ok((name, value))
}

/// Returns a digest that is in hexadecimal digits as base64.
fn base64_of(hex: &str) -> Option<HeaderValue> {
    let byte = |at| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok();
    let bytes: Option<Vec<u8>> = (0..hex.len()).step_by(2).map(byte).collect();
    HeaderValue::try_from(STANDARD.encode(bytes?)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::env::Env;
    use crate::store::object::s3::credentials;
    use crate::store::object::s3::profile::Profiles;

    fn headers(settings: &S3, key: Option<&str>, method: Method) -> Vec<String> {
        let request = http::Request::builder().method(method).uri("http://h/k").body(()).unwrap();
        let mut head = request.into_parts().0;
        head.extensions.insert(BodyDigest("00ff".to_owned()));
        ObjectHeaders::new(settings, key).unwrap().add(&mut head);
        let text = |(name, value): (&HeaderName, &HeaderValue)| {
            format!("{name}: {}", value.to_str().unwrap())
        };
        let mut all: Vec<String> = head.headers.iter().map(text).collect();
        all.sort();
        all
    }

    #[test]
    fn a_write_carries_a_checksum_and_what_encrypts() {
        let kms = Some("alias/k".to_owned());
        let settings =
            S3 { encrypt: true, kms_key_id: kms, acl: Some("private".to_owned()), ..S3::default() };
        let expected = [
            "x-amz-acl: private",
            "x-amz-checksum-sha256: AP8=",
            "x-amz-sdk-checksum-algorithm: SHA256",
            "x-amz-server-side-encryption-aws-kms-key-id: alias/k",
            "x-amz-server-side-encryption: aws:kms",
        ];
        assert_eq!(headers(&settings, None, Method::PUT), expected);
        assert_eq!(headers(&settings, None, Method::GET), ["x-amz-checksum-mode: ENABLED"]);
        assert!(headers(&settings, None, Method::DELETE).is_empty());
        let bare = S3 { skip_s3_checksum: true, ..S3::default() };
        assert!(headers(&bare, None, Method::PUT).is_empty());
    }

    #[test]
    fn a_customer_key_goes_with_reads_and_writes_and_is_never_shown() {
        let key = STANDARD.encode([7; 32]);
        let settings = S3 { encrypt: true, skip_s3_checksum: true, ..S3::default() };
        let expected = [
            "x-amz-server-side-encryption-customer-algorithm: AES256".to_owned(),
            "x-amz-server-side-encryption-customer-key-md5: a8YCA2N5W2Pqbvi47fErHg==".to_owned(),
            format!("x-amz-server-side-encryption-customer-key: {key}"),
        ];
        assert_eq!(headers(&settings, Some(&key), Method::GET).len(), 3);
        assert_eq!(headers(&settings, Some(&key), Method::PUT)[0], expected[0]);
        assert!(headers(&settings, Some(&key), Method::PUT).contains(&expected[2]));
        let shown = format!("{:?}", ObjectHeaders::new(&settings, Some(&key)).unwrap());
        assert!(!shown.contains(&key));
        assert!(ObjectHeaders::new(&settings, Some("c2hvcnQ=")).is_err());
    }

    #[test]
    fn whoever_asked_the_wrong_region_learns_the_right_one_though_another_did_before() {
        let (bucket, region) = ("states".to_owned(), Some("us-east-1".to_owned()));
        let settings = S3 { bucket, region, ..S3::default() };
        let env = Env::from_pairs([("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "b")]);
        let profiles = Profiles::read(&settings, &env);
        let config = Config::new(&settings, &env, &profiles).unwrap();
        let signer = credentials::signer(&settings, &env, &profiles, &config).unwrap();
        let sign = S3Sign::new(&settings, None, &config, signer).unwrap();
        let answer = |status, region: Option<&str>| Answer {
            status,
            region: region.map(str::to_owned),
            ..Answer::default()
        };
        let elsewhere = answer(301, Some("eu-west-1"));
        let before = sign.lessons();
        assert!(!sign.learn(&answer(301, None), before));
        assert!(sign.learn(&elsewhere, before));
        assert!(sign.learn(&elsewhere, before), "it was under way when that was learned");
        assert!(!sign.learn(&elsewhere, sign.lessons()), "it went there already");
        let refused = answer(412, Some("eu-west-1"));
        assert!(!sign.learn(&refused, before), "that has nothing to do with where it is");
    }
}
