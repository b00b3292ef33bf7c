//! What made a loss, or gradients, that are not finite: the first number on the way there that is none.
//!
//! The pass runs once more, on the same samples with the same parameters and random numbers, and what each kernel makes is
//! looked at. The plan of the network, which has the steps of the pass as text, says what they are.

mod search;
mod steps;
mod training;

pub(crate) use search::{GRADES, search};
pub(crate) use steps::Part;

/// What was first not finite.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Culprit {
    /// A number of a sample, of its inputs or its targets, from 0.
    Sample { what: &'static str, sample: usize, among: &'static str, place: usize, value: f64 },
    /// A parameter, or a running statistic; for a parameter that updates have spoilt, the epoch and the batch of the last
    /// one.
    Weight { name: &'static str, value: f64, after: Option<[usize; 2]> },
    /// The output of a step of the plan.
    Step {
        part: Part,
        layer: Option<String>,
        after: Option<String>,
        number: usize,
        of: usize,
        text: String,
        value: &'static str,
    },
    /// That of a kernel which no step of the plan could be found for.
    Kernel { part: Part, number: usize, of: usize, value: &'static str },
    /// The first of these, where the second may be a mask or what has made it, or is of a frozen parameter.
    Beside(Box<Culprit>, Box<Culprit>),
    /// The loss, of finite outputs.
    Loss,
    /// The gradient of the loss with respect to the network's outputs, of a finite loss.
    Seed { value: f64 },
    /// The sum of the gradients' squares, or gradients of other batches: those of the batch are finite.
    Gradients,
}

impl Culprit {
    /// With the numbers that the batch's samples have among others: `indices`.
    pub fn among(self, others: &'static str, indices: &[usize]) -> Self {
        match self {
            Culprit::Sample { what, sample, place, value, .. } => {
                let sample = indices.get(sample).copied().unwrap_or(sample);
                Culprit::Sample { what, sample, among: others, place, value }
            }
            Culprit::Beside(cause, input) => {
                Culprit::Beside(cause, Box::new(input.among(others, indices)))
            }
            other => other,
        }
    }

    /// After an update by the epoch and the batch, if there was one: what is wrong with a weight that it `changes` is its
    /// doing.
    pub fn after(self, updated: Option<[usize; 2]>, changes: impl Fn(&str) -> bool) -> Self {
        match self {
            Culprit::Weight { name, value, .. } if changes(name) => {
                Culprit::Weight { name, value, after: updated }
            }
            Culprit::Beside(cause, weight) => {
                Culprit::Beside(cause, Box::new(weight.after(updated, changes)))
            }
            other => other,
        }
    }
}

impl std::fmt::Display for Culprit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Culprit::Sample { what, sample, among, place, value } => write!(
                f,
                "number {place} of the {what} of sample {sample} of the {among} is {value} (counted from 0)"
            ),
            Culprit::Weight { name, value, after } => {
                write!(f, "`{name}` has a number that is {value}")?;
                let Some([epoch, batch]) = after else { return Ok(()) };
                write!(
                    f,
                    ", from an update up to epoch {epoch}, batch {batch}: its gradients were not finite, or its step was too large (`gradient_norms()` tells before the update)"
                )
            }
            Culprit::Step {
                part: part @ Part::Backward, layer, number, of, text, value, ..
            } => {
                match layer {
                    Some(name) => {
                        write!(f, "the gradient of `{name}` is the first that is {value}")?
                    }
                    None => write!(f, "the first gradient is {value}")?,
                }
                write!(f, ", in step {number} of {of} of {part}: {text}")
            }
            Culprit::Step { part, layer, after, number, of, text, value } => {
                match (layer, after) {
                    (Some(layer), _) => {
                        write!(f, "the output of `{layer}` is the first that is {value}")?
                    }
                    (None, Some(after)) => {
                        write!(f, "what follows `{after}` is the first output that is {value}")?;
                    }
                    (None, None) => write!(f, "the first output is {value}")?,
                }
                write!(f, ", in step {number} of {of} of {part}: {text}")
            }
            Culprit::Kernel { part, number, of, value } => {
                write!(
                    f,
                    "the output of kernel {number} of {of} of {part} is the first that is {value}"
                )
            }
            Culprit::Beside(cause, input) => write!(f, "{cause}; before it, {input}"),
            Culprit::Loss => write!(
                f,
                "all outputs of the network are finite: a loss of them that is not is its formula's"
            ),
            Culprit::Seed { value } => write!(
                f,
                "the gradient of the loss with respect to the network's outputs has a number that is {value}"
            ),
            Culprit::Gradients => write!(
                f,
                "all gradients of the batch are finite: the sum of their squares is too large, or those of a batch before it in the same update are not"
            ),
        }
    }
}
