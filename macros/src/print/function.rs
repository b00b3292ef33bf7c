//! Functions as types with associated functions, and as losses.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};
use syn::Ident;

use super::calls::{self, Calls};
use super::{carried, const_items, found_consts, settings};
use crate::ast::{Function, TensorType};
use crate::compile::{CompiledFunction, CompiledTensorFunction};
use crate::emit::{Emitter, Expressions, dim_type};
use crate::plan::Plan;
use crate::shape::{Dim, numel, param_ident};

/// A function's passes, as associated functions of a type of its name.
pub fn function(ast: &Function, compiled: &CompiledFunction) -> Result<TokenStream, String> {
    let name = &ast.name;
    let mut expressions = Expressions::default();
    let spans: Vec<Ident> = (0..ast.inputs.len()).map(|i| format_ident!("x{}", i)).collect();
    let names: Vec<String> = spans.iter().map(Ident::to_string).collect();
    let one = [names.clone(), vec!["gradient".to_owned()]].concat();
    let floats =
        ast.inputs.iter().filter(|(_, shape)| !shape.integer && shape.shared.is_none()).count();
    let all: Vec<String> = names.into_iter().chain(calls::places("gradients", floats)).collect();
    let sizes: Vec<Ident> =
        ast.generics.iter().map(|name| param_ident(&name.to_string())).collect();
    let mut pass = |plan: &Plan,
                    arguments: &[String]|
     -> Result<(TokenStream, TokenStream, TokenStream), String> {
        let mut emitter = Emitter { plan, expressions: &mut expressions, arguments };
        let steps = emitter.steps(0..plan.steps.len())?;
        let result = crate::fuse::view(&plan.graph, plan.graph.outputs[0])
            .ok_or("a result without storage")?;
        Ok((plan.len.length(), steps, emitter.span(result.base)?))
    };
    let (value_len, value, value_at) = pass(&compiled.value, &one)?;
    let (gradient_len, gradient, gradient_at) = pass(&compiled.gradient, &one)?;
    let (gradients_len, gradients, gradients_at) = pass(&compiled.gradients, &all)?;
    let calls = Calls::of_scalar(ast, compiled);
    let checks = calls.checks();
    // What is given numbers at run time is a loss only: tensors are all that calls take.
    let (items, calls) = match ast.has_fields() {
        true => (settings::function_type(ast), TokenStream::new()),
        false => (calls.items(), calls.scalar(compiled, &mut expressions)?),
    };
    let (numbers, begin) = settings::numbers(ast);
    let expressions = expressions.tokens()?;
    let listing = &compiled.listing;
    let nodes = compiled.value.graph.nodes.iter().chain(&compiled.gradients.graph.nodes);
    let found = found_consts(nodes.flat_map(crate::graph::Node::dims));
    let (consts, carried) = (const_items(&found), carried(&found));
    let carried_numbers = super::carried_numbers(&compiled.value.graph.nodes, &found);
    let losses = losses(ast, compiled);
    Ok(quote! {
        #items
        #[allow(unused, unused_qualifications, non_snake_case, non_camel_case_types, clippy::all, clippy::pedantic)]
        const _: () = {
            use ::netform::__private as __n;
            #consts
            #checks
            #losses
            #calls
            impl #name {
                #carried
                #carried_numbers
                /// The graph and its planned steps.
                pub const PLAN: &'static str = { #listing };
                /// The workspace of `value`, in elements.
                #[doc(hidden)]
                pub fn value_workspace(b: usize, #(#sizes: usize),*) -> usize {
                    #value_len
                }
                /// The mean over `b` samples; returns where it is.
                #[doc(hidden)]
                pub fn value<E: __n::Float, K: __n::Kernels<E>>(
                    k: &mut K, b: usize, #(#sizes: usize,)* #(#spans: __n::Span,)* base: usize, #numbers
                ) -> __n::Span {
                    #begin
                    #value
                    #value_at
                }
                /// The workspace of `loss_and_gradient`, in elements.
                #[doc(hidden)]
                pub fn gradient_workspace(b: usize, #(#sizes: usize),*) -> usize {
                    #gradient_len
                }
                /// The mean over `b` samples, and its gradient with respect to the first input.
                #[doc(hidden)]
                pub fn loss_and_gradient<E: __n::Float, K: __n::Kernels<E>>(
                    k: &mut K, b: usize, #(#sizes: usize,)* #(#spans: __n::Span,)* gradient: __n::Span, base: usize,
                    #numbers
                ) -> __n::Span {
                    #begin
                    #gradient
                    #gradient_at
                }
                /// The workspace of `value_and_gradients`, in elements.
                #[doc(hidden)]
                pub fn gradients_workspace(b: usize, #(#sizes: usize),*) -> usize {
                    #gradients_len
                }
                /// The mean over `b` samples, and its gradients with respect to all float inputs.
                #[doc(hidden)]
                pub fn value_and_gradients<E: __n::Float, K: __n::Kernels<E>>(
                    k: &mut K, b: usize, #(#sizes: usize,)* #(#spans: __n::Span,)*
                    gradients: [__n::Span; #floats], base: usize, #numbers
                ) -> __n::Span {
                    #begin
                    #gradients
                    #gradients_at
                }
            }
            #expressions
        };
    })
}

