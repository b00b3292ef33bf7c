//! What the bodies of calls are made of: numbers of sizes, tensors as what a pass is given, spans; and functions
//! around them.

use proc_macro2::{Literal, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::Ident;

use super::{Calls, docs};
use crate::errors::Range;
use crate::graph::Port;
use crate::print::checks;
use crate::shape::numel;

/// What a function takes beside its inputs.
pub enum More {
    /// A reference to a tensor of a shape.
    Tensor(TokenStream),
    /// A tuple of references to tensors.
    Tuple(TokenStream),
}

impl Calls<'_> {
    /// Numbers of generic sizes, of the batch and of the checks, in a function of tensors that returns a `Result`.
    pub fn numbers(&self) -> TokenStream {
        let (xs, values) = (self.xs(), self.size_values());
        let checks: TokenStream = self.generic_checks().map(checks::at_run_time).collect();
        quote! {
            let [#(#values,)* b] = Self::SIGNATURE.sizes(&[#(&__n::sizes_of(#xs)),*])?;
            #checks
        }
    }

    /// The device, and the tensors as what a pass is given.
    pub fn given(&self) -> (TokenStream, Vec<TokenStream>) {
        let xs = self.xs();
        let first = self.floats().first().map_or(quote!(x0), |i| xs[*i].to_token_stream());
        let given = xs.iter().enumerate().map(|(i, x)| {
            let n = Literal::usize_unsuffixed(i);
            match self.ports[i].integer {
                true => quote!(__n::Given::<E, Dev>::Integer(#n, #x.buffer())),
                false => quote!(__n::Given::<E, Dev>::Float(#n, #x.buffer())),
            }
        });
        (quote!(#first.device()), given.collect())
    }

    /// The spans of the inputs.
    pub fn spans(&self) -> Vec<TokenStream> {
        let span = |(i, port): (usize, &Port)| {
            let (i, len) = (Literal::usize_unsuffixed(i), numel(&port.shape).tokens());
            match port.integer {
                true => quote!(__n::span(__n::Slot::Index(#i), 0, #len)),
                false => quote!(__n::span(__n::Slot::Input(#i), 0, #len)),
            }
        };
        self.ports.iter().enumerate().map(span).collect()
    }

    /// The declared shapes, for run time.
    pub fn declared(&self) -> TokenStream {
        let (name, leading) = (self.ast.name.to_string(), self.leading() > 0);
        let ports = self.ports.iter().map(|port| {
            let (name, integer) = (&port.name, port.integer);
            let axes = port.shape[1..].iter().map(|dim| match dim.as_param() {
                Some(name) => quote!(__n::PortAxis::Len(#name)),
                None => {
                    let size = dim.tokens();
                    quote!(__n::PortAxis::Size(#size))
                }
            });
            quote!(__n::PortSpec { name: #name, axes: &[#(#axes),*], integer: #integer })
        });
        let sizes = self.ast.generics.iter().map(ToString::to_string);
        quote! {
            #[doc(hidden)]
            const SIGNATURE: __n::Signature = __n::Signature {
                name: #name,
                inputs: &[#(#ports),*],
                leading: #leading,
                sizes: &[#(#sizes),*],
            };
        }
    }

    /// A hidden function of tensors of any shapes.
    pub fn of_any_shapes(
        &self,
        name: &str,
        result: &TokenStream,
        body: &TokenStream,
    ) -> TokenStream {
        let (name, xs, shapes) = (format_ident!("{}", name), self.xs(), self.types());
        let elements = (0..xs.len()).map(|i| self.element(i));
        let numbers = self.numbers();
        quote! {
            fn #name<#(#shapes: __n::Shape,)* E: __n::Float, Dev: __n::Device<E>>(
                #(#xs: &__n::Tensor<#shapes, #elements, Dev>),*
            ) -> __n::Result<#result> {
                #numbers
                #body
            }
        }
    }

    /// The name of a method, which errors show at the function's name.
    pub fn method(&self, name: &str) -> Ident {
        Ident::new(name, self.ast.name.span())
    }

    /// A public function of tensors of exactly the declared shapes; `more` are further parameters. It is generic over
    /// shapes, which a bound then declares: what does not fit is said in its words.
    pub fn exact(
        &self,
        name: &str,
        text: &str,
        more: &[(&str, More)],
        result: &TokenStream,
        body: &TokenStream,
    ) -> TokenStream {
        let (function, xs, sizes) = (self.method(name), self.xs(), self.size_types());
        let given = |name: &str| {
            let taken = self.ast.inputs.iter().any(|(input, _)| input == name);
            if taken { format_ident!("{}_", name) } else { format_ident!("{}", name) }
        };
        let inputs: Vec<&Ident> = self.ast.inputs.iter().map(|(name, _)| name).collect();
        let more_names: Vec<Ident> = more.iter().map(|(name, _)| given(name)).collect();
        let inner: Vec<Ident> = more.iter().map(|(name, _)| format_ident!("{}", name)).collect();
        let mut shapes: Vec<Ident> = vec![];
        let mut declared: Vec<TokenStream> = vec![];
        let mut given = |shape: TokenStream, element: TokenStream| {
            let given = format_ident!("__X{}", shapes.len());
            let tensor = quote!(&__n::Tensor<#given, #element, Dev>);
            shapes.push(given);
            declared.push(shape);
            tensor
        };
        let tensors: Vec<TokenStream> = (0..xs.len())
            .map(|i| given(self.shape_type(self.sample(i)), self.element(i)))
            .collect();
        let more_types: Vec<TokenStream> = more
            .iter()
            .map(|(_, more)| match more {
                More::Tensor(shape) => given(shape.clone(), quote!(E)),
                More::Tuple(tensors) => tensors.clone(),
            })
            .collect();
        let more_values = more.iter().zip(&more_names).map(|((_, more), name)| match more {
            More::Tensor(_) => quote!(__n::Declared::<Self, _>::declared(#name)),
            More::Tuple(_) => name.to_token_stream(),
        });
        let bounds = shapes.iter().zip(&declared).map(|(given, shape)| {
            Range::of(&self.ast.name).over(quote!(#given: __n::Declared<Self, #shape>,))
        });
        let docs = docs(&format!("{text}{}", self.failures()));
        let ((_, conditions), numbers) = (self.conditions(Self::size_type), self.numbers());
        let returns = self.result(result);
        let all = quote!((|| -> __n::Result<#result> { #numbers #body })());
        let all = self.returned(&all);
        quote! {
            #docs
            pub fn #function<#(#sizes: __n::Dim,)* #(#shapes,)* E: __n::Float, Dev: __n::Device<E>>(
                #(#inputs: #tensors,)* #(#more_names: #more_types,)*
            ) -> #returns
            where
                #(#bounds)*
                #(#conditions,)*
            {
                let (#(#xs,)* #(#inner,)*) =
                    (#(__n::Declared::<Self, _>::declared(#inputs),)* #(#more_values,)*);
                #all
            }
        }
    }
}
