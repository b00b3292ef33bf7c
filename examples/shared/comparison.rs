//! Networks that were trained on the same data, side by side.

use std::path::{Path, PathBuf};

use netform::Result;
use netform::module::Module;
use netform::plot::Plot;
use netform::report::Report;
use netform::train::History;

use super::{file, name_of_file, print};

/// The networks so far.
pub struct Comparison {
    folder: PathBuf,
    plot: PathBuf,
    trained: Vec<Trained>,
}

struct Trained {
    name: String,
    parameters: usize,
    history: History,
}

impl Comparison {
    /// None yet; the plot is there already, still empty, as of [`file`].
    pub fn into_folder(folder: &Path) -> Result<Self> {
        let plot = file(folder, "comparison.svg")?;
        Ok(Comparison { folder: folder.to_owned(), plot, trained: Vec::new() })
    }

    /// Says how a network ended, writes its report, and keeps it for the table.
    pub fn add<N: Module>(&mut self, name: &str, net: &N, history: History) -> Result<()> {
        let report = self.folder.join(name_of_file(name, "html"));
        Report::new(&history).title(name).network(net).save(&report)?;
        if let Some(last) = history.last() {
            let (epochs, loss) = (last.epoch, last.monitored());
            print(format!(
                "{name}: {epochs} epochs, {:.1} s, validation loss {loss:.4}; {}",
                history.seconds(),
                report.display()
            ))?;
        }
        self.trained.push(Trained { name: name.to_owned(), parameters: N::PARAM_LEN, history });
        Ok(())
    }

    /// The table of losses and accuracies after the last epoch, and where the validation loss was smallest; all the
    /// validation losses go into the plot.
    pub fn conclude(&self) -> Result<()> {
        print(
            "\n                                        after the last epoch            validation loss",
        )?;
        print(
            "network                 parameters      training       validation      at its smallest",
        )?;
        for Trained { name, parameters, history } in &self.trained {
            let (Some(last), Some(best)) = (history.last(), history.best()) else { continue };
            print(format!(
                "{name:<22} {parameters:>11}   {:.4} {}   {:.4} {}   {:.4}, epoch {}",
                last.train_loss,
                percent(last.train_accuracy),
                last.monitored(),
                percent(last.validation_accuracy),
                best.monitored(),
                best.epoch,
            ))?;
        }
        let mut losses = Plot::new("Validation loss").axes("epoch", "loss").log_y().counting_x();
        for Trained { name, history, .. } in &self.trained {
            losses = losses.line(name, (1..).zip(history.validation_losses()));
        }
        losses.svg()?.save(&self.plot)?;
        print(format!("\nplot: {}", self.plot.display()))?;
        let best = |it: &Trained| it.history.best().map_or(f64::INFINITY, |best| best.monitored());
        match self.trained.iter().min_by(|a, b| best(a).total_cmp(&best(b))) {
            Some(it) => print(format!("smallest validation loss: {:.4}, {}", best(it), it.name)),
            None => Ok(()),
        }
    }
}

fn percent(accuracy: Option<f64>) -> String {
    format!("{:6.2}%", 100.0 * accuracy.unwrap_or(f64::NAN))
}
