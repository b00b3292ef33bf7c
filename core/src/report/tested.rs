//! What a trained network makes of samples: what was taken for what, and the worst mistakes.

use std::cmp::Ordering;

use super::sample::{NUMBERS, Sample, Samples};
use crate::data::{DatasetOf, Listed};
use crate::element::{Element, Float};
use crate::error::{Error, Result};
use crate::metric::{Confusion, Metric, Unscaled, argmax, measure};
use crate::network::Network;
use crate::outputs::Outputs;
use crate::shape::{SameSample, SampleShape, Shape};

/// How many mistakes are shown.
const SHOWN: usize = 24;
/// Samples that are judged at once.
const BATCH: usize = 64;
/// Of how many classes there is a matrix at most: one of so many takes 128 MiB.
const CLASSES: usize = 4096;
/// How far probabilities may be from adding up to 1, for they are rounded.
const ROUNDING: f64 = 1e-3;

/// What a network makes of a data set.
pub(super) struct Tested {
    pub confusion: Confusion,
    /// How many samples were taken for another class.
    pub wrong: usize,
    /// Of these the ones of which the network was most certain.
    pub mistakes: Vec<Mistake>,
    pub class_names: Vec<String>,
    /// What the outputs were taken for.
    pub outputs: Outputs,
    /// Whether all of them could be probabilities as well.
    pub may_be_probabilities: bool,
}

/// A sample that was taken for another class.
pub(super) struct Mistake {
    pub sample: Sample,
    pub truth: usize,
    pub answer: usize,
    /// How probable the network found its answer.
    pub probability: f64,
}

/// Targets that say which class a sample is of: a label (`u32`), or numbers of the outputs' own element, which are rows of
/// probabilities, or 0 and 1, or -1 and 1, for a network of a single output.
#[diagnostic::on_unimplemented(
    message = "targets of `{Self}` do not say which class a sample with outputs of `{E}` is of",
    note = "a report takes labels (`u32`), or targets of the outputs' own element"
)]
pub trait ClassTarget<E: Float>: Element {
    /// How many of them a sample has, of a network with so many outputs.
    #[doc(hidden)]
    fn count(outputs: usize) -> usize;
    /// The class, if these numbers of a sample say one.
    #[doc(hidden)]
    fn class(target: &[Self]) -> Option<usize>;
}

impl<E: Float> ClassTarget<E> for u32 {
    fn count(_: usize) -> usize {
        1
    }
    fn class(target: &[Self]) -> Option<usize> {
        target.first().map(|label| *label as usize)
    }
}

impl<E: Float> ClassTarget<E> for E {
    fn count(outputs: usize) -> usize {
        outputs
    }
    fn class(target: &[Self]) -> Option<usize> {
        let numbers: Vec<f64> = target.iter().map(|x| x.to_f64()).collect();
        match numbers[..] {
            // A hinge loss has -1 for the first class.
            [-1.0] => Some(0),
            [one] => (0.0..=1.0).contains(&one).then_some((one > 0.5).into()),
            _ => are_probabilities(&numbers).then(|| argmax(&numbers)),
        }
    }
}

/// Whether numbers of several classes are from 0 to 1 and add up to 1, or a single one is from 0 to 1.
fn are_probabilities(row: &[f64]) -> bool {
    let is_one = row.len() == 1 || (row.iter().sum::<f64>() - 1.0).abs() <= ROUNDING;
    is_one && row.iter().all(may_be_probability)
}

fn may_be_probability(x: &f64) -> bool {
    (-ROUNDING..=1.0 + ROUNDING).contains(x)
}

