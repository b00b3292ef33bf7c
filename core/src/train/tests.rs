//! Training of a small network written by hand.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use super::*;
use crate::cpu::Cpu;
use crate::data::{Dataset, InMemory};
use crate::dim::D;
use crate::element::Float;
use crate::error::{Error, Result};
use crate::network::build;
use crate::optim::{Adam, Sgd};
use crate::random::Seed;
use crate::testing::{Line, Square};
use crate::weights::Weights;

type Points<E = f32> = InMemory<(D<2>,), (D<1>,), E, E>;

/// `n` points, with targets `a x0 + b x1 + 0.5`.
fn points<E: Float>(n: usize, a: f64, b: f64) -> Points<E> {
    let inputs: Vec<f64> = (0..2 * n).map(|i| (i as f64 * 0.7).sin()).collect();
    let targets = inputs.chunks(2).map(|x| E::from_f64(a * x[0] + b * x[1] + 0.5)).collect();
    Points::new(inputs.iter().map(|&x| E::from_f64(x)).collect(), targets).unwrap()
}

fn line() -> Line {
    build(Cpu::default(), Seed(1)).unwrap()
}

fn scratch(name: &str) -> std::path::PathBuf {
    std::env::temp_dir().join(format!("netform-{}-{name}", std::process::id()))
}

#[test]
fn training_fits_a_line() {
    let mut net = line();
    let (train, test) = (points(100, 2.0, -1.0), points(30, 2.0, -1.0));
    let history = Trainer::new(Square, Sgd::new(0.1))
        .epochs(40)
        .batch(8)
        .validate(&test)
        .fit(&mut net, &train)
        .unwrap();
    assert_eq!(history.epochs.len(), 40);
    assert!(history.epochs[0].train_loss > 0.1);
    assert!(history.last().unwrap().validation_loss.unwrap() < 1e-6, "{history}");
    assert!(history.last().unwrap().train_accuracy.is_some());
    assert!(!history.stopped_early);
    let weight = net.parameter("fc.weight").unwrap();
    assert!((weight[0] - 2.0).abs() < 1e-3 && (weight[1] + 1.0).abs() < 1e-3, "{weight:?}");
    let evaluation = evaluate(&net, &Square, &test, 30).unwrap();
    assert!((evaluation.loss - history.last().unwrap().validation_loss.unwrap()).abs() < 1e-9);
}

#[test]
fn a_smaller_last_batch_counts_by_its_samples() {
    let (net, data) = (line(), points(10, 2.0, -1.0));
    let whole = evaluate(&net, &Square, &data, 10).unwrap();
    let parts = evaluate(&net, &Square, &data, 3).unwrap();
    assert!((whole.loss - parts.loss).abs() < 1e-6 * whole.loss);
    assert_eq!(whole.accuracy, parts.accuracy);
}

#[test]
fn training_in_parts_is_training_at_once() {
    let data = points(50, 2.0, -1.0);
    let trainer =
        |epochs| Trainer::new(Square, Adam::new(0.01)).epochs(epochs).batch(8).seed(Seed(9));
    let (mut once, mut parts) = (line(), line());
    let long = trainer(6).fit(&mut once, &data).unwrap();
    let mut trainer = trainer(3);
    let first = trainer.fit(&mut parts, &data).unwrap();
    let second = trainer.fit(&mut parts, &data).unwrap();
    assert_eq!(once.to_bytes().unwrap(), parts.to_bytes().unwrap());
    assert_eq!(second.epochs.iter().map(|epoch| epoch.epoch).collect::<Vec<_>>(), [4, 5, 6]);
    let losses: Vec<f64> = first.train_losses().chain(second.train_losses()).collect();
    assert_eq!(long.train_losses().collect::<Vec<_>>(), losses);
}

