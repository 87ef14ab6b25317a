//! Connections to a database, kept for the next who needs one.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::timeout;
use tokio_postgres::{Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::error::Failed;

/// How many connections are kept open.
const KEPT: usize = 8;

/// What makes connections, and keeps those that are free.
pub(super) struct Connections {
    config: Config,
    tls: MakeRustlsConnect,
    /// How long the database may be silent.
    patience: Duration,
    free: Mutex<Vec<Client>>,
}

impl Connections {
    pub(super) fn new(config: Config, tls: MakeRustlsConnect, patience: Duration) -> Self {
        Self { config, tls, patience, free: Mutex::default() }
    }

    /// How long the database may be silent.
    pub(super) fn patience(&self) -> Duration {
        self.patience
    }

    /// Returns a connection that nobody else uses: a free one, or a new one.
    pub(super) async fn take(&self) -> Result<Client, Failed> {
        while let Some(client) = self.pop() {
            if !client.is_closed() {
                return Ok(client);
            }
        }
        self.open("tfstate").await
    }

    fn pop(&self) -> Option<Client> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    /// Keeps a connection whose work is done.
    pub(super) fn give_back(&self, client: Client) {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        if !client.is_closed() && free.len() < KEPT {
            free.push(client);
        }
    }

    /// Opens a connection that calls itself `name`.
    pub(super) async fn open(&self, name: &str) -> Result<Client, Failed> {
        let mut config = self.config.clone();
        config.application_name(name);
        let opened = timeout(self.patience, config.connect(self.tls.clone())).await;
        let (client, connection) = opened.map_err(|_| Failed::TimedOut)??;
        tokio::spawn(async move {
            // Whoever uses the client is told, too.
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection to the database ended");
            }
        });
        Ok(client)
    }
}

/// Shows no password, which the configuration has.
impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connections").field("patience", &self.patience).finish_non_exhaustive()
    }
}
