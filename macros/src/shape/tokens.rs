//! Sizes as `usize` expressions of printed code.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{ToTokens, format_ident, quote_spanned};

use super::{Atom, ConstExpr, Dim, Terms};
use crate::errors::Range;

/// Two expressions as one.
type Join = fn(String, String) -> String;

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
        match self.as_literal() {
            Some(n) => Literal::u64_unsuffixed(u64::try_from(n).unwrap_or(0)).to_token_stream(),
            // Names and numbers are all that it consists of.
            None => self.code().parse().unwrap_or_default(),
        }
    }

    /// The same as text: of constants, an expression that const evaluation can always evaluate. A size that is
    /// wrong is reported by the check that was printed for it, not by every expression that it is part of.
    pub fn code(&self) -> String {
        match self.is_constant() {
            true => self.written(
                |a, b| format!("usize::saturating_mul({a}, {b})"),
                |a, b| format!("usize::saturating_add({a}, {b})"),
            ),
            false => self.written(|a, b| format!("{a} * {b}"), |a, b| format!("{a} + {b}")),
        }
    }

    /// No difference is below 0: of sizes that are known only at run time one may be too small, which the check
    /// that was printed for it reports.
    fn written(&self, times: Join, plus: Join) -> String {
        let term = |(atoms, n): (&[Atom], i128)| {
            let size = u64::try_from(n).unwrap_or(u64::MAX);
            let number = (size != 1 || atoms.is_empty()).then(|| size.to_string());
            number.into_iter().chain(atoms.iter().map(Atom::code)).reduce(times)
        };
        let sum = |dim: &Dim| {
            dim.0.iter().filter_map(term).reduce(plus).unwrap_or_else(|| "0".to_owned())
        };
        let (plus, minus) = self.split();
        let positive = sum(&plus);
        match minus.is_zero() {
            true => positive,
            false => format!("usize::saturating_sub({positive}, {})", sum(&minus)),
        }
    }

    /// The number and the multiple of the batch that it is the sum of, where neither is negative.
    pub fn as_linear(&self) -> Option<(u64, u64)> {
        let Terms::Linear { number, samples } = self.0 else { return None };
        Some((u64::try_from(number).ok()?, u64::try_from(samples).ok()?))
    }
}

/// What the number of a generic size is called in printed code: nothing else has such a name.
pub fn param_ident(name: &str) -> Ident {
    format_ident!("__size_{}", name)
}

impl Atom {
    fn code(&self) -> String {
        match self {
            Atom::Batch => "b".to_owned(),
            Atom::Param(name) => param_ident(name).to_string(),
            Atom::Const(c) => c.alias().to_string(),
            Atom::Quotient(q) => {
                format!("::netform::device::quotient({}, {})", q.over.code(), q.by.code())
            }
            Atom::Aligned(dim) => format!("::netform::device::aligned({})", dim.code()),
            Atom::Window(w) => {
                let [size, kernel, stride, padding, dilation] =
                    [&w.size, &w.kernel, &w.stride, &w.padding, &w.dilation].map(Dim::code);
                format!(
                    "::netform::device::window({size}, {kernel}, {stride}, {padding}, {dilation})"
                )
            }
        }
    }
}

impl ConstExpr {
    /// The const item that printed code has for it as a number.
    pub fn number_alias(&self) -> Ident {
        format_ident!("{}_number", self.alias())
    }

    /// As a number that is no size. It is at the user's tokens: what is no number is an error there, one however
    /// often it is printed.
    pub fn number(&self) -> TokenStream {
        let (tokens, at) = (&self.tokens, Range::of(&self.tokens).start());
        quote_spanned!(at=> (#tokens) as f64)
    }
}
