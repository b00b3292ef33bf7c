//! Accessors of layers: `net.fc1()`, `net.tower().fc()`, `net.blocks(0)?.fc()`. Layers inside layers are
//! reached through views, one type for all that have the same layers.

use std::collections::BTreeMap;

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};
use syn::Ident;

use super::Printer;
use super::sizes::is_computed;
use crate::ast::{Body, Pattern, Statement};
use crate::lower::{LayerInfo, LayerView};
use crate::shape::Dim;

/// Layers by the parts of their names.
#[derive(Default)]
struct Node<'l> {
    leaf: Option<(&'l LayerInfo, &'l LayerView)>,
    inside: Vec<(String, Node<'l>)>,
}

impl<'l> Node<'l> {
    fn insert(&mut self, name: &str, leaf: (&'l LayerInfo, &'l LayerView)) {
        let (first, rest) = match name.split_once('.') {
            Some((first, rest)) => (first, Some(rest)),
            None => (name, None),
        };
        let at = self.inside.iter().position(|(name, _)| name == first).unwrap_or_else(|| {
            self.inside.push((first.to_owned(), Node::default()));
            self.inside.len() - 1
        });
        match rest {
            Some(rest) => self.inside[at].1.insert(rest, leaf),
            None => self.inside[at].1.leaf = Some(leaf),
        }
    }

    /// The first parameter of all layers in it.
    fn first(&self) -> usize {
        let inside = self.inside.iter().map(|(_, node)| node.first());
        let leaf = self.leaf.map(|(_, view)| view.weight);
        inside.chain(leaf).min().unwrap_or(0)
    }

    /// What two nodes have in common whose layers one type can view: all but where their parameters begin.
    fn signature(&self, from: usize) -> String {
        let leaf = self.leaf.map(|(_, view)| {
            let dims: Vec<String> = view.dims.iter().map(Dim::to_string).collect();
            format!("{} {:?} {} {}", view.kind, dims, view.weight - from, view.bias)
        });
        let inside: Vec<String> = self
            .inside
            .iter()
            .map(|(name, node)| format!("{name}: {}", node.signature(from)))
            .collect();
        format!("{leaf:?} {inside:?}")
    }

    /// Whether it is a repeat of layers that are all alike.
    fn is_repeat(&self) -> bool {
        let numbered = |(i, (name, _)): (usize, &(String, Node))| *name == i.to_string();
        let mut alike = self.inside.iter().map(|(_, node)| node.signature(node.first()));
        let first = alike.next();
        first.is_some_and(|first| alike.all(|other| other == first))
            && self.inside.iter().enumerate().all(numbered)
    }
}

/// The types of views that are printed so far, by what they have.
#[derive(Default)]
struct Views {
    names: BTreeMap<String, Ident>,
    items: TokenStream,
}

