//! That memory can hold what a network makes of its generic sizes: a trait of its own, which the bound of the other
//! conditions asks for. A number that is larger has no type, and so the others could not be asked.

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::{Types, condition_name, escaped};
use crate::errors::Range;
use crate::lower::{Check, Condition, Part, render};
use crate::print::sizes::is_computed;
use crate::print::{Printer, Sizes};
use crate::shape::{Dim, show};

impl Printer<'_> {
    /// The trait at the item's side, and its implementation; nothing where every value has as many elements as one
    /// size says. `message` is for sizes of which nothing is known.
    pub fn in_memory(&self, message: &str) -> Option<(TokenStream, TokenStream)> {
        let (vis, name) = (&self.ast.vis, self.sizes.memory_name()?);
        let (conditions, bounds, fits) =
            conditions(self.generic_checks(), &self.ast.name, &self.sizes);
        let (declared, names) = (self.sizes.dims(), self.sizes.names());
        let head = Range::of(&self.ast.name).over(quote!(impl<#declared> #name for (#names)));
        let item = quote! {
            #[doc(hidden)]
            #[diagnostic::on_unimplemented(message = #message)]
            #vis trait #name { type Sizes; }
        };
        let implementation = quote! {
            #conditions
            #[doc(hidden)]
            #head where #(#bounds,)* #fits: __n::Known<(#names)> {
                type Sizes = <#fits as __n::Known<(#names)>>::Then;
            }
        };
        Some((item, implementation))
    }
}

/// Traits for the conditions, the bounds that ask for them, and a type that rustc knows where they hold.
pub fn conditions<'c>(
    checks: impl Iterator<Item = &'c Check>,
    of: &Ident,
    sizes: &Sizes,
) -> (TokenStream, Vec<TokenStream>, TokenStream) {
    let totals = checks.filter_map(|check| match &check.condition {
        Condition::Memory(total) if is_computed(total) => Some((check, total)),
        _ => None,
    });
    let (mut all, mut bounds, mut fits) = (TokenStream::new(), vec![], quote!(()));
    // One that does not hold leaves open what comes next, so that it is the only error.
    for (i, (check, total)) in totals.enumerate() {
        let (name, params) = (condition_name("Fits", i, of), sizes.params(total));
        all.extend(condition(check, total, (&name, of), sizes));
        bounds.push(check.at.over(quote!(#fits: #name<#(#params),*>)));
        fits = quote!(<#fits as #name<#(#params),*>>::Fits);
    }
    (all, bounds, fits)
}

/// A trait for the condition that memory holds a value: that its number of elements is a size.
fn condition(
    check: &Check,
    total: &Dim,
    (name, of): (&Ident, &Ident),
    sizes: &Sizes,
) -> TokenStream {
    let mut number = Types::new(sizes);
    let elements = number.of(total);
    let part = |part: &Part| match part {
        Part::Shape(shape) => format!("{}{}", escaped(&show(shape)), sizes.given(shape)),
        other => escaped(&render(std::slice::from_ref(other))),
    };
    let message: String = check.message.iter().map(part).collect();
    let label = format!("these sizes do not fit `{of}`");
    let (params, bounds) = (sizes.params(total), &number.bounds);
    quote! {
        #[diagnostic::on_unimplemented(message = #message, label = #label)]
        pub trait #name<#(#params),*> { type Fits; }
        #[diagnostic::do_not_recommend]
        impl<#(#params: __n::Dim),*> #name<#(#params),*> for ()
        where
            #(#bounds,)*
            #elements: __n::Known<()>,
        {
            type Fits = <#elements as __n::Known<()>>::Then;
        }
    }
}
