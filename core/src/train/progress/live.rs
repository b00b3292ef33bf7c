//! What is redrawn in a terminal while an epoch runs: a bar, and a line of figures with their curves.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::sparkline::sparkline;
use super::{figures, last_epoch};
use crate::summary::thousands;
use crate::train::callback::{BatchRecord, Plan};
use crate::train::history::EpochRecord;

/// How often figures change: more often is not readable, and would cost small networks time.
const REFRESH: Duration = Duration::from_millis(100);
/// How wide a curve is at most: two of them, their losses and an accuracy have room in a line of 80 columns.
const CURVE: usize = 10;

/// A bar in a terminal.
pub(super) struct Live {
    bar: ProgressBar,
    refreshed: Option<Instant>,
    clock: Clock,
    curves: Curves,
}

/// How far this call of `fit` has come, in samples of all its epochs.
struct Clock {
    first_epoch: usize,
    last_epoch: usize,
    /// Samples of an epoch.
    samples: usize,
    /// When the first batch was done, and how many samples were by then: those of a training that is resumed in the middle
    /// count from its beginning.
    began: Option<(Instant, usize)>,
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
        if let Ok(style) = ProgressStyle::with_template("{prefix}   {wide_bar}\n{wide_msg}") {
            bar.set_style(style);
        }
        // Such a bar hides every line that it is given.
        (!bar.is_hidden()).then(|| Live {
            bar,
            refreshed: None,
            clock: Clock::new(plan),
            curves: Curves::default(),
        })
    }

    /// Shows how far the epoch is, if it is time to.
    pub fn batch(&mut self, batch: &BatchRecord) {
        let now = Instant::now();
        if self.refreshed.is_some_and(|then| now - then < REFRESH) {
            return;
        }
        self.refreshed = Some(now);
        if self.curves.train.is_empty() {
            self.curves.run(batch.mean_loss);
        }
        self.bar.set_prefix(self.clock.text(batch, now));
        self.bar.set_message(self.curves.text(batch));
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

impl Clock {
    fn new(plan: &Plan) -> Self {
        let Plan { first_epoch, last_epoch, samples, .. } = *plan;
        Clock { first_epoch, last_epoch, samples, began: None }
    }

    /// The epoch, how long all of them will take if it goes on as it does, and how fast that is.
    fn text(&mut self, batch: &BatchRecord, now: Instant) -> String {
        let last = last_epoch(self.last_epoch);
        let mut text = format!("epoch {}", batch.epoch);
        if let Some(last) = last {
            text += &format!("/{last}");
        }
        let before = batch.epoch.saturating_sub(self.first_epoch);
        let done = before.saturating_mul(self.samples).saturating_add(batch.samples);
        let (began, first) = *self.began.get_or_insert((now, done));
        let seconds = now.saturating_duration_since(began).as_secs_f64();
        let speed = done.saturating_sub(first) as f64 / seconds;
        // After the first batch nothing is known: what went before it is not its time alone.
        if !speed.is_normal() {
            return text;
        }
        let epochs = last.map(|last| last.saturating_sub(self.first_epoch) + 1);
        if let Some(all) = epochs.and_then(|epochs| epochs.checked_mul(self.samples)) {
            text += &format!("   {} left", duration(all.saturating_sub(done) as f64 / speed));
        }
        text + &format!("   {} samples/s", thousands(speed as usize))
    }
}

/// Seconds as hours, minutes and seconds.
fn duration(seconds: f64) -> String {
    let left = seconds.ceil();
    if left >= 360_000.0 {
        return "days".to_owned();
    }
    let [hours, minutes, seconds] =
        [left / 3600.0, left / 60.0 % 60.0, left % 60.0].map(|x| x as u64);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        hours => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
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
        text.trim_start().to_owned()
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
        assert_eq!(curves.text(&batch()), "loss 0.2500   accuracy 90.00%");
        curves.run(1.0);
        assert_eq!(curves.text(&batch()), "loss 0.2500 █▁   accuracy 90.00%");
        curves.train = vec![1.0, 0.5, 0.0];
        curves.validation = vec![1.0, 1.5];
        assert_eq!(
            curves.text(&batch()),
            "loss 0.2500 █▅▁   accuracy 90.00%   validation loss 1.5000 ▁█"
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
    fn a_line_has_room_in_a_terminal() {
        let mut curves = Curves::default();
        curves.train = (0..500).map(|i| 20.0 / f64::from(i + 1)).collect();
        curves.validation = curves.train.iter().map(|loss| 10.0 + loss).collect();
        let text = curves.text(&BatchRecord { mean_loss: 10.25, accuracy: Some(1.0), ..batch() });
        assert!(text.starts_with("loss 10.2500 █"), "{text}");
        assert!(text.contains("accuracy 100.00%   validation loss 10.0400 █"), "{text}");
        // Both curves are whole.
        assert_eq!(text.chars().filter(|x| ('▁'..='█').contains(x)).count(), 2 * CURVE, "{text}");
        assert!(text.chars().count() <= 80, "{} columns: {text}", text.chars().count());
    }

    /// A training of 100 samples an epoch, and what is shown after its batches: epoch, samples of it, and seconds.
    fn shown<const N: usize>(epochs: [usize; 2], batches: [(usize, usize, u64); N]) -> [String; N] {
        let [first_epoch, last_epoch] = epochs;
        let mut clock = Clock { first_epoch, last_epoch, samples: 100, began: None };
        let began = Instant::now();
        batches.map(|(epoch, samples, seconds)| {
            let batch = BatchRecord { epoch, samples, ..batch() };
            clock.text(&batch, began + Duration::from_secs(seconds))
        })
    }

    #[test]
    fn the_time_left_is_of_all_epochs() {
        assert_eq!(
            shown([1, 4], [(1, 20, 7), (1, 40, 8), (2, 20, 12), (4, 100, 26)]),
            [
                "epoch 1/4",
                "epoch 1/4   0:18 left   20 samples/s",
                "epoch 2/4   0:14 left   20 samples/s",
                "epoch 4/4   0:00 left   20 samples/s",
            ]
        );
    }

    #[test]
    fn a_resumed_training_is_timed_from_there() {
        // The plan of a resumed training begins with the first epoch of all.
        assert_eq!(
            shown([1, 100], [(90, 50, 1), (90, 60, 2), (91, 50, 11)]),
            [
                "epoch 90/100",
                "epoch 90/100   1:44 left   10 samples/s",
                "epoch 91/100   1:35 left   10 samples/s",
            ]
        );
        // One that goes on with another begins where that ended.
        assert_eq!(
            shown([91, 100], [(91, 10, 0), (91, 20, 1)])[1],
            "epoch 91/100   1:38 left   10 samples/s"
        );
    }

    #[test]
    fn a_training_until_it_is_stopped_has_no_time_left() {
        assert_eq!(
            shown([1, usize::MAX], [(3, 10, 0), (3, 20, 1)]),
            ["epoch 3", "epoch 3   10 samples/s"]
        );
        let last = usize::MAX - 1;
        let [_, text] = shown([1, last], [(last, 10, 0), (last, 20, 1)]);
        assert!(text.starts_with(&format!("epoch {last}/{last}")), "{text}");
    }

    #[test]
    fn durations_are_as_long_as_they_need_to_be() {
        let of = [0.0, 6.0, 999.0, 19_999.0, 1e6, f64::INFINITY].map(duration);
        assert_eq!(of, ["0:00", "0:06", "16:39", "5:33:19", "days", "days"]);
    }
}
