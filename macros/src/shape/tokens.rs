//! Sizes as `usize` expressions of printed code.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{ToTokens, format_ident, quote_spanned};

use super::{Atom, ConstExpr, Dim, Terms};
use crate::errors::Range;

/// Two expressions as one.
type Join = fn(String, String) -> String;

impl Dim {
    /// Whether it is a size of one sample: no number of samples is in it.
    fn is_of_sample(&self) -> bool {
        self.0.atoms().all(|atom| match atom {
            Atom::Batch => false,
            Atom::Aligned(dim) => dim.is_of_sample(),
            Atom::Param(_) | Atom::Const(_) | Atom::Window(_) | Atom::Quotient(_) => true,
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

    /// As many elements as memory is asked for: too many for a `usize` are its largest number, which no memory has.
    pub fn length(&self) -> TokenStream {
        match self.as_literal() {
            Some(_) => self.tokens(),
            None => self.saturating().parse().unwrap_or_default(),
        }
    }

    /// The same as text: of a sample, an expression that const evaluation can always evaluate, and that never wraps.
    /// A size that is wrong is reported by the check that was printed for it, not by every expression that it is
    /// part of. What is of a batch lies in memory that there is, and its numbers do not wrap either.
    pub fn code(&self) -> String {
        match self.is_of_sample() {
            true => self.saturating(),
            false => {
                self.written(|a, b| format!("{a} * {b}"), |a, b| format!("{a} + {b}"), Dim::code)
            }
        }
    }

    fn saturating(&self) -> String {
        self.written(
            |a, b| format!("usize::saturating_mul({a}, {b})"),
            |a, b| format!("usize::saturating_add({a}, {b})"),
            Dim::saturating,
        )
    }

    /// No difference is below 0: of sizes that are known only at run time one may be too small, which the check
    /// that was printed for it reports.
    fn written(&self, times: Join, plus: Join, inner: fn(&Dim) -> String) -> String {
        let term = |(atoms, n): (&[Atom], i128)| {
            let size = u64::try_from(n).unwrap_or(u64::MAX);
            let number = (size != 1 || atoms.is_empty()).then(|| size.to_string());
            let atoms = atoms.iter().map(|atom| atom.code(inner));
            number.into_iter().chain(atoms).reduce(times)
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
    /// Its sizes as `code` writes them.
    fn code(&self, code: fn(&Dim) -> String) -> String {
        match self {
            Atom::Batch => "b".to_owned(),
            Atom::Param(name) => param_ident(name).to_string(),
            Atom::Const(c) => c.alias().to_string(),
            Atom::Quotient(q) => {
                format!("::netform::device::quotient({}, {})", code(&q.over), code(&q.by))
            }
            Atom::Aligned(dim) => format!("::netform::device::aligned({})", code(dim)),
            Atom::Window(w) => {
                let [size, kernel, stride, padding, dilation] =
                    [&w.size, &w.kernel, &w.stride, &w.padding, &w.dilation].map(code);
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
