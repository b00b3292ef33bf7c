//! The loss of the best answer that is always the same: what a network has to be better than to have learned something.

use crate::element::Float;

/// What is known of the targets so far.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct Constant {
    /// How many numbers a sample's targets are.
    width: usize,
    /// How many targets there were for each of these numbers.
    rows: f64,
    /// The first target of each: sums are of what others differ from it by, so that large targets cost no digits.
    first: Vec<f64>,
    sums: Vec<f64>,
    squares: Vec<f64>,
    /// The entropies of targets that are no certainties, added up: no answer has a loss below their mean.
    own: f64,
}

/// Up to which part of the constant answer's loss the loss that no answer is below may be: of vaguer targets a perfect
/// answer is hardly better than a constant one.
const CERTAIN: f64 = 0.5;

impl Constant {
    /// Of no targets yet, of samples that have so many numbers.
    pub(crate) fn new(width: usize) -> Self {
        let (first, sums, squares) = (Vec::new(), Vec::new(), Vec::new());
        Constant { width: width.max(1), rows: 0.0, first, sums, squares, own: 0.0 }
    }

    /// Cross entropy with labels: the entropy of the classes' shares, of which `smoothing` is taken and given to all alike.
    pub(super) fn of_labels(
        &mut self,
        labels: &[u32],
        classes: usize,
        smoothing: f64,
    ) -> Option<f64> {
        self.sums.resize(classes, 0.0);
        for &label in labels {
            *self.sums.get_mut(label as usize)? += 1.0;
        }
        let of_one = |is_own: f64| surprise(smoothed(is_own, smoothing, classes));
        self.own +=
            labels.len() as f64 * (of_one(1.0) + classes.saturating_sub(1) as f64 * of_one(0.0));
        self.entropy(smoothing)
    }

    /// Cross entropy with rows of probabilities: the entropy of their mean.
    pub(super) fn of_rows<E: Float>(
        &mut self,
        rows: &[E],
        classes: usize,
        smoothing: f64,
    ) -> Option<f64> {
        self.sums.resize(classes, 0.0);
        for row in rows.chunks(classes.max(1)) {
            for (sum, p) in self.sums.iter_mut().zip(row) {
                *sum += p.to_f64();
                self.own += surprise(smoothed(p.to_f64(), smoothing, classes));
            }
        }
        self.entropy(smoothing)
    }

    fn entropy(&self, smoothing: f64) -> Option<f64> {
        let (all, classes): (f64, usize) = (self.sums.iter().sum(), self.sums.len());
        let shares = self.sums.iter().map(|sum| smoothed(sum / all, smoothing, classes));
        self.certain(finite(shares.map(surprise).sum())?, self.own / all)
    }

    /// The constant answer's loss, where targets are certain enough for a better answer to be clearly better.
    fn certain(&self, constant: f64, own: f64) -> Option<f64> {
        (own <= CERTAIN * constant).then_some(constant)
    }

    /// Binary cross entropy: the mean over the numbers of a sample of the entropies of their means.
    pub(super) fn of_binaries<E: Float>(&mut self, targets: &[E]) -> Option<f64> {
        self.add(targets)?;
        let binary = |p: f64| surprise(p) + surprise(1.0 - p);
        self.own += targets.iter().map(|target| binary(target.to_f64())).sum::<f64>();
        let entropy = |(sum, first): (&f64, &f64)| {
            let mean = first + sum / self.rows;
            binary(mean)
        };
        let entropies = self.sums.iter().zip(&self.first).map(entropy);
        let constant = finite(entropies.sum::<f64>() / self.width as f64)?;
        self.certain(constant, self.own / (self.rows * self.width as f64))
    }

    /// Squared error: the mean over the numbers of a sample of their variances.
    pub(super) fn of_numbers<E: Float>(&mut self, targets: &[E]) -> Option<f64> {
        self.add(targets)?;
        let variance = |(sum, square): (&f64, &f64)| {
            let mean = sum / self.rows;
            square / self.rows - mean * mean
        };
        let variances = self.sums.iter().zip(&self.squares).map(variance);
        finite(variances.sum::<f64>() / self.width as f64)
    }

