//! Sizes as `usize` expressions of printed code.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{format_ident, quote, quote_spanned};

use super::{Atom, ConstExpr, Dim};
use crate::errors::Range;

/// Two expressions as one.
type Join = fn(TokenStream, TokenStream) -> TokenStream;

impl Dim {
    fn is_constant(&self) -> bool {
        self.0.atoms().all(|atom| match atom {
            Atom::Batch | Atom::Param(_) => false,
            Atom::Aligned(dim) => dim.is_constant(),
            Atom::Const(_) | Atom::Window(_) | Atom::Quotient(_) => true,
        })
    }

    /// A `usize` expression.
    pub fn tokens(&self) -> TokenStream {
        if self.is_constant() { self.total_tokens() } else { self.plain_tokens() }
    }

    /// An expression of constants that const evaluation can always evaluate: a size that is wrong is
    /// reported by the check that was printed for it, not by every expression that it is part of.
    fn total_tokens(&self) -> TokenStream {
        self.written(
            |a, b| quote!(usize::saturating_mul(#a, #b)),
            |a, b| quote!(usize::saturating_add(#a, #b)),
        )
    }

    fn plain_tokens(&self) -> TokenStream {
        self.written(|a, b| quote!(#a * #b), |a, b| quote!(#a + #b))
    }

    /// No difference is below 0: of sizes that are known only at run time one may be too small, which the check
    /// that was printed for it reports.
    fn written(&self, times: Join, plus: Join) -> TokenStream {
        let term = |(atoms, n): (&[Atom], i128)| {
            let size = u64::try_from(n).unwrap_or(u64::MAX);
            let literal = Literal::u64_unsuffixed(size);
            let mut factors: Vec<TokenStream> = atoms.iter().map(Atom::tokens).collect();
            if size != 1 || factors.is_empty() {
                factors.insert(0, quote!(#literal));
            }
            factors.into_iter().reduce(times)
        };
        let sum =
            |dim: &Dim| dim.0.iter().filter_map(term).reduce(plus).unwrap_or_else(|| quote!(0));
        let (plus, minus) = self.split();
        let positive = sum(&plus);
        match minus.is_zero() {
            true => positive,
            false => {
                let negative = sum(&minus);
                quote!(usize::saturating_sub(#positive, #negative))
            }
        }
    }
}

/// What the number of a generic size is called in printed code: nothing else has such a name.
pub fn param_ident(name: &str) -> Ident {
    format_ident!("__size_{}", name)
}

impl Atom {
    fn tokens(&self) -> TokenStream {
        match self {
            Atom::Batch => quote!(b),
            Atom::Param(name) => {
                let name = param_ident(name);
                quote!(#name)
            }
            Atom::Const(c) => {
                let alias = c.alias();
                quote!(#alias)
            }
            Atom::Quotient(q) => {
                let (over, by) = (q.over.tokens(), q.by.tokens());
                quote!(::netform::device::quotient(#over, #by))
            }
            Atom::Aligned(dim) => {
                let size = dim.tokens();
                quote!(::netform::device::aligned(#size))
            }
            Atom::Window(w) => {
                let [size, kernel, stride, padding, dilation] =
                    [&w.size, &w.kernel, &w.stride, &w.padding, &w.dilation].map(Dim::tokens);
                quote!(::netform::device::window(#size, #kernel, #stride, #padding, #dilation))
            }
        }
    }
}

impl ConstExpr {
    /// As a number that is no size. It is at the user's tokens: what is no number is an error there, one however
    /// often it is printed.
    pub fn number(&self) -> TokenStream {
        let (tokens, at) = (&self.tokens, Range::of(&self.tokens).start());
        quote_spanned!(at=> (#tokens) as f64)
    }
}