impl Tested {
    /// `outputs` are what was said of the network's; what its last layer says otherwise. `scaling` was done to the inputs.
    pub fn of<N, D>(net: &N, data: &D, outputs: Option<Outputs>, scaling: &Unscaled) -> Result<Self>
    where
        N: Network,
        D: DatasetOf<N::InputElement>,
        D::Input: SameSample<N::Input>,
        D::TargetElement: ClassTarget<N::Elem>,
    {
        if N::Output::RANK > 1 {
            let last = N::Output::SIZES[N::Output::RANK - 1];
            return Err(Error::Invalid(format!(
                "the report shows what network `{}` takes samples for, of outputs of one axis, one for each class: found {}; `.confusion(measure(&net, &data, 64, Confusion::new({last}))?)` shows what each position is taken for, and `.tested_numbers(..)` is for targets that are numbers",
                N::NAME,
                N::Output::describe()
            )));
        }
        let (row, found) = (N::Output::NUMEL, D::Target::NUMEL);
        let expected = <D::TargetElement as ClassTarget<N::Elem>>::count(row);
        if found != expected {
            return Err(Error::Size {
                what: "the targets of a sample of a report".to_owned(),
                expected: format!("{expected}, of a network with {row} outputs"),
                found: found.to_string(),
            });
        }
        let names = data.class_names();
        if D::Target::RANK == 0 && !names.is_empty() && names.len() != row.max(2) {
            return Err(Error::Size {
                what: "the classes of the samples of a report".to_owned(),
                expected: format!("{}, of a network with {row} outputs", row.max(2)),
                found: format!("{} ({})", names.len(), Listed(names)),
            });
        }
        let samples = Samples::new(data, scaling)?;
        let judge = Judge::new(row, outputs.unwrap_or(N::OUTPUTS_ARE))?;
        let judge = measure(net, data, BATCH, judge)?;
        let mistakes = judge.found.iter().map(|&Found { index, truth, answer, probability }| {
            Ok(Mistake { sample: samples.shown::<N>(index)?, truth, answer, probability })
        });
        Ok(Tested {
            mistakes: mistakes.collect::<Result<_>>()?,
            wrong: judge.wrong,
            confusion: judge.confusion,
            class_names: data.class_names().to_vec(),
            outputs: judge.outputs,
            may_be_probabilities: judge.may_be_probabilities && judge.seen > 0,
        })
    }
}

/// Judges samples one after another.
struct Judge {
    confusion: Confusion,
    outputs: Outputs,
    /// Outputs of a sample.
    row: usize,
    seen: usize,
    /// Whether the outputs of all samples seen could be probabilities.
    may_be_probabilities: bool,
    wrong: usize,
    /// The worst mistakes, the worst first.
    found: Vec<Found>,
}

/// A mistake, of which sample.
struct Found {
    index: usize,
    truth: usize,
    answer: usize,
    probability: f64,
}

impl Judge {
    fn new(row: usize, outputs: Outputs) -> Result<Self> {
        if row > CLASSES {
            return Err(Error::Invalid(format!(
                "a report of {row} classes: expected at most {CLASSES}, for a confusion matrix has a number for each pair of them; leave `.tested(..)` away, or give `.confusion(..)` one of fewer classes"
            )));
        }
        Ok(Judge {
            confusion: Confusion::new(row.max(2)),
            outputs,
            row,
            seen: 0,
            may_be_probabilities: true,
            wrong: 0,
            found: Vec::new(),
        })
    }

    fn note<E: Float>(&mut self, outputs: &[E], truth: usize) -> Result<()> {
        let outputs: Vec<f64> = outputs.iter().map(|x| x.to_f64()).collect();
        self.may_be_probabilities &= are_probabilities(&outputs);
        let probabilities = self.outputs.probabilities(&outputs);
        // What is not finite is a matter of the verdict.
        if probabilities.iter().any(|p| p.is_finite() && !may_be_probability(p)) {
            return Err(Error::Invalid(format!(
                "the outputs for sample {} (counted from 0) are no {}: `.outputs(..)` before `.tested(..)` says what they are",
                self.seen, self.outputs
            )));
        }
        let answer = argmax(&probabilities);
        let row: &[f64] = &probabilities;
        let truth_of_row = u32::try_from(truth).unwrap_or(u32::MAX);
        self.confusion.add(row, &[truth_of_row])?;
        if answer != truth {
            self.wrong += 1;
            let probability = probabilities[answer];
            self.keep(Found { index: self.seen, truth, answer, probability });
        }
        self.seen += 1;
        Ok(())
    }

