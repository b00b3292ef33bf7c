//! Metrics that are one number each: what a trainer keeps for every epoch.

use std::fmt;

use super::{
    Confusion, Figure, Goal, Metric, Regression, correct_labels, correct_rows, correct_sides,
    rows_of,
};
use crate::data::Scaling;
use crate::element::Float;
use crate::error::{Error, Result};
use crate::loss::NoTarget;
use crate::shape::SampleShape;

/// The part of the answers that is right: 1 of all, 0 of none.
///
/// ```
/// # extern crate netform_core as netform;
/// use netform::metric::{Accuracy, Figure, Metric};
/// let mut accuracy = Accuracy::new(2);
/// accuracy.add(&[0.1, 0.9, /* */ 0.8, 0.2, /* */ 0.3, 0.7], &[1, 0, 0])?;
/// assert_eq!(accuracy.value(), Some(2.0 / 3.0));
/// # Ok::<(), netform::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Accuracy {
    classes: usize,
    threshold: Option<f64>,
    /// The right answers, and all.
    sums: [f64; 2],
}

impl Accuracy {
    /// Of rows of `classes` outputs, the largest of which is the answer, with labels or one-hot targets.
    pub fn new(classes: usize) -> Self {
        Accuracy { classes, threshold: None, sums: [0.0; 2] }
    }

    /// Of single outputs: class 1 where one is more than `threshold` (0 for logits, 0.5 for probabilities), else class
    /// 0. Targets are 0 and 1.
    pub fn binary(threshold: f64) -> Self {
        Accuracy { classes: 1, threshold: Some(threshold), sums: [0.0; 2] }
    }

    fn note(&mut self, correct: usize, all: usize) {
        self.sums[0] += correct as f64;
        self.sums[1] += all as f64;
    }
}

impl<E: Float> Metric<E, u32> for Accuracy {
    fn add(&mut self, outputs: &[E], targets: &[u32]) -> Result<()> {
        rows_of("an accuracy", outputs.len(), targets.len(), self.classes)?;
        let size = if self.threshold.is_some() { 2 } else { self.classes };
        if let Some(&label) = targets.iter().find(|label| **label as usize >= size) {
            let what = "a label of an accuracy".to_owned();
            return Err(Error::IndexOutOfRange {
                what,
                index: label as usize,
                size,
                of: "classes",
            });
        }
        let correct = match self.threshold {
            Some(threshold) => {
                let sides = outputs.iter().zip(targets);
                sides.filter(|(x, label)| (x.to_f64() > threshold) == (**label == 1)).count()
            }
            None => correct_labels(outputs, targets),
        };
        self.note(correct, targets.len());
        Ok(())
    }

    fn row(&self) -> Option<usize> {
        self.threshold.is_none().then_some(self.classes)
    }
}

impl<E: Float> Metric<E, E> for Accuracy {
    fn add(&mut self, outputs: &[E], targets: &[E]) -> Result<()> {
        rows_of("an accuracy", outputs.len(), targets.len(), 1)?;
        let correct = match self.threshold {
            Some(threshold) => {
                correct_sides(outputs, E::from_f64(threshold), targets, E::from_f64(0.5))
            }
            None => correct_rows(outputs, targets, self.classes),
        };
        self.note(correct, targets.len() / self.classes.max(1));
        Ok(())
    }

    fn row(&self) -> Option<usize> {
        self.threshold.is_none().then_some(self.classes)
    }
}

impl fmt::Display for Accuracy {
    /// The number; `nothing` of no samples.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        shown(self.value(), f)
    }
}

/// A figure, if there is one, with the digits that the formatter asks for.
fn shown(value: Option<f64>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match value {
        Some(value) => fmt::Display::fmt(&value, f),
        None => f.write_str("nothing"),
    }
}

impl Figure for Accuracy {
    fn value(&self) -> Option<f64> {
        let [correct, all] = self.sums;
        (all > 0.0).then(|| correct / all)
    }
    fn goal(&self) -> Goal {
        Goal::Larger
    }
    fn sums(&mut self) -> &mut [f64] {
        &mut self.sums
    }
}

/// One class, or the mean over all.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Of {
    Class(usize),
    Mean,
}

