//! The backend `http`.

use std::sync::Arc;

use super::backend::Http;
use super::{Error, Store};
use crate::base::env::Env;

/// Returns the store of these settings.
pub(super) fn connect(_settings: &Http, _env: &Env) -> Result<Arc<dyn Store>, Error> {
    let problem = "not yet".to_owned();
    Err(Error::Settings { backend: "http", problem })
}
