//! Targets that a loss does not take: found on the host, before they make a loss that looks good and means nothing.

use crate::element::Float;

/// How far probabilities may be from 0 to 1, and from adding up to 1, for they are rounded.
const ROUNDING: f64 = 1e-3;

/// A target that the loss does not take.
#[doc(hidden)]
#[derive(Clone, Debug, PartialEq)]
pub struct Misfit {
    /// The first such element of the targets.
    pub place: usize,
    /// What is wrong with it.
    pub is: Misfitting,
}

/// What is wrong with a target.
#[doc(hidden)]
#[derive(Clone, Debug, PartialEq)]
pub enum Misfitting {
    /// A label that is no class.
    Label {
        /// The label.
        label: usize,
        /// How many classes there are.
        classes: usize,
    },
    /// A number that the loss is not for.
    Number {
        /// It, as a text.
        found: String,
        /// What the loss takes, and what to do.
        expected: &'static str,
    },
    /// The numbers of a row from this place on, which do not add up to 1.
    Sum {
        /// How many there are.
        len: usize,
        /// To what they add up.
        found: f64,
        /// What the loss takes, and what to do.
        expected: &'static str,
    },
}

impl Misfit {
    /// Among labels.
    pub(super) fn among(labels: &[u32], classes: usize) -> Option<Self> {
        let place = labels.iter().position(|&label| label as usize >= classes)?;
        Some(Misfit { place, is: Misfitting::Label { label: labels[place] as usize, classes } })
    }

    /// Among numbers, of which those are right that `fits` says so of; a NaN is not.
    pub(super) fn unless<E: Float>(
        targets: &[E],
        fits: impl Fn(E) -> bool,
        expected: &'static str,
    ) -> Option<Self> {
        // Without a way out in the middle the loop is one of vectors; the targets of most batches are all right.
        if targets.iter().fold(true, |all, &target| all & fits(target)) {
            return None;
        }
        let place = targets.iter().position(|&target| !fits(target))?;
        let found = targets[place].to_string();
        Some(Misfit { place, is: Misfitting::Number { found, expected } })
    }

    /// Among numbers from 0 to 1.
    pub(super) fn of_probabilities<E: Float>(
        targets: &[E],
        expected: &'static str,
    ) -> Option<Self> {
        let (least, most) = (E::from_f64(-ROUNDING), E::from_f64(1.0 + ROUNDING));
        Misfit::unless(targets, |target| (target >= least) & (target <= most), expected)
    }

    /// Among rows of probabilities of so many classes, or of zeros, which count for nothing.
    pub(super) fn of_rows<E: Float>(targets: &[E], classes: usize) -> Option<Self> {
        const EXPECTED: &str = "`CrossEntropy` takes probabilities, which are not negative and add up to 1 in each row, or are all 0 where a row does not count: one-hot rows, or labels (`u32`); `.weights(..)` is for classes that count more";
        let least = E::from_f64(-ROUNDING);
        if let Some(misfit) = Misfit::unless(targets, |target| target >= least, EXPECTED) {
            return Some(misfit);
        }
        for (row, numbers) in targets.chunks(classes.max(1)).enumerate() {
            let found: f64 = numbers.iter().map(|target| target.to_f64()).sum();
            // Not above: an infinite number has no distance.
            let is_one = (found - 1.0).abs() <= ROUNDING;
            if !is_one && found != 0.0 {
                let is = Misfitting::Sum { len: numbers.len(), found, expected: EXPECTED };
                return Some(Misfit { place: row * classes.max(1), is });
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_found() {
        let probabilities = |targets: &[f32]| Misfit::of_probabilities(targets, "");
        assert_eq!(probabilities(&[0.0, 1.0, 0.5, -0.0, 1.000001, -1e-7]), None);
        for bad in [2.0, -0.1, f32::NAN, f32::INFINITY] {
            let found = probabilities(&[0.0, bad, 7.0]).unwrap();
            assert_eq!(found.place, 1);
            let Misfitting::Number { found, .. } = found.is else { panic!("{bad}: {found:?}") };
            assert_eq!(found, bad.to_string());
        }
    }

    #[test]
    fn rows_add_up_to_one() {
        let place = |rows: &[f32]| Misfit::of_rows(rows, 3).map(|misfit| misfit.place);
        assert_eq!(place(&[0.2, 0.3, 0.5, 0.0, 1.0, 0.0, 0.3333, 0.3333, 0.3333]), None);
        assert_eq!(place(&[0.0, 0.0, 0.0, 0.2, 0.3, 0.5]), None, "a row that does not count");
        assert_eq!(place(&[0.2, 0.3, 0.5, 1.0, 1.0, 0.0]), Some(3));
        assert_eq!(place(&[0.2, 0.3, 0.5, 0.5, 1.0, -0.5]), Some(5));
        assert_eq!(place(&[0.2, f32::INFINITY, 0.5]), Some(0));
        assert_eq!(place(&[0.2, f32::NAN, 0.5]), Some(1));
    }
}