    fn add<E: Float>(&mut self, targets: &[E]) -> Option<()> {
        if self.first.is_empty() {
            let first = &targets[..targets.len().min(self.width)];
            self.first = first.iter().map(|target| target.to_f64()).collect();
            self.sums.resize(self.first.len(), 0.0);
            self.squares.resize(self.first.len(), 0.0);
        }
        for row in targets.chunks(self.width) {
            let sums = self.sums.iter_mut().zip(&mut self.squares);
            for ((target, first), (sum, square)) in row.iter().zip(&self.first).zip(sums) {
                let off = target.to_f64() - first;
                *sum += off;
                *square += off * off;
            }
            self.rows += 1.0;
        }
        (self.rows > 0.0).then_some(())
    }
}

/// What a share adds to an entropy; nothing of one that rounding has made less than 0.
fn surprise(share: f64) -> f64 {
    if share <= 0.0 { 0.0 } else { -share * share.ln() }
}

/// A share of which a part is taken and given to all classes alike.
fn smoothed(share: f64, smoothing: f64, classes: usize) -> f64 {
    (1.0 - smoothing) * share + smoothing / classes.max(1) as f64
}

/// Nothing of no targets, or of such as are no numbers.
fn finite(loss: f64) -> Option<f64> {
    // Nor less than nothing, which is rounding.
    loss.is_finite().then_some(loss.max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: Option<f64>, expected: f64) {
        assert!(
            found.is_some_and(|found| (found - expected).abs() < 1e-12),
            "{found:?} {expected}"
        );
    }

    #[test]
    fn batches_add_up() {
        let mut known = Constant::new(1);
        known.of_labels(&[0, 1, 1], 3, 0.0);
        close(known.of_labels(&[1], 3, 0.0), -(0.25 * 0.25f64.ln() + 0.75 * 0.75f64.ln()));
        let mut known = Constant::new(2);
        close(known.of_rows(&[1.0f32, 0.0, 0.0, 1.0], 2, 0.0), 2f64.ln());
        let quarters = -(0.25 * 0.25f64.ln() + 0.75 * 0.75f64.ln());
        close(known.of_rows(&[0.0f32, 1.0, 0.0, 1.0], 2, 0.0), quarters);
        let mut known = Constant::new(2);
        known.of_numbers(&[1e6f64 + 1.0, 5.0]);
        close(known.of_numbers(&[1e6f64 + 3.0, 5.0]), 0.5);
        let mut known = Constant::new(2);
        known.of_binaries(&[1.0f32, 0.0]);
        close(known.of_binaries(&[0.0f32, 0.0]), 2f64.ln() / 2.0);
    }

    #[test]
    fn all_alike_is_0_and_none_is_nothing() {
        close(Constant::new(1).of_labels(&[2, 2], 3, 0.0), 0.0);
        close(Constant::new(1).of_numbers(&[0.1f32, 0.1]), 0.0);
        close(Constant::new(1).of_binaries(&[1.0f32, 1.0]), 0.0);
        // What is smoothed a little has still something to learn, and what is all smooth has not.
        let smooth = [0.95f64, 0.05].map(surprise).iter().sum::<f64>();
        assert!(smooth < 0.3);
        close(Constant::new(1).of_labels(&[0, 1], 2, 0.1), 2f64.ln());
        assert_eq!(Constant::new(1).of_labels(&[0, 1], 2, 1.0), None);
        assert_eq!(Constant::new(2).of_rows(&[0.4f32, 0.6, 0.6, 0.4], 2, 0.0), None);
        assert_eq!(Constant::new(2).of_binaries(&[0.4f32, 0.6, 0.6, 0.4]), None);
        assert_eq!(Constant::new(1).of_labels(&[], 3, 0.0), None);
        assert_eq!(Constant::new(1).of_numbers::<f32>(&[]), None);
        assert_eq!(Constant::new(1).of_numbers(&[0.1, f64::NAN]), None);
    }
}
