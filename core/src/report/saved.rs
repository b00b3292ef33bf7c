//! A report that is written also where training fails, and nobody has a history to write it of.

use std::path::{Path, PathBuf};

use crate::error::Result;
use crate::train::{Callback, History, NetworkAccess};

/// Writes the [report](super::Report) of a training at its end, however it ends: after the last epoch, by an interrupt, or
/// with an error, such as a loss that is not finite. The page of a training that failed says why, and shows the epochs
/// before.
///
/// ```
/// # extern crate netform_core as netform;
/// # netform_macros::network! { Net: [2] -> [2] { fc1: Linear(2) } }
/// # fn main() -> netform_core::error::Result<()> {
/// # use netform_core::{data::InMemory, dim::D, loss::CrossEntropy, optim::Sgd, random::Seed, train::Trainer};
/// use netform_core::report::SaveReport;
/// # let path = std::env::temp_dir().join(format!("netform-doc-report-saved-{}.html", std::process::id()));
///
/// let spoilt = InMemory::<(D<2>,)>::new(vec![0.1, f32::NAN, 0.8, 0.3], vec![0, 1])?;
/// let mut trainer = Trainer::new(CrossEntropy, Sgd::new(0.1)).callback(SaveReport::to(&path));
/// assert!(trainer.fit(&mut Net::new(Seed(1)), &spoilt).is_err());
/// assert!(std::fs::read_to_string(&path).is_ok_and(|page| page.contains("the loss became NaN")));
/// # std::fs::remove_file(path).ok();
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct SaveReport {
    path: PathBuf,
}

impl SaveReport {
    /// Writes the page as this file, whole or not at all. `fit` returns the error of a page that cannot be written,
    /// unless training failed before.
    pub fn to(path: impl AsRef<Path>) -> Self {
        SaveReport { path: path.as_ref().to_owned() }
    }
}

impl Callback for SaveReport {
    fn on_train_end(&mut self, history: &History, _: &mut dyn NetworkAccess) -> Result<()> {
        history.save_report(&self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::Cpu;
    use crate::data::InMemory;
    use crate::dim::D;
    use crate::network::build;
    use crate::optim::Sgd;
    use crate::random::Seed;
    use crate::testing::{Line, Square};
    use crate::train::Trainer;

    /// Trains with a learning rate, and gives the page and the error.
    fn trained(rate: f64) -> (String, Option<String>) {
        let name = format!("netform-saved-report-{}-{rate}.html", std::process::id());
        let path = std::env::temp_dir().join(name);
        let data: InMemory<(D<2>,), (D<1>,), f32, f32> =
            InMemory::new(vec![1.0, 2.0, -1.0, 0.5], vec![3.0, 4.0]).unwrap();
        let mut net: Line = build(Cpu::default(), Seed(1)).unwrap();
        let mut trainer = Trainer::new(Square, Sgd::new(rate)).epochs(60).batch(2);
        trainer = trainer.callback(SaveReport::to(&path));
        let outcome = trainer.fit(&mut net, &data);
        let page = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_file(path).unwrap();
        (page, outcome.err().map(|error| error.to_string()))
    }

    #[test]
    fn a_training_that_becomes_not_finite_has_a_page() {
        let (page, error) = trained(100.0);
        let error = error.unwrap();
        assert!(error.contains("training has stopped"), "{error}");
        for text in ["<h2>Failed</h2>", "Training failed after", &crate::plot::escaped(&error)] {
            assert!(page.contains(text), "{text} in {page}");
        }
        // The epochs before are drawn.
        assert!(page.contains("<title>Loss</title>"), "{page}");
    }

    #[test]
    fn one_that_does_not_has_one_too() {
        let (page, error) = trained(0.01);
        assert_eq!(error, None);
        assert!(page.contains("60 epochs") && !page.contains("ailed"), "{page}");
    }
}