#[test]
fn the_seed_decides_the_order() {
    let data = points(50, 2.0, -1.0);
    let weights = |seed| {
        let mut net = line();
        Trainer::new(Square, Sgd::new(0.1)).seed(Seed(seed)).fit(&mut net, &data).unwrap();
        net.to_bytes().unwrap()
    };
    assert_eq!(weights(1), weights(1));
    assert_ne!(weights(1), weights(2));
}

/// A data set that notes which samples were asked for.
struct Noting(Points, Mutex<Vec<usize>>);

impl Dataset for Noting {
    type Input = (D<2>,);
    type Target = (D<1>,);
    type Element = f32;
    type TargetElement = f32;
    fn len(&self) -> usize {
        self.0.len()
    }
    fn gather(
        &self,
        pass: Seed,
        indices: &[usize],
        inputs: &mut [f32],
        targets: &mut [f32],
    ) -> Result<()> {
        self.1.lock().unwrap().extend_from_slice(indices);
        self.0.gather(pass, indices, inputs, targets)
    }
}

#[test]
fn an_epoch_has_every_sample_once_in_an_order_of_its_own() {
    let data = Noting(points(50, 2.0, -1.0), Mutex::default());
    Trainer::new(Square, Sgd::new(0.1)).epochs(2).batch(8).fit(&mut line(), &data).unwrap();
    let seen = data.1.into_inner().unwrap();
    let (first, second) = seen.split_at(50);
    assert_ne!(first, second);
    for epoch in [first, second] {
        let mut sorted = epoch.to_vec();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..50).collect::<Vec<_>>());
    }
}

/// Training data of a steep line and validation data of a flat one: validation first improves, then not.
fn overfitting() -> (Points, Points) {
    (points(64, 6.0, -6.0), points(16, 1.0, -1.0))
}

#[test]
fn early_stopping_gives_back_the_best_weights() {
    let (train, test) = overfitting();
    let mut net = line();
    let mut stopping = EarlyStopping::patience(3);
    let history = Trainer::new(Square, Sgd::new(0.01))
        .epochs(100)
        .batch(16)
        .validate(&test)
        .callback(&mut stopping)
        .fit(&mut net, &train)
        .unwrap();
    let best = history.best().unwrap();
    assert!(history.stopped_early && best.epoch > 1, "{history}");
    assert_eq!(history.epochs.len(), best.epoch + 3);
    assert_eq!(stopping.best_epoch(), Some(best.epoch));
    let restored = evaluate(&net, &Square, &test, 16).unwrap();
    assert_eq!(Some(restored.loss), best.validation_loss);
}

#[test]
fn checkpoints_load_back() {
    let (train, test) = overfitting();
    let (best, every) = (scratch("best.safetensors"), scratch("{epoch}.safetensors"));
    let mut net = line();
    let history = Trainer::new(Square, Sgd::new(0.1))
        .epochs(20)
        .validate(&test)
        .callback(Checkpoint::best(&best))
        .callback(Checkpoint::every(20, &every))
        .fit(&mut net, &train)
        .unwrap();
    assert!(history.best_epoch < Some(20), "{history}");

    let mut loaded = line();
    loaded.load(scratch("20.safetensors")).unwrap();
    assert_eq!(loaded.to_bytes().unwrap(), net.to_bytes().unwrap());
    loaded.load(&best).unwrap();
    let found = evaluate(&loaded, &Square, &test, 32).unwrap();
    assert_eq!(Some(found.loss), history.best().unwrap().validation_loss);
    std::fs::remove_file(best).unwrap();
    std::fs::remove_file(scratch("20.safetensors")).unwrap();
}

/// Counts what it is told: a callback of one's own.
#[derive(Default)]
struct Counting {
    batches: Vec<usize>,
    epochs: usize,
    ends: usize,
}

