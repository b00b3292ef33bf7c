//! Axes for any values: those that are not finite are left out, and one value, or none, has a range as well.

use std::ops::Range;

use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};

/// How values become places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scale {
    Linear,
    /// Of numbers that are counted: ticks are whole.
    Counting,
    /// By their logarithms; values that are not positive have no place.
    Log,
}

/// How many ticks there may be.
const TICKS: f64 = 6.0;
/// Beyond these, differences of two values would not be finite.
const LARGEST: f64 = 1e300;
/// Below this, parts of a range would be 0.
const SMALLEST: f64 = 1e-290;

/// A range of values with ticks.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Axis {
    scale: Scale,
    /// The ends; logarithms, where the scale is one of them.
    low: f64,
    high: f64,
    ticks: Ticks,
}

/// What is written beside an axis.
#[derive(Clone, Debug, Default, PartialEq)]
struct Ticks {
    places: Vec<f64>,
    /// From one to the next, unless they are powers of ten and what is between these.
    step: Option<f64>,
}

impl Axis {
    /// The axis on which all of the values have a place that can have one.
    pub fn of(scale: Scale, values: impl IntoIterator<Item = f64>) -> Self {
        let placed = values.into_iter().filter_map(|x| coordinate(scale, x));
        let (low, high) = roomy(scale, ends(placed).unwrap_or((0.0, 1.0)));
        let ticks = ticks(scale, low, high);
        Axis { scale, low, high, ticks }
    }

    /// From a little below the first to a little above the second; both are finite.
    pub fn around(ends: (f64, f64)) -> Self {
        let (low, high) = ends;
        let [low, high] = [low, high].map(|x| x.clamp(-LARGEST, LARGEST));
        let (low, high) = match is_one(low, high) {
            true => roomy(Scale::Linear, (low, high)),
            false => (low - (high - low) * 0.06, high + (high - low) * 0.06),
        };
        Axis { scale: Scale::Linear, low, high, ticks: ticks(Scale::Linear, low, high) }
    }

    /// With so much of its range more on either side, and the same ticks.
    pub fn wider(self, part: f64) -> Self {
        let more = (self.high - self.low) * part;
        Axis { low: self.low - more, high: self.high + more, ..self }
    }

    /// The ends as values.
    pub fn ends(&self) -> [f64; 2] {
        [self.low, self.high].map(|x| if self.scale == Scale::Log { 10f64.powf(x) } else { x })
    }

    /// Whether the value is between the ends.
    pub fn has(&self, value: f64) -> bool {
        coordinate(self.scale, value).is_some_and(|x| (self.low..=self.high).contains(&x))
    }

    /// The widest label.
    pub fn label_width(&self) -> usize {
        self.ticks.places.iter().map(|&tick| self.label(tick).chars().count()).max().unwrap_or(0)
    }

    /// The text of a tick.
    pub fn label(&self, tick: f64) -> String {
        let step = self.ticks.step.unwrap_or(tick.abs());
        if tick == 0.0 {
            return "0".to_owned();
        }
        let size = tick.abs().max(step).log10();
        // Enough for steps of 1, 2 or 5 of a power of ten.
        let digits = (-step.log10() - 1e-9).ceil().max(0.0);
        if size >= 6.0 || digits > 5.0 {
            let significant = (tick.abs().log10().floor() - step.log10().floor()).clamp(0.0, 6.0);
            return format!("{tick:.0$e}", significant as usize);
        }
        format!("{tick:.0$}", digits as usize)
    }
}

/// The least and the largest of the values that are finite.
pub(crate) fn ends(values: impl IntoIterator<Item = f64>) -> Option<(f64, f64)> {
    values.into_iter().filter(|x| x.is_finite()).fold(None, |ends, x| {
        let (low, high) = ends.unwrap_or((x, x));
        Some((f64::min(low, x), f64::max(high, x)))
    })
}

/// Where a value is before it is a place, if it has one.
fn coordinate(scale: Scale, value: f64) -> Option<f64> {
    match scale {
        _ if !value.is_finite() => None,
        Scale::Log => (value > 0.0).then(|| value.clamp(1.0 / LARGEST, LARGEST).log10()),
        Scale::Linear | Scale::Counting => Some(value.clamp(-LARGEST, LARGEST)),
    }
}

/// Whether two ends are the same, as far as a picture goes.
fn is_one(low: f64, high: f64) -> bool {
    high - low <= low.abs().max(high.abs()) * 1e-9 || high - low < SMALLEST
}

/// The range with some room around it: also of a single value.
fn roomy(scale: Scale, (low, high): (f64, f64)) -> (f64, f64) {
    if is_one(low, high) {
        let size = low.abs().max(high.abs());
        let around = match scale {
            Scale::Linear if size >= SMALLEST => size * 0.1,
            Scale::Counting => f64::max(1.0, size * 1e-6),
            _ => 1.0,
        };
        return (low - around, high + around);
    }
    let room = (high - low) * 0.04;
    match scale {
        Scale::Counting => (low, high),
        // What is positive and not far from 0 is seen from there.
        Scale::Linear if low >= 0.0 && low < 0.4 * high => (0.0, high + room),
        Scale::Linear | Scale::Log => (low - room, high + room),
    }
}

fn ticks(scale: Scale, low: f64, high: f64) -> Ticks {
    match scale {
        Scale::Linear => multiples(step_of(high - low), low, high),
        Scale::Counting => multiples(step_of(high - low).max(1.0), low, high),
        Scale::Log if high - low >= 2.0 => {
            let every = ((high - low) / TICKS).ceil().max(1.0);
            let powers = multiples(every, low, high).places;
            Ticks { places: powers.into_iter().map(|x| 10f64.powf(x)).collect(), step: None }
        }
        Scale::Log => decades(low, high),
    }
}

