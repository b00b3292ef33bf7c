//! What `network!` prints for an item: types, accessors, checks and passes around the planned code.

mod bounds;
mod calls;
mod checks;
mod feed;
mod function;
mod module;
mod names;
mod settings;
mod sizes;
mod types;
mod views;

use std::collections::BTreeSet;

use proc_macro2::{Delimiter, Group, TokenStream};
use quote::{format_ident, quote};
use syn::Ident;

use crate::ast::Network;
use crate::compile::CompiledNetwork;
use crate::emit::Expressions;
use crate::errors::Range;
use crate::graph::Node;
use crate::lower::{Chain, Check, Part};
use crate::ops::Op;
use crate::shape::{ConstExpr, Dim, Shape};

pub use function::{function, tensor_function};
pub use names::within;
pub use settings::function_type;
pub use sizes::Sizes;
pub use types::input_trait;

/// The most inputs of a network, and the most outputs: `MAX_PORTS` of netform-core.
pub const MAX_PORTS: usize = 8;

/// The most sizes that may be known only at run time: `MAX_SIZES` of netform-core.
const MAX_SIZES: usize = 4;

/// The most settings: `MAX_SETTINGS` of netform-core.
const MAX_SETTINGS: usize = 8;

/// What is printed for one network is put together from these.
struct Printer<'p> {
    ast: &'p Network,
    /// The network's name inside of the printed code.
    name: Ident,
    chain: &'p Chain,
    sizes: Sizes,
    listing: &'p str,
}

/// A network's type with everything that it can do.
pub fn network(ast: &Network, compiled: &CompiledNetwork) -> Result<TokenStream, String> {
    let chain = &compiled.chain;
    let in_graph = chain.graph.nodes.iter().flat_map(crate::graph::Node::dims);
    let in_checks = chain.checks.iter().flat_map(Printer::dims);
    let found = found_consts(in_graph.chain(in_checks).chain(chain.declared.iter().flatten()));
    let numbers = carried_numbers(&chain.graph.nodes, &found);
    let carries = !found.is_empty() || !numbers.is_empty();
    let sizes = Sizes::of(&ast.name, &ast.generics, chain, carries);
    let (name, alias) = names::within(ast);
    let printer = Printer { ast, name, chain, sizes, listing: &compiled.listing };
    let mut expressions = Expressions::default();
    let implementation = printer.module(compiled, &mut expressions)?;
    let types = printer.types()?;
    let mut carried = carried(&found);
    carried.extend(numbers);
    let inherent = printer.inherent(&carried)?;
    let feed = printer.feed()?;
    let consts = const_items(&found);
    let checks = printer.checks();
    let (bound, bounds) = printer.bounds();
    let expressions = expressions.tokens()?;
    Ok(quote! {
        #types
        #bound
        #[allow(
            unused, unused_qualifications, non_snake_case, non_upper_case_globals, clippy::all, clippy::pedantic
        )]
        const _: () = {
            use ::netform::__private as __n;
            #alias
            #consts
            #checks
            #bounds
            #inherent
            #feed
            #implementation
            #expressions
        };
    })
}

/// Whether outputs are a loss: a value for each sample, or a value and its weight.
pub fn is_loss(outputs: &[Shape]) -> bool {
    matches!(outputs.len(), 1 | 2) && outputs.iter().all(Vec::is_empty)
}

/// That passes have room for all outputs, settings and sizes; inputs are counted before.
pub fn limits(ast: &Network, chain: &Chain) -> syn::Result<()> {
    let name = &ast.name;
    let too_many = |at: Range, what: &str, found: usize, most: usize| {
        let message =
            format!("network `{name}` has {found} {what}, and at most {most} are possible");
        Err(at.error(message))
    };
    let outputs = chain.graph.outputs.len();
    if outputs > MAX_PORTS {
        let declared = ast.outputs.as_ref().and_then(|outputs| outputs.types.get(MAX_PORTS));
        let at = declared.map_or(Range::of(name), |output| output.range);
        return too_many(at, "outputs", outputs, MAX_PORTS);
    }
    if let Some(setting) = ast.settings.get(MAX_SETTINGS) {
        return too_many(Range::of(&setting.name), "settings", ast.settings.len(), MAX_SETTINGS);
    }
    let open = sizes::open(&ast.generics, chain);
    match open.get(MAX_SIZES) {
        Some(size) => {
            let what = "sizes that no parameter has, which may be known only at run time";
            too_many(Range::of(size), what, open.len(), MAX_SIZES)
        }
        None => Ok(()),
    }
}

