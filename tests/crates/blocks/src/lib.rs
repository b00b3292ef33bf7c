//! Networks that are layers of networks in another crate, with what only this crate sees: constants and the
//! networks that they use themselves.

use netform::prelude::*;

/// A size that is an output of `Encoder`.
pub const CODE: usize = 3;

const HIDDEN: usize = 6;
const SCALE: f32 = 0.5;

network! {
    /// Features through `HIDDEN` others.
    pub Inner<D>: [D] -> [D] { fc: Linear(HIDDEN), Tanh, out: Linear(D) }

    /// A residual block whose branch is scaled by a constant and by a setting.
    pub Block<D>(gain: f32): (x: [D]) -> [D] {
        let inner = Inner<D>;
        x + inner(x) * SCALE * gain
    }

    /// A network without sizes or settings of its own.
    pub Encoder: [4] -> [CODE] { fc1: Linear(HIDDEN), Relu, fc2: Linear(CODE) }

    /// `SCALE` of the sum of all features.
    pub fn halved(x: [4]) -> [] { sum(x * SCALE) }
}
