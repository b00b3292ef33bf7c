//! A device that is lost while it is used: whatever is asked of it from then on is an error that says so, nothing waits
//! for ever, and a device made afterwards works. No driver loses a device on demand, so its answers are put in its place.

extern crate netform_core as netform;

mod common;

use common::{numbers, vulkan};
use netform_core::data::{InMemory, MiniBatch};
use netform_core::dim::D;
use netform_core::error::{Error, Result};
use netform_core::loss::CrossEntropy;
use netform_core::module::Module;
use netform_core::network::Network;
use netform_core::optim::Adam;
use netform_core::random::Seed;
use netform_core::train::{BatchRecord, Callback, EarlyStopping, Trainer};
use netform_gpu::Vulkan;
use netform_macros::network;

network! {
    Small: [6] -> [3] { fc1: Linear(16), norm: BatchNorm1d, Relu, fc2: Linear(3) }
}

type Net = Small<f32, Vulkan>;

/// A device that no other test uses.
fn own_device(test: &str) -> Option<Vulkan> {
    vulkan(test).map(|_| Vulkan::new().unwrap())
}

fn data() -> InMemory<(D<6>,)> {
    let inputs = numbers(24 * 6, 50);
    let labels = inputs.chunks(6).map(|x| u32::from(x[0] > 0.0) + u32::from(x[1] > 0.3)).collect();
    InMemory::new(inputs, labels).unwrap()
}

fn is_loss<T>(result: Result<T>) {
    match result.map(drop).unwrap_err() {
        Error::Device { problem, .. } => {
            assert!(problem.starts_with("the device is lost: "), "{problem}");
            assert!(problem.ends_with("; a new `Vulkan` may find it again"), "{problem}");
        }
        other => panic!("{other}"),
    }
}

/// What the device held cannot be had, nor anything new be put there.
fn nothing_works(device: &Vulkan, net: &Net) {
    let mut params = vec![0.0; Net::PARAM_LEN];
    is_loss(netform::device::Memory::read(device, &net.store().params, 0, &mut params));
    is_loss(Net::on(device.clone(), Seed(4)));
    is_loss(MiniBatch::<(D<6>,), (), f32, u32, _>::zeros_on(device.clone(), 8));
}

#[test]
fn a_submission_that_loses_the_device() {
    let Some(device) = own_device("a_submission_that_loses_the_device") else { return };
    let mut net = Net::on(device.clone(), Seed(3)).unwrap();
    let batch = MiniBatch::<(D<6>,), (), f32, u32, _>::zeros_on(device.clone(), 8).unwrap();
    let mut step = net.train_step(CrossEntropy, Adam::new(1e-3), 8).unwrap();
    step.run(&batch).unwrap();
    step.submit(&batch).unwrap();
    device.lose(false);
    is_loss(step.submit(&batch));
    is_loss(step.run(&batch));
    drop(step);
    nothing_works(&device, &net);
    let mut again = Net::on(Vulkan::new().unwrap(), Seed(3)).unwrap();
    Trainer::new(CrossEntropy, Adam::new(1e-3)).batch(8).fit(&mut again, &data()).unwrap();
}

#[test]
fn a_wait_that_finds_the_device_lost() {
    let Some(device) = own_device("a_wait_that_finds_the_device_lost") else { return };
    let mut net = Net::on(device.clone(), Seed(3)).unwrap();
    let batch = MiniBatch::<(D<6>,), (), f32, u32, _>::zeros_on(device.clone(), 8).unwrap();
    let mut step = net.train_step(CrossEntropy, Adam::new(1e-3), 8).unwrap();
    step.submit(&batch).unwrap();
    step.submit(&batch).unwrap();
    device.lose(true);
    is_loss(step.receive());
    is_loss(step.run(&batch));
    drop(step);
    nothing_works(&device, &net);
}

/// Loses the device after a batch of an epoch.
struct Losing(Vulkan, [usize; 2]);

impl Callback for Losing {
    fn on_batch_end(&mut self, batch: &BatchRecord) -> Result<()> {
        if [batch.epoch, batch.batch] == self.1 {
            self.0.lose(true);
        }
        Ok(())
    }
}

#[test]
fn a_training_that_loses_the_device_between_batches() {
    let test = "a_training_that_loses_the_device_between_batches";
    // In the second epoch there are best weights, which cannot be put back.
    for epoch in [1, 2] {
        let Some(device) = own_device(test) else { return };
        let mut net = Net::on(device.clone(), Seed(3)).unwrap();
        let mut stopping = EarlyStopping::patience(3);
        let mut trainer = Trainer::new(CrossEntropy, Adam::new(1e-3))
            .batch(8)
            .epochs(4)
            .callback(Losing(device.clone(), [epoch, 2]))
            .callback(&mut stopping);
        is_loss(trainer.fit(&mut net, &data()));
        drop(trainer);
        assert_eq!(stopping.best_epoch(), (epoch > 1).then_some(1));
        nothing_works(&device, &net);
    }
}

#[test]
fn training_and_inference_end_with_the_loss() {
    let Some(device) = own_device("training_and_inference_end_with_the_loss") else { return };
    let mut net = Net::on(device.clone(), Seed(3)).unwrap();
    let mut trainer = Trainer::new(CrossEntropy, Adam::new(1e-3)).batch(8).epochs(2);
    trainer.fit(&mut net, &data()).unwrap();
    let batch = MiniBatch::<(D<6>,), (), f32, u32, _>::zeros_on(device.clone(), 8).unwrap();
    let mut predictor = net.predictor(8).unwrap();
    predictor.run(&batch.inputs).unwrap();
    device.lose(true);
    is_loss(predictor.run(&batch.inputs));
    is_loss(net.predictor(8));
    is_loss(trainer.fit(&mut net, &data()));
    let again = own_device("training_and_inference_end_with_the_loss").unwrap();
    assert!(Net::on(again, Seed(3)).unwrap().predictor(8).is_ok());
    nothing_works(&device, &net);
}
