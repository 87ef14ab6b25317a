//! jq expressions over a state, run by a library.
//!
//! An expression sees its input and nothing else: `env`, `now`, `localtime` and `strflocaltime`
//! are errors, `$ENV`, `input` and modules do not exist, `halt` ends the outputs, and `debug` and
//! `stderr` pass their input on and say nothing.
//!
//! The library works by recursion, so expressions are limited: 10,000 bytes, 100 open brackets,
//! and 200 of `|`, `-` and words such as `if`.
//!
//! # Numbers
//!
//! Whole numbers are exact at any size, in arithmetic too. A number with a fraction or an
//! exponent keeps its digits wherever it is passed on as it is, but every calculation makes a
//! 64-bit float of it, and comparing, sorting, `unique` and `group_by` take it for the nearest
//! one. Results that JSON can't express come out as jq writes them: `nan` as `null`, infinities
//! as the largest float.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use jaq_core::data::JustLut;
use jaq_core::load::{self, Arena, File, Loader};
use jaq_core::native::{self, Fun};
use jaq_core::{Compiler, Ctx, ValT, Vars};
use jaq_json::{Num, Val};

use crate::state::value::Value;

type Data = JustLut<Val>;

/// How deep an output may nest.
const MAX_OUTPUT_DEPTH: usize = 1_000;

/// How long an expression may be.
const MAX_EXPRESSION_BYTES: usize = 10_000;

/// How many brackets may be open, and how many operators and words may stand in an expression
/// that what follows belongs to: the library reads and runs all of them by recursion.
const MAX_OPEN: usize = 100;
const MAX_BEGUN: usize = 200;
const PREFIXES: [&str; 8] = ["if", "elif", "else", "try", "reduce", "foreach", "def", "as"];

/// How much of the library's words is passed on; they may quote the whole input.
const MAX_MESSAGE_CHARS: usize = 200;

/// A compiled expression.
pub struct Query {
    text: String,
    filter: jaq_core::Filter<Data>,
}

/// An expression that can't be compiled, or that failed while it ran.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The expression can't be read.
    #[error("{problem}")]
    Expression {
        /// The bytes of the expression that are wrong; empty at its end.
        at: Range<usize>,
        /// What is wrong.
        problem: String,
    },
    /// The expression raised an error.
    #[error("{0}")]
    Raised(String),
    /// The expression ended itself with another status than 0.
    #[error("the expression halted with status {0}")]
    Halted(i32),
    /// An output has no form in JSON.
    #[error("the output nests too deep")]
    Depth,
}

impl FromStr for Query {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        check_size(text)?;
        let defs = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
        let funs = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs());
        let arena = Arena::default();
        let modules = Loader::new(defs)
            .load(&arena, File { code: text, path: () })
            .map_err(|errors| load_error(text, &errors))?;
        let filter = Compiler::default()
            .with_funs(funs.map(without_effects))
            .compile(modules)
            .map_err(|errors| compile_error(text, &errors))?;
        Ok(Self { text: text.to_owned(), filter })
    }
}

impl fmt::Debug for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Query({})", self.text)
    }
}

impl Query {
    /// Returns the outputs for an input, one after another; the first error ends them.
    pub fn run(&self, input: Value<'_>) -> impl Iterator<Item = Result<Value<'static>, Error>> {
        let context = Ctx::<Data>::new(&self.filter.lut, Vars::new([]));
        let mut outputs = self.filter.id.run((context, to_jaq(input)));
        let mut is_over = false;
        std::iter::from_fn(move || {
            if is_over {
                return None;
            }
            let output = match outputs.next()? {
                Ok(value) => from_jaq(&value, 0),
                Err(exception) => match exception.get_err() {
                    Ok(error) => Err(Error::Raised(shortened(&error.to_string()))),
                    Err(exception) => match exception.get_halt().unwrap_or_default() {
                        0 => return None,
                        status => Err(Error::Halted(status)),
                    },
                },
            };
            is_over = output.is_err();
            Some(output)
        })
    }
}

fn check_size(text: &str) -> Result<(), Error> {
    let fail = |at, problem: &str| Err(Error::Expression { at, problem: problem.to_owned() });
    if text.len() > MAX_EXPRESSION_BYTES {
        return fail(MAX_EXPRESSION_BYTES..text.len(), "the expression is too long");
    }
    match too_deep(text) {
        Some(at) => fail(at..at + 1, "the expression nests too deep"),
        None => Ok(()),
    }
}

/// Returns where an expression nests too deep: brackets that are open, and whatever makes all
/// that follows a part of it, which is counted without looking for its end.
fn too_deep(text: &str) -> Option<usize> {
    let (mut open, mut begun, mut word) = (0_usize, 0, 0);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'(' | b'[' | b'{' => open += 1,
            b')' | b']' | b'}' => open = open.saturating_sub(1),
            b'-' | b'|' => begun += 1,
            _ => {}
        }
        if !byte.is_ascii_alphanumeric() && byte != b'_' {
            let word_before = &text.as_bytes()[word..at];
            begun += usize::from(PREFIXES.iter().any(|it| it.as_bytes() == word_before));
            word = at + 1;
        }
        if open > MAX_OPEN || begun > MAX_BEGUN {
            return Some(at);
        }
    }
    None
}

