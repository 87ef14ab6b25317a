//! The locks of the backend `pg`: advisory locks of one session, by the number of the row.
//!
//! A workspace without a row is locked with the lock under which all workspaces are created.
//! Terraform and OpenTofu have each one of their own, so both are taken. What a lock says of its
//! holder is kept nowhere; but the server knows the session, and ours says who we are in its name.

use std::fmt;
use std::time::Duration;

use tokio::time::sleep;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use super::Pg;
use super::error::Failed;
use super::table;
use crate::store::{Error, Held, Holder, LockInfo, Locks};

/// How often a row is looked for that somebody creates or deletes meanwhile.
const TRIES: usize = 5;

/// How long to wait between two of these.
const PAUSE: Duration = Duration::from_millis(50);

/// How much of a session's name the server keeps, in bytes.
const NAME: usize = 63;

/// A lock that is held, and the session that holds it.
struct Taken {
    store: Pg,
    key: String,
    id: String,
    /// Nothing once it is released.
    session: Option<(Client, Vec<i64>)>,
}

impl Pg {
    /// Returns the number of a row.
    async fn number(&self, client: &Client, key: &str) -> Result<Option<i64>, Failed> {
        let sql = format!("SELECT id::bigint FROM {} WHERE name = $1", self.shared.table.sql());
        match client.query_typed(&sql, &[(&key, Type::TEXT)]).await.map_err(Failed::from) {
            Err(failed) if table::is_missing(&failed) => Ok(None),
            other => Ok(other?.first().map(|row| row.try_get(0)).transpose()?),
        }
    }

    async fn take(&self, key: &str, info: &LockInfo) -> Result<(Client, Vec<i64>), Failed> {
        let client = self.shared.connections.open(&session_name(info)).await?;
        let mut tries = 0;
        loop {
            let number = self.number(&client, key).await?;
            let creation = self.shared.table.creation_keys();
            let (mut taken, mut refused) = (Vec::new(), None);
            for lock in number.into_iter().chain(creation) {
                if !try_lock(&client, lock).await? {
                    refused = Some(lock);
                    break;
                }
                taken.push(lock);
            }
            // Between the two questions the row may have come or gone.
            if refused.is_none() && self.number(&client, key).await? == number {
                if number.is_some() {
                    unlock_all(&client, &creation).await?;
                    taken.truncate(1);
                }
                return Ok((client, taken));
            }
            let is_passing = number.is_some() && refused != number;
            if let Some(lock) = refused.filter(|_| !is_passing || tries == TRIES) {
                let held = self.held(&client, key, lock).await?;
                // The session ends here, but the server may take a moment to see that, in which
                // what it has taken would stand in the way of others.
                unlock_all(&client, &taken).await?;
                return Err(held);
            }
            if tries == TRIES {
                return Err(Failed::Told(Error::Changing { what: self.call(key) }));
            }
            // Whoever locks another workspace has these for a moment.
            unlock_all(&client, &taken).await?;
            sleep(PAUSE).await;
            tries += 1;
        }
    }

    async fn held(&self, client: &Client, key: &str, lock: i64) -> Result<Failed, Failed> {
        let holder = session(client, lock).await?.map_or_else(gone, |session| session.holder());
        let what = self.call(key);
        Ok(Failed::Told(Error::Locked { what, holder: Box::new(holder) }))
    }

    /// Returns the session that keeps others from locking a workspace.
    async fn find(&self, key: &str) -> Result<Option<Session>, Failed> {
        let client = self.shared.connections.take().await?;
        let number = self.number(&client, key).await?;
        for lock in number.into_iter().chain(self.shared.table.creation_keys()) {
            let found = session(&client, lock).await?;
            if found.is_some() {
                self.shared.connections.give_back(client);
                return Ok(found);
            }
        }
        self.shared.connections.give_back(client);
        Ok(None)
    }
}

/// A session that holds a lock, as far as this user may know.
struct Session {
    process: i32,
    user: Option<String>,
    name: Option<String>,
    client: Option<String>,
    since: Option<String>,
}

impl Session {
    fn holder(&self) -> Holder {
        let mut why = format!("process {} of the server holds the lock", self.process);
        let facts = [
            ("user ", &self.user),
            ("calling itself ", &self.name),
            ("from ", &self.client),
            ("connected since ", &self.since),
        ];
        let known = facts.into_iter().filter_map(|(what, fact)| {
            let fact = fact.as_ref().filter(|fact| !fact.is_empty())?;
            Some(format!("{what}{fact}"))
        });
        let known: Vec<String> = known.collect();
        if !known.is_empty() {
            why = format!("{why} ({})", known.join(", "));
        }
        Holder::Unnamed { why }
    }
}

