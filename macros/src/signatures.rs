//! What can be wrong with an item before its body: attributes, names, numbers of inputs, sizes that nothing uses.

use std::collections::BTreeSet;

use proc_macro2::{TokenStream, TokenTree};
use syn::{Attribute, Ident};

use crate::ast::Item;
use crate::errors::{Errors, Range};

/// The most inputs of a network: `MAX_PORTS` of netform-core.
const MAX_INPUTS: usize = 8;

/// Checks an item, whose tokens these are.
pub fn check(item: &Item, tokens: &TokenStream, errors: &mut Errors) {
    let (attrs, generics) = match item {
        Item::Network(network) => (&network.attrs, &network.generics),
        Item::Function(function) => (&function.attrs, &function.generics),
    };
    attrs.iter().filter_map(attribute).for_each(|error| errors.push(error));
    inputs(item, errors);
    if let Item::Function(function) = item {
        function_name(&function.name, errors);
    }
    sizes(generics, tokens, errors);
}

/// Attributes of the type that is printed, which has more than a type beside it.
fn attribute(attr: &Attribute) -> Option<syn::Error> {
    let name = attr.path().get_ident()?.to_string();
    let hint = match name.as_str() {
        "derive" => {
            "what is printed has `Debug` already; for a copy of a network, `from_bytes` reads what `to_bytes` writes"
        }
        "cfg" | "cfg_attr" => "put it in front of a `network!` of its own that holds the item",
        "doc" | "allow" | "warn" | "deny" | "expect" | "deprecated" | "must_use" => return None,
        _ => {
            "an item of `network!` has doc comments, `allow`, `warn`, `deny`, `deprecated` and `must_use`"
        }
    };
    let message = format!("`#[{name}]` cannot be in `network!`: {hint}");
    Some(Range::of(attr).error(message))
}

/// At least one input, and no more than passes have slots for.
fn inputs(item: &Item, errors: &mut Errors) {
    let (name, inputs) = match item {
        Item::Network(network) => (&network.name, &network.inputs),
        Item::Function(function) => (&function.name, &function.inputs),
    };
    if inputs.is_empty() {
        let message =
            format!("`{name}` has no inputs; it needs at least one, for example `(x: [784])`");
        errors.push(Range::of(name).error(message));
    }
    if let (Item::Network(_), Some((ninth, _))) = (item, inputs.get(MAX_INPUTS)) {
        let found = inputs.len();
        let message = format!(
            "network `{name}` has {found} inputs, and at most {MAX_INPUTS} are possible; `concat` and `stack` outside of it make one of several"
        );
        errors.push(Range::of(ninth).error(message));
    }
}

/// Letters are type parameters of what is printed for a function, which would hide it.
fn function_name(name: &Ident, errors: &mut Errors) {
    let text = name.to_string();
    let digits = text.strip_prefix(|c: char| c.is_uppercase());
    let letter = digits.is_some_and(|digits| digits.chars().all(|c| c.is_ascii_digit()));
    if letter || text == "Dev" {
        let small = text.to_lowercase();
        let message = format!(
            "a function cannot be called `{text}`: types in what `network!` prints for it are; call it `{small}`"
        );
        errors.push(Range::of(name).error(message));
    }
}

/// Generic sizes: in capitals, since other names are values and layers in sizes, and used.
fn sizes(generics: &[Ident], tokens: &TokenStream, errors: &mut Errors) {
    for name in generics {
        let text = name.to_string();
        if text.contains(|c: char| c.is_lowercase()) {
            let capitals = text.to_uppercase();
            let message = format!(
                "`{text}` cannot be the name of a size: sizes are in capitals, such as `N`, `WIDTH` or `{capitals}`"
            );
            errors.push(Range::of(name).error(message));
        } else if times(&text, tokens.clone()) < 2 {
            let message = format!("size `{text}` is not used; use it or remove it");
            errors.push(Range::of(name).error(message));
        }
    }
}

/// How often a name stands in some tokens.
fn times(name: &str, tokens: TokenStream) -> usize {
    let one = |token| match token {
        TokenTree::Ident(ident) => usize::from(ident == name),
        TokenTree::Group(group) => times(name, group.stream()),
        _ => 0,
    };
    tokens.into_iter().map(one).sum()
}

/// That no item has the name of what is printed beside another one.
pub fn distinct(items: &[Item], errors: &mut Errors) -> BTreeSet<usize> {
    let mut wrong = BTreeSet::new();
    for (i, item) in items.iter().enumerate() {
        let (name, mut others) = (item.name().to_string(), items.iter().enumerate());
        if items[..i].iter().any(|other| *other.name() == name) {
            let message =
                format!("two items of this `network!` are called `{name}`; call one otherwise");
            errors.push(syn::Error::new(item.name().span(), message));
            wrong.insert(i);
            continue;
        }
        let printed = |other: &Item| match other {
            Item::Network(network) => {
                let generic = !network.generics.is_empty();
                let ends = [
                    ("Input", network.inputs.len() == 1),
                    ("Sizes", generic),
                    ("InMemory", generic),
                ];
                ends.iter().any(|(end, there)| *there && name == format!("{}{end}", network.name))
            }
            Item::Function(function) => name == format!("{}_takes", function.name),
        };
        if let Some((_, other)) = others.find(|(j, other)| i != *j && printed(other)) {
            let message = format!(
                "`{name}` is the name of what `network!` prints beside `{}`; call this otherwise",
                other.name()
            );
            errors.push(syn::Error::new(item.name().span(), message));
            wrong.insert(i);
        }
    }
    wrong
}