/// Takes away what reaches out of the state, or writes where nobody expects it.
fn without_effects((name, arity, run): Fun<Data>) -> Fun<Data> {
    match name {
        "env" | "now" | "localtime" | "strflocaltime" => {
            native::run((name, arity, |_| native::bome(Err(unavailable()))))
        }
        "debug_empty" | "stderr_empty" => {
            native::run((name, arity, |_| Box::new(std::iter::empty())))
        }
        _ => (name, arity, run),
    }
}

fn unavailable() -> jaq_core::Error<Val> {
    jaq_core::Error::str("a query sees the state only: no environment, no clock, no time zone")
}

fn load_error(text: &str, errors: &load::Errors<&str, ()>) -> Error {
    let end = || text.len()..text.len();
    let first = errors.first().map(|(_, error)| match error {
        load::Error::Io(modules) => {
            let at = modules.first().map_or_else(end, |(name, _)| load::span(text, name));
            (at, "a query can't load modules".to_owned())
        }
        load::Error::Lex(found) => match found.first() {
            Some((expected, at)) => {
                (start_of(text, at), format!("expected a {}", expected.as_str()))
            }
            None => (end(), "it can't be read".to_owned()),
        },
        load::Error::Parse(found) => match found.first() {
            Some((expected, at)) => {
                let at = if at.is_empty() { end() } else { load::span(text, at) };
                (at, format!("expected {}", expected.as_str()))
            }
            None => (end(), "it can't be read".to_owned()),
        },
    });
    let (at, problem) = first.unwrap_or_else(|| (end(), "it can't be read".to_owned()));
    Error::Expression { at, problem }
}

/// Returns the first character of what the lexer left over.
fn start_of(text: &str, rest: &str) -> Range<usize> {
    let span = load::span(text, rest);
    span.start..span.start + rest.chars().next().map_or(0, char::len_utf8)
}

fn compile_error(text: &str, errors: &jaq_core::compile::Errors<&str, ()>) -> Error {
    let first = errors.first().and_then(|(_, errors)| errors.first());
    let Some((name, undefined)) = first else {
        return Error::Expression { at: 0..text.len(), problem: "it can't be compiled".to_owned() };
    };
    let kind = undefined.as_str();
    Error::Expression {
        at: load::span(text, name),
        problem: format!("there is no {kind} `{name}`"),
    }
}

fn shortened(message: &str) -> String {
    match message.char_indices().nth(MAX_MESSAGE_CHARS) {
        Some((end, _)) => format!("{}…", &message[..end]),
        None => message.to_owned(),
    }
}

fn to_jaq(value: Value<'_>) -> Val {
    match value {
        Value::Null => Val::Null,
        Value::Bool(b) => Val::Bool(b),
        Value::Number(digits) => number(&digits),
        Value::String(text) => Val::utf8_str(text.into_owned()),
        Value::Array(items) => items.into_iter().map(to_jaq).collect(),
        Value::Object(members) => Val::obj(
            members.into_iter().map(|(k, v)| (Val::utf8_str(k.into_owned()), to_jaq(v))).collect(),
        ),
        Value::Sensitive => {
            let mark = (Val::utf8_str(String::from("sensitive")), Val::Bool(true));
            Val::obj(std::iter::once(mark).collect())
        }
    }
}

fn number(digits: &str) -> Val {
    // As a whole number it would lose its sign.
    if digits == "-0" {
        return Val::Num(Num::Dec(digits.to_owned().into()));
    }
    Val::from_num(digits).unwrap_or(Val::Null)
}

fn from_jaq(value: &Val, depth: usize) -> Result<Value<'static>, Error> {
    if depth > MAX_OUTPUT_DEPTH {
        return Err(Error::Depth);
    }
    Ok(match value {
        Val::Null => Value::Null,
        Val::Bool(b) => Value::Bool(*b),
        Val::Num(Num::Float(float)) if !float.is_finite() => limit(*float),
        Val::Num(number) => Value::Number(number.to_string().into()),
        Val::TStr(text) | Val::BStr(text) => Value::String(lossy(text).into()),
        Val::Arr(items) => {
            let items: Result<_, _> = items.iter().map(|item| from_jaq(item, depth + 1)).collect();
            Value::Array(items?)
        }
        Val::Obj(members) => {
            let members: Result<_, _> = members
                .iter()
                .map(|(key, value)| Ok((key_text(key).into(), from_jaq(value, depth + 1)?)))
                .collect();
            Value::Object(members?)
        }
    })
}

fn limit(float: f64) -> Value<'static> {
    if float.is_nan() {
        return Value::Null;
    }
    let digits = "1.7976931348623157e308";
    Value::Number(if float > 0.0 { digits.into() } else { format!("-{digits}").into() })
}

