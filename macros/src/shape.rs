//! Symbolic sizes: polynomials over the batch, generic parameters and constants that the macro cannot
//! see into. What is equal as a polynomial is proved; the rest is left to const evaluation.

use std::collections::BTreeSet;
use std::fmt;
use std::hash::{Hash, Hasher};

use proc_macro2::{Ident, TokenStream};
use quote::format_ident;

mod terms;
#[cfg(test)]
mod tests;
mod tokens;

use terms::{Monomial, Terms};

pub use tokens::param_ident;

/// What a size is made of besides literals.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Atom {
    /// The number of samples: `b` in printed code.
    Batch,
    /// A generic parameter, a run-time value in printed code.
    Param(String),
    /// A constant of the user's.
    Const(ConstExpr),
    /// The number of windows that fit an axis.
    Window(Box<WindowSize>),
    /// A quotient that is no polynomial; that it leaves no remainder is left to const evaluation.
    Quotient(Box<Quotient>),
    /// The size, or the next larger one that is a multiple of 16: where buffers begin.
    Aligned(Box<Dim>),
}

/// `over / by`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Quotient {
    pub over: Dim,
    pub by: Dim,
}

/// The arguments of `window(size, kernel, stride, padding, dilation)`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WindowSize {
    pub size: Dim,
    pub kernel: Dim,
    pub stride: Dim,
    pub padding: Dim,
    pub dilation: Dim,
}

/// A const item or const expression: its tokens, compared by their text.
#[derive(Clone)]
pub struct ConstExpr {
    pub text: String,
    pub tokens: TokenStream,
}

impl ConstExpr {
    /// The const item that printed code has for it: the user's tokens are printed once, so that a mistake
    /// in them is reported once.
    pub fn alias(&self) -> Ident {
        let word = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
        let plain: String = self.text.chars().take(40).map(word).collect();
        // FNV-1a: expressions that differ in other characters have different names.
        let hash = self.text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        format_ident!("__{plain}_{:08x}", hash >> 32)
    }
}

impl PartialEq for ConstExpr {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}
impl Eq for ConstExpr {}
impl Hash for ConstExpr {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}
impl PartialOrd for ConstExpr {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for ConstExpr {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.text.cmp(&other.text)
    }
}

/// A size: a sum of integer multiples of products of atoms. Sums that overflow saturate; a size above
/// [`Dim::LARGEST`] is reported where it arises.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Dim(Terms);

/// The axes of a value, outermost first. The batch is an axis like any other.
pub type Shape = Vec<Dim>;

impl Dim {
    /// The largest size: what four groups of digits can write, and more elements than memory can hold.
    pub const LARGEST: i128 = 999_999_999_999;

    pub fn literal(n: impl TryInto<i128>) -> Dim {
        Dim(Terms::number(n.try_into().unwrap_or(i128::MAX)))
    }

    pub fn atom(atom: Atom) -> Dim {
        Dim::from_term(1, vec![atom])
    }

    pub fn one() -> Dim {
        Dim(Terms::number(1))
    }

    pub fn batch() -> Dim {
        Dim(Terms::Linear { number: 0, samples: 1 })
    }

    /// The value, where it has no atoms.
    pub fn as_literal(&self) -> Option<i128> {
        match self.0 {
            Terms::Linear { number, samples: 0 } => Some(number),
            _ => None,
        }
    }

    pub fn is_one(&self) -> bool {
        matches!(self.0, Terms::Linear { number: 1, samples: 0 })
    }

    pub fn is_zero(&self) -> bool {
        matches!(self.0, Terms::Linear { number: 0, samples: 0 })
    }

    /// Coefficient and atoms, where there is one term; `(0, [])` for zero.
    pub fn as_term(&self) -> Option<(i128, Monomial)> {
        self.0.single().map(|(n, atoms)| (n, atoms.to_vec()))
    }

    /// The terms of the sum.
    pub fn terms(&self) -> Vec<Dim> {
        self.0.iter().map(|(atoms, n)| Dim::from_term(n, atoms.to_vec())).collect()
    }

    pub fn from_term(coefficient: i128, atoms: Monomial) -> Dim {
        Dim(Terms::one(coefficient, atoms))
    }

