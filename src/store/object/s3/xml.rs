//! Answers in XML, whose elements come in any order.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// What a document is made of.
enum Part<'p> {
    Start(&'p str),
    Text(&'p str),
    End,
}

/// Calls `each` with all parts of a document; returns nothing where it is not one.
fn read(bytes: &[u8], each: &mut dyn FnMut(Part<'_>) -> Option<()>) -> Option<()> {
    let mut reader = Reader::from_str(std::str::from_utf8(bytes).ok()?);
    let (mut depth, mut roots) = (0_usize, 0_usize);
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                depth += 1;
                each(Part::Start(name(&start)))?;
            }
            Event::Empty(start) => {
                roots += usize::from(depth == 0);
                each(Part::Start(name(&start)))?;
                each(Part::End)?;
            }
            Event::End(_) => {
                depth = depth.checked_sub(1)?;
                roots += usize::from(depth == 0);
                each(Part::End)?;
            }
            Event::Text(text) => each(Part::Text(&text))?,
            Event::CData(text) => each(Part::Text(&text))?,
            Event::GeneralRef(reference) => {
                let reference = format!("&{};", &*reference);
                each(Part::Text(&quick_xml::escape::unescape(&reference).ok()?))?;
            }
            Event::Eof => return (depth == 0 && roots == 1).then_some(()),
            _ => {}
        }
    }
}

fn name<'s>(start: &'s BytesStart<'_>) -> &'s str {
    start.local_name().into_inner()
}

/// Calls `each` with every element below the first, as it ends: with its name behind those that it is
/// in, `Contents/Key`, and with its text. Returns the name of the first; nothing where it is no
/// document, or where `each` returns nothing.
///
/// This is for long answers; a tree takes several times as long to grow as they do to read.
pub(super) fn each(bytes: &[u8], each: &mut dyn FnMut(&str, &str) -> Option<()>) -> Option<String> {
    let mut root = String::new();
    let (mut path, mut ends, mut text) = (String::new(), Vec::new(), String::new());
    read(bytes, &mut |part| {
        match part {
            Part::Start(name) => {
                ends.push(path.len());
                if ends.len() == 1 {
                    name.clone_into(&mut root);
                } else {
                    path.push_str(if ends.len() > 2 { "/" } else { "" });
                    path.push_str(name);
                }
                text.clear();
            }
            Part::Text(more) => text.push_str(more),
            Part::End => {
                if ends.len() > 1 {
                    each(&path, &text)?;
                }
                path.truncate(ends.pop()?);
                text.clear();
            }
        }
        Some(())
    })?;
    Some(root)
}

/// An element, its text, and the elements in it.
#[derive(Debug, Default)]
pub(super) struct Element {
    name: String,
    text: String,
    children: Vec<Element>,
}

impl Element {
    /// Reads a document, which is a small one; nothing where it is not one.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut open = vec![Self::default()];
        read(bytes, &mut |part| {
            match part {
                Part::Start(name) => {
                    open.push(Self { name: name.to_owned(), ..Self::default() });
                }
                Part::Text(text) => open.last_mut()?.text.push_str(text),
                Part::End => {
                    let closed = open.pop()?;
                    open.last_mut()?.children.push(closed);
                }
            }
            Some(())
        })?;
        open.pop()?.children.pop()
    }

    /// Returns the name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Returns the elements in it.
    pub(super) fn children(&self) -> &[Self] {
        &self.children
    }

    /// Returns the text of the first element of a name; empty where there is none.
    pub(super) fn text(&self, name: &str) -> &str {
        let found = self.children.iter().find(|child| child.name == name);
        found.map_or("", |child| child.text.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_come_in_any_order_and_are_unescaped() {
        let text = b"<?xml version=\"1.0\"?>\n<R xmlns=\"u\"><A>1</A><B><E>&quot;x&amp;y&quot;</E></B><A>2</A><C/></R>";
        let root = Element::parse(text).unwrap();
        let names: Vec<&str> = root.children().iter().map(Element::name).collect();
        assert_eq!(names, ["A", "B", "A", "C"]);
        assert_eq!(root.text("A"), "1");
        assert_eq!(root.children()[1].text("E"), "\"x&y\"");
        assert_eq!(root.text("C"), "");
    }

    #[test]
    fn what_is_cut_off_is_no_document() {
        for text in ["", "<a>", "<a></b>", "text", "<a/><b/>"] {
            assert!(Element::parse(text.as_bytes()).is_none(), "{text}");
            assert!(each(text.as_bytes(), &mut |_, _| Some(())).is_none(), "{text}");
        }
    }

    #[test]
    fn each_element_comes_as_it_ends_with_what_it_is_in() {
        let text =
            b"<R xmlns=\"u\">\n <A>1</A><B><E>&quot;x&amp;y&quot;</E><F/></B><x:A>2</x:A></R>";
        let mut found = Vec::new();
        let root = each(text, &mut |path, text| {
            found.push(format!("{path}={}", text.trim()));
            Some(())
        });
        assert_eq!(root.as_deref(), Some("R"));
        assert_eq!(found, ["A=1", "B/E=\"x&y\"", "B/F=", "B=", "A=2"]);
        assert!(each(text, &mut |path, _| (path != "B/E").then_some(())).is_none());
    }
}