/// The library lets anything be a key; JSON does not.
fn key_text(key: &Val) -> String {
    match key {
        Val::TStr(text) | Val::BStr(text) => lossy(text),
        other => other.to_string(),
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(expression: &str, input: &str) -> Result<Vec<String>, Error> {
        let query: Query = expression.parse()?;
        let input = Value::parse(input.as_bytes()).unwrap();
        query.run(input).map(|output| output.map(|value| value.to_json())).collect()
    }

    #[test]
    fn an_expression_has_any_number_of_outputs() {
        let input = r#"{"resources":[{"type":"a","n":1},{"type":"b","n":2}]}"#;
        let types = run(".resources[] | select(.n > 1) | .type", input);
        assert_eq!(types.unwrap(), [r#""b""#]);
        assert_eq!(run(".resources | length, (map(.n) | add)", input).unwrap(), ["2", "3"]);
        assert!(run("empty", input).unwrap().is_empty());
    }

    #[test]
    fn numbers_that_are_passed_on_keep_their_digits() {
        let numbers = "[1.50,1E5,-0,123456789012345678901234567890,0.1000000000000000000001,1e400]";
        assert_eq!(run(".", numbers).unwrap(), [numbers]);
        assert_eq!(run(".[3] + 1", numbers).unwrap(), ["123456789012345678901234567891"]);
        assert_eq!(run("nan, infinite", "0").unwrap(), ["null", "1.7976931348623157e308"]);
    }

    #[test]
    fn keys_keep_their_order_and_masks_are_objects() {
        assert_eq!(run(".", r#"{"z":1,"a":2}"#).unwrap(), [r#"{"z":1,"a":2}"#]);
        let query: Query = ".sensitive".parse().unwrap();
        assert_eq!(query.run(Value::Sensitive).next(), Some(Ok(Value::Bool(true))));
    }

    #[test]
    fn an_expression_sees_nothing_but_its_input() {
        for expression in ["env", "env.PATH", "now", "0 | localtime", "0 | strflocaltime(\"%Z\")"] {
            assert!(matches!(run(expression, "0"), Err(Error::Raised(_))), "{expression}");
        }
        for expression in
            ["$ENV", "$ENV.PATH", "input", "inputs", "include \"x\"; .", "input_filename"]
        {
            assert!(matches!(run(expression, "0"), Err(Error::Expression { .. })), "{expression}");
        }
        assert_eq!(run("debug, stderr", "1").unwrap(), ["1", "1"]);
    }

    #[test]
    fn halting_ends_the_outputs_and_not_the_process() {
        assert_eq!(run("1, halt, 2", "0").unwrap(), ["1"]);
        assert_eq!(run("halt(3)", "0"), Err(Error::Halted(3)));
        assert_eq!(run("halt_error", "0"), Err(Error::Halted(5)));
    }

    #[test]
    fn a_bad_expression_says_where_it_is_bad() {
        let cases = [
            ("", 0..0, "expected term"),
            (".a | ", 5..5, "expected term"),
            (".a | nope", 5..9, "there is no filter `nope`"),
            (".a | $x", 5..7, "there is no variable `$x`"),
            ("[1, 2", 5..5, "expected a closing bracket"),
            (".a & .b", 3..4, "expected a token"),
            (".a b", 3..4, "expected nothing"),
        ];
        for (expression, at, problem) in cases {
            let expected = Error::Expression { at, problem: problem.to_owned() };
            assert_eq!(run(expression, "0"), Err(expected), "{expression}");
        }
    }

    #[test]
    fn text_outside_ascii_is_read() {
        assert_eq!(run("\"größe if 日本\" | length", "0").unwrap(), ["11"]);
    }

    #[test]
    fn a_raised_error_ends_the_outputs_and_is_cut_short() {
        let query: Query = "1, error(\"x\" * 1000), 2".parse().unwrap();
        let outputs: Vec<_> = query.run(Value::Null).collect();
        assert_eq!(outputs.len(), 2);
        assert!(matches!(&outputs[1], Err(Error::Raised(text)) if text.chars().count() == 201));
    }

    #[test]
    fn what_would_overflow_the_stack_is_refused() {
        for expression in ["(".repeat(100_000), "[".repeat(5_000), "-".repeat(200_000)] {
            assert!(matches!(run(&expression, "0"), Err(Error::Expression { .. })));
        }
        for (unit, tail) in [("-", "1"), ("- ", "1"), ("if ", "1"), ("try ", "1"), ("[.]|", ".")] {
            let longest = unit.repeat((MAX_EXPRESSION_BYTES - 1) / unit.len()) + tail;
            drop(run(&longest, "0"));
        }
        assert_eq!(run(&format!("{}.", ".|".repeat(199)), "0").unwrap(), ["0"]);
        let deep = run("reduce range(2000) as $i (0; [.])", "0");
        assert_eq!(deep, Err(Error::Depth));
    }
}
