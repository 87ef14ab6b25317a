//! Locks: a lease on the blob of the state, and a note beside it that says who holds it.
//!
//! The id of the lease is the id of the lock. A lease needs a blob, so locking what is not there
//! makes a blob of no bytes, which is no state to Terraform either.

use std::fmt;

use super::container::Container;
use super::properties::{Metadata, Properties};
use super::requests::{Condition, Lease};
use crate::store::object::certainty::{self, Outcome};
use crate::store::object::error::Fault;
use crate::store::{Cause, Error, Held, Holder, LockInfo, Locks, Store};

/// How often a blob that vanishes between two requests is made anew.
const TRIES: u32 = 3;

impl Locks for Container {
    fn acquire(&self, key: &str, info: &LockInfo) -> Result<Box<dyn Held>, Error> {
        let path = format!("{}/{key}", self.0.requests.container);
        let info = LockInfo { path, ..info.clone() };
        let is_made = self.run(key, self.lease(key, &info))?;
        let (container, key, id) = (self.clone(), key.to_owned(), info.id);
        Ok(Box::new(Lock { container, key, id, is_made, is_held: true }))
    }

    fn holder(&self, key: &str) -> Result<Holder, Error> {
        self.run(key, self.look_for_holder(key))
    }

    fn break_lock(&self, key: &str, id: &str) -> Result<(), Error> {
        self.run(key, self.unlock(key, id, By::Anybody))
    }
}

/// Who gives a lease back.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum By {
    /// Whoever knows its id.
    Anybody,
    /// Its holder. The blob that was made for it goes with it where nobody wrote to it.
    Holder { is_made: bool },
}

impl Container {
    /// Takes the lease and notes its holder; says whether the blob was made for it.
    async fn lease(&self, key: &str, info: &LockInfo) -> Result<bool, Error> {
        let mut is_made = false;
        for _ in 0..TRIES {
            let found = self.state(key, "lock").await?;
            match &found {
                Some(found) if found.is_leased => {
                    // It may be this one's, whose answer was lost: the id is asked for below.
                    if found.metadata.holder().is_none_or(|holder| holder.id != info.id) {
                        return Err(self.locked(key, self.holder_of(key, found)));
                    }
                }
                Some(_) => {}
                None => is_made |= self.make(key).await?,
            }
            let request = self.0.requests.lease(key, Lease::Acquire(&info.id));
            match certainty::send(&self.0.client, request).await {
                Outcome::Done(_) => return self.note(key, info, is_made).await,
                Outcome::Failed(fault) if fault.is_not_found() => {}
                Outcome::Failed(fault) if fault.status() == Some(409) => {
                    let holder = self.look_for_holder(key).await?;
                    return Err(self.locked(key, holder));
                }
                Outcome::Failed(fault) => return Err(self.fault(fault, "lock", key)),
                Outcome::Doubtful(fault) => {
                    self.is_ours(key, info, fault).await?;
                    return self.note(key, info, is_made).await;
                }
            }
        }
        Err(self.changed(key))
    }

    /// Makes a blob of no bytes; says whether there was none.
    async fn make(&self, key: &str) -> Result<bool, Error> {
        let none = Metadata::default();
        let request = self.0.requests.write(key, b"", Condition::Absent, None, &none);
        match certainty::send(&self.0.client, request).await {
            Outcome::Done(_) => Ok(true),
            Outcome::Failed(fault) | Outcome::Doubtful(fault)
                if matches!(fault.status(), Some(409 | 412)) =>
            {
                Ok(false)
            }
            Outcome::Failed(fault) | Outcome::Doubtful(fault) => {
                Err(self.fault(fault, "lock", key))
            }
        }
    }

    /// Fails unless the lease has our id: an answer was lost.
    async fn is_ours(&self, key: &str, info: &LockInfo, fault: Fault) -> Result<(), Error> {
        let request = self.0.requests.lease(key, Lease::Renew(&info.id));
        match self.0.client.send(request).await {
            Ok(_) => Ok(()),
            Err(refusal) if refusal.status() == Some(409) => {
                match self.look_for_holder(key).await? {
                    Holder::Nobody => Err(self.fault(fault, "lock", key)),
                    holder => Err(self.locked(key, holder)),
                }
            }
            Err(_) => Err(self.stays(key, info, fault.into())),
        }
    }

    /// Notes who holds the lease, or gives it back.
    async fn note(&self, key: &str, info: &LockInfo, is_made: bool) -> Result<bool, Error> {
        let noted = match self.state(key, "lock").await {
            Ok(Some(found)) => {
                let metadata = found.metadata.with_holder(info);
                let request = self.0.requests.describe(key, &info.id, &metadata);
                match certainty::send(&self.0.client, request).await {
                    Outcome::Done(_) => return Ok(is_made),
                    Outcome::Failed(fault) | Outcome::Doubtful(fault) => {
                        self.fault(fault, "lock", key)
                    }
                }
            }
            Ok(None) => self.changed(key),
            Err(error) => error,
        };
        if let Err(left) = self.unlock(key, &info.id, By::Holder { is_made }).await {
            tracing::warn!(error = %left, lease = info.id, "the lease is left behind");
            return Err(self.stays(key, info, noted.into()));
        }
        Err(noted)
    }

