//! Requests to a server that keeps a state, repeated as Terraform repeats them.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use md5::{Digest as _, Md5};
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use tokio::time::{sleep, timeout};

use super::Target;
use crate::base::secret::Secret;
use crate::store::object::answer::Answer;
use crate::store::object::error::{Fault, transport};

/// How slow a connection may be, in bytes a second, before an upload counts as stuck.
const SLOWEST: u64 = 128 * 1024;

/// The largest answer that is read.
const LIMIT: u64 = 4 << 30;

/// A client of one server. Cloning it is cheap.
#[derive(Clone)]
pub(super) struct Client(Arc<Inner>);

/// What every request has in common.
pub(super) struct Inner {
    pub(super) http: reqwest::Client,
    pub(super) user: Option<(String, Secret)>,
    pub(super) headers: HeaderMap,
    pub(super) retries: u32,
    pub(super) shortest_pause: Duration,
    pub(super) longest_pause: Duration,
    pub(super) patience: Duration,
}

/// When a request that failed is sent again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Repeat {
    /// Whenever it may succeed later.
    Always,
    /// Only where the server surely did nothing.
    WhereUndone,
}

/// An answer, whatever it says.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl From<Reply> for Fault {
    fn from(reply: Reply) -> Self {
        let status = http::StatusCode::from_u16(reply.status).unwrap_or_default();
        let mut answer = Answer::read(status, &reply.headers, &reply.body);
        let location = reply.headers.get(http::header::LOCATION).and_then(|to| to.to_str().ok());
        if (300..400).contains(&reply.status) {
            // What follows `?` may be a token.
            let to = location.and_then(|to| to.split(['?', '#']).next());
            to.unwrap_or("the answer does not say where").clone_into(&mut answer.message);
        }
        Self::Answer(Box::new(answer))
    }
}

impl Client {
    pub(super) fn new(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    /// How often a request is sent again.
    pub(super) fn retries(&self) -> u32 {
        self.0.retries
    }

    /// Sends a request, again where that is called for, and returns the answer unless it says that
    /// the server is in trouble.
    pub(super) async fn send(
        &self,
        to: &Target,
        body: Option<&Bytes>,
        repeat: Repeat,
    ) -> Result<Reply, Fault> {
        let mut tries = 0;
        loop {
            let fault = match self.once(to, body).await {
                Ok(reply) if !is_passing(reply.status) => return Ok(reply),
                Ok(reply) => Fault::from(reply),
                Err(fault) => fault,
            };
            let is_safe = repeat == Repeat::Always || !fault.is_ambiguous();
            let is_passing = fault.is_passing() || fault.status().is_some_and(is_passing);
            if !is_safe || !is_passing || tries >= self.0.retries {
                return Err(fault);
            }
            self.pause(&fault, tries).await;
            tries += 1;
        }
    }

    /// Waits before the next try: as long as the server asks, else longer each time.
    pub(super) async fn pause(&self, fault: &Fault, tries: u32) {
        let asked = match fault {
            Fault::Answer(answer) => answer.wait.map(Duration::from_secs),
            _ => None,
        };
        let own = self.0.shortest_pause.saturating_mul(1 << tries.min(16));
        let pause = asked.unwrap_or(own).min(self.0.longest_pause);
        tracing::info!(%fault, wait = pause.as_secs_f32(), "trying again");
        sleep(pause).await;
    }

    async fn once(&self, to: &Target, body: Option<&Bytes>) -> Result<Reply, Fault> {
        let host = to.address.0.host_str().unwrap_or_default().to_owned();
        let mut request = self.0.http.request(to.method.clone(), to.address.0.clone());
        if let Some((user, password)) = &self.0.user {
            request = request.basic_auth(user, Some(password.expose()));
        }
        request = request.headers(self.0.headers.clone());
        let mut patience = self.0.patience;
        if let Some(body) = body {
            patience = patience.saturating_add(Duration::from_secs(body.len() as u64 / SLOWEST));
            request = request
                .header(CONTENT_TYPE, "application/json")
                .header("Content-MD5", STANDARD.encode(Md5::digest(body)))
                .body(body.clone());
        }
        let answer = timeout(patience, request.send()).await;
        let answer = answer.map_err(|_| Fault::TimedOut(host.clone()))?;
        let mut answer = answer.map_err(|error| transport(&error, &host))?;
        let status = answer.status().as_u16();
        let headers = std::mem::take(answer.headers_mut());
        tracing::debug!(method = %to.method, host, status, "answer");
        let body = whole(answer, &host, self.0.patience).await?;
        is_whole(&headers, &body)?;
        Ok(Reply { status, headers, body })
    }
}

async fn whole(
    mut answer: reqwest::Response,
    host: &str,
    patience: Duration,
) -> Result<Bytes, Fault> {
    let mut body = BytesMut::new();
    loop {
        let chunk = timeout(patience, answer.chunk()).await;
        let chunk = chunk.map_err(|_| Fault::TimedOut(host.to_owned()))?;
        match chunk.map_err(|error| transport(&error, host))? {
            None => return Ok(body.freeze()),
            Some(chunk) if body.is_empty() => body = BytesMut::from(chunk),
            Some(chunk) => body.extend_from_slice(&chunk),
        }
        if body.len() as u64 > LIMIT {
            return Err(Fault::Other(format!("the answer has more than {LIMIT} bytes")));
        }
    }
}

/// Compares what came with the digest, where the server gives one.
fn is_whole(headers: &HeaderMap, body: &[u8]) -> Result<(), Fault> {
    let Some(digest) = headers.get("Content-MD5").and_then(|digest| STANDARD.decode(digest).ok())
    else {
        return Ok(());
    };
    if digest == Md5::digest(body).as_slice() {
        return Ok(());
    }
    Err(Fault::Damaged("its digest is not the one that the server gives".to_owned()))
}

/// Whether Terraform would ask again.
fn is_passing(status: u16) -> bool {
    status == 429 || (status >= 500 && status != 501)
}

/// Shows no credentials.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("retries", &self.0.retries).finish_non_exhaustive()
    }
}
