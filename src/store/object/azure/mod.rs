//! The backend `azurerm`: a container of Azure Blob Storage.
//!
//! Contents are read through `object_store`. What it has no word for is asked for here: writing
//! under a lease and with the metadata that a write would drop, deleting on a condition, listing
//! any key, versions and snapshots. The locks are in [`locks`].

mod choice;
mod cloud;
mod command_line;
mod container;
mod credentials;
mod listing;
mod locks;
mod pipeline;
mod properties;
mod requests;
mod settings;
mod sign;
mod write;

use std::sync::Arc;

use self::container::Container;
use self::settings::Settings;
use crate::base::env::Env;
use crate::store::backend::Azure;
use crate::store::{Error, Store, runtime};

/// Returns the store of these settings.
pub(in crate::store) fn connect(settings: &Azure, env: &Env) -> Result<Arc<dyn Store>, Error> {
    let settings = Settings::new(settings, env)?;
    runtime::block_on(async { Container::new(&settings, env) })
        .map_err(|error| invalid(error.to_string()))?
        .map(|container| Arc::new(container) as Arc<dyn Store>)
        .map_err(invalid)
}

/// Returns the error of settings that can't be used; the problem holds no value of a secret.
fn invalid(problem: impl Into<String>) -> Error {
    Error::Settings { backend: "azurerm", problem: problem.into() }
}
