//! From a backend's configuration to the store that it describes.

use std::sync::Arc;

use super::{Backend, Error, Store, local};
#[cfg(feature = "remote")]
use super::{http, object, pg};
use crate::base::env::Env;

/// Returns the store of a backend.
///
/// What the configuration leaves open is taken from the environment, as Terraform takes it.
/// Nothing is asked over the network yet.
#[cfg_attr(
    not(feature = "remote"),
    expect(unused_variables, reason = "only stores on the network look at the environment")
)]
pub fn connect(backend: &Backend, env: &Env) -> Result<Arc<dyn Store>, Error> {
    match backend {
        Backend::Local(settings) => Ok(local::connect(settings)),
        #[cfg(feature = "remote")]
        Backend::S3(settings) => object::s3::connect(settings, env),
        #[cfg(feature = "remote")]
        Backend::Gcs(settings) => object::gcs::connect(settings, env),
        #[cfg(feature = "remote")]
        Backend::Azure(settings) => object::azure::connect(settings, env),
        #[cfg(feature = "remote")]
        Backend::Http(settings) => http::connect(settings, env),
        #[cfg(feature = "remote")]
        Backend::Pg(settings) => pg::connect(settings, env),
        #[cfg(not(feature = "remote"))]
        other => Err(Error::Settings {
            backend: other.kind(),
            problem: "this build has no `remote` feature".to_owned(),
        }),
    }
}
