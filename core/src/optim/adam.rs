//! Adam, with weight decay as a penalty or apart from the gradient.

use super::{Optimizer, Part, common, each, in_range, not_negative};
use crate::device::Kernels;
use crate::element::Float;
use crate::error::Result;

/// What [`Adam`] and [`AdamW`] share.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Settings {
    rate: f64,
    betas: (f64, f64),
    eps: f64,
    weight_decay: f64,
}

impl Settings {
    fn check(&self, name: &str) -> Result<()> {
        not_negative(
            name,
            &[("learning rate", self.rate), ("weight decay", self.weight_decay), ("eps", self.eps)],
        )?;
        for (setting, beta) in [("first beta", self.betas.0), ("second beta", self.betas.1)] {
            in_range(name, setting, beta, "in [0, 1)", |x| (0.0..1.0).contains(&x))?;
        }
        Ok(())
    }

    /// One pass; `penalty` is added to the gradient times w, and w is first multiplied by `keep`.
    fn update<E: Float, K: Kernels<E>>(&self, k: &mut K, part: &Part, penalty: f64, keep: f64) {
        let (w, g, m, v) = (part.params(), part.grads(), part.slot(0), part.slot(1));
        // In f64 on the host: 1 - beta^step loses most of f32's digits in the first steps.
        let corrected = |beta: f64| 1.0 - beta.powf(part.step as f64);
        let (beta1, beta2) = self.betas;
        let consts = [
            self.rate * part.rate / corrected(beta1),
            1.0 / corrected(beta2).sqrt(),
            self.eps,
            1.0 - beta1,
            beta2,
            1.0 - beta2,
            penalty,
            keep,
        ];
        k.map(
            [w, m, v],
            part.grid(),
            [each(w), each(g), each(m), each(v)],
            consts.map(E::from_f64),
            #[inline(always)]
            |[w, g, m, v], [rate, scale, eps, fresh, beta2, fresh2, penalty, keep]| {
                let g = g + penalty * w;
                let m = m + fresh * (g - m);
                let v = beta2 * v + fresh2 * g * g;
                [keep * w - rate * m / (v.sqrt() * scale + eps), m, v]
            },
            &[
                "c7 * a0 - c0 * (a2 + c3 * ((a1 + c6 * a0) - a2)) / (sqrt(c4 * a3 + c5 * (a1 + c6 * a0) * (a1 + c6 * a0)) * c1 + c2)",
                "a2 + c3 * ((a1 + c6 * a0) - a2)",
                "c4 * a3 + c5 * (a1 + c6 * a0) * (a1 + c6 * a0)",
            ],
        );
    }
}

macro_rules! adam {
    ($(#[$doc:meta])* $name:ident, decay $decay:literal, |$settings:ident, $part:ident| $terms:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub struct $name(Settings);

        impl $name {
            /// With a learning rate; betas 0.9 and 0.999 and eps 1e-8 unless set.
            pub fn new(rate: f64) -> Self {
                $name(Settings { rate, betas: (0.9, 0.999), eps: 1e-8, weight_decay: $decay })
            }

            /// How much of the running means of the gradient and of its square is kept.
            pub fn betas(mut self, first: f64, second: f64) -> Self {
                self.0.betas = (first, second);
                self
            }

            /// What is added to the divisor, so that it is not 0.
            pub fn eps(mut self, eps: f64) -> Self {
                self.0.eps = eps;
                self
            }

            #[doc = concat!("The factor of the decay; ", stringify!($decay), " unless set. Biases and norms have")]
            /// none: [`Rules::decay_factor`](crate::update::Rules::decay_factor).
            pub fn weight_decay(mut self, weight_decay: f64) -> Self {
                self.0.weight_decay = weight_decay;
                self
            }
        }

        impl Optimizer for $name {
            common!($name.0);

            fn slots(&self) -> usize {
                2
            }

            fn check(&self) -> Result<()> {
                self.0.check(stringify!($name))
            }

            fn update<E: Float, K: Kernels<E>>(&self, k: &mut K, part: &Part) {
                let ($settings, $part) = (&self.0, part);
                let (penalty, keep) = $terms;
                self.0.update(k, part, penalty, keep);
            }
        }
    };
}

adam! {
    /// Adam (Kingma and Ba 2015), as in
    /// [torch.optim.Adam](https://docs.pytorch.org/docs/stable/generated/torch.optim.Adam.html):
    ///
    /// ```text
    /// g = gradient + weight_decay * w
    /// m = beta1 * m + (1 - beta1) * g
    /// v = beta2 * v + (1 - beta2) * g * g
    /// w = w - rate * m / (1 - beta1^step) / (sqrt(v / (1 - beta2^step)) + eps)
    /// ```
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::optim::Adam;
    /// let optimizer = Adam::new(1e-3).betas(0.9, 0.999).eps(1e-8);
    /// ```
    Adam, decay 0.0, |settings, part| (settings.weight_decay * part.decay, 1.0)
}

adam! {
    /// Adam with decay apart from the gradient (Loshchilov and Hutter 2019), as in
    /// [torch.optim.AdamW](https://docs.pytorch.org/docs/stable/generated/torch.optim.AdamW.html):
    /// `w = w - rate * weight_decay * w`, then [`Adam`]'s step of the plain gradient. The decay is
    /// 0.01 unless set, as in PyTorch.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::optim::AdamW;
    /// let optimizer = AdamW::new(3e-4).weight_decay(0.1);
    /// ```
    AdamW, decay 0.01, |settings, part| {
        (0.0, 1.0 - settings.rate * part.rate * settings.weight_decay * part.decay)
    }
}
