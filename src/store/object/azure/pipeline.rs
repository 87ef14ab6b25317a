//! Asking a pipeline for the token of what runs in it.

use bytes::Bytes;
use http::Request;
use reqsign_core::{Context, Error, Result};

use crate::base::secret::Secret;
use crate::store::object::keys;

/// Whom a token that GitHub gives out must be meant for.
const AUDIENCE: &str = "api%3A%2F%2FAzureADTokenExchange";

/// A service that gives out tokens.
#[derive(Clone, Debug)]
pub(super) struct Pipeline {
    pub(super) url: String,
    pub(super) bearer: Secret,
    /// The service connection by which Azure DevOps knows whose token it is; GitHub knows none.
    pub(super) connection: Option<String>,
}

impl Pipeline {
    /// Returns a new token.
    pub(super) async fn token(&self, context: &Context) -> Result<String> {
        let request = self.request().map_err(|_| failed("has no valid address"))?;
        let answer = context.http_send(request).await?;
        let body: serde_json::Value = serde_json::from_slice(answer.body()).unwrap_or_default();
        let token = if self.connection.is_some() { &body["oidcToken"] } else { &body["value"] };
        match token.as_str() {
            Some(token) if answer.status().is_success() => Ok(token.to_owned()),
            _ => Err(failed("was refused")),
        }
    }

    fn request(&self) -> http::Result<Request<Bytes>> {
        let separator = if self.url.contains('?') { '&' } else { '?' };
        let request = match &self.connection {
            None => Request::get(format!("{}{separator}audience={AUDIENCE}", self.url)),
            Some(id) => {
                let query = format!("api-version=7.1&serviceConnectionId={}", keys::encode(id));
                Request::post(format!("{}{separator}{query}", self.url))
                    .header("content-length", "0")
                    .header("content-type", "application/json")
                    // It would answer a wrong token with a page to sign in on.
                    .header("x-tfs-fedauthredirect", "Suppress")
            }
        };
        request
            .header("authorization", format!("Bearer {}", self.bearer.expose()))
            .header("accept", "application/json")
            .body(Bytes::new())
    }
}

fn failed(why: &str) -> Error {
    Error::credential_invalid(format!("the token of the pipeline {why}"))
}

#[cfg(test)]
mod tests {
    use reqsign_core::HttpSend;

    use super::*;
    use crate::store::runtime;

    /// Answers as the service does that a request is meant for.
    #[derive(Debug)]
    struct Service;

    impl HttpSend for Service {
        async fn http_send(&self, request: Request<Bytes>) -> Result<http::Response<Bytes>> {
            let bearer = &request.headers()["authorization"];
            let body = match (request.method().as_str(), request.uri().to_string().as_str()) {
                ("GET", "http://git/t?job=1&audience=api%3A%2F%2FAzureADTokenExchange") => {
                    r#"{"value":"of-git"}"#
                }
                ("POST", "http://devops/t?api-version=7.1&serviceConnectionId=a%20b") => {
                    r#"{"oidcToken":"of-devops"}"#
                }
                _ => "{}",
            };
            let body = if bearer == "Bearer S3CR3T" { body } else { "{}" };
            Ok(http::Response::new(Bytes::from(body)))
        }
    }

    fn token(url: &str, bearer: &str, connection: Option<&str>) -> Result<String> {
        let connection = connection.map(ToOwned::to_owned);
        let pipeline = Pipeline { url: url.to_owned(), bearer: Secret::new(bearer), connection };
        let context = Context::new().with_http_send(Service);
        runtime::block_on(pipeline.token(&context)).unwrap()
    }

    #[test]
    fn git_hub_and_azure_devops_are_asked_each_in_its_way() {
        assert_eq!(token("http://git/t?job=1", "S3CR3T", None).unwrap(), "of-git");
        assert_eq!(token("http://devops/t", "S3CR3T", Some("a b")).unwrap(), "of-devops");
    }

    #[test]
    fn what_is_refused_is_told_without_the_bearer() {
        let error = token("http://git/t?job=1", "W0RD", None).unwrap_err();
        assert_eq!(error.to_string(), "the token of the pipeline was refused");
        let error = token("no address", "W0RD", None).unwrap_err();
        assert!(!format!("{error:?}").contains("W0RD"), "{error:?}");
    }
}
