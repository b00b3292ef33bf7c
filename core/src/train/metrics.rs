//! The metrics that a trainer keeps beside loss and accuracy: a list of types, so that what takes other targets than the
//! data has does not compile.

use crate::element::{Element, Float};
use crate::error::{Error, Result};
use crate::metric::{Confusion, Figure, Goal, Metric, check_row};
use crate::shape::SampleShape;

/// One metric over the samples of an epoch: the training's, taken from the outputs of the steps themselves, each from
/// before its update, and the validation's.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricRecord {
    /// The name that it was given.
    pub name: String,
    /// Which of two values is better.
    pub goal: Goal,
    /// Of the training samples; nothing where it has no meaning for them.
    pub train: Option<f64>,
    /// Of the validation samples.
    pub validation: Option<f64>,
    /// What training samples were taken for, where the metric counts that.
    pub train_confusion: Option<Confusion>,
    /// What validation samples were taken for.
    pub validation_confusion: Option<Confusion>,
}

/// What a trainer does with its metrics whatever they are of.
pub trait Figures {
    /// Whether there are any.
    #[doc(hidden)]
    const ANY: bool;
    /// Calls `f` with each, and its name, in the order in which they were added.
    #[doc(hidden)]
    fn each(&mut self, f: &mut dyn FnMut(&str, &mut dyn Figure));
}

/// The metrics of a trainer, where they take outputs of `E` with targets of `T`.
pub trait Metrics<E: Float, T: Element>: Figures {
    /// Adds the outputs of a batch and its targets.
    #[doc(hidden)]
    fn add(&mut self, outputs: &[E], targets: &[T]) -> Result<()>;
    /// That each is of rows as the outputs `O` have them.
    #[doc(hidden)]
    fn check<O: SampleShape>(&self) -> Result<()>;
}

/// A metric with its name.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct Named<M> {
    pub(super) name: String,
    pub(super) metric: M,
}

impl Figures for () {
    const ANY: bool = false;
    fn each(&mut self, _: &mut dyn FnMut(&str, &mut dyn Figure)) {}
}

impl<E: Float, T: Element> Metrics<E, T> for () {
    fn add(&mut self, _: &[E], _: &[T]) -> Result<()> {
        Ok(())
    }
    fn check<O: SampleShape>(&self) -> Result<()> {
        Ok(())
    }
}

impl<A: Figures, M: Figure> Figures for (A, Named<M>) {
    const ANY: bool = true;
    fn each(&mut self, f: &mut dyn FnMut(&str, &mut dyn Figure)) {
        self.0.each(f);
        f(&self.1.name, &mut self.1.metric);
    }
}

impl<E, T, A, M> Metrics<E, T> for (A, Named<M>)
where
    E: Float,
    T: Element,
    A: Metrics<E, T>,
    M: Metric<E, T> + Figure,
{
    fn add(&mut self, outputs: &[E], targets: &[T]) -> Result<()> {
        self.0.add(outputs, targets)?;
        self.1.metric.add(outputs, targets)
    }
    fn check<O: SampleShape>(&self) -> Result<()> {
        self.0.check::<O>()?;
        check_row::<O>(&format!("metric `{}`", self.1.name), self.1.metric.row())
    }
}

/// The names, which are to be of use as those of columns.
pub(super) fn names<M: Figures>(metrics: &mut M) -> Result<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    metrics.each(&mut |name, _| names.push(name.to_owned()));
    for (i, name) in names.iter().enumerate() {
        let problem = match name.as_str() {
            "" => "it is empty",
            "loss" | "accuracy" => "it is the name of the figure that the loss itself has",
            "seconds" => "it is the name of the time that an epoch took",
            _ if ["step/", "weight_norm/"].iter().any(|group| name.starts_with(group)) => {
                "TensorBoard has figures of steps and norms of weights in groups of this name"
            }
            _ if names[..i].contains(name) => "another metric has it",
            _ if name.contains([',', '"']) || name.contains(char::is_control) => {
                "commas, quotation marks and line breaks separate the columns of files"
            }
            _ => continue,
        };
        return Err(Error::Invalid(format!(
            "`{name}` cannot be the name of a metric: {problem}; give it another one"
        )));
    }
    Ok(names)
}

/// Forgets all samples.
pub(super) fn clear<M: Figures>(metrics: &mut M) {
    metrics.each(&mut |_, figure| figure.sums().fill(0.0));
}

/// The values over the training samples of an epoch. The validation's samples are next.
pub(super) fn of_training<M: Figures>(metrics: &mut M) -> Vec<MetricRecord> {
    let mut records = Vec::new();
    metrics.each(&mut |name, figure| {
        records.push(MetricRecord {
            name: name.to_owned(),
            goal: figure.goal(),
            train: figure.value(),
            validation: None,
            train_confusion: figure.confusion().map(Confusion::matrix),
            validation_confusion: None,
        });
    });
    clear(metrics);
    records
}

/// Adds the values over the validation samples. The next epoch's samples are next.
pub(super) fn of_validation<M: Figures>(metrics: &mut M, records: &mut [MetricRecord]) {
    let mut records = records.iter_mut();
    metrics.each(&mut |_, figure| {
        if let Some(record) = records.next() {
            record.validation = figure.value();
            record.validation_confusion = figure.confusion().map(Confusion::matrix);
        }
    });
    clear(metrics);
}
