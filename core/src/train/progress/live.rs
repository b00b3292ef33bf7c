//! What is redrawn in a terminal while an epoch runs: a bar, and a line of figures with their curves.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::figures;
use super::sparkline::sparkline;
use crate::summary::thousands;
use crate::train::callback::{BatchRecord, Plan};
use crate::train::history::EpochRecord;

/// How often figures change: more often is not readable, and would cost small networks time.
const REFRESH: Duration = Duration::from_millis(100);
/// How wide a curve is at most: two of them and their figures have room in 80 columns.
const CURVE: usize = 16;

/// A bar in a terminal.
pub(super) struct Live {
    bar: ProgressBar,
    began: Instant,
    refreshed: Option<Instant>,
    /// The epochs that this training has, and their samples.
    epochs: [usize; 2],
    samples: usize,
    curves: Curves,
}

/// The losses so far.
#[derive(Default)]
struct Curves {
    train: Vec<f64>,
    validation: Vec<f64>,
    /// Of the first epoch while it runs, from time to time.
    running: Vec<f64>,
}

impl Live {
    /// Nothing where the terminal cannot move its cursor.
    pub fn new(plan: &Plan) -> Option<Self> {
        let target = ProgressDrawTarget::stdout();
        let bar = ProgressBar::with_draw_target(Some(plan.samples as u64), target);
        // The template is a constant: were it wrong, indicatif's own style would do.
        if let Ok(style) = ProgressStyle::with_template("{prefix} {wide_bar}\n{wide_msg}") {
            bar.set_style(style);
        }
        // Such a bar hides every line that it is given.
        (!bar.is_hidden()).then(|| Live {
            bar,
            began: Instant::now(),
            refreshed: None,
            epochs: [plan.first_epoch, plan.last_epoch],
            samples: plan.samples,
            curves: Curves::default(),
        })
    }

    /// Shows how far the epoch is, if it is time to.
    pub fn batch(&mut self, batch: &BatchRecord) {
        if self.refreshed.is_some_and(|then| then.elapsed() < REFRESH) {
            return;
        }
        self.refreshed = Some(Instant::now());
        if self.curves.train.is_empty() {
            self.curves.run(batch.mean_loss);
        }
        self.bar.set_prefix(format!("epoch {}/{}", batch.epoch, self.epochs[1]));
        let [first, last] = self.epochs;
        let done = batch.epoch.saturating_sub(first) * self.samples + batch.samples;
        let all = (last + 1).saturating_sub(first) * self.samples;
        let time = time(done, all, self.began.elapsed());
        self.bar.set_message(format!("{time}{}", self.curves.text(batch)));
        self.bar.set_position(batch.samples as u64);
    }

    /// Keeps what an epoch was like, and leaves its line above the bar.
    pub fn epoch(&mut self, epoch: &EpochRecord, line: &str) {
        self.curves.train.push(epoch.train_loss);
        self.curves.validation.extend(epoch.validation_loss);
        self.bar.println(line);
    }

    pub fn end(self) {
        self.bar.finish_and_clear();
    }
}

/// How fast it goes, and how long it will take if it goes on so: in samples of all epochs.
fn time(done: usize, all: usize, since: Duration) -> String {
    let seconds = since.as_secs_f64();
    let speed = done as f64 / seconds.max(1e-9);
    let left = all.saturating_sub(done) as f64 / speed.max(1e-9);
    let text = match left.ceil() {
        left if left >= 360_000.0 => "days".to_owned(),
        left => {
            let [hours, minutes, seconds] = [left / 3600.0, left / 60.0 % 60.0, left % 60.0];
            match hours as u64 {
                0 => format!("{}:{:02}", minutes as u64, seconds as u64),
                hours => format!("{hours}:{:02}:{:02}", minutes as u64, seconds as u64),
            }
        }
    };
    format!("{text} left, {} samples/s", thousands(speed as usize))
}

impl Curves {
    /// Notes the running loss; of many, every second one is dropped.
    fn run(&mut self, loss: f64) {
        if self.running.len() >= 8 * CURVE {
            let mut keep = false;
            self.running.retain(|_| {
                keep = !keep;
                keep
            });
        }
        self.running.push(loss);
    }

    /// The figures of the running epoch with the curves of those before.
    fn text(&self, batch: &BatchRecord) -> String {
        let with = |values: &[f64]| match values.len() {
            0 | 1 => String::new(),
            _ => format!(" {}", sparkline(values, CURVE)),
        };
        let train = if self.train.is_empty() { &self.running } else { &self.train };
        let mut text = figures("", Some(batch.mean_loss), None) + &with(train);
        text += &figures("", None, batch.accuracy);
        if let Some(last) = self.validation.last() {
            text += &figures("validation ", Some(*last), None);
            text += &with(&self.validation);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch() -> BatchRecord {
        BatchRecord {
            epoch: 3,
            batch: 5,
            samples: 500,
            loss: 0.3,
            mean_loss: 0.25,
            accuracy: Some(0.9),
            rate: 0.1,
            gradient_norm: None,
        }
    }

    #[test]
    fn figures_have_their_curves() {
        let mut curves = Curves::default();
        curves.run(2.0);
        assert_eq!(curves.text(&batch()), "   loss 0.2500   accuracy 90.00%");
        curves.run(1.0);
        assert_eq!(curves.text(&batch()), "   loss 0.2500 █▁   accuracy 90.00%");
        curves.train = vec![1.0, 0.5, 0.0];
        curves.validation = vec![1.0, 1.5];
        assert_eq!(
            curves.text(&batch()),
            "   loss 0.2500 █▅▁   accuracy 90.00%   validation loss 1.5000 ▁█"
        );
    }

    #[test]
    fn a_long_epoch_keeps_few_losses() {
        let mut curves = Curves::default();
        (0..10_000).for_each(|i| curves.run(f64::from(i)));
        assert!(curves.running.len() <= 8 * CURVE, "{}", curves.running.len());
        assert_eq!(curves.running.first(), Some(&0.0));
    }

    #[test]
    fn the_time_left_is_of_all_epochs() {
        let after = |done, all, seconds| time(done, all, Duration::from_secs(seconds));
        assert_eq!(after(1000, 4000, 2), "0:06 left, 500 samples/s");
        assert_eq!(after(1000, 1_000_000, 1), "16:39 left, 1,000 samples/s");
        assert_eq!(after(1, 20_000, 1), "5:33:19 left, 1 samples/s");
        assert_eq!(after(0, 20_000, 1), "days left, 0 samples/s");
        assert_eq!(after(10, 10, 1), "0:00 left, 10 samples/s");
    }
}
