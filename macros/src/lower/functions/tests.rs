//! That `netform::functions` documents the functions that there are, with how they are called.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use proc_macro2::TokenStream;
use syn::parse::Parser;
use syn::{Attribute, Ident, Token, parenthesized};

use super::entries;
use crate::ops::scalar;

/// The functions of a `functions! { .. }`, and their docs.
fn documented(tokens: TokenStream) -> BTreeMap<String, String> {
    let parse = |input: syn::parse::ParseStream| {
        let mut found = BTreeMap::new();
        while !input.is_empty() {
            let docs = input.call(Attribute::parse_outer)?;
            let (name, arguments): (Ident, _);
            name = input.parse()?;
            parenthesized!(arguments in input);
            let _: TokenStream = arguments.parse()?;
            input.parse::<Token![;]>()?;
            let lines =
                docs.iter().flat_map(|doc| doc.meta.require_name_value()).filter_map(|doc| {
                    match &doc.value {
                        syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => {
                            Some(text.value())
                        }
                        _ => None,
                    }
                });
            found.insert(name.to_string(), lines.collect());
        }
        Ok(found)
    };
    parse.parse2(tokens).expect("functions")
}

/// The functions of all files.
fn all() -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/src/functions");
    let files = fs::read_dir(folder).expect("the folder");
    let macros = files.flat_map(|entry| {
        let text = fs::read_to_string(entry.expect("a file").path()).expect("text");
        syn::parse_file(&text).expect("Rust").items.into_iter()
    });
    let calls = macros.filter_map(|item| match item {
        syn::Item::Macro(item) => Some(item.mac.tokens),
        _ => None,
    });
    calls.flat_map(documented).collect()
}

#[test]
fn every_function_is_documented() {
    let found = all();
    let scalars = scalar::TABLE.iter().map(|row| row.name);
    let mut expected: Vec<&str> = entries().map(|entry| entry.name).chain(scalars).collect();
    expected.extend(["grad", "scan"]);
    expected.sort_unstable();
    expected.dedup();
    assert_eq!(found.keys().collect::<Vec<_>>(), expected);
    for entry in entries() {
        let usage = format!("`{}`", entry.usage);
        assert!(found[entry.name].contains(&usage), "{usage} in {}", found[entry.name]);
    }
    assert!(found.values().all(|docs| docs.trim_start().starts_with('`')), "{found:?}");
}
