//! What a trained network makes of samples: what was taken for what, and the worst mistakes.

use std::cmp::Ordering;

use crate::data::DatasetOf;
use crate::element::Float;
use crate::error::{Error, Result};
use crate::feed::InputElement;
use crate::metric::{Confusion, Metric, argmax, measure};
use crate::model::Outputs;
use crate::network::Network;
use crate::plot::{Image, ends};
use crate::random::Seed;
use crate::shape::{SameSample, SampleShape, Shape};

/// How many mistakes are shown.
const SHOWN: usize = 24;
/// Samples that are judged at once.
const BATCH: usize = 64;
/// How many numbers of a sample that is no picture are shown.
const NUMBERS: usize = 12;

/// What a network makes of a data set.
pub(super) struct Tested {
    pub confusion: Confusion,
    /// How many samples were taken for another class.
    pub wrong: usize,
    /// Of these the ones of which the network was most certain.
    pub mistakes: Vec<Mistake>,
    pub class_names: Vec<String>,
}

/// A sample that was taken for another class.
pub(super) struct Mistake {
    pub sample: Sample,
    pub truth: usize,
    pub answer: usize,
    /// How probable the network found its answer.
    pub probability: f64,
}

/// A sample to look at.
pub(super) enum Sample {
    Picture(Image),
    Numbers(String),
}

impl Tested {
    pub fn of<N, D>(net: &N, data: &D) -> Result<Self>
    where
        N: Network,
        D: DatasetOf<N::InputElement>,
        D::Input: SameSample<N::Input>,
        Judge: Metric<N::Elem, D::TargetElement>,
    {
        if N::Output::RANK > 1 {
            return Err(Error::Invalid(format!(
                "the report shows what network `{}` takes samples for, of outputs of one axis, one for each class: found {}; a confusion matrix can be given to it",
                N::NAME,
                N::Output::describe()
            )));
        }
        let judge = measure(net, data, BATCH, Judge::new::<N>())?;
        let mistakes = judge.found.iter().map(|found| found.shown::<N, D>(data));
        Ok(Tested {
            mistakes: mistakes.collect::<Result<_>>()?,
            wrong: judge.wrong,
            confusion: judge.confusion,
            class_names: data.class_names().to_vec(),
        })
    }
}

/// Judges samples one after another.
pub struct Judge {
    confusion: Confusion,
    outputs: Outputs,
    /// Outputs of a sample.
    row: usize,
    seen: usize,
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
    fn new<N: Network>() -> Self {
        let row = N::Output::NUMEL;
        Judge {
            confusion: Confusion::new(row.max(2)),
            outputs: Outputs::of::<N>(),
            row,
            seen: 0,
            wrong: 0,
            found: Vec::new(),
        }
    }

