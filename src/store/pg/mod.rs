//! The backend `pg`: rows of a Postgres table, one for each workspace.

mod connection;
mod error;
mod lock;
mod parameters;
mod table;
mod tls;

use std::sync::Arc;

use connection::Connections;
use error::{Failed, Where};
use parameters::Parameters;
use table::{Skips, Table};
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Transaction};

use super::object::network::Network;
use super::{
    Body, Cause, Entry, Error, Expected, Found, Guarantee, Guarantees, Locks, Problem, Revision,
    Store, Version, backend, runtime,
};
use crate::base::env::Env;
use crate::state::bytes::Bytes;

/// Returns the store of these settings.
pub(super) fn connect(settings: &backend::Pg, env: &Env) -> Result<Arc<dyn Store>, Error> {
    let pg = pg(settings, env).map_err(|problem| Error::Settings { backend: "pg", problem })?;
    Ok(Arc::new(pg))
}

fn pg(settings: &backend::Pg, env: &Env) -> Result<Pg, String> {
    let set = |value: &Option<String>, variable: &str, default: &str| {
        let value = value.clone().filter(|text| !text.is_empty()).or_else(|| env.get(variable));
        value.unwrap_or_else(|| default.to_owned())
    };
    let skip = |value: Option<bool>, variable: &str| match (value, env.get(variable)) {
        (Some(value), _) => Ok(value),
        (None, None) => Ok(false),
        (None, Some(text)) => match text.to_ascii_lowercase().as_str() {
            "true" | "t" | "1" => Ok(true),
            "false" | "f" | "0" => Ok(false),
            _ => Err(format!("{variable} is neither true nor false")),
        },
    };
    let address = settings.conn_str.as_ref().map(|secret| secret.expose().to_owned());
    let parameters = Parameters::read(&set(&address, "PG_CONN_STR", ""), env)?;
    let patience = Network::from_env(env).patience;
    let tls = tls::connector(&parameters.trust()?)?;
    let connections = Connections::new(parameters.config(patience)?, tls, patience);
    let place = Where { host: parameters.host(), database: parameters.database().to_owned() };
    let table = Table {
        schema: set(&settings.schema_name, "PG_SCHEMA_NAME", "terraform_remote_state"),
        name: set(&settings.table_name, "PG_TABLE_NAME", "states"),
        index: set(&settings.index_name, "PG_INDEX_NAME", "states_by_name"),
        skips: Skips {
            schema: skip(settings.skip_schema_creation, "PG_SKIP_SCHEMA_CREATION")?,
            table: skip(settings.skip_table_creation, "PG_SKIP_TABLE_CREATION")?,
            index: skip(settings.skip_index_creation, "PG_SKIP_INDEX_CREATION")?,
        },
    };
    Ok(Pg { shared: Arc::new(Shared { connections, place, table }) })
}

/// A table of states. A key is the name of a workspace.
#[derive(Clone, Debug)]
struct Pg {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    connections: Connections,
    place: Where,
    table: Table,
}

/// What is in a row, and whether there is one.
enum Row {
    Missing,
    /// No text counts as none at all.
    Text(String),
}

impl Row {
    fn version(&self) -> Option<Version> {
        match self {
            Self::Missing => None,
            Self::Text(text) => Some(version(text.as_bytes())),
        }
    }
}

/// Returns the version of these bytes: a row has no tag but its content.
fn version(bytes: &[u8]) -> Version {
    Version { tag: Some(blake3::hash(bytes).to_hex().to_string()), id: None }
}

impl Pg {
    fn call(&self, key: &str) -> String {
        let Where { host, database } = &self.shared.place;
        let schema = &self.shared.table.schema;
        format!("postgres://{host}/{database}?schema={schema}&workspace={key}")
    }

