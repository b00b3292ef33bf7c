//! The type of a network with its constructors, `forward` and accessors.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};
use syn::Ident;

use super::Printer;
use super::names::free;
use crate::errors::Range;
use crate::shape::{Dim, show};

/// The name of the trait of the shapes that a network of one input takes.
pub fn input_trait(name: &Ident) -> Ident {
    format_ident!("{}Input", name, span = Span::call_site())
}

/// `[batch, 784]`
fn batched(sample: &[Dim]) -> String {
    show(&[vec![Dim::batch()], sample.to_vec()].concat())
}

impl Printer<'_> {
    /// Inputs as documentation lists them: `[784]`, or `(x: [784], labels: u32[])`.
    fn inputs_text(&self) -> String {
        let shape = |port: &crate::graph::Port| {
            let kind = if port.integer { "u32" } else { "" };
            format!("{kind}{}", show(&port.shape[1..]))
        };
        match &self.chain.graph.inputs[..] {
            [port] => shape(port),
            ports => {
                let all: Vec<String> =
                    ports.iter().map(|port| format!("{}: {}", port.name, shape(port))).collect();
                format!("({})", all.join(", "))
            }
        }
    }

    fn outputs_text(&self) -> String {
        let all: Vec<String> =
            (0..self.outputs()).map(|i| show(&self.chain.output_shape(i))).collect();
        match &all[..] {
            [one] => one.clone(),
            all => format!("({})", all.join(", ")),
        }
    }

    /// The struct, and the trait of the shapes that its `forward` takes.
    pub fn types(&self) -> Result<TokenStream, String> {
        let (attrs, vis, name, chain) =
            (&self.ast.attrs, &self.ast.vis, &self.ast.name, self.chain);
        let layers: Vec<String> = chain
            .layers
            .iter()
            .map(|l| {
                format!("| {} | `{}` | `{}` | {} |", l.name, l.text, show(&l.output), l.params)
            })
            .collect();
        let doc = format!(
            "\n\nInput `{}`, output `{}`, {} parameters.\n\n| name | layer | output | parameters |\n|---|---|---|---|\n{}",
            self.inputs_text(),
            self.outputs_text(),
            chain.param_len,
            layers.join("\n")
        );
        let (declared, names) = (self.sizes.declared(), self.sizes.names());
        let marker = (!self.sizes.is_empty())
            .then(|| quote!(sizes: ::core::marker::PhantomData<fn() -> (#names)>,));
        let input_trait = self.input_trait()?;
        Ok(quote! {
            #(#attrs)*
            #[doc = #doc]
            #vis struct #name<
                #declared
                E: ::netform::element::Float = f32,
                Dev: ::netform::device::Device<E> = ::netform::cpu::Cpu,
            > {
                store: ::netform::network::Store<E, Dev>,
                #marker
            }
            #input_trait
        })
    }

    /// The trait of the shapes that a network of one input takes.
    fn input_trait(&self) -> Result<TokenStream, String> {
        let [input] = &self.inputs().collect::<Vec<_>>()[..] else { return Ok(TokenStream::new()) };
        let (vis, name, takes) = (&self.ast.vis, &self.ast.name, input_trait(&self.ast.name));
        let message = format!(
            "network `{name}` takes a tensor of shape {}{}, found one of shape `{{Self}}`",
            batched(input),
            self.sizes.given(input)
        );
        let note = format!(
            "the input of one sample of `{name}` is declared as {}; in front of it is the batch, `Batch(1)` for one sample",
            show(input)
        );
        let doc = format!("The shapes that `{name}` takes: {}.", batched(input));
        let names = self.sizes.names();
        let mut outputs = TokenStream::new();
        for i in 0..self.outputs() {
            let output = format_ident!("Output{}", i);
            outputs.extend(quote!(#[doc(hidden)] type #output: ::netform::shape::Shape;));
        }
        let supertrait = match self.sizes.is_empty() {
            true => quote!(::netform::shape::BatchedShape),
            false => quote!(::netform::shape::Shape),
        };
        Ok(quote! {
            #[doc(hidden)]
            #[doc = #doc]
            #[diagnostic::on_unimplemented(message = #message, label = "not an input of this network", note = #note)]
            #vis trait #takes<#names>: #supertrait {
                #outputs
            }
        })
    }

    /// Constructors, `forward` and the accessors of layers.
    pub fn inherent(&self, consts: &TokenStream) -> Result<TokenStream, String> {
        let (name, listing) = (&self.name, self.listing);
        let arguments = self.arguments();
        let (bounds, names) = (self.sizes.dims(), self.sizes.names());
        let checked = self.sizes.checked();
        // Where sizes do not fit, the error says that this asks for others.
        let new = Ident::new("new", name.span());
        let (views, accessors) = self.accessors();
        let (forward_impl, forward) = self.forward()?;
        let settings: Vec<Ident> =
            self.ast.settings.iter().map(|setting| setting.name.clone()).collect();
        let [seed, device, bytes] = ["seed", "device", "bytes"].map(|name| free(name, &settings));
        let built = match settings.is_empty() {
            true => TokenStream::new(),
            false => quote!(.and_then(|__net| __n::with_settings(__net, &[#(#settings.into()),*]))),
        };
        let settings = quote!(#(, #settings: impl ::core::convert::Into<f64>)*);
        Ok(quote! {
            impl<#bounds> #name<#names f32, __n::Cpu> {
                /// The graph and its planned steps, forward and backward.
                // In a block, which rustdoc does not print: it is long.
                pub const PLAN: &'static str = { #listing };
                /// A new network in f32 on the CPU, its parameters drawn from `seed`.
                ///
                /// # Panics
                /// If there is no memory for its parameters; `on` returns that as an error.
                pub fn #new(#seed: __n::Seed #settings) -> Self where #checked {
                    match __n::build(__n::Cpu::default(), #seed)#built {
                        Ok(net) => net,
                        Err(error) => panic!("{error}"),
                    }
                }
            }
            #forward_impl
            impl<#bounds E: __n::Float, Dev: __n::Device<E>> #name #arguments {
                #consts
                /// A new network on `device`, its parameters drawn from `seed`.
                ///
                /// # Errors
                /// If the device has not enough memory.
                pub fn on(#device: Dev, #seed: __n::Seed #settings) -> __n::Result<Self> where #checked {
                    __n::build(#device, #seed)#built
                }
                /// A network on `device` with the weights of a safetensors file that is in memory, for example
                /// by `include_bytes!`.
                ///
                /// # Errors
                /// If a tensor is missing, extra or of another shape, or the device has not enough memory.
                pub fn from_bytes(#bytes: &[u8], #device: Dev #settings) -> __n::Result<Self> where #checked {
                    __n::from_bytes(#bytes, #device)#built
                }
                #forward
                #accessors
            }
            #views
        })
    }

    /// The implementation of the trait of inputs, where there is one, and `forward`.
    fn forward(&self) -> Result<(TokenStream, TokenStream), String> {
        let doc = format!(
            "The output {} of each sample {}, in evaluation mode, with memory of its own.\n\n# Errors\nIf the device has not enough memory, or is lost.",
            self.outputs_text(),
            self.inputs_text()
        );
        let outputs = (0..self.outputs())
            .map(|i| self.sizes.types(&self.chain.output_shape(i)))
            .collect::<Result<Vec<_>, _>>()?;
        let inputs =
            self.inputs().map(|shape| self.sizes.types(shape)).collect::<Result<Vec<_>, _>>()?;
        let name = &self.ast.name;
        let (clause, called) = (self.sizes.clause(), self.sizes.called());
        // Where an error says that `forward` asks for a shape, it points at the network's name.
        let forward = Ident::new("forward", name.span());
        let [input] = &inputs[..] else {
            let names = self.input_names();
            let elements = (0..inputs.len()).map(|i| self.element(i));
            let shapes: Vec<Ident> = (0..inputs.len()).map(|i| format_ident!("__X{}", i)).collect();
            let arguments = self.arguments();
            let results: Vec<TokenStream> =
                outputs.iter().map(|dims| quote!(__n::Tensor<(B, #(#dims,)*), E, Dev>)).collect();
            let results = Self::one_or_tuple(&results);
            let bounds = shapes.iter().zip(&inputs).map(|(given, input)| {
                let declared = quote!(__n::Declared<#name #arguments, (B, #(#input,)*)>);
                Range::of(name).over(quote!(#given: #declared,))
            });
            return Ok((
                TokenStream::new(),
                quote! {
                    #[doc = #doc]
                    pub fn #forward<B: __n::Dim, #(#shapes),*>(
                        &self,
                        #(#names: &__n::Tensor<#shapes, #elements, Dev>,)*
                    ) -> __n::Result<#results>
                    where
                        #(#bounds)*
                        #called
                    {
                        __n::forward(self, (#(__n::Declared::<#name #arguments, _>::declared(#names),)*))
                    }
                },
            ));
        };
        let mut takes = input_trait(name);
        let (input, fresh, same) = self.sizes.matched(std::slice::from_ref(input));
        let input = &input[0];
        let (bounds, names) = (self.sizes.bounds(), self.sizes.names());
        let assoc: Vec<Ident> = (0..outputs.len()).map(|i| format_ident!("Output{}", i)).collect();
        let implementation = quote! {
            #[diagnostic::do_not_recommend]
            impl<B: __n::Dim, #bounds #fresh> #takes<#names> for (B, #(#input,)*) where #clause #same {
                #(type #assoc = (B, #(#outputs,)*);)*
            }
        };
        takes.set_span(name.span());
        let results: Vec<TokenStream> =
            assoc.iter().map(|output| quote!(__n::Tensor<S::#output, E, Dev>)).collect();
        let (results, element) = (Self::one_or_tuple(&results), self.element(0));
        let takes = match self.sizes.is_empty() {
            true => quote!(#takes),
            false => quote!(#takes<#names>),
        };
        Ok((
            implementation,
            quote! {
                #[doc = #doc]
                pub fn #forward<S: #takes>(
                    &self,
                    input: &__n::Tensor<S, #element, Dev>,
                ) -> __n::Result<#results> where #called {
                    __n::forward(self, __n::Only(input))
                }
            },
        ))
    }
}
