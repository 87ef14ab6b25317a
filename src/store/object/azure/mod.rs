//! The backend `azurerm`.

use std::sync::Arc;

use crate::base::env::Env;
use crate::store::backend::Azure;
use crate::store::{Error, Store};

/// Returns the store of these settings.
pub(in crate::store) fn connect(_settings: &Azure, _env: &Env) -> Result<Arc<dyn Store>, Error> {
    let problem = "not yet".to_owned();
    Err(Error::Settings { backend: "azurerm", problem })
}
