//! Layers as tokens: chains, branches and repeats.

use proc_macro2::{Delimiter, Span, TokenTree};
use syn::parse::ParseStream;
use syn::{Ident, Path, Result, Token, braced, bracketed, parenthesized, token};

use super::expr::{parse_argument, parse_size};
use super::recovery::{attempt, is_named, skip_layer, unread};
use crate::ast::*;
use crate::errors::{Errors, Range};
use crate::lower::layer_names;
use crate::synonyms::is_module;

/// Layers between commas: those that can be read, and the names of the others.
pub fn parse_chain(content: ParseStream, errors: &mut Errors) -> Vec<Layer> {
    let (mut layers, mut separated) = (vec![], true);
    while !content.is_empty() {
        match attempt(content, |content| parse_layer(content, errors)) {
            Ok(layer) => layers.push(layer),
            Err(error) => {
                errors.push(error);
                layers.extend(unread(content));
                skip_layer(content);
                continue;
            }
        }
        if content.is_empty() {
            break;
        }
        if let Err(error) = content.parse::<Token![,]>() {
            // Once: whoever writes `;` writes it everywhere.
            if std::mem::take(&mut separated) {
                let hint = meant(content, layers.last());
                let message =
                    format!("expected `,` between layers, found {}{hint}", found(content));
                errors.push(syn::Error::new(error.span(), message));
            }
            if !is_named(content) {
                skip_layer(content);
            }
        }
    }
    layers
}

/// The next token in backticks: of a group its bracket.
fn found(content: ParseStream) -> String {
    match content.cursor().token_tree() {
        Some((TokenTree::Group(group), _)) => match group.delimiter() {
            Delimiter::Parenthesis => "`(`".to_owned(),
            Delimiter::Brace => "`{`".to_owned(),
            _ => "`[`".to_owned(),
        },
        Some((token, _)) => format!("`{token}`"),
        None => "the end".to_owned(),
    }
}

/// What is meant where a layer ends otherwise than with a comma: a module in front of it, or a name of Python.
fn meant(content: ParseStream, last: Option<&Layer>) -> String {
    let word = last.map(|layer| layer.kind.to_string()).unwrap_or_default();
    let written = last.map(Layer::constructor).unwrap_or_default();
    let field = content.peek(Token![.]).then(|| content.fork());
    let field = field
        .and_then(|ahead| ahead.parse::<Token![.]>().and_then(|_| ahead.parse::<Ident>()).ok());
    let small = word.starts_with(char::is_lowercase) && last.is_some_and(Layer::is_plain);
    match field {
        Some(name) if word == "self" => {
            format!("; a layer's name stands before a colon: `{name}: Linear(120)`")
        }
        Some(layer) if is_module(&word) => format!("; layers stand without `{word}.`: `{layer}`"),
        Some(name) => {
            let capital: String = capitalised(&name.to_string());
            format!("; layers stand one after another: `{written}, {capital}`")
        }
        None if content.peek(Token![*]) => format!("; layers are repeated as `[{written}; 4]`"),
        None if content.peek(Token![=]) => {
            format!("; a layer's name stands before a colon: `{word}: Linear(120)`")
        }
        // `fc1 Linear(16)`
        None if small && content.peek(Ident) => {
            format!("; a layer's name stands before a colon: `{word}: {}`", following(content))
        }
        None if content.peek(token::Bracket) => {
            format!("; arguments stand in parentheses: `{written}(120)`")
        }
        None if content.peek(Token![;]) => format!("; write `{written},`"),
        None if content.peek(Ident) => format!("; write `{written}, {}`", following(content)),
        None if content.peek(Token![+]) || content.peek(Token![|]) || content.peek(Token![>>]) => {
            format!("; layers stand one after another: `{written}, Relu`")
        }
        _ => String::new(),
    }
}

/// The layer that comes next, or its first word.
fn following(content: ParseStream) -> String {
    let ahead = content.fork();
    match parse_layer(&ahead, &mut Errors::default()) {
        Ok(layer) => layer.to_string(),
        Err(_) => found(content).trim_matches('`').to_owned(),
    }
}

