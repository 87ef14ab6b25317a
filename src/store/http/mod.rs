//! The backend `http`: one state behind an address that answers GET and POST.
//!
//! The protocol knows no versions and no conditions: what is expected is read just before a write,
//! and only a lock makes it sure that it still holds.

mod client;
mod lock;
mod settings;

use std::sync::Arc;

use bytes::Bytes as Buffer;
use client::{Client, Reply};
use reqwest::Method;
use reqwest::Url;

use super::object::error::Fault;
use super::{
    Body, Cause, Entry, Error, Expected, Found, Guarantee, Guarantees, Locks, Problem, Revision,
    Store, Version, backend, runtime,
};
use crate::base::env::Env;
use crate::state::bytes::Bytes;

/// Returns the store of these settings.
pub(super) fn connect(settings: &backend::Http, env: &Env) -> Result<Arc<dyn Store>, Error> {
    settings::http(settings, env)
        .map(|http| Arc::new(http) as Arc<dyn Store>)
        .map_err(|problem| Error::Settings { backend: "http", problem })
}

/// An address that answers GET and POST.
#[derive(Clone, Debug)]
struct Http {
    /// Says the address to people.
    name: String,
    client: Client,
    read: Target,
    update: Target,
    /// Where and how to lock, and to unlock; nothing where there are no locks.
    locks: Option<(Target, Target)>,
    /// What says who asks for a lock.
    env: Env,
}

/// Where a request goes, and how.
#[derive(Clone, Debug)]
struct Target {
    method: Method,
    address: Address,
}

/// An address that does not show its credentials, nor what follows `?`, where tokens are passed.
#[derive(Clone)]
struct Address(Url);

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.shown())
    }
}

impl Address {
    fn shown(&self) -> String {
        let mut url = self.0.clone();
        url.set_query(None);
        url.set_fragment(None);
        // Of an address that can have no user, there is nothing to hide.
        let (_user, _password) = (url.set_username(""), url.set_password(None));
        url.to_string()
    }
}

impl Http {
    fn run<T>(
        &self,
        doing: &'static str,
        work: impl Future<Output = Result<T, Failed>>,
    ) -> Result<T, Error> {
        let failed = |source| Error::Remote {
            doing,
            what: self.name.clone(),
            problem: Problem::Unreachable(self.name.clone()),
            source: Some(Cause::from(source)),
        };
        let done = runtime::block_on(work).map_err(failed)?;
        done.map_err(|failed| match failed {
            Failed::Fault(fault) => self.error(doing, fault),
            Failed::Told(error) => error,
        })
    }

    fn error(&self, doing: &'static str, fault: Fault) -> Error {
        let what = self.name.clone();
        match &fault {
            Fault::Answer(answer) if (300..400).contains(&answer.status) => {
                let problem = Problem::Redirected(answer.message.clone());
                Error::Remote { doing, what, problem, source: None }
            }
            _ => fault.while_doing(doing, what, "such address"),
        }
    }

    /// The protocol has one state, whose key is empty.
    fn only(&self, key: &str) -> Result<(), Error> {
        if key.is_empty() {
            return Ok(());
        }
        Err(Error::NoWorkspaces { name: key.to_owned(), what: self.name.clone() })
    }

    async fn get(&self) -> Result<Found, Fault> {
        let reply = self.client.send(&self.read, None, client::Repeat::Always).await?;
        Ok(match reply.status {
            200 if reply.body.is_empty() => Found::Empty(version(&reply.body)),
            200 => {
                let version = version(&reply.body);
                Found::Bytes(Bytes::new(reply.body), version)
            }
            204 | 404 => Found::Nothing,
            _ => return Err(reply.into()),
        })
    }

    fn changed(&self) -> Failed {
        Failed::Told(Error::Changed { what: self.name.clone() })
    }

