//! Listing instances as `terraform state list` does, and by filter.

use crate::query::filter::Filter;
use crate::state::address::{self, Key, Target};
use crate::state::document::{Document, Instance};

/// Which instances to list.
#[derive(Debug)]
pub struct Selection {
    /// Addresses of modules, resources or instances; none means all.
    pub addresses: Vec<String>,
    /// Only instances whose attribute `id` is exactly this.
    pub id: Option<String>,
    /// Only instances that match.
    pub filter: Filter,
}

/// Why a selection can't be listed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Text that should be an address is not one.
    #[error("cannot read `{text}` as an address")]
    Address {
        /// The text.
        text: String,
        /// Why not.
        source: address::Error,
    },
    /// Nothing in the state has this address.
    #[error("no instance matches `{text}`")]
    NoMatch {
        /// The address.
        text: String,
    },
}

/// Finds the selected instances: for each address in turn, in Terraform's order.
///
/// An instance that has deposed objects is listed once, by its current object where it has one.
/// As in Terraform, an address that nothing matches is an error, and several addresses may list
/// one instance several times. `id` and the filter narrow what the addresses found. Without an
/// address nothing is collected, however many instances there are.
pub fn list<'a>(
    document: &'a Document,
    selection: &'a Selection,
) -> Result<impl Iterator<Item = Instance<'a>>, Error> {
    let found: Box<dyn Iterator<Item = Instance<'a>>> = if selection.addresses.is_empty() {
        Box::new(addresses(document))
    } else {
        Box::new(at(document, &selection.addresses)?.into_iter())
    };
    Ok(found.filter(|instance| {
        let is_it = |id: &String| instance.id().is_some_and(|found| found == *id);
        selection.id.as_ref().is_none_or(is_it) && selection.filter.matches(*instance)
    }))
}

fn at<'a>(document: &'a Document, texts: &[String]) -> Result<Vec<Instance<'a>>, Error> {
    let mut found = Vec::new();
    for text in texts {
        let target = parse(text)?;
        let before = found.len();
        found.extend(addresses(document).filter(|instance| is_within(*instance, &target)));
        if found.len() == before && !is_known(document, &target) {
            return Err(Error::NoMatch { text: text.clone() });
        }
    }
    Ok(found)
}

/// Returns one instance for each address, in Terraform's order.
pub fn addresses(document: &Document) -> impl Iterator<Item = Instance<'_>> {
    let mut last: Option<Instance<'_>> = None;
    document.instances().filter(move |instance| {
        // Only a deposed object can have the address of the one before it.
        let repeats = instance.is_deposed()
            && last.is_some_and(|last| {
                last.resource().is_same_as(instance.resource()) && last.key() == instance.key()
            });
        last = Some(*instance);
        !repeats
    })
}

/// Returns whether the state has a resource of this address, though perhaps no instance of it.
fn is_known(document: &Document, target: &Target) -> bool {
    document.resources().any(|resource| {
        let (kind, name) = (resource.kind(), resource.name());
        target.matches(resource.module(), resource.mode(), &kind, &name, &Key::None)
    })
}

fn is_within(instance: Instance<'_>, target: &Target) -> bool {
    let resource = instance.resource();
    let (kind, name) = (resource.kind(), resource.name());
    target.matches(resource.module(), resource.mode(), &kind, &name, &instance.key())
}

/// Returns every object, deposed ones too, that one of the addresses means, each once.
pub fn objects<'a>(
    document: &'a Document,
    addresses: &[String],
) -> Result<Vec<Instance<'a>>, Error> {
    let mut targets = Vec::with_capacity(addresses.len());
    for text in addresses {
        let target = parse(text)?;
        if !document.instances().any(|instance| is_within(instance, &target))
            && !is_known(document, &target)
        {
            return Err(Error::NoMatch { text: text.clone() });
        }
        targets.push(target);
    }
    let is_meant =
        |instance: &Instance<'_>| targets.iter().any(|target| is_within(*instance, target));
    Ok(document.instances().filter(is_meant).collect())
}

fn parse(text: &str) -> Result<Target, Error> {
    text.parse().map_err(|source| Error::Address { text: text.to_owned(), source })
}
