//! What a function can do besides its value: gradients, products with its Hessian or Jacobian, and these.

use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote};
use syn::Ident;

use super::bodies::More;
use super::{Calls, MAX_INPUTS, MAX_RANK, body, one_or_tuple, places};
use crate::compile::{CompiledFunction, CompiledTensorFunction};
use crate::emit::Expressions;
use crate::errors::Range;
use crate::shape::{Dim, numel};

impl Calls<'_> {
    /// Everything about the calls of a scalar function but its passes for losses.
    pub fn scalar(
        &self,
        compiled: &CompiledFunction,
        expressions: &mut Expressions,
    ) -> Result<TokenStream, String> {
        let (name, takes, types, xs) = (&self.ast.name, self.takes(), self.types(), self.xs());
        let as_loss = self.as_loss();
        let bound = |result: &str| {
            let result = format_ident!("{}", result);
            Range::of(name).over(quote!(Self: #takes<#(#types,)* #result = R>,))
        };
        let wrt = match self.floats().len() {
            1 => "float input",
            _ => "float inputs, one of each as a tuple",
        };
        let gradient =
            super::docs(&format!("The gradient with respect to the {wrt}.{}", self.failures()));
        let both = super::docs(&format!(
            "The value, and the gradient with respect to the {wrt}.{}",
            self.failures()
        ));
        let [of_gradient, of_both] =
            ["gradient", "value_and_gradient"].map(|name| self.method(name));
        let (for_gradient, for_both) = (bound("Gradient"), bound("ValueAndGradient"));
        let inherent = quote! {
            impl #name {
                #gradient
                pub fn #of_gradient<#(#types,)* R>(#(#xs: &#types),*) -> R
                where
                    #for_gradient
                {
                    <Self as #takes<#(#types),*>>::gradient(#(#xs),*)
                }
                #both
                pub fn #of_both<#(#types,)* R>(#(#xs: &#types),*) -> R
                where
                    #for_both
                {
                    <Self as #takes<#(#types),*>>::value_and_gradient(#(#xs),*)
                }
            }
        };
        if self.unavailable().is_some() {
            return Ok(quote!(#as_loss #inherent));
        }
        let tensors = (0..=self.leading()).map(|leading| self.takes_tensors(leading));
        let (declared, passes) = (self.declared(), self.scalar_passes());
        let second = self.second(compiled, expressions)?;
        Ok(quote! {
            #as_loss
            #inherent
            #(#tensors)*
            impl #name {
                #declared
                #passes
            }
            #second
        })
    }

    /// Value and gradient of tensors of any shapes, by the passes of losses.
    fn scalar_passes(&self) -> TokenStream {
        let (device, given) = self.given();
        let (sizes, spans) = (self.size_values(), self.spans());
        let value = quote!(__n::Tensor<(), E, Dev>);
        let computed = quote! {
            let workspace = Self::value_workspace(b, #(#sizes),*);
            let (value, ()) = __n::value_pass(&Self::SIGNATURE, #device, &[#(#given),*], workspace, (), |k| {
                Self::value(k, b, #(#sizes,)* #(#spans,)* 0)
            })?;
            Ok(value)
        };
        let (shapes, xs) = (self.types(), self.xs());
        let floats = self.floats();
        let gradients: Vec<TokenStream> = floats
            .iter()
            .map(|i| {
                let shape = &shapes[*i];
                quote!(__n::Tensor<#shape, E, Dev>)
            })
            .collect();
        let gradients = one_or_tuple(&gradients);
        let of: Vec<&Ident> = floats.iter().map(|i| &xs[*i]).collect();
        let to = self.outputs(|i| numel(&self.ports[i].shape).tokens(), &quote!(0));
        let differentiated = quote! {
            let sizes = [#(__n::Shape::sizes(&#of.shape())),*];
            let results = <#gradients as __n::Tensors<E, Dev>>::zeros(#device, |i| sizes[i])?;
            let workspace = Self::gradients_workspace(b, #(#sizes),*);
            __n::value_pass(&Self::SIGNATURE, #device, &[#(#given),*], workspace, results, |k| {
                Self::value_and_gradients(k, b, #(#sizes,)* #(#spans,)* #to, 0)
            })
        };
        let computed = self.of_any_shapes("computed", &value, &computed);
        let differentiated =
            self.of_any_shapes("differentiated", &quote!((#value, #gradients)), &differentiated);
        quote!(#computed #differentiated)
    }

    /// The spans of one output for each float input, `row` lengths from its beginning.
    fn outputs(&self, len: impl Fn(usize) -> TokenStream, row: &TokenStream) -> TokenStream {
        let one = |(j, i): (usize, usize)| {
            let (j, len) = (Literal::usize_unsuffixed(j), len(i));
            quote!(__n::span(__n::Slot::Output(#j), #row * (#len), #len))
        };
        let all = self.floats().into_iter().enumerate().map(one);
        quote!([#(#all),*])
    }

    /// The type of the tensors of some shapes, and the expression that makes them.
    fn results(&self, shapes: &[Vec<Dim>]) -> (TokenStream, TokenStream) {
        let (device, _) = self.given();
        let types: Vec<TokenStream> = shapes
            .iter()
            .map(|shape| {
                let dims = self.dims(shape);
                quote!(__n::Tensor<(#(#dims,)*), E, Dev>)
            })
            .collect();
        let ty = one_or_tuple(&types);
        let sizes = shapes.iter().map(|shape| {
            let sizes = shape.iter().map(Dim::tokens);
            quote!(__n::padded([#(#sizes),*]))
        });
        let made = quote!({
            let sizes = [#(#sizes),*];
            <#ty as __n::Tensors<E, Dev>>::zeros(#device, |i| sizes[i])?
        });
        (ty, made)
    }

    /// The shapes of the float inputs.
    fn float_shapes(&self) -> Vec<Vec<Dim>> {
        self.floats().into_iter().map(|i| self.sample(i).to_vec()).collect()
    }

    /// Products with the Hessian, and the Hessian.
    fn second(
        &self,
        compiled: &CompiledFunction,
        expressions: &mut Expressions,
    ) -> Result<TokenStream, String> {
        let both = |why: &str| {
            let (product, hessian) =
                (self.missing("hessian_vector_product", 1, why), self.missing("hessian", 0, why));
            Ok(quote!(#product #hessian))
        };
        let plan = match &compiled.hessian {
            Ok(plan) => plan,
            Err(why) => return both(&format!("its gradient has no gradient: {why}")),
        };
        let (name, sizes, floats) = (&self.ast.name, self.size_values(), self.floats());
        let count = floats.len();
        let names = self.xs();
        let mut arguments: Vec<String> = names.iter().map(Ident::to_string).collect();
        arguments.extend(places("v", count).chain(places("to", count)));
        let (steps, len) = body(plan, expressions, &arguments)?;
        let product = self.product();
        let hessian = match self.float_shapes().iter().map(Vec::len).max().unwrap_or(0) {
            most if 2 * most > MAX_RANK => {
                let why =
                    format!("it would have {} axes, and tensors have at most {MAX_RANK}", 2 * most);
                self.missing("hessian", 0, &why)
            }
            _ => {
                let hessian = self.hessian();
                quote!(impl #name { #hessian })
            }
        };
        Ok(quote! {
            impl #name {
                fn times_hessian_workspace(b: usize, #(#sizes: usize),*) -> usize {
                    #len
                }
                fn times_hessian<E: __n::Float, K: __n::Kernels<E>>(
                    k: &mut K, b: usize, #(#sizes: usize,)* #(#names: __n::Span,)*
                    v: [__n::Span; #count], to: [__n::Span; #count], base: usize,
                ) {
                    #steps
                }
                #product
            }
            #hessian
        })
    }

    /// `hessian_vector_product(&x, &v)`
    fn product(&self) -> TokenStream {
        let floats = self.floats();
        let (sizes, spans) = (self.size_values(), self.spans());
        let (device, mut given) = self.given();
        let (ty, made) = self.results(&self.float_shapes());
        let vector = match &floats[..] {
            [i] => More::Tensor(self.shape_type(self.sample(*i))),
            all => {
                let tensors = all.iter().map(|i| self.tensor(&[], *i));
                More::Tuple(quote!((#(&#tensors,)*)))
            }
        };
        let (mut vs, mut checks) = (vec![], TokenStream::new());
        for (j, &i) in floats.iter().enumerate() {
            let (slot, j) =
                (Literal::usize_unsuffixed(MAX_INPUTS + j), Literal::usize_unsuffixed(j));
            let v = if floats.len() == 1 { quote!(v) } else { quote!(v.#j) };
            given.push(quote!(__n::Given::<E, Dev>::Float(#slot, #v.buffer())));
            let len = numel(&self.ports[i].shape).tokens();
            vs.push(quote!(__n::span(__n::Slot::Input(#slot), 0, #len)));
            checks.extend(self.same_sizes("the vector for", i, &v, self.sample(i)));
        }
        let to = self.outputs(|i| numel(&self.ports[i].shape).tokens(), &quote!(0));
        let body = quote! {
            #checks
            let workspace = Self::times_hessian_workspace(b, #(#sizes),*);
            __n::pass(&Self::SIGNATURE, #device, &[#(#given),*], workspace, #made, |k| {
                Self::times_hessian(k, b, #(#sizes,)* #(#spans,)* [#(#vs),*], #to, 0)
            })
        };
        let text = match floats.len() {
            1 => "The product of the Hessian with a vector `v` of the input's shape.",
            _ => {
                "The product of the Hessian with a vector: `v` has a tensor for each float input, of its shape, and so \
                 has the result."
            }
        };
        self.exact("hessian_vector_product", text, &[("v", vector)], &ty, &body)
    }

    /// That a tensor has the sizes that it should have where they are known only at run time.
    fn same_sizes(&self, what: &str, i: usize, x: &TokenStream, shape: &[Dim]) -> TokenStream {
        let what = format!("{what} `{}` of `{}`", self.ports[i].name, self.ast.name);
        let sizes = shape.iter().map(Dim::tokens);
        quote!(__n::expect_sizes(#what, &[#(#sizes),*], #x)?;)
    }

    /// `hessian(&x)`
    fn hessian(&self) -> TokenStream {
        let floats = self.floats();
        let (sizes, spans) = (self.size_values(), self.spans());
        let (device, given) = self.given();
        let shapes = self.float_shapes();
        // The vector's parts lie one after another in front of the workspace of the product.
        let (mut offset, mut parts) = (Dim::literal(0), vec![]);
        for shape in &shapes {
            let (from, len) = (offset.tokens(), numel(shape).tokens());
            parts.push(quote!(__n::span(__n::Slot::Workspace, #from, #len)));
            offset = offset.add(&numel(shape));
        }
        let total = offset.tokens();
        let to = self.outputs(|i| numel(self.sample(i)).tokens(), &quote!(row));
        let (mut types, mut rows) = (vec![], vec![]);
        for (i, shape) in shapes.iter().enumerate() {
            let blocks: Vec<Vec<Dim>> =
                shapes.iter().map(|other| [shape.clone(), other.clone()].concat()).collect();
            let (ty, made) = self.results(&blocks);
            let i = Literal::usize_unsuffixed(i);
            rows.push(quote! {
                __n::pass(&Self::SIGNATURE, #device, &[#(#given),*], workspace, #made, |k| {
                    __n::basis(k, __n::span(__n::Slot::Workspace, 0, #total), v[#i], |k, row| {
                        Self::times_hessian(k, b, #(#sizes,)* #(#spans,)* v, #to, #total)
                    })
                })?
            });
            types.push(ty);
        }
        let (ty, rows) = (one_or_tuple(&types), one_or_tuple(&rows));
        let body = quote! {
            let v = [#(#parts),*];
            let workspace = usize::saturating_add(#total, Self::times_hessian_workspace(b, #(#sizes),*));
            Ok(#rows)
        };
        let text = match floats.len() {
            1 => "The Hessian: its axes are the input's, twice.",
            _ => {
                "The Hessian: a tuple of rows, one for each float input, of blocks, one for each float input; a block's \
                 axes are those of the one and then of the other."
            }
        };
        self.exact("hessian", text, &[], &ty, &body)
    }

    /// Everything about the calls of a function whose output is a tensor.
    pub fn tensor_output(
        &self,
        compiled: &CompiledTensorFunction,
        expressions: &mut Expressions,
    ) -> Result<TokenStream, String> {
        let as_loss = self.as_loss();
        if let Some(why) = self.unavailable() {
            let (vjp, jacobian) = (self.missing("vjp", 1, &why), self.missing("jacobian", 0, &why));
            return Ok(quote!(#as_loss #vjp #jacobian));
        }
        let (name, sizes) = (&self.ast.name, self.size_values());
        let count = self.floats().len();
        let names = self.xs();
        let mut arguments: Vec<String> = names.iter().map(Ident::to_string).collect();
        arguments.push("output".to_owned());
        let (value, value_len) = body(&compiled.value, expressions, &arguments)?;
        let of_vjp: Vec<String> = arguments.into_iter().chain(places("to", count)).collect();
        let (vjp, vjp_len) = body(&compiled.vjp, expressions, &of_vjp)?;
        let (tensors, declared) = (self.takes_tensors(0), self.declared());
        let (computed, product) = (self.computed(), self.vjp());
        let most = self.float_shapes().iter().map(Vec::len).max().unwrap_or(0) + self.output.len();
        let jacobian = match most {
            most if most > MAX_RANK => {
                let why = format!("it would have {most} axes, and tensors have at most {MAX_RANK}");
                self.missing("jacobian", 0, &why)
            }
            _ => {
                let jacobian = self.jacobian();
                quote!(impl #name { #jacobian })
            }
        };
        Ok(quote! {
            #as_loss
            #tensors
            impl #name {
                #declared
                fn value_workspace(b: usize, #(#sizes: usize),*) -> usize {
                    #value_len
                }
                fn value<E: __n::Float, K: __n::Kernels<E>>(
                    k: &mut K, b: usize, #(#sizes: usize,)* #(#names: __n::Span,)* output: __n::Span, base: usize,
                ) {
                    #value
                }
                fn vjp_workspace(b: usize, #(#sizes: usize),*) -> usize {
                    #vjp_len
                }
                fn vjp_pass<E: __n::Float, K: __n::Kernels<E>>(
                    k: &mut K, b: usize, #(#sizes: usize,)* #(#names: __n::Span,)* output: __n::Span,
                    to: [__n::Span; #count], base: usize,
                ) {
                    #vjp
                }
                #computed
                #product
            }
            #jacobian
        })
    }

    /// The value of tensors of the declared shapes.
    fn computed(&self) -> TokenStream {
        let (device, given) = self.given();
        let (sizes, spans) = (self.size_values(), self.spans());
        let (xs, types) = (self.xs(), self.size_types());
        let tensors = (0..xs.len()).map(|i| self.tensor(&[], i));
        let numbers = self.numbers();
        let (ty, made) = self.results(&[self.output.to_vec()]);
        let len = numel(self.output).tokens();
        quote! {
            fn computed<#(#types: __n::Dim,)* E: __n::Float, Dev: __n::Device<E>>(
                #(#xs: &#tensors),*
            ) -> __n::Result<#ty> {
                #numbers
                let workspace = Self::value_workspace(b, #(#sizes),*);
                __n::pass(&Self::SIGNATURE, #device, &[#(#given),*], workspace, #made, |k| {
                    Self::value(k, b, #(#sizes,)* #(#spans,)* __n::span(__n::Slot::Output(0), 0, #len), 0)
                })
            }
        }
    }

    /// `vjp(&x, &dy)`
    fn vjp(&self) -> TokenStream {
        let (device, mut given) = self.given();
        let (sizes, spans) = (self.size_values(), self.spans());
        let slot = Literal::usize_unsuffixed(MAX_INPUTS);
        given.push(quote!(__n::Given::<E, Dev>::Float(#slot, dy.buffer())));
        let (ty, made) = self.results(&self.float_shapes());
        let len = numel(self.output).tokens();
        let what = format!("the gradient with respect to the output of `{}`", self.ast.name);
        let expected = self.output.iter().map(Dim::tokens);
        let to = self.outputs(|i| numel(&self.ports[i].shape).tokens(), &quote!(0));
        let body = quote! {
            __n::expect_sizes(#what, &[#(#expected),*], dy)?;
            let workspace = Self::vjp_workspace(b, #(#sizes),*);
            __n::pass(&Self::SIGNATURE, #device, &[#(#given),*], workspace, #made, |k| {
                let dy = __n::span(__n::Slot::Input(#slot), 0, #len);
                Self::vjp_pass(k, b, #(#sizes,)* #(#spans,)* dy, #to, 0)
            })
        };
        let dy = More::Tensor(self.shape_type(self.output));
        let text = "The vector-Jacobian product: the gradient of the sum of output times `dy`, with respect to the float \
                    input, or the tuple of those with respect to each.";
        self.exact("vjp", text, &[("dy", dy)], &ty, &body)
    }

    /// `jacobian(&x)`
    fn jacobian(&self) -> TokenStream {
        let (device, given) = self.given();
        let (sizes, spans) = (self.size_values(), self.spans());
        let blocks: Vec<Vec<Dim>> = self
            .float_shapes()
            .into_iter()
            .map(|shape| [self.output.to_vec(), shape].concat())
            .collect();
        let (ty, made) = self.results(&blocks);
        let len = numel(self.output).tokens();
        let to = self.outputs(|i| numel(self.sample(i)).tokens(), &quote!(row));
        let body = quote! {
            let workspace = usize::saturating_add(#len, Self::vjp_workspace(b, #(#sizes),*));
            __n::pass(&Self::SIGNATURE, #device, &[#(#given),*], workspace, #made, |k| {
                let dy = __n::span(__n::Slot::Workspace, 0, #len);
                __n::basis(k, dy, dy, |k, row| {
                    Self::vjp_pass(k, b, #(#sizes,)* #(#spans,)* dy, #to, #len)
                })
            })
        };
        let text = "The Jacobian: the output's axes and then the float input's, or the tuple of those for each.";
        self.exact("jacobian", text, &[], &ty, &body)
    }
}
