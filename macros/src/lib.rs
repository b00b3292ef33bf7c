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
mod function;
mod fuse;
#[cfg(test)]
mod fuzz;
mod graph;
mod groups;
mod initialisers;
mod kernels;
mod layers;
mod listing;
mod lower;
mod memory;
mod moves;
mod ops;
mod parse;
mod plan;
mod print;
mod shape;
mod simplify;
mod sizes;

use ast::{Declaration, Function, Item, Network};
use errors::{Errors, Range};
use function::Functions;
use proc_macro2::TokenStream;

/// Declares networks. The package `netform` documents it.
#[proc_macro]
pub fn network(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let tokens = TokenStream::from(input);
    match parse::declaration(tokens) {
        Ok(declaration) => compile(&declaration)
            .unwrap_or_else(|error| fallback::declaration(&declaration, &error)),
        Err(error) => error.to_compile_error(),
    }
    .into()
}

/// All items; the errors of all of them at once.
fn compile(declaration: &Declaration) -> syn::Result<TokenStream> {
    let functions: Functions = declaration
        .items
        .iter()
        .filter_map(|item| match item {
            Item::Function(function) => Some((function.name.to_string(), function)),
            Item::Network(_) => None,
        })
        .collect();
    let mut errors = Errors::default();
    let mut printed = TokenStream::new();
    for item in &declaration.items {
        let tokens = match item {
            Item::Network(network) => compile_network(network),
            Item::Function(function) => compile_function(function, &functions),
        };
        match tokens {
            Ok(tokens) => printed.extend(tokens),
            Err(error) => errors.push(error),
        }
    }
    errors.propagate()?;
    Ok(printed)
}

fn compile_network(network: &Network) -> syn::Result<TokenStream> {
    let mut chain = lower::chain(network, true);
    std::mem::take(&mut chain.errors).propagate()?;
    let internal = |message| {
        Range::of(&network.name).error(format!("netform cannot compile this network: {message}"))
    };
    let compiled = compile::network(network, chain).map_err(internal)?;
    print::network(network, &compiled).map_err(internal)
}

fn compile_function(function: &Function, functions: &Functions) -> syn::Result<TokenStream> {
    let compiled = compile::function(function, functions)?;
    print::function(function, &compiled).map_err(|message| Range::of(&function.name).error(message))
}
