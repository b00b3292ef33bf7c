//! Tokens to AST. Its own precedence parser, because syn's stops at `@` and at `400 -> 128`.

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use syn::parse::{Parse, ParseStream};
use syn::{
    Attribute, Ident, Lit, Path, Result, Token, Visibility, braced, bracketed, parenthesized, token,
};

use crate::ast::*;
use crate::errors::Range;

/// The AST of tokens that it can be made of without running out of stack.
pub fn declaration(tokens: TokenStream) -> Result<Declaration> {
    if let Some(at) = too_deep(tokens.clone(), MAX_DEPTH) {
        let message = "this is nested too deeply, or too long an expression, for `network!`";
        return Err(syn::Error::new(at, message));
    }
    syn::parse2(tokens)
}

/// The deepest AST, in tokens that could each be a level of it.
const MAX_DEPTH: usize = 1000;

/// Where tokens that belong together, groups within groups, are more than `left`.
fn too_deep(tokens: TokenStream, left: usize) -> Option<Span> {
    let mut length = 0;
    for token in tokens {
        let at = token.span();
        length += 1;
        // A group costs more: parsing it takes more stack than an operator.
        let rest = match left.checked_sub(length + 7) {
            Some(rest) => rest,
            None => return Some(at),
        };
        match token {
            TokenTree::Group(group) => {
                if let Some(at) = too_deep(group.stream(), rest) {
                    return Some(at);
                }
                // An item, or an attribute, ends.
                if matches!(group.delimiter(), Delimiter::Brace | Delimiter::Bracket) {
                    length = 0;
                }
            }
            TokenTree::Punct(punct) if matches!(punct.as_char(), ',' | ';') => length = 0,
            _ => {}
        }
    }
    None
}

impl Parse for Declaration {
    fn parse(input: ParseStream) -> Result<Self> {
        let mut items = vec![];
        while !input.is_empty() {
            items.push(input.parse()?);
        }
        if items.is_empty() {
            return Err(input.error(
                "`network!` is empty; declare a network, for example `pub Mlp: [784] -> [10] { Linear(10) }`",
            ));
        }
        Ok(Declaration { items })
    }
}

impl Parse for Item {
    fn parse(input: ParseStream) -> Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let vis: Visibility = input.parse()?;
        if input.peek(Token![fn]) {
            return Ok(Item::Function(parse_function(input, attrs, vis)?));
        }
        Ok(Item::Network(parse_network(input, attrs, vis)?))
    }
}

fn parse_network(input: ParseStream, attrs: Vec<Attribute>, vis: Visibility) -> Result<Network> {
    let name: Ident = input.parse().map_err(|e| {
        syn::Error::new(
            e.span(),
            "expected the name of a network, for example `Digits: [1, 28, 28] { .. }`",
        )
    })?;
    if input.peek(Token![<]) {
        return Err(input.error(
            "networks with dimension parameters are not supported yet; use const items for sizes",
        ));
    }
    if input.peek(token::Paren) {
        return Err(input.error(
            "run-time settings of a network are not supported yet; write the value into the layer",
        ));
    }
    input.parse::<Token![:]>().map_err(|e| {
        syn::Error::new(
            e.span(),
            format!(
                "expected `:` and the shape of one input sample, for example `{name}: [1, 28, 28]`"
            ),
        )
    })?;
    if input.peek(token::Paren) {
        return Err(input.error("expected the shape of one sample in brackets, for example `[1, 28, 28]`; named inputs are not supported yet"));
    }
    let shape: TensorType = input.parse()?;
    let output = if input.peek(Token![->]) {
        input.parse::<Token![->]>()?;
        Some(input.parse()?)
    } else {
        None
    };
    let content;
    braced!(content in input);
    let mut layers = vec![];
    while !content.is_empty() {
        layers.push(parse_layer(&content)?);
        if !content.is_empty() {
            content
                .parse::<Token![,]>()
                .map_err(|e| syn::Error::new(e.span(), "expected `,` between layers"))?;
        }
    }
    Ok(Network { attrs, vis, name, input: shape, output, layers })
}

fn parse_layer(input: ParseStream) -> Result<Layer> {
    let first: Ident = input.parse().map_err(|e| {
        syn::Error::new(e.span(), "expected a layer, for example `fc1: Linear(120)` or `Relu`")
    })?;
    let (name, kind) = if input.peek(Token![:]) && !input.peek(Token![::]) {
        input.parse::<Token![:]>()?;
        let kind = input.parse().map_err(|e: syn::Error| {
            syn::Error::new(
                e.span(),
                format!(
                    "expected the layer that `{first}` names, for example `{first}: Linear(120)`"
                ),
            )
        })?;
        (Some(first), kind)
    } else {
        (None, first)
    };
    let start = name.as_ref().unwrap_or(&kind).span();
    let (args, end) =
        if input.peek(token::Paren) { parse_arguments(input)? } else { (vec![], kind.span()) };
    Ok(Layer { name, kind, args, range: Range::new(start, end) })
}

