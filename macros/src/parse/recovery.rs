//! What is left of a declaration while a line of it is being typed: the broken part is one error, and the rest
//! keeps its types and accessors.

use proc_macro2::TokenTree;
use syn::parse::ParseStream;
use syn::parse::discouraged::Speculative;
use syn::{Ident, Result, Token, token};

use crate::ast::Layer;
use crate::errors::Range;

/// Reads one thing, or leaves the input where it was.
pub fn attempt<T>(input: ParseStream, parse: impl FnOnce(ParseStream) -> Result<T>) -> Result<T> {
    // A fork of its own: syn reports what a failed group leaves unread once more, at the end of the input.
    let ahead = input.fork();
    let value = parse(&ahead)?;
    input.advance_to(&ahead);
    Ok(value)
}

/// One token that nobody reads.
fn skip(input: ParseStream) {
    let _: Result<TokenTree> = input.parse();
}

/// To the next layer: behind a comma, or at a name with its colon.
pub fn skip_layer(content: ParseStream) {
    skip(content);
    while !content.is_empty() && !is_named(content) {
        let comma = content.peek(Token![,]);
        skip(content);
        if comma && begins_layer(content) {
            return;
        }
    }
}

/// To the next statement: behind a semicolon, or at a `let` or `for`.
pub fn skip_statement(content: ParseStream) {
    skip(content);
    while !content.is_empty() && !content.peek(Token![let]) && !content.peek(Token![for]) {
        let end = content.peek(Token![;]);
        skip(content);
        if end {
            return;
        }
    }
}

/// To a body in braces, or the next item where there is none.
pub fn skip_to_body(input: ParseStream) {
    let next = |input: ParseStream| {
        input.peek(Token![pub]) || input.peek(Token![fn]) || input.peek(Token![#])
    };
    // Behind a shape a name with its colon is the next network's.
    let named = |input: ParseStream| {
        input.peek(Ident) && (input.peek2(Token![:]) || input.peek2(Token![<]))
    };
    let mut shape = false;
    while !input.is_empty() && !input.peek(token::Brace) && !next(input) {
        if shape && named(input) {
            return;
        }
        shape = input.peek(token::Bracket);
        skip(input);
    }
}

/// Behind the body of an item that cannot be read.
pub fn skip_item(input: ParseStream) {
    while !input.is_empty() {
        let body = input.peek(token::Brace);
        skip(input);
        if body {
            return;
        }
    }
}

/// Whether a layer with a name begins: `fc1: ..`
pub fn is_named(input: ParseStream) -> bool {
    input.peek(Ident) && input.peek2(Token![:]) && !input.peek2(Token![::])
}

/// Whether this can be the beginning of a layer, and not the rest of an argument.
fn begins_layer(input: ParseStream) -> bool {
    let capital = |name: Ident| name.to_string().starts_with(char::is_uppercase);
    is_named(input) || input.fork().parse().is_ok_and(capital) || input.peek(token::Brace)
}

/// The layer at which reading fails, where it has a name: an accessor to nothing.
pub fn unread(content: ParseStream) -> Option<Layer> {
    if !is_named(content) {
        return None;
    }
    let name: Ident = content.fork().parse().ok()?;
    let (kind, range) = (Ident::new("Sequential", name.span()), Range::of(&name));
    let layer = Layer::plain(kind.clone().into(), kind, range);
    Some(Layer { name: Some(name), children: Some(vec![]), ..layer })
}