    fn stays(&self, key: &str, info: &LockInfo, source: Cause) -> Error {
        Error::LockStays { what: self.name(key), id: info.id.clone(), source }
    }

    async fn state(&self, key: &str, doing: &'static str) -> Result<Option<Properties>, Error> {
        self.properties(key).await.map_err(|fault| self.fault(fault, doing, key))
    }

    pub(super) async fn look_for_holder(&self, key: &str) -> Result<Holder, Error> {
        let found = self.state(key, "read the lock of").await?;
        Ok(found.map_or(Holder::Nobody, |found| self.holder_of(key, &found)))
    }

    fn holder_of(&self, key: &str, found: &Properties) -> Holder {
        if !found.is_leased {
            return Holder::Nobody;
        }
        match found.metadata.holder() {
            Some(info) => Holder::Somebody { id: info.id.clone(), info },
            None => Holder::Unnamed { why: self.nameless(key) },
        }
    }

    /// Says what frees a lease that names no holder.
    fn nameless(&self, key: &str) -> String {
        let requests = &self.0.requests;
        format!(
            "its lease names no holder; `az storage blob lease break --account-name {} \
             --container-name {} --blob-name '{}'` breaks it",
            requests.account,
            requests.container,
            key.replace('\'', r"'\''")
        )
    }

    fn locked(&self, key: &str, holder: Holder) -> Error {
        let holder = match holder {
            Holder::Nobody => {
                Holder::Unnamed { why: "the lock was released this moment".to_owned() }
            }
            holder => holder,
        };
        Error::Locked { what: self.name(key), holder: Box::new(holder) }
    }

    /// Takes the note away and gives the lease back, if it has this id.
    async fn unlock(&self, key: &str, id: &str, by: By) -> Result<(), Error> {
        let failed = |fault| self.fault(fault, "unlock", key);
        let Some(found) = self.state(key, "unlock").await? else {
            if by == By::Anybody {
                return Err(Error::NotLocked { what: self.name(key) });
            }
            // Who deletes a blob under its lease gives that back with it.
            let request = self.0.requests.lease(key, Lease::Release(id));
            return match self.0.client.send(request).await {
                Err(fault) if !matches!(fault.status(), Some(404 | 409)) => Err(failed(fault)),
                _ => Ok(()),
            };
        };
        if !found.is_leased {
            return Err(Error::NotLocked { what: self.name(key) });
        }
        let noted = found.metadata.holder();
        if let Some(holder) = noted.as_ref().filter(|holder| holder.id != id) {
            let (asked, found) = (id.to_owned(), holder.id.clone());
            return Err(Error::LockId { what: self.name(key), asked, found });
        }
        if by == (By::Holder { is_made: true }) && found.len == 0 {
            let request = self.0.requests.delete(key, &found.etag, Some(id));
            match certainty::send(&self.0.client, request).await {
                Outcome::Done(_) => return Ok(()),
                Outcome::Doubtful(fault) if fault.is_not_found() => return Ok(()),
                // Who may not delete can still unlock.
                Outcome::Failed(_) | Outcome::Doubtful(_) => {}
            }
        }
        if noted.is_some() {
            let request = self.0.requests.describe(key, id, &found.metadata.without_holder());
            match certainty::send(&self.0.client, request).await {
                Outcome::Done(_) => {}
                Outcome::Failed(fault) if fault.status() == Some(412) => {
                    return Err(self.unbreakable(key));
                }
                Outcome::Failed(fault) | Outcome::Doubtful(fault) => return Err(failed(fault)),
            }
        }
        match certainty::send(&self.0.client, self.0.requests.lease(key, Lease::Release(id))).await
        {
            Outcome::Done(_) => Ok(()),
            Outcome::Doubtful(fault) if fault.status() == Some(409) => Ok(()),
            Outcome::Failed(fault) if fault.status() == Some(409) => Err(self.unbreakable(key)),
            Outcome::Failed(fault) | Outcome::Doubtful(fault) => Err(failed(fault)),
        }
    }

    fn unbreakable(&self, key: &str) -> Error {
        Error::Unbreakable { what: self.name(key), why: self.nameless(key) }
    }
}

/// A lease that is held.
struct Lock {
    container: Container,
    key: String,
    id: String,
    /// Whether the blob was made for it.
    is_made: bool,
    is_held: bool,
}

impl fmt::Debug for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lock({} of {})", self.id, self.container.name(&self.key))
    }
}

impl Lock {
    fn give_back(&mut self) -> Result<(), Error> {
        self.is_held = false;
        let by = By::Holder { is_made: self.is_made };
        self.container.run(&self.key, self.container.unlock(&self.key, &self.id, by))
    }
}

impl Held for Lock {
    fn id(&self) -> &str {
        &self.id
    }

    fn release(mut self: Box<Self>) -> Result<(), Error> {
        self.give_back()
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if self.is_held
            && let Err(error) = self.give_back()
        {
            tracing::warn!(%error, lease = self.id, "the lock is left behind");
        }
    }
}
