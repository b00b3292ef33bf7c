//! Tokens to AST. Its own precedence parser, because syn's stops at `@` and at `400 -> 128`.

mod block;
mod capitals;
mod expr;
mod layers;
mod parameters;
mod recovery;

use std::collections::BTreeSet;

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::{
    Attribute, Ident, LitInt, Result, Token, Visibility, braced, bracketed, parenthesized, token,
};

use crate::ast::*;
use crate::errors::{Errors, Range};
use crate::signatures;
use block::parse_block;
use layers::{comma, parse_chain};
use parameters::{parse_generics, parse_settings};
use recovery::{attempt, skip_item, skip_to_body};

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
        let (mut items, mut tokens, mut errors) = (vec![], vec![], Errors::default());
        let mut broken = BTreeSet::new();
        while !input.is_empty() {
            let (begin, before) = (input.fork(), errors.len());
            let item = match attempt(input, |input| parse_item(input, &mut errors)) {
                Ok(item) => item,
                Err(error) => {
                    errors.push(error);
                    skip_item(input);
                    continue;
                }
            };
            let own = between(&begin, input);
            signatures::check(&item, &own, &mut errors);
            if errors.len() > before {
                broken.insert(items.len());
            }
            items.push(item);
            tokens.push(own);
        }
        let unprinted = signatures::distinct(&items, &mut errors);
        broken.extend(&unprinted);
        if items.is_empty() {
            errors.propagate()?;
            return Err(input.error(
                "`network!` is empty; declare a network, for example `pub Mlp: [784] -> [10] { Linear(10) }`",
            ));
        }
        Ok(Declaration { items, tokens, errors, broken, unprinted })
    }
}

/// The tokens from one position to another.
fn between(begin: ParseStream, end: ParseStream) -> TokenStream {
    let (mut at, end) = (begin.cursor(), end.cursor());
    let mut tokens = vec![];
    while at != end {
        let Some((token, next)) = at.token_tree() else { break };
        tokens.push(token);
        at = next;
    }
    tokens.into_iter().collect()
}

fn parse_item(input: ParseStream, errors: &mut Errors) -> Result<Item> {
    let attrs = input.call(Attribute::parse_outer)?;
    let vis: Visibility = input.parse()?;
    if input.peek(Token![fn]) {
        return Ok(Item::Function(parse_function(input, attrs, vis, errors)?));
    }
    Ok(Item::Network(parse_network(input, attrs, vis, errors)?))
}

/// What is in braces; where it cannot be read, its error is one of the declaration, whose types are known.
fn parse_body<T>(
    input: ParseStream,
    errors: &mut Errors,
    parse: fn(ParseStream, &mut Errors) -> Result<T>,
) -> Result<Option<T>> {
    if !input.peek(token::Brace) {
        return Err(input.error("expected the body of the item in braces"));
    }
    let body: Group = input.parse()?;
    let parse = |input: ParseStream| parse(input, errors);
    match parse.parse2(TokenTree::from(body).into()) {
        Ok(body) => Ok(Some(body)),
        Err(error) => {
            errors.push(error);
            Ok(None)
        }
    }
}

fn parse_chain_in_braces(input: ParseStream, errors: &mut Errors) -> Result<Vec<Layer>> {
    let content;
    braced!(content in input);
    Ok(parse_chain(&content, errors))
}

fn parse_network(
    input: ParseStream,
    attrs: Vec<Attribute>,
    vis: Visibility,
    errors: &mut Errors,
) -> Result<Network> {
    let name = network_name(input)?;
    let mut header = Header::default();
    let mut unsaid = None;
    if let Err(error) = attempt(input, |input| parse_header(input, &name, &mut header, errors)) {
        errors.push(error);
        skip_to_body(input);
        if header.inputs.is_empty() {
            header.inputs.push((Ident::new("input", name.span()), unread_shape(&name)));
        }
        // What the body says depends on what could not be read.
        unsaid = Some(Errors::default());
    }
    let errors = unsaid.as_mut().unwrap_or(errors);
    let Header { generics, settings, named, inputs, outputs } = header;
    let numbers = settings.iter().map(|setting| &setting.name);
    let names = inputs.iter().map(|(name, _)| name).chain(numbers).chain(&generics);
    let body = match named {
        _ if !input.peek(token::Brace) => None,
        true => parse_body(input, errors, parse_block)?.map(|mut block| {
            capitals::resolve(&mut block, names.map(ToString::to_string));
            Body::Block(block)
        }),
        false => parse_body(input, errors, parse_chain_in_braces)?.map(Body::Chain),
    };
    let body = body.unwrap_or_else(|| Body::Chain(vec![]));
    Ok(Network { attrs, vis, name, generics, settings, inputs, outputs, body })
}

