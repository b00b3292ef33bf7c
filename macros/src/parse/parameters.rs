//! What stands behind an item's name: its generic sizes and its run-time settings.

use syn::parse::ParseStream;
use syn::{Ident, Result, Token, parenthesized, token};

use crate::ast::{Expr, Setting};
use crate::errors::Errors;

/// `<T, D, H>`, or nothing.
pub fn parse_generics(input: ParseStream, errors: &mut Errors) -> Result<Vec<Ident>> {
    let mut generics: Vec<Ident> = vec![];
    if !input.peek(Token![<]) {
        return Ok(generics);
    }
    input.parse::<Token![<]>()?;
    while !input.peek(Token![>]) {
        let name = parse_generic(input, errors)?;
        if generics.contains(&name) {
            errors.push(syn::Error::new(
                name.span(),
                format!("two sizes are called `{name}`; call one otherwise"),
            ));
        } else {
            generics.push(name);
        }
        if !input.peek(Token![>]) {
            input.parse::<Token![,]>()?;
        }
    }
    input.parse::<Token![>]>()?;
    Ok(generics)
}

/// `T`; also what Rust would have, `const T: usize`.
fn parse_generic(input: ParseStream, errors: &mut Errors) -> Result<Ident> {
    let expected = "expected the name of a size, for example `<T, D>`";
    let foreign = input.peek(Token![const]);
    if foreign {
        errors.push(input.error("sizes are names alone, for example `<T, D>`"));
        input.parse::<Token![const]>()?;
    }
    let name = input.parse().map_err(|e| syn::Error::new(e.span(), expected))?;
    if foreign && input.peek(Token![:]) {
        input.parse::<Token![:]>()?;
        input.parse::<Ident>()?;
    }
    Ok(name)
}

/// `(rate: f32)`
pub fn parse_settings(input: ParseStream, errors: &mut Errors) -> Result<Vec<Setting>> {
    let content;
    parenthesized!(content in input);
    let mut settings: Vec<Setting> = vec![];
    while !content.is_empty() {
        let name: Ident = content.parse().map_err(|e| {
            let message = "expected a run-time setting, for example `rate: f32`; the shape of the input stands in brackets behind a colon: `Net: [784]`";
            syn::Error::new(e.span(), message)
        })?;
        content.parse::<Token![:]>()?;
        let element: Ident = content.parse().map_err(|e| {
            let message = match content.peek(token::Bracket) {
                true => "inputs stand behind a colon, for example `Net: (x: [784])`; in front of it are numbers that are given at run time, `f32` or `f64`",
                false => "a run-time setting is a number: write `f32` or `f64`",
            };
            syn::Error::new(e.span(), message)
        })?;
        if element != "f32" && element != "f64" {
            let message =
                format!("a run-time setting is a number, `f32` or `f64`, found `{element}`");
            return Err(syn::Error::new(element.span(), message));
        }
        if content.peek(Token![=]) {
            let message = "a setting has no value here: it is given where the network is made";
            errors.push(content.error(message));
            content.parse::<Token![=]>()?;
            content.parse::<Expr>()?;
        }
        if settings.iter().any(|setting| setting.name == name) {
            errors.push(syn::Error::new(
                name.span(),
                format!("two settings are called `{name}`; call one otherwise"),
            ));
        } else {
            settings.push(Setting { name, element });
        }
        if !content.is_empty() {
            content.parse::<Token![,]>()?;
        }
    }
    Ok(settings)
}
