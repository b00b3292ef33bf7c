//! What rust-analyzer alone reads: a function for each item in which its names stand as Rust, where the user wrote
//! them. An editor so shows what a layer or function is and leads to it, in `netform::layers` and `netform::functions`,
//! leads from values to where they are bound, and completes names that are half typed by what is in scope. It stands in
//! front of all else that is printed: rust-analyzer looks for a half-typed name at the same place in what is printed
//! with and without it.

use std::collections::BTreeSet;

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::Path;

use crate::ast::{
    Argument, Block, Body, Declaration, Expr, ExprKind, Function, Index, Item, Layer, Network,
    Pattern, Setting, Statement, TensorType,
};
use crate::layers::takes_arguments;

/// The names of all items.
pub fn names(declaration: &Declaration) -> TokenStream {
    declaration.items.iter().map(item).collect()
}

fn item(item: &Item) -> TokenStream {
    let (generics, tokens) = match item {
        Item::Network(network) => (&network.generics, of_network(network)),
        Item::Function(function) => (&function.generics, of_function(function)),
    };
    // `rust_analyzer` is set by it alone, and not known to rustc's lint.
    quote! {
        #[allow(unused, non_snake_case, unexpected_cfgs)]
        const _: () = {
            #[cfg(rust_analyzer)]
            fn names<#(#generics),*>() {
                use ::netform::layers::*;
                use ::netform::functions::*;
                use ::netform::init::Init::*;
                let __value: Value;
                #tokens
                // What is still to be typed behind the last layer is within the function too.
                let _: ();
            }
        };
    }
}

fn of_network(network: &Network) -> TokenStream {
    let mut names = Names::new(&network.generics, &network.settings);
    let shapes = network.inputs.iter().map(|(_, shape)| shape);
    let outputs = network.outputs.iter().flat_map(|outputs| &outputs.types);
    shapes.chain(outputs).for_each(|shape| names.values(&shape.dims));
    match &network.body {
        Body::Chain(layers) => layers.iter().for_each(|layer| names.layer(layer)),
        Body::Block(block) => {
            names.inputs(&network.inputs);
            names.block(block);
        }
    }
    names.tokens
}

fn of_function(function: &Function) -> TokenStream {
    let mut names = Names::new(&function.generics, &function.settings);
    let shapes = function.inputs.iter().map(|(_, shape)| shape);
    shapes.chain(&function.outputs.types).for_each(|shape| names.values(&shape.dims));
    names.inputs(&function.inputs);
    names.block(&function.body);
    names.tokens
}

/// The names of one item, in the order in which they are bound and used.
struct Names<'a> {
    generics: &'a [Ident],
    /// Whether it has settings, which arguments may be.
    is_set: bool,
    bound: BTreeSet<String>,
    /// Those among them that are layers.
    layers: BTreeSet<String>,
    tokens: TokenStream,
}

impl<'a> Names<'a> {
    fn new(generics: &'a [Ident], settings: &[Setting]) -> Self {
        let (is_set, none) = (!settings.is_empty(), BTreeSet::new());
        let (bound, layers, tokens) = (none.clone(), none, TokenStream::new());
        let mut names = Names { generics, is_set, bound, layers, tokens };
        settings.iter().for_each(|setting| names.bind(&setting.name, &quote!(f64)));
        names
    }

    fn inputs(&mut self, inputs: &[(Ident, TensorType)]) {
        inputs.iter().for_each(|(name, _)| self.bind(name, &quote!(Value)));
    }

