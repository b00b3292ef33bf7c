//! What a function is given at run time beside tensors, numbers (`delta: f32`) and arrays of them
//! (`weights: [f32; C]`): fields of its type, which its passes as a loss read.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Ident;

use crate::ast::{Function, TensorType};
use crate::shape::Dim;

/// The type of a function, with its documentation.
pub fn function_type(ast: &Function) -> TokenStream {
    let (attrs, vis, name) = (&ast.attrs, &ast.vis, &ast.name);
    let (derives, fields) = (derives(ast), fields(ast));
    quote! {
        #(#attrs)*
        #[allow(non_camel_case_types)]
        #derives
        #vis struct #name #fields
    }
}

/// What a function's type consists of: nothing, or what is given at run time.
fn fields(ast: &Function) -> TokenStream {
    if !has_fields(ast) {
        return quote!(;);
    }
    let arrays = shared(ast).map(|(name, _)| {
        let doc = format!("`{name}` of the function, given at run time.");
        quote!(#[doc = #doc] pub #name: ::std::vec::Vec<f64>)
    });
    let numbers = ast.settings.iter().map(|name| {
        let doc = format!("`{name}` of the function, given at run time.");
        quote!(#[doc = #doc] pub #name: f64)
    });
    quote!({ #(#arrays,)* #(#numbers,)* })
}

/// What a function's type can do: no more than its fields.
fn derives(ast: &Function) -> TokenStream {
    match shared(ast).next() {
        Some(_) => quote!(#[derive(::core::clone::Clone, ::core::fmt::Debug)]),
        None => {
            quote!(#[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug)])
        }
    }
}

pub fn has_fields(ast: &Function) -> bool {
    !ast.settings.is_empty() || shared(ast).next().is_some()
}

/// The inputs that are the same for all samples.
fn shared(ast: &Function) -> impl Iterator<Item = &(Ident, TensorType)> {
    ast.inputs.iter().filter(|(_, declared)| declared.shared)
}

/// The parameter of a pass for numbers given at run time, and what brings them into scope.
pub fn numbers(ast: &Function) -> (TokenStream, TokenStream) {
    match ast.settings.len() {
        0 => (TokenStream::new(), TokenStream::new()),
        n => (quote!(settings: [f64; #n],), quote!(let e = __n::Settings { settings };)),
    }
}

/// Where the arrays that are given at run time lie, one after another, and the function that brings them
/// there.
pub fn constants(
    ast: &Function,
    lens: &[Dim],
    sizes: &TokenStream,
) -> (Vec<TokenStream>, TokenStream) {
    let mut offset = Dim::literal(0);
    let (mut spans, mut parts) = (vec![], vec![]);
    for ((name, _), len) in shared(ast).zip(lens) {
        let (at, count) = (offset.tokens(), len.tokens());
        spans.push(quote!(__n::span(__n::CONSTANTS, #at, #count)));
        let text = format!("`{name}` of loss `{}`", ast.name);
        parts.push(quote!(__n::numbers(&mut all, #text, &self.#name, #count)?;));
        offset = offset.add(len);
    }
    let finite: Vec<TokenStream> = ast
        .settings
        .iter()
        .map(|name| {
            let text = format!("`{name}` of loss `{}`", ast.name);
            quote!(__n::number(#text, self.#name)?;)
        })
        .collect();
    if !has_fields(ast) {
        return (spans, TokenStream::new());
    }
    let function = quote! {
        fn constants(&self) -> __n::Result<::std::vec::Vec<f64>> {
            #sizes
            let mut all = ::std::vec::Vec::new();
            #(#finite)*
            #(#parts)*
            ::core::result::Result::Ok(all)
        }
    };
    (spans, function)
}
