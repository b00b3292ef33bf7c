//! The report of a training: one page to read it by, without anything from elsewhere.

mod charts;
mod classes;
mod errors;
mod numbers;
mod page;
mod sample;
mod saved;
mod tested;
#[cfg(test)]
mod tests;
mod verdict;

use std::path::Path;

use crate::data::{DatasetOf, Scaling};
use crate::element::Float;
use crate::error::{Error, Result};
use crate::io::write_atomically;
use crate::metric::{Confusion, Unscaled};
use crate::module::Module;
use crate::network::Network;
use crate::outputs::Outputs;
use crate::shape::{SameSample, SampleShape};
use crate::summary::Summary;
use crate::train::History;
use numbers::Numbers;
use tested::{Mistake, Tested};

pub use numbers::NumberTarget;
pub use saved::SaveReport;
pub use tested::ClassTarget;
pub use verdict::Verdict;

/// A page of HTML about a training: verdict, curves, and, as far as it is told of them, what was taken for what, the
/// worst mistakes and the network.
///
/// The page is one file without scripts that asks for nothing from elsewhere; it follows the reader's system, light or
/// dark, can be read on a phone and printed. A training that was stopped, had one epoch or none, no validation data, or
/// values that are not finite has a page as well, which says so. Where training ends with an error, `fit` returns that and
/// no history; a callback has it nevertheless, and [`SaveReport`] writes its page.
///
/// ```standalone_crate
/// # extern crate netform_core as netform;
/// # netform_macros::network! { Net: [2] -> [2] { fc1: Linear(2) } }
/// # fn main() -> netform::error::Result<()> {
/// # use netform::{data::InMemory, dim::D, loss::CrossEntropy, optim::Adam, random::Seed, train::Trainer};
/// use netform::report::Report;
/// # let train = InMemory::<(D<2>,)>::new(vec![0.1, 0.9, 0.8, 0.3], vec![0, 1])?;
/// # let test = InMemory::<(D<2>,)>::new(vec![0.1, 0.9, 0.8, 0.3], vec![0, 1])?;
/// # let path = std::env::temp_dir().join(format!("netform-doc-report-{}.html", std::process::id()));
///
/// let mut net = Net::new(Seed(1));
/// let history = Trainer::new(CrossEntropy, Adam::new(1e-2))
///     .epochs(10)
///     .validate(&test)
///     .gradient_norms()
///     .weight_norms()
///     .fit(&mut net, &train)?;
/// Report::new(&history).network(&net).class_names(["red", "blue"]).tested(&net, &test)?.save(&path)?;
/// # std::fs::remove_file(path).ok();
/// # Ok(())
/// # }
/// ```
pub struct Report<'r> {
    history: &'r History,
    title: Option<String>,
    network: Option<Described>,
    /// What was taken for what, and what its samples are.
    confusion: Option<(Confusion, &'static str)>,
    class_names: Vec<String>,
    outputs: Option<Outputs>,
    scaling: Unscaled,
    target_scaling: Unscaled,
    mistakes: Option<Mistakes>,
    numbers: Option<Numbers>,
    /// What was said after samples were tested, and would have changed what is shown of them.
    late: Option<&'static str>,
}

/// What samples are that were tested: whether they are for validation or for a test, nobody says.
const GIVEN: &str = "samples that the report was given to test on";

/// So many of some samples.
fn counted(samples: u64, of: &str) -> String {
    match samples {
        1 => format!("1 {}", of.replacen("samples", "sample", 1)),
        n => format!("{n} {of}"),
    }
}

/// A network in texts.
struct Described {
    summary: Summary,
    plan: &'static str,
}

/// What was taken for something else.
struct Mistakes {
    /// How many samples.
    wrong: usize,
    shown: Vec<Mistake>,
    /// What the network's outputs were taken for.
    outputs: Outputs,
    /// Whether nobody said that they are logits, and all of them could be probabilities.
    doubtful: bool,
}

impl History {
    /// Writes the report of the training as a page of HTML; [`Report`] has more, of the network and of test samples.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// # let history = netform::train::History::default();
    /// # let path = std::env::temp_dir().join(format!("netform-doc-save-report-{}.html", std::process::id()));
    /// history.save_report(&path)?;
    /// # std::fs::remove_file(path).ok();
    /// # Ok::<(), netform::error::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the folder does not exist, or the file cannot be written.
    pub fn save_report(&self, path: impl AsRef<Path>) -> Result<()> {
        Report::new(self).save(path)
    }
}

