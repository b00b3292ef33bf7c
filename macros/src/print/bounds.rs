//! What the sizes of a generic network must satisfy, as one bound: a trait of the network's own, which the
//! tuple of its sizes implements. It also has the sizes that are computed from them as types.
//!
//! rustc proves nothing about sums and products. What the macro cannot prove either is left to typenum, for
//! each use of the network with sizes of its own: an error of `cargo check` there, in decimals.

mod memory;

use std::collections::{BTreeSet, HashMap};

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::Ident;

use super::{Printer, Sizes, is_generic};
use crate::emit::dim_type;
use crate::errors::Range;
use crate::lower::{Check, Condition, Part};
use crate::shape::{Atom, Dim, numel};

impl Printer<'_> {
    /// The trait, at the item's side, and its implementation with the conditions, for the inner scope.
    pub fn bounds(&self) -> (TokenStream, TokenStream) {
        let Some(name) = self.sizes.bound_name() else {
            return (TokenStream::new(), TokenStream::new());
        };
        let (vis, computed) = (&self.ast.vis, self.sizes.computed());
        let types =
            computed.iter().map(|(dim, name)| match self.sizes.has_len([dim].into_iter()) {
                true => quote!(#[doc(hidden)] type #name: ::netform::dim::Dim;),
                false => quote!(#[doc(hidden)] type #name: ::netform::dim::Static;),
            });
        let doc = format!(
            "What the sizes of `{}` satisfy: a bound for code that is generic over them.",
            self.ast.name
        );
        let message = format!(
            "`{{Self}}` are not known to be sizes that network `{}` can have",
            self.ast.name
        );
        let (declared, names) = (self.sizes.bounds(), self.sizes.names());
        let (memory, fits) = self.in_memory(&message).unzip();
        let first = self.sizes.memory_name();
        let extends = first.map(|first| quote!(: #first<Sizes = Self>));
        let first = first.map(|first| quote!((#names): #first<Sizes = (#names)>,));
        let item = quote! {
            #memory
            #[doc = #doc]
            #[diagnostic::on_unimplemented(message = #message)]
            #vis trait #name #extends { #(#types)* }
        };
        let mut types = Types::new(&self.sizes);
        let conditions = conditions(self.generic_checks(), &self.ast.name, &mut types);
        let mut values = TokenStream::new();
        for (dim, name) in computed {
            let value = types.of(dim);
            if !self.sizes.has_len([dim].into_iter()) {
                types.bound(&value, &quote!(__n::Static));
            }
            values.extend(quote!(type #name = #value;));
        }
        let bounds = &types.bounds;
        // Notes point at the network's name, not at the whole of `network!`.
        let head = Range::of(&self.ast.name).over(quote!(impl<#declared> #name for (#names)));
        let implementation = quote! {
            #fits
            #conditions
            #[doc(hidden)]
            #head where #first #(#bounds,)* { #values }
        };
        (item, implementation)
    }
}

/// Traits for conditions of an item, and bounds that ask for them; memory is another matter.
fn conditions<'c>(
    checks: impl Iterator<Item = &'c Check>,
    of: &Ident,
    types: &mut Types,
) -> TokenStream {
    let (mut all, mut counts) = (TokenStream::new(), HashMap::new());
    for check in checks {
        let count = counts.entry(std::mem::discriminant(&check.condition)).or_insert(0_usize);
        all.extend(condition(check, (*count, of), types));
        *count += 1;
    }
    all
}

/// What the generic sizes of a function must satisfy, which its implementations for tensors ask for: traits, and the
/// bounds of one implementation, whose type parameters `sizes` says.
pub fn of_function<'c>(
    checks: impl Iterator<Item = &'c Check> + Clone,
    name: &Ident,
    sizes: &Sizes,
) -> (TokenStream, Vec<TokenStream>) {
    let (fits, mut bounds, _) = memory::conditions(checks.clone(), name, sizes);
    let mut types = Types::new(sizes);
    let others = conditions(checks, name, &mut types);
    bounds.extend(types.bounds);
    (quote!(#fits #others), bounds)
}

/// A trait for a condition, whose message is the check's; `i` tells it from others of its kind.
fn condition(check: &Check, (i, of): (usize, &Ident), types: &mut Types) -> TokenStream {
    let mut dims: Vec<Dim> = vec![];
    let mut place = |dim: &Dim| {
        let at = dims.iter().position(|other| other == dim).unwrap_or(dims.len());
        if at == dims.len() {
            dims.push(dim.clone());
        }
        format_ident!("N{}", at)
    };
    let (kind, pairs) = match &check.condition {
        Condition::Equal(pairs) => ("EqualTo", pairs.clone()),
        Condition::Divisible { over, by } => ("DivisibleBy", vec![(over.clone(), by.clone())]),
        Condition::More(a, b) => ("MoreThan", vec![(a.clone(), b.clone())]),
        Condition::AtLeast(a, b) => ("AtLeast", vec![(a.clone(), b.clone())]),
        Condition::Memory(_) => return TokenStream::new(),
    };
    let holds = pairs.iter().map(|(a, b)| {
        let (a, b) = match kind {
            "DivisibleBy" => (a.clone(), b.clone()),
            _ => balanced(a, b),
        };
        let (a, b) = (place(&a), place(&b));
        (a, b)
    });
    let holds: Vec<(Ident, Ident)> = holds.collect();
    let message = message(&check.message, &mut place);
    let label = format!("these sizes do not fit `{of}`");
    let (kind, name) = (format_ident!("{}", kind), condition_name(kind, i, of));
    let (a, b): (Vec<_>, Vec<_>) = holds.into_iter().unzip();
    let others: Vec<Ident> = (1..dims.len()).map(|i| format_ident!("N{}", i)).collect();
    let mut arguments = dims.iter().map(|dim| types.of(dim)).collect::<Vec<_>>();
    // With another `Self` than the bound has, rustc takes the message from here.
    let first = arguments.remove(0);
    // Where it is not met, a note points at the size or layer that asks for it.
    types.bounds.push(check.at.over(quote!(#first: #name<#(#arguments),*>)));
    quote! {
        #[diagnostic::on_unimplemented(message = #message, label = #label)]
        pub trait #name<#(#others),*> {}
        #[diagnostic::do_not_recommend]
        impl<N0: __n::Dim, #(#others: __n::Dim),*> #name<#(#others),*> for N0
        where
            #(#a: __n::#kind<#b>,)*
        {
        }
    }
}

/// The name of a trait for a condition, the `i`th of its kind; the item `of` which it is has another.
fn condition_name(kind: &str, i: usize, of: &Ident) -> Ident {
    match i {
        0 if of == kind => format_ident!("{}_", kind),
        0 => format_ident!("{}", kind),
        _ => format_ident!("{}{}", kind, i),
    }
}

/// Text in a message that rustc fills types into.
fn escaped(text: &str) -> String {
    text.replace('{', "{{").replace('}', "}}")
}

/// Both sides without a minus sign.
fn balanced(a: &Dim, b: &Dim) -> (Dim, Dim) {
    let ((a, less_a), (b, less_b)) = (a.split(), b.split());
    (a.add(&less_b), b.add(&less_a))
}

/// A message with the places of types in it.
fn message(parts: &[Part], place: &mut impl FnMut(&Dim) -> Ident) -> String {
    let mut size = |dim: &Dim| match dim.as_literal() {
        Some(n) => n.to_string(),
        None => match place(dim) {
            first if first == "N0" => "{Self}".to_owned(),
            other => format!("{{{other}}}"),
        },
    };
    let shape = |shape: &[Dim], size: &mut dyn FnMut(&Dim) -> String| {
        let sizes: Vec<String> = shape.iter().map(size).collect();
        format!("[{}]", sizes.join(", "))
    };
    let part = |part: &Part| match part {
        Part::Text(text) => escaped(text),
        Part::Number(dim) => size(dim),
        Part::Shape(dims) => shape(dims, &mut size),
        Part::Total(dims) if dims.len() == 1 => size(&dims[0]),
        Part::Total(dims) => {
            let total = size(&numel(dims));
            format!("{} = {total}", shape(dims, &mut size))
        }
    };
    parts.iter().map(part).collect()
}

/// Sizes as types, and the bounds that rustc needs to compute them.
struct Types<'s> {
    sizes: &'s Sizes,
    bounds: Vec<TokenStream>,
    seen: BTreeSet<String>,
}

impl<'s> Types<'s> {
    fn new(sizes: &'s Sizes) -> Self {
        Types { sizes, bounds: vec![], seen: BTreeSet::new() }
    }

    fn bound(&mut self, of: &TokenStream, is: &TokenStream) {
        let bound = quote!(#of: #is);
        if self.seen.insert(bound.to_string()) {
            self.bounds.push(bound);
        }
    }

    fn apply(&mut self, a: &TokenStream, operator: &str, b: &TokenStream) -> TokenStream {
        let operator = format_ident!("{}", operator);
        self.bound(a, &quote!(__n::#operator<#b>));
        quote!(<#a as __n::#operator<#b>>::Out)
    }

    fn of(&mut self, dim: &Dim) -> TokenStream {
        if !is_generic(std::iter::once(dim)) {
            return dim_type(dim);
        }
        if let Some(param) = self.sizes.param_type(dim) {
            return param;
        }
        let (plus, minus) = dim.split();
        let plus = self.sum(&plus);
        if minus.is_zero() {
            return plus;
        }
        let minus = self.sum(&minus);
        self.apply(&plus, "Minus", &minus)
    }

    fn sum(&mut self, dim: &Dim) -> TokenStream {
        let mut terms = dim.terms().into_iter().map(|term| self.term(&term)).collect::<Vec<_>>();
        let mut sum = terms.pop().unwrap_or_else(|| dim_type(&Dim::literal(0)));
        for term in terms.into_iter().rev() {
            sum = self.apply(&sum, "Plus", &term);
        }
        sum
    }

    /// A product: the constants of it are one factor.
    fn term(&mut self, term: &Dim) -> TokenStream {
        let Some((n, atoms)) = term.as_term() else { return dim_type(term) };
        let (open, constant): (Vec<Atom>, Vec<Atom>) = atoms
            .into_iter()
            .partition(|atom| is_generic(std::iter::once(&Dim::atom(atom.clone()))));
        let constant = Dim::from_term(n, constant);
        let mut factors: Vec<TokenStream> = open.iter().map(|atom| self.atom(atom)).collect();
        if !constant.is_one() || factors.is_empty() {
            factors.insert(0, dim_type(&constant));
        }
        let mut factors = factors.into_iter();
        let first = factors.next().unwrap_or_else(|| dim_type(&Dim::one()));
        factors.fold(first, |product, factor| self.apply(&product, "Times", &factor))
    }

    fn atom(&mut self, atom: &Atom) -> TokenStream {
        match atom {
            Atom::Quotient(q) => {
                let (over, by) = (self.of(&q.over), self.of(&q.by));
                self.apply(&over, "Over", &by)
            }
            Atom::Window(w) => {
                // floor((size + 2 padding - dilation (kernel - 1) - 1) / stride) + 1
                let (room, reach) =
                    Dim::room_and_reach(&w.size, &w.kernel, &w.padding, &w.dilation);
                let (rest, stride) = (self.of(&room.sub(&reach)), self.of(&w.stride));
                let steps = self.apply(&rest, "Over", &stride);
                self.apply(&steps, "Plus", &dim_type(&Dim::one()))
            }
            other => self.of(&Dim::atom(other.clone())),
        }
    }
}
