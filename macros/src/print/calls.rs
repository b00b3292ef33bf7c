//! A function as users call it: `rosenbrock(&x)`, `rosenbrock::gradient(&x)` on tensors of exactly the declared
//! shapes. The function and the type of its name are in different namespaces, so that both have it.
//!
//! Calls are generic over the tensors' types and a printed trait says which these may be: it names the declared
//! shapes where one does not fit, there may be axes in front of them, and by inference from the trait's
//! implementation for `AsLoss` the function's name is a loss too.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};
use syn::{Attribute, Ident};

use super::{Printer, Sizes, bounds, checks, is_generic};
use crate::ast::Function;
use crate::compile::{CompiledFunction, CompiledTensorFunction};
use crate::emit::{Emitter, Expressions, dim_type};
use crate::errors::Range;
use crate::graph::Port;
use crate::lower::{Check, Condition};
use crate::plan::Plan;
use crate::shape::{Dim, param_ident, show};

/// The most axes of a tensor: `MAX_RANK` of netform-core.
const MAX_RANK: usize = 6;

/// The most inputs: `MAX_PORTS` of netform-core. What else a pass reads is bound behind them.
const MAX_INPUTS: usize = 8;

/// The most axes in front of those of a function with `..S`.
const LEADING: usize = 4;

/// Names that printed code has for other types.
const TYPES: [&str; 5] = ["E", "Dev", "K", "Self", "__n"];

/// The calls of one function.
pub struct Calls<'c> {
    ast: &'c Function,
    /// The inputs, with the batch in front.
    ports: &'c [Port],
    /// The output's shape.
    output: &'c [Dim],
    checks: &'c [Check],
}

