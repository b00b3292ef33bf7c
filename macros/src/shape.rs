//! Symbolic sizes: polynomials over the batch, generic parameters and constants that the macro cannot
//! see into. What is equal as a polynomial is proved; the rest is left to const evaluation.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::hash::{Hash, Hasher};

use proc_macro2::{Ident, TokenStream};
use quote::format_ident;

mod tokens;

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

/// A product of atoms, sorted.
type Monomial = Vec<Atom>;

/// A size: a sum of integer multiples of products of atoms. Sums that overflow saturate; a size above
/// [`Dim::LARGEST`] is reported where it arises.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Dim(BTreeMap<Monomial, i128>);

/// The axes of a value, outermost first. The batch is an axis like any other.
pub type Shape = Vec<Dim>;

impl Dim {
    /// The largest size: what four groups of digits can write, and more elements than memory can hold.
    pub const LARGEST: i128 = 999_999_999_999;

    pub fn literal(n: impl TryInto<i128>) -> Dim {
        let n = n.try_into().unwrap_or(i128::MAX);
        Dim(if n == 0 { BTreeMap::new() } else { BTreeMap::from([(vec![], n)]) })
    }

    pub fn atom(atom: Atom) -> Dim {
        Dim(BTreeMap::from([(vec![atom], 1)]))
    }

    pub fn one() -> Dim {
        Dim::literal(1)
    }

    pub fn batch() -> Dim {
        Dim::atom(Atom::Batch)
    }

    /// The value, where it has no atoms.
    pub fn as_literal(&self) -> Option<i128> {
        match self.0.len() {
            0 => Some(0),
            1 => self.0.get(&vec![]).copied(),
            _ => None,
        }
    }

    pub fn is_one(&self) -> bool {
        self.as_literal() == Some(1)
    }

    pub fn is_zero(&self) -> bool {
        self.0.is_empty()
    }

    /// Coefficient and atoms, where there is one term; `(0, [])` for zero.
    pub fn as_term(&self) -> Option<(i128, Monomial)> {
        match self.0.len() {
            0 => Some((0, vec![])),
            1 => self.0.iter().next().map(|(atoms, n)| (*n, atoms.clone())),
            _ => None,
        }
    }

    /// The terms of the sum.
    pub fn terms(&self) -> Vec<Dim> {
        self.0.iter().map(|(atoms, n)| Dim::from_term(*n, atoms.clone())).collect()
    }

    pub fn from_term(coefficient: i128, atoms: Monomial) -> Dim {
        Dim(if coefficient == 0 { BTreeMap::new() } else { BTreeMap::from([(atoms, coefficient)]) })
    }

    pub fn add(&self, other: &Dim) -> Dim {
        let mut sum = self.0.clone();
        for (atoms, n) in &other.0 {
            let entry = sum.entry(atoms.clone()).or_insert(0);
            *entry = entry.saturating_add(*n);
        }
        sum.retain(|_, n| *n != 0);
        Dim(sum)
    }

    pub fn sub(&self, other: &Dim) -> Dim {
        self.add(&other.mul(&Dim::literal(-1)))
    }

    /// A quotient times what it is divided by is what was divided: that it leaves no remainder is checked
    /// where it is declared.
    pub fn mul(&self, other: &Dim) -> Dim {
        let mut product = Dim::literal(0);
        for (a, m) in &self.0 {
            for (b, n) in &other.0 {
                let mut atoms = [a.as_slice(), b.as_slice()].concat();
                atoms.sort();
                product = product.add(&Dim::from_term(m.saturating_mul(*n), atoms).reduced());
            }
        }
        product
    }

