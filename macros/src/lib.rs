//! `network!`: a compiler from declarations of networks to statically shaped Rust.
//!
//! text -> AST -> graph with shapes -> differentiated -> simplified -> planned -> Rust tokens. Each stage
//! is a file; this one calls them in order.

mod arguments;
mod ast;
mod autodiff;
mod compile;
mod compositions;
mod emit;
mod errors;
mod fallback;
mod fuse;
#[cfg(test)]
mod fuzz;
mod graph;
mod groups;
mod initialisers;
#[cfg(test)]
mod interpret;
mod kernels;
mod layers;
mod link;
mod listing;
mod loops;
mod lower;
mod memory;
mod moves;
mod ops;
mod parse;
mod plan;
mod print;
mod recompute;
mod row_groups;
mod rows;
mod shape;
mod simplify;
mod sizes;

use ast::{Declaration, Function, Item, Network};
use errors::{Errors, Range};
use link::{Found, Linking};
use lower::Declarations;
use proc_macro2::TokenStream;
use std::rc::Rc;

/// Declares networks. The package `netform` documents it.
#[proc_macro]
pub fn network(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let tokens = TokenStream::from(input);
    match parse::declaration(tokens.clone()) {
        Ok(declaration) => linked(&Linking::new(tokens, &declaration), &declaration),
        Err(error) => error.to_compile_error(),
    }
    .into()
}

/// Where the macros of items that others use lead to. Not for anyone else.
#[doc(hidden)]
#[proc_macro]
pub fn __linked(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let linking: syn::Result<Linking> = syn::parse(input);
    let parsed = linking.and_then(|linking| {
        let declaration = parse::declaration(linking.declaration().clone())?;
        Ok((linking, declaration))
    });
    match parsed {
        Ok((linking, declaration)) => linked(&linking, &declaration),
        Err(error) => error.to_compile_error(),
    }
    .into()
}

/// The code of a declaration, or the call of the next macro that it needs.
fn linked(linking: &Linking, declaration: &Declaration) -> TokenStream {
    if let Some(next) = linking.next() {
        return next;
    }
    compile(declaration, linking.found())
        .unwrap_or_else(|error| fallback::declaration(declaration, &error))
}

/// All items; the errors of all of them at once.
fn compile(declaration: &Declaration, found: &[Found]) -> syn::Result<TokenStream> {
    let uses = Rc::new(link::declarations(declaration, found)?);
    let mut errors = Errors::default();
    let mut printed = TokenStream::new();
    for (index, item) in declaration.items.iter().enumerate() {
        let (tokens, name, vis) = match item {
            Item::Network(network) => {
                (compile_network(network, &uses), &network.name, &network.vis)
            }
            Item::Function(function) => {
                (compile_function(function, &uses), &function.name, &function.vis)
            }
        };
        match tokens {
            Ok(tokens) => printed.extend(tokens),
            Err(error) => errors.push(error),
        }
        printed.extend(link::travelling(name, vis, index, declaration, found));
    }
    errors.propagate()?;
    Ok(printed)
}

fn compile_network(network: &Network, uses: &Rc<Declarations>) -> syn::Result<TokenStream> {
    let mut chain = lower::network(network, uses, true);
    std::mem::take(&mut chain.errors).propagate()?;
    let internal = |message| {
        Range::of(&network.name).error(format!("netform cannot compile this network: {message}"))
    };
    let compiled = compile::network(network, chain, uses).map_err(internal)?;
    print::network(network, &compiled).map_err(internal)
}

fn compile_function(function: &Function, uses: &Rc<Declarations>) -> syn::Result<TokenStream> {
    let compiled = compile::function(function, uses)?;
    print::function(function, &compiled).map_err(|message| Range::of(&function.name).error(message))
}
