//! Expressions as tokens: precedence, postfix forms, literals.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Ident, Lit, Path, Result, Token, braced, bracketed, parenthesized, token};

use super::block::{parse_inner_block, parse_pattern};
use super::capitals::is_capitals;
use super::layers::{comma, parse_arguments, parse_constructor, parse_generic_arguments};
use crate::ast::*;
use crate::errors::{Errors, Range};
use crate::lower::functions;
use crate::ops::scalar;

/// `kernel = 5`, or `5`.
pub fn parse_argument(input: ParseStream) -> Result<Argument> {
    // Also `in = 400`, whose name is a word of Rust: no layer has it, which is said with what is meant.
    if input.peek(Ident::peek_any) && input.peek2(Token![=]) && !input.peek2(Token![==]) {
        let name = input.call(Ident::parse_any)?;
        input.parse::<Token![=]>()?;
        let value = parse_arrow(input)?;
        let range = Range::of(&name).to(value.range);
        return Ok(Argument { name: Some(name), value, range });
    }
    let value = parse_arrow(input)?;
    let range = value.range;
    Ok(Argument { name: None, value, range })
}

impl Parse for Expr {
    fn parse(input: ParseStream) -> Result<Self> {
        parse_comparison(input)
    }
}

/// A size: an expression without comparisons, so that `>` can end a list of sizes.
pub fn parse_size(input: ParseStream) -> Result<Expr> {
    parse_sum(input)
}

fn parse_comparison(input: ParseStream) -> Result<Expr> {
    let left = parse_sum(input)?;
    if let Some(error) = foreign_operator(input, &left) {
        return Err(error);
    }
    let op = if input.peek(Token![>=]) {
        input.parse::<Token![>=]>()?;
        BinaryOp::GreaterEqual
    } else if input.peek(Token![<=]) {
        input.parse::<Token![<=]>()?;
        BinaryOp::LessEqual
    } else if input.peek(Token![==]) {
        input.parse::<Token![==]>()?;
        BinaryOp::Equal
    } else if input.peek(Token![!=]) {
        input.parse::<Token![!=]>()?;
        BinaryOp::NotEqual
    } else if input.peek(Token![>]) {
        input.parse::<Token![>]>()?;
        BinaryOp::Greater
    } else if input.peek(Token![<]) {
        input.parse::<Token![<]>()?;
        BinaryOp::Less
    } else {
        return Ok(left);
    };
    let right = parse_sum(input)?;
    if let Some(error) = foreign_operator(input, &right) {
        return Err(error);
    }
    if is_comparison(input) {
        return Err(input.error(
            "comparisons are of two values; for both of two conditions multiply them: `(a < b) * (b < c)`",
        ));
    }
    Ok(binary(op, left, right))
}

/// How a power is written. `^` and `**` are meant to bind tightest.
fn power_of(left: &Expr) -> String {
    let base = match &left.kind {
        ExprKind::Binary(_, _, right) => right,
        _ => left,
    };
    format!("powers are `pow({base}, ..)`, squares `square({base})`")
}

fn is_comparison(input: ParseStream) -> bool {
    input.peek(Token![<])
        || input.peek(Token![>])
        || input.peek(Token![<=])
        || input.peek(Token![>=])
        || input.peek(Token![==])
        || input.peek(Token![!=])
}

/// An operator of Rust or Python that expressions of tensors do not have, and what to write.
fn foreign_operator(input: ParseStream, left: &Expr) -> Option<syn::Error> {
    let (operator, hint) = if input.peek(Token![^]) {
        ("^", power_of(left))
    } else if input.peek(Token![%]) {
        ("%", format!("the remainder by n is `{left} - n * floor({left} / n)`"))
    } else if input.peek(Token![&&]) || input.peek(Token![&]) {
        let operator = if input.peek(Token![&&]) { "&&" } else { "&" };
        (operator, "conditions are 1 or 0: multiply them, `(a > 0) * (a < 1)`".to_owned())
    } else if input.peek(Token![||]) {
        ("||", "conditions are 1 or 0: take the larger, `max(a > 1, a < 0)`".to_owned())
    } else if input.peek(Token![!]) && !input.peek(Token![!=]) {
        ("!", format!("functions are called without it: `{left}(..)`"))
    } else if input.peek(Token![?]) {
        ("?", "a choice by value is `select(condition, a, b)`".to_owned())
    } else if input.peek(Token![as]) {
        ("as", "leave it out".to_owned())
    } else {
        return None;
    };
    Some(input.error(format!("`{operator}` is no operator of tensors; {hint}")))
}

