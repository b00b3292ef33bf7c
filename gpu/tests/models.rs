//! Models on Vulkan: files that the processor has written, and predictions that are the processor's.

extern crate netform_core as netform;

mod common;

use common::{numbers, vulkan};
use netform_core::data::{InMemory, Scaling};
use netform_core::dim::D;
use netform_core::model::{Classifier, Regressor};
use netform_core::random::Seed;
use netform_gpu::Vulkan;
use netform_macros::network;

network! {
    pub Points: [2] -> [3] { fc1: Linear(8), norm: BatchNorm1d, Relu, fc2: Linear(3) }

    pub Tokens: u32[4] -> [2] { emb: Embedding(5, features = 3), Flatten, fc: Linear(2) }
}

const NAMES: [&str; 3] = ["near", "middle", "far"];

#[test]
fn a_model_predicts_the_same_on_both_devices() {
    let Some(vulkan) = vulkan("a_model_predicts_the_same_on_both_devices") else { return };
    let data = InMemory::<(D<2>,)>::new(numbers(2 * 23, 1), vec![0; 23]).unwrap();
    let scaling = Scaling::standard(&data).unwrap();
    let here = Classifier::new(Points::new(Seed(1)), NAMES).unwrap().scaling(scaling);
    let bytes = here.to_bytes().unwrap();
    let there = Classifier::<Points<f32, Vulkan>>::from_bytes(&bytes, vulkan.clone()).unwrap();
    assert_eq!(there.to_bytes().unwrap(), bytes);
    // Two whole batches and a part of one.
    let there = there.batch(10);
    let found = there.predict_data(&data).unwrap();
    assert_eq!(found, there.predict(data.inputs().chunks(2)).unwrap());
    let expected = here.predict_data(&data).unwrap();
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(found.name(), expected.name());
        for (p, q) in found.probabilities().iter().zip(expected.probabilities()) {
            assert!((p - q).abs() < 1e-5, "{found:?} is not {expected:?}");
        }
    }

    let here = Regressor::new(Tokens::new(Seed(1)));
    let there = Regressor::<Tokens<f32, Vulkan>>::from_bytes(&here.to_bytes().unwrap(), vulkan);
    let there = there.unwrap().batch(2);
    let samples = [[0u32, 1, 2, 3], [4, 4, 4, 4], [1, 1, 1, 1]];
    let (found, expected) = (there.predict(samples).unwrap(), here.predict(samples).unwrap());
    for (found, expected) in found.concat().iter().zip(expected.concat()) {
        assert!((found - expected).abs() < 1e-5, "{found} is not {expected}");
    }
    let error = there.predict([[0u32, 1, 2, 5]]).unwrap_err().to_string();
    assert!(error.contains("index 5 is out of range"), "{error}");
}
