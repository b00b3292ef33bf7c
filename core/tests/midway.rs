//! What the files of trainings say of them, so that they go on as they began.

extern crate netform_core as netform;

mod common;

use common::Folder;
use netform_core::data::InMemory;
use netform_core::dim::D;
use netform_core::loss::{Huber, Loss, SmoothL1};
use netform_core::optim::AdamW;
use netform_core::random::Seed;
use netform_core::train::Trainer;
use netform_macros::network;

network! {
    /// A number for a number.
    Line: [1] -> [1] { fc: Linear(1) }

    /// A loss with settings.
    fn weighed(y: [1], target: [1], weights: [f32; 1], power: f32) -> [] {
        sum(weights * abs(y - target)) * power
    }
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