    pub fn add(&self, other: &Dim) -> Dim {
        Dim(match (&self.0, &other.0) {
            (Terms::Linear { number: a, samples: b }, Terms::Linear { number: c, samples: d }) => {
                Terms::Linear { number: a.saturating_add(*c), samples: b.saturating_add(*d) }
            }
            (a, b) => Terms::sum(a.iter().chain(b.iter())),
        })
    }

    pub fn sub(&self, other: &Dim) -> Dim {
        if self == other {
            return Dim::literal(0);
        }
        self.add(&other.mul(&Dim::literal(-1)))
    }

    /// A quotient times what it is divided by is what was divided: that it leaves no remainder is checked
    /// where it is declared.
    pub fn mul(&self, other: &Dim) -> Dim {
        match (&self.0, &other.0) {
            (Terms::Linear { number: n, samples: 0 }, Terms::Linear { number, samples })
            | (Terms::Linear { number, samples }, Terms::Linear { number: n, samples: 0 }) => {
                let (number, samples) = (number.saturating_mul(*n), samples.saturating_mul(*n));
                return Dim(Terms::Linear { number, samples });
            }
            _ if self.is_one() => return other.clone(),
            _ if other.is_one() => return self.clone(),
            _ => {}
        }
        let mut product = Dim::literal(0);
        for (a, m) in self.0.iter() {
            for (b, n) in other.0.iter() {
                let mut atoms = [a, b].concat();
                atoms.sort();
                let term = Dim::from_term(m.saturating_mul(n), atoms).reduced();
                product = product.add(&term);
            }
        }
        product
    }

    /// One term without a quotient beside its divisor: `(D / H) * H` is `D`, since no quotient leaves a
    /// remainder. Of a divisor with several terms the one of most factors is taken, so that this ends.
    fn reduced(self) -> Dim {
        if !self.0.atoms().any(|atom| matches!(atom, Atom::Quotient(_))) {
            return self;
        }
        let Some((n, atoms)) = self.as_term() else { return self };
        for (i, atom) in atoms.iter().enumerate() {
            let Atom::Quotient(q) = atom else { continue };
            let degree = |(atoms, _): &(&[Atom], i128)| (atoms.len(), atoms.to_vec());
            let Some((lead, m)) = q.by.0.iter().max_by_key(degree) else { continue };
            let mut rest = atoms.clone();
            rest.remove(i);
            let found = lead.iter().all(|atom| {
                rest.iter().position(|other| other == atom).map(|at| rest.remove(at)).is_some()
            });
            if !found || n % m != 0 {
                continue;
            }
            let others = q.by.sub(&Dim::from_term(m, lead.to_vec()));
            let quotient = Dim::atom(atom.clone());
            let value = q.over.sub(&others.mul(&quotient));
            return Dim::from_term(n / m, rest).mul(&value);
        }
        self
    }

    /// The difference from another size, times the divisors of the quotients in it: 0 where the two are equal,
    /// and a literal other than 0 only where they are not.
    pub fn differs(&self, other: &Dim) -> Dim {
        let mut difference = self.sub(other);
        for _ in 0..4 {
            let quotients = difference.quotients();
            let Some(by) = quotients.first().map(|q| q.by.clone()) else { break };
            difference = difference.mul(&by);
        }
        difference
    }

    /// The quotient, where it is a polynomial and `other` has one term.
    pub fn div(&self, other: &Dim) -> Option<Dim> {
        let (n, divisor) = other.0.single().filter(|(n, _)| *n != 0)?;
        let mut quotient = vec![];
        for (atoms, m) in self.0.iter() {
            if m % n != 0 {
                return None;
            }
            let mut rest = atoms.to_vec();
            for atom in divisor {
                rest.remove(rest.iter().position(|a| a == atom)?);
            }
            quotient.push((rest, m / n));
        }
        Some(Dim(Terms::sum(quotient.iter().map(|(atoms, n)| (atoms.as_slice(), *n)))))
    }

