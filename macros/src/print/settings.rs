//! What a function is given at run time beside tensors, numbers (`delta: f32`) and arrays of them
//! (`weights: [f32; C]`): fields of its type, which its passes as a loss read.

use std::collections::BTreeSet;

use proc_macro2::TokenStream;
use quote::quote;

use crate::ast::{Function, Setting};
use crate::shape::Dim;

/// The type of a function that is given such, with its documentation.
pub fn function_type(ast: &Function) -> TokenStream {
    let (attrs, vis, name) = (&ast.attrs, &ast.vis, &ast.name);
    let fields = fields(ast);
    let copy = ast.shared().next().is_none().then(|| quote!(#[derive(::core::marker::Copy)]));
    quote! {
        #(#attrs)*
        #[allow(non_camel_case_types)]
        #[derive(::core::clone::Clone, ::core::fmt::Debug)]
        #copy
        #vis struct #name #fields
    }
}

fn fields(ast: &Function) -> TokenStream {
    let arrays = ast.shared().map(|(name, declared)| {
        let doc = format!("`{name}` of the function, given at run time.");
        let element = &declared.shared;
        quote!(#[doc = #doc] pub #name: ::std::vec::Vec<#element>)
    });
    let numbers = ast.settings.iter().map(|Setting { name, element }| {
        let doc = format!("`{name}` of the function, given at run time.");
        quote!(#[doc = #doc] pub #name: #element)
    });
    quote!({ #(#arrays,)* #(#numbers,)* })
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
    rates: &BTreeSet<usize>,
    sizes: &TokenStream,
) -> (Vec<TokenStream>, TokenStream) {
    let mut offset = Dim::literal(0);
    let (mut spans, mut parts) = (vec![], vec![]);
    for ((name, _), len) in ast.shared().zip(lens) {
        let (at, count) = (offset.tokens(), len.tokens());
        spans.push(quote!(__n::span(__n::CONSTANTS, #at, #count)));
        let text = format!("`{name}` of loss `{}`", ast.name);
        parts.push(quote!(__n::numbers(&mut all, #text, &self.#name, #count)?;));
        offset = offset.add(len);
    }
    let finite: Vec<TokenStream> = ast
        .settings
        .iter()
        .enumerate()
        .map(|(i, Setting { name, .. })| {
            let text = format!("`{name}` of loss `{}`", ast.name);
            let value = quote!(::core::convert::From::from(self.#name));
            match rates.contains(&i) {
                true => quote!(__n::rate(#text, #value)?;),
                false => quote!(__n::number(#text, #value)?;),
            }
        })
        .collect();
    if !ast.has_fields() {
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
        fn described(&self) -> ::std::string::String {
            ::std::format!("{self:?}")
        }
    };
    (spans, function)
}
