//! Writes whose answers get lost.
//!
//! A write with a precondition can be repeated safely, but then its refusal may be of its own
//! doing: the first one took effect, and only its answer was lost. So what is repeated after such
//! a loss is not believed when it is refused; whoever wrote looks.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use tokio::time::sleep;

use super::client::Client;
use super::error::Fault;

/// How often a write is sent whose answer gets lost.
const TRIES: u32 = 4;

/// How long the first pause is; each further one is twice as long.
const PAUSE: Duration = Duration::from_millis(200);

/// What became of a write.
#[derive(Debug)]
pub(in crate::store) enum Outcome {
    /// It took effect.
    Done(Response<Bytes>),
    /// It did not.
    Failed(Fault),
    /// It may have: an answer was lost.
    Doubtful(Fault),
}

/// Sends a write that has a precondition, until it is known what became of it.
pub(in crate::store) async fn send(client: &Client, request: Request<Bytes>) -> Outcome {
    let mut lost = false;
    let mut pause = PAUSE;
    for tries in 1.. {
        let fault = match client.send(request.clone()).await {
            Ok(answer) => return Outcome::Done(answer),
            Err(fault) => fault,
        };
        let again = fault.is_ambiguous() && fault.is_passing() && tries < TRIES;
        lost |= fault.is_ambiguous();
        if !again {
            return if lost { Outcome::Doubtful(fault) } else { Outcome::Failed(fault) };
        }
        tracing::info!(method = %request.method(), %fault, "writing again, as the answer was lost");
        sleep(pause).await;
        pause *= 2;
    }
    Outcome::Doubtful(Fault::Other("it was never sent".to_owned()))
}