/// 1, 2 and 5 of each power of ten in a range of logarithms; even steps where these are too few.
fn decades(low: f64, high: f64) -> Ticks {
    let powers = (low.floor() as i32)..=(high.ceil() as i32);
    let all = powers.flat_map(|power| [1.0, 2.0, 5.0].map(|x| x * 10f64.powi(power)));
    let places: Vec<f64> = all.filter(|x| (low..=high).contains(&x.log10())).collect();
    if places.len() >= 3 {
        return Ticks { places, step: None };
    }
    let [low, high] = [low, high].map(|x| 10f64.powf(x));
    multiples(step_of(high - low), low, high)
}

/// The step that divides a range into few parts: 1, 2 or 5 of a power of ten.
fn step_of(range: f64) -> f64 {
    let rough = range / (TICKS + 1.0);
    let power = 10f64.powf(rough.log10().floor());
    let nice = [1.0, 2.0, 5.0].into_iter().find(|nice| nice * power >= rough * 0.999);
    nice.unwrap_or(10.0) * power
}

/// The multiples of a step in a range; at most twice the ticks that are wanted.
fn multiples(step: f64, low: f64, high: f64) -> Ticks {
    let first = (low / step - 1e-9).ceil();
    let places = (0..2 * TICKS as usize).map(|i| (first + i as f64) * step);
    let places = places.take_while(|x| *x <= high + step * 1e-9).collect();
    Ticks { places, step: Some(step) }
}

impl Ranged for Axis {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (begin, end): (i32, i32)) -> i32 {
        let x = coordinate(self.scale, *value).unwrap_or(self.low);
        let part = ((x - self.low) / (self.high - self.low)).clamp(0.0, 1.0);
        begin + (part * f64::from(end - begin)).round() as i32
    }

    fn key_points<H: KeyPointHint>(&self, _: H) -> Vec<f64> {
        self.ticks.places.clone()
    }

    fn range(&self) -> Range<f64> {
        let [low, high] = self.ends();
        low..high
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(scale: Scale, values: &[f64]) -> Vec<String> {
        let axis = Axis::of(scale, values.iter().copied());
        axis.ticks.places.iter().map(|&tick| axis.label(tick)).collect()
    }

    /// Ends that differ, ticks between them, and a place for each value.
    fn check(scale: Scale, values: &[f64]) {
        let axis = Axis::of(scale, values.iter().copied());
        assert!(axis.low < axis.high && (axis.high - axis.low).is_finite(), "{values:?}: {axis:?}");
        assert!((1..=12).contains(&axis.ticks.places.len()), "{values:?}: {axis:?}");
        assert!(axis.ticks.places.iter().all(|tick| tick.is_finite()), "{values:?}: {axis:?}");
        for &value in values {
            assert!((0..=1000).contains(&axis.map(&value, (0, 1000))), "{value} of {axis:?}");
            assert!((0..=1000).contains(&axis.map(&value, (1000, 0))), "{value} of {axis:?}");
        }
    }

    #[test]
    fn any_values_have_an_axis() {
        let (inf, nan) = (f64::INFINITY, f64::NAN);
        let of: [&[f64]; 12] = [
            &[],
            &[0.0],
            &[1.0],
            &[-3.5, -3.5],
            &[nan, inf, -inf],
            &[1.0, nan, 2.0, inf],
            &[f64::MAX, f64::MIN],
            &[f64::MAX],
            &[f64::MIN_POSITIVE, 5e-324],
            &[1e-320],
            &[1.0, 1.0 + f64::EPSILON],
            &[1e16, 1e16 + 2.0],
        ];
        for values in of {
            for scale in [Scale::Linear, Scale::Counting, Scale::Log] {
                check(scale, values);
            }
        }
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(labels(Scale::Linear, &[0.1, 0.93]), ["0", "0.2", "0.4", "0.6", "0.8"]);
        assert_eq!(labels(Scale::Linear, &[-1.0, 1.0]), ["-1.0", "-0.5", "0", "0.5", "1.0"]);
        assert_eq!(labels(Scale::Counting, &[1.0, 3.0]), ["1", "2", "3"]);
        assert_eq!(labels(Scale::Counting, &[1.0, 200.0]), ["50", "100", "150", "200"]);
        assert_eq!(labels(Scale::Log, &[0.001, 100.0]), ["0.001", "0.01", "0.1", "1", "10", "100"]);
        assert_eq!(labels(Scale::Log, &[0.3, 9.0]), ["0.5", "1", "2", "5", "10"]);
        assert_eq!(
            labels(Scale::Log, &[1.1, 1.2]),
            ["1.10", "1.12", "1.14", "1.16", "1.18", "1.20"]
        );
        assert_eq!(labels(Scale::Linear, &[0.0, 2e7]), ["0", "5e6", "1.0e7", "1.5e7", "2.0e7"]);
        assert_eq!(
            labels(Scale::Linear, &[0.0, 2e-7]),
            ["0", "5e-8", "1.0e-7", "1.5e-7", "2.0e-7"]
        );
    }

    #[test]
    fn places_go_from_end_to_end() {
        let axis = Axis { scale: Scale::Linear, low: 0.0, high: 4.0, ticks: Ticks::default() };
        assert_eq!([0.0, 1.0, 4.0, 9.0].map(|x| axis.map(&x, (100, 0))), [100, 75, 0, 0]);
        assert!(axis.has(4.0) && !axis.has(4.1) && !axis.has(f64::NAN));
        let axis = Axis { scale: Scale::Log, low: 0.0, high: 2.0, ticks: Ticks::default() };
        assert_eq!([1.0, 10.0, 100.0, -5.0].map(|x| axis.map(&x, (0, 100))), [0, 50, 100, 0]);
    }
}