/// A metric of a [`Confusion`], with its number of one class and its mean over all.
macro_rules! of_confusion {
    ($($(#[$doc:meta])* $name:ident: $of_class:ident, $mean:ident;)*) => { $(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            confusion: Confusion,
            of: Of,
        }

        impl $name {
            /// The mean over the classes, where it is 0 of a class that has none. Of rows of `classes` outputs, the
            /// largest of which is the answer, with labels or one-hot targets.
            pub fn macro_average(classes: usize) -> Self {
                $name { confusion: Confusion::new(classes), of: Of::Mean }
            }

            /// Of one of so many classes.
            pub fn of_class(class: usize, classes: usize) -> Self {
                $name { confusion: Confusion::new(classes), of: Of::Class(class) }
            }

            /// Of class 1, which single outputs say where they are more than `threshold`: [`Confusion::binary`].
            pub fn binary(threshold: f64) -> Self {
                $name { confusion: Confusion::binary(threshold), of: Of::Class(1) }
            }
        }

        impl<E: Float> Metric<E, u32> for $name {
            fn add(&mut self, outputs: &[E], targets: &[u32]) -> Result<()> {
                self.confusion.add(outputs, targets)
            }

            fn row(&self) -> Option<usize> {
                Metric::<E, u32>::row(&self.confusion)
            }
        }

        impl<E: Float> Metric<E, E> for $name {
            fn add(&mut self, outputs: &[E], targets: &[E]) -> Result<()> {
                self.confusion.add(outputs, targets)
            }

            fn row(&self) -> Option<usize> {
                Metric::<E, E>::row(&self.confusion)
            }
        }

        impl fmt::Display for $name {
            /// The number; `nothing` of no samples.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                shown(self.value(), f)
            }
        }

        impl Figure for $name {
            fn value(&self) -> Option<f64> {
                match self.of {
                    Of::Class(class) => self.confusion.$of_class(class),
                    Of::Mean => (self.confusion.samples() > 0).then(|| self.confusion.$mean()),
                }
            }
            fn goal(&self) -> Goal {
                Goal::Larger
            }
            fn sums(&mut self) -> &mut [f64] {
                self.confusion.sums()
            }
        }
    )* };
}
of_confusion! {
    /// Of the answers of a class, the part that is right.
    Precision: precision, macro_precision;
    /// Of the samples of a class, the part that was found.
    Recall: recall, macro_recall;
    /// The harmonic mean of precision and recall.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::metric::{F1, Figure, Metric};
    /// let mut f1 = F1::of_class(1, 2);
    /// f1.add(&[0.1, 0.9, /* */ 0.8, 0.2, /* */ 0.3, 0.7], &[1, 0, 0])?;
    /// // Precision 1 / 2, recall 1.
    /// assert_eq!(f1.value(), Some(2.0 / 3.0));
    /// # Ok::<(), netform::error::Error>(())
    /// ```
    F1: f1, macro_f1;
}

/// A metric that is one of the numbers of a [`Regression`].
macro_rules! of_regression {
    ($($(#[$doc:meta])* $name:ident: $number:ident, $goal:ident;)*) => { $(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct $name(Regression);

        impl $name {
            /// Of no elements yet.
            pub fn new() -> Self {
                Self::default()
            }

            /// In the units that targets had before `scaling` was applied to them: [`Regression::unscaled`].
            #[must_use]
            pub fn unscaled<X: SampleShape, E: Float>(self, scaling: &Scaling<X, E>) -> Self {
                $name(self.0.unscaled(scaling))
            }
        }

        impl<E: Float> Metric<E, E> for $name {
            fn add(&mut self, outputs: &[E], targets: &[E]) -> Result<()> {
                self.0.add(outputs, targets)
            }

            fn row(&self) -> Option<usize> {
                Metric::<E, E>::row(&self.0)
            }
        }

        impl<E: Float> Metric<E, NoTarget> for $name {
            fn add(&mut self, _: &[E], _: &[NoTarget]) -> Result<()> {
                Ok(())
            }
        }

        impl fmt::Display for $name {
            /// The number; `nothing` of no samples.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                shown(self.value(), f)
            }
        }

        impl Figure for $name {
            fn value(&self) -> Option<f64> {
                self.0.$number()
            }
            fn goal(&self) -> Goal {
                Goal::$goal
            }
            fn sums(&mut self) -> &mut [f64] {
                &mut self.0.sums
            }
        }
    )* };
}
of_regression! {
    /// The mean absolute error over all elements of the outputs: [`Regression::mae`].
    ///
    /// Of targets that were scaled, it is in their own units with [`Mae::unscaled`]:
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// # use netform::{data::InMemory, dim::D, loss::Mse, optim::Adam, train::Trainer};
    /// use netform::data::Scaling;
    /// use netform::metric::Mae;
    /// # let (inputs, dollars) = (vec![1.0, 2.0], vec![100.0, 300.0]);
    ///
    /// let mut train = InMemory::<(D<1>,), (D<1>,), f32, f32>::new(inputs, dollars)?;
    /// let prices = Scaling::standard_targets(&train)?;
    /// prices.apply_to(train.targets_mut());
    /// let trainer = Trainer::new(Mse, Adam::new(1e-3)).metric("mae", Mae::new().unscaled(&prices));
    /// # Ok::<(), netform::error::Error>(())
    /// ```
    Mae: mae, Smaller;
    /// The root of the mean squared error over all elements of the outputs: [`Regression::rmse`].
    Rmse: rmse, Smaller;
    /// The part of the targets' variance that the outputs explain: [`Regression::r2`].
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::metric::{Figure, Metric, R2};
    /// let mut r2 = R2::new();
    /// r2.add(&[1.0, 2.0, 4.0], &[1.0, 2.0, 3.0])?;
    /// assert_eq!(r2.value(), Some(0.5));
    /// # Ok::<(), netform::error::Error>(())
    /// ```
    R2: r2, Larger;
}
