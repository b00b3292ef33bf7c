//! `network!`: a compiler from declarations of networks to statically shaped Rust.
//!
//! text -> AST -> graph with shapes -> differentiated -> simplified -> planned -> Rust tokens. Each stage
//! is a file; this one calls them in order.

mod arguments;
mod ast;
mod autodiff;
mod compile;
mod compositions;
mod dependencies;
mod editor;
mod emit;
mod ending;
mod epilogues;
mod errors;
mod fallback;
mod foreign;
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
#[cfg(test)]
mod pages;
mod parse;
mod plan;
mod print;
mod recompute;
mod row_groups;
mod rows;
mod shape;
mod signatures;
mod simplify;
mod sizes;
mod synonyms;
#[cfg(test)]
mod typing;

use ast::{Declaration, Function, Item, Network};
use dependencies::Dependencies;
use errors::{Errors, Range};
use link::{Found, Linking};
use lower::Declarations;
use proc_macro2::TokenStream;
use quote::quote;
use std::rc::Rc;

/// Declares networks. The package `netform` documents it.
#[proc_macro]
pub fn network(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    expanded(input.into()).into()
}

fn expanded(tokens: TokenStream) -> TokenStream {
    match parse::declaration(tokens.clone()) {
        Ok(declaration) => {
            let names = editor::names(&declaration);
            let linking = Linking::new(tokens, &declaration);
            let stubs = linking.next().map(|_| fallback::beneath(&declaration));
            let printed = linked(&linking, declaration);
            quote!(#names #stubs #printed)
        }
        Err(error) => error.to_compile_error(),
    }
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
        Ok((linking, declaration)) => linked(&linking, declaration),
        Err(error) => error.to_compile_error(),
    }
    .into()
}

/// The code of a declaration, or the call of the next macro that it needs.
fn linked(linking: &Linking, mut declaration: Declaration) -> TokenStream {
    if let Some(next) = linking.next() {
        return next;
    }
    let mut errors = std::mem::take(&mut declaration.errors);
    let items = compile(&declaration, linking.found(), &mut errors);
    let errors = errors.propagate().err().map(|error| error.to_compile_error());
    quote!(#errors #items)
}

/// All items: the code of those that are right, and stubs of the others.
fn compile(declaration: &Declaration, found: &[Found], errors: &mut Errors) -> TokenStream {
    let (broken, found): (Vec<Found>, Vec<Found>) =
        found.iter().cloned().partition(Found::is_broken);
    let mut done: Vec<Option<TokenStream>> = vec![None; declaration.items.len()];
    let uses = match link::declarations(declaration, &found) {
        Ok(uses) => Rc::new(uses),
        Err(error) => {
            errors.push(error);
            return fallback::items(declaration, &done, &[]);
        }
    };
    let dependencies = Dependencies::of(declaration);
    for index in dependencies.order(&declaration.items, errors) {
        // What is wrong with an item is not said again by those that use it.
        if declaration.broken.contains(&index)
            || dependencies.used_by(index).any(|used| done[used].is_none())
            || link::names(&declaration.items[index])
                .iter()
                .any(|path| broken.iter().any(|it| it.is(path)))
        {
            continue;
        }
        let tokens = match &declaration.items[index] {
            Item::Network(network) => compile_network(network, &uses),
            Item::Function(function) => compile_function(function, &uses),
        };
        match tokens {
            Ok(tokens) => done[index] = Some(tokens),
            Err(error) => errors.push(error),
        }
    }
    fallback::items(declaration, &done, &found)
}

fn compile_network(network: &Network, uses: &Rc<Declarations>) -> syn::Result<TokenStream> {
    let mut chain = lower::network(network, uses, true);
    std::mem::take(&mut chain.errors).propagate()?;
    print::limits(network, &chain)?;
    let internal = |message| {
        Range::of(&network.name).error(format!("netform cannot compile this network: {message}"))
    };
    let compiled = compile::network(network, chain, uses).map_err(internal)?;
    print::network(network, &compiled).map_err(internal)
}

fn compile_function(function: &Function, uses: &Rc<Declarations>) -> syn::Result<TokenStream> {
    let internal = |message| Range::of(&function.name).error(message);
    if !compile::is_scalar(function) {
        let compiled = compile::tensor_function(function, uses)?;
        return print::tensor_function(function, &compiled).map_err(internal);
    }
    let compiled = compile::function(function, uses)?;
    print::function(function, &compiled).map_err(internal)
}
