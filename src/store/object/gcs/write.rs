//! Writing and deleting, if the object is of the generation that is expected.

use super::bucket::{Bucket, generation, is_precondition, version};
use super::requests::Resource;
use crate::store::object::certainty::{self, Outcome};
use crate::store::object::error::Fault;
use crate::store::{Body, Error, Expected, Found, Store, Version};

impl Bucket {
    pub(super) async fn put(&self, key: &str, body: &Body<'_>) -> Result<Version, Error> {
        let before = match body.expected {
            Expected::Nothing => "0",
            Expected::Version(version) => generation(version),
        };
        let request = self.0.requests.write(key, body.bytes, before);
        match certainty::send(&self.0.contents, request).await {
            Outcome::Done(answer) => match Resource::parse(answer.body()) {
                Ok(resource) => Ok(version(&resource.generation)),
                Err(fault) => self.look(key, body, before, fault).await,
            },
            Outcome::Failed(fault) if is_precondition(&fault) => {
                Err(Error::Changed { what: self.name(key) })
            }
            Outcome::Failed(fault) => Err(self.fault(fault, "write", key)),
            Outcome::Doubtful(fault) => self.look(key, body, before, fault).await,
        }
    }

    /// Finds out what became of a write whose answer was lost.
    async fn look(
        &self,
        key: &str,
        body: &Body<'_>,
        before: &str,
        fault: Fault,
    ) -> Result<Version, Error> {
        let lost = |source: Fault| Error::Unknown { what: self.name(key), source: source.into() };
        let (bytes, found) = match self.fetch(key, None).await {
            Err(_) => return Err(lost(fault)),
            Ok(Found::Bytes(bytes, version)) => (Some(bytes), Some(version)),
            Ok(Found::Empty(version)) => (None, Some(version)),
            Ok(Found::Nothing) => (None, None),
        };
        let is_ours = bytes.as_deref().unwrap_or_default() == body.bytes;
        match found {
            Some(version) if is_ours && version.id.as_deref() != Some(before) => Ok(version),
            // A request on its way may still arrive.
            found if found.as_ref().map_or("0", generation) == before => match fault {
                fault @ Fault::TimedOut(_) => Err(lost(fault)),
                fault => Err(self.fault(fault, "write", key)),
            },
            _ => Err(Error::Changed { what: self.name(key) }),
        }
    }

    pub(super) async fn remove(&self, key: &str, expected: &Version) -> Result<(), Error> {
        let request = self.0.requests.delete(key, generation(expected));
        match certainty::send(&self.0.client, request).await {
            Outcome::Done(_) => Ok(()),
            Outcome::Doubtful(fault) if fault.is_not_found() => Ok(()),
            Outcome::Failed(fault) | Outcome::Doubtful(fault)
                if fault.is_not_found() || is_precondition(&fault) =>
            {
                Err(Error::Changed { what: self.name(key) })
            }
            Outcome::Failed(fault) | Outcome::Doubtful(fault) => {
                Err(self.fault(fault, "delete", key))
            }
        }
    }
}
