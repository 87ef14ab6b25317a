//! Reading the beginning of one object, with one request.

use bytes::Bytes;
use http::header::RANGE;
use http::{HeaderMap, HeaderValue, Request, StatusCode};

use super::client::Client;
use super::error::Fault;

/// Returns at most the first `len` bytes of what a request for a content brings, and the headers
/// that came with them; nothing where there is nothing. Of no bytes, it could not be told from
/// what is empty, so there is no `len` of 0.
pub(in crate::store) async fn read(
    client: &Client,
    request: impl Fn() -> Request<Bytes>,
    len: u64,
) -> Result<Option<(Vec<u8>, HeaderMap)>, Fault> {
    // Servers count with a sign.
    let len = len.clamp(1, i64::MAX.cast_unsigned());
    let mut part = request();
    let range = format!("bytes=0-{}", len - 1);
    let range = HeaderValue::from_str(&range).expect("digits and a dash are a value");
    part.headers_mut().insert(RANGE, range);
    let answer = match client.send(part).await {
        // What has no bytes has no first one either.
        Err(fault) if is_beyond_the_end(&fault) => client.send(request()).await,
        answer => answer,
    };
    match answer {
        Ok(answer) => {
            let (head, body) = answer.into_parts();
            // Not every store heeds a range.
            let end = usize::try_from(len).unwrap_or(usize::MAX).min(body.len());
            Ok(Some((body[..end].to_vec(), head.headers)))
        }
        Err(fault) if fault.is_not_found() => Ok(None),
        Err(fault) => Err(fault),
    }
}

fn is_beyond_the_end(fault: &Fault) -> bool {
    fault.status() == Some(StatusCode::RANGE_NOT_SATISFIABLE.as_u16())
}
