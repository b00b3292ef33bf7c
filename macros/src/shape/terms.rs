//! The terms of a size. Most sizes of a network are a number and a multiple of the batch, and a network has
//! hundreds of thousands in all its stages: those are two numbers, and the others share their terms. The macro
//! runs without optimisation in a user's debug builds, where every allocation counts.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::Atom;

/// A product of atoms, sorted.
pub(super) type Monomial = Vec<Atom>;

/// A sum of integer multiples of products of atoms: in one form only, so that equal sums are equal values.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) enum Terms {
    /// `number + samples * batch`
    Linear { number: i128, samples: i128 },
    /// Sums of other products, none of which is 0.
    Sum(Rc<BTreeMap<Monomial, i128>>),
}

const NO_ATOMS: &[Atom] = &[];
const BATCH: &[Atom] = &[Atom::Batch];

impl Terms {
    pub const fn number(number: i128) -> Terms {
        Terms::Linear { number, samples: 0 }
    }

    pub fn one(n: i128, atoms: Monomial) -> Terms {
        match &atoms[..] {
            _ if n == 0 => Terms::number(0),
            [] => Terms::number(n),
            [Atom::Batch] => Terms::Linear { number: 0, samples: n },
            _ => Terms::Sum(Rc::new(BTreeMap::from([(atoms, n)]))),
        }
    }

    /// Sums up terms, of which several may have the same atoms.
    pub fn sum<'t>(terms: impl Iterator<Item = (&'t [Atom], i128)>) -> Terms {
        let (mut number, mut samples) = (0_i128, 0_i128);
        let mut others: BTreeMap<Monomial, i128> = BTreeMap::new();
        for (atoms, n) in terms {
            let sum = match atoms {
                [] => &mut number,
                [Atom::Batch] => &mut samples,
                atoms => match others.get_mut(atoms) {
                    Some(sum) => sum,
                    None => others.entry(atoms.to_vec()).or_insert(0),
                },
            };
            *sum = sum.saturating_add(n);
        }
        others.retain(|_, n| *n != 0);
        if others.is_empty() {
            return Terms::Linear { number, samples };
        }
        others.extend([(NO_ATOMS, number), (BATCH, samples)].map(|(atoms, n)| (atoms.to_vec(), n)));
        others.retain(|_, n| *n != 0);
        Terms::Sum(Rc::new(others))
    }

    /// The terms that are not 0, in the order of their atoms.
    pub fn iter(&self) -> impl Iterator<Item = (&[Atom], i128)> {
        let (linear, others) = match self {
            Terms::Linear { number, samples } => {
                (Some([(NO_ATOMS, *number), (BATCH, *samples)]), None)
            }
            Terms::Sum(terms) => (None, Some(terms.iter())),
        };
        let linear = linear.into_iter().flatten().filter(|(_, n)| *n != 0);
        let others = others.into_iter().flatten();
        linear.chain(others.map(|(atoms, n)| (atoms.as_slice(), *n)))
    }

    /// Every atom in it.
    pub fn atoms(&self) -> impl Iterator<Item = &Atom> {
        self.iter().flat_map(|(atoms, _)| atoms)
    }

    /// The only term.
    pub fn single(&self) -> Option<(i128, &[Atom])> {
        match self {
            Terms::Linear { number, samples: 0 } => Some((*number, NO_ATOMS)),
            Terms::Linear { number: 0, samples } => Some((*samples, BATCH)),
            Terms::Linear { .. } => None,
            Terms::Sum(terms) if terms.len() == 1 => {
                terms.iter().next().map(|(atoms, n)| (*n, atoms.as_slice()))
            }
            Terms::Sum(_) => None,
        }
    }
}

impl PartialOrd for Terms {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Terms {
    fn cmp(&self, other: &Self) -> Ordering {
        self.iter().cmp(other.iter())
    }
}