    fn bind(&mut self, name: &Ident, ty: &TokenStream) {
        self.bound.insert(name.to_string());
        self.layers.remove(&name.to_string());
        self.tokens.extend(quote!(let #name: #ty;));
    }

    /// What is a type for an editor: a layer, a network, a size.
    fn ty(&mut self, path: &Path) {
        self.tokens.extend(quote!(let _: #path;));
    }

    fn value(&mut self, path: &Path) {
        self.tokens.extend(quote!(#path;));
    }

    fn path(&mut self, path: &Path) {
        match path.get_ident() {
            Some(name) if self.generics.contains(name) => self.ty(path),
            _ => self.value(path),
        }
    }

    fn pattern(&mut self, pattern: &Pattern) {
        match pattern {
            Pattern::Ignored => {}
            Pattern::Name(name) => self.bind(name, &quote!(Value)),
            Pattern::Many(patterns, _) => patterns.iter().for_each(|inner| self.pattern(inner)),
        }
    }

    /// Names that are bound inside are gone behind it.
    fn scope(&mut self, inside: impl FnOnce(&mut Self)) {
        let (outer, bound) = (std::mem::take(&mut self.tokens), self.bound.clone());
        inside(self);
        let inner = std::mem::replace(&mut self.tokens, outer);
        self.bound = bound;
        self.tokens.extend(quote!({ #inner }));
    }

    fn block(&mut self, block: &Block) {
        block.statements.iter().for_each(|statement| self.statement(statement));
        self.expr(&block.result);
    }

    fn statement(&mut self, statement: &Statement) {
        match statement {
            Statement::Let(Pattern::Name(name), Expr { kind: ExprKind::Layer(layer), .. }) => {
                self.inside(layer);
                let path = &layer.path;
                self.bind(name, &quote!(#path));
                self.layers.insert(name.to_string());
            }
            Statement::Let(pattern, value) => {
                self.expr(value);
                self.pattern(pattern);
            }
            Statement::Assign(name, value) => {
                self.value(&name.clone().into());
                self.expr(value);
            }
            Statement::For { variable, from, to, body } => {
                self.expr(from);
                self.expr(to);
                self.scope(|names| {
                    names.bind(variable, &quote!(usize));
                    body.iter().for_each(|inner| names.statement(inner));
                });
            }
        }
    }

    fn layer(&mut self, layer: &Layer) {
        // Braces alone have a kind that nobody wrote.
        if layer.kind != "Sequential" {
            self.ty(&layer.path);
        }
        self.inside(layer);
    }

    /// What a layer is given, and the layers inside it.
    fn inside(&mut self, layer: &Layer) {
        layer.generics.iter().for_each(|size| self.expr(size));
        self.arguments(layer);
        layer.children.iter().flatten().for_each(|child| self.layer(child));
        layer.repeat.iter().for_each(|count| self.expr(count));
        let expected = layer.expected.iter().flat_map(|shape| &shape.dims);
        expected.for_each(|dim| self.expr(dim));
    }

    /// Arguments by name are fields of the layer's type. So is a name that nothing has: it is half typed, as the name is
    /// that may still come.
    fn arguments(&mut self, layer: &Layer) {
        let kind = layer.path.get_ident().filter(|kind| takes_arguments(&kind.to_string()));
        let (mut fields, mut typed) = (vec![], None);
        for (i, argument) in layer.args.iter().enumerate() {
            let unbound = argument.value.as_name().filter(|name| self.is_unbound(name));
            match (&argument.name, unbound) {
                // `approximate = tanh`: a word, and no value.
                (Some(name), Some(_)) => fields.push(name),
                (Some(name), None) => {
                    fields.push(name);
                    self.expr(&argument.value);
                }
                (None, Some(name)) if kind.is_some() && (i > 0 || !self.is_set) => {
                    typed = Some(name);
                }
                (None, _) => self.expr(&argument.value),
            }
        }
        let Some(kind) = kind else { return };
        let kind = Ident::new(&kind.to_string(), Span::call_site());
        // A word of Rust, as in `in = 400`, is nobody's field.
        fields.retain(|name| syn::parse2::<Ident>(quote!(#name)).is_ok());
        if !fields.is_empty() {
            self.tokens.extend(quote!(let #kind { #(#fields: _,)* .. };));
        }
        let typed = typed.map(|name| quote!(.#name));
        self.tokens.extend(quote!(let __layer: #kind; __layer #typed;));
    }

    fn is_unbound(&self, name: &Ident) -> bool {
        let text = name.to_string();
        let small = text.starts_with(|c: char| c.is_lowercase() || c == '_');
        // A path may be one of these words, and no field's name.
        let word = ["self", "super", "crate"].contains(&text.as_str());
        small && !word && !self.bound.contains(&text) && !self.generics.contains(name)
    }

    fn values<'e>(&mut self, all: impl IntoIterator<Item = &'e Expr>) {
        all.into_iter().for_each(|expr| self.expr(expr));
    }

    fn given(&mut self, arguments: &[Argument]) {
        self.values(arguments.iter().map(|argument| &argument.value));
    }

    fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Path(path) => self.path(path),
            ExprKind::Negative(x) => self.expr(x),
            ExprKind::Binary(_, a, b) | ExprKind::Arrow(a, b) => self.values([&**a, b]),
            ExprKind::Call(name, args) => {
                self.value(&name.clone().into());
                self.given(args);
            }
            ExprKind::Method(x, name, args) => {
                self.tokens.extend(quote!(__value.#name();));
                self.expr(x);
                self.given(args);
            }
            ExprKind::Field(x, name) => {
                // A weight of a layer, or a method that is half typed.
                if !x.as_name().is_some_and(|x| self.layers.contains(&x.to_string())) {
                    self.tokens.extend(quote!(__value.#name;));
                }
                self.expr(x);
            }
            ExprKind::Unnamed(x) => {
                self.tokens.extend(quote!(__value;));
                self.expr(x);
            }
            ExprKind::Apply(x, args) => {
                self.expr(x);
                self.given(args);
            }
            ExprKind::Index(x, places) => {
                self.expr(x);
                places.iter().for_each(|place| match place {
                    Index::At(at) => self.expr(at),
                    Index::Range(from, to) => self.values(from.iter().chain(to)),
                });
            }
            ExprKind::Tuple(items) | ExprKind::List(items) => self.values(items),
            // `init = Xavier`; a constant of which the first letters are typed may look like it.
            ExprKind::Layer(layer) if layer.is_plain() => self.value(&layer.path),
            ExprKind::Layer(layer) => self.layer(layer),
            ExprKind::Closure(patterns, block) => self.scope(|names| {
                patterns.iter().for_each(|pattern| names.pattern(pattern));
                names.block(block);
            }),
            ExprKind::Int(_)
            | ExprKind::Float(_)
            | ExprKind::Bool(_)
            | ExprKind::Text(_)
            | ExprKind::Const(_) => {}
        }
    }
}
