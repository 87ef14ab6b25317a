//! A filter as it was written: the tree, and how it prints.

use std::fmt;
use std::ops::Range;

use super::field::Field;
use super::test::Test;

/// A filter, or a part of one. An `And` of nothing matches everything.
#[derive(Clone, Debug)]
pub(super) enum Expr {
    Or(Vec<Expr>),
    And(Vec<Expr>),
    Not(Box<Expr>),
    Term(Box<Term>),
}

/// One test: how it was written, and what it does.
#[derive(Clone, Debug)]
pub(super) struct Term {
    pub(super) written: Written,
    pub(super) test: Test,
}

/// `field:paths op values`, or values alone.
#[derive(Clone, Debug)]
pub(super) struct Written {
    /// `None` for text that is looked for in the address.
    pub(super) field: Option<Field>,
    /// What is tested of the field: attributes or tags.
    pub(super) paths: Vec<Literal>,
    pub(super) op: Op,
    /// Empty where the test is that the path is there.
    pub(super) values: Vec<Literal>,
}

/// A word, a quoted text or a regular expression.
#[derive(Clone, Debug)]
pub(super) struct Literal {
    pub(super) kind: Kind,
    /// Without quotes and escapes; of a regular expression what stands between the slashes.
    pub(super) text: String,
    pub(super) at: Range<usize>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Word,
    Quoted,
    Regex,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Op {
    Is,
    IsNot,
    Like,
    NotLike,
    Greater,
    AtLeast,
    Less,
    AtMost,
}

impl Op {
    /// All operators, those first that begin with another one.
    pub(super) const ALL: [(&'static str, Self); 8] = [
        ("!=", Self::IsNot),
        ("!~", Self::NotLike),
        (">=", Self::AtLeast),
        ("<=", Self::AtMost),
        (">", Self::Greater),
        ("<", Self::Less),
        ("=", Self::Is),
        ("~", Self::Like),
    ];

    pub(super) fn text(self) -> &'static str {
        Self::ALL.iter().find(|(_, op)| *op == self).map_or("", |(text, _)| text)
    }

    /// Returns whether it compares by order.
    pub(super) fn is_order(self) -> bool {
        matches!(self, Self::Greater | Self::AtLeast | Self::Less | Self::AtMost)
    }

    /// Returns whether it holds where its opposite does not.
    pub(super) fn is_negative(self) -> bool {
        matches!(self, Self::IsNot | Self::NotLike)
    }

    /// Returns whether `text` begins with an operator.
    pub(super) fn begins(text: &str) -> bool {
        Self::ALL.iter().any(|(op, _)| text.starts_with(op))
    }
}

impl Expr {
    /// Joins two parts that both have to match.
    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::And(mut terms), Self::And(more)) => {
                terms.extend(more);
                Self::And(terms)
            }
            (Self::And(mut terms), one) => {
                terms.push(one);
                Self::And(terms).single()
            }
            (one, Self::And(mut terms)) => {
                terms.insert(0, one);
                Self::And(terms).single()
            }
            (one, another) => Self::And(vec![one, another]),
        }
    }

    /// Takes a single part out of the list it stands in.
    pub(super) fn single(self) -> Self {
        match self {
            Self::And(mut parts) | Self::Or(mut parts) if parts.len() == 1 => parts.remove(0),
            other => other,
        }
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Or(parts) => join(f, parts, " | ", |part| matches!(part, Self::Or(_))),
            Self::And(parts) => {
                join(f, parts, " ", |part| matches!(part, Self::Or(_) | Self::And(_)))
            }
            Self::Not(part) => {
                f.write_str("-")?;
                parenthesised(f, part, !matches!(**part, Self::Term(_)))
            }
            Self::Term(term) => term.written.fmt(f),
        }
    }
}

fn join(
    f: &mut fmt::Formatter<'_>,
    parts: &[Expr],
    between: &str,
    needs_parentheses: impl Fn(&Expr) -> bool,
) -> fmt::Result {
    for (i, part) in parts.iter().enumerate() {
        if i > 0 {
            f.write_str(between)?;
        }
        parenthesised(f, part, needs_parentheses(part))?;
    }
    Ok(())
}

fn parenthesised(f: &mut fmt::Formatter<'_>, part: &Expr, yes: bool) -> fmt::Result {
    if yes { write!(f, "({part})") } else { write!(f, "{part}") }
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(field) = self.field else { return list(f, &self.values) };
        f.write_str(field.name())?;
        // An order reads better without the colon; whatever follows a path needs its operator.
        if field.has_path() || !self.op.is_order() {
            f.write_str(":")?;
        }
        list(f, &self.paths)?;
        let Some(first) = self.values.first() else { return Ok(()) };
        let spelled = self.op != Op::Is
            || !self.paths.is_empty()
            || (first.kind == Kind::Word && Op::begins(&first.text));
        if spelled {
            f.write_str(self.op.text())?;
        }
        list(f, &self.values)
    }
}

fn list(f: &mut fmt::Formatter<'_>, literals: &[Literal]) -> fmt::Result {
    for (i, literal) in literals.iter().enumerate() {
        if i > 0 {
            f.write_str(",")?;
        }
        write!(f, "{literal}")?;
    }
    Ok(())
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Kind::Word => f.write_str(&self.text),
            Kind::Regex => write!(f, "/{}/", self.text),
            Kind::Quoted => {
                f.write_str("\"")?;
                for c in self.text.chars() {
                    match c {
                        '"' | '\\' => write!(f, "\\{c}")?,
                        '\n' => f.write_str("\\n")?,
                        '\t' => f.write_str("\\t")?,
                        _ => write!(f, "{c}")?,
                    }
                }
                f.write_str("\"")
            }
        }
    }
}
