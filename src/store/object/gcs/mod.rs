//! The backend `gcs`: a bucket of Google Cloud Storage.
//!
//! Contents are read through `object_store`. What it has no word for goes to the same interface
//! that Terraform uses, whose conditions know the generation: writing with the settings of the
//! bucket's encryption, deleting, listing any key, and versions. The locks are in [`locks`].

mod bucket;
mod credentials;
mod locks;
mod requests;
mod settings;
mod sign;
mod write;

use std::sync::Arc;

use self::bucket::Bucket;
use self::settings::Settings;
use crate::base::env::Env;
use crate::store::backend::Gcs;
use crate::store::{Error, Store, runtime};

/// Returns the store of these settings.
pub(in crate::store) fn connect(settings: &Gcs, env: &Env) -> Result<Arc<dyn Store>, Error> {
    let settings = Settings::new(settings, env)?;
    let invalid = |problem: String| Error::Settings { backend: "gcs", problem };
    runtime::block_on(async { Bucket::new(&settings, env) })
        .map_err(|error| invalid(error.to_string()))?
        .map(|bucket| Arc::new(bucket) as Arc<dyn Store>)
        .map_err(invalid)
}
