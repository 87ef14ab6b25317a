//! Versions 2 and 3, which are laid out alike, and what sets them apart: version 2 counts the
//! elements of a map as it counts those of a list.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use super::Error;
use super::legacy::{Entry, Module, Object, Output, State};
use super::node::Node;

/// Reads a state of version 2 or 3.
pub(super) fn read<'v>(root: &Node<'v, '_>) -> Result<State<'v>, Error> {
    Ok(State {
        terraform_version: root.field("terraform_version").string()?,
        serial: root.field("serial").integer()?,
        lineage: root.field("lineage").string()?,
        backend: backend(&root.field("backend"))?,
        remote: remote(&root.field("remote"))?,
        modules: root
            .field("modules")
            .items()?
            .map(|node| module(&node.object()?))
            .collect::<Result<_, _>>()?,
    })
}

/// Checks the record of a remote storage and returns whether there is one.
pub(super) fn remote(node: &Node<'_, '_>) -> Result<bool, Error> {
    if node.is_null() {
        return Ok(false);
    }
    let node = node.object()?;
    node.field("type").string()?;
    node.field("config").string_map()?;
    Ok(true)
}

fn backend(node: &Node<'_, '_>) -> Result<bool, Error> {
    if node.is_null() {
        return Ok(false);
    }
    let node = node.object()?;
    node.field("type").string()?;
    node.field("hash").check_unsigned()?;
    Ok(true)
}

fn module<'v>(node: &Node<'v, '_>) -> Result<Module<'v>, Error> {
    Ok(Module {
        path: node.field("path").strings()?,
        outputs: node
            .field("outputs")
            .entries()?
            .into_iter()
            .map(|(name, node)| Ok((name, output(&node.object()?)?)))
            .collect::<Result<_, _>>()?,
        entries: node
            .field("resources")
            .entries()?
            .into_iter()
            .map(|(key, node)| Ok((key, entry(&node.object()?)?)))
            .collect::<Result<_, _>>()?,
        dependencies: !node.field("depends_on").strings()?.is_empty(),
        locals: !node.field("locals").entries()?.is_empty(),
    })
}

fn output<'v>(node: &Node<'v, '_>) -> Result<Output<'v>, Error> {
    // Only three types were ever named here, so the value itself says more.
    node.field("type").string()?;
    Ok(Output { sensitive: node.field("sensitive").flag()?, value: node.field("value").any()? })
}

fn entry<'v>(node: &Node<'v, '_>) -> Result<Entry<'v>, Error> {
    let primary = node.field("primary");
    Ok(Entry {
        kind: node.field("type").string()?,
        provider: node.field("provider").string()?,
        primary: if primary.is_null() { None } else { Some(object(&primary.object()?)?) },
        deposed: node
            .field("deposed")
            .items()?
            .map(|node| object(&node.object()?))
            .collect::<Result<_, _>>()?,
        tainted: 0,
        dependencies: !node.field("depends_on").strings()?.is_empty(),
    })
}

fn object<'v>(node: &Node<'v, '_>) -> Result<Object<'v>, Error> {
    Ok(Object {
        id: node.field("id").string()?,
        attributes: attributes(&node.field("attributes"))?,
        meta: node
            .field("meta")
            .entries()?
            .into_iter()
            .map(|(key, node)| Ok((key, node.any()?)))
            .collect::<Result<_, _>>()?,
        tainted: node.field("tainted").flag()?,
    })
}

/// Reads a flat map, if there is one.
pub(super) fn attributes<'v>(
    node: &Node<'v, '_>,
) -> Result<Option<BTreeMap<Cow<'v, str>, &'v str>>, Error> {
    let read = node.string_map()?;
    let borrowed = |(key, value)| (Cow::Borrowed(key), value);
    Ok((!node.is_null()).then(|| read.into_iter().map(borrowed).collect()))
}

/// Brings the counts of collections to what version 3 has: `.%` for maps, none for what is empty.
///
/// Which collections are maps is a guess, the same that Terraform makes: those with a key that is
/// not a whole number.
pub(super) fn repair_counts(state: &mut State<'_>) {
    let entries = state.modules.iter_mut().flat_map(|module| module.entries.values_mut());
    let objects = entries.flat_map(|entry| entry.primary.iter_mut().chain(&mut entry.deposed));
    for attributes in objects.filter_map(|object| object.attributes.as_mut()) {
        repair(attributes);
    }
}

fn repair(attributes: &mut BTreeMap<Cow<'_, str>, &str>) {
    // Terraform looks for counts with a regular expression whose `.` stops at a line's end.
    let prefixes: BTreeSet<String> = attributes
        .keys()
        .filter_map(|key| key.strip_suffix('#'))
        .filter(|prefix| prefix.ends_with('.') && !prefix.contains('\n'))
        .map(str::to_owned)
        .collect();
    for prefix in prefixes {
        let count = format!("{prefix}#");
        let mut segments = attributes
            .range::<str, _>((Bound::Included(prefix.as_str()), Bound::Unbounded))
            .map_while(|(key, _)| key.strip_prefix(prefix.as_str()))
            .filter(|rest| *rest != "#")
            .map(first_segment)
            .peekable();
        let empty = segments.peek().is_none();
        let map = segments.any(|segment| segment.parse::<i64>().is_err());
        if empty || map {
            let value = attributes.remove(count.as_str());
            if let Some(value) = value.filter(|_| map) {
                attributes.insert(Cow::Owned(format!("{prefix}%")), value);
            }
        }
    }
}

/// Returns a key up to its first dot; one that starts with a dot is no collection's and stays.
fn first_segment(rest: &str) -> &str {
    match rest.find('.') {
        None | Some(0) => rest,
        Some(dot) => &rest[..dot],
    }
}
