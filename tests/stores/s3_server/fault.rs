//! What can happen to a request.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;

/// The body of an answer.
pub(crate) type Body = BoxBody<Bytes, io::Error>;

/// The connection is dropped.
#[derive(Debug, thiserror::Error)]
#[error("dropped")]
pub(crate) struct Dropped;

/// Whether a request takes effect before it fails.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum When {
    Before,
    After,
}

/// What happens to the next requests that begin with `request`.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    request: String,
    pub(crate) when: When,
    kind: Kind,
    /// How many such requests are spared first.
    spared: u32,
    times: u32,
}

#[derive(Clone, Debug)]
enum Kind {
    Status(u16, &'static str, Vec<(&'static str, &'static str)>),
    Drop,
    Slow(Duration),
    Truncated(usize),
    Flipped,
}

impl Fault {
    fn new(request: &str, when: When, kind: Kind) -> Self {
        Self { request: request.to_owned(), when, kind, spared: 0, times: 1 }
    }

    /// The answer is a refusal with this status and code.
    pub(crate) fn status(request: &str, when: When, status: u16, code: &'static str) -> Self {
        Self::new(request, when, Kind::Status(status, code, Vec::new()))
    }

    /// The connection is dropped.
    pub(crate) fn drop(request: &str, when: When) -> Self {
        Self::new(request, when, Kind::Drop)
    }

    /// The answer comes too late.
    pub(crate) fn slow(request: &str, when: When, by: Duration) -> Self {
        Self::new(request, when, Kind::Slow(by))
    }

    /// The connection is dropped after so many bytes of the body.
    pub(crate) fn truncated(request: &str, after: usize) -> Self {
        Self::new(request, When::After, Kind::Truncated(after))
    }

    /// One bit of the body is another.
    pub(crate) fn flipped(request: &str) -> Self {
        Self::new(request, When::After, Kind::Flipped)
    }

    /// A header that goes with a status.
    pub(crate) fn header(mut self, name: &'static str, value: &'static str) -> Self {
        if let Kind::Status(_, _, headers) = &mut self.kind {
            headers.push((name, value));
        }
        self
    }

    /// It happens so often.
    pub(crate) fn times(self, times: u32) -> Self {
        Self { times, ..self }
    }

    /// So many such requests are spared first.
    pub(crate) fn after(self, spared: u32) -> Self {
        Self { spared, ..self }
    }

    pub(crate) async fn answer(
        &self,
        real: Option<http::Response<Bytes>>,
    ) -> Result<http::Response<Body>, Dropped> {
        match (&self.kind, real) {
            (Kind::Status(status, code, headers), _) => {
                let text = format!("<Error><Code>{code}</Code><Message>as told</Message></Error>");
                let mut answer = http::Response::builder().status(*status);
                for (name, value) in headers {
                    answer = answer.header(*name, *value);
                }
                Ok(answer.body(whole(Bytes::from(text))).unwrap())
            }
            (Kind::Slow(by), real) => {
                tokio::time::sleep(*by).await;
                real.map(|answer| answer.map(whole)).ok_or(Dropped)
            }
            (Kind::Truncated(after), Some(real)) => Ok(real.map(|bytes| cut(&bytes, *after))),
            (Kind::Flipped, Some(real)) => Ok(real.map(|bytes| {
                let mut bytes = bytes.to_vec();
                if let Some(byte) = bytes.first_mut() {
                    *byte ^= 1;
                }
                whole(bytes.into())
            })),
            _ => Err(Dropped),
        }
    }
}

/// Takes the first fault that is meant for a request.
pub(crate) fn take(faults: &mut Vec<Fault>, request: &str) -> Option<Fault> {
    let at = faults.iter().position(|fault| request.starts_with(&fault.request))?;
    if let Some(spared) = faults[at].spared.checked_sub(1) {
        faults[at].spared = spared;
        return None;
    }
    faults[at].times -= 1;
    let taken = faults[at].clone();
    if taken.times == 0 {
        faults.remove(at);
    }
    Some(taken)
}

pub(crate) fn whole(bytes: Bytes) -> Body {
    Full::new(bytes).map_err(|never| match never {}).boxed()
}

fn cut(bytes: &Bytes, after: usize) -> Body {
    let part = bytes.slice(..after.min(bytes.len()));
    let frames = stream::iter([Ok(Frame::data(part))]).chain(stream::once(async {
        // What was sent so far has to leave first.
        tokio::time::sleep(Duration::from_millis(20)).await;
        Err(io::Error::other("cut off"))
    }));
    BodyExt::boxed(StreamBody::new(frames))
}
