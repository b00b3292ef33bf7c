//! Stochastic gradient descent, with or without momentum.

use super::{Optimizer, Part, common, each, in_range, not_negative};
use crate::device::Kernels;
use crate::element::Float;
use crate::error::Result;

/// Stochastic gradient descent, as in
/// [torch.optim.SGD](https://docs.pytorch.org/docs/stable/generated/torch.optim.SGD.html) with a
/// dampening of 0:
///
/// ```text
/// g = gradient + weight_decay * w
/// v = momentum * v + g                  (from v = 0: the first v is g)
/// w = w - rate * v                      (nesterov: w - rate * (g + momentum * v))
/// ```
///
/// ```
/// # extern crate netform_core as netform;
/// use netform::optim::Sgd;
/// let optimizer = Sgd::new(0.1).momentum(0.9).nesterov(true).weight_decay(1e-4);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sgd {
    rate: f64,
    momentum: f64,
    nesterov: bool,
    weight_decay: f64,
}

impl Sgd {
    /// Plain descent with a learning rate.
    pub fn new(rate: f64) -> Self {
        Sgd { rate, momentum: 0.0, nesterov: false, weight_decay: 0.0 }
    }

    /// How much of the last step's direction is kept; 0 unless set.
    pub fn momentum(mut self, momentum: f64) -> Self {
        self.momentum = momentum;
        self
    }

    /// Whether the momentum is applied ahead (Sutskever et al. 2013); no unless set.
    pub fn nesterov(mut self, nesterov: bool) -> Self {
        self.nesterov = nesterov;
        self
    }

    /// The factor of the squared weights' penalty; 0 unless set. Biases and norms have none:
    /// [`Rules::decay_factor`](crate::update::Rules::decay_factor).
    pub fn weight_decay(mut self, weight_decay: f64) -> Self {
        self.weight_decay = weight_decay;
        self
    }
}

impl Optimizer for Sgd {
    common!(Sgd);

    fn slots(&self) -> usize {
        usize::from(self.momentum != 0.0)
    }

    fn check(&self) -> Result<()> {
        not_negative("Sgd", &[("learning rate", self.rate), ("weight decay", self.weight_decay)])?;
        in_range("Sgd", "momentum", self.momentum, "in [0, 1)", |x| (0.0..1.0).contains(&x))?;
        in_range("Sgd", "momentum", self.momentum, "more than 0 with nesterov", |x| {
            x > 0.0 || !self.nesterov
        })
    }

    fn update<E: Float, K: Kernels<E>>(&self, k: &mut K, part: &Part) {
        let (w, g) = (part.params(), part.grads());
        let (rate, decay) = (self.rate * part.rate, self.weight_decay * part.decay);
        if self.slots() == 0 {
            k.map(
                [w],
                part.grid(),
                [each(w), each(g)],
                [rate, decay].map(E::from_f64),
                #[inline(always)]
                |[w, g], [rate, decay]| [w - rate * (g + decay * w)],
                &["a0 - c0 * (a1 + c1 * a0)"],
            );
            return;
        }
        let v = part.slot(0);
        // One expression for both kinds of momentum: the step is g * ahead + v * behind.
        let (ahead, behind) = if self.nesterov { (1.0, self.momentum) } else { (0.0, 1.0) };
        let consts = [rate, decay, self.momentum, ahead, behind].map(E::from_f64);
        k.map(
            [w, v],
            part.grid(),
            [each(w), each(g), each(v)],
            consts,
            #[inline(always)]
            |[w, g, v], [rate, decay, momentum, ahead, behind]| {
                let g = g + decay * w;
                let v = momentum * v + g;
                [w - rate * (ahead * g + behind * v), v]
            },
            &[
                "a0 - c0 * (c3 * (a1 + c1 * a0) + c4 * (c2 * a2 + (a1 + c1 * a0)))",
                "c2 * a2 + (a1 + c1 * a0)",
            ],
        );
    }
}
