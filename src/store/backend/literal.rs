//! Literal values of HCL: what a backend block may hold, for Terraform reads it before there are
//! variables. OpenTofu has variables there, whose values only a run knows.

use hcl_edit::Span as _;
use hcl_edit::expr::{Expression, ObjectKey, UnaryOperator};
use hcl_edit::structure::Body;
use hcl_edit::template::Element;

use crate::state::value::Value;

/// Where a value stands that is no literal.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct NotLiteral {
    /// The setting that it is in; `assume_role.role_arn` for one in a block or an object.
    pub(super) name: String,
    /// Where it begins in the text.
    pub(super) at: usize,
}

/// The members of an object, as [`Value::Object`] has them.
pub(super) type Members = Vec<(std::borrow::Cow<'static, str>, Value<'static>)>;

/// Returns the attributes and blocks of a body, and those values that are no literals; a block that
/// stands several times is a list.
pub(super) fn body(body: &Body) -> (Members, Vec<NotLiteral>) {
    let (mut members, mut others) = (Members::new(), Vec::new());
    for attribute in body.attributes() {
        let name = attribute.key.as_str();
        match value(&attribute.value, name) {
            Ok(value) => members.push((name.to_owned().into(), value)),
            Err(not) => others.push(not),
        }
    }
    for block in body.blocks() {
        let name = block.ident.as_str();
        let (inner, not) = self::body(&block.body);
        let within = |not: NotLiteral| NotLiteral { name: format!("{name}.{}", not.name), ..not };
        others.extend(not.into_iter().map(within));
        let inner = Value::Object(inner);
        match members.iter_mut().find(|(known, _)| known == name) {
            Some((_, Value::Array(several))) => several.push(inner),
            Some((_, one)) => *one = Value::Array(vec![one.clone(), inner]),
            None => members.push((name.to_owned().into(), inner)),
        }
    }
    (members, others)
}

/// Returns the value of an expression, which is that of the setting `name`.
pub(super) fn value(expression: &Expression, name: &str) -> Result<Value<'static>, NotLiteral> {
    let not = || {
        let at = expression.span().map_or(0, |span| span.start);
        NotLiteral { name: name.to_owned(), at }
    };
    Ok(match expression {
        Expression::Null(_) => Value::Null,
        Expression::Bool(on) => Value::Bool(*on.value()),
        Expression::Number(number) => Value::Number(number.value().to_string().into()),
        Expression::String(text) => Value::String(text.value().clone().into()),
        Expression::Array(items) => {
            let items: Result<_, _> = items.iter().map(|item| value(item, name)).collect();
            Value::Array(items?)
        }
        Expression::Object(object) => {
            let mut members = Members::new();
            for (key, inner) in object {
                let key = match key {
                    ObjectKey::Ident(ident) => ident.as_str().to_owned(),
                    ObjectKey::Expression(Expression::String(text)) => text.value().clone(),
                    ObjectKey::Expression(_) => return Err(not()),
                };
                let inner = value(inner.expr(), &format!("{name}.{key}"))?;
                members.push((key.into(), inner));
            }
            Value::Object(members)
        }
        Expression::HeredocTemplate(heredoc) => {
            Value::String(literals(heredoc.template.iter()).ok_or_else(not)?.into())
        }
        Expression::StringTemplate(template) => {
            Value::String(literals(template.iter()).ok_or_else(not)?.into())
        }
        Expression::Parenthesis(inner) => value(inner.inner(), name)?,
        Expression::UnaryOp(negated) if *negated.operator == UnaryOperator::Neg => {
            match value(&negated.expr, name)? {
                Value::Number(number) => Value::Number(format!("-{number}").into()),
                _ => return Err(not()),
            }
        }
        Expression::Variable(_)
        | Expression::Conditional(_)
        | Expression::FuncCall(_)
        | Expression::Traversal(_)
        | Expression::UnaryOp(_)
        | Expression::BinaryOp(_)
        | Expression::ForExpr(_) => return Err(not()),
    })
}

fn literals<'a>(elements: impl Iterator<Item = &'a Element>) -> Option<String> {
    elements.map(|element| element.as_literal().map(|text| text.value().as_str())).collect()
}
