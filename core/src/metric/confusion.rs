//! What was taken for what: the confusion matrix, and the figures that follow from it.

use std::fmt;

use super::{Figure, Goal, Metric, argmax_rows, rows_of};
use crate::element::Float;
use crate::error::{Error, Result};
use crate::summary::table;

/// How often each class was taken for each class. `{}` prints it as a table.
///
/// Precision, recall and F1 are those of
/// [scikit-learn](https://scikit-learn.org/stable/modules/model_evaluation.html#precision-recall-f-measure-metrics):
///
/// ```text
/// precision = right answers of a class / all answers of it
/// recall    = right answers of a class / all samples of it
/// f1        = 2 * precision * recall / (precision + recall)
/// ```
///
/// ```
/// # extern crate netform_core as netform;
/// use netform::metric::{Confusion, Metric};
/// let mut confusion = Confusion::new(2);
/// confusion.add(&[0.1, 0.9, /* */ 0.8, 0.2, /* */ 0.3, 0.7], &[1, 0, 0])?;
/// assert_eq!(confusion.count(0, 1), 1);
/// assert_eq!(confusion.precision(1), Some(0.5));
/// assert_eq!(confusion.recall(1), Some(1.0));
/// # Ok::<(), netform::error::Error>(())
/// ```
///
/// Two are equal that count the same, whatever names their classes have.
#[derive(Clone, Debug)]
pub struct Confusion {
    classes: usize,
    /// Row by row: the class, and what it was taken for. Numbers of samples, which are whole.
    counts: Vec<f64>,
    threshold: Option<f64>,
    names: Vec<String>,
}

// A file of a history has counts alone, and what is read from it is what was written.
impl PartialEq for Confusion {
    fn eq(&self, other: &Self) -> bool {
        self.classes == other.classes
            && self.counts == other.counts
            && self.threshold == other.threshold
    }
}

impl Confusion {
    /// Of rows of `classes` outputs, the largest of which is the answer, with labels or one-hot targets.
    pub fn new(classes: usize) -> Self {
        let counts = vec![0.0; classes * classes];
        Confusion { classes, counts, threshold: None, names: Vec::new() }
    }

    /// Of single outputs: class 1 where one is more than `threshold` (0 for logits, 0.5 for probabilities), else class
    /// 0. Targets are 0 and 1.
    pub fn binary(threshold: f64) -> Self {
        Confusion { threshold: Some(threshold), ..Self::new(2) }
    }

    /// The same with names for the classes, by class, under which it is printed and shown in a
    /// [report](crate::report::Report). A class without one has its number; a [history](crate::train::History) keeps them,
    /// but for its files.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::metric::{Confusion, Metric};
    /// let mut confusion = Confusion::new(2).named(["cat", "dog"]);
    /// confusion.add(&[0.1, 0.9, /* */ 0.8, 0.2, /* */ 0.3, 0.7], &[1, 0, 0])?;
    /// assert_eq!(
    ///     confusion.to_string(),
    ///     "\
    /// class   samples   precision   recall       f1
    /// cat           2      1.0000   0.5000   0.6667
    /// dog           1      0.5000   1.0000   0.6667
    ///
    /// true class \\ taken for   cat   dog
    /// cat                        1     1
    /// dog                        0     1
    /// "
    /// );
    /// # Ok::<(), netform::error::Error>(())
    /// ```
    #[must_use]
    pub fn named(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.names = names.into_iter().map(Into::into).collect();
        self
    }

    /// The names of the classes, by class; empty where there are none.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// What a class is called: its number where it has no name.
    fn name(&self, class: usize) -> String {
        self.names.get(class).cloned().unwrap_or_else(|| class.to_string())
    }

    /// The counts alone, and what the classes are called.
    pub(crate) fn matrix(&self) -> Self {
        Confusion { threshold: None, ..self.clone() }
    }

    /// How often samples of class `class` were taken for `answer`; 0 for classes that there are not.
    pub fn count(&self, class: usize, answer: usize) -> u64 {
        match class < self.classes && answer < self.classes {
            true => self.counts[class * self.classes + answer] as u64,
            false => 0,
        }
    }

    /// The number of classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// All samples.
    pub fn samples(&self) -> u64 {
        self.counts.iter().sum::<f64>() as u64
    }

    /// The part of the samples that was classified correctly; nothing of no samples.
    pub fn accuracy(&self) -> Option<f64> {
        part((0..self.classes).map(|class| self.count(class, class)).sum(), self.samples())
    }

    /// Of the answers `class`, the part that is right; nothing where there is no such answer.
    pub fn precision(&self, class: usize) -> Option<f64> {
        let answers = (0..self.classes).map(|of| self.count(of, class)).sum();
        part(self.count(class, class), answers)
    }

    /// Of the samples of `class`, the part that was found; nothing where there is no such sample.
    pub fn recall(&self, class: usize) -> Option<f64> {
        let samples = (0..self.classes).map(|answer| self.count(class, answer)).sum();
        part(self.count(class, class), samples)
    }

