//! The locks of the backend `http`: LOCK and UNLOCK with the note as the body.
//!
//! The protocol has no question who holds a lock. The only way to know is to try to take it: what
//! is answered then names the holder, and what was taken is given back at once.

use std::fmt;

use bytes::Bytes;

use super::client::{Repeat, Reply};
use super::{Failed, Http, Target};
use crate::base::clock::System;
use crate::store::object::error::Fault;
use crate::store::{Error, Held, Holder, LockInfo, Locks};

/// A lock that is held.
struct Taken {
    store: Http,
    info: LockInfo,
    is_released: bool,
}

/// What came of asking for a lock.
enum Asked {
    Taken,
    Held(Holder),
}

impl Http {
    fn targets(&self) -> Result<&(Target, Target), Failed> {
        let off = || Error::Settings {
            backend: "http",
            problem: "`lock_address` is not set, so there are no locks".to_owned(),
        };
        self.locks.as_ref().ok_or_else(|| Failed::Told(off()))
    }

    async fn ask(&self, info: &LockInfo) -> Result<Asked, Failed> {
        let (lock, _) = self.targets()?;
        let body = Bytes::from(info.to_json());
        let reply = match self.client.send(lock, Some(&body), Repeat::Always).await {
            // Nobody knows whether it was taken. Unlocking now could be worse: some servers take
            // the lock from whoever holds it, whatever id they are given.
            Err(fault) if is_lost(&fault) => return Err(self.stays(info, fault)),
            other => other?,
        };
        match reply.status {
            200 => Ok(Asked::Taken),
            409 | 423 => Ok(match holder(&reply) {
                // An earlier try took it, and the answer was lost.
                Holder::Somebody { id, .. } if id == info.id => Asked::Taken,
                holder => Asked::Held(holder),
            }),
            _ => Err(Fault::from(reply).into()),
        }
    }

    fn stays(&self, info: &LockInfo, fault: Fault) -> Failed {
        let (what, id) = (self.name.clone(), info.id.clone());
        Failed::Told(Error::LockStays { what, id, source: fault.into() })
    }

    async fn give_back(&self, info: &LockInfo, repeat: Repeat) -> Result<(), Fault> {
        let Some((_, unlock)) = &self.locks else { return Ok(()) };
        let body = Bytes::from(info.to_json());
        let reply = self.client.send(unlock, Some(&body), repeat).await?;
        if (200..300).contains(&reply.status) { Ok(()) } else { Err(reply.into()) }
    }

    /// Takes the lock and gives it back, or says who has it.
    async fn probe(&self) -> Result<Holder, Failed> {
        let info = LockInfo::new("lock-show", &self.env, &System);
        let info = info.map_err(|error| Fault::Other(error.to_string()))?;
        match self.ask(&info).await? {
            Asked::Held(holder) => Ok(holder),
            Asked::Taken => {
                let given = self.give_back(&info, Repeat::Always).await;
                given.map_err(|fault| self.stays(&info, fault))?;
                Ok(Holder::Nobody)
            }
        }
    }

    async fn release(&self, info: &LockInfo) -> Result<(), Failed> {
        let Err(first) = self.give_back(info, Repeat::WhereUndone).await else { return Ok(()) };
        let mut fault = first;
        let may_be_done = fault.is_ambiguous();
        if may_be_done {
            match self.give_back(info, Repeat::Always).await {
                Ok(()) => return Ok(()),
                Err(second) => fault = second,
            }
        }
        if fault.status().is_none() {
            return Err(fault.into());
        }
        // Servers refuse in many ways; only who has the lock now tells what that means.
        let what = self.name.clone();
        match self.probe().await {
            Ok(Holder::Nobody) if may_be_done => Ok(()),
            Ok(Holder::Nobody) => Err(Failed::Told(Error::NotLocked { what })),
            Ok(Holder::Somebody { id: found, .. }) if found != info.id => {
                Err(Failed::Told(Error::LockId { what, asked: info.id.clone(), found }))
            }
            _ => Err(fault.into()),
        }
    }

    async fn break_it(&self, id: &str) -> Result<(), Failed> {
        let what = self.name.clone();
        match self.probe().await? {
            Holder::Nobody => return Err(Failed::Told(Error::NotLocked { what })),
            // Some servers unlock whatever id they are given, so it is compared here.
            Holder::Somebody { id: found, .. } if found != id => {
                return Err(Failed::Told(Error::LockId { what, asked: id.to_owned(), found }));
            }
            _ => {}
        }
        let info = LockInfo { id: id.to_owned(), ..LockInfo::default() };
        Ok(self.give_back(&info, Repeat::Always).await?)
    }
}

/// Whether the server may have done it although it did not say so.
fn is_lost(fault: &Fault) -> bool {
    fault.is_ambiguous() && matches!(fault.status(), None | Some(408 | 502 | 504))
}

fn holder(reply: &Reply) -> Holder {
    if let Some(info) = LockInfo::from_json(&reply.body).filter(|info| !info.id.is_empty()) {
        return Holder::Somebody { id: info.id.clone(), info };
    }
    Holder::Unnamed { why: format!("the server answered {} and did not say by whom", reply.status) }
}

impl Locks for Http {
    fn acquire(&self, key: &str, info: &LockInfo) -> Result<Box<dyn Held>, Error> {
        self.only(key)?;
        // Terraform leaves the path empty here.
        let info = LockInfo { path: String::new(), ..info.clone() };
        match self.run("lock", self.ask(&info))? {
            Asked::Taken => Ok(Box::new(Taken { store: self.clone(), info, is_released: false })),
            Asked::Held(holder) => {
                Err(Error::Locked { what: self.name.clone(), holder: Box::new(holder) })
            }
        }
    }

    fn holder(&self, key: &str) -> Result<Holder, Error> {
        self.only(key)?;
        self.run("read the lock of", self.probe())
    }

    fn break_lock(&self, key: &str, id: &str) -> Result<(), Error> {
        self.only(key)?;
        self.run("unlock", self.break_it(id))
    }
}

impl Held for Taken {
    fn id(&self) -> &str {
        &self.info.id
    }

    fn release(mut self: Box<Self>) -> Result<(), Error> {
        self.is_released = true;
        self.store.run("unlock", self.store.release(&self.info))
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        if !self.is_released {
            // Nobody is left to be told.
            let _released = self.store.run("unlock", self.store.release(&self.info));
        }
    }
}

impl fmt::Debug for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Taken")
            .field("of", &self.store.name)
            .field("id", &self.info.id)
            .finish_non_exhaustive()
    }
}
