//! A sample of a data set as something to look at: a picture, or its numbers by their names.

use std::fmt::Display;

use crate::data::{Dataset, DatasetOf};
use crate::element::Float;
use crate::error::{Error, Result};
use crate::feed::InputElement;
use crate::metric::Unscaled;
use crate::network::Network;
use crate::plot::{Image, ends, escaped};
use crate::random::Seed;
use crate::shape::{SampleShape, Shape};

/// How many numbers of a sample that is no picture are shown.
pub(super) const NUMBERS: usize = 12;
/// How many columns and rows a picture of a sample has at most: the page shows it about as wide.
const SIDE: usize = 128;
/// How far numbers of a one-hot group may be from 0 and 1: a scaling that is undone rounds them.
const ROUNDING: f64 = 1e-3;

/// A sample to look at.
pub(super) enum Sample {
    Picture(Image),
    /// Its numbers, as far as there is room for them, with their names where they have some.
    Numbers(Vec<String>),
}

/// The samples of a data set as they were measured.
pub(super) struct Samples<'d, D> {
    data: &'d D,
    scaling: &'d Unscaled,
}

impl<'d, D: Dataset> Samples<'d, D> {
    /// # Errors
    /// If the scaling is one of inputs of another shape.
    pub fn new(data: &'d D, scaling: &'d Unscaled) -> Result<Self> {
        check_scaling::<D::Input>("`Report::scaling`, of the inputs", scaling)?;
        Ok(Samples { data, scaling })
    }

    /// A sample as it is shown.
    pub fn shown<N>(&self, index: usize) -> Result<Sample>
    where
        N: Network,
        D: DatasetOf<N::InputElement>,
    {
        let mut inputs = vec![N::InputElement::default(); D::Input::NUMEL];
        let mut targets = vec![D::TargetElement::default(); D::Target::NUMEL];
        self.data.gather(Seed::default(), &[index], &mut inputs, &mut targets)?;
        let Some(values) = <N::InputElement as InputElement<N::Elem>>::floats(&mut inputs) else {
            return Ok(Sample::Numbers(listed(&inputs)));
        };
        let values: Vec<f64> =
            values.iter().enumerate().map(|(i, x)| self.scaling.undo(i, x.to_f64())).collect();
        Ok(match picture_size(&D::Input::SIZES[..D::Input::RANK]) {
            Some(size) => Sample::Picture(picture(&values, size).at_most(SIDE)),
            None => Sample::Numbers(features(&values, self.data.feature_names())),
        })
    }
}

/// That a scaling, if there is one, is of samples of this shape.
pub(super) fn check_scaling<X: SampleShape>(what: &str, scaling: &Unscaled) -> Result<()> {
    match scaling.row() {
        Some(found) if found != X::NUMEL => Err(Error::Size {
            what: what.to_owned(),
            expected: format!("a scaling of {} numbers, as {} has", X::NUMEL, X::describe()),
            found: format!("one of {found}"),
        }),
        _ => Ok(()),
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

/// The first of some texts; more, where there are more.
fn first(mut texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut shown: Vec<String> = texts.by_ref().take(NUMBERS).collect();
    if texts.next().is_some() {
        shown.push("..".to_owned());
    }
    shown
}

fn listed<T: Display>(values: &[T]) -> Vec<String> {
    first(values.iter().map(T::to_string))
}

/// Numbers to four or five digits, after their names where there is one for each. Of a group `fuel=diesel`, `fuel=petrol`
/// in which one number is 1 and all others are 0, that one alone: `fuel diesel`.
fn features(values: &[f64], names: &[String]) -> Vec<String> {
    if names.len() != values.len() {
        return first(values.iter().copied().map(digits));
    }
    let group = |i: usize| names.get(i).and_then(|name| name.split_once('=')).map(|(of, _)| of);
    let mut at = 0;
    first(std::iter::from_fn(|| {
        let i = at;
        let name = names.get(i)?;
        at += 1;
        if let Some(of) = group(i) {
            let end = (i..names.len()).find(|&k| group(k) != Some(of)).unwrap_or(names.len());
            if let Some(k) = only_one(&values[i..end]) {
                at = end;
                let category = names[i + k].split_once('=').map_or("", |(_, category)| category);
                return Some(format!("{of} {category}"));
            }
        }
        Some(format!("{name} {}", digits(values[i])))
    }))
}

/// Which of some numbers is 1, where all others are 0.
fn only_one(values: &[f64]) -> Option<usize> {
    let is = |x: f64, whole: f64| (x - whole).abs() <= ROUNDING;
    let one = values.iter().position(|x| is(*x, 1.0))?;
    let others = values.iter().enumerate().filter(|(i, _)| *i != one);
    others.into_iter().all(|(_, x)| is(*x, 0.0)).then_some(one)
}

/// A number to five digits at the most, whole ones as they are, without zeros at its end.
pub(super) fn digits(x: f64) -> String {
    let size = x.abs();
    if x == 0.0 || !x.is_finite() {
        // Of -0, too.
        return (x + 0.0).to_string();
    }
    if !(1e-4..1e9).contains(&size) {
        return format!("{x:.3e}");
    }
    let decimals = (4 - size.log10().floor() as i32).max(0) as usize;
    let text = format!("{x:.decimals$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// Numbers as markup: each stays in one line where there is room.
pub(super) fn markup(numbers: &[String]) -> String {
    let last = numbers.len().saturating_sub(1);
    let spans = numbers.iter().enumerate().map(|(i, text)| {
        let comma = if i < last { "," } else { "" };
        format!("<span>{}{comma}</span>", escaped(text))
    });
    format!("<p class=\"features\">{}</p>", spans.collect::<Vec<_>>().join(" "))
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
    fn features_are_pairs_of_name_and_value() {
        let names = ["age", "fuel=diesel", "fuel=petrol", "fuel=gas", "size=1"].map(str::to_owned);
        let of = |values: [f64; 5]| features(&values, &names).join(", ");
        assert_eq!(of([42.0, 0.0, 1.0, 0.0, 1.0]), "age 42, fuel petrol, size 1");
        // A scaling that is undone leaves a little; a mixture is no category, and none is none.
        assert_eq!(of([5.1f32.into(), 0.0, 1e-7, 0.99999, 1.0]), "age 5.1, fuel gas, size 1");
        assert_eq!(
            of([0.0, 0.5, 0.5, 0.0, 0.0]),
            "age 0, fuel=diesel 0.5, fuel=petrol 0.5, fuel=gas 0, size=1 0"
        );
        // Names of other features are none.
        assert_eq!(features(&[1.0, 2.0], &names), ["1", "2"]);
        assert_eq!(features(&[0.0; 13], &[]).len(), NUMBERS + 1);
        assert_eq!(features(&[0.0; 12], &[]).len(), NUMBERS);
    }

    #[test]
    fn numbers_have_four_or_five_digits() {
        for (x, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (42.0, "42"),
            (-2.345678, "-2.3457"),
            (0.5, "0.5"),
            (0.00123456, "0.0012346"),
            (99999.6, "100000"),
            (1234567.4, "1234567"),
            (1.5e-7, "1.500e-7"),
            (-2.5e12, "-2.500e12"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(digits(x), text);
        }
        assert_eq!(digits(f64::NEG_INFINITY), "-inf");
    }
}
