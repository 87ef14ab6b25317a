//! What a store says when it refuses, in whatever language it speaks.

use http::{HeaderMap, StatusCode};

use crate::store::Problem;

/// How much of a store's own words is kept.
const WORDS: usize = 400;

/// An answer that says no.
#[derive(Clone, Debug, Default)]
pub(in crate::store) struct Answer {
    /// The status.
    pub(in crate::store) status: u16,
    /// The store's word for it: `NoSuchBucket`. Empty where it has none.
    pub(in crate::store) code: String,
    /// The store's sentence.
    pub(in crate::store) message: String,
    /// The region where the store says that the bucket is.
    pub(in crate::store) region: Option<String>,
    /// How many seconds the store asks to wait.
    pub(in crate::store) wait: Option<u64>,
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.code.as_str(), self.message.as_str()) {
            ("", "") => write!(f, "the answer is {}", self.status),
            (code, "") | ("", code) => write!(f, "the answer is {}: {code}", self.status),
            (code, message) => write!(f, "the answer is {}: {code}: {message}", self.status),
        }
    }
}

impl Answer {
    /// Reads a refusal, in XML as S3, GCS and Azure write it or in JSON as `DynamoDB` does.
    pub(in crate::store) fn read(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        let header = |name: &str| Some(headers.get(name)?.to_str().ok()?.to_owned());
        let text = String::from_utf8_lossy(body);
        let xml = |name: &str| {
            let (_, rest) = text.split_once(&format!("<{name}>"))?;
            let inner = rest.split_once(&format!("</{name}>"))?.0;
            Some(quick_xml::escape::unescape(inner).map_or_else(|_| inner.into(), Into::into))
        };
        let json: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
        // Google wraps what it says.
        let json = json.get("error").filter(|inner| inner.is_object()).unwrap_or(&json);
        let member = |name: &str| Some(json.get(name)?.as_str()?.to_owned());
        let kind = member("__type").map(|kind| kind.rsplit('#').next().unwrap_or("").to_owned());
        let reason = || Some(json["errors"][0]["reason"].as_str()?.to_owned());
        let code = xml("Code").or(kind).or_else(|| header("x-ms-error-code")).or_else(reason);
        let message = xml("Message").or_else(|| member("message")).or_else(|| member("Message"));
        // Google has one reason for whatever is not found, and plain text where contents are read.
        let bucket = "The specified bucket does not exist";
        let is_bucket = text.starts_with(bucket)
            || message.as_ref().is_some_and(|message| message.starts_with(bucket));
        let code = if is_bucket { Some("NoSuchBucket".to_owned()) } else { code };
        // Azure tells a wrong signature from an old one in the details only.
        let detail = xml("AuthenticationErrorDetail");
        let message = detail.filter(|detail| is_expiry(detail)).or(message);
        // Azure adds lines that only its support can read.
        let message = message.and_then(|message| Some(harmless(message.lines().next()?)));
        let region = header("x-amz-bucket-region").or_else(|| xml("Region"));
        let short = |text: Option<String>| text.unwrap_or_default().chars().take(WORDS).collect();
        Self {
            status: status.as_u16(),
            code: short(code),
            message: short(message),
            region,
            wait: header("retry-after").and_then(|seconds| seconds.parse().ok()),
        }
    }

    /// Whether the store asks for fewer requests; it has done nothing then.
    pub(in crate::store) fn is_throttling(&self) -> bool {
        const CODES: [&str; 8] = [
            "SlowDown",
            "Throttling",
            "ThrottlingException",
            "ProvisionedThroughputExceededException",
            "RequestLimitExceeded",
            "ServerBusy",
            "rateLimitExceeded",
            "userRateLimitExceeded",
        ];
        self.status == 429 || CODES.contains(&self.code.as_str())
    }

    /// Returns what went wrong, by what can be done about it.
    pub(super) fn problem(&self, container: &str) -> Problem {
        if matches!(self.status, 401 | 403) && is_expiry(&self.message) {
            return Problem::Expired;
        }
        if self.status == 403 && self.message.starts_with("Server failed to authenticate") {
            return Problem::Unauthenticated;
        }
        match self.code.as_str() {
            "NoSuchBucket" | "ContainerNotFound" | "ResourceNotFoundException" => {
                return Problem::NoContainer(container.to_owned());
            }
            "ExpiredToken"
            | "ExpiredTokenException"
            | "TokenRefreshRequired"
            | "RequestExpired" => {
                return Problem::Expired;
            }
            "InvalidAccessKeyId"
            | "SignatureDoesNotMatch"
            | "InvalidToken"
            | "UnrecognizedClientException"
            | "InvalidSignatureException"
            | "AuthenticationFailed" => return Problem::Unauthenticated,
            _ => {}
        }
        if let (301 | 307 | 308 | 400, Some(region)) = (self.status, &self.region) {
            return Problem::Redirected(format!("the region is {region}"));
        }
        match self.status {
            _ if self.is_throttling() => Problem::Throttled,
            300..=399 => Problem::Redirected("the answer does not say where".to_owned()),
            401 => Problem::Unauthenticated,
            403 => Problem::Denied,
            408 => Problem::TimedOut,
            500.. => Problem::Unavailable(self.status),
            _ => Problem::Refused,
        }
    }
}

