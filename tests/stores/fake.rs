//! A server in this process, for stores whose protocol a test speaks itself.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;
use tokio::runtime::Builder;

use crate::s3_server::fault::{self, Dropped, Fault, When};

/// What a server does with a request. One at a time: all that it does is atomic.
pub(crate) trait Service: Send + 'static {
    fn answer(&mut self, call: &Call) -> Answer;
}

/// An answer whose body is whole.
pub(crate) type Answer = Response<Bytes>;

/// A request, taken apart.
pub(crate) struct Call {
    pub(crate) method: Method,
    /// As it was sent, with its escapes.
    pub(crate) path: String,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Call {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }
}

struct State<S> {
    service: S,
    faults: Vec<Fault>,
    requests: Vec<String>,
}

/// A server that runs until the test ends.
pub(crate) struct Fake<S> {
    state: Arc<Mutex<State<S>>>,
    pub(crate) endpoint: String,
}

impl<S: Service> Fake<S> {
    pub(crate) fn start(service: S) -> Self {
        let state = State { service, faults: Vec::new(), requests: Vec::new() };
        let state = Arc::new(Mutex::new(state));
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::clone(&state);
        thread::spawn(move || runtime.block_on(serve(listener, shared)));
        Self { state, endpoint }
    }

    fn state(&self) -> MutexGuard<'_, State<S>> {
        self.state.lock().unwrap()
    }

    /// Makes a later request fail.
    pub(crate) fn fail(&self, fault: Fault) {
        self.state().faults.push(fault);
    }

    /// Forgets the faults that have not come about; says whether there were none left.
    pub(crate) fn heal(&self) -> bool {
        let mut state = self.state();
        let is_used_up = state.faults.is_empty();
        state.faults.clear();
        is_used_up
    }

    /// Returns `METHOD /path?query` of every request since the last call.
    pub(crate) fn requests(&self) -> Vec<String> {
        std::mem::take(&mut self.state().requests)
    }

    /// Does something behind everybody's back.
    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut S) -> T) -> T {
        act(&mut self.state().service)
    }
}

async fn serve<S: Service>(listener: TcpListener, state: Arc<Mutex<State<S>>>) {
    loop {
        let Ok((socket, _)) = listener.accept().await else { continue };
        socket.set_nodelay(true).unwrap_or_default();
        let state = Arc::clone(&state);
        tokio::spawn(async move {
            let answer = service_fn(move |request| respond(Arc::clone(&state), request));
            let server = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
            // A client that is gone is no failure of the server.
            server.serve_connection(TokioIo::new(socket), answer).await.unwrap_or_default();
        });
    }
}

async fn respond<S: Service>(
    state: Arc<Mutex<State<S>>>,
    request: Request<Incoming>,
) -> Result<Response<fault::Body>, Dropped> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Dropped)?.to_bytes();
    let fault = {
        let mut state = state.lock().unwrap();
        let line = format!("{} {}", head.method, head.uri);
        state.requests.push(line.clone());
        fault::take(&mut state.faults, &line)
    };
    if let Some(fault) = fault.as_ref().filter(|fault| fault.when == When::Before) {
        return fault.answer(None).await;
    }
    let pairs = url::form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes());
    let call = Call {
        method: head.method,
        path: head.uri.path().to_owned(),
        query: pairs.into_owned().collect(),
        headers: head.headers,
        body,
    };
    let answer = state.lock().unwrap().service.answer(&call);
    match fault {
        Some(fault) => fault.answer(Some(answer)).await,
        None => Ok(answer.map(fault::whole)),
    }
}

/// Makes an answer.
pub(crate) fn answer(status: u16, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(body.into());
    *answer.status_mut() = StatusCode::from_u16(status).unwrap();
    for (name, value) in headers {
        let name: http::HeaderName = name.parse().unwrap();
        answer.headers_mut().insert(name, value.parse().unwrap());
    }
    answer
}

/// Cuts an answer down to the range that was asked for.
pub(crate) fn ranged(call: &Call, full: Answer) -> Answer {
    let range = call.header("range").and_then(|range| {
        let (begin, end) = range.strip_prefix("bytes=")?.split_once('-')?;
        Some((begin.parse::<usize>().ok()?, end.parse::<usize>().ok()?))
    });
    let Some((begin, end)) = range else { return full };
    let total = full.body().len();
    if begin >= total {
        return answer(416, &[], "");
    }
    let end = total.min(end + 1);
    let shown = format!("bytes {begin}-{}/{total}", end - 1);
    let mut part = full.map(|bytes| bytes.slice(begin..end));
    *part.status_mut() = StatusCode::PARTIAL_CONTENT;
    part.headers_mut().insert("content-range", shown.parse().unwrap());
    part
}

/// Undoes the escapes of an address.
pub(crate) fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8().unwrap().into_owned()
}

/// Returns a time as HTTP writes it.
pub(crate) fn http_time(at: jiff::Timestamp) -> String {
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

pub(crate) fn md5(bytes: &[u8]) -> String {
    use base64::Engine as _;
    use md5::Digest as _;
    base64::engine::general_purpose::STANDARD.encode(md5::Md5::digest(bytes))
}
