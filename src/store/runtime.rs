//! The one asynchronous runtime; nothing asynchronous leaves `store`.

use std::future::Future;
use std::io;
use std::sync::OnceLock;

use tokio::runtime::{Builder, Runtime};

/// Runs a future to its end; many threads may do so at once.
pub(super) fn block_on<F: Future>(future: F) -> io::Result<F::Output> {
    Ok(runtime()?.block_on(future))
}

fn runtime() -> io::Result<&'static Runtime> {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    if let Some(runtime) = RUNTIME.get() {
        return Ok(runtime);
    }
    choose_tls();
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    Ok(RUNTIME.get_or_init(|| runtime))
}

/// Says which implementation of TLS is meant, which must be said once, before the first client is
/// made. Where somebody did, theirs stays.
pub(super) fn choose_tls() {
    if let Err(_already) = rustls::crypto::ring::default_provider().install_default() {}
}
