//! What a term tests, ready to be asked of many instances.

use super::attribute::{self, Attribute, Operands, TagName};
use super::error::Error;
use super::field::Field;
use super::module::ModulePattern;
use super::pattern::{Operand, Pattern};
use super::subject::Subject;
use super::syntax::{Literal, Op, Written};
use crate::base::nearest::nearest;
use crate::base::size;
use crate::query::reference;
use crate::state::address::{Key, Mode};
use crate::state::provider::{ProviderConfig, Source};
use crate::state::value::{Value, compare_numbers};

/// A test of an instance.
#[derive(Clone, Debug)]
pub(super) struct Test {
    op: Op,
    subject: About,
}

/// What is tested, and against what. Any of several patterns will do.
#[derive(Clone, Debug)]
enum About {
    Text(Vec<Pattern>),
    Type(Vec<Pattern>),
    Name(Vec<Pattern>),
    Module(Vec<ModulePattern>),
    Provider(Vec<Pattern>),
    Mode(Vec<Mode>),
    Key(Vec<Pattern>),
    Id(Vec<Pattern>),
    Attr(Vec<Attribute>, Vec<Operand>),
    Tag(Vec<TagName>, Vec<Operand>),
    Dep(Vec<Dependency>),
    Is(Vec<Trait>),
    Has(Vec<Attribute>),
    Size(Vec<u64>),
    Schema(Vec<String>),
}

#[derive(Clone, Debug)]
enum Dependency {
    /// A configuration address, in the module it names or in any.
    Address(String),
    Pattern(Pattern),
}

/// What an instance can be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Trait {
    Managed,
    Data,
    Tainted,
    Deposed,
    Sensitive,
    Root,
}

const MODES: [(&str, Mode); 2] = [("managed", Mode::Managed), ("data", Mode::Data)];

const TRAITS: [(&str, Trait); 6] = [
    ("managed", Trait::Managed),
    ("data", Trait::Data),
    ("tainted", Trait::Tainted),
    ("deposed", Trait::Deposed),
    ("sensitive", Trait::Sensitive),
    ("root", Trait::Root),
];

impl Test {
    /// Makes a test of what was written.
    pub(super) fn of(written: &Written) -> Result<Self, Error> {
        let (op, values) = (written.op, written.values.as_slice());
        let patterns = || each(values, |value| Pattern::of(value, op));
        let operands = || each(values, |value| Operand::of(value, op));
        let subject = match written.field {
            None => About::Text(each(values, Pattern::of_part)?),
            Some(Field::Addr) => About::Text(patterns()?),
            Some(Field::Type) => About::Type(patterns()?),
            Some(Field::Name) => About::Name(patterns()?),
            Some(Field::Module) => {
                About::Module(each(values, |value| ModulePattern::of(value, op))?)
            }
            Some(Field::Provider) => About::Provider(patterns()?),
            Some(Field::Mode) => About::Mode(each(values, |value| word(value, "mode", &MODES))?),
            Some(Field::Key) => About::Key(patterns()?),
            Some(Field::Id) => About::Id(each(values, |value| Pattern::of_beginning(value, op))?),
            Some(Field::Attr) if values.is_empty() => {
                About::Has(each(&written.paths, Attribute::of)?)
            }
            Some(Field::Attr) => About::Attr(each(&written.paths, Attribute::of)?, operands()?),
            Some(Field::Tag) => About::Tag(each(&written.paths, TagName::of)?, operands()?),
            Some(Field::Dep) => About::Dep(each(values, |value| Dependency::of(value, op))?),
            Some(Field::Is) => About::Is(each(values, |value| word(value, "is", &TRAITS))?),
            Some(Field::Has) => About::Has(each(&written.paths, Attribute::of)?),
            Some(Field::Size) => About::Size(each(values, bytes)?),
            Some(Field::Schema) => About::Schema(each(values, whole_number)?),
        };
        Ok(Self { op, subject })
    }

    /// Returns how much work the test is: 0 for what the index knows, 1 for what prints the
    /// address, 2 for what walks over the instance, 3 for what decodes its attributes.
    pub(super) fn cost(&self) -> u8 {
        match &self.subject {
            About::Attr(..) | About::Tag(..) | About::Has(_) => 3,
            About::Is(traits) if traits.contains(&Trait::Sensitive) => 3,
            About::Dep(_) | About::Schema(_) | About::Id(_) => 2,
            About::Text(_) => 1,
            About::Type(_)
            | About::Name(_)
            | About::Module(_)
            | About::Provider(_)
            | About::Mode(_)
            | About::Key(_)
            | About::Is(_)
            | About::Size(_) => 0,
        }
    }

    pub(super) fn matches(&self, subject: &Subject<'_>) -> bool {
        match self.ask(subject) {
            Some(answer) => answer != self.op.is_negative(),
            None => false,
        }
    }