impl Printer<'_> {
    /// The types of views, and the accessors of the network itself.
    pub fn accessors(&self) -> (TokenStream, TokenStream) {
        let mut root = Node::default();
        for layer in &self.chain.layers {
            if let Some(view) = &layer.view {
                root.insert(&layer.name, (layer, view));
            }
        }
        let mut views = Views::default();
        let methods = self.methods(&root, None, &mut views);
        (views.items, methods)
    }

    /// Methods for all layers of a node: of the network, or of a view of layers whose parameters begin at `from`.
    fn methods(&self, node: &Node, from: Option<usize>, views: &mut Views) -> TokenStream {
        node.inside.iter().filter_map(|(name, node)| self.method(name, node, from, views)).collect()
    }

    /// `fc(&self)`, or `blocks(&self, i: usize)` for a repeat.
    fn method(
        &self,
        name: &str,
        node: &Node,
        from: Option<usize>,
        views: &mut Views,
    ) -> Option<TokenStream> {
        let place = |node: &Node| {
            let first = node.first();
            match from {
                None => quote!(#first),
                Some(from) => {
                    let offset = first - from;
                    quote!(self.first + #offset)
                }
            }
        };
        let net = if from.is_some() { quote!(self.net) } else { quote!(self) };
        let repeated = node.is_repeat();
        let one = if repeated { &node.inside[0].1 } else { node };
        let ident = match node.leaf.and_then(|(layer, _)| layer.ident.as_ref()) {
            Some(ident) if ident == name => ident.clone(),
            _ => match self.written(name).filter(|_| from.is_none()) {
                Some(ident) => ident.clone(),
                None => syn::parse_str::<Ident>(name).ok()?,
            },
        };
        let (first, argument, doc) = match repeated {
            true => {
                let (first, net) = (node.inside.iter().map(|(_, node)| place(node)), self.own());
                let doc = format!(
                    "Layer `i` of the {} that `{name}` repeats.\n\n# Errors\nIf there is no layer `i`.",
                    node.inside.len()
                );
                let first = quote!(__n::repeated::<#net>(&[#(#first),*], i, #name)?);
                (first, quote!(i: usize), doc)
            }
            false => {
                let doc = match node.leaf {
                    Some((layer, _)) => {
                        format!("The parameters of `{}: {}`.", layer.name, layer.text)
                    }
                    None => format!("The layers of `{name}`."),
                };
                (place(node), TokenStream::new(), doc)
            }
        };
        let life = if from.is_some() { quote!('n) } else { quote!('_) };
        let (view, made) = self.view(one, &life, (&net, &first), views)?;
        let (view, made) = match repeated {
            true => (quote!(__n::Result<#view>), quote!(Ok(#made))),
            false => (view, made),
        };
        let computed = one.leaf.is_some_and(|(_, leaf)| leaf.dims.iter().any(is_computed));
        let clause = if computed { self.sizes.checked() } else { self.sizes.called() };
        Some(quote! {
            #[doc = #doc]
            pub fn #ident(&self, #argument) -> #view where #clause {
                #made
            }
        })
    }

    /// The type of a view, and how one is made.
    fn view(
        &self,
        node: &Node,
        life: &TokenStream,
        (net, first): (&TokenStream, &TokenStream),
        views: &mut Views,
    ) -> Option<(TokenStream, TokenStream)> {
        let own = self.own();
        if let Some((_, leaf)) = node.leaf {
            let (kind, bias) = (format_ident!("{}", leaf.kind), leaf.bias);
            let dims = leaf.dims.iter().map(|dim| self.sizes.dim_type(dim));
            let dims = dims.collect::<Option<Vec<_>>>()?;
            return Some((
                quote!(__n::#kind<#life, #own, #(#dims),*>),
                quote!(__n::#kind::of(#net, #first, #bias)),
            ));
        }
        let name = self.layers(node, views);
        Some((quote!(#name<#life, #own>), quote!(#name { net: #net, first: #first })))
    }

    /// The type of a view of layers, printed where it is new.
    fn layers(&self, node: &Node, views: &mut Views) -> Ident {
        let signature = node.signature(node.first());
        if let Some(name) = views.names.get(&signature) {
            return name.clone();
        }
        let name =
            format_ident!("{}Layers{}", self.ast.name, views.names.len(), span = Span::call_site());
        views.names.insert(signature, name.clone());
        let methods = self.methods(node, Some(node.first()), views);
        let (head, own) = (self.head(quote!('n,)), self.own());
        views.items.extend(quote! {
            /// Layers inside a layer.
            pub struct #name<'n, N> {
                net: &'n N,
                /// The first of their parameters.
                first: usize,
            }
            #head #name<'n, #own> {
                #methods
            }
        });
        name
    }

    /// A layer's name where it is declared, for editors to go to.
    fn written(&self, name: &str) -> Option<&Ident> {
        let mut names: Box<dyn Iterator<Item = &Ident>> = match &self.ast.body {
            Body::Chain(layers) => Box::new(layers.iter().filter_map(|layer| layer.name.as_ref())),
            Body::Block(block) => {
                Box::new(block.statements.iter().filter_map(|statement| match statement {
                    Statement::Let(Pattern::Name(name), _) => Some(name),
                    _ => None,
                }))
            }
        };
        names.find(|other| *other == name)
    }

    /// The network's own type.
    fn own(&self) -> TokenStream {
        let (name, arguments) = (&self.name, self.arguments());
        quote!(#name #arguments)
    }
}