/// `a -> b`, or one expression.
fn parse_arrow(input: ParseStream) -> Result<Expr> {
    let left: Expr = input.parse()?;
    if !input.peek(Token![->]) {
        return Ok(left);
    }
    input.parse::<Token![->]>()?;
    let right = parse_sum(input)?;
    let range = left.range.to(right.range);
    Ok(Expr { kind: ExprKind::Arrow(Box::new(left), Box::new(right)), range })
}

fn binary(op: BinaryOp, left: Expr, right: Expr) -> Expr {
    let range = left.range.to(right.range);
    Expr { kind: ExprKind::Binary(op, Box::new(left), Box::new(right)), range }
}

fn parse_sum(input: ParseStream) -> Result<Expr> {
    let mut left = parse_product(input)?;
    loop {
        let op = if input.peek(Token![+]) {
            input.parse::<Token![+]>()?;
            BinaryOp::Add
        } else if input.peek(Token![-]) && !input.peek(Token![->]) {
            input.parse::<Token![-]>()?;
            BinaryOp::Sub
        } else {
            return Ok(left);
        };
        left = binary(op, left, parse_product(input)?);
    }
}

fn parse_product(input: ParseStream) -> Result<Expr> {
    let mut left = parse_unary(input)?;
    loop {
        let op = if input.peek(Token![*]) {
            let times: Token![*] = input.parse()?;
            if input.peek(Token![*]) {
                let message = format!("`**` is no operator of tensors; {}", power_of(&left));
                return Err(syn::Error::new(times.span, message));
            }
            BinaryOp::Mul
        } else if input.peek(Token![/]) {
            input.parse::<Token![/]>()?;
            BinaryOp::Div
        } else if input.peek(Token![@]) {
            input.parse::<Token![@]>()?;
            BinaryOp::Matmul
        } else {
            return Ok(left);
        };
        left = binary(op, left, parse_unary(input)?);
    }
}

fn parse_unary(input: ParseStream) -> Result<Expr> {
    if input.peek(Token![-]) {
        let minus: Token![-] = input.parse()?;
        let operand = parse_unary(input)?;
        let range = Range::of(&minus).to(operand.range);
        return Ok(Expr { kind: ExprKind::Negative(Box::new(operand)), range });
    }
    parse_postfix(input)
}

/// `x.f(..)`, `x.weight`, `x[0]`, `x(..)`
fn parse_postfix(input: ParseStream) -> Result<Expr> {
    let mut value = parse_primary(input)?;
    loop {
        if input.peek(Token![.]) && !input.peek(Token![..]) {
            let dot: Token![.] = input.parse()?;
            if let Ok(part) = input.fork().parse::<Lit>() {
                let part = part.to_token_stream();
                let message = format!(
                    "a tensor has no part `.{part}`; its element {part} along the first axis is `{value}[{part}]`"
                );
                return Err(input.error(message));
            }
            if !input.peek(Ident) {
                let range = value.range.to(Range::of(&dot));
                return Ok(Expr { kind: ExprKind::Unnamed(Box::new(value)), range });
            }
            let name: Ident = input.parse()?;
            if input.peek(token::Paren) {
                let (args, end) = parse_arguments(input)?;
                let range = value.range.to(Range::new(name.span(), end));
                value = Expr { kind: ExprKind::Method(Box::new(value), name, args), range };
            } else {
                let range = value.range.to(Range::of(&name));
                value = Expr { kind: ExprKind::Field(Box::new(value), name), range };
            }
        } else if input.peek(token::Bracket) && can_be_indexed(&value) {
            let content;
            let bracket = bracketed!(content in input);
            let places = parse_places(&content)?;
            let range = value.range.to(Range::new(bracket.span.open(), bracket.span.close()));
            value = Expr { kind: ExprKind::Index(Box::new(value), places), range };
        } else if input.peek(token::Paren) && can_be_called(&value) {
            let (args, end) = parse_arguments(input)?;
            let range = value.range.to(Range::new(end, end));
            value = Expr { kind: ExprKind::Apply(Box::new(value), args), range };
        } else {
            return Ok(value);
        }
    }
}

fn can_be_indexed(value: &Expr) -> bool {
    !matches!(value.kind, ExprKind::Int(_) | ExprKind::Float(_) | ExprKind::Bool(_))
}

