//! Networks that were trained on the same data, side by side.

use std::path::Path;

use netform::Result;
use netform::module::Module;
use netform::plot::Plot;
use netform::train::History;

use super::print;

/// The networks so far.
#[derive(Default)]
pub struct Comparison(Vec<Trained>);

struct Trained {
    name: String,
    parameters: usize,
    history: History,
}

impl Comparison {
    /// Says how a network ended, and keeps it for the table.
    pub fn add<N: Module>(&mut self, name: &str, _: &N, history: History) -> Result<()> {
        if let Some(last) = history.last() {
            let (epochs, loss) = (last.epoch, last.monitored());
            print(format!(
                "{name}: {epochs} epochs, {:.1} s, validation loss {loss:.4}",
                history.seconds()
            ))?;
        }
        self.0.push(Trained { name: name.to_owned(), parameters: N::PARAM_LEN, history });
        Ok(())
    }

    /// The table of losses and accuracies after the last epoch, and where the validation loss was smallest; all the
    /// validation losses go into the plot.
    pub fn conclude(&self, plot: &Path) -> Result<()> {
        print(
            "\n                                        after the last epoch            validation loss",
        )?;
        print(
            "network                 parameters      training       validation      at its smallest",
        )?;
        for Trained { name, parameters, history } in &self.0 {
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
        for Trained { name, history, .. } in &self.0 {
            losses = losses.line(name, (1..).zip(history.validation_losses()));
        }
        losses.svg()?.save(plot)?;
        print(format!("\nplot: {}", plot.display()))?;
        let best = |it: &Trained| it.history.best().map_or(f64::INFINITY, |best| best.monitored());
        match self.0.iter().min_by(|a, b| best(a).total_cmp(&best(b))) {
            Some(it) => print(format!("smallest validation loss: {:.4}, {}", best(it), it.name)),
            None => Ok(()),
        }
    }
}

fn percent(accuracy: Option<f64>) -> String {
    format!("{:6.2}%", 100.0 * accuracy.unwrap_or(f64::NAN))
}
