//! Gradients that are infinite or not a number, of losses that are finite.

use netform::data::{InMemory, MiniBatch};
use netform::dim::D;
use netform::error::{Error, Result};
use netform::loss::Mse;
use netform::network;
use netform::network::Network;
use netform::optim::Sgd;
use netform::random::Seed;
use netform::tensor::Tensor;
use netform::train::{BatchRecord, Callback, Checkpoint, Trainer};
use netform::weights::Weights;

network! {
    /// The length of a vector has no derivative at 0, which is where inputs of 0 are.
    Length: (x: [2]) -> [1] {
        let fc = Linear(2, bias = false);
        let out = Linear(1);
        let y = fc(x);
        out(sqrt(sum(square(y), axis = 0)).reshape([1]))
    }

    /// A place that is left out.
    Open: (x: [2]) -> [1] {
        let mask = Param([2], init = Zeros);
        let out = Linear(1);
        out(softmax(x + mask, axis = -1))
    }

    /// Nothing that could go wrong.
    Plain: (x: [2]) -> [1] { let fc = Linear(1, bias = false); fc(x) }

    /// A loss of which the same is true.
    fn distance(y: [1], target: [1]) -> [] {
        sqrt(sum(square(y - target)))
    }
}

type Data = InMemory<(D<2>,), (D<1>,), f32, f32>;

/// Samples of which one is at 0.
fn data(samples: usize, bad: usize) -> Data {
    let mut inputs: Vec<f32> = (0..2 * samples).map(|i| 1.0 + (i as f32).sin()).collect();
    inputs[2 * bad..2 * bad + 2].fill(0.0);
    Data::new(inputs, vec![0.5; samples]).unwrap()
}

/// Counts batches; ends training after so many.
struct Counting<'c>(&'c mut usize, usize);

impl Callback for Counting<'_> {
    fn on_batch_end(&mut self, _: &BatchRecord) -> Result<()> {
        *self.0 += 1;
        if *self.0 == self.1 { Err(Error::Invalid("no more".to_owned())) } else { Ok(()) }
    }
}

const NEVER: usize = usize::MAX;

#[test]
fn an_update_whose_norm_is_known_is_not_made() {
    let data = data(6, 4);
    for seed in 0..4 {
        for clipped in [true, false] {
            let trainer = || {
                let trainer = Trainer::new(Mse, Sgd::new(0.01)).batch(1).seed(Seed(seed));
                if clipped { trainer.clip_norm(1.0) } else { trainer.gradient_norms() }
            };
            let (mut net, mut good) = (Length::new(Seed(1)), 0);
            let error = { trainer().callback(Counting(&mut good, NEVER)) }
                .fit(&mut net, &data)
                .unwrap_err();
            let Error::UpdateNotFinite { epoch: 1, batch, cause, .. } = &error else {
                panic!("{error}")
            };
            assert_eq!(*batch, good + 1);
            assert!(cause.starts_with("this batch has changed nothing: the "), "{cause}");
            assert!(cause.contains("NaN") || cause.contains("inf"), "{cause}");
            assert!(cause.contains(" of the backward pass: %"), "{cause}");
            let mut other = Length::new(Seed(1));
            if good > 0 {
                let mut count = 0;
                let counting = Counting(&mut count, good);
                { trainer().callback(counting) }.fit(&mut other, &data).unwrap_err();
            }
            assert!(net.to_bytes().unwrap() == other.to_bytes().unwrap(), "{error}");
        }
    }
}

#[test]
fn an_update_that_was_made_is_found_by_what_it_left() {
    let data = data(3, 1);
    let (mut at_the_end, mut before) = (0, 0);
    for seed in 0..8 {
        let mut trainer = Trainer::new(Mse, Sgd::new(0.01)).batch(1).seed(Seed(seed));
        let error = trainer.fit(&mut Length::new(Seed(1)), &data).unwrap_err();
        match &error {
            Error::UpdateNotFinite { epoch: 1, batch: 3, cause, .. } => {
                assert!(cause.starts_with("`fc.weight` has numbers that are infinite"), "{error}");
                at_the_end += 1;
            }
            Error::NotFinite { epoch: 1, batch, cause, .. } => {
                let since = format!(
                    "has a number that is NaN, from an update up to epoch 1, batch {}: ",
                    batch - 1
                );
                assert!(cause.contains(&since), "{error}");
                before += 1;
            }
            other => panic!("{other}"),
        }
    }
    assert!(at_the_end > 0 && before > 0, "{at_the_end} {before}");
}

