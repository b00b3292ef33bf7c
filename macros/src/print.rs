//! What `network!` prints for an item: types, accessors, checks and passes around the planned code.

use std::collections::BTreeSet;

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::Ident;

use crate::ast::{Function, Network};
use crate::compile::{CompiledFunction, CompiledNetwork};
use crate::emit::{Emitter, Expressions, const_shape, dim_type};
use crate::errors::Range;
use crate::lower::{Chain, Check, LayerInfo, LayerView, Param, Part};
use crate::plan::Plan;
use crate::shape::{ConstExpr, Dim, numel, show};

/// A network's type with everything that it can do.
pub fn network(ast: &Network, compiled: &CompiledNetwork) -> Result<TokenStream, String> {
    let chain = &compiled.chain;
    let mut expressions = Expressions::default();
    let passes = passes(compiled, &mut expressions)?;
    let types = types(ast, chain);
    let inherent = inherent(ast, chain, &compiled.listing);
    let implementation = implementation(ast, chain, &compiled.listing, &passes);
    let in_graph = chain.graph.nodes.iter().flat_map(|node| &node.shape);
    let in_checks = chain.checks.iter().flat_map(|check| &check.message).flat_map(Part::dims);
    let consts = consts(in_graph.chain(in_checks).chain(chain.declared.iter().flatten()));
    let checks = checks(&chain.checks);
    let expressions = expressions.tokens();
    Ok(quote! {
        #types
        #[allow(unused, non_snake_case, clippy::all)]
        const _: () = {
            use ::netform::__private as __n;
            #consts
            #checks
            #inherent
            #implementation
            #expressions
        };
    })
}