impl Callback for Counting {
    fn on_batch_end(&mut self, batch: &BatchRecord) -> Result<()> {
        self.batches.push(batch.samples);
        Ok(())
    }
    fn on_epoch_end(&mut self, _: &EpochRecord, net: &mut dyn NetworkAccess) -> Result<Flow> {
        self.epochs += 1;
        assert_eq!((net.name(), net.parameter_names().len()), ("Line", 2));
        Ok(Flow::Continue)
    }
    fn on_train_end(&mut self, _: &History, _: &mut dyn NetworkAccess) -> Result<()> {
        self.ends += 1;
        Ok(())
    }
    fn best_weights(&self) -> Option<&Path> {
        (self.epochs > 0).then_some(Path::new("best.safetensors"))
    }
}

#[test]
fn a_loss_that_is_no_number_ends_training() {
    let mut counting = Counting::default();
    let data: Points = points(32, 2.0, -1.0);
    let error = Trainer::new(Square, Sgd::new(1e15))
        .epochs(50)
        .batch(16)
        .callback(&mut counting)
        .fit(&mut line(), &data)
        .unwrap_err();
    assert!(matches!(error, Error::NotFinite { epoch: 2, batch: 1, .. }), "{error}");
    let message = error.to_string();
    assert!(message.contains("; the best weights so far are in best.safetensors"), "{message}");
    assert_eq!((counting.epochs, counting.ends), (1, 1));
}

#[test]
fn sizes_at_the_limits() {
    let data: Points = points(10, 2.0, -1.0);
    let mut counting = Counting::default();
    let mut trainer =
        Trainer::new(Square, Sgd::new(0.1)).epochs(2).batch(1000).callback(&mut counting);
    trainer.fit(&mut line(), &data).unwrap();
    drop(trainer);
    assert_eq!(counting.batches, [10, 10]);

    let mut net = line();
    let before = net.to_bytes().unwrap();
    let history = Trainer::new(Square, Sgd::new(0.1)).epochs(0).fit(&mut net, &data).unwrap();
    assert_eq!(history, History::default());
    assert_eq!(net.to_bytes().unwrap(), before);

    let none: Points = points(0, 0.0, 0.0);
    let fit = |data: &Points, test: &Points, batch| {
        let trainer = Trainer::new(Square, Sgd::new(0.1)).batch(batch);
        trainer.validate(test).fit(&mut line(), data).map_err(|error| error.to_string())
    };
    assert_eq!(
        fit(&none, &data, 4).unwrap_err(),
        "the training set: expected at least one sample, found none"
    );
    assert_eq!(
        fit(&data, &none, 4).unwrap_err(),
        "the data set to evaluate on: expected at least one sample, found none"
    );
    assert!(fit(&data, &data, 0).unwrap_err().contains("batch size of 0"));
}

#[test]
fn settings_and_networks_are_checked() {
    let data: Points = points(10, 2.0, -1.0);
    let error = Trainer::new(Square, Sgd::new(f64::NAN)).fit(&mut line(), &data).unwrap_err();
    assert!(error.to_string().starts_with("Sgd: the learning rate is NaN"), "{error}");

    let mut trainer = Trainer::new(Square, Sgd::new(0.1).momentum(0.9));
    trainer.fit(&mut line(), &data).unwrap();
    let mut wide: Line<f64> = build(Cpu::default(), Seed(1)).unwrap();
    let error = trainer.fit(&mut wide, &points::<f64>(10, 2.0, -1.0)).unwrap_err();
    assert!(error.to_string().contains("a new Trainer can"), "{error}");
}

#[test]
fn a_checkpoint_without_a_folder_is_found_at_once() {
    let data: Points = points(10, 2.0, -1.0);
    let error = Trainer::new(Square, Sgd::new(0.1))
        .callback(Checkpoint::best("no/such/folder/best.safetensors"))
        .fit(&mut line(), &data)
        .unwrap_err();
    assert!(error.to_string().contains("there is no folder no/such/folder"), "{error}");
}