/// The name of a network, without a word such as `struct` before it.
fn network_name(input: ParseStream) -> Result<Ident> {
    let ahead = input.fork();
    if let (Ok(word), Ok(name)) = (ahead.call(Ident::parse_any), ahead.parse::<Ident>()) {
        let message = format!(
            "a network is declared by its name, without `{word}`: `{name}: [784] -> [10] {{ .. }}`"
        );
        return Err(input.error(message));
    }
    input.parse().map_err(|e| {
        let message = "expected the name of a network, for example `Digits: [1, 28, 28] { .. }`";
        syn::Error::new(e.span(), message)
    })
}

/// What stands between the name of a network and its body.
#[derive(Default)]
struct Header {
    generics: Vec<Ident>,
    settings: Vec<Setting>,
    /// Whether its inputs have names, and so its body is a block.
    named: bool,
    inputs: Vec<(Ident, TensorType)>,
    outputs: Option<Outputs>,
}

/// The shape of an input that cannot be read.
fn unread_shape(name: &Ident) -> TensorType {
    let range = Range::of(name);
    TensorType { integer: false, leading: false, shared: None, dims: vec![], range }
}

/// Up to the body; what could be read is in `header` after an error too.
fn parse_header(
    input: ParseStream,
    name: &Ident,
    header: &mut Header,
    errors: &mut Errors,
) -> Result<()> {
    header.generics = parse_generics(input, errors)?;
    if input.peek(token::Paren) {
        header.settings = parse_settings(input, errors)?;
    }
    input.parse::<Token![:]>().map_err(|e| {
        syn::Error::new(
            e.span(),
            format!(
                "expected `:` and the shape of one input sample, for example `{name}: [1, 28, 28]`"
            ),
        )
    })?;
    header.named = input.peek(token::Paren);
    header.inputs = match header.named {
        true => parse_inputs(input, None)?,
        false => {
            let shape: TensorType = input.parse()?;
            vec![(Ident::new("input", shape.range.start()), shape)]
        }
    };
    if input.peek(Token![->]) {
        header.outputs = Some(parse_outputs(input)?);
    }
    if input.peek(token::Paren) && header.settings.is_empty() {
        let message = format!("run-time settings stand behind the name: `{name}(rate: f32): ..`");
        errors.push(input.error(message));
        header.settings = parse_settings(input, errors)?;
    }
    match input.peek(token::Brace) {
        true => Ok(()),
        false => Err(input.error(instead_of_body(input))),
    }
}

/// What is wrong where a body should begin.
fn instead_of_body(input: ParseStream) -> &'static str {
    if input.peek(Token![=>]) {
        "the shape of the output follows `->`, for example `-> [10]`"
    } else if input.peek(Token![->]) {
        "expected the body of the item in braces; a network declares its input and its output, not what is between"
    } else if input.peek(Token![,]) {
        "the shape of the output follows `->`, for example `[784] -> [10]`, and several inputs have names: `(x: [784], y: [10])`"
    } else if input.peek(Token![-]) || input.peek(Ident) {
        "expected `->` and the shape of the output, for example `-> [10]`, or the body of the item in braces"
    } else {
        "expected the body of the item in braces"
    }
}

fn parse_function(
    input: ParseStream,
    attrs: Vec<Attribute>,
    vis: Visibility,
    errors: &mut Errors,
) -> Result<Function> {
    input.parse::<Token![fn]>()?;
    let name = input.parse()?;
    let generics = parse_generics(input, errors)?;
    let mut settings = vec![];
    let inputs = parse_inputs(input, Some(&mut settings))?;
    let outputs = parse_outputs(input)?;
    let at = Range::of(&name);
    let mut body = parse_body(input, errors, parse_block)?.unwrap_or_else(|| Block {
        statements: vec![],
        result: Expr { kind: ExprKind::Tuple(vec![]), range: at },
    });
    let numbers = settings.iter().map(|setting| &setting.name);
    let names = inputs.iter().map(|(name, _)| name).chain(numbers).chain(&generics);
    capitals::resolve(&mut body, names.map(ToString::to_string));
    Ok(Function { attrs, vis, name, generics, inputs, settings, outputs, body })
}