    /// Posts bytes, and looks at what became of them where the answer does not tell.
    async fn put(&self, body: &Body<'_>) -> Result<(), Failed> {
        let mut update = self.update.clone();
        if let Some(id) = body.lock {
            update.address.0.query_pairs_mut().append_pair("ID", id);
        }
        let bytes = Buffer::copy_from_slice(body.bytes);
        let mut tries = 0;
        loop {
            let sent = self.client.send(&update, Some(&bytes), client::Repeat::WhereUndone).await;
            let fault = match sent {
                Ok(Reply { status: 200 | 201 | 204, .. }) => return Ok(()),
                Ok(reply) => Fault::from(reply),
                Err(fault) => fault,
            };
            if !fault.is_ambiguous() {
                return Err(fault.into());
            }
            let Ok(found) = self.get().await else { return Err(self.unknown(fault)) };
            match &found {
                Found::Bytes(bytes, _) if **bytes == *body.bytes => return Ok(()),
                Found::Empty(_) if body.bytes.is_empty() => return Ok(()),
                found if !is_expected(found, body.expected) => return Err(self.unknown(fault)),
                _ => {}
            }
            // It was not written, and can be tried again.
            if !fault.is_passing() || tries >= self.client.retries() {
                return Err(fault.into());
            }
            self.client.pause(&fault, tries).await;
            tries += 1;
        }
    }

    fn unknown(&self, fault: Fault) -> Failed {
        Failed::Told(Error::Unknown { what: self.name.clone(), source: Cause::from(fault) })
    }

    async fn remove(&self) -> Result<(), Failed> {
        let delete = Target { method: Method::DELETE, address: self.read.address.clone() };
        let fault = match self.client.send(&delete, None, client::Repeat::WhereUndone).await {
            Ok(Reply { status: 200 | 204 | 404, .. }) => return Ok(()),
            Ok(reply) => Fault::from(reply),
            Err(fault) => fault,
        };
        if fault.is_ambiguous() && matches!(self.get().await, Ok(Found::Nothing)) {
            return Ok(());
        }
        Err(fault.into())
    }
}

/// What went wrong, or what to say about it.
enum Failed {
    Fault(Fault),
    Told(Error),
}

impl From<Fault> for Failed {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// Returns the version of these bytes: the protocol has no tags.
fn version(bytes: &[u8]) -> Version {
    Version { tag: Some(blake3::hash(bytes).to_hex().to_string()), id: None }
}

/// An empty answer is how some servers say that there is nothing.
fn is_expected(found: &Found, expected: Expected<'_>) -> bool {
    match (found, expected) {
        (Found::Nothing | Found::Empty(_), Expected::Nothing) => true,
        (Found::Empty(now) | Found::Bytes(_, now), Expected::Version(then)) => now == then,
        _ => false,
    }
}

impl Store for Http {
    fn name(&self, _key: &str) -> String {
        self.name.clone()
    }

    fn guarantees(&self) -> Guarantees {
        Guarantees { create: Guarantee::UnderLock, replace: Guarantee::UnderLock }
    }

    fn read(&self, key: &str) -> Result<Found, Error> {
        self.only(key)?;
        self.run("read", async { Ok(self.get().await?) })
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
        self.only(key)?;
        self.run("write", async {
            if !is_expected(&self.get().await?, body.expected) {
                return Err(self.changed());
            }
            self.put(body).await?;
            Ok(version(body.bytes))
        })
    }

    fn delete(&self, key: &str, expected: &Version, _lock: Option<&str>) -> Result<(), Error> {
        self.only(key)?;
        self.run("delete", async {
            if !is_expected(&self.get().await?, Expected::Version(expected)) {
                return Err(self.changed());
            }
            self.remove().await
        })
    }

    fn list(
        &self,
        prefix: &str,
        each: &mut dyn FnMut(Entry) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.only(prefix)?;
        self.head("")?.map_or(Ok(()), each)
    }

    fn versions(&self, key: &str) -> Result<Vec<Revision>, Error> {
        self.only(key)?;
        let why = "the http backend has no versions".to_owned();
        Err(Error::NoVersions { what: self.name.clone(), why })
    }

    fn locks(&self) -> Option<&dyn Locks> {
        self.locks.is_some().then_some(self)
    }
}