/// A doc comment.
fn docs(text: &str) -> TokenStream {
    let lines = text.lines().map(|line| format!(" {line}"));
    quote!(#(#[doc = #lines])*)
}

/// Text as a message of `on_unimplemented`, in which braces hold names.
fn message(text: &str) -> String {
    text.replace('{', "{{").replace('}', "}}")
}

fn one_or_tuple(items: &[TokenStream]) -> TokenStream {
    match items {
        [item] => item.clone(),
        items => quote!((#(#items,)*)),
    }
}

/// Where nothing fits, the trait of calls says so, and not its implementations; of sizes that do not fit, what they
/// should satisfy does.
pub fn recommend(bounds: &[TokenStream]) -> Option<TokenStream> {
    bounds.is_empty().then(|| quote!(#[diagnostic::do_not_recommend]))
}

/// The code of a plan, and the length of its workspace.
fn body(
    plan: &Plan,
    expressions: &mut Expressions,
    arguments: &[String],
) -> Result<(TokenStream, TokenStream), String> {
    let mut emitter = Emitter { plan, expressions, arguments };
    Ok((emitter.steps(0..plan.steps.len())?, plan.len.length()))
}

/// `to[0]`, `to[1]`
pub fn places(name: &str, count: usize) -> impl Iterator<Item = String> {
    (0..count).map(move |i| format!("{name}[{i}]"))
}

impl<'c> Calls<'c> {
    /// The calls of a function whose output is a scalar.
    pub fn of_scalar(ast: &'c Function, compiled: &'c CompiledFunction) -> Self {
        let ports = &compiled.value.graph.inputs;
        Calls { ast, ports, output: &[], checks: &compiled.checks }
    }

    /// The calls of a function whose output is a tensor.
    pub fn of_tensor(ast: &'c Function, compiled: &'c CompiledTensorFunction) -> Self {
        let ports = &compiled.value.graph.inputs;
        Calls { ast, ports, output: &compiled.output, checks: &compiled.checks }
    }

    /// Why tensors cannot be given to it; `None` where they can.
    fn unavailable(&self) -> Option<String> {
        let name = &self.ast.name;
        let why = |why: String| Some(format!("`{name}` cannot be called on tensors: {why}"));
        if self.ports.len() > MAX_INPUTS {
            return why(format!("it has more than {MAX_INPUTS} inputs"));
        }
        let dims = || self.ports.iter().flat_map(|port| &port.shape[1..]);
        if let Some(dim) = dims().find(|dim| self.dim(dim).is_none()) {
            return why(format!(
                "no type says the size `{dim}`; give it a name of its own, for example `N`"
            ));
        }
        let told = |size: &&Ident| !dims().any(|dim| dim.as_param() == Some(size.to_string()));
        let untold = self.ast.generics.iter().find(told);
        untold.and_then(|size| why(format!("no input tells the size `{size}`")))
    }

    /// The type parameter of a generic size.
    fn size_type(size: &str) -> Ident {
        match TYPES.contains(&size) {
            true => format_ident!("{}_", size),
            false => format_ident!("{}", size),
        }
    }

    /// The dimension type of a size; `None` for an expression of generic sizes.
    fn dim(&self, dim: &Dim) -> Option<TokenStream> {
        match dim.as_param() {
            Some(name) => Some(Self::size_type(&name).to_token_stream()),
            None => (!is_generic(std::iter::once(dim))).then(|| dim_type(dim)),
        }
    }

    /// Dimension types; those that no type says are known at run time.
    fn dims(&self, shape: &[Dim]) -> Vec<TokenStream> {
        shape.iter().map(|dim| self.dim(dim).unwrap_or_else(|| quote!(__n::Len))).collect()
    }

    /// The shape of a sample of input `i`.
    fn sample(&self, i: usize) -> &'c [Dim] {
        &self.ports[i].shape[1..]
    }

    /// The numbers of the float inputs.
    fn floats(&self) -> Vec<usize> {
        (0..self.ports.len()).filter(|i| !self.ports[*i].integer).collect()
    }

    /// Whether something can go wrong that no type rules out: an index out of range.
    fn fallible(&self) -> bool {
        self.ports.iter().any(|port| port.integer)
    }

    fn result(&self, of: &TokenStream) -> TokenStream {
        if self.fallible() { quote!(__n::Result<#of>) } else { of.clone() }
    }

    /// From a `Result` to what calls return.
    fn returned(&self, result: &TokenStream) -> TokenStream {
        if self.fallible() { result.clone() } else { quote!(__n::infallible(#result)) }
    }

    /// What calls that return a `Result` say about errors, and others about panics.
    fn failures(&self) -> &'static str {
        match self.fallible() {
            true => {
                "\n\n# Errors\nIf an index is out of range, a size that is known only at run time differs between the \
                 tensors or does not fit, or the device has not enough memory or is lost."
            }
            false => {
                "\n\n# Panics\nIf a size that is known only at run time differs between the tensors or does not fit, or the \
                 device has not enough memory or is lost."
            }
        }
    }

    fn takes(&self) -> Ident {
        format_ident!("{}_takes", self.ast.name, span = proc_macro2::Span::call_site())
    }

    /// `x0`, `x1`: the tensors in printed code.
    fn xs(&self) -> Vec<Ident> {
        (0..self.ports.len()).map(|i| format_ident!("x{}", i)).collect()
    }

    /// `X0`, `X1`: their types, or shapes.
    fn types(&self) -> Vec<Ident> {
        (0..self.ports.len()).map(|i| format_ident!("X{}", i)).collect()
    }

    fn element(&self, i: usize) -> TokenStream {
        if self.ports[i].integer { quote!(u32) } else { quote!(E) }
    }

    /// `(D<3>,)`
    fn shape_type(&self, shape: &[Dim]) -> TokenStream {
        let dims = self.dims(shape);
        quote!((#(#dims,)*))
    }

    /// `Tensor<(D<3>,), E, Dev>`, of the input and further axes in front.
    fn tensor(&self, front: &[Ident], i: usize) -> TokenStream {
        let (dims, element) = (self.dims(self.sample(i)), self.element(i));
        quote!(__n::Tensor<(#(#front,)* #(#dims,)*), #element, Dev>)
    }

    /// `x: [3], labels: u32[..S]`, each shape between `before` and `after`.
    fn signature(&self, shape: impl Fn(usize) -> String) -> String {
        let one = |(i, port): (usize, &Port)| format!("{}: {}", port.name, shape(i));
        self.ports.iter().enumerate().map(one).collect::<Vec<_>>().join(", ")
    }

    /// `u32[..S, 3]`
    fn shape_text(&self, i: usize) -> String {
        let (declared, kind) =
            (&self.ast.inputs[i].1, if self.ports[i].integer { "u32" } else { "" });
        let sizes = show(self.sample(i));
        match (declared.leading, self.sample(i).is_empty()) {
            (false, _) => format!("{kind}{sizes}"),
            (true, true) => format!("{kind}[..S]"),
            (true, false) => format!("{kind}[..S, {}", &sizes[1..]),
        }
    }

    /// The function, the type and the trait between them.
    pub fn items(&self) -> TokenStream {
        let (vis, name, takes) = (&self.ast.vis, &self.ast.name, self.takes());
        let (texts, others): (Vec<&Attribute>, Vec<&Attribute>) =
            self.ast.attrs.iter().partition(|attr| attr.path().is_ident("doc"));
        let types = self.types();
        let inputs: Vec<&Ident> = self.ast.inputs.iter().map(|(name, _)| name).collect();
        let declared = self.signature(|i| self.shape_text(i));
        let output = show(self.output);
        let mean = match self.leading() > 0 {
            true => " Further axes in front count as samples; the value is the mean over them.",
            false => "",
        };
        let of_function = docs(&format!(
            "\n`({declared}) -> {output}` of tensors of exactly these shapes.{mean}{}",
            self.failures()
        ));
        let of_type = docs(&format!(
            "Derivatives of the function of the same name, and, as the value `{name} {{}}`, itself as a loss."
        ));
        let found = self.signature(|i| format!("{{X{i}}}"));
        let (message, note) = match self.unavailable() {
            Some(why) => (message(&why), "other functions and networks of `network!` can use it"),
            None => (
                format!("`{name}` takes {}; found {found}", message(&declared)),
                "a function takes references to tensors of exactly the declared shapes, without a batch; `u32[..]` takes tensors of `u32`",
            ),
        };
        let label = format!("not what `{name}` takes");
        // Notes point at the function's name, not at the whole of `network!`.
        let bound = Range::of(name).over(quote!(#name: #takes<#(#types,)* Value = R>,));
        let methods = self.takes_methods(&quote!(Self));
        quote! {
            #(#texts)*
            #of_function
            #(#others)*
            #[allow(dead_code, non_snake_case, clippy::too_many_arguments)]
            #vis fn #name<#(#types,)* R>(#(#inputs: &#types),*) -> R
            where
                #bound
            {
                <#name as #takes<#(#types),*>>::value(#(#inputs),*)
            }
            #of_type
            #(#others)*
            #[allow(non_camel_case_types, dead_code)]
            #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug, ::core::default::Default)]
            #vis struct #name {}
            #[doc(hidden)]
            #[allow(non_camel_case_types, missing_docs, dead_code, clippy::too_many_arguments)]
            #[diagnostic::on_unimplemented(message = #message, label = #label, note = #note)]
            #vis trait #takes<#(#types),*> {
                #methods
            }
        }
    }

    /// What the trait declares.
    fn takes_methods(&self, of: &TokenStream) -> TokenStream {
        let (xs, types) = (self.xs(), self.types());
        let derivatives = self.output.is_empty().then(|| {
            quote! {
                type Gradient;
                type ValueAndGradient;
                fn gradient(#(#xs: &#types),*) -> #of::Gradient;
                fn value_and_gradient(#(#xs: &#types),*) -> #of::ValueAndGradient;
            }
        });
        quote! {
            type Value;
            fn value(#(#xs: &#types),*) -> #of::Value;
            #derivatives
        }
    }

    /// How many axes may be in front of the declared ones.
    fn leading(&self) -> usize {
        if !self.ast.inputs.iter().all(|(_, input)| input.leading) {
            return 0;
        }
        let most = (0..self.ports.len()).map(|i| self.sample(i).len()).max().unwrap_or(0);
        LEADING.min(MAX_RANK - most)
    }

    /// As a loss by its name. A function of another number of tensors is none, but has the second candidate too, so
    /// that a tensor of another shape is reported in the words of the trait.
    fn as_loss(&self) -> TokenStream {
        if self.ports.len() != 2 && self.unavailable().is_some() {
            return TokenStream::new();
        }
        let name = &self.ast.name;
        let candidate = self.takes_no_tensors(&quote!(__n::AsLoss), &name.to_token_stream());
        // With one that inference knows of the first tensors, there are two of the rest still.
        let another = (self.ports.len() > 1)
            .then(|| self.takes_no_tensors(&quote!(__n::NoTensor), &quote!(())));
        let loss = (self.ports.len() == 2).then(|| {
            quote! {
                impl __n::LossFunction for #name {
                    type Item = #name;
                }
            }
        });
        quote!(#candidate #another #loss)
    }

    /// The trait's implementation for anything, and `last` at the end: its value is the default of `value`.
    fn takes_no_tensors(&self, last: &TokenStream, value: &TokenStream) -> TokenStream {
        let (name, takes) = (&self.ast.name, self.takes());
        let mut before = self.types();
        before.pop();
        let inputs = quote!(#(#before,)* #last);
        let given = quote!(#(_: &#before,)* _: &#last);
        let derivatives = self.output.is_empty().then(|| {
            quote! {
                type Gradient = ();
                type ValueAndGradient = ();
                fn gradient(#given) {}
                fn value_and_gradient(#given) {}
            }
        });
        quote! {
            #[diagnostic::do_not_recommend]
            impl<#(#before),*> #takes<#inputs> for #name {
                type Value = #value;
                fn value(#given) -> #value { ::core::default::Default::default() }
                #derivatives
            }
        }
    }

    /// The trait's implementation for tensors with so many axes in front.
    fn takes_tensors(&self, leading: usize) -> TokenStream {
        let (name, takes, xs) = (&self.ast.name, self.takes(), self.xs());
        let front: Vec<Ident> = (0..leading).map(|i| format_ident!("__Lead{}", i)).collect();
        let tensors: Vec<TokenStream> = (0..xs.len()).map(|i| self.tensor(&front, i)).collect();
        let floats: Vec<TokenStream> =
            self.floats().into_iter().map(|i| tensors[i].clone()).collect();
        let sizes = self.size_types();
        let (_, bounds) = self.conditions(Self::size_type);
        let recommend = recommend(&bounds);
        let output = self.dims(self.output);
        let output = quote!(__n::Tensor<(#(#output,)*), E, Dev>);
        let value = self.result(&output);
        let call = self.returned(&quote!(#name::computed(#(#xs),*)));
        let derivatives = self.output.is_empty().then(|| {
            let gradient = one_or_tuple(&floats);
            let both = self.result(&quote!((#output, #gradient)));
            let gradient = self.result(&gradient);
            let result = quote!(#name::differentiated(#(#xs),*));
            let only = self.returned(&quote!(#result.map(|(_, gradient)| gradient)));
            let result = self.returned(&result);
            quote! {
                type Gradient = #gradient;
                type ValueAndGradient = #both;
                fn gradient(#(#xs: &#tensors),*) -> #gradient { #only }
                fn value_and_gradient(#(#xs: &#tensors),*) -> #both { #result }
            }
        });
        quote! {
            #recommend
            impl<#(#front: __n::Dim,)* #(#sizes: __n::Dim,)* E: __n::Float, Dev: __n::Device<E>>
                #takes<#(#tensors),*> for #name
            where
                #(#bounds,)*
            {
                type Value = #value;
                fn value(#(#xs: &#tensors),*) -> #value { #call }
                #derivatives
            }
        }
    }

    fn size_types(&self) -> Vec<Ident> {
        self.ast.generics.iter().map(|size| Self::size_type(&size.to_string())).collect()
    }

    /// `__size_N`, `__size_M`
    fn size_values(&self) -> Vec<Ident> {
        self.ast.generics.iter().map(|size| param_ident(&size.to_string())).collect()
    }

    fn generic_checks(&self) -> impl Iterator<Item = &Check> + Clone {
        self.checks.iter().filter(|check| is_generic(Printer::dims(check)))
    }

    /// Checks of constants, in the user's crate, and traits for conditions on generic sizes.
    pub fn checks(&self) -> TokenStream {
        let plain = self.checks.iter().filter(|check| !is_generic(Printer::dims(check)));
        let plain = checks::checks(&plain.collect::<Vec<_>>());
        let (conditions, _) = self.conditions(Self::size_type);
        quote!(#plain #conditions)
    }

    /// The traits for conditions on generic sizes, and the bounds where `param` is the type parameter of a size.
    pub fn conditions(&self, param: impl Fn(&str) -> Ident) -> (TokenStream, Vec<TokenStream>) {
        let sizes = Sizes::of_function(&self.ast.generics, param);
        // An empty tensor is an error of the call: code that is generic over sizes needs no bound for that.
        let is_of_empty = |check: &&Check| matches!(&check.condition, Condition::More(size, least) if size.as_param().is_some() && least.is_zero());
        let checks = self.generic_checks().filter(|check| !is_of_empty(check));
        bounds::of_function(checks, &self.ast.name, &sizes)
    }

    /// A function that is not there, with the reason; it would take `more` than the inputs.
    fn missing(&self, name: &str, more: usize, why: &str) -> TokenStream {
        let function = self.method(name);
        let types: Vec<Ident> =
            (0..self.ports.len() + more).map(|i| format_ident!("X{}", i)).collect();
        let (of, first) = (&self.ast.name, &types[0]);
        let absent = format_ident!("{}_has_no_{}", of, name);
        let message = message(&format!("`{of}` has no `{name}`: {why}"));
        let docs = docs(&format!("Not there: {why}."));
        quote! {
            #[diagnostic::on_unimplemented(message = #message, label = "not there")]
            pub trait #absent {}
            #[diagnostic::do_not_recommend]
            impl #absent for #of {}
            impl #of {
                #docs
                pub fn #function<#(#types),*>(#(_: &#types),*) -> __n::Tensor<(), f32, __n::Cpu> where #first: #absent {
                    ::core::unreachable!()
                }
            }
        }
    }
}

mod bodies;
mod derivatives;
