//! Writing and deleting: on a condition, under the lease if there is one, and with the metadata
//! that a write would drop.

use super::container::Container;
use super::properties::{self, Properties};
use super::requests::Condition;
use crate::store::object::certainty::{self, Outcome};
use crate::store::object::digest;
use crate::store::object::error::Fault;
use crate::store::{Body, Error, Expected, Store, Version};

impl Container {
    pub(super) async fn put(&self, key: &str, body: &Body<'_>) -> Result<Version, Error> {
        let failed = |fault| self.fault(fault, "write", key);
        let before = self.properties(key).await.map_err(failed)?;
        let condition = match (body.expected, &before) {
            (Expected::Nothing, None) => Condition::Absent,
            // A lock makes a blob of no bytes where there is none, and that is no state.
            (Expected::Nothing, Some(found)) if found.len == 0 && body.lock.is_some() => {
                Condition::Unchanged(&found.etag)
            }
            (Expected::Version(version), Some(found)) if found.version.tag == version.tag => {
                Condition::Unchanged(&found.etag)
            }
            _ => return Err(self.changed(key)),
        };
        if let (true, Condition::Unchanged(etag)) = (self.0.snapshot, condition) {
            let request = self.0.requests.snapshot(key, etag, body.lock);
            if let Err(fault) = self.0.client.send(request).await {
                return Err(self.refused_write(key, fault, "take a snapshot of").await);
            }
        }
        self.send(key, body, (condition, before.as_ref())).await
    }

    /// Writes what cannot be there yet.
    pub(super) async fn add(&self, key: &str, bytes: &[u8]) -> Result<Version, Error> {
        let body = Body { bytes, expected: Expected::Nothing, lock: None };
        self.send(key, &body, (Condition::Absent, None)).await
    }

    async fn send(
        &self,
        key: &str,
        body: &Body<'_>,
        (condition, before): (Condition<'_>, Option<&Properties>),
    ) -> Result<Version, Error> {
        let metadata = before.map(|found| found.metadata.clone()).unwrap_or_default();
        let request = self.0.requests.write(key, body.bytes, condition, body.lock, &metadata);
        match certainty::send(&self.0.client, request).await {
            Outcome::Done(answer) => Ok(properties::version(answer.headers())),
            Outcome::Failed(fault) => Err(self.refused_write(key, fault, "write").await),
            Outcome::Doubtful(fault) => {
                let before = before.map(|found| found.etag.as_str());
                self.look(key, body.bytes, before, fault).await
            }
        }
    }

    /// Finds out what became of a write whose answer was lost.
    async fn look(
        &self,
        key: &str,
        bytes: &[u8],
        before: Option<&str>,
        fault: Fault,
    ) -> Result<Version, Error> {
        let lost = |source: Fault| Error::Unknown { what: self.name(key), source: source.into() };
        let Ok(found) = self.properties(key).await else { return Err(lost(fault)) };
        if found.as_ref().map(|found| found.etag.as_str()) == before {
            // A request on its way may still arrive.
            return Err(match fault {
                fault @ Fault::TimedOut(_) => lost(fault),
                fault => self.fault(fault, "write", key),
            });
        }
        let digest = digest::of(bytes);
        match found {
            Some(found) if found.version.tag.as_ref() == Some(&digest) => Ok(found.version),
            _ => Err(self.changed(key)),
        }
    }

    /// Returns the error of a write or a deletion that was refused.
    async fn refused_write(&self, key: &str, fault: Fault, doing: &'static str) -> Error {
        match (fault.status(), fault.code()) {
            (Some(412), "LeaseIdMissing" | "LeaseIdMismatchWithBlobOperation" | "LeaseLost") => {
                match self.look_for_holder(key).await {
                    Ok(holder) => Error::Locked { what: self.name(key), holder: Box::new(holder) },
                    Err(_) => self.fault(fault, doing, key),
                }
            }
            (Some(412), "LeaseNotPresentWithBlobOperation") => self.fault(fault, doing, key),
            (Some(412), _) | (Some(409), "BlobAlreadyExists") => self.changed(key),
            _ => self.fault(fault, doing, key),
        }
    }

    pub(super) async fn remove(
        &self,
        key: &str,
        expected: &Version,
        lock: Option<&str>,
    ) -> Result<(), Error> {
        let found = self.properties(key).await.map_err(|fault| self.fault(fault, "delete", key))?;
        let Some(found) = found.filter(|found| found.version.tag == expected.tag) else {
            return Err(self.changed(key));
        };
        match certainty::send(&self.0.client, self.0.requests.delete(key, &found.etag, lock)).await
        {
            Outcome::Done(_) => Ok(()),
            Outcome::Doubtful(fault) if fault.is_not_found() => Ok(()),
            Outcome::Failed(fault) if fault.is_not_found() => Err(self.changed(key)),
            Outcome::Failed(fault) | Outcome::Doubtful(fault) => {
                Err(self.refused_write(key, fault, "delete").await)
            }
        }
    }
}
