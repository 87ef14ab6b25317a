//! How addresses are printed: byte for byte as Terraform prints them.

use std::fmt::{self, Write};

use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

use super::{Address, ConfigAddress, Key, Mode, ModulePath, ModuleStep};

/// Appends a key as it stands in an address: nothing, `[0]` or `["a"]`.
pub fn push_key(out: &mut String, key: &Key) {
    // Writing to a string cannot fail.
    write_key(out, key).unwrap_or_default();
}

fn write_key(out: &mut impl Write, key: &Key) -> fmt::Result {
    match key {
        Key::None => Ok(()),
        Key::Int(number) => write!(out, "[{number}]"),
        Key::String(text) => {
            out.write_str("[\"")?;
            write_escaped(out, text)?;
            out.write_str("\"]")
        }
    }
}

fn write_escaped(out: &mut impl Write, text: &str) -> fmt::Result {
    // Nearly all keys are plain, and a large state has hundreds of thousands of them.
    if text.bytes().all(|b| matches!(b, b' '..=b'~') && !matches!(b, b'"' | b'\\' | b'$' | b'%')) {
        return out.write_str(text);
    }
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\n' => out.write_str("\\n")?,
            '\r' => out.write_str("\\r")?,
            '\t' => out.write_str("\\t")?,
            '"' => out.write_str("\\\"")?,
            '\\' => out.write_str("\\\\")?,
            '$' | '%' if chars.peek() == Some(&'{') => write!(out, "{c}{c}")?,
            _ if is_printable(c) => out.write_char(c)?,
            _ if u32::from(c) <= 0xffff => write!(out, "\\u{:04x}", u32::from(c))?,
            _ => write!(out, "\\U{:08x}", u32::from(c))?,
        }
    }
    Ok(())
}

/// Returns whether Go takes a character for printable.
fn is_printable(c: char) -> bool {
    match c.general_category_group() {
        GeneralCategoryGroup::Letter
        | GeneralCategoryGroup::Mark
        | GeneralCategoryGroup::Number
        | GeneralCategoryGroup::Punctuation
        | GeneralCategoryGroup::Symbol => true,
        GeneralCategoryGroup::Separator => c == ' ',
        GeneralCategoryGroup::Other => false,
    }
}

fn write_resource(out: &mut impl Write, mode: Mode, kind: &str, name: &str) -> fmt::Result {
    let prefix = match mode {
        Mode::Data => "data.",
        Mode::Managed => "",
    };
    write!(out, "{prefix}{kind}.{name}")
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_key(f, self)
    }
}

impl fmt::Display for ModuleStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "module.{}", self.name)?;
        write_key(f, &self.key)
    }
}

impl fmt::Display for ModulePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, step) in self.steps().iter().enumerate() {
            let dot = if i == 0 { "" } else { "." };
            write!(f, "{dot}{step}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.module.is_root() {
            write!(f, "{}.", self.module)?;
        }
        write_resource(f, self.mode, &self.kind, &self.name)?;
        write_key(f, &self.key)
    }
}

impl fmt::Display for ConfigAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.module {
            write!(f, "module.{step}.")?;
        }
        write_resource(f, self.mode, &self.kind, &self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_printed_as_terraform_prints_them() {
        for (key, printed) in [
            ("", r#"[""]"#),
            ("a b", r#"["a b"]"#),
            ("tab\tnl\ncr\r", r#"["tab\tnl\ncr\r"]"#),
            ("\"\\", r#"["\"\\"]"#),
            ("${x}", r#"["$${x}"]"#),
            ("$${a}$", r#"["$$${a}$"]"#),
            ("%{x}%", r#"["%%{x}%"]"#),
            ("<&>😀é", r#"["<&>😀é"]"#),
            ("\u{200b}", r#"["\u200b"]"#),
            ("\u{a0}\u{2028}\u{7f}\u{0}\u{85}", r#"["\u00a0\u2028\u007f\u0000\u0085"]"#),
            ("\u{feff}\u{ad}", r#"["\ufeff\u00ad"]"#),
            ("\u{e000}\u{10ffff}", r#"["\ue000\U0010ffff"]"#),
            ("\u{e0001}", r#"["\U000e0001"]"#),
        ] {
            let mut text = String::new();
            push_key(&mut text, &Key::String(key.to_owned()));
            assert_eq!(text, printed);
        }
        assert_eq!(Key::Int(-1).to_string(), "[-1]");
        assert_eq!(Key::None.to_string(), "");
    }

    #[test]
    fn names_a_state_may_hold_are_printed_as_they_are() {
        let address = Address {
            module: ModulePath::root(),
            mode: Mode::Data,
            kind: String::new(),
            name: "1 bad.b".to_owned(),
            key: Key::Int(0),
        };
        assert_eq!(address.to_string(), "data..1 bad.b[0]");
    }
}
