//! The parts of an address as people type it, cut without being resolved.

/// A name with the key that may follow it: `main`, `net["eu"]`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Part<'t> {
    pub(crate) name: &'t str,
    /// What stands between the brackets, quotes included.
    pub(crate) key: Option<&'t str>,
}

/// Reads a name and its key and returns them with what follows.
///
/// `None` where the name is empty or a bracket is not closed.
pub(crate) fn part(text: &str) -> Option<(Part<'_>, &str)> {
    let end = text.find(['.', '[']).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    if name.is_empty() {
        return None;
    }
    let Some(inner) = rest.strip_prefix('[') else {
        return Some((Part { name, key: None }, rest));
    };
    let (key, rest) = bracketed(inner)?;
    Some((Part { name, key: Some(key) }, rest))
}

/// Reads up to the bracket that closes, stepping over quoted text.
fn bracketed(inner: &str) -> Option<(&str, &str)> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, byte) in inner.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b']' if !quoted => return Some((&inner[..at], &inner[at + 1..])),
            _ => {}
        }
    }
    None
}

/// Returns the address without the keys of its modules and resource: its configuration.
pub(crate) fn without_keys(address: &str) -> String {
    let mut out = String::new();
    let mut rest = address;
    while let Some((part, after)) = part(rest) {
        if !out.is_empty() {
            out.push('.');
        }
        out.push_str(part.name);
        rest = after.strip_prefix('.').unwrap_or("");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_and_dots_in_a_quoted_key_do_not_end_it() {
        let (first, rest) = part(r#"net["a].b\"]"].x"#).unwrap();
        assert_eq!((first.name, first.key, rest), ("net", Some(r#""a].b\"]""#), ".x"));
        assert_eq!(part("net[0"), None);
        assert_eq!(part(".x"), None);
    }

    #[test]
    fn the_configuration_address_has_no_keys() {
        assert_eq!(without_keys(r#"module.a["x.y"].aws_vpc.main[0]"#), "module.a.aws_vpc.main");
    }
}
