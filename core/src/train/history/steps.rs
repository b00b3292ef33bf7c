//! What each step of a training was like.

use std::fmt::Write as _;

/// The figures of one step: of a batch, and of the update where it makes one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepRecord {
    /// The epoch, from 1.
    pub epoch: usize,
    /// The batch in the epoch, from 1.
    pub batch: usize,
    /// Samples of the batch.
    pub samples: usize,
    /// The mean loss over them, from before the update.
    pub loss: f64,
    /// The learning rate.
    pub rate: f64,
    /// The norm of the update's gradients before clipping, where it is taken and the batch makes an update:
    /// [`Rules::gradient_norms`](crate::update::Rules::gradient_norms), and clipping by norm.
    pub gradient_norm: Option<f64>,
}

/// How many numbers a step is.
const NUMBERS: usize = 6;

/// The names of the numbers, in their order.
pub(super) const NAMES: [&str; NUMBERS] =
    ["epoch", "batch", "samples", "loss", "rate", "gradient_norm"];

impl StepRecord {
    /// The figures as numbers, in the order of [`NAMES`]; counts are whole, and what there is not is nothing.
    pub(super) fn numbers(&self) -> [Option<f64>; NUMBERS] {
        let StepRecord { epoch, batch, samples, loss, rate, gradient_norm } = *self;
        let counts = [epoch, batch, samples].map(|count| Some(count as f64));
        [counts[0], counts[1], counts[2], Some(loss), Some(rate), gradient_norm]
    }

    /// The step of these numbers; nothing where one is missing, or no count.
    pub(super) fn of_numbers(numbers: [Option<f64>; NUMBERS]) -> Option<Self> {
        let [epoch, batch, samples, loss, rate, gradient_norm] = numbers;
        let count = |x: Option<f64>| {
            x.filter(|x| *x >= 0.0 && x.fract() == 0.0 && *x < 2_f64.powi(53)).map(|x| x as usize)
        };
        Some(StepRecord {
            epoch: count(epoch)?,
            batch: count(batch)?,
            samples: count(samples)?,
            loss: loss?,
            rate: rate?,
            gradient_norm,
        })
    }
}

/// A norm that there is not, among numbers.
const NONE: f64 = -1.0;

/// All steps as numbers one after another, for a file.
pub(in crate::train) fn packed(steps: &[StepRecord]) -> Vec<f64> {
    steps.iter().flat_map(|step| step.numbers().map(|x| x.unwrap_or(NONE))).collect()
}

/// The steps of [`packed`].
pub(in crate::train) fn unpacked(numbers: &[f64]) -> Option<Vec<StepRecord>> {
    let (steps, []) = numbers.as_chunks::<NUMBERS>() else { return None };
    let step = |numbers: &[f64; NUMBERS]| {
        let [.., norm] = *numbers;
        let mut numbers = numbers.map(Some);
        numbers[NUMBERS - 1] = Some(norm).filter(|norm| *norm != NONE);
        StepRecord::of_numbers(numbers)
    };
    steps.iter().map(step).collect()
}

/// The steps as comma-separated values, with a heading.
pub(super) fn to_csv(steps: &[StepRecord]) -> String {
    let mut text = NAMES.join(",") + "\n";
    for step in steps {
        for (i, number) in step.numbers().into_iter().enumerate() {
            let comma = if i == 0 { "" } else { "," };
            // Writing into a text does not fail.
            let _ = match number {
                Some(number) => write!(text, "{comma}{number}"),
                None => write!(text, "{comma}"),
            };
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_numbers() {
        let step = StepRecord {
            epoch: 2,
            batch: 1,
            samples: 3,
            loss: 0.1,
            rate: 1e-3,
            gradient_norm: None,
        };
        let steps = [step, StepRecord { gradient_norm: Some(f64::INFINITY), ..step }];
        assert_eq!(unpacked(&packed(&steps)).as_deref(), Some(&steps[..]));
        assert_eq!(unpacked(&[1.0; 7]), None);
        assert_eq!(unpacked(&[1.0, 0.5, 1.0, 0.0, 0.0, 0.0]), None);
        assert_eq!(
            to_csv(&steps),
            "epoch,batch,samples,loss,rate,gradient_norm\n2,1,3,0.1,0.001,\n2,1,3,0.1,0.001,inf\n"
        );
    }
}
