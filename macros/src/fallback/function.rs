//! The stub of a function: it takes tensors of any shapes, is a loss of any outputs and targets, and yields what
//! the function would where that can be told.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};
use syn::Ident;

use crate::ast::{Function, TensorType};
use crate::emit::dim_type;
use crate::errors::Errors;
use crate::print::{const_items, found_consts, function_type};
use crate::shape::{Dim, Shape};
use crate::sizes::{Scope, tensor_type};

/// The function, its type and everything that they can do.
pub fn stub(function: &Function) -> TokenStream {
    if function.has_fields() {
        return of_fields(function);
    }
    let (vis, name) = (&function.vis, &function.name);
    let takes = format_ident!("{}_takes", name, span = proc_macro2::Span::call_site());
    let types: Vec<Ident> = (0..function.inputs.len()).map(|i| format_ident!("X{}", i)).collect();
    let bound = quote!(#name: #takes<#(#types),*>);
    let of = quote!(<#name as #takes<#(#types),*>>);
    let method = |method: &str, more: usize, result: &str| {
        let (method, result) = (format_ident!("{}", method), format_ident!("{}", result));
        let more: Vec<Ident> = (0..more).map(|i| format_ident!("V{}", i)).collect();
        quote! {
            pub fn #method<#(#types,)* #(#more),*>(#(_: &#types,)* #(_: #more),*) -> #of::#result
            where
                #bound,
            {
                ::core::unreachable!()
            }
        }
    };
    let methods = [
        method("gradient", 0, "Gradient"),
        method("value_and_gradient", 0, "ValueAndGradient"),
        method("vjp", 1, "Gradient"),
        method("jacobian", 0, "Jacobian"),
        method("hessian", 0, "Hessian"),
        method("hessian_vector_product", 1, "Gradient"),
    ];
    let (implementation, loss) = (implementation(function, &takes), loss(function, &takes));
    quote! {
        #[allow(missing_docs, unused)]
        #vis fn #name<#(#types),*>(#(_: &#types),*) -> #of::Value
        where
            #bound,
        {
            ::core::unreachable!()
        }
        #[allow(non_camel_case_types, missing_docs, unused)]
        #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::default::Default)]
        #vis struct #name {}
        #[doc(hidden)]
        #[allow(non_camel_case_types, missing_docs, unused)]
        #vis trait #takes<#(#types),*> {
            type Value;
            type Gradient;
            type ValueAndGradient;
            type Jacobian;
            type Hessian;
        }
        #[allow(unused, unused_qualifications, missing_docs, non_snake_case, non_camel_case_types, clippy::all, clippy::pedantic)]
        const _: () = {
            use ::netform::__private as __n;
            // Type parameters below could hide a function in capitals.
            type __Fn = #name;
            impl #name {
                pub const PLAN: &'static str = "";
                #(#methods)*
            }
            #implementation
            #loss
        };
    }
}

/// A loss that is given numbers at run time.
fn of_fields(function: &Function) -> TokenStream {
    let name = &function.name;
    let (item, loss) = (function_type(function), loss_of(&quote!(Loss)));
    quote! {
        #[allow(missing_docs)]
        #item
        #[allow(unused)]
        const _: () = {
            use ::netform::__private as __n;
            type __Fn = #name;
            #loss
        };
    }
}

