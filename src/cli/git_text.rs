//! A state as git compares it: plain text, one block an instance, in an order that stays.
//!
//! Git sees one side at a time, so a secret can't be called changed. In its place stands the mask,
//! and below the block its fingerprint, under a key that only this clone has: it tells whether the
//! value is the same in two revisions of one state, and nothing else.

use std::fmt::{self, Write as _};

use super::hcl;
use super::output::{self, Output};
use super::view;
use crate::base::text::escape;
use crate::state::document::{self, Document, Instance};
use crate::state::sensitive::{Reveal, Secrets};
use crate::state::value::Value;

/// Makes fingerprints that can be compared within one clone.
pub(crate) struct Fingerprints([u8; 32]);

impl Fingerprints {
    /// Takes a key of 64 hexadecimal digits.
    pub(crate) fn of_key(text: &str) -> Option<Self> {
        blake3::Hash::from_hex(text).ok().map(|key| Self(*key.as_bytes()))
    }

    /// Returns 16 bits about a secret and its place. Places are told apart, so that two secrets
    /// that are equal can't be found by their fingerprints.
    fn of(&self, place: &[&str], value: &Value<'_>) -> String {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        for part in place.iter().copied().chain([value.to_json().as_str()]) {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        hasher.finalize().to_hex()[..4].to_owned()
    }
}

impl fmt::Debug for Fingerprints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprints")
    }
}

/// Writes a state as git compares it.
pub(crate) fn write(
    out: &mut Output,
    document: &Document,
    prints: Option<&Fingerprints>,
) -> Result<(), output::Error> {
    out.data(&format!("# state, format version {}", document.version()))?;
    out.data(&format!("# terraform version {}", document.terraform_version()))?;
    out.data(&format!("# lineage {}", document.lineage()))?;
    out.data(&format!("# serial {}", document.serial()))?;
    for instance in document.instances() {
        out.line("")?;
        let text = write_instance(out, document, instance, prints);
        out.bytes(text.as_bytes())?;
    }
    let mut outputs: Vec<_> = document.outputs().collect();
    outputs.sort_by_key(|output| output.name());
    for output in outputs {
        out.line("")?;
        out.bytes(write_output(document, output, prints).as_bytes())?;
    }
    Ok(())
}

fn write_instance(
    out: &Output,
    document: &Document,
    instance: Instance<'_>,
    prints: Option<&Fingerprints>,
) -> String {
    let address = instance.address_text();
    let (text, attributes) = (view::instance(instance, Reveal::No, out), instance.attributes());
    let (Ok(mut text), Ok(attributes)) = (text, attributes) else {
        return format!("# {}\n# attributes that can't be decoded\n", escape(&address));
    };
    let deposed = instance.deposed().unwrap_or_default();
    let place = [document.lineage(), "instance", address.as_str(), deposed.as_str()];
    let secrets = instance.secrets(&attributes).with_embedded(&attributes);
    push_prints(&mut text, (&place, prints), &secrets, &attributes);
    text
}

fn write_output(
    document: &Document,
    output: document::Output<'_>,
    prints: Option<&Fingerprints>,
) -> String {
    let mut text = format!("output \"{}\" {{\n    value = ", escape(output.name()));
    let Ok(value) = output.value() else {
        return format!("{text}(can't be decoded)\n}}\n");
    };
    let secrets = Secrets::of_output(output.name(), output.is_sensitive(), &value);
    let secrets = secrets.with_embedded(&value);
    hcl::push_value(&mut text, &secrets.mask(value.clone()), 1);
    text.push_str("\n}\n");
    let place = [document.lineage(), "output", output.name(), ""];
    push_prints(&mut text, (&place, prints), &secrets, &value);
    text
}

/// Appends a line for each secret; none without a key.
fn push_prints(
    text: &mut String,
    (place, prints): (&[&str; 4], Option<&Fingerprints>),
    secrets: &Secrets,
    value: &Value<'_>,
) {
    let Some(prints) = prints else { return };
    for path in secrets.paths(value) {
        let Some(secret) = value.at(path) else { continue };
        let name = path.to_string();
        let [lineage, kind, owner, deposed] = *place;
        let print = prints.of(&[lineage, kind, owner, deposed, &name], secret);
        let name = if path.is_root() { "value" } else { name.as_str() };
        let _ = writeln!(text, "# secret {}: #{print}", escape(name));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_tells_changes_of_one_place_and_nothing_across_places_or_keys() {
        let [one, two] = ["00", "01"].map(|byte| Fingerprints::of_key(&byte.repeat(32)).unwrap());
        let value = |text: &'static str| Value::String(text.into());
        let print = one.of(&["l", "a"], &value("hunter2"));
        assert_eq!(print, one.of(&["l", "a"], &value("hunter2")));
        assert_ne!(print, one.of(&["l", "a"], &value("hunter3")));
        assert_ne!(print, one.of(&["l", "b"], &value("hunter2")));
        assert_ne!(print, two.of(&["l", "a"], &value("hunter2")));
        assert_eq!(print.len(), 4);
    }

    #[test]
    fn what_is_no_key_is_not_taken_for_one() {
        for text in ["", "00", &"0g".repeat(32)] {
            assert!(Fingerprints::of_key(text).is_none());
        }
        let key = Fingerprints::of_key(&"ab".repeat(32)).unwrap();
        assert_eq!(format!("{key:?}"), "Fingerprints");
    }
}