/// The user's constants under names of their own: tokens that are wrong are reported once.
pub fn consts<'d>(dims: impl IntoIterator<Item = &'d Dim>) -> TokenStream {
    let mut found = BTreeSet::new();
    dims.into_iter().for_each(|dim| dim.consts(&mut found));
    let item = |c: &ConstExpr| {
        let (name, value) = (c.alias(), &c.tokens);
        let span = Range::of(value).start();
        let usize = Ident::new("usize", span);
        quote!(const #name: #usize = #value;)
    };
    found.into_iter().map(item).collect()
}

/// The sizes of a sample as a tuple of dimension types.
pub fn tuple(shape: &[Dim]) -> TokenStream {
    let dims = shape.iter().map(dim_type);
    quote!((#(#dims,)*))
}

/// The struct, and the trait of the shapes that its `forward` takes.
pub fn types(ast: &Network, chain: &Chain) -> TokenStream {
    let (attrs, vis, name) = (&ast.attrs, &ast.vis, &ast.name);
    let input_trait = input_trait(name);
    let (input, output) = (chain.graph.inputs[0].shape[1..].to_vec(), chain.output());
    let batched = show(&[vec![crate::shape::Dim::batch()], input.clone()].concat());
    let message = format!(
        "network `{name}` takes a tensor of shape {batched}, found one of shape `{{Self}}`"
    );
    let note = format!("the input of one sample of `{name}` is declared as {}", show(&input));
    let layers: Vec<String> = chain
        .layers
        .iter()
        .map(|l| format!("| {} | `{}` | `{}` | {} |", l.name, l.text, show(&l.output), l.params))
        .collect();
    let doc = format!(
        "\n\nInput `{}`, output `{}`, {} parameters.\n\n| name | layer | output | parameters |\n|---|---|---|---|\n{}",
        show(&input),
        show(&output),
        chain.param_len,
        layers.join("\n")
    );
    let trait_doc = format!("The shapes that `{name}` takes: {batched}.");
    quote! {
        #(#attrs)*
        #[doc = #doc]
        #vis struct #name<
            E: ::netform::element::Float = f32,
            Dev: ::netform::device::Device<E> = ::netform::cpu::Cpu,
        > {
            store: ::netform::network::Store<E, Dev>,
        }
        #[doc(hidden)]
        #[doc = #trait_doc]
        #[diagnostic::on_unimplemented(message = #message, label = "not an input of this network", note = #note)]
        #vis trait #input_trait: ::netform::shape::BatchedShape {
            #[doc(hidden)]
            type Output: ::netform::shape::BatchedShape;
        }
    }
}

pub fn input_trait(name: &Ident) -> Ident {
    format_ident!("{}Input", name, span = Span::call_site())
}

/// Constructors, `forward` and the accessors of layers.
fn inherent(ast: &Network, chain: &Chain, listing: &str) -> TokenStream {
    let name = &ast.name;
    let input_trait = input_trait(name);
    let (input, output) = (chain.graph.inputs[0].shape[1..].to_vec(), chain.output());
    let (input_dims, output_dims): (Vec<_>, Vec<_>) =
        (input.iter().map(dim_type).collect(), output.iter().map(dim_type).collect());
    let accessors = chain.layers.iter().filter_map(|layer| accessor(layer, &layer.view));
    let forward_doc = format!(
        "The output {} of each sample {}, in evaluation mode, with memory of its own.\n\n# Errors\nIf the device has not enough memory, or is lost.",
        show(&output),
        show(&input)
    );
    // Where an error says that `forward` asks for a shape, it points at the network's name.
    let forward = Ident::new("forward", name.span());
    let mut takes = input_trait.clone();
    takes.set_span(name.span());
    quote! {
        #[diagnostic::do_not_recommend]
        impl<B: __n::Dim> #input_trait for (B, #(#input_dims,)*) {
            type Output = (B, #(#output_dims,)*);
        }
        impl #name<f32, __n::Cpu> {
            /// The graph and its planned steps, forward and backward.
            pub const PLAN: &'static str = #listing;
            /// A new network in f32 on the CPU, its parameters drawn from `seed`.
            ///
            /// # Panics
            /// If there is no memory for its parameters; `on` returns that as an error.
            pub fn new(seed: __n::Seed) -> Self {
                match __n::build(__n::Cpu::default(), seed) {
                    Ok(net) => net,
                    Err(error) => panic!("{error}"),
                }
            }
        }
        impl<E: __n::Float, Dev: __n::Device<E>> #name<E, Dev> {
            /// A new network on `device`, its parameters drawn from `seed`.
            ///
            /// # Errors
            /// If the device has not enough memory.
            pub fn on(device: Dev, seed: __n::Seed) -> __n::Result<Self> {
                __n::build(device, seed)
            }
            /// A network on `device` with the weights of a safetensors file that is in memory, for example
            /// by `include_bytes!`.
            ///
            /// # Errors
            /// If a tensor is missing, extra or of another shape, or the device has not enough memory.
            pub fn from_bytes(bytes: &[u8], device: Dev) -> __n::Result<Self> {
                __n::from_bytes(bytes, device)
            }
            #[doc = #forward_doc]
            pub fn #forward<S: #takes>(
                &self,
                input: &__n::Tensor<S, E, Dev>,
            ) -> __n::Result<__n::Tensor<S::Output, E, Dev>> {
                __n::forward(self, input)
            }
            #(#accessors)*
        }
    }
}

/// `fn fc1(&self) -> Linear<'_, Self, D<400>, D<120>>`
fn accessor(layer: &LayerInfo, view: &Option<LayerView>) -> Option<TokenStream> {
    let view = view.as_ref()?;
    let name = layer.ident.clone().unwrap_or_else(|| Ident::new(&layer.name, Span::call_site()));
    let kind = format_ident!("{}", view.kind);
    let dims = view.dims.iter().map(dim_type);
    let (weight, bias) = (view.weight, view.bias);
    let doc = format!("The parameters of `{}: {}`.", layer.name, layer.text);
    Some(quote! {
        #[doc = #doc]
        pub fn #name(&self) -> __n::#kind<'_, Self, #(#dims),*> {
            __n::#kind::of(self, #weight, #bias)
        }
    })
}

/// The passes of a network as bodies of functions.
struct Passes {
    infer_len: TokenStream,
    infer: TokenStream,
    train_len: TokenStream,
    train_forward: TokenStream,
    output: TokenStream,
    output_gradient: TokenStream,
    backward: TokenStream,
}

fn passes(compiled: &CompiledNetwork, expressions: &mut Expressions) -> Result<Passes, String> {
    let (infer, train) = (&compiled.infer, &compiled.train);
    let arguments = [quote!(input), quote!(output)];
    let mut emitter =
        Emitter { plan: infer, expressions: &mut *expressions, arguments: &arguments };
    let infer_body = emitter.steps(0..infer.steps.len())?;
    let mut emitter = Emitter { plan: train, expressions, arguments: &arguments };
    let train_forward = emitter.steps(0..train.boundary)?;
    let backward = emitter.steps(train.boundary..train.steps.len())?;
    Ok(Passes {
        infer_len: infer.len.tokens(),
        infer: infer_body,
        train_len: train.len.tokens(),
        train_forward,
        output: emitter.span(compiled.train_outputs[0])?,
        output_gradient: emitter.span(compiled.train_seeds[0])?,
        backward,
    })
}

