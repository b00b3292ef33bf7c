//! Names of parameters resolved into runs of the parameter buffer that are treated alike.

use super::rules::Rules;
use crate::error::Result;
use crate::module::Module;
use crate::network::{ParamSpec, check_choice, chooses};

/// What a network's parameters are to an update.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Parts {
    /// The runs that are updated, in order.
    pub updated: Vec<Run>,
    /// Offset and length of the parameters that are not.
    pub frozen: Vec<(usize, usize)>,
    /// Offset and length of the running statistics that stay as they are.
    pub still: Vec<(usize, usize)>,
}

/// Parameters one after another that are treated alike.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Run {
    pub offset: usize,
    pub len: usize,
    /// What the learning rate is multiplied by.
    pub rate: f64,
    /// What the weight decay is multiplied by.
    pub decay: f64,
}

impl Parts {
    /// The parts of network `N`; `decays` says whether the optimiser's weights decay at all.
    pub fn of<N: Module>(rules: &Rules, decays: bool) -> Result<Self> {
        let factors = rules.rates.iter().chain(&rules.decays).map(|(name, _)| name);
        check_choice::<N>(rules.frozen.iter().chain(factors))?;
        let mut parts = Parts::default();
        let frozen = |name: &str| rules.frozen.iter().any(|chosen| chooses(chosen, name));
        let mut specs: Vec<&ParamSpec> = N::PARAMS.iter().collect();
        specs.sort_by_key(|spec| spec.offset);
        for spec in specs {
            let (offset, len) = (spec.offset, spec.numel());
            if frozen(spec.name) {
                parts.frozen.push((offset, len));
                continue;
            }
            let rate = last(&rules.rates, spec.name).unwrap_or(1.0);
            let decay = if decays { decay_of::<N>(rules, spec) } else { 1.0 };
            let run = Run { offset, len, rate, decay };
            match parts.updated.last_mut() {
                Some(before)
                    if before.rate == rate
                        && before.decay == decay
                        && !parts.frozen.iter().any(|(at, _)| *at > before.offset) =>
                {
                    // Between two parameters may be elements that belong to none: their gradients are 0.
                    before.len = offset + len - before.offset;
                }
                _ => parts.updated.push(run),
            }
        }
        for spec in N::STATES.iter().filter(|spec| frozen(spec.name)) {
            parts.still.push((spec.offset, spec.numel()));
        }
        Ok(parts)
    }
}

/// The last factor whose name chooses the parameter.
fn last(factors: &[(String, f64)], name: &str) -> Option<f64> {
    factors.iter().rev().find(|(chosen, _)| chooses(chosen, name)).map(|(_, factor)| *factor)
}

fn decay_of<N: Module>(rules: &Rules, spec: &ParamSpec) -> f64 {
    let spared = is_bias(spec.name) || is_of_norm::<N>(spec);
    last(&rules.decays, spec.name).unwrap_or(if spared { 0.0 } else { 1.0 })
}

/// `fc1.bias`, and `rnn.bias_ih_l0` or `attention.in_proj_bias`.
fn is_bias(name: &str) -> bool {
    let part = name.rsplit('.').next().unwrap_or(name);
    part.split('_').any(|word| word == "bias")
}

/// The weight of a norm: its layer says so, or, inside of a nested network, its only axis; those of all other layers
/// have two or more. A bare parameter is not called `weight`.
fn is_of_norm<N: Module>(spec: &ParamSpec) -> bool {
    let Some(layer) = spec.name.strip_suffix(".weight") else { return false };
    let norm =
        |text: &str| text.split(['(', '<', ' ']).next().is_some_and(|it| it.contains("Norm"));
    spec.shape.len() < 2 || N::LAYERS.iter().any(|known| known.name == layer && norm(known.text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn biases_by_name() {
        for name in ["fc.bias", "rnn.bias_ih_l0", "attention.in_proj_bias", "bias"] {
            assert!(is_bias(name), "{name}");
        }
        for name in ["fc.weight", "biased.weight", "w", "unbiased"] {
            assert!(!is_bias(name), "{name}");
        }
    }
}
