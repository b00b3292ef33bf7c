//! What is printed beside an error: a network of the declared type that does nothing, so that code that uses
//! it adds no errors of its own.

use std::collections::BTreeSet;

use proc_macro2::{Span, TokenStream};
use quote::quote;

use crate::ast::{Body, Declaration, ExprKind, Item, Network, Pattern, Statement};
use crate::emit::dim_type;
use crate::errors::Errors;
use crate::lower::RESERVED;
use crate::print::{consts, input_trait, tuple};
use crate::shape::{Dim, Shape};
use crate::sizes::{Scope, tensor_type};

/// The error, and a stub of each network.
pub fn declaration(declaration: &Declaration, error: &syn::Error) -> TokenStream {
    let error = error.to_compile_error();
    let stubs = declaration.items.iter().map(|item| match item {
        Item::Network(network) => stub(network),
        Item::Function(function) => {
            let (vis, name) = (&function.vis, &function.name);
            quote!(#[allow(non_camel_case_types, missing_docs)] #vis struct #name;)
        }
    });
    quote!(#error #(#stubs)*)
}

/// A declared shape, as far as it has one.
fn declared(shape: Option<&crate::ast::TensorType>) -> Shape {
    shape
        .and_then(|shape| tensor_type(shape, &Scope::default(), &mut Errors::default()))
        .unwrap_or_else(|| vec![Dim::one()])
}

/// The names of layers.
fn named(body: &Body) -> Vec<String> {
    let names: Vec<&syn::Ident> = match body {
        Body::Chain(layers) => layers.iter().filter_map(|layer| layer.name.as_ref()).collect(),
        Body::Block(block) => {
            let name = |statement| match statement {
                &Statement::Let(Pattern::Name(ref name), ref value) => {
                    matches!(value.kind, ExprKind::Layer(_)).then_some(name)
                }
                _ => None,
            };
            block.statements.iter().filter_map(name).collect()
        }
    };
    names.into_iter().map(ToString::to_string).collect()
}

fn stub(network: &Network) -> TokenStream {
    let (vis, name, text) = (&network.vis, &network.name, network.name.to_string());
    let input_trait = input_trait(name);
    let (input, output) = (declared(network.inputs.first().map(|(_, shape)| shape)),
        declared(network.outputs.as_ref().and_then(|outputs| outputs.types.first())),
    );
    let output_dims: Vec<_> = output.iter().map(dim_type).collect();
    let consts = consts(input.iter().chain(&output));
    let (input, output) = (tuple(&input), tuple(&output));
    let names: BTreeSet<String> =
        named(&network.body).into_iter().collect();
    let accessors = names.iter().filter(|name| !RESERVED.contains(&name.as_str())).map(|name| {
        let name = syn::Ident::new(name, Span::call_site());
        quote!(pub fn #name(&self) -> __n::Stub { __n::Stub })
    });
    quote! {
        #[allow(missing_docs)]
        #vis struct #name<
            E: ::netform::element::Float = f32,
            Dev: ::netform::device::Device<E> = ::netform::cpu::Cpu,
        > {
            store: ::netform::network::Store<E, Dev>,
        }
        #[doc(hidden)]
        #vis trait #input_trait: ::netform::shape::BatchedShape {
            type Output: ::netform::shape::BatchedShape;
        }
        #[allow(unused, missing_docs, clippy::all)]
        const _: () = {
            use ::netform::__private as __n;
            #consts
            impl<S: __n::BatchedShape> #input_trait for S {
                type Output = (__n::Batch, #(#output_dims,)*);
            }
            impl #name<f32, __n::Cpu> {
                pub const PLAN: &'static str = "";
                pub fn new(seed: __n::Seed) -> Self { ::core::unreachable!() }
            }
            impl<E: __n::Float, Dev: __n::Device<E>> #name<E, Dev> {
                pub fn on(device: Dev, seed: __n::Seed) -> __n::Result<Self> { ::core::unreachable!() }
                pub fn from_bytes(bytes: &[u8], device: Dev) -> __n::Result<Self> { ::core::unreachable!() }
                pub fn forward<S: #input_trait>(
                    &self, input: &__n::Tensor<S, E, Dev>,
                ) -> __n::Result<__n::Tensor<S::Output, E, Dev>> { ::core::unreachable!() }
                #(#accessors)*
            }
            impl<E: __n::Float, Dev: __n::Device<E>> __n::Network for #name<E, Dev> {
                type Elem = E;
                type Device = Dev;
                type Input = #input;
                type Output = #output;
                const NAME: &'static str = #text;
                const PLAN: &'static str = "";
                const PARAMS: &'static [__n::ParamSpec] = &[];
                const LAYERS: &'static [__n::LayerSpec] = &[];
                const PARAM_LEN: usize = 0;
                const STATE_LEN: usize = 0;
                fn from_store(store: __n::Store<E, Dev>) -> Self { Self { store } }
                fn store(&self) -> &__n::Store<E, Dev> { &self.store }
                fn store_mut(&mut self) -> &mut __n::Store<E, Dev> { &mut self.store }
                fn infer_workspace(b: usize) -> usize { 0 }
                fn infer<K: __n::Kernels<E>>(k: &mut K, b: usize, input: __n::Span, output: __n::Span) {}
                fn train_workspace(b: usize) -> usize { 0 }
                fn train_forward<K: __n::Kernels<E>>(k: &mut K, b: usize, input: __n::Span) -> __n::Span {
                    ::core::unreachable!()
                }
                fn output_gradient(b: usize) -> __n::Span { ::core::unreachable!() }
                fn backward<K: __n::Kernels<E>>(k: &mut K, b: usize, input: __n::Span) {}
            }
        };
    }
}
