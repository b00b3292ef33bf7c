//! Scaling of inputs and targets, feature by feature, with figures of the training set alone: what is taken from the
//! test set would tell the network about it.

use std::marker::PhantomData;
use std::path::Path;

use crate::data::dataset::Dataset;
use crate::data::memory::InMemory;
use crate::element::{Element, Float};
use crate::error::{Error, Result};
use crate::io::safetensors::{NamedTensor, Values};
use crate::shape::SampleShape;

/// The names that a scaling's figures have in a file.
const SHIFT: &str = "scaling.shift";
const UNIT: &str = "scaling.unit";

/// A shift and a unit for each of the features of `X`: a feature becomes `(x - shift) / unit`.
///
/// A feature that has one value everywhere becomes 0.
///
/// ```
/// # extern crate netform_core as netform;
/// use netform::data::{InMemory, Scaling};
/// use netform::dim::D;
///
/// let mut train = InMemory::<(D<1>,), ()>::new(vec![2.0, 4.0, 6.0], vec![0, 0, 1])?;
/// let mut test = InMemory::<(D<1>,), ()>::new(vec![5.0], vec![1])?;
/// let scaling = Scaling::min_max(&train)?;
/// scaling.apply(&mut train);
/// scaling.apply(&mut test);
/// assert_eq!(train.inputs(), [0.0, 0.5, 1.0]);
/// assert_eq!(test.inputs(), [0.75]);
/// # Ok::<(), netform::error::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Scaling<X, E = f32> {
    shifts: Vec<E>,
    units: Vec<E>,
    shape: PhantomData<fn() -> X>,
}

impl<X: SampleShape, E: Float> Scaling<X, E> {
    /// To a mean of 0 and a standard deviation of 1, both over the inputs of all samples of `data`.
    ///
    /// # Errors
    /// If `data` has no samples, or a feature has values that are not finite or are too far apart.
    pub fn standard<Y: SampleShape, T: Element>(data: &InMemory<X, Y, E, T>) -> Result<Self> {
        Self::to_standard(data.inputs(), data.feature_names())
    }

    /// To 0 for the smallest and 1 for the largest value among the inputs of `data`.
    ///
    /// # Errors
    /// If `data` has no samples, or a feature has values that are not finite or are too far apart.
    pub fn min_max<Y: SampleShape, T: Element>(data: &InMemory<X, Y, E, T>) -> Result<Self> {
        Self::to_range(data.inputs(), data.feature_names())
    }

    /// [`Scaling::standard`] of the targets: a network learns numbers around 0 more easily than a price in cents.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::data::{InMemory, Scaling};
    /// use netform::dim::D;
    ///
    /// let mut train =
    ///     InMemory::<(D<1>,), (D<1>,), f32, f32>::new(vec![1.0, 2.0], vec![100.0, 300.0])?;
    /// let scaling = Scaling::standard_targets(&train)?;
    /// scaling.apply_to(train.targets_mut());
    /// assert_eq!(train.targets(), [-1.0, 1.0]);
    /// scaling.undo(train.targets_mut());
    /// assert_eq!(train.targets(), [100.0, 300.0]);
    /// # Ok::<(), netform::error::Error>(())
    /// ```
    ///
    /// # Errors
    /// If `data` has no samples, or a feature has values that are not finite or are too far apart.
    pub fn standard_targets<I, T>(data: &InMemory<I, X, T, E>) -> Result<Self>
    where
        I: SampleShape,
        T: Element,
    {
        Self::to_standard(data.targets(), &[])
    }

    /// [`Scaling::min_max`] of the targets.
    ///
    /// # Errors
    /// If `data` has no samples, or a feature has values that are not finite or are too far apart.
    pub fn min_max_targets<I, T>(data: &InMemory<I, X, T, E>) -> Result<Self>
    where
        I: SampleShape,
        T: Element,
    {
        Self::to_range(data.targets(), &[])
    }