#[test]
fn early_stopping_repairs_a_failed_training() {
    let data: Points = points(32, 2.0, -1.0);
    let mut net = line();
    let error = Trainer::new(Square, Sgd::new(1e15))
        .epochs(50)
        .batch(32)
        .callback(EarlyStopping::patience(9))
        .fit(&mut net, &data)
        .unwrap_err();
    assert!(matches!(error, Error::NotFinite { epoch: 3, .. }), "{error}");
    assert!(net.parameter("fc.weight").unwrap().iter().all(|x| x.is_finite()));
}

#[test]
fn a_snapshot_is_of_one_network() {
    let (mut net, mut other) = (line(), build::<Line<f64>>(Cpu::default(), Seed(1)).unwrap());
    let before = net.to_bytes().unwrap();
    let snapshot = callback::Lent(&mut net).snapshot().unwrap();
    net.set_parameter("fc.bias", &[3.0]).unwrap();
    callback::Lent(&mut net).restore(&snapshot).unwrap();
    assert_eq!(net.to_bytes().unwrap(), before);
    assert!(matches!(callback::Lent(&mut other).restore(&snapshot), Err(Error::Size { .. })));
}

/// Sets a flag after so many batches, and notes whose weights the network is said to have at the end.
#[derive(Default)]
struct Ending {
    after: usize,
    stop: Arc<AtomicBool>,
    weights_of: Option<usize>,
}

impl Callback for Ending {
    fn on_batch_end(&mut self, _: &BatchRecord) -> Result<()> {
        self.after = self.after.saturating_sub(1);
        self.stop.store(self.after == 0, Ordering::Relaxed);
        Ok(())
    }
    fn on_train_end(&mut self, history: &History, _: &mut dyn NetworkAccess) -> Result<()> {
        self.weights_of = history.weights_of;
        Ok(())
    }
}

#[test]
fn whose_weights_the_network_has_is_known() {
    let data: Points = points(32, 2.0, -1.0);
    let mut net = line();
    let mut trainer = Trainer::new(Square, Sgd::new(0.1)).epochs(3).batch(16);
    assert_eq!(trainer.fit(&mut net, &data).unwrap().weights_of, Some(3));
    assert_eq!(trainer.fit(&mut net, &data).unwrap().weights_of, Some(6));
    // Early stopping puts back what it takes for the best, which may be another epoch than that of the least loss.
    let first = EarlyStopping::patience(9).min_delta(1e9);
    let mut trainer = Trainer::new(Square, Sgd::new(0.1)).epochs(3).batch(16).callback(first);
    let history = trainer.fit(&mut line(), &data).unwrap();
    assert_eq!((history.best_epoch, history.weights_of), (Some(3), Some(1)));
    assert_eq!(History::from_json(&history.to_json()).unwrap(), history);
    // Stopped after an epoch, and in the middle of one.
    for (after, expected) in [(2, Some(1)), (3, None), (4, Some(2))] {
        let mut ending = Ending { after, ..Ending::default() };
        let mut trainer = Trainer::new(Square, Sgd::new(0.1)).epochs(9).batch(16);
        trainer = trainer.stop_when(ending.stop.clone()).callback(&mut ending);
        let history = trainer.fit(&mut line(), &data).unwrap();
        assert!(history.interrupted && history.weights_of == expected, "{after}: {history:?}");
    }
    // A batch whose loss is no number has changed nothing.
    for (batch, stops, expected) in
        [(16, false, Some(1)), (8, false, None), (8, true, None), (16, true, Some(1))]
    {
        let mut ending = Ending { after: usize::MAX, ..Ending::default() };
        let mut trainer = Trainer::new(Square, Sgd::new(1e15)).epochs(9).batch(batch);
        if stops {
            trainer = trainer.callback(EarlyStopping::patience(9));
        }
        trainer.callback(&mut ending).fit(&mut line(), &data).unwrap_err();
        assert_eq!(ending.weights_of, expected, "batches of {batch}");
    }
}