/// Whether a refusal is about time.
fn is_expiry(message: &str) -> bool {
    message.contains("not valid in the specified time frame") || message.contains("expired")
}

/// Returns what an answer says up to where it repeats a credential of the request, as the error
/// pages of proxies do that print its URL or headers.
fn harmless(message: &str) -> String {
    let low = message.to_ascii_lowercase();
    let marks = ["sig=", "signature=", "security-token", "bearer ", "basic ", "sharedkey "];
    match marks.into_iter().filter_map(|mark| low.find(mark)).min() {
        Some(at) => format!("{}…", &message[..at]),
        None => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: &[(&'static str, &str)], body: &str) -> Answer {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().unwrap());
        }
        Answer::read(StatusCode::from_u16(status).unwrap(), &map, body.as_bytes())
    }

    fn problem(status: u16, code: &str) -> Problem {
        let body = format!("<Error><Code>{code}</Code><Message>m &amp; n</Message></Error>");
        answer(status, &[], &body).problem("bucket b")
    }

    #[test]
    fn an_answer_that_repeats_a_credential_ends_before_it() {
        for said in ["GET /c/k?sv=1&amp;sig=MARK", "é Authorization: Bearer MARK", "Signature=MARK"]
        {
            let body = format!("<Error><Code>No</Code><Message>{said}</Message></Error>");
            let told = format!("{0} {0:?}", answer(403, &[], &body));
            assert!(told.contains('…') && !told.contains("MARK"), "{told}");
        }
    }

    #[test]
    fn a_refusal_is_read_from_xml_and_from_json() {
        let xml = answer(403, &[], "<Error><Code>AccessDenied</Code><Message>a &amp; b</Message>");
        assert_eq!(xml.to_string(), "the answer is 403: AccessDenied: a & b");
        let json = r#"{"__type":"com.amazonaws#ResourceNotFoundException","message":"no table"}"#;
        let json = answer(400, &[], json);
        assert_eq!(json.to_string(), "the answer is 400: ResourceNotFoundException: no table");
        assert_eq!(answer(502, &[], "<html>").to_string(), "the answer is 502");
    }

    #[test]
    fn answers_are_sorted_by_what_can_be_done() {
        assert_eq!(problem(404, "NoSuchBucket"), Problem::NoContainer("bucket b".to_owned()));
        assert_eq!(problem(400, "ExpiredToken"), Problem::Expired);
        assert_eq!(problem(403, "InvalidAccessKeyId"), Problem::Unauthenticated);
        assert_eq!(problem(403, "AccessDenied"), Problem::Denied);
        assert_eq!(problem(503, "SlowDown"), Problem::Throttled);
        assert_eq!(problem(429, ""), Problem::Throttled);
        assert_eq!(problem(500, "InternalError"), Problem::Unavailable(500));
        assert_eq!(problem(400, "InvalidArgument"), Problem::Refused);
    }

    #[test]
    fn google_and_azure_are_read_too() {
        let json = r#"{"error":{"code":403,"message":"m","errors":[{"reason":"forbidden"}]}}"#;
        assert_eq!(answer(403, &[], json).to_string(), "the answer is 403: forbidden: m");
        let json = json.replace("\"m\"", "\"The specified bucket does not exist.\"");
        let missing = Problem::NoContainer("bucket b".to_owned());
        assert_eq!(answer(404, &[], &json).problem("bucket b"), missing);
        let plain = answer(404, &[], "The specified bucket does not exist.");
        assert_eq!(plain.problem("bucket b"), missing);
        let xml = "<Error><Code>AuthenticationFailed</Code><Message>Server failed to authenticate \
                   the request.\nRequestId:1</Message>";
        assert_eq!(answer(403, &[], xml).problem("c"), Problem::Unauthenticated);
        assert!(answer(403, &[], xml).to_string().ends_with("authenticate the request."));
        let old = "<AuthenticationErrorDetail>Signature not valid in the specified time frame: \
                   Start</AuthenticationErrorDetail></Error>";
        assert_eq!(answer(403, &[], &format!("{xml}{old}")).problem("c"), Problem::Expired);
        let secret = "<AuthenticationErrorDetail>Signature did not match. String to sign used was \
                      S3CR3T</AuthenticationErrorDetail>";
        assert!(!answer(403, &[], &format!("{xml}{secret}")).to_string().contains("S3CR3T"));
    }

    #[test]
    fn a_redirect_says_the_region() {
        let there = answer(301, &[("x-amz-bucket-region", "eu-west-1")], "").problem("bucket b");
        assert_eq!(there, Problem::Redirected("the region is eu-west-1".to_owned()));
        let body = "<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-1</Region>";
        assert_eq!(answer(400, &[], body).problem("bucket b"), there);
    }
}
