//! The one way out: every request to a store of objects is signed and sent here.
//!
//! The crate `object_store` is given this client as its own ([`HttpConnector`]) and signs nothing.
//! So what it makes and what this crate makes itself (listing, versions, deleting) share one
//! signature, one policy of trying again and one reading of refusals; each try is signed anew;
//! headers that a store wants signed can be added.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::request::Parts;
use http::{HeaderMap, Method, Request, Response};
use http_body::{Body, Frame, SizeHint};
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody,
    HttpResponse, HttpResponseBody, HttpService,
};
use tokio::task::JoinHandle;
use tokio::time::{Instant, Sleep, sleep, timeout};

use super::answer::Answer;
use super::error::{Fault, transport};
use super::network::Network;

/// How slow a connection may be, in bytes a second, before an upload counts as stuck.
const SLOWEST: u64 = 128 * 1024;

/// How long one request may be tried again, however often it may.
const ALL_TRIES: Duration = Duration::from_mins(2);

/// How long the first pause between two tries is; each further one may be twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// How long a pause can become, also where the store asks for a longer one.
const LONGEST_PAUSE: Duration = Duration::from_secs(20);

/// Up to how many bytes a body comes with its answer.
const SMALL: u64 = 1 << 20;

/// How much of a refusal is read.
const REFUSAL: usize = 64 * 1024;

/// What signs requests to a store.
pub(in crate::store) trait Sign: fmt::Debug + Send + Sync {
    /// Adds what proves who asks, and whatever else every request to this store carries.
    fn sign<'a>(&'a self, head: &'a mut Parts) -> BoxFuture<'a, Result<(), Fault>>;

    /// Returns how often something was learned so far.
    fn lessons(&self) -> u32 {
        0
    }

    /// Learns from a refusal of a request that was sent after so many lessons; whether it can be sent
    /// again, better signed.
    fn learn(&self, answer: &Answer, lessons: u32) -> bool {
        let _ = (answer, lessons);
        false
    }
}

/// Marks a request, in its extensions, that may be repeated although its method says otherwise.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) struct Repeatable;

/// The SHA-256 of a request's body in hexadecimal digits, in its extensions, for whoever signs it.
#[derive(Clone, Debug)]
pub(in crate::store) struct BodyDigest(pub(in crate::store) String);

/// The headers of an answer, in the extensions of what `object_store` returns.
#[derive(Clone, Debug)]
pub(in crate::store) struct Headers(pub(in crate::store) HeaderMap);

/// A client of one store. Cloning it is cheap.
#[derive(Clone, Debug)]
pub(in crate::store) struct Client(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    http: reqwest::Client,
    sign: Box<dyn Sign>,
    retries: u32,
    patience: Duration,
}

impl Client {
    /// Returns a client that goes this way to the store at an address, or why there can be none.
    pub(in crate::store) fn new(
        network: &Network,
        address: &str,
        sign: Box<dyn Sign>,
    ) -> Result<Self, String> {
        let http = network.client(address)?;
        let (retries, patience) = (network.retries, network.patience);
        Ok(Self(Arc::new(Inner { http, sign, retries, patience })))
    }

