//! Files of trainings that somebody has changed, by accident or not: an error that names the place, or a training that
//! goes on; never a panic.

#[path = "../core/tests/common/mod.rs"]
mod common;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use common::{Folder, says, survives};
use netform::data::InMemory;
use netform::dim::D;
use netform::error::{Error, Result};
use netform::io::safetensors::{self, Contents, Values};
use netform::loss::CrossEntropy;
use netform::metric::F1;
use netform::network;
use netform::optim::Adam;
use netform::random::Seed;
use netform::train::{BatchRecord, Callback, EarlyStopping, History, Trainer};

network! {
    /// Random numbers, running statistics and a setting.
    pub Net(rate: f32): [4] -> [3] {
        fc1: Linear(3), norm: BatchNorm1d, Relu, Dropout(rate), fc2: Linear(3),
    }
}

/// Batches of an epoch.
const BATCHES: usize = 3;

fn data() -> InMemory<(D<4>,)> {
    let inputs = (0..40).map(|i| (i as f32 * 0.7).sin()).collect();
    InMemory::new(inputs, (0..10).map(|i| i * 7 % 3).collect()).unwrap()
}

/// Raises a flag in the middle of the second epoch.
struct Raising(Arc<AtomicBool>);

impl Callback for Raising {
    fn on_batch_end(&mut self, batch: &BatchRecord) -> Result<()> {
        if (batch.epoch, batch.batch) == (2, 2) {
            self.0.store(true, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// Trains three epochs, or goes on from the file `path`; a network that is not trained is as it was.
fn fit(path: &Path, resume: bool) -> Result<History> {
    let (data, flag) = (data(), Arc::new(AtomicBool::new(false)));
    let trainer = Trainer::new(CrossEntropy, Adam::new(0.01))
        .epochs(3)
        .batch(10_usize.div_ceil(BATCHES))
        .validate(&data)
        .average(0.8)
        .accumulate(2)
        .metric("f1", F1::macro_average(3))
        .callback(EarlyStopping::patience(3));
    let mut trainer = match resume {
        true => trainer.resume(path),
        false => trainer.callback(Raising(flag.clone())).stop_when(flag).autosave(path),
    };
    trainer.fit(&mut Net::new(Seed(1), 0.25), &data)
}

/// A training that was stopped in its second epoch.
fn saved(folder: &Folder) -> (Vec<u8>, Contents) {
    let path = folder.0.join("run");
    assert!(fit(&path, false).unwrap().interrupted);
    (fs::read(&path).unwrap(), safetensors::read(&path).unwrap())
}

/// Goes on from a file with these contents.
fn resume(folder: &Folder, contents: &Contents) -> Result<History> {
    let bytes = safetensors::to_bytes(&contents.tensors, &contents.metadata).unwrap();
    fit(&folder.file("changed", bytes), true)
}

#[test]
fn places_that_there_are_not_are_refused_by_name() {
    let folder = Folder::new("training-places");
    let (_, good) = saved(&folder);
    assert_eq!(resume(&folder, &good).unwrap().epochs.len(), 3);
    for (name, value, expected) in [
        ("first_epoch", "0", "expected a number from 1 to 4294967295, found 0"),
        ("epoch", "0", "expected a number from 1 to 4294967295, found 0"),
        ("epoch", "9", "expected the figures of 8 epochs, counted from 1, found 1"),
        ("first_epoch", "2", "`history`: expected the figures of 0 epochs, counted from 2"),
        ("batch", "4", "expected a number from 0 to 3, found 4"),
        ("updates", "18446744073709551615", "expected a number from 0 to 9007199254740992"),
        ("epoch_samples", "-1", "expected a number, found `-1`"),
        ("setting.rate", "1.5", "expected a rate of dropout, from 0 to 1, found 1.5"),
    ] {
        let mut changed = good.clone();
        *changed.metadata.get_mut(name).unwrap() = value.to_owned();
        says(resume(&folder, &changed), &["changed: `", expected]);
    }
}

#[test]
fn whatever_an_entry_says_nothing_panics() {
    let folder = Folder::new("training-entries");
    let (_, good) = saved(&folder);
    let texts = ["0", "1", "7", "18446744073709551615", "9223372036854775808", "-1", "1e308"];
    for name in good.metadata.keys() {
        for text in texts.iter().chain(&["NaN", "-inf", "", "true", "{}"]) {
            let mut changed = good.clone();
            *changed.metadata.get_mut(name).unwrap() = (*text).to_owned();
            let _ = resume(&folder, &changed);
        }
        let mut changed = good.clone();
        changed.metadata.remove(name);
        let is_optional = name == "epoch_rate";
        assert!(resume(&folder, &changed).is_err() || is_optional, "without `{name}`");
    }
    for i in 0..good.tensors.len() {
        let mut changed = good.clone();
        let removed = changed.tensors.remove(i);
        let is_optional = removed.name.starts_with("netform/");
        assert!(resume(&folder, &changed).is_err() || is_optional, "without `{}`", removed.name);
        let mut changed = good.clone();
        (changed.tensors[i].shape, changed.tensors[i].data) = (vec![2], Values::U8(vec![1, 2]));
        assert!(resume(&folder, &changed).is_err(), "`{}` of other elements", removed.name);
    }
}

#[test]
fn random_damage_to_trainings() {
    let folder = Folder::new("training-random");
    let (good, contents) = saved(&folder);
    survives(&good, 1000, |bytes| fit(&folder.file("changed", bytes), true));
    survives(contents.metadata["history"].as_bytes(), 1000, |bytes| {
        let text = std::str::from_utf8(bytes).map_err(|e| Error::Invalid(e.to_string()))?;
        History::from_json(text)
    });
}
