//! What the search for credentials may use: files, programs, the network and the environment.

use std::collections::HashMap;
use std::path::PathBuf;

use reqsign_command_execute_tokio::TokioCommandExecute;
use reqsign_core::{Context, StaticEnv};
use reqsign_file_read_tokio::TokioFileRead;
use reqsign_http_send_reqwest::ReqwestHttpSend;
use reqwest::Client;

use super::error::Fault;
use crate::base::env::Env;

/// Returns the surroundings of a search, with these variables instead of those of the environment
/// where both have them; one that is set to nothing is hidden.
pub(in crate::store::object) fn context(
    http: Client,
    env: &Env,
    instead: &[(&str, Option<String>)],
) -> Context {
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    let mut envs: HashMap<_, _> = env.pairs().map(owned).collect();
    for (name, value) in instead {
        envs.remove(*name);
        envs.extend(value.clone().map(|value| ((*name).to_owned(), value)));
    }
    let home_dir = env.path("HOME").or_else(|| env.path("USERPROFILE")).map(PathBuf::from);
    Context::new()
        .with_file_read(TokioFileRead)
        .with_command_execute(TokioCommandExecute)
        .with_http_send(ReqwestHttpSend::new(http))
        .with_env(StaticEnv { home_dir, envs })
}

/// Sorts why a request can't be signed.
pub(in crate::store::object) fn refused(error: &reqsign_core::Error) -> Fault {
    // What the search met is beside the point where it found nothing at all, and may be long.
    Fault::NoCredentials(error.to_string())
}