/// A function of tensors whose output is a tensor.
pub fn tensor_function(
    ast: &Function,
    compiled: &CompiledTensorFunction,
) -> Result<TokenStream, String> {
    let (name, listing) = (&ast.name, &compiled.listing);
    let mut expressions = Expressions::default();
    let calls = Calls::of_tensor(ast, compiled);
    let (items, checks) = (calls.items(), calls.checks());
    let calls = calls.tensor_output(compiled, &mut expressions)?;
    let expressions = expressions.tokens()?;
    let nodes = compiled.value.graph.nodes.iter().chain(&compiled.vjp.graph.nodes);
    let found = found_consts(nodes.flat_map(crate::graph::Node::dims).chain(&compiled.output));
    let (consts, carried) = (const_items(&found), carried(&found));
    Ok(quote! {
        #items
        #[allow(unused, unused_qualifications, non_snake_case, non_camel_case_types, clippy::all, clippy::pedantic)]
        const _: () = {
            use ::netform::__private as __n;
            #consts
            #checks
            #calls
            impl #name {
                #carried
                /// The graph and its planned steps.
                pub const PLAN: &'static str = { #listing };
            }
            #expressions
        };
    })
}

/// The most leading axes of a loss with `..S`: those in front of a sample's last axis.
const LEADING: usize = 4;

/// A function of outputs and targets as a loss, accepted wherever the built-in ones are.
fn losses(ast: &Function, compiled: &CompiledFunction) -> TokenStream {
    let [(_, output), (_, target), beside @ ..] = &ast.inputs[..] else {
        return TokenStream::new();
    };
    let shared = |declared: &TensorType| declared.shared.is_some();
    if shared(output) || shared(target) || !beside.iter().all(|(_, beside)| shared(beside)) {
        return TokenStream::new();
    }
    let ports = &compiled.value.graph.inputs;
    if ports[0].integer {
        return TokenStream::new();
    }
    let (outputs, targets) = (&ports[0].shape[1..], &ports[1].shape[1..]);
    let named = |name: &Ident| {
        let is = |dim: &Dim| dim.as_param().is_some_and(|param| name == param.as_str());
        outputs.iter().chain(targets).any(is)
    };
    // Types tell a size only where it stands alone.
    if output.leading != target.leading || !ast.generics.iter().all(named) {
        return TokenStream::new();
    }
    let (Some(outputs), Some(of)) = (dims(outputs), dims(targets)) else {
        return TokenStream::new();
    };
    let most = if output.leading { LEADING } else { 0 };
    let most = most.min(5 - outputs.len().max(of.len()));
    let element = if target.integer { Targets::Integers } else { Targets::Floats };
    let (_, bounds) = Calls::of_scalar(ast, compiled).conditions(size_type);
    let arrays: Vec<Dim> = ports[2..].iter().map(|port| numel(&port.shape)).collect();
    let lens = (&numel(targets), &arrays[..], &compiled.rates);
    let mut all: TokenStream = (0..=most)
        .map(|leading| loss(ast, &bounds, leading, &outputs, (&of, element), lens))
        .collect();
    if most == 0 {
        // A second candidate, for targets that there are none of, so that a mismatch is reported in the words
        // of `Loss`.
        let none = vec![quote!(__n::D<0>)];
        let other = if outputs.is_empty() { none.clone() } else { vec![] };
        if ast.generics.is_empty() {
            all.extend(loss(ast, &bounds, 0, &other, (&none, Targets::None), lens));
        }
    }
    all
}

