//! Answers in XML, as a tree: they are small, and their elements come in any order.

use quick_xml::Reader;
use quick_xml::events::Event;

/// An element, its text, and the elements in it.
#[derive(Debug, Default)]
pub(super) struct Element {
    name: String,
    text: String,
    children: Vec<Element>,
}

impl Element {
    /// Reads a document; nothing where it is not one.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::from_str(std::str::from_utf8(bytes).ok()?);
        let mut open = vec![Self::default()];
        loop {
            match reader.read_event().ok()? {
                Event::Start(start) => {
                    let name = start.local_name().as_ref().to_owned();
                    open.push(Self { name, ..Self::default() });
                }
                Event::Empty(start) => {
                    let name = start.local_name().as_ref().to_owned();
                    open.last_mut()?.children.push(Self { name, ..Self::default() });
                }
                Event::End(_) => {
                    let closed = open.pop()?;
                    open.last_mut()?.children.push(closed);
                }
                Event::Text(text) => open.last_mut()?.text.push_str(&text),
                Event::CData(text) => open.last_mut()?.text.push_str(&text),
                Event::GeneralRef(reference) => {
                    let reference = format!("&{};", &*reference);
                    let text = quick_xml::escape::unescape(&reference).ok()?.into_owned();
                    open.last_mut()?.text.push_str(&text);
                }
                Event::Eof => break,
                _ => {}
            }
        }
        let mut document = open.pop().filter(|_| open.is_empty())?;
        if document.children.len() == 1 { document.children.pop() } else { None }
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
        }
    }
}