/// `(x: [T, D], labels: u32[])`; of a function also `delta: f32`, after them, and `weights: [f32; C]`.
fn parse_inputs(
    input: ParseStream,
    mut settings: Option<&mut Vec<Setting>>,
) -> Result<Vec<(Ident, TensorType)>> {
    let content;
    if !input.peek(token::Paren) {
        return Err(input.error(
            "expected the inputs in parentheses, for example `(x: [4])`; a network is declared without `fn`: `Net: [4] -> [3] { .. }`",
        ));
    }
    parenthesized!(content in input);
    let mut inputs: Vec<(Ident, TensorType)> = vec![];
    while !content.is_empty() {
        let name: Ident = content.parse().map_err(|e| {
            syn::Error::new(e.span(), "expected the name of an input, for example `x: [784]`; the shape of a chain's input is in brackets alone: `[784]`")
        })?;
        content.parse::<Token![:]>().map_err(|e| {
            let message =
                format!("expected `:` and the shape of the input, for example `{name}: [784]`");
            syn::Error::new(e.span(), message)
        })?;
        let numbers = settings.iter().flat_map(|all| all.iter().map(|setting| &setting.name));
        if inputs.iter().map(|(other, _)| other).chain(numbers).any(|other| *other == name) {
            return Err(syn::Error::new(
                name.span(),
                format!("two inputs are called `{name}`; call one otherwise"),
            ));
        }
        match settings.as_deref_mut() {
            Some(settings) if is_number(&content) => {
                settings.push(Setting { name, element: content.parse()? });
            }
            Some(settings) if !settings.is_empty() => {
                let message = format!("`{name}` follows a number: tensors come before the numbers");
                return Err(syn::Error::new(name.span(), message));
            }
            Some(_) if is_array(&content) => inputs.push((name, parse_array(&content)?)),
            _ => inputs.push((name, content.parse()?)),
        }
        if !content.is_empty() {
            content.parse::<Token![,]>()?;
        }
    }
    Ok(inputs)
}

/// `f32`
fn is_number(input: ParseStream) -> bool {
    input.fork().parse::<Ident>().is_ok_and(|kind| kind == "f32" || kind == "f64")
}

/// Whether what follows is `[f32; ..`.
fn is_array(input: ParseStream) -> bool {
    let array = |input: ParseStream| {
        let content;
        bracketed!(content in input);
        let number = is_number(&content);
        content.parse::<Ident>()?;
        Ok(number && content.peek(Token![;]))
    };
    array(&input.fork()).unwrap_or(false)
}

/// `[f32; C]`
fn parse_array(input: ParseStream) -> Result<TensorType> {
    let content;
    let bracket = bracketed!(content in input);
    let element = content.parse()?;
    content.parse::<Token![;]>()?;
    let dims = vec![content.parse()?];
    if !content.is_empty() {
        return Err(content.error("expected one size, as in `[f32; 10]`"));
    }
    let range = Range::new(bracket.span.open(), bracket.span.close());
    Ok(TensorType { integer: false, leading: false, shared: Some(element), dims, range })
}

/// `-> [10]` or `-> ([10], [])`
fn parse_outputs(input: ParseStream) -> Result<Outputs> {
    input.parse::<Token![->]>()?;
    if !input.peek(token::Paren) {
        return Ok(Outputs { types: vec![input.parse()?], tuple: false });
    }
    let content;
    let paren = parenthesized!(content in input);
    if content.is_empty() {
        let message = "expected the shapes of the outputs, for example `-> ([10], [])`";
        return Err(syn::Error::new(paren.span.join(), message));
    }
    let mut types = vec![];
    while !content.is_empty() {
        if content.peek(Ident) && content.peek2(Token![:]) {
            return Err(content.error(
                "outputs have no names: write the shape alone, for example `-> ([10], [])`",
            ));
        }
        types.push(content.parse()?);
        if !content.is_empty() {
            content.parse::<Token![,]>()?;
        }
    }
    Ok(Outputs { types, tuple: true })
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
            let hint = match input.fork().parse::<LitInt>() {
                Ok(size) => format!("; write `[{size}]`"),
                Err(_) => ", for example `[1, 28, 28]`".to_owned(),
            };
            return Err(input.error(format!("expected the shape of one sample in brackets{hint}")));
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
            if content.peek(Token![;]) {
                return Err(content.error("expected `,` between sizes; a shape is its sizes alone, for example `[28, 28]`, or `u32[16]` for integers"));
            }
            if !content.is_empty() {
                comma(&content, "sizes")?;
            }
        }
        let range = Range::new(start.unwrap_or(bracket.span.open()), bracket.span.close());
        Ok(TensorType { integer, leading, shared: None, dims, range })
    }
}