/// `impl Network`.
fn implementation(ast: &Network, chain: &Chain, listing: &str, passes: &Passes) -> TokenStream {
    let name = &ast.name;
    let text = name.to_string();
    let (input, output) = (tuple(&chain.graph.inputs[0].shape[1..]), tuple(&chain.output()));
    let params = chain.params.iter().map(param);
    let layers = chain.layers.iter().map(layer);
    let param_len = chain.param_len.tokens();
    let Passes { infer_len, infer, train_len, train_forward, output: y, output_gradient, backward } =
        passes;
    quote! {
        impl<E: __n::Float, Dev: __n::Device<E>> __n::Network for #name<E, Dev> {
            type Elem = E;
            type Device = Dev;
            type Input = #input;
            type Output = #output;
            const NAME: &'static str = #text;
            const PLAN: &'static str = #listing;
            const PARAMS: &'static [__n::ParamSpec] = &[#(#params),*];
            const LAYERS: &'static [__n::LayerSpec] = &[#(#layers),*];
            const PARAM_LEN: usize = #param_len;
            const STATE_LEN: usize = 0;
            fn from_store(store: __n::Store<E, Dev>) -> Self {
                Self { store }
            }
            fn store(&self) -> &__n::Store<E, Dev> {
                &self.store
            }
            fn store_mut(&mut self) -> &mut __n::Store<E, Dev> {
                &mut self.store
            }
            fn infer_workspace(b: usize) -> usize {
                #infer_len
            }
            fn infer<K: __n::Kernels<E>>(k: &mut K, b: usize, input: __n::Span, output: __n::Span) {
                let base = 0;
                #infer
            }
            fn train_workspace(b: usize) -> usize {
                #train_len
            }
            fn train_forward<K: __n::Kernels<E>>(k: &mut K, b: usize, input: __n::Span) -> __n::Span {
                let base = 0;
                #train_forward
                #y
            }
            fn output_gradient(b: usize) -> __n::Span {
                let base = 0;
                #output_gradient
            }
            fn backward<K: __n::Kernels<E>>(k: &mut K, b: usize, input: __n::Span) {
                let base = 0;
                #backward
            }
        }
    }
}

