//! An S3 in the memory of the test: signatures are verified, conditional writes are atomic,
//! versions are kept where a bucket is told to, and any request can be made to fail.
//!
//! Beside it, under the same address, the three calls of `DynamoDB` that locks need, and those
//! of STS that credentials need.
//!
//! Its limits: encryption is noted and not done; what it knows is what these tests need.

pub(crate) mod fault;
mod objects;
pub(crate) mod sts;
mod table;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

use bytes::Bytes;
use http_body_util::{BodyExt, Collected};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use tokio::net::TcpListener;
use tokio::runtime::Builder;

pub(crate) use self::fault::{Fault, When};
use self::objects::{Objects, Version};

pub(crate) const ACCESS_KEY: &str = "AKIAMEMORYMEMORY";
pub(crate) const SECRET_KEY: &str = "s3cr3t+of/the=server";

/// How the server treats the conditions of writes.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Conditions {
    #[default]
    Heeded,
    /// As s3rver, Garage and others do.
    Ignored,
    /// As an old Ceph does: a tag matches only without its quotes.
    Unquoted,
    /// No tag ever matches.
    NeverMatch,
}

/// Headers of a request, by their names.
pub(crate) type Headers = BTreeMap<String, String>;

#[derive(Default)]
struct Memory {
    is_versioned: bool,
    conditions: Conditions,
    /// Newest last.
    objects: BTreeMap<String, Vec<Version>>,
    rows: BTreeMap<String, serde_json::Value>,
    next: u64,
    faults: Vec<Fault>,
    requests: Vec<(String, Headers)>,
}

/// A server with one bucket, `states`, and one table, `locks`. It runs until the test ends.
#[derive(Clone)]
pub(crate) struct Server {
    memory: Arc<Mutex<Memory>>,
    pub(crate) endpoint: String,
}

impl Server {
    pub(crate) fn start() -> Self {
        let memory = Arc::new(Mutex::new(Memory::default()));
        let mut builder = S3ServiceBuilder::new(Objects(Arc::clone(&memory)));
        builder.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        let (service, shared) = (builder.build(), Arc::clone(&memory));
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        thread::spawn(move || runtime.block_on(serve(listener, service, shared)));
        Self { memory, endpoint }
    }

    pub(crate) fn versioned() -> Self {
        let server = Self::start();
        server.memory().is_versioned = true;
        server
    }

    pub(crate) fn with(conditions: Conditions) -> Self {
        let server = Self::start();
        server.memory().conditions = conditions;
        server
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap()
    }

    /// Makes a later request fail.
    pub(crate) fn fail(&self, fault: Fault) {
        self.memory().faults.push(fault);
    }

    /// Forgets the faults that have not come about.
    pub(crate) fn heal(&self) {
        self.memory().faults.clear();
    }

    /// Returns `METHOD /path?query` of every request since the last call, with its headers.
    pub(crate) fn requests(&self) -> Vec<(String, Headers)> {
        std::mem::take(&mut self.memory().requests)
    }

    /// Returns what an object holds.
    pub(crate) fn object(&self, key: &str) -> Option<Vec<u8>> {
        let memory = self.memory();
        memory.objects.get(key)?.last()?.data.as_ref().map(|bytes| bytes.to_vec())
    }

    /// Puts an object there, behind everybody's back.
    pub(crate) fn put(&self, key: &str, bytes: &[u8]) {
        self.memory().store(key, Version::of(Bytes::copy_from_slice(bytes)));
    }

    /// Returns an attribute of a row.
    pub(crate) fn row(&self, id: &str, attribute: &str) -> Option<String> {
        let memory = self.memory();
        Some(memory.rows.get(id)?[attribute]["S"].as_str()?.to_owned())
    }

    /// Sets an attribute of a row, which then has no other.
    pub(crate) fn set_row(&self, id: &str, attribute: &str, text: &str) {
        let row = serde_json::json!({"LockID": {"S": id}, attribute: {"S": text}});
        self.memory().rows.insert(id.to_owned(), row);
    }
}

impl Memory {
    fn store(&mut self, key: &str, mut version: Version) -> Version {
        self.next += 1;
        version.id = if self.is_versioned { format!("v{}", self.next) } else { "null".to_owned() };
        let versions = self.objects.entry(key.to_owned()).or_default();
        if !self.is_versioned {
            versions.clear();
        }
        versions.push(version.clone());
        version
    }
}

async fn serve(listener: TcpListener, service: S3Service, memory: Arc<Mutex<Memory>>) {
    loop {
        let Ok((socket, _)) = listener.accept().await else { continue };
        socket.set_nodelay(true).unwrap_or_default();
        let (service, memory) = (service.clone(), Arc::clone(&memory));
        tokio::spawn(async move {
            let answer = service_fn(move |request: http::Request<Incoming>| {
                respond(service.clone(), Arc::clone(&memory), request)
            });
            let server = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
            // A client that is gone is no failure of the server.
            server.serve_connection(TokioIo::new(socket), answer).await.unwrap_or_default();
        });
    }
}

type Answer = http::Response<fault::Body>;

async fn respond(
    service: S3Service,
    memory: Arc<Mutex<Memory>>,
    request: http::Request<Incoming>,
) -> Result<Answer, fault::Dropped> {
    let (head, body) = request.into_parts();
    let (sts, body) = match sts::asked(&head, body).await {
        Ok(asked) => (Some(asked), None),
        Err(body) => (None, Some(body)),
    };
    let (fault, headers) = {
        let mut memory = memory.lock().unwrap();
        let line = match &sts {
            Some(asked) => format!("{} /?{asked}", head.method),
            None => format!("{} {}", head.method, head.uri),
        };
        let header = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            (name.to_string(), value.to_str().unwrap_or_default().to_owned())
        };
        let headers: Headers = head.headers.iter().map(header).collect();
        memory.requests.push((line.clone(), headers.clone()));
        (fault::take(&mut memory.faults, &line), headers)
    };
    if let Some(fault) = fault.as_ref().filter(|fault| fault.when == When::Before) {
        return fault.answer(None).await;
    }
    let answer = if let Some(asked) = sts {
        sts::answer(&asked, &headers)
    } else if let Some(target) = headers.get("x-amz-target") {
        let body = body.unwrap().collect().await.unwrap().to_bytes();
        table::answer(&mut memory.lock().unwrap(), target, &body)
    } else {
        let request = http::Request::from_parts(head, s3s::Body::from(body.unwrap()));
        let answer = service.call(request).await.unwrap();
        let (head, body) = answer.into_parts();
        let bytes = body.collect().await.map_or_else(|_| Bytes::new(), Collected::to_bytes);
        http::Response::from_parts(head, bytes)
    };
    match fault {
        Some(fault) => fault.answer(Some(answer)).await,
        None => Ok(answer.map(fault::whole)),
    }
}