fn can_be_called(value: &Expr) -> bool {
    matches!(value.kind, ExprKind::Index(..) | ExprKind::Layer(_) | ExprKind::Apply(..))
}

/// `0, 1..3, ..`
fn parse_places(content: ParseStream) -> Result<Vec<Index>> {
    let mut places = vec![];
    while !content.is_empty() {
        let from = if content.peek(Token![..]) { None } else { Some(parse_size(content)?) };
        places.push(match (content.peek(Token![..]), from) {
            (false, Some(at)) => Index::At(at),
            (_, from) => {
                if content.peek(Token![..=]) {
                    return Err(content.error("`..=` is no range here; `0..2` ends before 2"));
                }
                content.parse::<Token![..]>()?;
                let open = content.is_empty() || content.peek(Token![,]);
                Index::Range(from, if open { None } else { Some(parse_size(content)?) })
            }
        });
        if content.peek(Token![..]) {
            return Err(content.error("a range has no step: write `slice(x, 0, 4, step = 2)`"));
        }
        if is_comparison(content) {
            return Err(content.error(
                "an index is a size or a range; a choice by value is `select(condition, a, b)`",
            ));
        }
        if !content.is_empty() {
            comma(content, "indices")?;
        }
    }
    Ok(places)
}

fn parse_primary(input: ParseStream) -> Result<Expr> {
    if input.peek(Lit) {
        return parse_literal(input);
    }
    if input.peek(token::Brace) {
        let content;
        let brace = braced!(content in input);
        let tokens: TokenStream = content.parse()?;
        // Rust that cannot be read would take all that is printed with it.
        syn::Block::parse_within.parse2(tokens.clone()).map_err(|e| {
            syn::Error::new(
                e.span(),
                "expected a const expression in braces, for example `{2 * N}`; several layers as one are a network of their own",
            )
        })?;
        let range = Range::new(brace.span.open(), brace.span.close());
        return Ok(Expr { kind: ExprKind::Const(tokens), range });
    }
    if input.peek(token::Bracket) {
        let content;
        let bracket = bracketed!(content in input);
        let items = parse_list(&content)?;
        let range = Range::new(bracket.span.open(), bracket.span.close());
        return Ok(Expr { kind: ExprKind::List(items), range });
    }
    if input.peek(token::Paren) {
        return parse_parenthesis(input);
    }
    if input.peek(Token![|]) {
        return parse_closure(input);
    }
    if !(input.peek(Ident)
        || input.peek(Token![crate])
        || input.peek(Token![self])
        || input.peek(Token![super])
        || input.peek(Token![::]))
    {
        return Err(unexpected(input));
    }
    if is_constructor(&input.fork()) {
        let mut errors = Errors::default();
        let layer = parse_constructor(input, "expected a layer", &mut errors)?;
        errors.propagate()?;
        if let Some(error) = called_with_a_value(&layer) {
            return Err(error);
        }
        let range = layer.range;
        return Ok(Expr { kind: ExprKind::Layer(Box::new(layer)), range });
    }
    let path = input.call(Path::parse_mod_style)?;
    let range = Range::of(&path);
    match path.get_ident() {
        Some(name) if input.peek(token::Paren) => {
            let name = name.clone();
            let (args, end) = parse_arguments(input)?;
            let range = range.to(Range::new(end, end));
            Ok(Expr { kind: ExprKind::Call(name, args), range })
        }
        _ => Ok(Expr { kind: ExprKind::Path(path), range }),
    }
}

/// `Relu(fc(x))`, with what it is as a function.
fn called_with_a_value(layer: &Layer) -> Option<syn::Error> {
    let [Argument { name: None, value, .. }] = &layer.args[..] else { return None };
    if !matches!(value.kind, ExprKind::Call(..) | ExprKind::Method(..)) {
        return None;
    }
    let function = layer.kind.to_string().to_lowercase();
    is_function(&function).then(|| {
        layer.range.error(format!(
            "`{0}` is a layer, and its argument `{value}` a value; as a function it is `{function}({value})`",
            layer.kind
        ))
    })
}

/// Whether expressions have a function of this name.
fn is_function(name: &str) -> bool {
    functions::names().chain(scalar::TABLE.iter().map(|row| row.name)).any(|own| own == name)
}

