//! What a trained network makes of samples whose targets are numbers: how far it is off, and where it is off the most.

use super::sample::{Sample, Samples, check_scaling};
use crate::data::DatasetOf;
use crate::element::{Element, Float};
use crate::error::{Error, Result};
use crate::metric::{Metric, Regression, Unscaled, measure};
use crate::network::Network;
use crate::random::{Rng, Seed};
use crate::shape::{SameSample, SampleShape};

/// Up to how many outputs are judged one by one; of more, all are judged as one.
const EACH: usize = 12;
/// How many outputs are drawn, and have their worst samples shown.
pub(super) const DRAWN: usize = 4;
/// How many of the worst samples are shown of a single output, and of each of several.
const WORST: [usize; 2] = [16, 8];
/// Samples that are judged at once.
const BATCH: usize = 64;
/// How many points are kept to be drawn.
const POINTS: usize = 5000;

/// Targets that are numbers: of the outputs' own element.
#[diagnostic::on_unimplemented(
    message = "targets of `{Self}` are no numbers that outputs of `{E}` can be compared with",
    note = "`Report::tested_numbers` takes targets of the outputs' own element; `Report::tested` is for labels (`u32`)"
)]
pub trait NumberTarget<E: Float>: Element {
    /// The target as a number.
    #[doc(hidden)]
    fn number(self) -> f64;
}

impl<E: Float> NumberTarget<E> for E {
    fn number(self) -> f64 {
        self.to_f64()
    }
}

/// What a network makes of a data set.
pub(super) struct Numbers {
    pub samples: usize,
    /// How many outputs a sample has.
    pub outputs: usize,
    /// Of each output, or of all.
    pub columns: Vec<Column>,
}

/// An output over all samples, or all outputs.
#[derive(Default)]
pub(super) struct Column {
    /// Of what is finite.
    pub errors: Regression,
    /// How many numbers are not, or their targets.
    pub lost: usize,
    pub points: Points,
    /// The worst samples, the worst first.
    pub worst: Vec<Worst>,
}

/// What was measured and what was predicted: of very many, some at random.
pub(super) struct Points {
    pub kept: Vec<(f64, f64)>,
    pub seen: usize,
    rng: Rng,
}

impl Default for Points {
    fn default() -> Self {
        Points { kept: Vec::new(), seen: 0, rng: Rng::new(Seed::default(), 0) }
    }
}

/// An output that is far from its target.
pub(super) struct Worst {
    pub index: usize,
    pub output: usize,
    pub measured: f64,
    pub predicted: f64,
    /// What it is of, once it is known to be shown.
    pub sample: Option<Sample>,
}

impl Worst {
    pub fn error(&self) -> f64 {
        self.predicted - self.measured
    }

    /// How bad it is: what is not finite is the worst.
    fn badness(&self) -> f64 {
        let error = self.error().abs();
        if error.is_nan() { f64::INFINITY } else { error }
    }
}

impl Numbers {
    /// `inputs` and `targets` are what was done to these.
    pub fn of<N, D>(net: &N, data: &D, inputs: &Unscaled, targets: &Unscaled) -> Result<Self>
    where
        N: Network,
        D: DatasetOf<N::InputElement>,
        D::Input: SameSample<N::Input>,
        D::TargetElement: NumberTarget<N::Elem>,
    {
        let (outputs, found) = (N::Output::NUMEL, D::Target::NUMEL);
        if found != outputs {
            return Err(Error::Size {
                what: "the targets of a sample of a report".to_owned(),
                expected: format!("{outputs}, one for each output of network `{}`", N::NAME),
                found: found.to_string(),
            });
        }
        check_scaling::<D::Target>("`Report::target_scaling`", targets)?;
        let samples = Samples::new(data, inputs)?;
        let judge = Judge { numbers: Numbers::new(outputs), targets };
        let mut numbers = measure(net, data, BATCH, judge)?.numbers;
        for column in numbers.columns.iter_mut().take(DRAWN) {
            for worst in &mut column.worst {
                worst.sample = Some(samples.shown::<N>(worst.index)?);
            }
        }
        Ok(numbers)
    }

    fn new(outputs: usize) -> Self {
        let columns = if outputs > EACH { 1 } else { outputs };
        let columns = (0..columns).map(|_| Column::default()).collect();
        Numbers { samples: 0, outputs, columns }
    }

    /// Whether outputs are judged one by one.
    pub fn is_each(&self) -> bool {
        self.columns.len() == self.outputs
    }

