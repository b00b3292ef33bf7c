//! That a network, a loss and data belong together, and that targets are what the loss takes: said before it is trained
//! in vain.

use std::fmt::Display;

use crate::data::{Columns, Dataset, Listed};
use crate::error::{Error, Result};
use crate::loss::{Loss, Misfit, Misfitting};
use crate::network::Network;
use crate::outputs::Outputs;
use crate::shape::SampleShape;

/// More classes than these, whose names are numbers, are hardly meant.
const MANY: usize = 20;

/// That the network's outputs are what the loss takes, one for each class that the data set names; `set` is what messages
/// call it.
pub(super) fn together<N, D, L>(loss: &L, data: &D, set: &str) -> Result<()>
where
    N: Network,
    D: Dataset,
    L: Loss<N::Elem, N::Output, D::Target, D::TargetElement>,
{
    if let Some(advice) = loss.refuses(N::OUTPUTS_ARE) {
        let (name, end) = (N::NAME, end::<N>());
        return Err(Error::Invalid(format!("network `{name}` ends in {end}, and {advice}")));
    }
    let (names, classes) = (data.class_names(), loss.classes());
    let many = names.len() > MANY && names.iter().all(|name| name.parse::<f64>().is_ok());
    let advice = match many {
        true => "; numbers that are to be predicted are `Table::targets`, with `Mse`",
        false => "",
    };
    match classes.filter(|&classes| !names.is_empty() && classes != names.len()) {
        None => Ok(()),
        Some(found) => Err(Error::Size {
            what: format!("the outputs of network `{}` for the classes of the {set}", N::NAME),
            expected: format!(
                "{} of them, for {}, as `Linear({0})` at the end of the network has, or data without names, `with_class_names(vec![])`{advice}",
                names.len(),
                Listed(names)
            ),
            found: found.to_string(),
        }),
    }
}

/// How samples were made, as far as that is known.
#[doc(hidden)]
#[derive(Default)]
pub struct Made<'d> {
    pub columns: Option<&'d Columns>,
    pub classes: &'d [String],
    pub scaled: Option<bool>,
}

/// That the validation samples' inputs are made of the same columns as the training samples', and their classes are the same,
/// in the same order, as far as that is known: two tables may have other words in the same column.
pub(super) fn alike<D: Dataset>(data: &D, validation: Made<'_>) -> Result<()> {
    let Made { columns, classes, scaled } = validation;
    let differ = |what, training: &dyn Display, validation: &dyn Display, advice: &str| {
        Err(Error::Invalid(format!(
            "the {what} of the validation set are {validation}, those of the training set {training}: expected the same in the same order; {advice}",
        )))
    };
    if let (Some(ours), Some(theirs)) = (data.columns(), columns)
        && !ours.mean_the_same(theirs)
    {
        let advice = "read the table as the other was read: `Table::with_columns`";
        return differ("features", ours, theirs, advice);
    }
    if let [Some(true), Some(false)] = [data.is_scaled(), scaled] {
        return Err(Error::Invalid(
            "the inputs of the training set were scaled, and those of the validation set were not: apply the same `Scaling` to both, `scaling.apply(&mut validation)`".to_owned(),
        ));
    }
    let ours = data.class_names();
    if !ours.is_empty() && !classes.is_empty() && ours != classes {
        let advice = "read them by the names of the training set, `Table::classes_named`, or take names off, `with_class_names(vec![])`";
        return differ("classes", &Listed(ours), &Listed(classes), advice);
    }
    Ok(())
}

/// What a network ends in, as its declaration says it.
fn end<N: Network>() -> String {
    let ends = ["Softmax", "LogSoftmax", "Sigmoid"];
    let last = N::LAYERS.last().map_or("", |layer| layer.text);
    if ends.iter().any(|end| last.split('(').next() == Some(end)) {
        return format!("`{last}`");
    }
    match N::OUTPUTS_ARE {
        Outputs::Logits => "logits",
        Outputs::LogProbabilities => "logarithms of probabilities, `log_softmax(..)`",
        Outputs::Probabilities => "probabilities, `softmax(..)` or `sigmoid(..)`",
    }
    .to_owned()
}

/// The error of a target that the loss does not take; `sample` gives a sample's number in the data set.
pub(super) fn misfit<D: Dataset>(
    Misfit { place, is }: Misfit,
    set: &str,
    sample: impl FnOnce(usize) -> usize,
) -> Error {
    let each = D::Target::NUMEL.max(1);
    let of = format!("of sample {} of the {set} (counted from 0)", sample(place / each));
    let nth = place % each;
    let one = |what| match each {
        1 => format!("the {what} {of}"),
        _ => format!("{what} {nth} {of}"),
    };
    match is {
        Misfitting::Label { label: index, classes: size } => Error::IndexOutOfRange {
            what: one("label"),
            index,
            size,
            of: "classes, one for each output of the network (labels count from 0)",
        },
        Misfitting::Number { found, expected } => {
            Error::Invalid(format!("{} is {found}; {expected}", one("target")))
        }
        Misfitting::Sum { len, found, expected } => {
            let which = match len == each {
                true => "the targets".to_owned(),
                false => format!("targets {nth} to {}", nth + len - 1),
            };
            Error::Invalid(format!("{which} {of} add up to {found:.4}; {expected}"))
        }
    }
}