impl Printer<'_> {
    /// The type's generic arguments in printed code: `<T, D, E, Dev>`.
    fn arguments(&self) -> TokenStream {
        let names = self.sizes.names();
        quote!(<#names E, Dev>)
    }

    /// `impl<T: Dim, E: Float, Dev: Device<E>>`, with further parameters in front.
    fn head(&self, first: TokenStream) -> TokenStream {
        let bounds = self.sizes.bounds();
        quote!(impl<#first #bounds E: __n::Float, Dev: __n::Device<E>>)
    }

    /// The names of the inputs in printed code.
    fn input_names(&self) -> Vec<Ident> {
        match &self.chain.graph.inputs[..] {
            [_] => vec![format_ident!("input")],
            // The user's own, with their places.
            _ => self.ast.inputs.iter().map(|(name, _)| name.clone()).collect(),
        }
    }

    /// The shapes of the inputs for one sample.
    fn inputs(&self) -> impl Iterator<Item = &[Dim]> {
        self.chain.graph.inputs.iter().map(|port| &port.shape[1..])
    }

    fn outputs(&self) -> usize {
        self.chain.graph.outputs.len()
    }

    /// The element type of input `i`.
    fn element(&self, i: usize) -> TokenStream {
        if self.chain.graph.inputs[i].integer { quote!(u32) } else { quote!(E) }
    }

    /// One item, or a tuple of several.
    fn one_or_tuple(items: &[TokenStream]) -> TokenStream {
        match items {
            [item] => item.clone(),
            items => quote!((#(#items,)*)),
        }
    }

    /// The sizes in a check and in its message.
    fn dims(check: &Check) -> impl Iterator<Item = &Dim> {
        check.condition.dims().into_iter().chain(check.message.iter().flat_map(Part::dims))
    }

    /// Checks of generic sizes.
    fn generic_checks(&self) -> impl Iterator<Item = &Check> {
        self.chain.checks.iter().filter(|check| is_generic(Self::dims(check)))
    }

    /// Checks of constants, in the user's crate. Those of generic sizes are bounds.
    fn checks(&self) -> TokenStream {
        let plain = self.chain.checks.iter().filter(|check| !is_generic(Self::dims(check)));
        checks::checks(&plain.collect::<Vec<_>>())
    }

    /// The function that checks sizes which are known only at run time.
    fn run_time_check(&self) -> TokenStream {
        let open = |check: &&Check| self.sizes.has_len(Self::dims(check));
        let checks: TokenStream =
            self.generic_checks().filter(open).map(checks::at_run_time).collect();
        if checks.is_empty() {
            return checks;
        }
        let values = self.sizes.values();
        quote! {
            fn check_sizes(e: __n::Extent) -> __n::Result<()> {
                #values
                #checks
                Ok(())
            }
        }
    }
}

/// Whether one of the sizes depends on a generic one.
fn is_generic<'d>(dims: impl Iterator<Item = &'d Dim>) -> bool {
    let mut params = BTreeSet::new();
    dims.for_each(|dim| dim.params(&mut params));
    !params.is_empty()
}

/// The user's constants in sizes.
pub fn found_consts<'d>(dims: impl IntoIterator<Item = &'d Dim>) -> BTreeSet<&'d ConstExpr> {
    let mut found = BTreeSet::new();
    dims.into_iter().for_each(|dim| dim.consts(&mut found));
    found
}

/// The user's constants under names of their own: tokens that are wrong are reported once.
pub fn const_items(found: &BTreeSet<&ConstExpr>) -> TokenStream {
    let item = |c: &&ConstExpr| {
        let (name, value) = (c.alias(), &c.tokens);
        // The type is where the value is, for rustc; its name is not, for editors.
        let mut ty = Group::new(Delimiter::Parenthesis, quote!(usize));
        ty.set_span(Range::of(value).start());
        quote!(const #name: #ty = #value;)
    };
    found.iter().map(item).collect()
}

/// The same as hidden constants of a type, for items that use it.
pub fn carried(found: &BTreeSet<&ConstExpr>) -> TokenStream {
    let item = |c: &&ConstExpr| {
        let name = c.alias();
        quote!(#[doc(hidden)] pub const #name: usize = #name;)
    };
    found.iter().map(item).collect()
}

/// The user's constants that are numbers and no sizes, as hidden constants of a type.
pub fn carried_numbers(nodes: &[Node], sizes: &BTreeSet<&ConstExpr>) -> TokenStream {
    let numbers = nodes.iter().filter_map(|node| match &node.op {
        Op::Number(constant) if !sizes.contains(constant) => Some(constant),
        _ => None,
    });
    let item = |c: &ConstExpr| {
        let (name, value) = (c.alias(), c.number());
        quote!(#[doc(hidden)] pub const #name: f64 = #value;)
    };
    numbers.collect::<BTreeSet<_>>().into_iter().map(item).collect()
}