    fn to_standard(samples: &[E], names: &[String]) -> Result<Self> {
        let count = count::<X, E>(samples)?;
        let means = columns::<X, E>(samples, 0.0, |sum, _, x| sum + x / count);
        let variances =
            columns::<X, E>(samples, 0.0, |sum, i, x| sum + (x - means[i]).powi(2) / count);
        Self::of_units(&means, variances.into_iter().map(f64::sqrt), names)
    }

    fn to_range(samples: &[E], names: &[String]) -> Result<Self> {
        count::<X, E>(samples)?;
        // What is not a number stays, where `min` and `max` would pass over it.
        let picked =
            |x: f64, other: f64, is_better: bool| if x.is_nan() || is_better { x } else { other };
        let least =
            columns::<X, E>(samples, f64::INFINITY, |least, _, x| picked(x, least, x < least));
        let most =
            columns::<X, E>(samples, f64::NEG_INFINITY, |most, _, x| picked(x, most, x > most));
        let units = most.into_iter().zip(&least).map(|(most, least)| most - least);
        Self::of_units(&least, units, names)
    }

    /// `names` are those of the features, where they are known.
    fn of_units(
        shifts: &[f64],
        units: impl Iterator<Item = f64>,
        names: &[String],
    ) -> Result<Self> {
        // Rounding leaves a constant feature a deviation of a few parts in 10^16 of its size: dividing by
        // that would make noise of it.
        let unit = |(unit, shift): (f64, &f64)| {
            if unit <= shift.abs() * 1e-12 {
                return E::ONE;
            }
            // A unit that `E` is too coarse for becomes 0.
            let unit = E::from_f64(unit);
            if unit == E::ZERO { E::ONE } else { unit }
        };
        let units: Vec<E> = units.zip(shifts).map(unit).collect();
        let shifts: Vec<E> = shifts.iter().map(|&shift| E::from_f64(shift)).collect();
        let is_finite = |(shift, unit): (&E, &E)| shift.is_finite() && unit.is_finite();
        match shifts.iter().zip(&units).position(|figures| !is_finite(figures)) {
            None => Ok(Scaling { shifts, units, shape: PhantomData }),
            Some(i) => Err(Error::Invalid(format!(
                "feature {}{} of {} cannot be scaled: found a shift of {} and a unit of {}, expected finite ones; look for values that are infinite, not a number or too large for {}",
                i + 1,
                names.get(i).map_or(String::new(), |name| format!(", `{name}`,")),
                X::describe(),
                shifts[i],
                units[i],
                E::NAME
            ))),
        }
    }

    /// Scales every input of `data`.
    pub fn apply<Y: SampleShape, T: Element>(&self, data: &mut InMemory<X, Y, E, T>) {
        self.apply_to(data.inputs_mut());
        data.set_scaled(true);
    }

    /// Scales samples that lie one after the other, for example one that is to be classified.
    pub fn apply_to(&self, samples: &mut [E]) {
        for sample in samples.chunks_mut(X::NUMEL.max(1)) {
            for ((x, &shift), &unit) in sample.iter_mut().zip(&self.shifts).zip(&self.units) {
                *x = (*x - shift) / unit;
            }
        }
    }

    /// Turns scaled samples back: what [`Scaling::apply_to`] has done, undone.
    pub fn undo(&self, samples: &mut [E]) {
        for sample in samples.chunks_mut(X::NUMEL.max(1)) {
            for ((x, &shift), &unit) in sample.iter_mut().zip(&self.shifts).zip(&self.units) {
                *x = *x * unit + shift;
            }
        }
    }

