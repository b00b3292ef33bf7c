//! What parameters hold at first. Every parameter draws from a stream of its own, so that its values
//! depend on the seed and its name only: adding a layer does not change the others.

use crate::element::Float;
use crate::random::{Rng, Seed, stream};

/// A rule for a parameter's first values.
///
/// With a parameter of shape `[out, in, k..]`, PyTorch's layout, `fan_in` is `in * k..` and `fan_out`
/// is `out * k..`; a parameter of one axis, a bias, has no second axis and counts it as 1.
///
/// ```
/// # extern crate netform_core as netform;
/// use netform::init::Init;
/// use netform::random::Seed;
///
/// let weight: Vec<f32> = Init::He.values(&[120, 400], Seed(42), "fc1.weight");
/// assert_eq!(weight.len(), 120 * 400);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Init {
    /// All 0.
    Zeros,
    /// All 1.
    Ones,
    /// All the same value.
    Constant(f64),
    /// Uniform in [low, high).
    Uniform {
        /// The smallest value.
        low: f64,
        /// Where the values end.
        high: f64,
    },
    /// Normally distributed.
    Normal {
        /// The mean.
        mean: f64,
        /// The standard deviation.
        std: f64,
    },
    /// Uniform within 1 / sqrt(fan_in) of 0: PyTorch's default for the weight and the bias of `Linear`
    /// and `Conv2d`. The bias takes its weight's fan-in, which is why it is stated.
    FanIn {
        /// How many inputs each output sums over.
        fan_in: usize,
    },
    /// Uniform within sqrt(6 / (fan_in + fan_out)) of 0: Glorot and Bengio 2010.
    Xavier,
    /// Normal with standard deviation sqrt(2 / (fan_in + fan_out)): Glorot and Bengio 2010.
    XavierNormal,
    /// Normal with standard deviation sqrt(2 / fan_in), for layers before a relu: He et al. 2015.
    He,
    /// Uniform within sqrt(6 / fan_in) of 0: He et al. 2015.
    HeUniform,
}

/// A rule whose fans are worked out.
enum Draw {
    Constant(f64),
    Uniform { low: f64, high: f64 },
    Normal { mean: f64, std: f64 },
}

impl Init {
    /// The first values of the parameter called `name`, in row order.
    ///
    /// They are drawn in f64 and rounded, so that a network has the same weights, up to rounding, in
    /// every element type.
    pub fn values<E: Float>(&self, shape: &[usize], seed: Seed, name: &str) -> Vec<E> {
        let numel = shape.iter().product();
        let mut rng = Rng::new(seed, u64::from(stream(name)));
        let mut values = Vec::with_capacity(numel);
        match self.draw(shape) {
            Draw::Constant(x) => values.resize(numel, E::from_f64(x)),
            Draw::Uniform { low, high } => values.extend(
                std::iter::repeat_with(|| E::from_f64(low + (high - low) * rng.uniform()))
                    .take(numel),
            ),
            Draw::Normal { mean, std } => values.extend(
                std::iter::repeat_with(|| E::from_f64(mean + std * rng.normal())).take(numel),
            ),
        }
        values
    }

    fn draw(&self, shape: &[usize]) -> Draw {
        let (fan_in, fan_out) = fans(shape);
        let within = |bound: f64| Draw::Uniform { low: -bound, high: bound };
        let normal = |std: f64| Draw::Normal { mean: 0.0, std };
        match *self {
            Init::Zeros => Draw::Constant(0.0),
            Init::Ones => Draw::Constant(1.0),
            Init::Constant(x) => Draw::Constant(x),
            Init::Uniform { low, high } => Draw::Uniform { low, high },
            Init::Normal { mean, std } => Draw::Normal { mean, std },
            Init::FanIn { fan_in } => within((1.0 / fan_in.max(1) as f64).sqrt()),
            Init::Xavier => within((6.0 / (fan_in + fan_out)).sqrt()),
            Init::XavierNormal => normal((2.0 / (fan_in + fan_out)).sqrt()),
            Init::He => normal((2.0 / fan_in).sqrt()),
            Init::HeUniform => within((6.0 / fan_in).sqrt()),
        }
    }
}

/// How many inputs an output sums over, and how many outputs an input reaches; at least 1 each, so
/// that an empty parameter divides by no zero.
fn fans(shape: &[usize]) -> (f64, f64) {
    let kernel: usize = shape.iter().skip(2).product();
    let along = |axis: usize| (shape.get(axis).copied().unwrap_or(1) * kernel).max(1) as f64;
    (along(1), along(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: [usize; 4] = [32, 16, 3, 3];

    fn moments(init: Init) -> (f64, f64, f64) {
        let values: Vec<f64> = init.values(&SHAPE, Seed(7), "conv.weight");
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
        let largest = values.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
        (mean, variance.sqrt(), largest)
    }

    #[test]
    fn mean_spread_and_bounds() {
        let (fan_in, fan_out) = (144.0f64, 288.0f64);
        let uniform = |bound: f64| (bound / 3f64.sqrt(), Some(bound));
        let cases = [
            (Init::Uniform { low: -2.0, high: 2.0 }, uniform(2.0)),
            (Init::FanIn { fan_in: 144 }, uniform(1.0 / 12.0)),
            (Init::Xavier, uniform((6.0 / (fan_in + fan_out)).sqrt())),
            (Init::HeUniform, uniform((6.0 / fan_in).sqrt())),
            (Init::Normal { mean: 0.0, std: 3.0 }, (3.0, None)),
            (Init::XavierNormal, ((2.0 / (fan_in + fan_out)).sqrt(), None)),
            (Init::He, ((2.0 / fan_in).sqrt(), None)),
        ];
        for (init, (expected, bound)) in cases {
            let (mean, std, largest) = moments(init);
            assert!(mean.abs() < 0.06 * expected, "{init:?}: mean {mean}");
            assert!(
                (std / expected - 1.0).abs() < 0.05,
                "{init:?}: std {std}, expected {expected}"
            );
            if let Some(bound) = bound {
                assert!(
                    largest <= bound && largest > 0.98 * bound,
                    "{init:?}: {largest} of {bound}"
                );
            }
        }
    }

    #[test]
    fn constants() {
        assert_eq!(Init::Zeros.values::<f32>(&[2], Seed(1), "b"), [0.0; 2]);
        assert_eq!(Init::Ones.values::<f32>(&[2], Seed(1), "b"), [1.0; 2]);
        assert_eq!(Init::Constant(0.5).values::<f32>(&[], Seed(1), "b"), [0.5]);
        assert!(Init::He.values::<f32>(&[3, 0], Seed(1), "b").is_empty());
    }

    #[test]
    fn values_depend_on_seed_and_name_only() {
        let values = |seed, name| Init::He.values::<f32>(&SHAPE, Seed(seed), name);
        assert_eq!(values(1, "a"), values(1, "a"));
        assert_ne!(values(1, "a"), values(2, "a"));
        assert_ne!(values(1, "a"), values(1, "b"));
    }

    #[test]
    fn f32_is_f64_rounded() {
        let wide: Vec<f64> = Init::Xavier.values(&SHAPE, Seed(3), "w");
        let narrow: Vec<f32> = Init::Xavier.values(&SHAPE, Seed(3), "w");
        assert!(wide.iter().zip(&narrow).all(|(wide, narrow)| *wide as f32 == *narrow));
    }
}
