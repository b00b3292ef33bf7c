//! What must be an error, and never a panic or a wrong result: sizes beyond memory, exchanged parts, losses
//! that are not finite.

use netform::Error;
use netform::prelude::*;

network! {
    /// A small classifier.
    pub Net: [3] -> [2] {
        fc1: Linear(5), Tanh,
        fc2: Linear(2),
    }
}

network! {
    /// All products of three elements, without the middle one.
    pub Cubes<T>: (x: [T]) -> [T, T, T] {
        broadcast(x.reshape([T, 1, 1]), [T, T, 1]) @ broadcast(x.reshape([1, T]), [T, 1, T])
    }
    /// As one number.
    fn cubes<T>(x: [T], i: u32[]) -> [] {
        sum(broadcast(x.reshape([T, 1, 1]), [T, T, 1]) @ broadcast(x.reshape([1, T]), [T, 1, T])) * gather(x, i)
    }
}

const HUGE: usize = (1 << 62) + 1;

fn data(first: f32) -> InMemory<(D<3>,)> {
    let mut inputs: Vec<f32> = (0..36).map(|i| (i * 7 % 11) as f32 / 5.0 - 1.0).collect();
    inputs[0] = first;
    InMemory::new(inputs, (0..12).map(|i| i % 2).collect()).unwrap()
}

/// A batch whose number of elements wraps around has no memory of its own to read beyond.
#[test]
fn sizes_beyond_memory_are_errors() {
    let tensor = Tensor::<(Batch, D<4>)>::zeros_on(Cpu::default(), (Batch(HUGE), D));
    assert!(matches!(tensor, Err(Error::OutOfMemory { .. })));
    let mut tensor = Tensor::<(Batch, D<4>)>::from_vec(vec![0.0; 4]).unwrap();
    assert!(tensor.set_batch(HUGE).is_err());
    assert_eq!(tensor.batch(), 1);

    let mut net = Net::new(Seed(1));
    for batch in [HUGE, (1 << 60) + 1, usize::MAX] {
        let step = net.train_step::<_, _, (), u32>(CrossEntropy, Adam::new(1e-3), batch);
        assert!(matches!(step, Err(Error::OutOfMemory { .. })), "a step for {batch} samples");
        assert!(matches!(net.predictor(batch), Err(Error::OutOfMemory { .. })));
    }
    assert!(net.predictor(0).is_err());
}

/// Lengths whose product is more than a `usize` holds, and batches of what memory cannot hold.
#[test]
fn lengths_beyond_memory_are_errors() {
    let net = Cubes::<Len>::new(Seed(1));
    let zeros =
        |batch, len| Tensor::<_>::zeros_on(Cpu::default(), (Batch(batch), Len(len))).unwrap();
    assert_eq!(net.forward(&zeros(1, 2)).unwrap().to_vec(), [0.0; 8]);
    let long = zeros(1, 1 << 22);
    let said = "is [4194304, 4194304, 4194304], more elements than memory can hold";
    for error in [net.forward(&long).err(), net.vjp(&long, &zeros_of_cube()).err()] {
        let error = error.unwrap().to_string();
        assert!(error.contains(said), "{error}");
    }
    let many = net.forward(&zeros(100, 9998));
    assert!(matches!(many, Err(Error::OutOfMemory { .. })), "{many:?}");
    let long = Tensor::<_>::zeros_on(Cpu::default(), (Len(1 << 22),)).unwrap();
    let error = cubes(&long, &Tensor::scalar(0_u32)).unwrap_err().to_string();
    assert!(error.contains(said), "{error}");
}

fn zeros_of_cube() -> Tensor<(Batch, Len, Len, Len)> {
    Tensor::zeros_on(Cpu::default(), (Batch(1), Len(1), Len(1), Len(1))).unwrap()
}

#[test]
fn an_exchanged_optimiser_is_an_error() {
    let mut net = Net::new(Seed(1));
    let train = data(0.5);
    let batch = train.batches_in_order(12).next().unwrap().unwrap();
    let mut step = net.train_step(CrossEntropy, Sgd::new(0.1), 12).unwrap();
    step.run(&batch).unwrap();
    *step.optimizer_mut() = Sgd::new(0.1).momentum(0.9);
    let message = step.run(&batch).unwrap_err().to_string();
    assert!(message.contains("another optimiser"), "{message}");
}