    /// Keeps a mistake if it is one of the worst.
    fn keep(&mut self, mistake: Found) {
        let worse =
            |other: &Found| other.probability.total_cmp(&mistake.probability) != Ordering::Less;
        let at = self.found.partition_point(worse);
        if at < SHOWN {
            self.found.insert(at, mistake);
            self.found.truncate(SHOWN);
        }
    }
}

impl<E: Float, T: ClassTarget<E>> Metric<E, T> for Judge {
    fn add(&mut self, outputs: &[E], targets: &[T]) -> Result<()> {
        let rows = outputs.chunks_exact(self.row.max(1));
        let targets = targets.chunks_exact(T::count(self.row).max(1));
        rows.zip(targets).try_for_each(|(row, target)| {
            let class = T::class(target).ok_or_else(|| {
                let first = &target[..target.len().min(NUMBERS)];
                let more = if first.len() < target.len() { " and more" } else { "" };
                Error::Invalid(format!(
                    "the targets {first:?}{more} of sample {} (counted from 0) do not say which class it is of: expected probabilities that add up to 1, or a single 0 or 1; `.tested_numbers(..)` is for targets that are numbers, and a report of several labels for each sample is one without `.tested(..)`",
                    self.seen
                ))
            })?;
            self.note(row, class)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_certain_mistakes_are_kept() {
        let mut judge = Judge::new(1, Outputs::Logits).unwrap();
        let logits: Vec<f32> = (0..100).map(|i| i as f32 / 10.0 - 5.0).collect();
        judge.add(&logits, &[0.0f32; 100]).unwrap();
        assert_eq!((judge.seen, judge.wrong, judge.found.len()), (100, 49, SHOWN));
        assert_eq!(judge.found[0].index, 99);
        assert_eq!(judge.confusion.count(0, 1), 49);
    }

    #[test]
    fn a_target_says_one_class_or_none() {
        for (target, class) in [
            (&[1.0f32][..], Some(1)),
            (&[0.0], Some(0)),
            (&[-1.0], Some(0)),
            (&[7.5], None),
            (&[f32::NAN], None),
            (&[0.0, 1.0, 0.0], Some(1)),
            (&[0.05, 0.05, 0.9], Some(2)),
            (&[1.0, 1.0, 0.0], None),
            (&[0.0, 0.0, 0.0], None),
            (&[2.0, -1.0, 0.0], None),
        ] {
            assert_eq!(<f32 as ClassTarget<f32>>::class(target), class, "{target:?}");
        }
        let mut judge = Judge::new(3, Outputs::Logits).unwrap();
        judge.add(&[1.0f32, 2.0, 3.0], &[0.0f32, 1.0, 0.0]).unwrap();
        let error = judge.add(&[1.0f32, 2.0, 3.0], &[1.0f32, 1.0, 0.0]).unwrap_err().to_string();
        assert!(error.starts_with("the targets [1.0, 1.0, 0.0] of sample 1 (counted"), "{error}");
    }

    #[test]
    fn outputs_that_are_not_what_was_said_are_refused() {
        let mut judge = Judge::new(1, Outputs::Probabilities).unwrap();
        judge.add(&[0.25f32, f32::NAN], &[0u32, 0]).unwrap();
        let error = judge.add(&[3.5f32], &[1u32]).unwrap_err().to_string();
        let said = "the outputs for sample 2 (counted from 0) are no probabilities: ";
        assert!(error.starts_with(said), "{error}");
    }

    #[test]
    fn a_matrix_too_large_is_refused_before_it_is_made() {
        assert!(Judge::new(CLASSES, Outputs::Logits).is_ok());
        let error = Judge::new(50_257, Outputs::Logits).err().unwrap().to_string();
        assert!(error.starts_with("a report of 50257 classes: expected at most 4096"), "{error}");
    }
}