/// What stands where an expression should, and what to write.
fn unexpected(input: ParseStream) -> syn::Error {
    let hint = if input.peek(Token![if]) || input.peek(Token![match]) {
        "a choice by value is `select(condition, a, b)`, with both sides computed"
    } else if input.peek(Token![while]) || input.peek(Token![loop]) {
        "loops are `for i in 0..4 { .. }`, unrolled, and `scan(xs, h0, |h, x| (h, y))`"
    } else if input.peek(Token![for]) {
        "a `for` stands before the result of a block, not inside an expression"
    } else if input.peek(Token![let]) {
        "a `let` stands before the result of a block, not inside an expression"
    } else if input.peek(Token![return]) {
        "the result is the last expression of the block, without `return`"
    } else if input.peek(Token![!]) {
        "conditions are 1 or 0: write `1 - x` for `!x`"
    } else if input.peek(Token![&]) {
        "values are not borrowed here: leave out `&`"
    } else {
        return input.error("expected a number, a name, or a const expression in braces");
    };
    let token =
        input.cursor().token_tree().map_or_else(String::new, |(token, _)| token.to_string());
    input.error(format!("`{token}` is no expression of `network!`; {hint}"))
}

/// Whether a path names a layer, a network or an initialiser: its last segment begins with a capital letter.
/// One that is all capitals, as constants are, is followed by what constants are not: `MLP(..)`, `MLP<3>` or
/// `MLP -> [10]`.
fn is_constructor(ahead: ParseStream) -> bool {
    let Ok(path) = ahead.call(Path::parse_mod_style) else { return false };
    let Some(segment) = path.segments.last() else { return false };
    let name = segment.ident.to_string();
    if !is_capitals(&name) {
        return name.starts_with(|c: char| c.is_ascii_uppercase());
    }
    ahead.peek(token::Paren)
        || (ahead.peek(Token![->]) && ahead.peek3(token::Bracket))
        || (ahead.peek(Token![<]) && parse_generic_arguments(ahead).is_ok())
}

/// `|h, x| (h, x)`
fn parse_closure(input: ParseStream) -> Result<Expr> {
    let bar: Token![|] = input.parse()?;
    let mut patterns = vec![];
    while !input.peek(Token![|]) {
        patterns.push(parse_pattern(input)?);
        if !input.peek(Token![|]) {
            input.parse::<Token![,]>()?;
        }
    }
    input.parse::<Token![|]>()?;
    let block = if input.peek(token::Brace) {
        parse_inner_block(input)?
    } else {
        Block { statements: vec![], result: input.parse()? }
    };
    let range = Range::of(&bar).to(block.result.range);
    Ok(Expr { kind: ExprKind::Closure(patterns, Box::new(block)), range })
}

fn parse_list(content: ParseStream) -> Result<Vec<Expr>> {
    let mut items = vec![];
    while !content.is_empty() {
        items.push(content.parse()?);
        if !content.is_empty() {
            content.parse::<Token![,]>()?;
        }
    }
    Ok(items)
}

/// `(a)` groups, `(a, b)` is a tuple.
fn parse_parenthesis(input: ParseStream) -> Result<Expr> {
    let content;
    let paren = parenthesized!(content in input);
    let mut items = parse_list(&content)?;
    let range = Range::new(paren.span.open(), paren.span.close());
    match items.len() {
        1 => Ok(Expr { kind: items.remove(0).kind, range }),
        _ => Ok(Expr { kind: ExprKind::Tuple(items), range }),
    }
}

fn parse_literal(input: ParseStream) -> Result<Expr> {
    let literal: Lit = input.parse()?;
    let range = Range::of(&literal);
    let kind = match &literal {
        Lit::Int(n) => ExprKind::Int(
            n.base10_parse().map_err(|_| range.error(format!("`{n}` is too large for a size")))?,
        ),
        Lit::Float(x) => ExprKind::Float(finite(x)?),
        Lit::Bool(b) => ExprKind::Bool(b.value),
        Lit::Str(text) => ExprKind::Text(text.value()),
        _ => return Err(range.error("expected a number, a name, or a const expression in braces")),
    };
    Ok(Expr { kind, range })
}

/// A number that floats hold.
fn finite(literal: &syn::LitFloat) -> Result<f64> {
    let x: f64 = literal.base10_parse()?;
    match x.is_finite() {
        true => Ok(x),
        false => {
            let message = format!(
                "`{literal}` is larger than any float; the largest are near 3.4e38 for `f32` and 1.8e308 for `f64`"
            );
            Err(syn::Error::new(literal.span(), message))
        }
    }
}