/// Somebody who had it when it was asked for, and not any more a moment later.
fn gone() -> Holder {
    Holder::Unnamed { why: "a session of the server had the lock for a moment".to_owned() }
}

async fn session(client: &Client, lock: i64) -> Result<Option<Session>, Failed> {
    // The two halves of a lock's key are unsigned there.
    let sql = "SELECT l.pid, a.usename::text, a.application_name, host(a.client_addr), \
               to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') \
               FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid \
               WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 \
               AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
               AND ((l.classid::bigint << 32) | l.objid::bigint) = $1";
    let rows = client.query_typed(sql, &[(&lock, Type::INT8)]).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    Ok(Some(Session {
        process: row.try_get(0)?,
        user: row.try_get(1)?,
        name: row.try_get(2)?,
        client: row.try_get(3)?,
        since: row.try_get(4)?,
    }))
}

async fn try_lock(client: &Client, lock: i64) -> Result<bool, Failed> {
    let sql = "SELECT pg_try_advisory_lock($1)";
    let row = client.query_typed_one(sql, &[(&lock, Type::INT8)]).await?;
    Ok(row.try_get(0)?)
}

/// Returns whether the lock was held.
async fn unlock(client: &Client, lock: i64) -> Result<bool, Failed> {
    let sql = "SELECT pg_advisory_unlock($1)";
    let row = client.query_typed_one(sql, &[(&lock, Type::INT8)]).await?;
    Ok(row.try_get(0)?)
}

/// Returns whether all of the locks were held.
async fn unlock_all(client: &Client, locks: &[i64]) -> Result<bool, Failed> {
    let mut were_held = true;
    for lock in locks {
        were_held &= unlock(client, *lock).await?;
    }
    Ok(were_held)
}

/// Returns what the session that holds a lock calls itself, for those who look for its holder.
fn session_name(info: &LockInfo) -> String {
    let name = format!("tfstate {} {}", info.operation, info.who);
    let end = (0..=NAME.min(name.len())).rev().find(|end| name.is_char_boundary(*end));
    name[..end.unwrap_or_default()].to_owned()
}

impl Locks for Pg {
    fn acquire(&self, key: &str, info: &LockInfo) -> Result<Box<dyn Held>, Error> {
        let session = self.run("lock", key, self.take(key, info))?;
        let (store, key, id) = (self.clone(), key.to_owned(), info.id.clone());
        Ok(Box::new(Taken { store, key, id, session: Some(session) }))
    }

    fn holder(&self, key: &str) -> Result<Holder, Error> {
        let found = self.run("read the lock of", key, self.find(key))?;
        Ok(found.map_or(Holder::Nobody, |session| session.holder()))
    }

    fn break_lock(&self, key: &str, _id: &str) -> Result<(), Error> {
        let what = self.call(key);
        let Some(session) = self.run("read the lock of", key, self.find(key))? else {
            return Err(Error::NotLocked { what });
        };
        let process = session.process;
        let why = format!(
            "the lock ends with the session of its holder; a user who may can end that: \
             SELECT pg_terminate_backend({process})"
        );
        Err(Error::Unbreakable { what, why })
    }
}

impl Taken {
    fn end(&mut self) -> Result<(), Error> {
        let Some((client, locks)) = self.session.take() else { return Ok(()) };
        let what = || self.store.call(&self.key);
        if client.is_closed() {
            return Err(Error::NotLocked { what: what() });
        }
        self.store.run("unlock", &self.key, async {
            if unlock_all(&client, &locks).await? {
                return Ok(());
            }
            Err(Failed::Told(Error::NotLocked { what: what() }))
        })
    }
}

impl Held for Taken {
    fn id(&self) -> &str {
        &self.id
    }

    fn release(mut self: Box<Self>) -> Result<(), Error> {
        self.end()
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        // After a release there is nothing left to do; and the session ends in any case.
        let _ended = self.end();
    }
}

impl fmt::Debug for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = self.store.call(&self.key);
        f.debug_struct("Taken").field("of", &of).field("id", &self.id).finish_non_exhaustive()
    }
}
