//! Whether the right class is among the first few.

use super::{Figure, Goal, Metric, rows_of};
use crate::element::Float;
use crate::error::{Error, Result};
use crate::loss::NoTarget;

/// The part of the samples whose class is among the `k` with the largest outputs; of equal outputs the first counts
/// as larger.
///
/// ```
/// # extern crate netform_core as netform;
/// use netform::metric::{Metric, TopK};
/// let mut top = TopK::new(2);
/// top.add(&[0.5, 0.3, 0.2, /* */ 0.5, 0.3, 0.2], &[1, 2])?;
/// assert_eq!(top.accuracy(), Some(0.5));
/// # Ok::<(), netform::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TopK {
    k: usize,
    /// The samples among the first `k`, and all.
    sums: [f64; 2],
}

impl TopK {
    /// Of the `k` largest outputs.
    pub fn new(k: usize) -> Self {
        TopK { k, sums: [0.0; 2] }
    }

    /// The part of the samples; nothing of no samples.
    pub fn accuracy(&self) -> Option<f64> {
        let [correct, samples] = self.sums;
        (samples > 0.0).then(|| correct / samples)
    }
}

impl<E: Float> Metric<E, u32> for TopK {
    fn add(&mut self, outputs: &[E], targets: &[u32]) -> Result<()> {
        let classes = outputs.len().checked_div(targets.len()).unwrap_or(0);
        rows_of("a top-k accuracy", outputs.len(), targets.len(), classes)?;
        for (row, &label) in outputs.chunks_exact(classes.max(1)).zip(targets) {
            let label = label as usize;
            let Some(&own) = row.get(label) else {
                let what = "a label of a top-k accuracy".to_owned();
                return Err(Error::IndexOutOfRange {
                    what,
                    index: label,
                    size: classes,
                    of: "classes",
                });
            };
            let before = |(i, x): (usize, &E)| *x > own || (*x == own && i < label);
            let larger = row.iter().enumerate().filter(|it| before(*it)).count();
            // What is not a number is larger than nothing, and is not among the first.
            self.sums[0] += f64::from(larger < self.k && !own.to_f64().is_nan());
            self.sums[1] += 1.0;
        }
        Ok(())
    }
}

impl<E: Float> Metric<E, NoTarget> for TopK {
    fn add(&mut self, _: &[E], _: &[NoTarget]) -> Result<()> {
        Ok(())
    }
}

impl Figure for TopK {
    fn value(&self) -> Option<f64> {
        self.accuracy()
    }
    fn goal(&self) -> Goal {
        Goal::Larger
    }
    fn sums(&mut self) -> &mut [f64] {
        &mut self.sums
    }
}
