//! What a network takes: `Feed` for references to tensors of its inputs' shapes.

use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote};
use syn::Lifetime;

use super::Printer;

impl Printer<'_> {
    /// `impl Feed<Net<..>> for (&Tensor<(B, D<784>), E, Dev>, &Tensor<(B,), u32, Dev>)`
    pub fn feed(&self) -> Result<TokenStream, String> {
        let inputs =
            self.inputs().map(|shape| self.sizes.types(shape)).collect::<Result<Vec<_>, _>>()?;
        let (inputs, fresh, same) = self.sizes.matched(&inputs);
        let lifetimes: Vec<Lifetime> = (0..inputs.len())
            .map(|i| Lifetime::new(&format!("'x{i}"), proc_macro2::Span::call_site()))
            .collect();
        let elements = (0..inputs.len()).map(|i| self.element(i));
        let tensors: Vec<TokenStream> = inputs
            .iter()
            .zip(&lifetimes)
            .zip(elements)
            .map(|((dims, x), element)| quote!(&#x __n::Tensor<(B, #(#dims,)*), #element, Dev>))
            .collect();
        let takes = Self::one_or_tuple(&tensors);
        let each: Vec<TokenStream> = match inputs.len() {
            1 => vec![quote!(self)],
            n => (0..n).map(Literal::usize_unsuffixed).map(|i| quote!(self.#i)).collect(),
        };
        let slots = (0..inputs.len()).map(|i| {
            let slots = if self.chain.graph.inputs[i].integer { "indices" } else { "inputs" };
            let (slots, i) = (format_ident!("{}", slots), Literal::usize_unsuffixed(i));
            quote!(to.#slots[#i])
        });
        let (name, arguments) = (&self.name, self.arguments());
        let (head, clause) =
            (self.head(quote!(#(#lifetimes,)* B: __n::Dim, #fresh)), self.sizes.clause());
        Ok(quote! {
            #[diagnostic::do_not_recommend]
            #head __n::Feed<#name #arguments> for #takes where #clause #same {
                fn extent(&self) -> __n::Result<__n::Extent> {
                    __n::extent::<#name #arguments>(&[#(__n::Shape::sizes(&#each.shape())),*])
                }
                fn bind<'a>(&'a self, to: &mut __n::Bindings<'a, E, Dev>) {
                    #(#slots = Some(#each.buffer());)*
                }
            }
        })
    }
}
