//! `impl Module` and `impl Network`: constants and the planned passes.

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::calls::places;
use super::{Printer, is_loss};
use crate::compile::CompiledNetwork;
use crate::emit::{Emitter, Expressions, const_shape};
use crate::ending::Ending;
use crate::lower::{LayerInfo, Param};
use crate::plan::Plan;
use crate::shape::{Dim, Shape};

/// The passes of a network as bodies of functions.
struct Passes {
    infer_len: TokenStream,
    infer: TokenStream,
    train_len: TokenStream,
    train_forward: TokenStream,
    outputs: Vec<TokenStream>,
    output_gradients: Vec<TokenStream>,
    backward: TokenStream,
    vjp_len: TokenStream,
    vjp_forward: TokenStream,
    vjp_backward: TokenStream,
}

/// The code of a pass with something planned between its halves.
struct Halves {
    len: TokenStream,
    forward: TokenStream,
    backward: TokenStream,
}

/// The most axes of a tensor: `MAX_RANK` of netform-core.
const MAX_RANK: usize = 6;

impl Printer<'_> {
    fn passes(&self, compiled: &CompiledNetwork, to: &mut Expressions) -> Result<Passes, String> {
        let (infer, train) = (&compiled.infer, &compiled.train);
        let (inputs, outputs) = (self.chain.graph.inputs.len(), self.outputs());
        let arguments: Vec<String> =
            places("inputs", inputs).chain(places("outputs", outputs)).collect();
        let mut emitter = Emitter { plan: infer, expressions: &mut *to, arguments: &arguments };
        let infer_body = emitter.steps(0..infer.steps.len())?;
        let mut emitter = Emitter { plan: train, expressions: &mut *to, arguments: &arguments };
        let train_forward = emitter.steps(0..train.boundary)?;
        let backward = emitter.steps(train.boundary..train.steps.len())?;
        let spans = |nodes: &[usize]| nodes.iter().map(|id| emitter.span(*id)).collect();
        let (outputs, output_gradients): (Result<_, String>, Result<_, String>) =
            (spans(&compiled.train_outputs), spans(&compiled.train_seeds));
        let (outputs, output_gradients) = (outputs?, output_gradients?);
        let in_training = halves(&compiled.vjp_train, to)?;
        let in_evaluation = match &compiled.vjp_evaluate {
            Some(plan) => Some(halves(plan, to)?),
            None => None,
        };
        let vjp = by_mode(in_training, in_evaluation);
        Ok(Passes {
            infer_len: infer.len.length(),
            infer: infer_body,
            train_len: train.len.length(),
            train_forward,
            outputs,
            output_gradients,
            backward,
            vjp_len: vjp.len,
            vjp_forward: vjp.forward,
            vjp_backward: vjp.backward,
        })
    }

    /// `impl Module`, and `impl Network` where there are one input and one output.
    pub fn module(
        &self,
        compiled: &CompiledNetwork,
        expressions: &mut Expressions,
    ) -> Result<TokenStream, String> {
        let passes = self.passes(compiled, expressions)?;
        let constants = self.constants();
        let (functions, types) = (self.functions(&passes), self.port_types()?);
        let (name, head, arguments) = (&self.name, self.head(TokenStream::new()), self.arguments());
        let clause = self.sizes.clause();
        let run_time_check = self.run_time_check();
        let marker = (!self.sizes.is_empty()).then(|| quote!(, sizes: ::core::marker::PhantomData));
        let network = self.network()?;
        Ok(quote! {
            #head __n::Module for #name #arguments where #clause {
                type Elem = E;
                type Device = Dev;
                #types
                #constants
                fn from_store(store: __n::Store<E, Dev>) -> Self {
                    Self { store #marker }
                }
                fn store(&self) -> &__n::Store<E, Dev> {
                    &self.store
                }
                fn store_mut(&mut self) -> &mut __n::Store<E, Dev> {
                    &mut self.store
                }
                #run_time_check
                #functions
            }
            #head ::core::fmt::Debug for #name #arguments where #clause {
                fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                    __n::debug(self, f)
                }
            }
            #network
        })
    }

    fn port_types(&self) -> Result<TokenStream, String> {
        let tensor = |shape: &[Dim]| {
            let dims = self.sizes.types(shape)?;
            Ok::<_, String>(quote!(__n::Tensor<(__n::Batch, #(#dims,)*), E, Dev>))
        };
        let outputs = (0..self.outputs())
            .map(|i| tensor(&self.chain.output_shape(i)))
            .collect::<Result<Vec<_>, _>>()?;
        let floats = self.chain.graph.inputs.iter().filter(|port| !port.integer);
        let inputs = floats.map(|port| tensor(&port.shape[1..])).collect::<Result<Vec<_>, _>>()?;
        let (outputs, inputs) = (Self::one_or_tuple(&outputs), Self::one_or_tuple(&inputs));
        Ok(quote!(type Outputs = #outputs; type InputGradients = #inputs;))
    }

    fn constants(&self) -> TokenStream {
        let (chain, listing, name) = (self.chain, self.listing, self.ast.name.to_string());
        let numbers = self.sizes.constants();
        let params = chain.params.iter().map(param);
        let states = chain.states.iter().map(param);
        let layers = chain.layers.iter().map(|layer| self.layer(layer));
        let (param_len, state_len) = (chain.param_len.tokens(), chain.state_len.tokens());
        let inputs = chain
            .graph
            .inputs
            .iter()
            .map(|port| self.port(&port.name, &port.shape[1..], port.integer));
        let outputs = (0..self.outputs()).map(|i| self.port("", &chain.output_shape(i), false));
        let (lens, settings) = (self.sizes.len_names(), &chain.graph.settings);
        let rates = chain.rates.iter().map(|i| &settings[*i]);
        let rates = match chain.rates.is_empty() {
            true => None,
            false => Some(quote!(const RATES: &'static [&'static str] = &[#(#rates),*];)),
        };
        let all = [
            quote!(const NAME: &'static str = #name;),
            quote!(const PLAN: &'static str = #listing;),
            quote!(const PARAMS: &'static [__n::ParamSpec] = { #numbers &[#(#params),*] };),
            quote!(const LAYERS: &'static [__n::LayerSpec] = { #numbers &[#(#layers),*] };),
            quote!(const STATES: &'static [__n::ParamSpec] = { #numbers &[#(#states),*] };),
            quote!(const PARAM_LEN: usize = { #numbers #param_len };),
            quote!(const STATE_LEN: usize = { #numbers #state_len };),
            quote!(const INPUTS: &'static [__n::PortSpec] = { #numbers &[#(#inputs),*] };),
            quote!(const OUTPUTS: &'static [__n::PortSpec] = { #numbers &[#(#outputs),*] };),
            quote!(const LENS: &'static [&'static str] = &[#(#lens),*];),
            quote!(const SETTINGS: &'static [&'static str] = &[#(#settings),*];),
        ];
        // The page of a network says in a table what they hold; what they are stands at the trait.
        let all = all.into_iter().chain(rates).chain(self.ending());
        all.map(|item| quote!(#[doc(hidden)] #item)).collect()
    }

    /// What the only output is, where it is not logits.
    fn ending(&self) -> Option<TokenStream> {
        let graph = &self.chain.graph;
        let [output] = graph.outputs[..] else { return None };
        let ending = match graph.ending(output)? {
            Ending::Probabilities => quote!(Probabilities),
            Ending::LogProbabilities => quote!(LogProbabilities),
        };
        Some(quote!(const OUTPUTS_ARE: __n::Outputs = __n::Outputs::#ending;))
    }

    fn functions(&self, passes: &Passes) -> TokenStream {
        let values = self.sizes.values();
        let begin = quote!(let b = e.batch; #values);
        let chain = self.chain;
        let inputs: Vec<Shape> =
            chain.graph.inputs.iter().map(|port| port.shape[1..].to_vec()).collect();
        let outputs: Vec<Shape> = (0..self.outputs()).map(|i| chain.output_shape(i)).collect();
        let (input_sizes, output_sizes) = (all_sizes(&inputs), all_sizes(&outputs));
        let Passes { infer_len, infer, train_len, train_forward, backward, .. } = passes;
        let Passes { vjp_len, vjp_forward, vjp_backward, .. } = passes;
        let (output, output_gradient) = (choose(&passes.outputs), choose(&passes.output_gradients));
        quote! {
            fn input_sizes(e: __n::Extent, i: usize) -> [usize; #MAX_RANK] {
                #begin
                #input_sizes
            }
            fn output_sizes(e: __n::Extent, i: usize) -> [usize; #MAX_RANK] {
                #begin
                #output_sizes
            }
            fn infer_workspace(e: __n::Extent) -> usize {
                #begin
                #infer_len
            }
            fn infer<K: __n::Kernels<E>>(
                k: &mut K, e: __n::Extent, inputs: &[__n::Span], outputs: &[__n::Span],
            ) {
                #begin
                let base = 0;
                #infer
            }
            fn train_workspace(e: __n::Extent) -> usize {
                #begin
                #train_len
            }
            fn train_forward<K: __n::Kernels<E>>(k: &mut K, e: __n::Extent, inputs: &[__n::Span]) {
                #begin
                let base = 0;
                #train_forward
            }
            fn train_output(e: __n::Extent, i: usize) -> __n::Span {
                #begin
                let base = 0;
                #output
            }
            fn output_gradient(e: __n::Extent, i: usize) -> __n::Span {
                #begin
                let base = 0;
                #output_gradient
            }
            fn backward<K: __n::Kernels<E>>(k: &mut K, e: __n::Extent, inputs: &[__n::Span]) {
                #begin
                let base = 0;
                #backward
            }
            fn vjp_workspace(e: __n::Extent, mode: __n::Mode) -> usize {
                #begin
                #vjp_len
            }
            fn vjp_forward<K: __n::Kernels<E>>(
                k: &mut K, e: __n::Extent, mode: __n::Mode, spans: &[__n::Span],
            ) {
                #begin
                let base = 0;
                #vjp_forward
            }
            fn vjp_backward<K: __n::Kernels<E>>(
                k: &mut K, e: __n::Extent, mode: __n::Mode, spans: &[__n::Span],
            ) {
                #begin
                let base = 0;
                #vjp_backward
            }
        }
    }

    /// `impl Network` for one input and one output, and `impl ScalarLoss` where the outputs are a loss.
    fn network(&self) -> Result<TokenStream, String> {
        let (name, arguments) = (&self.name, self.arguments());
        let clause = self.sizes.clause();
        let mut all = TokenStream::new();
        let outputs: Vec<Shape> = (0..self.outputs()).map(|i| self.chain.output_shape(i)).collect();
        if is_loss(&outputs) {
            let head = self.head(TokenStream::new());
            all.extend(quote!(#head __n::ScalarLoss for #name #arguments where #clause {}));
        }
        let [output] = &outputs[..] else { return Ok(all) };
        if let [input] = &self.inputs().collect::<Vec<_>>()[..] {
            let (input, output) = (self.sizes.types(input)?, self.sizes.types(output)?);
            let (bounds, element) = (self.sizes.static_bounds(), self.element(0));
            let all_static = if clause.is_empty() { quote!() } else { self.sizes.all_static() };
            all.extend(quote! {
                #[diagnostic::do_not_recommend]
                impl<#bounds E: __n::Float, Dev: __n::Device<E>> __n::Network for #name #arguments where #clause #all_static {
                    type Input = (#(#input,)*);
                    type InputElement = #element;
                    type Output = (#(#output,)*);
                }
            });
        }
        Ok(all)
    }

    fn port(&self, name: &str, shape: &[Dim], integer: bool) -> TokenStream {
        let axes = shape.iter().map(|dim| self.sizes.axis(dim));
        quote!(__n::PortSpec { name: #name, axes: &[#(#axes),*], integer: #integer })
    }

    fn layer(&self, layer: &LayerInfo) -> TokenStream {
        let (name, text, params) = (&layer.name, &layer.text, layer.params.tokens());
        let axes = layer.output.iter().map(|dim| self.sizes.axis(dim));
        quote!(__n::LayerSpec { name: #name, text: #text, output: &[#(#axes),*], params: #params })
    }
}

fn halves(plan: &Plan, expressions: &mut Expressions) -> Result<Halves, String> {
    let arguments: Vec<String> = places("spans", plan.arguments()).collect();
    let mut emitter = Emitter { plan, expressions, arguments: &arguments };
    Ok(Halves {
        len: plan.len.length(),
        forward: emitter.steps(0..plan.boundary)?,
        backward: emitter.steps(plan.boundary..plan.steps.len())?,
    })
}

/// The passes of both modes: one code where they are the same.
fn by_mode(train: Halves, evaluate: Option<Halves>) -> Halves {
    let Some(evaluate) = evaluate else { return train };
    let choose = |train: TokenStream, evaluate: TokenStream| {
        quote! {
            match mode {
                __n::Mode::Train => { #train }
                __n::Mode::Evaluate => { #evaluate }
            }
        }
    };
    Halves {
        len: choose(train.len, evaluate.len),
        forward: choose(train.forward, evaluate.forward),
        backward: choose(train.backward, evaluate.backward),
    }
}

fn param(param: &Param) -> TokenStream {
    let (name, shape, offset, init) =
        (&param.name, const_shape(&param.shape), param.offset.tokens(), &param.init);
    quote!(__n::ParamSpec { name: #name, shape: #shape, offset: #offset, init: #init })
}

/// One of several by `i`; the last for every `i` beyond.
fn choose(all: &[TokenStream]) -> TokenStream {
    match all.split_last() {
        None => quote!(::core::unreachable!()),
        Some((last, [])) => last.clone(),
        Some((last, first)) => {
            let places = (0..first.len()).map(Literal::usize_unsuffixed);
            quote!(match i { #(#places => { #first })* _ => { #last } })
        }
    }
}

/// `[b, 784, 1, 1, 1, 1]` of each port.
fn all_sizes(shapes: &[Shape]) -> TokenStream {
    let one = |shape: &Shape| {
        let sizes = shape.iter().map(Dim::tokens);
        let rest = vec![1_usize; MAX_RANK - 1 - shape.len()];
        quote!([b, #(#sizes,)* #(#rest,)*])
    };
    choose(&shapes.iter().map(one).collect::<Vec<_>>())
}