/// What targets consist of.
#[derive(Clone, Copy)]
enum Targets {
    Floats,
    Integers,
    /// What no data set has.
    None,
}

/// The type parameter of a generic size.
fn size_type(name: &str) -> Ident {
    format_ident!("__{}", name)
}

fn dims(shape: &[Dim]) -> Option<Vec<TokenStream>> {
    let one = |dim: &Dim| {
        let mut params = std::collections::BTreeSet::new();
        dim.params(&mut params);
        match dim.as_param() {
            Some(name) => Some(size_type(&name).to_token_stream()),
            None => params.is_empty().then(|| dim_type(dim)),
        }
    };
    shape.iter().map(one).collect()
}

/// The loss of samples with so many leading axes, each position of which counts as a sample.
fn loss(
    ast: &Function,
    bounds: &[TokenStream],
    leading: usize,
    outputs: &[TokenStream],
    (targets, element): (&[TokenStream], Targets),
    (target_len, arrays, rates): (&Dim, &[Dim], &std::collections::BTreeSet<usize>),
) -> TokenStream {
    let name = &ast.name;
    let lead: Vec<Ident> = (0..leading).map(|i| format_ident!("__Lead{}", i)).collect();
    let names = || ast.generics.iter().map(ToString::to_string);
    let values: Vec<Ident> = names().map(|name| param_ident(&name)).collect();
    let sizes: Vec<Ident> = names().map(|name| size_type(&name)).collect();
    let (element, slot, bind) = match element {
        Targets::Integers => {
            (quote!(u32), quote!(__n::LABELS), quote!(to.indices[__n::BESIDE] = Some(targets);))
        }
        Targets::Floats => {
            (quote!(E), quote!(__n::TARGET), quote!(to.inputs[__n::BESIDE] = Some(targets);))
        }
        Targets::None => (quote!(u32), quote!(__n::LABELS), TokenStream::new()),
    };
    let target_len = target_len.tokens();
    let known = quote!(#(let #values: usize = <#sizes as __n::Static>::N;)*);
    let (arrays, constants) = settings::constants(ast, arrays, rates, &known);
    let settings = ast.settings.iter().map(|setting| &setting.name);
    let numbers = match ast.settings.is_empty() {
        true => TokenStream::new(),
        false => quote!(, [#(::core::convert::From::from(self.#settings)),*]),
    };
    let begin = quote! {
        #known
        let b = batch * <(#(#lead,)*) as __n::SampleShape>::NUMEL;
    };
    // Without fields, the function is a loss by its name too.
    let trait_name = if ast.has_fields() { quote!(Loss) } else { quote!(FunctionLoss) };
    let recommend = calls::recommend(bounds);
    quote! {
        #recommend
        impl<E: __n::Float, #(#lead: __n::Static,)* #(#sizes: __n::Static,)*>
            __n::#trait_name<E, (#(#lead,)* #(#outputs,)*), (#(#lead,)* #(#targets,)*), #element> for #name
        where
            #(#bounds,)*
        {
            fn workspace(&self, batch: usize) -> usize {
                #begin
                ::core::cmp::max(
                    Self::value_workspace(b, #(#values),*),
                    Self::gradient_workspace(b, #(#values),*),
                )
            }
            fn bind<'a, D: __n::Device<E>>(
                &self, targets: &'a D::Buffer<#element>, to: &mut __n::Bindings<'a, E, D>,
            ) {
                #bind
            }
            #constants
            fn value<K: __n::Kernels<E>>(
                &self, k: &mut K, batch: usize, output: __n::Span, base: usize,
            ) -> __n::Span {
                #begin
                let target = __n::span(#slot, 0, b * (#target_len));
                Self::value(k, b, #(#values,)* output, target, #(#arrays,)* base #numbers)
            }
            fn value_and_gradient<K: __n::Kernels<E>>(
                &self, k: &mut K, batch: usize, output: __n::Span, gradient: __n::Span, base: usize,
            ) -> __n::Span {
                #begin
                let target = __n::span(#slot, 0, b * (#target_len));
                Self::loss_and_gradient(k, b, #(#values,)* output, target, #(#arrays,)* gradient, base #numbers)
            }
        }
    }
}
