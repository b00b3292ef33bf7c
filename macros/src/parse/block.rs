//! Blocks: `let`, assignments, `for` and the result.

use syn::parse::ParseStream;
use syn::parse::discouraged::Speculative;
use syn::{Ident, Result, Token, braced, bracketed, parenthesized, token};

use super::expr::parse_size;
use super::layers::parse_constructor;
use super::recovery::{attempt, skip_statement};
use crate::ast::*;
use crate::errors::{Errors, Range};

/// `{ let a = ..; a }`: the statements that can be read, and the result or nothing.
pub fn parse_block(input: ParseStream, errors: &mut Errors) -> Result<Block> {
    let content;
    let brace = braced!(content in input);
    let (mut statements, mut result, before) = (vec![], None, errors.len());
    while result.is_none() && !content.is_empty() {
        let count = statements.len();
        let read = match is_statement(&content) {
            true => attempt(&content, parse_statement).and_then(|statement| {
                let end = end_of(&statement, &content);
                statements.push(statement);
                end
            }),
            false => attempt(&content, parse_result).map(|value| result = Some(value)),
        };
        if let Err(error) = read {
            errors.push(error);
            // Behind a statement without `;` the next may begin at once.
            if !is_statement(&content) || statements.len() == count {
                skip_statement(&content);
            }
        }
    }
    let end = brace.span.close();
    if result.is_none() && errors.len() == before {
        let message = "expected the result: an expression without `;` at the end of the block";
        errors.push(syn::Error::new(end, message));
    }
    let nothing = || Expr { kind: ExprKind::Tuple(vec![]), range: Range::new(end, end) };
    Ok(Block { statements, result: result.unwrap_or_else(nothing) })
}

/// A block that is right, inside an expression.
pub fn parse_inner_block(input: ParseStream) -> Result<Block> {
    let mut errors = Errors::default();
    let block = parse_block(input, &mut errors)?;
    errors.propagate()?;
    Ok(block)
}

/// The expression at the end of a block.
fn parse_result(content: ParseStream) -> Result<Expr> {
    if let Some(error) = compound_assignment(content) {
        return Err(error);
    }
    let result = content.parse()?;
    match content.is_empty() {
        true => Ok(result),
        false => Err(after_result(content)),
    }
}

/// What stands behind the result, and what to write.
fn after_result(content: ParseStream) -> syn::Error {
    if content.peek(Token![;]) {
        let ahead = content.fork();
        let message = match ahead.parse::<Token![;]>().is_ok() && ahead.is_empty() {
            true => "the last expression is the result: remove this `;`",
            false => "the value of this expression goes nowhere: bind it, `let y = ..;`",
        };
        return content.error(message);
    }
    if content.peek(Token![:]) {
        return content.error(
            "a chain of layers has an input without a name: `Net: [784] { fc: Linear(10) }`; of inputs with names the body is expressions: `let fc = Linear(10); fc(x)`",
        );
    }
    content.error("expected `}` after the result: only `let`, `for` and assignments may stand before it, each but `for` with `;` at its end")
}

/// `+=` and the like.
fn compound_assignment(content: ParseStream) -> Option<syn::Error> {
    let ahead = content.fork();
    let name: Ident = ahead.parse().ok()?;
    let operator = if ahead.peek(Token![+=]) {
        "+"
    } else if ahead.peek(Token![-=]) {
        "-"
    } else if ahead.peek(Token![*=]) {
        "*"
    } else if ahead.peek(Token![/=]) {
        "/"
    } else {
        return None;
    };
    Some(
        ahead
            .error(format!("values do not change in place: write `{name} = {name} {operator} ..`")),
    )
}

fn is_statement(content: ParseStream) -> bool {
    content.peek(Token![let])
        || content.peek(Token![for])
        || (content.peek(Ident) && content.peek2(Token![=]) && !content.peek2(Token![==]))
}