impl<'r> Report<'r> {
    /// The report of what a history knows. Where a metric of it is a
    /// [confusion matrix](crate::train::Trainer::metric), that of the best epoch's validation samples is shown, until
    /// another one is given.
    pub fn new(history: &'r History) -> Self {
        Report {
            history,
            title: None,
            network: None,
            confusion: None,
            class_names: Vec::new(),
            outputs: None,
            scaling: Unscaled::default(),
            target_scaling: Unscaled::default(),
            mistakes: None,
            numbers: None,
            late: None,
        }
    }

    /// What the page is called; "Training of" the network where nothing is set.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// Shows the network's layers and its plan.
    #[must_use]
    pub fn network<N: Module>(mut self, net: &N) -> Self {
        self.network = Some(Described { summary: Summary::of(net), plan: N::PLAN });
        self
    }

    /// Shows what was taken for what, by the names that it or the report has for the classes.
    #[must_use]
    pub fn confusion(mut self, confusion: Confusion) -> Self {
        self.confusion = Some((confusion, "samples"));
        self
    }

    /// The names of the classes, by class; they are numbers without.
    #[must_use]
    pub fn class_names(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.class_names = names.into_iter().map(Into::into).collect();
        self
    }

    /// What the outputs of a network are that is [`tested`](Report::tested) afterwards. Where nothing is set, the end of the
    /// network's graph says it: a sigmoid or softmax, as a layer or as `sigmoid(fc(x))`, that they are probabilities, their
    /// logarithms that they are these, and anything else, `1 - sigmoid(fc(x))` too, that they are logits.
    ///
    /// ```standalone_crate
    /// # extern crate netform_core as netform;
    /// netform_macros::network! {
    ///     Side: (x: [2]) -> [1] { let fc = Linear(1); 1 - sigmoid(fc(x)) }
    /// }
    /// # fn main() -> netform::error::Result<()> {
    /// # use netform::{data::InMemory, dim::D, random::Seed, report::Report, train::History};
    /// use netform::model::Outputs;
    /// # let test = InMemory::<(D<2>,)>::new(vec![0.1, 0.9, 0.8, 0.3], vec![0, 1])?;
    /// # let (net, history) = (Side::new(Seed(1)), History::default());
    ///
    /// let report = Report::new(&history).outputs(Outputs::Probabilities).tested(&net, &test)?;
    /// assert!(report.html()?.contains("2 samples"));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn outputs(mut self, outputs: Outputs) -> Self {
        self.outputs = Some(outputs);
        self
    }

    /// What was done to the inputs of a data set that is [`tested`](Report::tested) afterwards: samples are shown as they
    /// were measured, under the names of the features where the data set knows them.
    #[must_use]
    pub fn scaling<X: SampleShape, E: Float>(mut self, scaling: &Scaling<X, E>) -> Self {
        if self.mistakes.is_some() || self.numbers.is_some() {
            self.late = Some("scaling");
        }
        self.scaling = Unscaled::of(scaling);
        self
    }

    /// What was done to the targets of a data set that is [tested](Report::tested_numbers) afterwards: all that is shown of
    /// them is in their own units, as dollars.
    #[must_use]
    pub fn target_scaling<Y: SampleShape, E: Float>(mut self, scaling: &Scaling<Y, E>) -> Self {
        if self.numbers.is_some() {
            self.late = Some("target_scaling");
        }
        self.target_scaling = Unscaled::of(scaling);
        self
    }

    /// Shows what the network takes samples for: the confusion matrix, and of those that it takes for another class the
    /// ones of which it is most certain, as pictures where they are some: samples `[height, width]`, `[1, height, width]`
    /// or `[3, height, width]`. Targets are labels, rows of probabilities, or 0 and 1 for a network of a single output;
    /// [`Report::tested_numbers`] is for numbers. The data set's names of classes are taken, unless others are set.
    ///
    /// # Errors
    /// If the network's output has more than one axis or more than 4096 classes, its outputs are not what
    /// [`Report::outputs`] says, the targets of a sample do not say one class, a label is out of range, a scaling is one of
    /// inputs of another shape, a sample cannot be read, or the device has not enough memory or is lost.
    pub fn tested<N, D>(mut self, net: &N, data: &D) -> Result<Self>
    where
        N: Network,
        D: DatasetOf<N::InputElement>,
        D::Input: SameSample<N::Input>,
        D::TargetElement: ClassTarget<N::Elem>,
    {
        let tested = Tested::of(net, data, self.outputs, &self.scaling)?;
        self.mistakes = Some(Mistakes {
            wrong: tested.wrong,
            shown: tested.mistakes,
            outputs: tested.outputs,
            doubtful: self.outputs.is_none()
                && tested.outputs == Outputs::Logits
                && tested.may_be_probabilities,
        });
        self.confusion = Some((tested.confusion, GIVEN));
        if self.class_names.is_empty() {
            self.class_names = tested.class_names;
        }
        Ok(self)
    }

    /// Shows how far the network is off where targets are numbers of the output's shape: what it predicts against what was
    /// measured, MAE, RMSE and R2, and the samples of which it is off the most, with their inputs. Each of a few outputs has
    /// its own; more than 12 are taken together.
    ///
    /// ```standalone_crate
    /// # extern crate netform_core as netform;
    /// # netform_macros::network! { Net: [1] -> [1] { fc1: Linear(1) } }
    /// # fn main() -> netform::error::Result<()> {
    /// # use netform::{data::InMemory, dim::D, loss::Mse, optim::Adam, random::Seed, train::Trainer};
    /// use netform::data::Scaling;
    /// use netform::report::Report;
    /// # let (rooms, dollars) = (vec![1.0, 2.0, 4.0], vec![100.0, 180.0, 390.0]);
    ///
    /// let mut train = InMemory::<(D<1>,), (D<1>,), f32, f32>::new(rooms, dollars)?;
    /// let inputs = Scaling::standard(&train)?;
    /// let prices = Scaling::standard_targets(&train)?;
    /// inputs.apply(&mut train);
    /// prices.apply_to(train.targets_mut());
    ///
    /// let mut net = Net::new(Seed(1));
    /// let history = Trainer::new(Mse, Adam::new(1e-2)).fit(&mut net, &train)?;
    /// let report = Report::new(&history).scaling(&inputs).target_scaling(&prices);
    /// let html = report.tested_numbers(&net, &train)?.html()?;
    /// assert!(html.contains("3 samples") && html.contains("<td>390</td>"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If a sample has not as many targets as the network has outputs, a scaling is of another shape, a sample cannot be
    /// read, or the device has not enough memory or is lost.
    pub fn tested_numbers<N, D>(mut self, net: &N, data: &D) -> Result<Self>
    where
        N: Network,
        D: DatasetOf<N::InputElement>,
        D::Input: SameSample<N::Input>,
        D::TargetElement: NumberTarget<N::Elem>,
    {
        self.numbers = Some(Numbers::of(net, data, &self.scaling, &self.target_scaling)?);
        Ok(self)
    }

    /// The page.
    ///
    /// # Errors
    /// If [`Report::outputs`] came after [`Report::tested`], and said something else than what that took the outputs for, or
    /// a scaling came after what it is for.
    /// Whatever the values are, there is a page.
    pub fn html(&self) -> Result<String> {
        if let (Some(mistakes), Some(outputs)) = (&self.mistakes, self.outputs)
            && mistakes.outputs != outputs
        {
            return Err(Error::Invalid(format!(
                "a report whose network was tested with outputs taken for {}, and said to be {outputs} afterwards: call `.outputs(..)` before `.tested(..)`",
                mistakes.outputs
            )));
        }
        if let Some(late) = self.late {
            return Err(Error::Invalid(format!(
                "a report that was told of a scaling after its samples were tested: call `.{late}(..)` before `.tested(..)` and `.tested_numbers(..)`"
            )));
        }
        page::page(self)
    }

    /// Writes the page as a file, whole or not at all.
    ///
    /// # Errors
    /// If the folder does not exist, or the file cannot be written; as [`Report::html`].
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        write_atomically(path, self.html()?.as_bytes())
    }

    /// The name of a class, as a text that is no markup.
    fn class_name(&self, class: usize) -> String {
        self.class_names.get(class).map_or_else(|| class.to_string(), |name| visible(name))
    }

    /// The same of a class of a matrix, which may have names of its own.
    fn class_name_in(&self, confusion: &Confusion, class: usize) -> String {
        match confusion.names().get(class) {
            Some(name) if self.class_names.is_empty() => visible(name),
            _ => self.class_name(class),
        }
    }
}

/// A name; in quotes where it would be nothing to see, as a space or a line feed among characters.
fn visible(name: &str) -> String {
    if name.trim().is_empty() { format!("{name:?}") } else { name.to_owned() }
}