/// A tensor of a declared shape; sizes that depend on generic ones are known at run time.
fn tensor(shape: &[Dim]) -> TokenStream {
    let dims = shape.iter().map(|dim| {
        let mut params = std::collections::BTreeSet::new();
        dim.params(&mut params);
        if params.is_empty() { dim_type(dim) } else { quote!(__n::Len) }
    });
    quote!(__n::Tensor<(#(#dims,)*), E, Dev>)
}

fn one_or_tuple(items: &[TokenStream]) -> TokenStream {
    match items {
        [item] => item.clone(),
        items => quote!((#(#items,)*)),
    }
}

/// For tensors of any shapes.
fn implementation(function: &Function, takes: &Ident) -> TokenStream {
    let scope = Scope::of(&function.generics);
    let declared =
        |shape: &TensorType| tensor_type(shape, &scope, &mut Errors::default()).unwrap_or_default();
    let inputs: Vec<Shape> = function.inputs.iter().map(|(_, shape)| declared(shape)).collect();
    let output = function.outputs.types.first().map(declared).unwrap_or_default();
    let shapes: Vec<Ident> = (0..inputs.len()).map(|i| format_ident!("S{}", i)).collect();
    let elements: Vec<Ident> = (0..inputs.len()).map(|i| format_ident!("T{}", i)).collect();
    let element = |i: usize| match function.inputs[i].1.integer {
        true => elements[i].to_token_stream(),
        false => quote!(E),
    };
    let integers = (0..inputs.len()).filter(|i| function.inputs[*i].1.integer);
    let integers: Vec<&Ident> = integers.map(|i| &elements[i]).collect();
    let floats: Vec<usize> = (0..inputs.len()).filter(|i| !function.inputs[*i].1.integer).collect();
    let given: Vec<TokenStream> = (0..inputs.len())
        .map(|i| {
            let (shape, element) = (&shapes[i], element(i));
            quote!(__n::Tensor<#shape, #element, Dev>)
        })
        .collect();
    let of_floats = |of: &dyn Fn(usize) -> TokenStream| {
        one_or_tuple(&floats.iter().map(|i| of(*i)).collect::<Vec<_>>())
    };
    let result = |of: TokenStream| match integers.is_empty() {
        true => of,
        false => quote!(__n::Result<#of>),
    };
    let value = tensor(&output);
    let gradient = of_floats(&|i| given[i].clone());
    let jacobian = of_floats(&|i| tensor(&[&output[..], &inputs[i][..]].concat()));
    let hessian =
        of_floats(&|i| of_floats(&|j| tensor(&[&inputs[i][..], &inputs[j][..]].concat())));
    let (both, value, gradient) =
        (result(quote!((#value, #gradient))), result(value.clone()), result(gradient.clone()));
    let (jacobian, hessian) = (result(jacobian), result(hessian));
    if inputs.is_empty() {
        // No type tells an element or a device.
        return quote! {
            impl #takes for __Fn {
                type Value = __n::Tensor<()>;
                type Gradient = ();
                type ValueAndGradient = ();
                type Jacobian = ();
                type Hessian = ();
            }
        };
    }
    let consts = const_items(&found_consts(inputs.iter().flatten().chain(&output)));
    quote! {
        #consts
        impl<#(#shapes,)* #(#integers: __n::Element,)* E: __n::Float, Dev: __n::Device<E>>
            #takes<#(#given),*> for __Fn
        {
            type Value = #value;
            type Gradient = #gradient;
            type ValueAndGradient = #both;
            type Jacobian = #jacobian;
            type Hessian = #hessian;
        }
    }
}

/// As a loss of any outputs and targets.
fn loss(function: &Function, takes: &Ident) -> TokenStream {
    let name = &function.name;
    if function.inputs.len() != 2 {
        return TokenStream::new();
    }
    let any = loss_of(&quote!(FunctionLoss));
    quote! {
        impl #takes<__n::AsLoss, __n::AsLoss> for #name {
            type Value = #name;
            type Gradient = ();
            type ValueAndGradient = ();
            type Jacobian = ();
            type Hessian = ();
        }
        impl __n::LossFunction for #name {
            type Item = #name;
        }
        #any
    }
}

/// `Loss` or `FunctionLoss` for any outputs and targets.
fn loss_of(implemented: &TokenStream) -> TokenStream {
    quote! {
        impl<E: __n::Float, O: __n::SampleShape, Y: __n::SampleShape, T: __n::Element>
            __n::#implemented<E, O, Y, T> for __Fn
        {
            fn workspace(&self, batch: usize) -> usize { 0 }
            fn bind<'a, D: __n::Device<E>>(
                &self, targets: &'a D::Buffer<T>, to: &mut __n::Bindings<'a, E, D>,
            ) {}
            fn value<K: __n::Kernels<E>>(
                &self, k: &mut K, batch: usize, output: __n::Span, base: usize,
            ) -> __n::Span { output }
            fn value_and_gradient<K: __n::Kernels<E>>(
                &self, k: &mut K, batch: usize, output: __n::Span, gradient: __n::Span, base: usize,
            ) -> __n::Span { output }
        }
    }
}