    /// The scaling as tensors for a file, beside the weights of the network that was trained on what it has scaled.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::data::{InMemory, Scaling};
    /// use netform::dim::D;
    /// use netform::io::safetensors::{from_bytes, to_bytes};
    ///
    /// let train = InMemory::<(D<1>,), ()>::new(vec![2.0, 4.0, 6.0], vec![0, 0, 1])?;
    /// let scaling = Scaling::min_max(&train)?;
    /// let bytes = to_bytes(&scaling.to_tensors(), &Default::default())?;
    ///
    /// let stored = from_bytes(&bytes, "model.safetensors")?;
    /// assert_eq!(Scaling::from_tensors(&stored.tensors, "model.safetensors")?, scaling);
    /// # Ok::<(), netform::error::Error>(())
    /// ```
    pub fn to_tensors(&self) -> [NamedTensor; 2] {
        let tensor = |name: &str, data: &[E]| NamedTensor {
            name: name.to_owned(),
            shape: X::SIZES[..X::RANK].to_vec(),
            data: Values::from_floats(data),
        };
        [tensor(SHIFT, &self.shifts), tensor(UNIT, &self.units)]
    }

    /// The scaling among the tensors of a file; `source` is where messages say that they are from.
    ///
    /// # Errors
    /// If there is none, it is one of inputs of another shape, or a figure makes no sense.
    pub fn from_tensors(tensors: &[NamedTensor], source: impl AsRef<Path>) -> Result<Self> {
        let find = |name: &str| {
            let error =
                |problem| Error::format(source.as_ref(), format!("tensor `{name}`"), problem);
            let tensor = tensors.iter().find(|tensor| tensor.name == name).ok_or_else(|| {
                error("it is missing; the file was written without a scaling".to_owned())
            })?;
            if tensor.shape != X::SIZES[..X::RANK] || tensor.data.len() != X::NUMEL {
                let (found, expected) = (&tensor.shape, X::describe());
                return Err(error(format!("found the shape {found:?}, expected {expected}")));
            }
            let figures = tensor.data.to_floats::<E>();
            let usable = |x: &E| x.is_finite() && (name != UNIT || *x > E::ZERO);
            match figures.iter().find(|x| !usable(x)) {
                Some(x) => Err(error(format!("found {x}, expected finite numbers, units above 0"))),
                None => Ok(figures),
            }
        };
        Ok(Scaling { shifts: find(SHIFT)?, units: find(UNIT)?, shape: PhantomData })
    }

    /// What is taken from each feature.
    pub fn shifts(&self) -> &[E] {
        &self.shifts
    }

    /// What each feature is then divided by.
    pub fn units(&self) -> &[E] {
        &self.units
    }
}

/// The number of samples, of which there must be one.
fn count<X: SampleShape, E>(samples: &[E]) -> Result<f64> {
    match samples.len() / X::NUMEL.max(1) {
        0 => {
            Err(Error::Invalid("a scaling cannot be taken from a data set without samples".into()))
        }
        n => Ok(n as f64),
    }
}

