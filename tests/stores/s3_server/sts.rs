//! The calls of STS that credentials need. Signatures are not verified, but must be there.

use bytes::Bytes;
use http::request::Parts;
use http_body_util::BodyExt;
use hyper::body::Incoming;

use super::{ACCESS_KEY, Headers, SECRET_KEY};

const FORM: &str = "application/x-www-form-urlencoded";

/// The account of whoever asks.
pub(crate) const ACCOUNT: &str = "123456789012";

/// Returns what a request asks of STS, in its query or its body; the body of what is no such.
pub(super) async fn asked(head: &Parts, body: Incoming) -> Result<String, Incoming> {
    if head.headers.get("content-type").is_some_and(|kind| kind == FORM) && head.method == "POST" {
        let body = body.collect().await.unwrap().to_bytes();
        return Ok(String::from_utf8(body.to_vec()).unwrap());
    }
    let query = head.uri.query().filter(|query| query.contains("Action="));
    query.map(ToOwned::to_owned).ok_or(body)
}

/// Returns what is said to a request with this query; the token of a session names its role.
pub(super) fn answer(query: &str, headers: &Headers) -> http::Response<Bytes> {
    let asked: Vec<_> = url::form_urlencoded::parse(query.as_bytes()).collect();
    let param =
        |name: &str| asked.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    let action = param("Action").unwrap();
    // A token of a web identity is a proof of its own.
    if action != "AssumeRoleWithWebIdentity" {
        assert!(headers["authorization"].contains("/sts/aws4_request"), "{headers:?}");
    }
    let text = match &*action {
        "GetCallerIdentity" => format!(
            "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>{ACCOUNT}</Account>\
             </GetCallerIdentityResult></GetCallerIdentityResponse>"
        ),
        "AssumeRole" | "AssumeRoleWithWebIdentity" => {
            let arn = param("RoleArn").unwrap();
            format!(
                "<{action}Response><{action}Result><Credentials>\
                 <AccessKeyId>{ACCESS_KEY}</AccessKeyId>\
                 <SecretAccessKey>{SECRET_KEY}</SecretAccessKey>\
                 <SessionToken>token-of-{arn}</SessionToken>\
                 <Expiration>2099-01-01T00:00:00Z</Expiration>\
                 </Credentials></{action}Result></{action}Response>"
            )
        }
        other => panic!("{other}"),
    };
    http::Response::new(text.into())
}