    /// How many windows fit: a literal where everything is known, else an atom.
    pub fn window(size: &Dim, kernel: &Dim, stride: &Dim, padding: &Dim, dilation: &Dim) -> Dim {
        let known = [size, kernel, stride, padding, dilation].map(Dim::as_literal);
        if let [Some(h), Some(k), Some(s), Some(p), Some(d)] = known {
            let room = h.saturating_add(p.saturating_mul(2));
            let reach = d.saturating_mul(k - 1).saturating_add(1);
            let fits = s > 0 && k > 0 && room >= reach;
            return Dim::literal(if fits { (room - reach) / s + 1 } else { 0 });
        }
        let [size, kernel, stride, padding, dilation] =
            [size, kernel, stride, padding, dilation].map(Dim::clone);
        Dim::atom(Atom::Window(Box::new(WindowSize { size, kernel, stride, padding, dilation })))
    }

    /// What a window has room in, and how far it reaches: it fits where the second is not larger.
    pub fn room_and_reach(size: &Dim, kernel: &Dim, padding: &Dim, dilation: &Dim) -> (Dim, Dim) {
        let room = size.add(&padding.mul(&Dim::literal(2)));
        let reach = dilation.mul(&kernel.sub(&Dim::one())).add(&Dim::one());
        (room, reach)
    }

    /// The parameters with which the size is positive, where nothing else can make it 0: it has no minus, and
    /// nothing but parameters and quotients of such sizes in it.
    pub fn positive_with(&self) -> Option<BTreeSet<String>> {
        let mut params = BTreeSet::new();
        for (atoms, n) in self.0.iter() {
            if n < 0 {
                return None;
            }
            for atom in atoms {
                match atom {
                    Atom::Param(name) => drop(params.insert(name.clone())),
                    Atom::Quotient(q) => params.extend(q.over.positive_with()?),
                    _ => return None,
                }
            }
        }
        (!params.is_empty()).then_some(params)
    }

    /// Whether a generic size is not larger than another whatever its parameters are, all of which are at least 1:
    /// each of its terms has a term of the other's with all its factors.
    pub fn is_within(&self, other: &Dim) -> bool {
        let mut larger: Vec<(&[Atom], i128)> = other.0.iter().collect();
        let holds = |(atoms, n): (&[Atom], i128), (factors, m): (&[Atom], i128)| {
            let mut rest = factors.to_vec();
            let mut take = |atom| rest.iter().position(|it| it == atom).map(|at| rest.remove(at));
            n <= m && atoms.iter().all(|atom| take(atom).is_some())
        };
        let mut params = BTreeSet::new();
        self.params(&mut params);
        let positive = larger.iter().all(|(_, n)| *n > 0);
        !params.is_empty()
            && positive
            && self.0.iter().all(|term| {
                let at = larger.iter().position(|of| holds(term, *of));
                at.map(|at| larger.remove(at)).is_some()
            })
    }

    /// The terms with a plus sign, and the terms with a minus sign as a positive size.
    pub fn split(&self) -> (Dim, Dim) {
        let terms = |sign: i128| {
            let terms = self.0.iter().filter(|(_, n)| n.signum() == sign);
            Dim(Terms::sum(terms.map(|(atoms, n)| (atoms, n.saturating_abs()))))
        };
        (terms(1), terms(-1))
    }

    /// Every constant of the user's in it.
    pub fn consts<'d>(&'d self, found: &mut BTreeSet<&'d ConstExpr>) {
        for atom in self.0.atoms() {
            match atom {
                Atom::Batch | Atom::Param(_) => {}
                Atom::Const(c) => {
                    found.insert(c);
                }
                Atom::Window(w) => {
                    let of = [&w.size, &w.kernel, &w.stride, &w.padding, &w.dilation];
                    of.into_iter().for_each(|dim| dim.consts(found));
                }
                Atom::Quotient(q) => [&q.over, &q.by].into_iter().for_each(|dim| dim.consts(found)),
                Atom::Aligned(dim) => dim.consts(found),
            }
        }
    }

    /// Every generic parameter in it.
    pub fn params(&self, found: &mut BTreeSet<String>) {
        for atom in self.0.atoms() {
            match atom {
                Atom::Batch | Atom::Const(_) => {}
                Atom::Param(name) => {
                    found.insert(name.clone());
                }
                Atom::Window(w) => {
                    let of = [&w.size, &w.kernel, &w.stride, &w.padding, &w.dilation];
                    of.into_iter().for_each(|dim| dim.params(found));
                }
                Atom::Quotient(q) => {
                    [&q.over, &q.by].into_iter().for_each(|dim| dim.params(found));
                }
                Atom::Aligned(dim) => dim.params(found),
            }
        }
    }

    /// The name of the parameter that the size is, where it is one.
    pub fn as_param(&self) -> Option<String> {
        let (n, atoms) = self.as_term()?;
        match &atoms[..] {
            [Atom::Param(name)] if n == 1 => Some(name.clone()),
            _ => None,
        }
    }

    /// The value, where all atoms have one.
    #[cfg(test)]
    pub fn evaluated(&self, atom: &dyn Fn(&Atom) -> Option<i128>) -> Option<i128> {
        let term = |(atoms, n): (&[Atom], i128)| {
            atoms.iter().try_fold(n, |product, a| Some(product * atom(a)?))
        };
        self.0.iter().map(term).sum()
    }

    /// Every quotient in it.
    pub fn quotients(&self) -> Vec<&Quotient> {
        let atoms = self.0.atoms();
        atoms
            .filter_map(|atom| match atom {
                Atom::Quotient(quotient) => Some(&**quotient),
                _ => None,
            })
            .collect()
    }
}

