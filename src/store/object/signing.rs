//! What the `reqsign` crates, which find credentials and sign, need of their surroundings: our
//! view of the environment, files, programs, and a client for the services that give credentials.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use bytes::Bytes;
use reqsign_command_execute_tokio::TokioCommandExecute;
use reqsign_core::{Context, HttpSend, StaticEnv};
use reqsign_file_read_tokio::TokioFileRead;
use reqsign_http_send_reqwest::ReqwestHttpSend;

use super::network::Network;
use crate::base::env::Env;

/// How long a service of the machine itself may take; on other machines there is none.
const NEARBY: Duration = Duration::from_secs(1);

/// Returns the surroundings of a search for credentials.
///
/// `changed` are variables that settings put others in the place of; `elsewhere` are addresses
/// that stand in for others, both without a path.
pub(in crate::store) fn surroundings(
    network: &Network,
    env: &Env,
    changed: &[(&str, String)],
    elsewhere: BTreeMap<String, String>,
) -> Context {
    let (network, within) = (network.clone(), network.patience);
    context(env, changed).with_http_send(Redirected { network, elsewhere, within })
}

/// Returns the surroundings of a search for credentials of the machine: no proxy, little patience.
pub(in crate::store) fn nearby(env: &Env) -> Context {
    let (network, elsewhere) = (Network::from_env(&Env::default()), BTreeMap::new());
    context(env, &[]).with_http_send(Redirected { network, elsewhere, within: NEARBY })
}

fn context(env: &Env, changed: &[(&str, String)]) -> Context {
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    // Like everywhere, an empty variable counts as not set.
    let set = env.texts().filter(|(_, value)| !value.is_empty()).map(owned);
    let mut envs: HashMap<String, String> = set.collect();
    envs.extend(changed.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    Context::new()
        .with_env(StaticEnv { home_dir: env.home(), envs })
        .with_file_read(TokioFileRead)
        .with_command_execute(TokioCommandExecute)
}

/// Sends requests to another address than they are signed for.
#[derive(Debug)]
struct Redirected {
    network: Network,
    elsewhere: BTreeMap<String, String>,
    within: Duration,
}

impl HttpSend for Redirected {
    async fn http_send(
        &self,
        mut request: http::Request<Bytes>,
    ) -> reqsign_core::Result<http::Response<Bytes>> {
        let uri = request.uri().to_string();
        let found =
            self.elsewhere.iter().find_map(|(from, to)| Some((uri.strip_prefix(from)?, to)));
        if let Some((rest, to)) = found {
            if let Some(host) =
                request.uri().authority().and_then(|host| host.as_str().parse().ok())
            {
                request.headers_mut().insert(http::header::HOST, host);
            }
            *request.uri_mut() = format!("{to}{rest}").parse()?;
        }
        let client = self.network.client(&request.uri().to_string());
        let client = ReqwestHttpSend::new(client.map_err(reqsign_core::Error::unexpected)?);
        match tokio::time::timeout(self.within, client.http_send(request)).await {
            Ok(answer) => answer,
            Err(_) => Err(reqsign_core::Error::unexpected("there was no answer in time")),
        }
    }
}