    fn run<T>(
        &self,
        doing: &'static str,
        key: &str,
        work: impl Future<Output = Result<T, Failed>>,
    ) -> Result<T, Error> {
        let what = || self.call(key);
        let place = &self.shared.place;
        let started = runtime::block_on(work).map_err(|source| Error::Remote {
            doing,
            what: what(),
            problem: Problem::Unreachable(place.host.clone()),
            source: Some(Cause::from(source)),
        })?;
        started.map_err(|failed| failed.while_doing(doing, what(), place))
    }

    async fn row(&self, key: &str) -> Result<Row, Failed> {
        let client = self.shared.connections.take().await?;
        let sql = format!("SELECT data FROM {} WHERE name = $1", self.shared.table.sql());
        let rows = client.query_typed(&sql, &[(&key, Type::TEXT)]).await;
        self.shared.connections.give_back(client);
        match rows.map_err(Failed::from) {
            Err(failed) if table::is_missing(&failed) => Ok(Row::Missing),
            Err(failed) => Err(failed),
            Ok(rows) => rows.first().map_or(Ok(Row::Missing), text_of),
        }
    }

    /// Writes text, or deletes the row where there is none, if the row is still what is expected.
    async fn change(
        &self,
        key: &str,
        expected: Expected<'_>,
        text: Option<&str>,
    ) -> Result<(), Failed> {
        let mut client = self.shared.connections.take().await?;
        if expected == Expected::Nothing {
            self.shared.table.create(&client).await?;
        }
        match self.change_with(&mut client, key, expected, text).await {
            Ok(()) => {
                self.shared.connections.give_back(client);
                Ok(())
            }
            // Whoever creates has made the table, unless told that it is there.
            Err(failed) if table::is_missing(&failed) && expected != Expected::Nothing => {
                Err(self.changed(key))
            }
            // The connection broke: only the row can tell.
            Err(failed) if failed.is_ambiguous() => self.look_up(key, expected, text, failed).await,
            Err(failed) => Err(failed),
        }
    }

    async fn change_with(
        &self,
        client: &mut Client,
        key: &str,
        expected: Expected<'_>,
        text: Option<&str>,
    ) -> Result<(), Failed> {
        let patience = self.shared.connections.patience().as_millis();
        let table = self.shared.table.sql();
        let change = client.transaction().await?;
        change.batch_execute(&format!("SET LOCAL lock_timeout = {patience}")).await?;
        let name = (&key as &(dyn tokio_postgres::types::ToSql + Sync), Type::TEXT);
        let changed = match (expected, text) {
            (Expected::Nothing, text) => {
                let sql = format!(
                    "INSERT INTO {table} (name, data) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING"
                );
                change.execute_typed(&sql, &[name, (&text, Type::TEXT)]).await?
            }
            (Expected::Version(version), text) => {
                if locked_row(&change, &table, key).await?.version().as_ref() != Some(version) {
                    return Err(self.changed(key));
                }
                if let Some(text) = text {
                    let sql = format!("UPDATE {table} SET data = $2 WHERE name = $1");
                    change.execute_typed(&sql, &[name, (&text, Type::TEXT)]).await?
                } else {
                    let sql = format!("DELETE FROM {table} WHERE name = $1");
                    change.execute_typed(&sql, &[name]).await?
                }
            }
        };
        if changed == 0 {
            return Err(self.changed(key));
        }
        Ok(change.commit().await?)
    }

    async fn look_up(
        &self,
        key: &str,
        expected: Expected<'_>,
        text: Option<&str>,
        failed: Failed,
    ) -> Result<(), Failed> {
        let then = match expected {
            Expected::Nothing => None,
            Expected::Version(version) => Some(version.clone()),
        };
        let written = text.map(|text| version(text.as_bytes()));
        match self.row(key).await.map(|row| row.version()) {
            Ok(now) if now == written => Ok(()),
            Ok(now) if now == then => Err(failed),
            _ => Err(Failed::Told(Error::Unknown {
                what: self.call(key),
                source: Cause::from("the connection to the database broke"),
            })),
        }
    }

    fn changed(&self, key: &str) -> Failed {
        Failed::Told(Error::Changed { what: self.call(key) })
    }

