//! The sentence of a verdict.

use std::fmt;

use super::Verdict;

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.sentence(f)?;
        match self.is_apart() {
            true => f.write_str("; validation loss was far above training loss from the first epoch on: see that the validation inputs are scaled as the training inputs are, and so targets that are numbers"),
            false => Ok(()),
        }
    }
}

impl Verdict {
    /// Whether the validation loss was far above the training loss from the first epoch on.
    fn is_apart(&self) -> bool {
        match *self {
            Verdict::Overfitting { apart, .. }
            | Verdict::Rising { apart, .. }
            | Verdict::Unclear { apart, .. }
            | Verdict::NoBetter { apart, .. }
            | Verdict::Memorised { apart, .. } => apart,
            _ => false,
        }
    }

    fn sentence(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |validated| if validated { "validation" } else { "training" };
        match *self {
            Verdict::Nothing => f.write_str("no epoch came to its end: there is nothing to judge"),
            Verdict::TooShort(1) => {
                f.write_str("one epoch is too short to say: train for more epochs")
            }
            Verdict::TooShort(epochs) => {
                write!(f, "{epochs} epochs are too short to say: train for more of them")
            }
            Verdict::NotFinite { epoch, loss } => write!(
                f,
                "a loss is {loss} in epoch {epoch}: look for a learning rate that is too large, or for data that are not finite"
            ),
            Verdict::Failed(1) => f.write_str("training failed after one epoch"),
            Verdict::Failed(epochs) => write!(f, "training failed after {epochs} epochs"),
            Verdict::Diverged { from, to } => write!(
                f,
                "training loss rose from {from:.4} to {to:.4}: try a smaller learning rate"
            ),
            Verdict::Overfitting { epoch, from, to, fell, restored, .. } => write!(
                f,
                "validation loss rose from epoch {epoch} ({from:.4}, then {to:.4}) while training loss {}: {}",
                if fell { "fell" } else { "hardly changed" },
                match restored {
                    true => "training was stopped, and the network has the weights of that epoch",
                    false => "stop there, or regularise",
                }
            ),
            Verdict::Rising { epoch, from, to, validated, .. } => write!(
                f,
                "{} rose from epoch {epoch} ({} loss {from:.4}, then {to:.4}): try a learning rate that is smaller, or falls",
                if validated { "both losses" } else { "training loss" },
                of(validated)
            ),
            Verdict::Unclear { epoch, from, to, validated, .. } => write!(
                f,
                "{} loss was best in epoch {epoch} ({from:.4}) and is {to:.4} in the last one: it takes more epochs to say whether that is chance or a rise",
                of(validated)
            ),
            Verdict::NoBetter { loss, constant, validated, apart, best, falling } => {
                let which = if best { "at best" } else { "with the weights that the network has" };
                write!(
                    f,
                    "{} loss is {loss:.4} {which}, and one answer that is the same for all samples has {constant:.4}",
                    of(validated)
                )?;
                match (falling, apart) {
                    (true, _) => f.write_str(": it was still falling, so that more epochs or a larger learning rate may help, and scaled inputs and targets nearly always do"),
                    // The network may have learned from inputs of another scale.
                    (_, true) => Ok(()),
                    _ if !best => f.write_str(": losses that jump so ask for scaled inputs, or a smaller learning rate; `EarlyStopping` puts the best weights back"),
                    _ => f.write_str(": the network has learned nothing that helps; see that each sample has its own target and features that say something of it, and try another learning rate, or scaled inputs and targets"),
                }
            }
            Verdict::Underfitting { from, to } => write!(
                f,
                "training loss hardly changed, from {from:.4} to {to:.4}: if there is more to learn, try a larger network, another learning rate, or other features"
            ),
            Verdict::Improving { validated: true } => f.write_str(
                "validation loss was still falling at the end: more epochs may make it better",
            ),
            Verdict::Improving { validated: false } => f.write_str(
                "training loss was still falling at the end; without validation data nothing says whether that helps on other samples",
            ),
            Verdict::Memorised { train, validation, .. } => write!(
                f,
                "validation loss does not fall any more and is far above training loss ({validation:.4}, {train:.4}): the network knows its training samples by heart; try more data, or regularise"
            ),
            Verdict::Settled { epoch, last, validated } => {
                match epoch == last {
                    true => write!(
                        f,
                        "{} loss has nearly settled: it fell by less than {:.0}% in the last third of the epochs, and epoch {epoch}, the last, is the best",
                        of(validated),
                        100.0 * super::FALLING
                    )?,
                    false => write!(f, "{} loss has settled: epoch {epoch} is the best, and it has not clearly risen since", of(validated))?,
                }
                match validated {
                    true => Ok(()),
                    false => f.write_str("; without validation data nothing says how good that is on other samples"),
                }
            }
        }
    }
}