    /// Sends a request, again where that is safe, and returns an answer that says yes.
    pub(in crate::store) async fn send(
        &self,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, Fault> {
        let (head, body) = request.into_parts();
        let (host, body) = (host(&head), HttpRequestBody::from(body));
        let mut tries = 0;
        loop {
            let (answer, bytes) = self.repeat(&head, &body).await?.into_parts();
            let fault = match bytes.bytes().await {
                Ok(bytes) => return Ok(Response::from_parts(answer, bytes)),
                Err(error) => broken(&error, &host),
            };
            // What was asked for only is asked for again; what was done would be done twice.
            if !is_repeatable(&head) || !fault.is_passing() || tries >= self.0.retries {
                return Err(fault);
            }
            tries += 1;
            tracing::info!(method = %head.method, host, %fault, "asking again, as the answer broke off");
            sleep(pause(&fault, tries)).await;
        }
    }

    async fn repeat(&self, head: &Parts, body: &HttpRequestBody) -> Result<HttpResponse, Fault> {
        let repeatable = is_repeatable(head);
        let (start, mut tries, mut learned) = (Instant::now(), 0, false);
        loop {
            let lessons = self.0.sign.lessons();
            let fault = match self.once(head.clone(), body.clone()).await {
                Ok(response) => return Ok(response),
                Err(fault) => fault,
            };
            if let (Fault::Answer(answer), false) = (&fault, learned)
                && self.0.sign.learn(answer, lessons)
            {
                learned = true;
                tracing::info!(method = %head.method, %fault, "asking again, as the store says");
                continue;
            }
            let safe = fault.is_passing() && (repeatable || !fault.is_ambiguous());
            let pause = pause(&fault, tries);
            let spent = start.elapsed() + pause > ALL_TRIES;
            if !safe || spent || tries >= self.0.retries {
                return Err(fault);
            }
            tries += 1;
            let (host, of) = (host(head), self.0.retries);
            let wait = pause.as_secs_f32();
            tracing::info!(method = %head.method, host, %fault, wait, "trying again, {tries} of {of}");
            sleep(pause).await;
        }
    }

    /// Sends a request once.
    async fn once(&self, mut head: Parts, body: HttpRequestBody) -> Result<HttpResponse, Fault> {
        self.0.sign.sign(&mut head).await?;
        let (host, method) = (host(&head), head.method);
        let url = reqwest::Url::parse(&head.uri.to_string())
            .map_err(|_| Fault::Other("the address is not valid".to_owned()))?;
        let length = body.content_length();
        let mut request = reqwest::Request::new(method.clone(), url);
        *request.headers_mut() = head.headers;
        if length > 0 || method == Method::PUT {
            *request.body_mut() = Some(reqwest::Body::wrap(body));
        }
        let upload = Duration::from_secs(u64::try_from(length).unwrap_or(u64::MAX) / SLOWEST);
        let exchange = Exchange { host, upload, patience: self.0.patience };
        // The thread that waits is woken once then, and not by each step of the connection.
        Task(tokio::spawn(exchange.run(self.0.http.clone(), request))).result().await
    }
}

/// A request and its answer.
struct Exchange {
    host: String,
    /// How long sending it may take.
    upload: Duration,
    patience: Duration,
}

impl Exchange {
    async fn run(
        self,
        http: reqwest::Client,
        request: reqwest::Request,
    ) -> Result<HttpResponse, Fault> {
        let Self { host, upload, patience } = self;
        let method = request.method().clone();
        let answer = timeout(patience.saturating_add(upload), http.execute(request)).await;
        let answer = answer.map_err(|_| Fault::TimedOut(host.clone()))?;
        let answer = answer.map_err(|error| transport(&error, &host))?;
        let (head, body) = Response::<reqwest::Body>::from(answer).into_parts();
        tracing::debug!(%method, host, status = head.status.as_u16(), "answer");
        respond(head, Patient { body, host, patience, silence: None }).await
    }
}

/// A task that ends when nobody waits for its result any more.
struct Task<T>(JoinHandle<Result<T, Fault>>);

impl<T> Task<T> {
    async fn result(mut self) -> Result<T, Fault> {
        (&mut self.0).await.unwrap_or_else(|error| match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_ended) => Err(Fault::Other("the request was given up".to_owned())),
        })
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Returns an answer that says yes, or the fault of one that says no.
async fn respond(
    mut head: http::response::Parts,
    mut body: Patient,
) -> Result<HttpResponse, Fault> {
    if head.status.is_success() {
        head.extensions.insert(Headers(head.headers.clone()));
        let is_small = body.size_hint().upper().is_some_and(|len| len <= SMALL);
        let body = if is_small {
            HttpResponseBody::new(Arrived::of(body).await)
        } else {
            HttpResponseBody::new(body)
        };
        return Ok(Response::from_parts(head, body));
    }
    // What it says is worth reading as far as it comes; that it says no is known already.
    let mut said = Vec::new();
    while said.len() < REFUSAL {
        let Some(Ok(bytes)) = body.next().await else { break };
        said.extend_from_slice(&bytes);
    }
    Err(Fault::Answer(Box::new(Answer::read(head.status, &head.headers, &said))))
}

/// Returns how long to wait before the next try: as long as the store asks, else longer each time,
/// and a random part of it, so that many who failed together don't come back together.
fn pause(fault: &Fault, tries: u32) -> Duration {
    if let Fault::Answer(answer) = fault
        && let Some(seconds) = answer.wait
    {
        return Duration::from_secs(seconds).min(LONGEST_PAUSE);
    }
    let longest = FIRST_PAUSE.saturating_mul(1 << tries.min(10)).min(LONGEST_PAUSE);
    let mut random = [0; 1];
    // Without random numbers, all wait the longest.
    let part = getrandom::fill(&mut random).map_or(255, |()| u32::from(random[0]));
    longest / 2 + longest * part / 510
}

fn is_repeatable(head: &Parts) -> bool {
    let is_marked = head.extensions.get::<Repeatable>().is_some();
    is_marked || matches!(head.method, Method::GET | Method::HEAD)
}

fn host(head: &Parts) -> String {
    head.uri.authority().map(ToString::to_string).unwrap_or_default()
}

/// Returns the fault behind the error of a body.
fn broken(error: &HttpError, host: &str) -> Fault {
    let source = std::error::Error::source(error);
    let fault = source.and_then(|source| source.downcast_ref::<Fault>());
    let why = || error.to_string();
    fault.cloned().unwrap_or_else(|| Fault::Broken { host: host.to_owned(), why: why() })
}

fn opaque(fault: Fault) -> HttpError {
    // Of this kind `object_store` tries none again; that is done here.
    HttpError::new(HttpErrorKind::Unknown, fault)
}

#[async_trait::async_trait]
impl HttpService for Client {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (head, body) = request.into_parts();
        self.repeat(&head, &body).await.map_err(opaque)
    }
}