    /// Answers the test as if it were not negative; `None` where what it is about is not there.
    fn ask(&self, subject: &Subject<'_>) -> Option<bool> {
        let instance = subject.instance;
        let resource = instance.resource();
        let any = |patterns: &[Pattern], text: &str| patterns.iter().any(|p| p.matches(text));
        Some(match &self.subject {
            About::Text(patterns) => any(patterns, subject.address()),
            About::Type(patterns) => any(patterns, &resource.kind()),
            About::Name(patterns) => any(patterns, &resource.name()),
            About::Module(patterns) => patterns.iter().any(|p| p.matches(resource)),
            About::Provider(patterns) => is_provided(subject, patterns),
            About::Mode(modes) => modes.contains(&resource.mode()),
            About::Key(patterns) => match instance.key() {
                Key::None => return None,
                Key::Int(number) => any(patterns, &number.to_string()),
                Key::String(text) => any(patterns, &text),
            },
            About::Id(patterns) => {
                let found = any(patterns, &instance.id()?);
                // An id may be a secret. Only where the answer could tell, the attributes are
                // decoded to learn that.
                let could_tell = found || self.op.is_negative();
                return (!could_tell || shown_id(subject)).then_some(found);
            }
            About::Attr(attributes, operands) => {
                return attribute::compare(
                    subject,
                    attributes,
                    &Operands { op: self.op, operands },
                );
            }
            About::Tag(names, operands) => {
                return attribute::tagged(subject, names, &Operands { op: self.op, operands });
            }
            About::Dep(wanted) => {
                let found = &subject.details().dependencies;
                found.iter().any(|found| wanted.iter().any(|wanted| wanted.is(found)))
            }
            About::Is(traits) => traits.iter().any(|it| it.is_of(subject)),
            About::Has(attributes) => attributes.iter().any(|it| it.is_there(subject)),
            About::Size(sizes) => {
                let here = instance.raw().len() as u64;
                sizes.iter().any(|size| self.holds(here.cmp(size)))
            }
            About::Schema(versions) => {
                let here = subject.details().schema_version.to_string();
                versions.iter().any(|version| self.holds(compare_numbers(&here, version)))
            }
        })
    }

    fn holds(&self, order: std::cmp::Ordering) -> bool {
        match self.op {
            Op::Is | Op::IsNot | Op::Like | Op::NotLike => order.is_eq(),
            Op::Greater => order.is_gt(),
            Op::AtLeast => order.is_ge(),
            Op::Less => order.is_lt(),
            Op::AtMost => order.is_le(),
        }
    }
}

/// Makes something of each literal.
fn each<T>(
    literals: &[Literal],
    make: impl Fn(&Literal) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    literals.iter().map(make).collect()
}

/// Reads one of a few words.
fn word<T: Copy>(literal: &Literal, field: &str, known: &[(&str, T)]) -> Result<T, Error> {
    if let Some((_, found)) = known.iter().find(|(word, _)| *word == literal.text) {
        return Ok(*found);
    }
    let problem = format!("there is no `{field}:{}`", literal.text);
    let words: Vec<&str> = known.iter().map(|(word, _)| *word).collect();
    let hint = match nearest(&literal.text, words.iter().copied(), 1).first() {
        Some(near) => format!("did you mean `{field}:{near}`?"),
        None => format!("it is one of {}", words.join(", ")),
    };
    Err(Error::new(literal.at.clone(), problem).hint(hint))
}

fn bytes(literal: &Literal) -> Result<u64, Error> {
    size::parse(&literal.text).map_err(|error| Error::new(literal.at.clone(), error.to_string()))
}

fn whole_number(literal: &Literal) -> Result<String, Error> {
    if !literal.text.is_empty() && literal.text.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(literal.text.clone());
    }
    Err(Error::new(literal.at.clone(), format!("`{}` is not a whole number", literal.text)))
}

/// Returns whether the id may be compared: it is not a secret.
fn shown_id(subject: &Subject<'_>) -> bool {
    subject.attributes().is_some_and(|attributes| attributes.get("id") != Some(&Value::Sensitive))
}

/// Tests every name that people have for a provider.
fn is_provided(subject: &Subject<'_>, patterns: &[Pattern]) -> bool {
    let of_resource = subject.instance.resource().provider_text();
    let Some(text) = of_resource.or_else(|| subject.details().provider.clone()) else {
        return false;
    };
    let any = |name: &str| patterns.iter().any(|pattern| pattern.matches(name));
    let Ok(ProviderConfig { source: Source { host, namespace, kind }, alias, .. }) = text.parse()
    else {
        return any(&text);
    };
    let names = [format!("{host}/{namespace}/{kind}"), format!("{namespace}/{kind}"), kind];
    let aliased = |name: &String| alias.as_ref().is_some_and(|it| any(&format!("{name}.{it}")));
    any(&text) || names.iter().any(|name| any(name) || aliased(name))
}

impl Dependency {
    fn of(literal: &Literal, op: Op) -> Result<Self, Error> {
        Ok(match Pattern::of(literal, op)? {
            Pattern::Exact(address) => Self::Address(reference::without_keys(&address)),
            pattern => Self::Pattern(pattern),
        })
    }

    fn is(&self, found: &str) -> bool {
        match self {
            Self::Pattern(pattern) => pattern.matches(found),
            Self::Address(address) => found.strip_suffix(address.as_str()).is_some_and(|before| {
                // `aws_vpc.main` is in any module, but no data source.
                let module = before.strip_suffix('.');
                before.is_empty()
                    || module.is_some_and(|path| path.rsplit('.').next() != Some("data"))
            }),
        }
    }
}

impl Trait {
    fn is_of(self, subject: &Subject<'_>) -> bool {
        let instance = subject.instance;
        match self {
            Self::Managed => instance.resource().mode() == Mode::Managed,
            Self::Data => instance.resource().mode() == Mode::Data,
            Self::Tainted => instance.is_tainted(),
            Self::Deposed => instance.is_deposed(),
            Self::Root => instance.resource().module().is_root(),
            Self::Sensitive => {
                instance.has_sensitive_paths() || subject.attributes().is_some_and(has_masked)
            }
        }
    }
}

fn has_masked(value: &Value<'_>) -> bool {
    match value {
        Value::Sensitive => true,
        Value::Array(items) => items.iter().any(has_masked),
        Value::Object(members) => members.iter().any(|(_, member)| has_masked(member)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}