#[test]
fn what_cannot_go_on_is_not_saved() {
    let file = std::env::temp_dir().join(format!("netform-gradients-{}", std::process::id()));
    let data = data(1, 0);
    let mut trainer = Trainer::new(Mse, Sgd::new(0.01)).autosave_every(1, &file).epochs(2);
    let error = trainer.fit(&mut Length::new(Seed(1)), &data).unwrap_err();
    assert!(matches!(error, Error::UpdateNotFinite { epoch: 1, batch: 1, .. }), "{error}");
    assert!(!file.exists());
    // Nor by a callback.
    let mut trainer =
        Trainer::new(Mse, Sgd::new(0.01)).callback(Checkpoint::every(1, &file)).epochs(2);
    let error = trainer.fit(&mut Length::new(Seed(1)), &data).unwrap_err();
    assert!(matches!(error, Error::UpdateNotFinite { epoch: 1, batch: 1, .. }), "{error}");
    assert!(!file.exists());
}

#[test]
fn a_parameter_that_no_update_changes_is_what_it_is() {
    let mut net = Open::new(Seed(1));
    net.set_parameter("mask", &[f32::NEG_INFINITY, 0.0]).unwrap();
    let trainer = || Trainer::new(Mse, Sgd::new(0.01)).batch(2);
    { trainer().freeze("mask") }.fit(&mut net, &data(6, 4)).unwrap();
    let error = trainer().fit(&mut net, &data(6, 4)).unwrap_err();
    assert!(error.to_string().contains("`mask` has "), "{error}");
}

#[test]
fn a_mask_among_the_parameters_is_named_beside_the_cause() {
    let mut net = Open::new(Seed(1));
    net.set_parameter("mask", &[f32::NEG_INFINITY, 0.0]).unwrap();
    net.set_parameter("out.weight", &[0.0, f32::MAX]).unwrap();
    net.set_parameter("out.bias", &[f32::MAX]).unwrap();
    for frozen in [true, false] {
        let trainer = Trainer::new(Mse, Sgd::new(0.01)).batch(2);
        let mut trainer = if frozen { trainer.freeze("mask") } else { trainer };
        let error = trainer.fit(&mut net, &data(2, 1)).unwrap_err();
        let Error::NotFinite { epoch: 1, batch: 1, cause, .. } = &error else { panic!("{error}") };
        assert!(cause.starts_with("the output of `out` is the first that is inf, in "), "{cause}");
        assert!(cause.ends_with("; before it, `mask` has a number that is -inf"), "{cause}");
    }
}

#[test]
fn the_gradient_of_the_loss_itself_is_named() {
    let inputs = vec![0.0, 0.0, 1.0, 2.0];
    let data = Data::new(inputs, vec![0.0, 0.5]).unwrap();
    let mut trainer = Trainer::new(distance, Sgd::new(0.01)).batch(2).gradient_norms();
    let error = trainer.fit(&mut Plain::new(Seed(1)), &data).unwrap_err().to_string();
    let cause =
        "the gradient of the loss with respect to the network's outputs has a number that is ";
    assert!(error.contains(cause), "{error}");
}

#[test]
fn a_step_tells_by_its_norm() {
    let mut net = Length::new(Seed(1));
    let batch = |x: [f32; 2]| MiniBatch::<(D<2>,), (D<1>,), f32, f32> {
        inputs: Tensor::from_vec(x.to_vec()).unwrap(),
        targets: Tensor::from_vec(vec![0.5]).unwrap(),
    };
    let mut step = net.train_step(Mse, Sgd::new(0.1).momentum(0.9), 1).unwrap().clip_norm(1.0);
    assert!(step.run(&batch([1.0, 2.0])).unwrap().is_finite());
    assert!(step.gradient_norm().is_some_and(|norm| norm > 0.0));
    let before = step.net().to_bytes().unwrap();
    assert!(step.run(&batch([0.0, 0.0])).unwrap().is_finite());
    assert!(step.gradient_norm().is_some_and(|norm| !norm.is_finite()));
    assert!(step.net().to_bytes().unwrap() == before);
    assert!(step.run(&batch([1.0, 2.0])).unwrap().is_finite());
    assert!(step.gradient_norm().is_some_and(f64::is_finite));
    assert!(step.net().to_bytes().unwrap() != before);
}