    /// Adds a sample: what was measured and what was predicted, for each output.
    fn note(&mut self, pairs: impl Iterator<Item = (f64, f64)>) -> Result<()> {
        let (index, each) = (self.samples, self.is_each());
        let shown = WORST[usize::from(self.columns.len() > 1)];
        let mut worst_of_all: Option<Worst> = None;
        for (output, (measured, predicted)) in pairs.enumerate() {
            let column = &mut self.columns[if each { output } else { 0 }];
            column.note(measured, predicted)?;
            let found = Worst { index, output, measured, predicted, sample: None };
            if each {
                column.keep(found, shown);
            } else if worst_of_all.as_ref().is_none_or(|it| it.badness() < found.badness()) {
                worst_of_all = Some(found);
            }
        }
        // A sample with many outputs is shown once.
        if let (Some(found), Some(column)) = (worst_of_all, self.columns.first_mut()) {
            column.keep(found, shown);
        }
        self.samples += 1;
        Ok(())
    }
}

impl Column {
    fn note(&mut self, measured: f64, predicted: f64) -> Result<()> {
        self.points.push((measured, predicted));
        if measured.is_finite() && predicted.is_finite() {
            self.errors.add(&[predicted], &[measured])?;
        } else {
            self.lost += 1;
        }
        Ok(())
    }

    /// Keeps what is far off if it is one of the worst.
    fn keep(&mut self, found: Worst, shown: usize) {
        let at = self.worst.partition_point(|other| other.badness() >= found.badness());
        if at < shown {
            self.worst.insert(at, found);
            self.worst.truncate(shown);
        }
    }
}

impl Points {
    /// Each has the same chance to be kept (algorithm R of Vitter, "Random sampling with a reservoir", 1985): one of every
    /// so many would be the same output of each sample, where all outputs are judged as one.
    fn push(&mut self, point: (f64, f64)) {
        self.seen += 1;
        if self.kept.len() < POINTS {
            self.kept.push(point);
        } else if let Some(kept) = self.kept.get_mut(self.rng.below(self.seen)) {
            *kept = point;
        }
    }
}

/// Judges samples one after another.
struct Judge<'u> {
    numbers: Numbers,
    targets: &'u Unscaled,
}

impl<E: Float, T: NumberTarget<E>> Metric<E, T> for Judge<'_> {
    fn add(&mut self, outputs: &[E], targets: &[T]) -> Result<()> {
        let row = self.numbers.outputs.max(1);
        let mut rows = targets.chunks_exact(row).zip(outputs.chunks_exact(row));
        rows.try_for_each(|(targets, outputs)| {
            let pairs = targets.iter().zip(outputs).enumerate().map(|(i, (target, output))| {
                (self.targets.undo(i, target.number()), self.targets.undo(i, output.to_f64()))
            });
            self.numbers.note(pairs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_are_kept_and_what_is_not_finite_is_the_worst() {
        let mut one = Numbers::new(1);
        for i in 0..100 {
            let predicted = if i == 7 { f64::NAN } else { f64::from(i) };
            one.note([(50.0, predicted)].into_iter()).unwrap();
        }
        let column = &one.columns[0];
        let indices: Vec<usize> = column.worst.iter().map(|worst| worst.index).collect();
        assert_eq!(indices[..5], [7, 0, 1, 99, 2]);
        assert_eq!((column.worst.len(), column.lost, one.samples), (WORST[0], 1, 100));
        assert!(column.errors.mae().unwrap().is_finite());
    }

    #[test]
    fn a_sample_of_many_outputs_is_shown_once() {
        let mut all = Numbers::new(20);
        for i in 0..3 {
            all.note((0..20).map(|k| (0.0, f64::from(i * 100 + k)))).unwrap();
        }
        let column = &all.columns[0];
        let found: Vec<_> = column.worst.iter().map(|it| (it.index, it.output)).collect();
        assert_eq!(found, [(2, 19), (1, 19), (0, 19)]);
        assert_eq!(column.points.kept.len(), 60);
    }

    #[test]
    fn of_very_many_points_some_are_kept() {
        let mut points = Points::default();
        (0..20_000).for_each(|i| points.push((f64::from(i), 0.0)));
        assert_eq!((points.seen, points.kept.len()), (20_000, POINTS));
        // From all of them alike, none twice.
        let mut kept: Vec<u32> = points.kept.iter().map(|point| point.0 as u32).collect();
        kept.sort_unstable();
        kept.dedup();
        let early = kept.iter().filter(|i| **i < 10_000).count();
        assert!(kept.len() == POINTS && (2300..2700).contains(&early), "{early}");
    }
}
