//! Line by line, for strings of several lines.

use similar::DiffOp;

use super::sequence;

/// What became of a line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Tag {
    /// Both texts have it.
    Equal,
    /// Only the old text has it.
    Removed,
    /// Only the new text has it.
    Added,
}

/// A line, without its line feed.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Line<'a> {
    /// What became of it.
    pub tag: Tag,
    /// Its text.
    pub text: &'a str,
}

impl std::fmt::Debug for Line<'_> {
    /// Leaves the text out: who reveals a secret shows it in lines too.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Line").field("tag", &self.tag).finish_non_exhaustive()
    }
}

/// Compares two texts line by line; a missing line feed at the end shows as a missing empty line.
pub fn lines<'a>(before: &'a str, after: &'a str) -> Vec<Line<'a>> {
    let (old, new): (Vec<&str>, Vec<&str>) =
        (before.split('\n').collect(), after.split('\n').collect());
    let mut lines = Vec::new();
    let mut push = |tag, texts: &[&'a str]| {
        lines.extend(texts.iter().map(|&text| Line { tag, text }));
    };
    for op in sequence::edits(&old, &new) {
        match op {
            DiffOp::Equal { .. } => push(Tag::Equal, &new[op.new_range()]),
            DiffOp::Delete { .. } | DiffOp::Insert { .. } | DiffOp::Replace { .. } => {
                push(Tag::Removed, &old[op.old_range()]);
                push(Tag::Added, &new[op.new_range()]);
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_told_apart_by_what_became_of_them() {
        let shown: String = lines("a\nb\nc\n", "a\nx\nc")
            .iter()
            .map(|line| match line.tag {
                Tag::Equal => format!(" {}\n", line.text),
                Tag::Removed => format!("-{}\n", line.text),
                Tag::Added => format!("+{}\n", line.text),
            })
            .collect();
        assert_eq!(shown, " a\n-b\n+x\n c\n-\n");
        assert!(!format!("{:?}", lines("S3CR3T", "x")).contains("S3CR3T"));
    }
}
