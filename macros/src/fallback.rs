//! What is printed beside an error: a network of the declared type that does nothing, so that code that uses
//! it adds no errors of its own.

mod function;
mod layers;

use std::collections::BTreeSet;

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};
use syn::{Ident, Visibility, parse_quote};

use crate::ast::{Declaration, Item, Network, TensorType};
use crate::emit::dim_type;
use crate::errors::Errors;
use crate::link::{self, Found};
use crate::lower::Declarations;
use crate::print::within;
use crate::print::{MAX_PORTS, carried, const_items, found_consts, input_trait, is_loss};
use crate::shape::{Dim, Shape};
use crate::sizes::{Scope, tensor_type};

/// The items: the code of those that are done, which others can use, and stubs of the others.
pub fn items(
    declaration: &Declaration,
    done: &[Option<TokenStream>],
    found: &[Found],
) -> TokenStream {
    let uses = link::declarations(declaration, found).unwrap_or_default();
    let one = |(index, done): (usize, &Option<TokenStream>)| match (done, &declaration.items[index])
    {
        (Some(tokens), _) => {
            let holder = link::travelling(index, declaration, found);
            quote!(#tokens #holder)
        }
        (None, _) if declaration.unprinted.contains(&index) => TokenStream::new(),
        (None, item) => {
            let (stub, holder) = (stub_of(item, &uses, true), link::broken(index, declaration));
            quote!(#stub #holder)
        }
    };
    done.iter().enumerate().map(one).collect()
}

fn stub_of(item: &Item, uses: &Declarations, consts: bool) -> TokenStream {
    match item {
        Item::Network(network) => stub(network, uses, consts),
        Item::Function(function) => function::stub(function),
    }
}

/// Stubs that the items themselves hide: seen only where the macro of an item that they use is not found,
/// which is rustc's error.
pub fn beneath(declaration: &Declaration) -> TokenStream {
    let public: Visibility = parse_quote!(pub);
    let uses = link::declarations(declaration, &[]).unwrap_or_default();
    let printed = declaration.items.iter().enumerate();
    let printed = printed.filter(|(index, _)| !declaration.unprinted.contains(index));
    let stubs = printed.map(|(_, item)| {
        let mut seen = item.clone();
        match &mut seen {
            Item::Network(network) => network.vis = public.clone(),
            Item::Function(function) => function.vis = public.clone(),
        }
        let stub = stub_of(&seen, &uses, false);
        let (module, vis) = (format_ident!("__netform_stub_{}", item.name()), item.vis());
        quote! {
            #[doc(hidden)]
            #[allow(unused, non_snake_case, missing_docs)]
            mod #module { #stub }
            #[doc(hidden)]
            #[allow(unused_imports)]
            #vis use #module::*;
        }
    });
    quote!(#(#stubs)*)
}

/// A declared shape, as far as it can be read; without `consts`, those are 1: what they are may be an error.
fn declared(shape: Option<&TensorType>, network: &Network, consts: bool) -> Shape {
    let scope = Scope::of(&network.generics);
    let shape = shape
        .and_then(|shape| tensor_type(shape, &scope, &mut Errors::default()))
        .unwrap_or_else(|| vec![Dim::one()]);
    let seen = |dim: Dim| match consts || found_consts([&dim]).is_empty() {
        true => dim,
        false => Dim::one(),
    };
    shape.into_iter().map(seen).collect()
}

/// The type of a size; 1 for an expression of generic sizes.
fn size_type(dim: &Dim) -> TokenStream {
    let mut params = BTreeSet::new();
    dim.params(&mut params);
    match dim.as_param() {
        Some(name) => parameter(&name).to_token_stream(),
        None if params.is_empty() => dim_type(dim),
        None => dim_type(&Dim::one()),
    }
}

/// The type parameter of a generic size.
fn parameter(name: &str) -> Ident {
    format_ident!("__{}", name)
}

/// What a stub consists of.
struct Stub<'s> {
    network: &'s Network,
    /// What the network can use.
    uses: &'s Declarations,
    /// Type parameters for its generic sizes, whatever they are.
    sizes: Vec<Ident>,
    inputs: Vec<Shape>,
    outputs: Vec<Shape>,
}

fn stub(network: &Network, uses: &Declarations, consts: bool) -> TokenStream {
    let stub = Stub {
        network,
        uses,
        sizes: network.generics.iter().map(|name| parameter(&name.to_string())).collect(),
        inputs: network
            .inputs
            .iter()
            .map(|(_, shape)| declared(Some(shape), network, consts))
            .collect(),
        outputs: match &network.outputs {
            Some(outputs) => {
                outputs.types.iter().map(|shape| declared(Some(shape), network, consts)).collect()
            }
            None => vec![declared(None, network, consts)],
        },
    };
    stub.tokens()
}

/// Tensors of shapes, as a type.
fn tensors<'s>(shapes: impl Iterator<Item = &'s Shape>) -> TokenStream {
    let all: Vec<TokenStream> = shapes
        .map(|shape| {
            let dims = shape.iter().map(size_type);
            quote!(__n::Tensor<(__n::Batch, #(#dims,)*), E, Dev>)
        })
        .collect();
    match &all[..] {
        [one] => one.clone(),
        // There are no networks of so many.
        all if all.len() > MAX_PORTS => quote!(()),
        all => quote!((#(#all,)*)),
    }
}

impl Stub<'_> {
    fn tokens(&self) -> TokenStream {
        let Stub { network, sizes, .. } = self;
        let (vis, name) = (&network.vis, &network.name);
        let (own, alias) = within(network);
        let found = found_consts(self.inputs.iter().chain(&self.outputs).flatten());
        let (consts, carried) = (const_items(&found), carried(&found));
        let (views, accessors) = layers::accessors(network, self.uses);
        let (traits, forward) = self.forward();
        let (feed, module) = (self.feed(), self.module());
        let generic = !sizes.is_empty();
        let bound = generic.then(|| {
            let bound = format_ident!("{}Sizes", name);
            quote! {
                #[doc(hidden)]
                #vis trait #bound {}
                impl<S> #bound for S {}
            }
        });
        let settings = network.settings.iter().map(|setting| &setting.name);
        let settings = quote!(#(, #settings: impl ::core::convert::Into<f64>)*);
        quote! {
            #[allow(missing_docs, non_camel_case_types)]
            #vis struct #name<
                #(#sizes: ::netform::dim::Dim = ::netform::dim::D<1>,)*
                E: ::netform::element::Float = f32,
                Dev: ::netform::device::Device<E> = ::netform::cpu::Cpu,
            > {
                store: ::netform::network::Store<E, Dev>,
                sizes: ::core::marker::PhantomData<fn() -> (#(#sizes,)*)>,
            }
            #traits
            #bound
            #[allow(unused, unused_qualifications, missing_docs, non_camel_case_types, clippy::all, clippy::pedantic)]
            const _: () = {
                use ::netform::__private as __n;
                #alias
                #consts
                impl<#(#sizes: __n::Dim,)*> #own<#(#sizes,)* f32, __n::Cpu> {
                    pub const PLAN: &'static str = "";
                    pub fn new(__seed: __n::Seed #settings) -> Self { ::core::unreachable!() }
                }
                impl<#(#sizes: __n::Dim,)* E: __n::Float, Dev: __n::Device<E>> #own<#(#sizes,)* E, Dev> {
                    #carried
                    pub fn on(__device: Dev, __seed: __n::Seed #settings) -> __n::Result<Self> { ::core::unreachable!() }
                    pub fn from_bytes(__bytes: &[u8], __device: Dev #settings) -> __n::Result<Self> { ::core::unreachable!() }
                    #forward
                    #accessors
                }
                #views
                #feed
                #module
            };
        }
    }

    /// Names for each input: of its value, its shape and its element.
    fn names(&self) -> [Vec<Ident>; 3] {
        ["x", "__Shape", "__Element"]
            .map(|stem| (0..self.inputs.len()).map(|i| format_ident!("{}{}", stem, i)).collect())
    }

    /// `forward` takes everything; a network of one input has its trait.
    fn forward(&self) -> (TokenStream, TokenStream) {
        let (vis, name) = (&self.network.vis, &self.network.name);
        let [x, shapes, elements] = self.names();
        let result = tensors(self.outputs.iter());
        let takes = input_trait(name);
        let traits = match x.len() {
            1 => quote! {
                #[doc(hidden)]
                #vis trait #takes: ::netform::shape::Shape {}
                impl<S: ::netform::shape::Shape> #takes for S {}
            },
            _ => TokenStream::new(),
        };
        let forward = quote! {
            pub fn forward<#(#shapes,)* #(#elements: __n::Element,)*>(
                &self, #(#x: &__n::Tensor<#shapes, #elements, Dev>,)*
            ) -> __n::Result<#result> { ::core::unreachable!() }
        };
        (traits, forward)
    }

    fn feed(&self) -> TokenStream {
        let (name, sizes) = (within(self.network).0, &self.sizes);
        let [_, shapes, elements] = self.names();
        let one: Vec<TokenStream> = shapes
            .iter()
            .zip(&elements)
            .map(|(shape, element)| quote!(&'x __n::Tensor<#shape, #element, Dev>))
            .collect();
        let takes = match &one[..] {
            [one] => one.clone(),
            all => quote!((#(#all,)*)),
        };
        quote! {
            impl<'x, #(#shapes,)* #(#elements: __n::Element,)* #(#sizes: __n::Dim,)* E: __n::Float, Dev: __n::Device<E>>
                __n::Feed<#name<#(#sizes,)* E, Dev>> for #takes
            {
                fn extent(&self) -> __n::Result<__n::Extent> { ::core::unreachable!() }
                fn bind<'a>(&'a self, to: &mut __n::Bindings<'a, E, Dev>) {}
            }
        }
    }

    fn module(&self) -> TokenStream {
        let (name, sizes, text) =
            (within(self.network).0, &self.sizes, self.network.name.to_string());
        let floats = self.network.inputs.iter().zip(&self.inputs);
        let floats = floats.filter(|((_, declared), _)| !declared.integer).map(|(_, shape)| shape);
        let (outputs, input_gradients) = (tensors(self.outputs.iter()), tensors(floats));
        let head = quote!(impl<#(#sizes: __n::Dim,)* E: __n::Float, Dev: __n::Device<E>>);
        let of = quote!(for #name<#(#sizes,)* E, Dev>);
        let network = match (&self.inputs[..], &self.outputs[..]) {
            ([input], [output]) => {
                let element =
                    if self.network.inputs[0].1.integer { quote!(u32) } else { quote!(E) };
                let (input, output) = (input.iter().map(size_type), output.iter().map(size_type));
                quote! {
                    impl<#(#sizes: __n::Static,)* E: __n::Float, Dev: __n::Device<E>> __n::Network #of {
                        type Input = (#(#input,)*);
                        type InputElement = #element;
                        type Output = (#(#output,)*);
                    }
                }
            }
            _ => TokenStream::new(),
        };
        let scalar = match is_loss(&self.outputs) {
            true => quote!(#head __n::ScalarLoss #of {}),
            false => TokenStream::new(),
        };
        quote! {
            #head __n::Module #of {
                type Elem = E;
                type Device = Dev;
                type Outputs = #outputs;
                type InputGradients = #input_gradients;
                const NAME: &'static str = #text;
                const PLAN: &'static str = "";
                const PARAMS: &'static [__n::ParamSpec] = &[];
                const LAYERS: &'static [__n::LayerSpec] = &[];
                const PARAM_LEN: usize = 0;
                const STATE_LEN: usize = 0;
                const INPUTS: &'static [__n::PortSpec] = &[];
                const OUTPUTS: &'static [__n::PortSpec] = &[];
                fn from_store(store: __n::Store<E, Dev>) -> Self { ::core::unreachable!() }
                fn store(&self) -> &__n::Store<E, Dev> { &self.store }
                fn store_mut(&mut self) -> &mut __n::Store<E, Dev> { &mut self.store }
                fn input_sizes(e: __n::Extent, i: usize) -> [usize; 6] { [0; 6] }
                fn output_sizes(e: __n::Extent, i: usize) -> [usize; 6] { [0; 6] }
                fn infer_workspace(e: __n::Extent) -> usize { 0 }
                fn infer<K: __n::Kernels<E>>(k: &mut K, e: __n::Extent, inputs: &[__n::Span], outputs: &[__n::Span]) {}
                fn train_workspace(e: __n::Extent) -> usize { 0 }
                fn train_forward<K: __n::Kernels<E>>(k: &mut K, e: __n::Extent, inputs: &[__n::Span]) {}
                fn train_output(e: __n::Extent, i: usize) -> __n::Span { ::core::unreachable!() }
                fn output_gradient(e: __n::Extent, i: usize) -> __n::Span { ::core::unreachable!() }
                fn backward<K: __n::Kernels<E>>(k: &mut K, e: __n::Extent, inputs: &[__n::Span]) {}
                fn vjp_workspace(e: __n::Extent, mode: __n::Mode) -> usize { 0 }
                fn vjp_forward<K: __n::Kernels<E>>(k: &mut K, e: __n::Extent, mode: __n::Mode, spans: &[__n::Span]) {}
                fn vjp_backward<K: __n::Kernels<E>>(k: &mut K, e: __n::Extent, mode: __n::Mode, spans: &[__n::Span]) {}
            }
            #head ::core::fmt::Debug #of {
                fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result { __n::debug(self, f) }
            }
            #network
            #scalar
        }
    }
}