/// `(6, kernel = 5)`, and the span of the closing parenthesis.
fn parse_arguments(input: ParseStream) -> Result<(Vec<Argument>, Span)> {
    let content;
    let paren = parenthesized!(content in input);
    let mut args = vec![];
    while !content.is_empty() {
        args.push(parse_argument(&content)?);
        if !content.is_empty() {
            content.parse::<Token![,]>()?;
        }
    }
    Ok((args, paren.span.close()))
}

fn parse_argument(input: ParseStream) -> Result<Argument> {
    if input.peek(Ident) && input.peek2(Token![=]) && !input.peek2(Token![==]) {
        let name: Ident = input.parse()?;
        input.parse::<Token![=]>()?;
        let value = parse_arrow(input)?;
        let range = Range::of(&name).to(value.range);
        return Ok(Argument { name: Some(name), value, range });
    }
    let value = parse_arrow(input)?;
    let range = value.range;
    Ok(Argument { name: None, value, range })
}

fn parse_function(input: ParseStream, attrs: Vec<Attribute>, vis: Visibility) -> Result<Function> {
    input.parse::<Token![fn]>()?;
    let name = input.parse()?;
    let mut generics = vec![];
    if input.peek(Token![<]) {
        input.parse::<Token![<]>()?;
        while !input.peek(Token![>]) {
            generics.push(input.parse()?);
            if !input.peek(Token![>]) {
                input.parse::<Token![,]>()?;
            }
        }
        input.parse::<Token![>]>()?;
    }
    let content;
    parenthesized!(content in input);
    let mut inputs = vec![];
    while !content.is_empty() {
        let name: Ident = content.parse()?;
        content.parse::<Token![:]>()?;
        inputs.push((name, content.parse()?));
        if !content.is_empty() {
            content.parse::<Token![,]>()?;
        }
    }
    input.parse::<Token![->]>()?;
    let output = input.parse()?;
    let body = parse_block(input)?;
    Ok(Function { attrs, vis, name, generics, inputs, output, body })
}

fn parse_block(input: ParseStream) -> Result<Block> {
    let content;
    braced!(content in input);
    let mut lets = vec![];
    while content.peek(Token![let]) {
        content.parse::<Token![let]>()?;
        let name = content.parse()?;
        content.parse::<Token![=]>()?;
        lets.push((name, content.parse()?));
        content.parse::<Token![;]>()?;
    }
    let result = content.parse()?;
    if !content.is_empty() {
        return Err(content.error("expected `}` after the result of the function"));
    }
    Ok(Block { lets, result })
}

impl Parse for TensorType {
    fn parse(input: ParseStream) -> Result<Self> {
        let mut start = None;
        let integer = input.peek(Ident);
        if integer {
            let elem: Ident = input.parse()?;
            if elem != "u32" {
                return Err(syn::Error::new(
                    elem.span(),
                    format!(
                        "unknown element type `{elem}`: write `[..]` for floats or `u32[..]` for integers"
                    ),
                ));
            }
            start = Some(elem.span());
        }
        let content;
        if !input.peek(token::Bracket) {
            return Err(input
                .error("expected the shape of one sample in brackets, for example `[1, 28, 28]`"));
        }
        let bracket = bracketed!(content in input);
        let leading = content.peek(Token![..]);
        if leading {
            content.parse::<Token![..]>()?;
            content.parse::<Ident>()?;
            if !content.is_empty() {
                content.parse::<Token![,]>()?;
            }
        }
        let mut dims = vec![];
        while !content.is_empty() {
            dims.push(content.parse()?);
            if !content.is_empty() {
                content.parse::<Token![,]>()?;
            }
        }
        let range = Range::new(start.unwrap_or(bracket.span.open()), bracket.span.close());
        Ok(TensorType { integer, leading, dims, range })
    }
}

impl Parse for Expr {
    fn parse(input: ParseStream) -> Result<Self> {
        parse_sum(input)
    }
}

/// `a -> b`, or one expression.
fn parse_arrow(input: ParseStream) -> Result<Expr> {
    let left = parse_sum(input)?;
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
            input.parse::<Token![*]>()?;
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
    let mut value = parse_primary(input)?;
    while input.peek(Token![.]) {
        input.parse::<Token![.]>()?;
        let method: Ident = input.parse()?;
        let (args, end) = parse_arguments(input)?;
        let range = value.range.to(Range::new(method.span(), end));
        value = Expr { kind: ExprKind::Method(Box::new(value), method, args), range };
    }
    Ok(value)
}

fn parse_primary(input: ParseStream) -> Result<Expr> {
    if input.peek(Lit) {
        return parse_literal(input);
    }
    if input.peek(token::Brace) {
        let content;
        let brace = braced!(content in input);
        let tokens: TokenStream = content.parse()?;
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
    if !(input.peek(Ident)
        || input.peek(Token![crate])
        || input.peek(Token![self])
        || input.peek(Token![super])
        || input.peek(Token![::]))
    {
        return Err(input.error("expected a number, a name, or a const expression in braces"));
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
        Lit::Float(x) => ExprKind::Float(x.base10_parse()?),
        Lit::Bool(b) => ExprKind::Bool(b.value),
        _ => return Err(range.error("expected a number, a name, or a const expression in braces")),
    };
    Ok(Expr { kind, range })
}