    async fn entries(&self, prefix: &str) -> Result<Vec<Entry>, Failed> {
        let client = self.shared.connections.take().await?;
        let sql = format!(
            "SELECT name, coalesce(octet_length(data), 0)::bigint FROM {} \
             WHERE name IS NOT NULL AND starts_with(name, $1)",
            self.shared.table.sql()
        );
        let rows = client.query_typed(&sql, &[(&prefix, Type::TEXT)]).await;
        self.shared.connections.give_back(client);
        let rows = match rows.map_err(Failed::from) {
            Err(failed) if table::is_missing(&failed) => return Ok(Vec::new()),
            other => other?,
        };
        let entry = |row: &tokio_postgres::Row| {
            let (key, len): (String, i64) = (row.try_get(0)?, row.try_get(1)?);
            let len = u64::try_from(len).unwrap_or_default();
            // The version is a hash, and reading every row would be no list any more.
            Ok(Entry { key, len, modified: None, version: Version::default() })
        };
        rows.iter().map(entry).collect()
    }
}

async fn locked_row(change: &Transaction<'_>, table: &str, key: &str) -> Result<Row, Failed> {
    let sql = format!("SELECT data FROM {table} WHERE name = $1 FOR UPDATE");
    let rows = change.query_typed(&sql, &[(&key, Type::TEXT)]).await?;
    rows.first().map_or(Ok(Row::Missing), text_of)
}

fn text_of(row: &tokio_postgres::Row) -> Result<Row, Failed> {
    let text: Option<String> = row.try_get(0)?;
    Ok(Row::Text(text.unwrap_or_default()))
}

impl Store for Pg {
    fn name(&self, key: &str) -> String {
        self.call(key)
    }

    fn guarantees(&self) -> Guarantees {
        Guarantees { create: Guarantee::Atomic, replace: Guarantee::Atomic }
    }

    fn read(&self, key: &str) -> Result<Found, Error> {
        Ok(match self.run("read", key, self.row(key))? {
            Row::Missing => Found::Nothing,
            Row::Text(text) if text.is_empty() => Found::Empty(version(b"")),
            Row::Text(text) => {
                let version = version(text.as_bytes());
                Found::Bytes(Bytes::from(text.into_bytes()), version)
            }
        })
    }

    fn read_version(&self, key: &str, _id: &str) -> Result<Found, Error> {
        self.versions(key).map(|_| Found::Nothing)
    }

    fn head(&self, key: &str) -> Result<Option<Entry>, Error> {
        let entry = |len, version| Entry { key: key.to_owned(), len, modified: None, version };
        Ok(match self.read(key)? {
            Found::Nothing => None,
            Found::Empty(version) => Some(entry(0, version)),
            Found::Bytes(bytes, version) => Some(entry(bytes.len() as u64, version)),
        })
    }

    fn write(&self, key: &str, body: &Body<'_>) -> Result<Version, Error> {
        let text = str::from_utf8(body.bytes).ok().filter(|text| !text.contains('\0'));
        let text = text.ok_or_else(|| Error::Remote {
            doing: "write",
            what: self.call(key),
            problem: Problem::Refused,
            source: Some(Cause::from("it is not text, and a row holds nothing else")),
        })?;
        self.run("write", key, self.change(key, body.expected, Some(text)))?;
        Ok(version(body.bytes))
    }

    fn delete(&self, key: &str, expected: &Version, _lock: Option<&str>) -> Result<(), Error> {
        self.run("delete", key, self.change(key, Expected::Version(expected), None))
    }

    fn list(
        &self,
        prefix: &str,
        each: &mut dyn FnMut(Entry) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.run("list", prefix, self.entries(prefix))?.into_iter().try_for_each(each)
    }

    fn versions(&self, key: &str) -> Result<Vec<Revision>, Error> {
        let why = "the pg backend keeps none".to_owned();
        Err(Error::NoVersions { what: self.call(key), why })
    }

    fn locks(&self) -> Option<&dyn Locks> {
        Some(self)
    }
}