fn parse_statement(content: ParseStream) -> Result<Statement> {
    if content.peek(Token![for]) {
        return parse_for(content);
    }
    if content.peek(Token![let]) {
        content.parse::<Token![let]>()?;
        let pattern = parse_pattern(content)?;
        content.parse::<Token![=]>().map_err(|e| {
            let message =
                "expected `=` and a value: its shape is inferred, for example `let y = relu(x);`";
            syn::Error::new(e.span(), message)
        })?;
        return Ok(Statement::Let(pattern, parse_bound(content)?));
    }
    let name = content.parse()?;
    content.parse::<Token![=]>()?;
    Ok(Statement::Assign(name, content.parse()?))
}

/// The `;` behind a statement, but for loops and the last one.
fn end_of(statement: &Statement, content: ParseStream) -> Result<()> {
    if matches!(statement, Statement::For { .. }) || content.is_empty() {
        return Ok(());
    }
    let expected = |e: syn::Error| syn::Error::new(e.span(), "expected `;` after this statement");
    content.parse::<Token![;]>().map(drop).map_err(expected)
}

/// The right side of a `let`: a repeat of layers looks like a list.
fn parse_bound(content: ParseStream) -> Result<Expr> {
    if content.peek(token::Bracket) {
        let ahead = content.fork();
        let mut errors = Errors::default();
        if let Ok(layer) = parse_constructor(&ahead, "", &mut errors)
            && layer.repeat.is_some()
        {
            errors.propagate()?;
            content.advance_to(&ahead);
            let range = layer.range;
            return Ok(Expr { kind: ExprKind::Layer(Box::new(layer)), range });
        }
    }
    content.parse()
}

fn parse_for(content: ParseStream) -> Result<Statement> {
    content.parse::<Token![for]>()?;
    let expected = |e: syn::Error| {
        syn::Error::new(
            e.span(),
            "expected a loop over numbers, for example `for i in 0..4 { .. }`",
        )
    };
    let variable = content.parse().map_err(expected)?;
    content.parse::<Token![in]>().map_err(expected)?;
    let from = parse_size(content)?;
    content
        .parse::<Token![..]>()
        .map_err(|e| syn::Error::new(e.span(), "expected a constant range, for example `0..4`"))?;
    let to = parse_size(content)?;
    let inner;
    braced!(inner in content);
    let mut body = vec![];
    while !inner.is_empty() {
        if let Some(error) = compound_assignment(&inner) {
            return Err(error);
        }
        if !is_statement(&inner) {
            return Err(inner.error("expected `let`, `for` or an assignment such as `x = f(x)`"));
        }
        let statement = parse_statement(&inner)?;
        end_of(&statement, &inner)?;
        body.push(statement);
    }
    Ok(Statement::For { variable, from, to, body })
}

/// `x`, `_`, `(a, b)`, `[q, k, v]`
pub fn parse_pattern(input: ParseStream) -> Result<Pattern> {
    if input.peek(Token![_]) {
        input.parse::<Token![_]>()?;
        return Ok(Pattern::Ignored);
    }
    if input.peek(Token![mut]) {
        return Err(input.error(
            "values are not mutable; bind the name again: `let x = ..`, or `x = ..` in a `for`",
        ));
    }
    let (content, range);
    if input.peek(token::Paren) {
        let paren = parenthesized!(content in input);
        range = Range::new(paren.span.open(), paren.span.close());
    } else if input.peek(token::Bracket) {
        let bracket = bracketed!(content in input);
        range = Range::new(bracket.span.open(), bracket.span.close());
    } else {
        let name: Ident = input.parse().map_err(|e| {
            syn::Error::new(e.span(), "expected a name, or names such as `(a, b)` or `[q, k, v]`")
        })?;
        return Ok(Pattern::Name(name));
    }
    let mut patterns = vec![];
    while !content.is_empty() {
        patterns.push(parse_pattern(&content)?);
        if !content.is_empty() {
            content.parse::<Token![,]>()?;
        }
    }
    Ok(Pattern::Many(patterns, range))
}