    fn note<E: Float>(&mut self, outputs: &[E], truth: usize) -> Result<()> {
        let outputs: Vec<f64> = outputs.iter().map(|x| x.to_f64()).collect();
        let probabilities = self.outputs.probabilities(&outputs);
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

/// Of labels.
impl<E: Float> Metric<E, u32> for Judge {
    fn add(&mut self, outputs: &[E], targets: &[u32]) -> Result<()> {
        let rows = outputs.chunks_exact(self.row.max(1)).zip(targets);
        rows.into_iter().try_for_each(|(row, label)| self.note(row, *label as usize))
    }
}

/// Of rows of probabilities, or of a 0 or a 1 for each single output.
impl<E: Float> Metric<E, E> for Judge {
    fn add(&mut self, outputs: &[E], targets: &[E]) -> Result<()> {
        let row = self.row.max(1);
        let rows = outputs.chunks_exact(row).zip(targets.chunks_exact(row));
        rows.into_iter().try_for_each(|(row, target)| {
            let truth = match target {
                [one] => (one.to_f64() > 0.5).into(),
                _ => argmax(target),
            };
            self.note(row, truth)
        })
    }
}

impl Found {
    fn shown<N, D>(&self, data: &D) -> Result<Mistake>
    where
        N: Network,
        D: DatasetOf<N::InputElement>,
    {
        let mut inputs = vec![N::InputElement::default(); D::Input::NUMEL];
        let mut targets = vec![D::TargetElement::default(); D::Target::NUMEL];
        data.gather(Seed::default(), &[self.index], &mut inputs, &mut targets)?;
        let sizes = &D::Input::SIZES[..D::Input::RANK];
        let sample = match (
            <N::InputElement as InputElement<N::Elem>>::floats(&mut inputs),
            picture_size(sizes),
        ) {
            (Some(values), Some(size)) => {
                let values: Vec<f64> = values.iter().map(|x| x.to_f64()).collect();
                Sample::Picture(picture(&values, size))
            }
            _ => Sample::Numbers(listed(&inputs)),
        };
        let Found { truth, answer, probability, .. } = *self;
        Ok(Mistake { sample, truth, answer, probability })
    }
}

/// Channels, height and width of what can be looked at.
fn picture_size(sizes: &[usize]) -> Option<[usize; 3]> {
    let size = match *sizes {
        [height, width] => [1, height, width],
        [channels @ (1 | 3), height, width] => [channels, height, width],
        _ => return None,
    };
    (size[1] >= 3 && size[2] >= 3).then_some(size)
}

/// The picture of values whose least is black and whose largest is white: samples may have been scaled.
fn picture(values: &[f64], [channels, height, width]: [usize; 3]) -> Image {
    let (low, high) = ends(values.iter().copied()).unwrap_or((0.0, 1.0));
    let range = if high > low { high - low } else { 1.0 };
    let size = height * width;
    let at = |channel: usize, i: usize| {
        let value = values[channel * size + i];
        ((value - low) / range * 255.0).round().clamp(0.0, 255.0) as u8
    };
    let point = |i| std::array::from_fn(|k| at(k.min(channels - 1), i));
    Image { width, height, points: (0..size).map(point).collect() }
}

/// The first numbers as text.
fn listed<T: std::fmt::Display>(values: &[T]) -> String {
    let first: Vec<String> = values.iter().take(NUMBERS).map(|x| format!("{x:.3}")).collect();
    let more = if values.len() > NUMBERS { ", .." } else { "" };
    format!("{}{more}", first.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_told_from_numbers() {
        assert_eq!(picture_size(&[1, 28, 28]), Some([1, 28, 28]));
        assert_eq!(picture_size(&[3, 8, 8]), Some([3, 8, 8]));
        assert_eq!(picture_size(&[8, 8]), Some([1, 8, 8]));
        for sizes in [&[4][..], &[2, 8, 8], &[1, 1, 8], &[]] {
            assert_eq!(picture_size(sizes), None, "{sizes:?}");
        }
    }

    #[test]
    fn a_picture_goes_from_black_to_white() {
        let points = |values: &[f64]| picture(values, [1, 1, 3]).points;
        assert_eq!(points(&[-1.0, 0.0, 1.0]), [[0; 3], [128; 3], [255; 3]]);
        assert_eq!(points(&[2.0; 3]), [[0; 3]; 3]);
        assert_eq!(points(&[f64::NAN, 0.0, 1.0]), [[0; 3], [0; 3], [255; 3]]);
        let colours = picture(&[1.0, 0.0, 0.5], [3, 1, 1]).points;
        assert_eq!(colours, [[255, 0, 128]]);
    }

    #[test]
    fn the_most_certain_mistakes_are_kept() {
        let mut judge = Judge {
            confusion: Confusion::new(2),
            outputs: Outputs::Logits,
            row: 1,
            seen: 0,
            wrong: 0,
            found: Vec::new(),
        };
        let logits: Vec<f32> = (0..100).map(|i| i as f32 / 10.0 - 5.0).collect();
        judge.add(&logits, &[0.0f32; 100]).unwrap();
        assert_eq!((judge.seen, judge.wrong, judge.found.len()), (100, 49, SHOWN));
        assert_eq!(judge.found[0].index, 99);
        assert_eq!(judge.confusion.count(0, 1), 49);
    }
}
