//! Adagrad: each parameter's rate falls with the gradients that it has had.

use super::{Optimizer, Part, common, each, not_negative};
use crate::device::Kernels;
use crate::element::Float;
use crate::error::Result;

/// Adagrad (Duchi, Hazan and Singer 2011), as in
/// [torch.optim.Adagrad](https://docs.pytorch.org/docs/stable/generated/torch.optim.Adagrad.html):
///
/// ```text
/// g = gradient + weight_decay * w
/// s = s + g * g                         (from s = 0)
/// w = w - rate / (1 + (step - 1) * rate_decay) * g / (sqrt(s) + eps)
/// ```
///
/// ```
/// # extern crate netform_core as netform;
/// use netform::optim::Adagrad;
/// let optimizer = Adagrad::new(0.01).weight_decay(1e-4);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adagrad {
    rate: f64,
    rate_decay: f64,
    eps: f64,
    weight_decay: f64,
}

impl Adagrad {
    /// With a learning rate; eps is 1e-10 unless set.
    pub fn new(rate: f64) -> Self {
        Adagrad { rate, rate_decay: 0.0, eps: 1e-10, weight_decay: 0.0 }
    }

    /// How fast the rate of all parameters falls with the steps; 0 unless set.
    pub fn rate_decay(mut self, rate_decay: f64) -> Self {
        self.rate_decay = rate_decay;
        self
    }

    /// What is added to the divisor, so that it is not 0.
    pub fn eps(mut self, eps: f64) -> Self {
        self.eps = eps;
        self
    }

    /// The factor of the squared weights' penalty; 0 unless set. Biases and norms have none:
    /// [`Rules::decay_factor`](crate::update::Rules::decay_factor).
    pub fn weight_decay(mut self, weight_decay: f64) -> Self {
        self.weight_decay = weight_decay;
        self
    }
}

impl Optimizer for Adagrad {
    common!(Adagrad);

    fn slots(&self) -> usize {
        1
    }

    fn check(&self) -> Result<()> {
        not_negative(
            "Adagrad",
            &[
                ("learning rate", self.rate),
                ("decay of the rate", self.rate_decay),
                ("eps", self.eps),
                ("weight decay", self.weight_decay),
            ],
        )
    }

    fn update<E: Float, K: Kernels<E>>(&self, k: &mut K, part: &Part) {
        let (w, g, s) = (part.params(), part.grads(), part.slot(0));
        let rate = self.rate * part.rate / (1.0 + (part.step - 1) as f64 * self.rate_decay);
        k.map(
            [w, s],
            part.grid(),
            [each(w), each(g), each(s)],
            [rate, self.eps, self.weight_decay * part.decay].map(E::from_f64),
            #[inline(always)]
            |[w, g, s], [rate, eps, decay]| {
                let g = g + decay * w;
                let s = s + g * g;
                [w - rate * g / (s.sqrt() + eps), s]
            },
            &[
                "a0 - c0 * (a1 + c2 * a0) / (sqrt(a2 + (a1 + c2 * a0) * (a1 + c2 * a0)) + c1)",
                "a2 + (a1 + c2 * a0) * (a1 + c2 * a0)",
            ],
        );
    }
}