impl HttpConnector for Client {
    fn connect(&self, _options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

/// A body that fails when it brings nothing for too long.
#[derive(Debug)]
struct Patient {
    body: reqwest::Body,
    host: String,
    patience: Duration,
    silence: Option<Pin<Box<Sleep>>>,
}

impl Patient {
    /// Returns the next bytes.
    async fn next(&mut self) -> Option<Result<Bytes, HttpError>> {
        loop {
            let frame = std::future::poll_fn(|cx| Pin::new(&mut *self).poll_frame(cx)).await?;
            match frame.map(Frame::into_data) {
                Ok(Ok(bytes)) => return Some(Ok(bytes)),
                Ok(Err(_trailers)) => {}
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

impl Body for Patient {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            self.silence = None;
            let fault = |error: reqwest::Error| opaque(transport(&error, &self.host));
            return Poll::Ready(frame.map(|frame| frame.map_err(fault)));
        }
        let patience = self.patience;
        let silence = self.silence.get_or_insert_with(|| Box::pin(sleep(patience)));
        ready!(silence.as_mut().poll(cx));
        Poll::Ready(Some(Err(opaque(Fault::TimedOut(self.host.clone())))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A body that came with its answer, up to where it broke off.
#[derive(Debug)]
struct Arrived(std::vec::IntoIter<Result<Bytes, HttpError>>);

impl Arrived {
    async fn of(mut body: Patient) -> Self {
        let mut pieces = Vec::new();
        while let Some(piece) = body.next().await {
            let is_end = piece.is_err();
            pieces.push(piece);
            if is_end {
                break;
            }
        }
        Self(pieces.into_iter())
    }
}

impl Body for Arrived {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        Poll::Ready(self.0.next().map(|piece| piece.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_slice().is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        let here = self.0.as_slice().iter().flatten().map(Bytes::len).sum::<usize>();
        let mut hint = SizeHint::new();
        hint.set_lower(u64::try_from(here).unwrap_or(u64::MAX));
        hint
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_are_bounded() {
        let fault = Fault::TimedOut(String::new());
        assert!(pause(&fault, 0) <= FIRST_PAUSE);
        assert!(pause(&fault, 3) >= FIRST_PAUSE * 4);
        assert!(pause(&fault, 4_000) <= LONGEST_PAUSE);
    }

    #[test]
    fn the_store_may_ask_for_a_pause() {
        let answer =
            |wait| Fault::Answer(Box::new(Answer { wait: Some(wait), ..Answer::default() }));
        assert_eq!(pause(&answer(3), 0), Duration::from_secs(3));
        assert_eq!(pause(&answer(9_999), 0), LONGEST_PAUSE);
    }
}