/// `max_pool` as a layer is called: `MaxPool`.
fn capitalised(name: &str) -> String {
    let words = name.split('_').map(|word| {
        let (first, rest) = word.split_at(word.chars().next().map_or(0, char::len_utf8));
        first.to_uppercase() + rest
    });
    words.collect()
}

/// `conv1: Conv2d(6, kernel = 5)`
fn parse_layer(input: ParseStream, errors: &mut Errors) -> Result<Layer> {
    if input.peek(Token![#]) {
        return Err(input.error(
            "attributes and doc comments stand before a network; comments inside are `// ..`",
        ));
    }
    if input.peek(Token![let]) {
        return Err(input.error(
            "a chain is layers between commas, without `let`: `fc1: Linear(120), Relu`; statements belong to a network whose inputs have names: `Net: (x: [784]) { .. }`",
        ));
    }
    if !is_named(input) {
        let expected = "expected a layer, for example `fc1: Linear(120)` or `Relu`";
        return parse_constructor(input, expected, errors);
    }
    let name: Ident = input.parse()?;
    input.parse::<Token![:]>()?;
    let expected =
        format!("expected the layer that `{name}` names, for example `{name}: Linear(120)`");
    if is_named(input) {
        return Err(input.error(expected));
    }
    let mut layer = parse_constructor(input, &expected, errors)?;
    layer.range = Range::of(&name).to(layer.range);
    layer.name = Some(name);
    Ok(layer)
}

/// `Conv2d(6, kernel = 5)`, `[Block<T, D>; 12]`, `Residual { .. }`, `{ .. }`. Layers inside that cannot be read leave
/// the layer as it is.
pub fn parse_constructor(input: ParseStream, expected: &str, errors: &mut Errors) -> Result<Layer> {
    if input.peek(token::Bracket) {
        return parse_repeat(input, errors);
    }
    if input.peek(token::Brace) {
        let kind = Ident::new("Sequential", input.span());
        let (children, range) = parse_children(input, errors)?;
        return Ok(Layer {
            children: Some(children),
            ..Layer::plain(Path::from(kind.clone()), kind, range)
        });
    }
    let unexpected = |e: syn::Error| syn::Error::new(e.span(), expected);
    if !(input.peek(Ident)
        || input.peek(Token![crate])
        || input.peek(Token![self])
        || input.peek(Token![super])
        || input.peek(Token![::]))
    {
        return Err(input.error(expected));
    }
    let path = input.call(Path::parse_mod_style).map_err(unexpected)?;
    let Some(kind) = path.segments.last().map(|segment| segment.ident.clone()) else {
        return Err(input.error(expected));
    };
    if kind == "Sequential" {
        let message = "layers stand one after another, between commas: `Linear(120), Relu`; several as one are a network of their own";
        return Err(syn::Error::new(kind.span(), message));
    }
    if let Some(error) = foreign_path(&path, input) {
        return Err(error);
    }
    let mut layer = Layer::plain(path.clone(), kind, Range::of(&path));
    if input.peek(Token![<]) {
        let (generics, end) = parse_generic_arguments(input)?;
        layer.generics = generics;
        layer.range = layer.range.to(Range::new(end, end));
    }
    if input.peek(token::Paren) {
        let (args, end) = parse_arguments(input)?;
        layer.args = args;
        layer.range = layer.range.to(Range::new(end, end));
    }
    if input.peek(token::Brace) {
        let (children, range) = parse_children(input, errors)?;
        layer.children = Some(children);
        layer.range = layer.range.to(range);
    }
    if input.peek(Token![->]) {
        input.parse::<Token![->]>()?;
        let capital = |name: Ident| name.to_string().starts_with(char::is_uppercase);
        if input.fork().parse().is_ok_and(capital) {
            let written = layer.constructor();
            let next = following(input);
            let message = format!(
                "layers stand one after another, between commas: `{written}, {next}`; behind `->` is a shape"
            );
            return Err(input.error(message));
        }
        let expected: TensorType = input.parse()?;
        layer.range = layer.range.to(expected.range);
        layer.expected = Some(expected);
    }
    Ok(layer)
}

/// `fc1::Linear`, `nn::Linear` and `Linear::new`: paths that are no network's.
fn foreign_path(path: &Path, input: ParseStream) -> Option<syn::Error> {
    let segments: Vec<String> = path.segments.iter().map(|it| it.ident.to_string()).collect();
    let [.., first, last] = &segments[..] else { return None };
    let is_layer = |name: &str| layer_names().any(|layer| layer == name);
    let written = |name: &str| {
        let arguments = input.peek(token::Paren).then(|| parse_arguments(&input.fork()).ok());
        let (arguments, _) = arguments.flatten().unwrap_or_else(|| (vec![], Span::call_site()));
        let kind = Ident::new(name, Span::call_site());
        let plain = Layer::plain(Path::from(kind.clone()), kind, Range::of(path));
        Layer { args: arguments, ..plain }.constructor()
    };
    let message = if is_layer(first) {
        format!("layers stand without `::{last}`: `{}`", written(first))
    } else if !is_layer(last) {
        return None;
    } else if is_module(first) {
        format!("layers stand without `{first}::`: `{}`", written(last))
    } else {
        format!("a layer's name stands before one colon: `{first}: {}`", written(last))
    };
    Some(Range::of(path).error(message))
}

/// `[Block<T, D>; 12]`
fn parse_repeat(input: ParseStream, errors: &mut Errors) -> Result<Layer> {
    let content;
    let bracket = bracketed!(content in input);
    let expected = "expected a layer to repeat, for example `[Linear(64); 3]`";
    let mut layer = parse_constructor(&content, expected, errors)?;
    content.parse::<Token![;]>().map_err(|e| {
        syn::Error::new(e.span(), "expected `;` and how often the layer is repeated")
    })?;
    layer.repeat = Some(parse_size(&content)?);
    if !content.is_empty() {
        return Err(content.error("expected `]` after how often the layer is repeated"));
    }
    layer.range = Range::new(bracket.span.open(), bracket.span.close());
    Ok(layer)
}

fn parse_children(input: ParseStream, errors: &mut Errors) -> Result<(Vec<Layer>, Range)> {
    let content;
    let brace = braced!(content in input);
    let range = Range::new(brace.span.open(), brace.span.close());
    Ok((parse_chain(&content, errors), range))
}

/// `<T, D / 2>`, and the span of its end.
pub fn parse_generic_arguments(input: ParseStream) -> Result<(Vec<Expr>, Span)> {
    let mut sizes = vec![];
    input.parse::<Token![<]>()?;
    while !input.peek(Token![>]) {
        sizes.push(parse_size(input)?);
        if !input.peek(Token![>]) {
            input.parse::<Token![,]>()?;
        }
    }
    let end = input.parse::<Token![>]>()?;
    Ok((sizes, end.span))
}

/// The comma behind one of several things.
pub fn comma(content: ParseStream, what: &str) -> Result<()> {
    content.parse::<Token![,]>().map(drop).map_err(|e| {
        let hint = if content.peek(Token![..]) {
            "; a size is one number"
        } else if content.peek(Token![=>]) {
            "; the arrow is `->`: `Linear(784 -> 128)`"
        } else if content.peek(Token![->]) {
            "; the shape of the output has brackets of its own: `[784] -> [10]`"
        } else {
            ""
        };
        syn::Error::new(e.span(), format!("expected `,` between {what}{hint}"))
    })
}

/// `(6, kernel = 5)`, and the span of the closing parenthesis.
pub fn parse_arguments(input: ParseStream) -> Result<(Vec<Argument>, Span)> {
    let content;
    let paren = parenthesized!(content in input);
    let mut args = vec![];
    while !content.is_empty() {
        args.push(parse_argument(&content)?);
        if !content.is_empty() {
            comma(&content, "arguments")?;
        }
    }
    Ok((args, paren.span.close()))
}
