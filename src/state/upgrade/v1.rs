//! Version 1: outputs are plain strings, and tainted objects stand in a list of their own, which
//! no later version has.

use std::borrow::Cow;

use super::Error;
use super::legacy::{Entry, Module, Object, Output, State};
use super::node::Node;
use super::v2;
use crate::state::value::Value;

/// Stands for `null` where a string is due, as a string in Go cannot be `null`.
static EMPTY: Value<'static> = Value::String(Cow::Borrowed(""));

/// Reads a state of version 1.
pub(super) fn read<'v>(root: &Node<'v, '_>) -> Result<State<'v>, Error> {
    Ok(State {
        terraform_version: "",
        serial: root.field("serial").integer()?,
        lineage: "",
        backend: false,
        remote: v2::remote(&root.field("remote"))?,
        modules: root
            .field("modules")
            .items()?
            .map(|node| module(&node.object()?))
            .collect::<Result<_, _>>()?,
    })
}

fn module<'v>(node: &Node<'v, '_>) -> Result<Module<'v>, Error> {
    let mut path = node.field("path").strings()?;
    if path.is_empty() {
        path.push("root");
    }
    let output = |(name, node): (&'v str, Node<'v, '_>)| {
        Ok((name, Output { sensitive: false, value: text(&node)? }))
    };
    Ok(Module {
        path,
        outputs: node
            .field("outputs")
            .entries()?
            .into_iter()
            .map(output)
            .collect::<Result<_, _>>()?,
        entries: node
            .field("resources")
            .entries()?
            .into_iter()
            .map(|(key, node)| Ok((key, entry(&node.object()?)?)))
            .collect::<Result<_, _>>()?,
        dependencies: !node.field("depends_on").strings()?.is_empty(),
        locals: false,
    })
}

fn entry<'v>(node: &Node<'v, '_>) -> Result<Entry<'v>, Error> {
    let primary = node.field("primary");
    // Nothing of these is kept, but what is no object is refused all the same.
    let tainted = node.field("tainted");
    let tainted = tainted.items()?.filter(|item| !item.is_null());
    Ok(Entry {
        kind: node.field("type").string()?,
        provider: node.field("provider").string()?,
        primary: if primary.is_null() { None } else { Some(object(&primary.object()?)?) },
        deposed: node
            .field("deposed")
            .items()?
            .map(|node| object(&node.object()?))
            .collect::<Result<_, _>>()?,
        tainted: tainted.map(|node| object(&node.object()?)).collect::<Result<Vec<_>, _>>()?.len(),
        dependencies: !node.field("depends_on").strings()?.is_empty(),
    })
}

fn object<'v>(node: &Node<'v, '_>) -> Result<Object<'v>, Error> {
    let meta = node.field("meta");
    Ok(Object {
        id: node.field("id").string()?,
        attributes: v2::attributes(&node.field("attributes"))?,
        meta: meta
            .entries()?
            .into_iter()
            .map(|(key, node)| Ok((key, text(&node)?)))
            .collect::<Result<_, _>>()?,
        tainted: false,
    })
}

/// Reads a string and keeps it a value.
fn text<'v>(node: &Node<'v, '_>) -> Result<&'v Value<'v>, Error> {
    node.string()?;
    Ok(if node.is_null() { &EMPTY } else { node.any()? })
}