    /// The harmonic mean of precision and recall: `2 tp / (2 tp + fp + fn)`; nothing where the class is neither among
    /// the samples nor among the answers.
    pub fn f1(&self, class: usize) -> Option<f64> {
        let right = self.count(class, class);
        let both = (0..self.classes).map(|i| self.count(class, i) + self.count(i, class)).sum();
        part(2 * right, both)
    }

    /// The mean of [`Confusion::f1`] over the classes, where it is 0 of a class that has none.
    pub fn macro_f1(&self) -> f64 {
        self.mean(Self::f1)
    }

    /// The mean of [`Confusion::precision`] over the classes, where it is 0 of a class that has none.
    pub fn macro_precision(&self) -> f64 {
        self.mean(Self::precision)
    }

    /// The mean of [`Confusion::recall`] over the classes, where it is 0 of a class that has none.
    pub fn macro_recall(&self) -> f64 {
        self.mean(Self::recall)
    }

    fn mean(&self, of: impl Fn(&Self, usize) -> Option<f64>) -> f64 {
        let sum: f64 = (0..self.classes).map(|class| of(self, class).unwrap_or(0.0)).sum();
        sum / self.classes.max(1) as f64
    }

    fn note(&mut self, class: usize, answer: usize) -> Result<()> {
        if class >= self.classes {
            let what = "a label of a confusion matrix".to_owned();
            return Err(Error::IndexOutOfRange {
                what,
                index: class,
                size: self.classes,
                of: "classes",
            });
        }
        self.counts[class * self.classes + answer] += 1.0;
        Ok(())
    }
}

fn part(of: u64, all: u64) -> Option<f64> {
    (all > 0).then(|| of as f64 / all as f64)
}

impl<E: Float> Metric<E, u32> for Confusion {
    fn add(&mut self, outputs: &[E], targets: &[u32]) -> Result<()> {
        let Some(threshold) = self.threshold else {
            rows_of("a confusion matrix", outputs.len(), targets.len(), self.classes)?;
            let mut answers = argmax_rows(outputs, self.classes).zip(targets);
            return answers.try_for_each(|(answer, class)| self.note(*class as usize, answer));
        };
        rows_of("a confusion matrix", outputs.len(), targets.len(), 1)?;
        outputs.iter().zip(targets).try_for_each(|(output, class)| {
            self.note(*class as usize, (output.to_f64() > threshold).into())
        })
    }

    fn row(&self) -> Option<usize> {
        self.threshold.is_none().then_some(self.classes)
    }
}

impl<E: Float> Metric<E, E> for Confusion {
    fn add(&mut self, outputs: &[E], targets: &[E]) -> Result<()> {
        rows_of("a confusion matrix", outputs.len(), targets.len(), 1)?;
        let Some(threshold) = self.threshold else {
            let classes = argmax_rows(targets, self.classes);
            let mut answers = argmax_rows(outputs, self.classes).zip(classes);
            return answers.try_for_each(|(answer, class)| self.note(class, answer));
        };
        outputs.iter().zip(targets).try_for_each(|(output, target)| {
            self.note((target.to_f64() > 0.5).into(), (output.to_f64() > threshold).into())
        })
    }

    fn row(&self) -> Option<usize> {
        self.threshold.is_none().then_some(self.classes)
    }
}

/// Its number is the accuracy.
impl Figure for Confusion {
    fn value(&self) -> Option<f64> {
        self.accuracy()
    }
    fn goal(&self) -> Goal {
        Goal::Larger
    }
    fn sums(&mut self) -> &mut [f64] {
        &mut self.counts
    }
    fn confusion(&self) -> Option<&Confusion> {
        Some(self)
    }
}

impl fmt::Display for Confusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let figure = |x: Option<f64>| x.map_or_else(String::new, |x| format!("{x:.4}"));
        let names: Vec<String> = (0..self.classes).map(|class| self.name(class)).collect();
        let figures = names.iter().enumerate().map(|(class, name)| {
            let samples: u64 = (0..self.classes).map(|answer| self.count(class, answer)).sum();
            [
                name.clone(),
                samples.to_string(),
                figure(self.precision(class)),
                figure(self.recall(class)),
                figure(self.f1(class)),
            ]
        });
        let figures: Vec<[String; 5]> = figures.collect();
        table(f, &["class", "samples", "precision", "recall", "f1"], &figures, 1)?;
        writeln!(f)?;
        let heading: Vec<&str> = ["true class \\ taken for"]
            .into_iter()
            .chain(names.iter().map(String::as_str))
            .collect();
        let counts =
            self.counts.chunks(self.classes.max(1)).map(|row| row.iter().map(f64::to_string));
        let rows: Vec<Vec<String>> = names
            .iter()
            .zip(counts)
            .map(|(name, counts)| [name.clone()].into_iter().chain(counts).collect())
            .collect();
        table(f, &heading, &rows, 1)
    }
}
