//! Numbers in the units that they were measured in: what a scaling did to them, undone in `f64`.

use crate::data::Scaling;
use crate::element::Float;
use crate::error::{Error, Result};
use crate::shape::SampleShape;

/// A scaling that is undone, whatever its shape and element: a shift and a unit for each number of a sample; none, where
/// numbers stay as they are.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Unscaled {
    figures: Vec<[f64; 2]>,
}

impl Unscaled {
    pub fn of<X: SampleShape, E: Float>(scaling: &Scaling<X, E>) -> Self {
        let figures = scaling.shifts().iter().zip(scaling.units());
        Unscaled { figures: figures.map(|(a, b)| [a.to_f64(), b.to_f64()]).collect() }
    }

    /// How many numbers of a sample it is of, if it is of some.
    pub fn row(&self) -> Option<usize> {
        (!self.figures.is_empty()).then_some(self.figures.len())
    }

    /// That so many numbers are a whole number of samples.
    pub fn check(&self, what: &str, found: usize) -> Result<()> {
        match self.row() {
            Some(row) if !found.is_multiple_of(row) => Err(Error::Size {
                what: what.to_owned(),
                expected: format!(
                    "a multiple of {row}, as many numbers as a sample of the scaling has"
                ),
                found: found.to_string(),
            }),
            _ => Ok(()),
        }
    }

    /// Number `i` of samples that lie one after another, as it was before.
    pub fn undo(&self, i: usize, x: f64) -> f64 {
        match self.row() {
            Some(row) => {
                let [shift, unit] = self.figures[i % row];
                x * unit + shift
            }
            None => x,
        }
    }
}