fn param(param: &Param) -> TokenStream {
    let (name, shape, offset, init) =
        (&param.name, const_shape(&param.shape), param.offset.tokens(), &param.init);
    quote!(__n::ParamSpec { name: #name, shape: #shape, offset: #offset, init: #init })
}

fn layer(layer: &LayerInfo) -> TokenStream {
    let (name, text, output, params) =
        (&layer.name, &layer.text, const_shape(&layer.output), layer.params.tokens());
    quote!(__n::LayerSpec { name: #name, text: #text, output: #output, params: #params })
}

/// What const evaluation checks in the user's crate, in order: the first that fails is the one error.
fn checks(checks: &[Check]) -> TokenStream {
    if checks.is_empty() {
        return TokenStream::new();
    }
    let checks = checks.iter().map(check);
    quote! {
        const _: () = {
            #(#checks)*
        };
    }
}

/// A check: the error points at the layer that is wrong and, as a note, at the one that yields the other
/// shape.
fn check(check: &Check) -> TokenStream {
    let condition = &check.condition;
    let message = message(&check.message);
    let Some((previous, range)) = &check.previous else {
        let fail = check.at.call("__fail", message);
        return quote!(if !(#condition) { use __n::fail as __fail; #fail });
    };
    let function: String =
        previous.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect();
    let function = match syn::parse_str::<Ident>(&function) {
        Ok(_) => function,
        Err(_) => "previous_layer".to_owned(),
    };
    let fail = range.call("__fail", message);
    let call = check.at.call(&function, TokenStream::new());
    let name = Ident::new(&function, Span::call_site());
    quote! {
        if !(#condition) {
            use __n::fail as __fail;
            const fn #name() -> ! { #fail }
            #call
        }
    }
}

/// An expression for the message, its numbers filled in by const evaluation.
fn message(parts: &[Part]) -> TokenStream {
    let parts = parts.iter().map(|part| match part {
        Part::Text(text) => quote!(.text(#text)),
        Part::Number(dim) => {
            let dim = dim.tokens();
            quote!(.number(#dim))
        }
        Part::Shape(shape) => {
            let shape = const_shape(shape);
            quote!(.shape(#shape))
        }
        Part::Total(shape) => {
            let (shape, total) = (const_shape(shape), numel(shape).tokens());
            match check_is_single(&shape) {
                true => quote!(.number(#total)),
                false => quote!(.shape(#shape).text(" = ").number(#total)),
            }
        }
    });
    quote!(&__n::Message::new() #(#parts)*)
}

/// Whether a printed shape has one axis.
fn check_is_single(shape: &TokenStream) -> bool {
    !shape.to_string().contains(',')
}

/// A function's passes, as associated functions of a type of its name.
pub fn function(ast: &Function, compiled: &CompiledFunction) -> Result<TokenStream, String> {
    let (attrs, vis, name) = (&ast.attrs, &ast.vis, &ast.name);
    let mut expressions = Expressions::default();
    let spans: Vec<TokenStream> =
        ast.inputs.iter().map(|(name, _)| name.to_token_stream()).collect();
    let one = [spans.clone(), vec![quote!(gradient)]].concat();
    let floats = ast.inputs.iter().filter(|(_, shape)| !shape.integer).count();
    let all = [spans.clone(), (0..floats).map(|i| quote!(gradients[#i])).collect()].concat();
    let sizes = &ast.generics;
    let mut pass = |plan: &Plan,
                    arguments: &[TokenStream]|
     -> Result<(TokenStream, TokenStream, TokenStream), String> {
        let mut emitter = Emitter { plan, expressions: &mut expressions, arguments };
        let steps = emitter.steps(0..plan.steps.len())?;
        let result = crate::fuse::view(&plan.graph, plan.graph.outputs[0])
            .ok_or("a result without storage")?;
        Ok((plan.len.tokens(), steps, emitter.span(result.base)?))
    };
    let (value_len, value, value_at) = pass(&compiled.value, &one)?;
    let (gradient_len, gradient, gradient_at) = pass(&compiled.gradient, &one)?;
    let (gradients_len, gradients, gradients_at) = pass(&compiled.gradients, &all)?;
    let expressions = expressions.tokens();
    let listing = &compiled.listing;
    let nodes = compiled.value.graph.nodes.iter().chain(&compiled.gradients.graph.nodes);
    let consts = consts(nodes.flat_map(crate::graph::Node::dims));
    Ok(quote! {
        #(#attrs)*
        #[allow(non_camel_case_types)]
        #vis struct #name;
        #[allow(unused, non_snake_case, clippy::all)]
        const _: () = {
            use ::netform::__private as __n;
            #consts
            impl #name {
                /// The graph and its planned steps.
                pub const PLAN: &'static str = #listing;
                /// The workspace of `value`, in elements.
                #[doc(hidden)]
                pub fn value_workspace(b: usize, #(#sizes: usize),*) -> usize {
                    #value_len
                }
                /// The mean over `b` samples; returns where it is.
                #[doc(hidden)]
                pub fn value<E: __n::Float, K: __n::Kernels<E>>(
                    k: &mut K, b: usize, #(#sizes: usize,)* #(#spans: __n::Span,)* base: usize,
                ) -> __n::Span {
                    #value
                    #value_at
                }
                /// The workspace of `value_and_gradient`, in elements.
                #[doc(hidden)]
                pub fn gradient_workspace(b: usize, #(#sizes: usize),*) -> usize {
                    #gradient_len
                }
                /// The mean over `b` samples, and its gradient with respect to the first input.
                #[doc(hidden)]
                pub fn value_and_gradient<E: __n::Float, K: __n::Kernels<E>>(
                    k: &mut K, b: usize, #(#sizes: usize,)* #(#spans: __n::Span,)* gradient: __n::Span, base: usize,
                ) -> __n::Span {
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
                    gradients: [__n::Span; #floats], base: usize,
                ) -> __n::Span {
                    #gradients
                    #gradients_at
                }
            }
            #expressions
        };
    })
}
