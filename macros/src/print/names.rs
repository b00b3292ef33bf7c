//! Names in printed code that a user's own cannot collide with.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Ident;

use crate::ast::Network;

/// The type parameters of printed code, beside those of the sizes.
pub const TYPES: [&str; 8] = ["E", "Dev", "K", "B", "S", "R", "Self", "__n"];

/// What a network is called inside of its printed code, and the alias that says so: type parameters there
/// hide a network of their name.
pub fn within(network: &Network) -> (Ident, TokenStream) {
    let name = &network.name;
    let hidden = TYPES.iter().any(|other| name == other) || network.generics.contains(name);
    if !hidden {
        return (name.clone(), TokenStream::new());
    }
    let alias = Ident::new("__Net", name.span());
    let sizes = (0..network.generics.len()).map(|i| quote::format_ident!("__T{}", i));
    let sizes = quote!(#(#sizes,)*);
    (alias.clone(), quote!(type #alias<#sizes __E, __Dev> = #name<#sizes __E, __Dev>;))
}

/// `stem`, with underscores behind it as long as a user has that name.
pub fn free(stem: &str, taken: &[Ident]) -> Ident {
    let mut name = stem.to_owned();
    while taken.iter().any(|other| *other == name) {
        name.push('_');
    }
    Ident::new(&name, proc_macro2::Span::call_site())
}