    /// One term without a quotient beside its divisor: `(D / H) * H` is `D`, since no quotient leaves a
    /// remainder. Of a divisor with several terms the one of most factors is taken, so that this ends.
    fn reduced(self) -> Dim {
        let Some((n, atoms)) = self.as_term() else { return self };
        for (i, atom) in atoms.iter().enumerate() {
            let Atom::Quotient(q) = atom else { continue };
            let degree = |(atoms, _): &(&Monomial, &i128)| (atoms.len(), (*atoms).clone());
            let Some((lead, m)) = q.by.0.iter().max_by_key(degree) else { continue };
            let mut rest = atoms.clone();
            rest.remove(i);
            let found = lead.iter().all(|atom| {
                rest.iter().position(|other| other == atom).map(|at| rest.remove(at)).is_some()
            });
            if !found || n % m != 0 {
                continue;
            }
            let others = q.by.sub(&Dim::from_term(*m, lead.clone()));
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
        let (n, divisor) = other.as_term().filter(|(n, _)| *n != 0)?;
        let mut quotient = BTreeMap::new();
        for (atoms, m) in &self.0 {
            if m % n != 0 {
                return None;
            }
            let mut rest = atoms.clone();
            for atom in &divisor {
                rest.remove(rest.iter().position(|a| a == atom)?);
            }
            quotient.insert(rest, m / n);
        }
        Some(Dim(quotient))
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
        for (atoms, n) in &self.0 {
            if *n < 0 {
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

    /// The terms with a plus sign, and the terms with a minus sign as a positive size.
    pub fn split(&self) -> (Dim, Dim) {
        let terms = |sign: i128| {
            let terms = self.0.iter().filter(|(_, n)| n.signum() == sign);
            Dim(terms.map(|(atoms, n)| (atoms.clone(), n.saturating_abs())).collect())
        };
        (terms(1), terms(-1))
    }

    /// Every constant of the user's in it.
    pub fn consts<'d>(&'d self, found: &mut BTreeSet<&'d ConstExpr>) {
        for atom in self.0.keys().flatten() {
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
        for atom in self.0.keys().flatten() {
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
        let term = |(atoms, n): (&Monomial, &i128)| {
            atoms.iter().try_fold(*n, |product, a| Some(product * atom(a)?))
        };
        self.0.iter().map(term).sum()
    }

    /// Every quotient in it.
    pub fn quotients(&self) -> Vec<&Quotient> {
        let atoms = self.0.keys().flatten();
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
            Atom::Window(w) => write!(f, "window({}, {})", w.size, w.kernel),
            Atom::Quotient(q) => write!(f, "({}) / ({})", q.over, q.by),
            Atom::Aligned(dim) => write!(f, "aligned({dim})"),
        }
    }
}

impl fmt::Display for Dim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("0");
        }
        for (i, (atoms, n)) in self.0.iter().enumerate() {
            match (i, *n < 0) {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn param(name: &str) -> Dim {
        Dim::atom(Atom::Param(name.to_owned()))
    }

    #[test]
    fn products_commute_and_cancel() {
        let (h, w) = (param("H"), param("W"));
        assert!(h.mul(&w) == w.mul(&h));
        assert!(h.add(&w).sub(&w) == h);
        assert!(
            h.mul(&w).mul(&Dim::literal(6)).div(&h.mul(&Dim::literal(2)))
                == Some(w.mul(&Dim::literal(3)))
        );
        assert!(h.div(&w).is_none());
        assert_eq!(h.mul(&Dim::literal(3)).add(&Dim::one()).to_string(), "1 + 3 * H");
    }

    #[test]
    fn quotients_meet_their_divisors() {
        let (d, h, t) = (param("D"), param("H"), param("T"));
        let over = |over: &Dim, by: &Dim| {
            Dim::atom(Atom::Quotient(Box::new(Quotient { over: over.clone(), by: by.clone() })))
        };
        let q = over(&d, &h);
        assert!(h.mul(&q) == d);
        assert!(t.mul(&q).mul(&h).mul(&Dim::literal(3)) == t.mul(&d).mul(&Dim::literal(3)));
        let more = h.add(&Dim::one());
        assert!(over(&d, &more).mul(&more) == d);
        let double = h.mul(&Dim::literal(2));
        assert!(over(&d, &double).mul(&double) == d);
        assert!(over(&d, &double).mul(&h) != d);
        let three = d.mul(&Dim::literal(3));
        assert!(over(&three, &h).differs(&q.mul(&Dim::literal(3))).is_zero());
        assert!(over(&three, &h).differs(&q).as_literal().is_none());
        assert!(q.mul(&h).sub(&d).is_zero());
    }

    #[test]
    fn windows() {
        let n = |n: i128| Dim::literal(n);
        assert!(Dim::window(&n(28), &n(5), &n(1), &n(2), &n(1)) == n(28));
        assert!(Dim::window(&n(4), &n(5), &n(1), &n(0), &n(1)) == n(0));
        assert!(Dim::window(&n(9), &n(3), &n(2), &n(1), &n(2)) == n(4));
        assert!(Dim::window(&param("H"), &n(5), &n(1), &n(0), &n(1)).as_literal().is_none());
    }

    #[test]
    fn a_quotient_times_its_divisor_is_whole() {
        let (d, h, t) = (param("D"), param("H"), param("T"));
        let quotient = |over: &Dim, by: &Dim| {
            Dim::atom(Atom::Quotient(Box::new(Quotient { over: over.clone(), by: by.clone() })))
        };
        let each = quotient(&d, &h);
        assert!(numel(&[t.clone(), h.clone(), each.clone()]) == t.mul(&d));
        assert!(each.mul(&each).mul(&h).mul(&h) == d.mul(&d));
        let half = quotient(&d, &Dim::literal(2));
        assert!(half.mul(&Dim::literal(6)) == d.mul(&Dim::literal(3)));
        assert!(half.mul(&Dim::literal(3)).as_term().is_some_and(|(n, _)| n == 3));
    }

    #[test]
    fn only_a_literal_one_broadcasts() {
        let (n, one) = (param("N"), Dim::one());
        assert!(
            broadcast(&[Dim::batch(), n.clone()], std::slice::from_ref(&n))
                == Some(vec![Dim::batch(), n.clone()])
        );
        assert!(broadcast(&[one], std::slice::from_ref(&n)) == Some(vec![n.clone()]));
        assert!(broadcast(&[Dim::literal(3)], &[n]).is_none());
    }
}
