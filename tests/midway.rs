//! Trainings that end within an epoch or its validation, and what their files say of it.

#[path = "../core/tests/common/mod.rs"]
mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use common::Folder;
use netform::data::{Dataset, InMemory};
use netform::dim::D;
use netform::error::Result;
use netform::io::safetensors;
use netform::loss::{CrossEntropy, Huber, Loss, SmoothL1};
use netform::metric::F1;
use netform::network;
use netform::optim::AdamW;
use netform::random::Seed;
use netform::train::{EarlyStopping, History, Trainer};
use netform::weights::Weights;

network! {
    /// Random numbers and running statistics.
    Net: [4] -> [3] { fc1: Linear(8), norm: BatchNorm1d, Relu, Dropout(0.25), fc2: Linear(3) }

    /// A number for a number.
    Line: [1] -> [1] { fc: Linear(1) }

    /// A loss with settings.
    fn weighed(y: [1], target: [1], weights: [f32; 1], power: f32) -> [] {
        sum(weights * abs(y - target)) * power
    }
}

type Data = InMemory<(D<4>,)>;

fn data(samples: usize, phase: f32) -> Data {
    let inputs = (0..samples * 4).map(|i| (i as f32 * 0.7 + phase).sin()).collect();
    Data::new(inputs, (0..samples as u32).map(|i| i * 7 % 3).collect()).unwrap()
}

/// Raises a flag when a batch has been asked for so many times.
struct Raising {
    data: Data,
    left: AtomicUsize,
    flag: Arc<AtomicBool>,
}

impl Dataset for Raising {
    type Input = (D<4>,);
    type Target = ();
    type Element = f32;
    type TargetElement = u32;

    fn len(&self) -> usize {
        self.data.len()
    }

    fn gather(
        &self,
        pass: Seed,
        indices: &[usize],
        inputs: &mut [f32],
        targets: &mut [u32],
    ) -> Result<()> {
        if self.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.flag.store(true, Ordering::Relaxed);
        }
        self.data.gather(pass, indices, inputs, targets)
    }
}

/// Three epochs of seven batches, each with a validation of five; a flag is raised in the `k`th of these, which end
/// where it is. The history without times, the weights, and how many batches of validation there were.
fn train(folder: &Folder, k: usize, resume: bool) -> (History, Vec<u8>, usize) {
    let (flag, left) = (Arc::new(AtomicBool::new(false)), AtomicUsize::new(k));
    let test = Raising { data: data(18, 0.3), left, flag: flag.clone() };
    let file = folder.0.join("run.safetensors");
    let trainer = Trainer::new(CrossEntropy, AdamW::new(0.02))
        .epochs(3)
        .batch(4)
        .validate(&test)
        .average(0.8)
        .accumulate(2)
        .metric("f1", F1::macro_average(3))
        .callback(EarlyStopping::patience(9))
        .stop_when(flag)
        .autosave(&file);
    let mut trainer = if resume { trainer.resume(&file) } else { trainer };
    let mut net = Net::new(Seed(if resume { 9 } else { 1 }));
    let mut history = trainer.fit(&mut net, &data(26, 0.0)).unwrap();
    history.epochs.iter_mut().for_each(|epoch| epoch.seconds = 0.0);
    drop(trainer);
    (history, net.to_bytes().unwrap(), k.wrapping_sub(test.left.into_inner()))
}

const NEVER: usize = usize::MAX;

#[test]
fn a_validation_ends_with_its_batch_and_goes_on_bit_for_bit() {
    let folder = Folder::new("midway-validation");
    let (history, weights, _) = train(&folder, NEVER, false);
    for k in [1, 3, 6, 14] {
        let (part, _, validated) = train(&folder, k, false);
        assert!(part.interrupted && !part.stopped_early, "{part}");
        assert_eq!(validated, k, "nothing is validated after the flag");
        assert_eq!(part.epochs.len(), (k - 1) / 5, "an epoch that is not over has no figures");
        let (found, bytes, _) = train(&folder, NEVER, true);
        assert_eq!(found, history, "stopped in batch {k}");
        assert!(bytes == weights, "stopped in batch {k}");
    }
    // Again and again.
    train(&folder, 2, false);
    for _ in 0..2 {
        let (part, ..) = train(&folder, 3, true);
        assert!(part.interrupted && part.epochs.is_empty(), "{part}");
    }
    assert!(train(&folder, NEVER, true).1 == weights);
}

#[test]
fn an_epoch_has_all_of_its_time() {
    let folder = Folder::new("midway-time");
    let file = folder.0.join("run.safetensors");
    train(&folder, 3, false);
    let mut saved = safetensors::read(&file).unwrap();
    let seconds: f64 = saved.metadata["epoch_seconds"].parse().unwrap();
    assert!(seconds > 0.0);
    saved.metadata.insert("epoch_seconds".to_owned(), "5000.5".to_owned());
    safetensors::write(&file, &saved.tensors, &saved.metadata).unwrap();
    let mut trainer = Trainer::new(CrossEntropy, AdamW::new(0.02)).epochs(3).batch(4);
    let test = data(18, 0.3);
    trainer = trainer.average(0.8).accumulate(2).resume(&file);
    let mut trainer = trainer
        .metric("f1", F1::macro_average(3))
        .callback(EarlyStopping::patience(9))
        .validate(&test);
    let history = trainer.fit(&mut Net::new(Seed(1)), &data(26, 0.0)).unwrap();
    let times: Vec<f64> = history.epochs.iter().map(|epoch| epoch.seconds).collect();
    assert!(times[0] > 5000.5 && times[0] < 6000.0 && times[1] < 1000.0, "{times:?}");
}

/// What is said where a training with the first loss goes on with the second one.
fn resumed<L>(first: L, second: L) -> std::result::Result<(), String>
where
    L: Loss<f32, (D<1>,), (D<1>,), f32> + Clone,
{
    let folder = Folder::new("midway-loss");
    let file = folder.0.join("run.safetensors");
    let data = InMemory::<(D<1>,), (D<1>,), f32, f32>::new(vec![0.5; 4], vec![1.0; 4]).unwrap();
    let fit = |mut trainer: Trainer<'_, L, AdamW>| {
        trainer.fit(&mut Line::new(Seed(1)), &data).map(drop).map_err(|error| error.to_string())
    };
    fit(Trainer::new(first, AdamW::new(0.1)).autosave(&file))?;
    fit(Trainer::new(second, AdamW::new(0.1)).resume(&file))
}

#[test]
fn a_training_goes_on_with_the_settings_of_its_loss() {
    let same = Ok(());
    assert_eq!(resumed(Huber::new(0.5), Huber::new(0.5)), same);
    let error = resumed(Huber::new(0.5), Huber::new(1.0)).unwrap_err();
    assert!(error.contains("`loss`: the training that was saved has `Huber"), "{error}");
    assert!(error.contains("0.5") && error.contains("1.0"), "{error}");
    assert!(resumed(SmoothL1::new(0.5), SmoothL1::new(0.25)).is_err());
    let own = |weight, power| weighed { weights: vec![weight], power };
    assert_eq!(resumed(own(1.0, 2.0), own(1.0, 2.0)), same);
    for other in [own(1.0, 3.0), own(0.5, 2.0)] {
        let error = resumed(own(1.0, 2.0), other).unwrap_err();
        assert!(error.contains("`loss`") && error.contains("weighed"), "{error}");
    }
}
