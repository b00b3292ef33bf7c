//! RMSProp: gradients are divided by a running mean of their size.

use super::{Optimizer, Part, common, each, in_range, not_negative};
use crate::device::Kernels;
use crate::element::Float;
use crate::error::Result;

/// RMSProp (Tieleman and Hinton 2012), as in
/// [torch.optim.RMSprop](https://docs.pytorch.org/docs/stable/generated/torch.optim.RMSprop.html):
///
/// ```text
/// g = gradient + weight_decay * w
/// v = alpha * v + (1 - alpha) * g * g   (from v = 0)
/// b = momentum * b + g / (sqrt(v) + eps)
/// w = w - rate * b
/// ```
///
/// [`RmsProp::centered`] (Graves 2013) divides by the running deviation of the gradient in place of its size:
///
/// ```text
/// m = alpha * m + (1 - alpha) * g       (from m = 0)
/// b = momentum * b + g / (sqrt(v - m * m) + eps)
/// ```
///
/// ```
/// # extern crate netform_core as netform;
/// use netform::optim::RmsProp;
/// let optimizer = RmsProp::new(1e-3).alpha(0.9).momentum(0.9);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RmsProp {
    rate: f64,
    alpha: f64,
    momentum: f64,
    eps: f64,
    weight_decay: f64,
    centered: bool,
}

// Texts of the centered rule, of which the parts occur again and again: gradient, `v`, `m` and `b` after the update.
macro_rules! g {
    () => {
        "(a1 + c2 * a0)"
    };
}
macro_rules! v {
    () => {
        concat!("(c3 * a2 + c4 * ", g!(), " * ", g!(), ")")
    };
}
macro_rules! m {
    () => {
        concat!("(c3 * a3 + c4 * ", g!(), ")")
    };
}
macro_rules! b {
    () => {
        concat!(
            "(c5 * a4 + ",
            g!(),
            " / (sqrt(max(",
            v!(),
            " - ",
            m!(),
            " * ",
            m!(),
            ", 0.0)) + c1))"
        )
    };
}

impl RmsProp {
    /// With a learning rate; alpha is 0.99 and eps 1e-8 unless set.
    pub fn new(rate: f64) -> Self {
        RmsProp { rate, alpha: 0.99, momentum: 0.0, eps: 1e-8, weight_decay: 0.0, centered: false }
    }

    /// How much of the running mean of the gradient's square is kept.
    pub fn alpha(mut self, alpha: f64) -> Self {
        self.alpha = alpha;
        self
    }

    /// How much of the last step's direction is kept; 0 unless set.
    pub fn momentum(mut self, momentum: f64) -> Self {
        self.momentum = momentum;
        self
    }

    /// Whether the gradient's running mean is taken off its size; not unless set.
    pub fn centered(mut self, centered: bool) -> Self {
        self.centered = centered;
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

impl Optimizer for RmsProp {
    common!(RmsProp);

    fn slots(&self) -> usize {
        // Where it is centered, all three; a momentum of 0 makes one of them the last direction.
        if self.centered { 3 } else { 1 + usize::from(self.momentum != 0.0) }
    }

    fn check(&self) -> Result<()> {
        let settings =
            [("learning rate", self.rate), ("eps", self.eps), ("weight decay", self.weight_decay)];
        not_negative("RmsProp", &settings)?;
        for (setting, value) in [("alpha", self.alpha), ("momentum", self.momentum)] {
            in_range("RmsProp", setting, value, "in [0, 1)", |x| (0.0..1.0).contains(&x))?;
        }
        Ok(())
    }

    fn update<E: Float, K: Kernels<E>>(&self, k: &mut K, part: &Part) {
        let (w, g, v) = (part.params(), part.grads(), part.slot(0));
        let (rate, decay) = (self.rate * part.rate, self.weight_decay * part.decay);
        let consts = [rate, self.eps, decay, self.alpha, 1.0 - self.alpha, self.momentum];
        let consts = consts.map(E::from_f64);
        if self.centered {
            update_centered(k, part, consts);
            return;
        }
        if self.slots() == 1 {
            k.map(
                [w, v],
                part.grid(),
                [each(w), each(g), each(v)],
                consts,
                #[inline(always)]
                |[w, g, v], [rate, eps, decay, alpha, fresh, _]| {
                    let g = g + decay * w;
                    let v = alpha * v + fresh * g * g;
                    [w - rate * g / (v.sqrt() + eps), v]
                },
                &[
                    "a0 - c0 * (a1 + c2 * a0) / (sqrt(c3 * a2 + c4 * (a1 + c2 * a0) * (a1 + c2 * a0)) + c1)",
                    "c3 * a2 + c4 * (a1 + c2 * a0) * (a1 + c2 * a0)",
                ],
            );
            return;
        }
        let b = part.slot(1);
        k.map(
            [w, v, b],
            part.grid(),
            [each(w), each(g), each(v), each(b)],
            consts,
            #[inline(always)]
            |[w, g, v, b], [rate, eps, decay, alpha, fresh, momentum]| {
                let g = g + decay * w;
                let v = alpha * v + fresh * g * g;
                let b = momentum * b + g / (v.sqrt() + eps);
                [w - rate * b, v, b]
            },
            &[
                "a0 - c0 * (c5 * a3 + (a1 + c2 * a0) / (sqrt(c3 * a2 + c4 * (a1 + c2 * a0) * (a1 + c2 * a0)) + c1))",
                "c3 * a2 + c4 * (a1 + c2 * a0) * (a1 + c2 * a0)",
                "c5 * a3 + (a1 + c2 * a0) / (sqrt(c3 * a2 + c4 * (a1 + c2 * a0) * (a1 + c2 * a0)) + c1)",
            ],
        );
    }
}

/// The centered rule, with the constants of the other one.
fn update_centered<E: Float, K: Kernels<E>>(k: &mut K, part: &Part, consts: [E; 6]) {
    let (w, g, v) = (part.params(), part.grads(), part.slot(0));
    let (m, b) = (part.slot(1), part.slot(2));
    k.map(
        [w, v, m, b],
        part.grid(),
        [each(w), each(g), each(v), each(m), each(b)],
        consts,
        #[inline(always)]
        |[w, g, v, m, b], [rate, eps, decay, alpha, fresh, momentum]| {
            let g = g + decay * w;
            let v = alpha * v + fresh * g * g;
            let m = alpha * m + fresh * g;
            // Rounding may make of a deviation of 0 something less.
            let b = momentum * b + g / ((v - m * m).max(E::ZERO).sqrt() + eps);
            [w - rate * b, v, m, b]
        },
        &[concat!("a0 - c0 * ", b!()), v!(), m!(), b!()],
    );
}