impl fmt::Display for Atom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Atom::Batch => f.write_str("batch"),
            Atom::Param(name) => f.write_str(name),
            Atom::Const(c) => f.write_str(&c.text),
            Atom::Window(w) => {
                let reach = w.dilation.mul(&w.kernel.sub(&Dim::one()));
                let padded = w.size.add(&w.padding.mul(&Dim::literal(2)));
                let steps = padded.sub(&reach).sub(&Dim::one());
                write!(f, "(floor(({steps}) / {}) + 1)", w.stride)
            }
            Atom::Quotient(q) => {
                let whole = |dim: &Dim, apart: &[char]| match dim.to_string() {
                    text if text.contains(apart) => format!("({text})"),
                    text => text,
                };
                write!(f, "{} / {}", whole(&q.over, &['+', '-']), whole(&q.by, &[' ']))
            }
            Atom::Aligned(dim) => write!(f, "aligned({dim})"),
        }
    }
}

impl fmt::Display for Dim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(n) = self.as_literal() {
            return write!(f, "{n}");
        }
        // As people write it: `2 * T - 3`.
        let mut terms: Vec<_> = self.0.iter().collect();
        terms.sort_by_key(|(atoms, n)| (*n < 0, atoms.is_empty()));
        for (i, (atoms, n)) in terms.into_iter().enumerate() {
            match (i, n < 0) {
                (0, true) => f.write_str("-")?,
                (0, false) => {}
                (_, true) => f.write_str(" - ")?,
                (_, false) => f.write_str(" + ")?,
            }
            let size = n.unsigned_abs();
            let mut factors: Vec<String> = atoms.iter().map(Atom::to_string).collect();
            if size != 1 || factors.is_empty() {
                factors.insert(0, size.to_string());
            }
            f.write_str(&factors.join(" * "))?;
        }
        Ok(())
    }
}

/// `[1, 28, 28]`
pub fn show(shape: &[Dim]) -> String {
    let sizes: Vec<String> = shape.iter().map(Dim::to_string).collect();
    format!("[{}]", sizes.join(", "))
}

pub fn numel(shape: &[Dim]) -> Dim {
    shape.iter().fold(Dim::one(), |n, dim| n.mul(dim))
}

/// The shape of an elementwise operation on `a` and `b`: aligned at the last axis; only a literal 1
/// broadcasts.
pub fn broadcast(a: &[Dim], b: &[Dim]) -> Option<Shape> {
    let rank = a.len().max(b.len());
    let at = |shape: &[Dim], i: usize| match (i + shape.len()).checked_sub(rank) {
        Some(j) => shape[j].clone(),
        None => Dim::one(),
    };
    (0..rank)
        .map(|i| match (at(a, i), at(b, i)) {
            (x, y) if x == y || y.is_one() => Some(x),
            (x, y) if x.is_one() => Some(y),
            _ => None,
        })
        .collect()
}

/// Strides of a value stored in row order.
pub fn contiguous(shape: &[Dim]) -> Vec<Dim> {
    let mut strides = vec![Dim::one(); shape.len()];
    for i in (0..shape.len().saturating_sub(1)).rev() {
        strides[i] = strides[i + 1].mul(&shape[i + 1]);
    }
    strides
}
