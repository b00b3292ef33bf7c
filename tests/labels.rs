//! Labels that are no classes are found before they reach a step, and named by their sample.

use netform::data::{Dataset, InMemory};
use netform::dim::D;
use netform::error::Error;
use netform::loss::{CrossEntropy, Nll};
use netform::network;
use netform::optim::Sgd;
use netform::random::Seed;
use netform::train::{Trainer, evaluate};
use netform::weights::Weights;

network! {
    Net: [2] -> [3] { fc: Linear(3) }

    /// A network of one output.
    One: [2] -> [1] { fc: Linear(1) }

    /// A class at each of two places.
    Places: [2, 4] -> [2, 3] { fc: Linear(3), LogSoftmax }
}

fn data(labels: &[u32]) -> InMemory<(D<2>,)> {
    InMemory::new(vec![0.5; 2 * labels.len()], labels.to_vec()).unwrap()
}

#[test]
fn the_sample_is_named() {
    let mut net = Net::new(Seed(1));
    let good = data(&[0, 1, 2, 0, 1]);
    let bad = data(&[0, 1, 2, 0, 1, 2, 7, 0]);
    let trainer = || Trainer::new(CrossEntropy, Sgd::new(0.1)).batch(2).epochs(2);
    let error = trainer().fit(&mut net, &bad).unwrap_err();
    assert!(matches!(error, Error::IndexOutOfRange { index: 7, size: 3, .. }));
    let label = "the label of sample 6 of the training set (counted from 0): index 7 is out of range: there are 3 classes";
    assert!(error.to_string().starts_with(label), "{error}");
    // In the numbers of the data set that is trained on.
    let error = trainer().fit(&mut net, &(&bad).skip(4)).unwrap_err().to_string();
    assert!(error.starts_with("the label of sample 2 of the training set"), "{error}");
    let error = trainer().validate(&bad).fit(&mut net, &good).unwrap_err().to_string();
    assert!(error.starts_with("the label of sample 6 of the validation set"), "{error}");
    let before = net.to_bytes().unwrap();
    let error = evaluate(&net, &CrossEntropy, &bad, 3).unwrap_err().to_string();
    assert!(error.contains("the label of sample 6 of"), "{error}");
    assert!(net.to_bytes().unwrap() == before);
    assert!(trainer().validate(&good).fit(&mut net, &good).is_ok());
}

#[test]
fn the_place_in_the_sample_is_named() {
    let labels = vec![0, 1, 2, 0, 1, 3];
    let data = InMemory::<(D<2>, D<4>), (D<2>,)>::new(vec![0.5; 24], labels).unwrap();
    let mut trainer = Trainer::new(Nll, Sgd::new(0.1)).batch(3);
    let error = trainer.fit(&mut Places::new(Seed(1)), &data).unwrap_err().to_string();
    assert!(
        error.starts_with("label 1 of sample 2 of the training set (counted from 0)"),
        "{error}"
    );
}

#[test]
fn one_output_tells_no_classes_apart() {
    let expected =
        "`CrossEntropy` tells classes apart, found one output; expected one for each class";
    let mut trainer = Trainer::new(CrossEntropy, Sgd::new(0.1));
    let error = trainer.fit(&mut One::new(Seed(1)), &data(&[0, 0])).unwrap_err().to_string();
    assert!(error.starts_with(expected), "{error}");
    let numbers =
        InMemory::<(D<2>,), (D<1>,), f32, f32>::new(vec![0.5; 4], vec![0.0, 1.0]).unwrap();
    let error = trainer.fit(&mut One::new(Seed(1)), &numbers).unwrap_err().to_string();
    assert!(error.starts_with(expected) && error.contains("`BceWithLogits`"), "{error}");
    let error = evaluate(&One::new(Seed(1)), &CrossEntropy, &numbers, 2).unwrap_err().to_string();
    assert!(error.starts_with(expected), "{error}");
}
