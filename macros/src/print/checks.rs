//! Checks of sizes that only the compiler of the user's crate knows, as const evaluation.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::Ident;

use crate::emit::const_shape;
use crate::lower::{Check, Part};
use crate::shape::numel;

/// What const evaluation checks in the user's crate, in order: the first that fails is the one error.
pub fn checks(checks: &[&Check]) -> TokenStream {
    if checks.is_empty() {
        return TokenStream::new();
    }
    let checks = checks.iter().map(|it| check(it));
    quote! {
        const _: () = {
            #(#checks)*
        };
    }
}

/// A check of sizes that are known only at run time, in a function that returns a `Result`.
pub fn at_run_time(check: &Check) -> TokenStream {
    let (condition, message) = (check.condition.tokens(), message(&check.message));
    quote!(if !(#condition) { return Err(__n::wrong_size(#message)); })
}

/// A check whose error points at the layer that is wrong alone.
fn alone(check: &Check) -> TokenStream {
    let (condition, fail) =
        (check.condition.tokens(), check.at.call("__fail", message(&check.message)));
    quote!(if !(#condition) { use __n::fail as __fail; #fail })
}

/// A check: the error points at the layer that is wrong and, as a note, at the one that yields the other
/// shape.
fn check(check: &Check) -> TokenStream {
    let Some((previous, range)) = &check.previous else { return alone(check) };
    let condition = check.condition.tokens();
    let message = message(&check.message);
    let function: String =
        previous.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect();
    let function = match syn::parse_str::<Ident>(&function) {
        Ok(_) => function,
        Err(_) => "previous_layer".to_owned(),
    };
    let fail = range.call("__fail", message);
    let call = check.at.call(&function, TokenStream::new());
    let name = Ident::new(&function, Span::call_site());
    quote! {
        if !(#condition) {
            use __n::fail as __fail;
            const fn #name() -> ! { #fail }
            #call
        }
    }
}

/// An expression for the message, its numbers filled in by const evaluation.
fn message(parts: &[Part]) -> TokenStream {
    let parts = parts.iter().map(|part| match part {
        Part::Text(text) => quote!(.text(#text)),
        Part::Number(dim) => {
            let dim = dim.tokens();
            quote!(.number(#dim))
        }
        Part::Shape(shape) => {
            let shape = const_shape(shape);
            quote!(.shape(#shape))
        }
        Part::Total(shape) => {
            let (shape, total) = (const_shape(shape), numel(shape).tokens());
            match check_is_single(&shape) {
                true => quote!(.number(#total)),
                false => quote!(.shape(#shape).text(" = ").number(#total)),
            }
        }
    });
    quote!(&__n::Message::new() #(#parts)*)
}

/// Whether a printed shape has one axis.
fn check_is_single(shape: &TokenStream) -> bool {
    !shape.to_string().contains(',')
}
