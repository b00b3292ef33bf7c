//! The accessors of a stub: of its layers, and of the layers inside these.

use std::collections::BTreeMap;

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};
use syn::Ident;

use crate::ast::{Body, ExprKind, Layer, Network, Pattern, Statement, path_text};
use crate::lower::{Declarations, RESERVED};

/// The deepest layers inside layers that there are accessors of: networks with an error may be endless.
const DEEPEST: usize = 6;

/// A layer's accessor.
struct Accessor {
    /// The name where it is written, which an editor goes to.
    ident: Option<Ident>,
    repeated: bool,
    inside: Inside,
}

type Inside = BTreeMap<String, Accessor>;

/// Structs that the accessors yield, and the accessors.
pub fn accessors(network: &Network, uses: &Declarations) -> (TokenStream, TokenStream) {
    let mut views = Views { of: &network.name, count: 0, items: TokenStream::new() };
    let mut inside = of_network(network, uses, DEEPEST);
    inside.retain(|name, _| !RESERVED.contains(&name.as_str()));
    let methods = views.methods(&inside);
    (views.items, methods)
}

fn of_network(network: &Network, uses: &Declarations, depth: usize) -> Inside {
    let mut found = Found { uses, depth, inside: Inside::new(), counts: BTreeMap::new() };
    match &network.body {
        Body::Chain(layers) => layers.iter().for_each(|layer| found.add(None, layer)),
        Body::Block(block) => {
            for statement in &block.statements {
                if let Statement::Let(Pattern::Name(name), value) = statement
                    && let ExprKind::Layer(layer) = &value.kind
                {
                    found.add(Some(name), layer);
                }
            }
        }
    }
    found.inside
}

/// The accessors of one body.
struct Found<'d> {
    uses: &'d Declarations,
    depth: usize,
    inside: Inside,
    counts: BTreeMap<String, usize>,
}

impl Found<'_> {
    /// A layer, by its name or that of the `let` that binds it.
    fn add(&mut self, bound: Option<&Ident>, layer: &Layer) {
        if self.depth == 0 {
            return;
        }
        let name = bound.or(layer.name.as_ref());
        let mut inside = self.inside_of(layer);
        match name {
            // Without a name, its layers are those of what it is in.
            None if layer.children.is_some() && layer.repeat.is_none() => {
                self.inside.append(&mut inside);
            }
            _ => {
                let (ident, repeated) = (name.cloned(), layer.repeat.is_some());
                let name = name.map_or_else(|| self.counted(layer), Ident::to_string);
                self.inside.insert(name, Accessor { ident, repeated, inside });
            }
        }
    }

    fn inside_of(&self, layer: &Layer) -> Inside {
        let (uses, depth) = (self.uses, self.depth - 1);
        if let Some(children) = &layer.children {
            let mut found = Found { uses, depth, inside: Inside::new(), counts: BTreeMap::new() };
            children.iter().for_each(|child| found.add(None, child));
            return found.inside;
        }
        match uses.networks.get(&path_text(&layer.path)) {
            Some(linked) => {
                let own = linked.uses.as_deref().unwrap_or(uses);
                of_network(&linked.item, own, depth)
            }
            None => Inside::new(),
        }
    }

    /// `linear1`
    fn counted(&mut self, layer: &Layer) -> String {
        let kind = layer.kind.to_string().to_lowercase();
        let count = self.counts.entry(kind.clone()).or_insert(0);
        *count += 1;
        format!("{kind}{count}")
    }
}

/// The structs that are printed so far.
struct Views<'n> {
    of: &'n Ident,
    count: usize,
    items: TokenStream,
}

impl Views<'_> {
    fn methods(&mut self, inside: &Inside) -> TokenStream {
        inside.iter().map(|(name, accessor)| self.method(name, accessor)).collect()
    }

    fn method(&mut self, name: &str, accessor: &Accessor) -> TokenStream {
        let written = accessor.ident.clone().map_or_else(|| syn::parse_str(name), Ok);
        let Ok(name) = written else { return TokenStream::new() };
        let (view, value) = match accessor.inside.is_empty() {
            true => (quote!(__n::Stub), quote!(__n::Stub)),
            false => {
                let view = self.view(&accessor.inside);
                (quote!(#view), quote!(#view))
            }
        };
        match accessor.repeated {
            true => quote!(pub fn #name(&self, i: usize) -> __n::Result<#view> { Ok(#value) }),
            false => quote!(pub fn #name(&self) -> #view { #value }),
        }
    }

    fn view(&mut self, inside: &Inside) -> Ident {
        let name = format_ident!("{}Layers{}", self.of, self.count, span = Span::call_site());
        self.count += 1;
        let methods = self.methods(inside);
        self.items.extend(quote! {
            pub struct #name;
            impl #name { #methods }
        });
        name
    }
}