/// `fold(.., feature, x)` over all samples, for each feature, beginning with `start`.
fn columns<X: SampleShape, E: Float>(
    samples: &[E],
    start: f64,
    fold: impl Fn(f64, usize, f64) -> f64,
) -> Vec<f64> {
    let mut folded = vec![start; X::NUMEL];
    for sample in samples.chunks_exact(X::NUMEL.max(1)) {
        for (i, (folded, x)) in folded.iter_mut().zip(sample).enumerate() {
            *folded = fold(*folded, i, x.to_f64());
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Columns;
    use crate::dim::D;

    type Points = InMemory<(D<2>,), ()>;

    #[test]
    fn standard_has_mean_zero_and_deviation_one() {
        let mut data =
            Points::new(vec![1.0, 0.1, 2.0, 0.1, 3.0, 0.1, 6.0, 0.1], vec![0; 4]).unwrap();
        let scaling = Scaling::standard(&data).unwrap();
        // Population variance of 1, 2, 3, 6 about 3: (4 + 1 + 0 + 9) / 4.
        assert_eq!(scaling.shifts(), [3.0, 0.1]);
        assert_eq!(scaling.units(), [3.5f32.sqrt(), 1.0]);
        scaling.apply(&mut data);
        let first: Vec<f32> = data.inputs().iter().copied().step_by(2).collect();
        assert!(first.iter().sum::<f32>().abs() < 1e-6);
        assert!((first.iter().map(|x| x * x).sum::<f32>() / 4.0 - 1.0).abs() < 1e-6);
        assert!(data.inputs().iter().skip(1).step_by(2).all(|&x| x == 0.0), "a constant feature");
    }

    #[test]
    fn min_max_is_taken_from_the_training_set_only() {
        let train = Points::new(vec![0.0, -5.0, 10.0, 5.0], vec![0; 2]).unwrap();
        let scaling = Scaling::min_max(&train).unwrap();
        let mut sample = [20.0, 0.0];
        scaling.apply_to(&mut sample);
        assert_eq!(sample, [2.0, 0.5]);
    }

    #[test]
    fn what_is_stored_is_read() {
        let data = Points::new(vec![0.0, -5.0, 10.0, 5.0], vec![0; 2]).unwrap();
        let scaling = Scaling::standard(&data).unwrap();
        let stored = scaling.to_tensors();
        assert_eq!((stored[0].shape.as_slice(), stored[1].data.len()), (&[2][..], 2));
        let read = |tensors: &[NamedTensor]| Scaling::<(D<2>,), f32>::from_tensors(tensors, "a");
        assert_eq!(read(&stored).unwrap(), scaling);
        let says = |tensors: &[NamedTensor], part: &str| {
            let message = read(tensors).unwrap_err().to_string();
            assert!(
                message.starts_with("a: tensor `scaling.") && message.contains(part),
                "{message}"
            );
        };
        says(&stored[..1], "`scaling.unit`: it is missing");
        let [shift, unit] = stored;
        let flat = NamedTensor { shape: vec![1, 2], ..shift.clone() };
        says(&[flat, unit.clone()], "found the shape [1, 2], expected [2]");
        for bad in [0.0, -1.0, f32::NAN] {
            let unit = NamedTensor { data: Values::F32(vec![1.0, bad]), ..unit.clone() };
            says(&[shift.clone(), unit], "units above 0");
        }
    }

    #[test]
    fn figures_are_finite_and_units_above_zero() {
        let of = |values: [f32; 4]| {
            let data = Points::new(values.to_vec(), vec![0; 2]).unwrap();
            [Scaling::standard(&data), Scaling::min_max(&data)]
        };
        for bad in [f32::NAN, f32::INFINITY] {
            for scaling in of([1.0, 1.0, 2.0, bad]).into_iter().chain(of([1.0, bad, 2.0, 1.0])) {
                let message = scaling.unwrap_err().to_string();
                assert!(message.starts_with("feature 2 of [2] cannot be scaled"), "{message}");
            }
        }
        let named = Points::new(vec![1.0, f32::NAN], vec![0]).unwrap();
        let named = named.with_columns(Columns::numbers(["km", "price"]).unwrap()).unwrap();
        let message = Scaling::standard(&named).unwrap_err().to_string();
        assert!(message.starts_with("feature 2, `price`, of [2] cannot be scaled"), "{message}");
        // The range of the first is more than an f32 holds.
        let [_, range] = of([-3e38, 0.0, 3e38, 1.0]);
        assert!(range.unwrap_err().to_string().starts_with("feature 1 of [2]"));
        // The deviation is half the least f32 above 0.
        let least = f32::from_bits(1);
        let [standard, range] = of([0.0, 0.0, least, 1.0]).map(Result::unwrap);
        assert_eq!((standard.units()[0], range.units()[0]), (1.0, least));
    }

    #[test]
    fn nothing_cannot_be_scaled() {
        let empty = Points::new(vec![], vec![]).unwrap();
        assert!(Scaling::standard(&empty).is_err());
        assert!(Scaling::min_max(&empty).is_err());
    }
}
