//! From text to a tree of tests.

use super::error::Error;
use super::field::Field;
use super::lex::{Cursor, Stop};
use super::syntax::{Expr, Op, Term, Written};
use super::test::Test;

/// How deep parentheses may nest.
const MAX_DEPTH: usize = 64;

/// Parses a whole filter; one of nothing but spaces matches everything.
pub(super) fn parse(text: &str) -> Result<Expr, Error> {
    let mut cursor = Cursor::new(text);
    cursor.skip_space();
    if cursor.rest().is_empty() {
        return Ok(Expr::And(Vec::new()));
    }
    let expr = any(&mut cursor, 0)?;
    if cursor.rest().is_empty() {
        return Ok(expr);
    }
    Err(Error::new(cursor.at..cursor.at + 1, "a closing parenthesis without an opening one")
        .hint("quote it to look for it: \")\""))
}

/// Reads alternatives up to a closing parenthesis or the end.
fn any(cursor: &mut Cursor<'_>, depth: usize) -> Result<Expr, Error> {
    let mut parts = Vec::new();
    loop {
        match all(cursor, depth)? {
            Expr::Or(more) => parts.extend(more),
            part => parts.push(part),
        }
        if !(cursor.eat("|") || cursor.eat_keyword("or")) {
            return Ok(Expr::Or(parts).single());
        }
    }
}

fn all(cursor: &mut Cursor<'_>, depth: usize) -> Result<Expr, Error> {
    let mut expr = not(cursor, depth)?;
    loop {
        cursor.skip_space();
        let is_joined = cursor.eat_keyword("and");
        let is_over = cursor.peek().is_none_or(|c| matches!(c, ')' | '|'));
        if !is_joined && (is_over || cursor.is_keyword("or")) {
            return Ok(expr);
        }
        expr = expr.and(not(cursor, depth)?);
    }
}

/// Reads one part with the negations before it; two of them take each other away.
fn not(cursor: &mut Cursor<'_>, depth: usize) -> Result<Expr, Error> {
    let mut is_negated = false;
    loop {
        cursor.skip_space();
        if !(cursor.eat("!") || cursor.eat("-") || cursor.eat_keyword("not")) {
            break;
        }
        is_negated = !is_negated;
    }
    match one(cursor, depth)? {
        Expr::Not(part) if is_negated => Ok(*part),
        part if is_negated => Ok(Expr::Not(Box::new(part))),
        part => Ok(part),
    }
}

fn one(cursor: &mut Cursor<'_>, depth: usize) -> Result<Expr, Error> {
    let start = cursor.at;
    if !cursor.eat("(") {
        return Ok(Expr::Term(Box::new(term(cursor)?)));
    }
    if depth == MAX_DEPTH {
        return Err(Error::new(start..start + 1, "parentheses nest too deep"));
    }
    let expr = any(cursor, depth + 1)?;
    if !cursor.eat(")") {
        return Err(Error::new(start..start + 1, "the parenthesis is not closed"));
    }
    Ok(expr)
}

fn term(cursor: &mut Cursor<'_>) -> Result<Term, Error> {
    let keyword = ["and", "or"].into_iter().find(|word| cursor.is_keyword(word));
    if let Some(word) = keyword {
        let at = cursor.at..cursor.at + word.len();
        return Err(Error::new(at, format!("expected something to look for before `{word}`"))
            .hint(format!("quote it to look for it: \"{word}\"")));
    }
    let written = match cursor.field() {
        Some((name, at)) => tested(cursor, Field::parse(name, at)?)?,
        None => text(cursor)?,
    };
    Ok(Term { test: Test::of(&written)?, written })
}

/// Reads text that is looked for in the address.
fn text(cursor: &mut Cursor<'_>) -> Result<Written, Error> {
    let reserved = |c: &char| matches!(c, '=' | '<' | '>' | '~' | '@' | ':' | '&');
    if let Some(c) = cursor.peek().filter(reserved) {
        let at = cursor.at..cursor.at + 1;
        let problem = format!("`{c}` where something to look for was expected");
        return Err(Error::new(at, problem).hint(format!("quote it to look for it: \"{c}\"")));
    }
    let values = cursor.literals(Stop::Value, "something to look for")?;
    Ok(Written { field: None, paths: Vec::new(), op: Op::Is, values })
}

/// Reads what stands behind the name of a field.
fn tested(cursor: &mut Cursor<'_>, field: Field) -> Result<Written, Error> {
    let name = field.name();
    let has_colon = cursor.eat(":");
    let mut paths = Vec::new();
    if field.has_path() {
        if !has_colon {
            let at = cursor.at..cursor.at + 1;
            return Err(Error::new(at, format!("expected `:` and a name after `{name}`")));
        }
        let what =
            if field == Field::Tag { "the name of a tag" } else { "the path of an attribute" };
        paths = cursor.literals(Stop::Operator, what)?;
    }
    let start = cursor.at;
    let op = cursor.operator();
    if let Some(op) = op.filter(|&op| !field.takes(op) || field == Field::Has) {
        let problem = format!("`{name}` can't be tested with `{}`", op.text());
        return Err(Error::new(start..cursor.at, problem));
    }
    let is_presence = field.has_path() && op.is_none();
    let op = op.unwrap_or(Op::Is);
    let values = if is_presence {
        Vec::new()
    } else {
        cursor.literals(Stop::Value, &format!("a value for `{name}`"))?
    };
    Ok(Written { field: Some(field), paths, op, values })
}
