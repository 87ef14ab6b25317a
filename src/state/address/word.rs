//! Identifiers, as HCL has them.

/// Words that can't open a resource address, since they mean something else in a configuration.
const RESERVED: [&str; 11] = [
    "count",
    "each",
    "local",
    "module",
    "path",
    "self",
    "terraform",
    "var",
    "template",
    "lazy",
    "arg",
];

/// Returns whether a text is one identifier: the name of a module, a resource or its type.
pub fn is_identifier(text: &str) -> bool {
    !text.is_empty() && identifier_length(text) == text.len()
}

/// Returns how many bytes of the start of a text are an identifier.
pub(super) fn identifier_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    if !bytes.first().is_some_and(|&b| !b.is_ascii() || is_start(b as char)) {
        return 0;
    }
    let ascii = bytes.iter().position(|&b| !b.is_ascii_alphanumeric() && b != b'_' && b != b'-');
    match ascii {
        None => text.len(),
        Some(end) if bytes[end].is_ascii() => end,
        Some(_) => unicode_length(text),
    }
}

fn unicode_length(text: &str) -> usize {
    let mut chars = text.char_indices();
    if !chars.next().is_some_and(|(_, c)| is_start(c)) {
        return 0;
    }
    chars.find(|&(_, c)| !is_continue(c)).map_or(text.len(), |(at, _)| at)
}

/// Returns the reserved word that a text is.
pub(super) fn reserved(text: &str) -> Option<&'static str> {
    RESERVED.into_iter().find(|&word| word == text)
}

fn is_start(c: char) -> bool {
    c == '_' || unicode_ident::is_xid_start(c) || is_only_start(c) || is_start_and_continue(c)
}

fn is_continue(c: char) -> bool {
    // Unicode 15.1 made these four continue identifiers; Terraform's tables are older.
    let too_young = matches!(c, '\u{200c}' | '\u{200d}' | '\u{30fb}' | '\u{ff65}');
    c == '-' || (unicode_ident::is_xid_continue(c) && !too_young) || is_start_and_continue(c)
}

// The next two hold what `ID_Start` and `ID_Continue`, which HCL goes by, have over `XID_Start`
// and `XID_Continue`: characters that compatibility normalisation would take apart.

fn is_only_start(c: char) -> bool {
    matches!(c, '\u{e33}' | '\u{eb3}' | '\u{ff9e}' | '\u{ff9f}')
}

fn is_start_and_continue(c: char) -> bool {
    matches!(c, '\u{37a}' | '\u{309b}' | '\u{309c}' | '\u{fc5e}'..='\u{fc63}')
        || matches!(c, '\u{fdfa}' | '\u{fdfb}' | '\u{fe70}' | '\u{fe72}' | '\u{fe74}')
        || matches!(c, '\u{fe76}' | '\u{fe78}' | '\u{fe7a}' | '\u{fe7c}' | '\u{fe7e}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_what_hcl_takes_for_them() {
        for good in
            ["a", "_", "__", "_-", "a-", "a1", "é", "e\u{301}", "a\u{b7}", "日本", "\u{e33}"]
        {
            assert!(is_identifier(good), "{good:?}");
        }
        for bad in
            ["", "1", "-a", "\u{b7}", "a b", "a.b", "a\u{200c}", "a\u{30fb}", "a😀", "\u{301}"]
        {
            assert!(!is_identifier(bad), "{bad:?}");
        }
    }

    #[test]
    fn an_identifier_ends_before_the_first_other_character() {
        for (text, length) in
            [("ab.c", 2), ("é[0]", 2), ("aé\u{a0}b", 3), (".a", 0), ("a\u{200d}", 1)]
        {
            assert_eq!(identifier_length(text), length, "{text:?}");
        }
    }
}