#[test]
fn a_loss_that_is_not_finite_changes_nothing() {
    let mut net = Net::new(Seed(1));
    let before = net.to_bytes().unwrap();
    let mut trainer = Trainer::new(CrossEntropy, Adam::new(1e-2)).epochs(2).batch(12);
    let error = trainer.fit(&mut net, &data(f32::NAN)).unwrap_err();
    assert!(matches!(error, Error::NotFinite { epoch: 1, batch: 1, .. }), "{error}");
    assert_eq!(net.to_bytes().unwrap(), before);
    // The optimiser's state is as good as before, too.
    let history = trainer.fit(&mut net, &data(0.5)).unwrap();
    assert!(history.epochs.iter().all(|epoch| epoch.train_loss.is_finite()));
}

#[test]
fn a_validation_loss_that_is_not_finite_stops_training() {
    let mut net = Net::new(Seed(1));
    let broken = data(f32::NAN);
    let error = Trainer::new(CrossEntropy, Adam::new(1e-2))
        .epochs(3)
        .validate(&broken)
        .fit(&mut net, &data(0.5))
        .unwrap_err();
    assert!(matches!(error, Error::ValidationNotFinite { epoch: 1, .. }), "{error}");
}

/// The best weights of one network are never put into another.
#[test]
fn a_trainer_stays_with_its_network() {
    let train = data(0.5);
    let (mut first, mut second) = (Net::new(Seed(1)), Net::new(Seed(2)));
    let mut trainer =
        Trainer::new(CrossEntropy, Adam::new(1e-2)).epochs(2).callback(EarlyStopping::patience(5));
    trainer.fit(&mut first, &train).unwrap();
    let before = second.to_bytes().unwrap();
    let message = trainer.fit(&mut second, &train).unwrap_err().to_string();
    assert!(message.contains("a new Trainer can"), "{message}");
    assert_eq!(second.to_bytes().unwrap(), before);
    trainer.fit(&mut first, &train).unwrap();
}

#[test]
fn a_label_out_of_range_is_named_with_its_sample() {
    let mut net = Net::new(Seed(1));
    let train = InMemory::<(D<3>,)>::new(vec![0.5; 9], vec![0, 1, 2]).unwrap();
    let mut trainer = Trainer::new(CrossEntropy, Sgd::new(0.1)).batch(3);
    let message = trainer.fit(&mut net, &train).unwrap_err().to_string();
    assert!(message.contains("sample 2 of the training set"), "{message}");
    assert!(message.contains("index 2 is out of range: there are 2 classes"), "{message}");
}

#[test]
fn a_counter_of_batches_that_no_layer_has_is_an_extra_tensor() {
    use netform::io::safetensors::{self, NamedTensor, Values};
    let mut net = Net::new(Seed(1));
    let mut contents = safetensors::from_bytes(&net.to_bytes().unwrap(), "memory").unwrap();
    contents.tensors.push(NamedTensor {
        name: "foo.num_batches_tracked".to_owned(),
        shape: vec![],
        data: Values::F32(vec![1.0]),
    });
    let bytes = safetensors::to_bytes(&contents.tensors, &contents.metadata).unwrap();
    let message = net.load_bytes(&bytes).unwrap_err().to_string();
    assert!(message.contains("`foo.num_batches_tracked` is not a tensor"), "{message}");
}

#[test]
fn a_missing_folder_is_found_before_training() {
    let mut net = Net::new(Seed(1));
    let before = net.to_bytes().unwrap();
    let result = Trainer::new(CrossEntropy, Sgd::new(0.1))
        .callback(Checkpoint::best("no such folder/net.safetensors"))
        .fit(&mut net, &data(0.5));
    assert!(result.is_err());
    assert_eq!(net.to_bytes().unwrap(), before);
}

#[test]
fn threads_are_bounded() {
    assert_eq!(Cpu::with_threads(0).threads(), 1);
    assert!(Cpu::with_threads(usize::MAX).threads() <= 1024);
}

network! {
    /// The larger and the smaller of two numbers, and the largest.
    pub Extremes: (x: [2]) -> ([], [], []) {
        (max(x[0], x[1]), min(x[0], x[1]), max(x))
    }
}

/// PyTorch's rule: an activation or a pooling that lost its NaNs would hide that a training diverged.
#[test]
fn a_maximum_does_not_hide_what_is_not_a_number() {
    let net = Extremes::new(Seed(1));
    for values in [[f32::NAN, 1.0], [1.0, f32::NAN]] {
        let x = Tensor::<(Batch, D<2>)>::from_vec(values.to_vec()).unwrap();
        let (larger, smaller, largest) = net.forward(&x).unwrap();
        for found in [larger, smaller, largest] {
            assert!(found.to_vec()[0].is_nan(), "{values:?} {found:?}");
        }
    }
}
