//! Labels that are no classes, and other targets that a loss does not take, are found before they reach a step, and named
//! by their sample; and so are networks and data that the loss is not for.

use netform::cpu::Cpu;
use netform::data::{Dataset, InMemory};
use netform::dim::D;
use netform::element::Element;
use netform::error::Error;
use netform::loss::{Bce, BceWithLogits, CrossEntropy, Hinge, Loss, Mse, Nll};
use netform::network;
use netform::network::Network;
use netform::optim::Sgd;
use netform::random::Seed;
use netform::shape::SampleShape;
use netform::train::{Trainer, evaluate};
use netform::weights::Weights;

network! {
    Net: [2] -> [3] { fc: Linear(3) }

    /// A network of one output.
    One: [2] -> [1] { fc: Linear(1) }

    /// A class at each of two places.
    Places: [2, 4] -> [2, 3] { fc: Linear(3), LogSoftmax }

    Two: [2] -> [2] { fc: Linear(2) }
    Side: [2] -> [1] { fc: Linear(1), Sigmoid }
    Shares: [2] -> [2] { fc: Linear(2), Softmax }
    Called: (x: [2]) -> [2] { let fc = Linear(2); softmax(fc(x)) }
    Logarithms: [2] -> [2] { fc: Linear(2), LogSoftmax }
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
    let label = "the label of sample 6 of the training set (counted from 0): index 7 is out of range: there are 3 classes, one for each output of the network (labels count from 0), from 0 to 2";
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

/// Samples with targets of shape `Y`.
fn samples<Y: SampleShape, T: Element>(targets: &[T]) -> InMemory<(D<2>,), Y, f32, T> {
    InMemory::new(vec![0.5; 2 * targets.len() / Y::NUMEL], targets.to_vec()).unwrap()
}

/// The errors of training on data, of validating on them beside `good` ones, and of evaluating.
fn errors<N, L, Y, T>(
    mut net: N,
    loss: L,
    data: &InMemory<(D<2>,), Y, f32, T>,
    good: &InMemory<(D<2>,), Y, f32, T>,
) -> [String; 3]
where
    N: Network<Input = (D<2>,), InputElement = f32, Device = Cpu>,
    L: Loss<N::Elem, N::Output, Y, T> + Clone,
    Y: SampleShape,
    T: Element,
{
    let before = net.to_bytes().unwrap();
    let trainer = || Trainer::new(loss.clone(), Sgd::new(0.1)).batch(8).epochs(2);
    let trained = trainer().fit(&mut net, data).unwrap_err().to_string();
    assert!(net.to_bytes().unwrap() == before, "{trained}");
    let validated = trainer().validate(data).fit(&mut net, good).unwrap_err().to_string();
    let evaluated = evaluate(&net, &loss, data, 8).unwrap_err().to_string();
    [trained, validated, evaluated]
}

#[test]
fn numbers_that_a_loss_is_not_for_are_named() {
    let bad = samples::<(D<1>,), f32>(&[0.0, 1.0, 2.0, 0.0]);
    let good = samples::<(D<1>,), f32>(&[0.0, 1.0, 1.0, 0.0]);
    let [trained, validated, evaluated] = errors(One::new(Seed(1)), BceWithLogits, &bad, &good);
    assert_eq!(
        trained,
        "the target of sample 2 of the training set (counted from 0) is 2; binary cross entropy takes numbers from 0 to 1; `Mse` is for other numbers, and a table's `ordinal` makes 0 and 1 of two words"
    );
    assert!(validated.starts_with("the target of sample 2 of the validation set"), "{validated}");
    assert!(evaluated.starts_with("the target of sample 2 of the data set"), "{evaluated}");
    let nan = samples::<(D<1>,), f32>(&[0.0, f32::NAN]);
    for error in errors(Side::new(Seed(1)), Bce, &nan, &good) {
        assert!(error.contains("of sample 1 of the") && error.contains(" is NaN; "), "{error}");
    }
    let signs = samples::<(D<1>,), f32>(&[-1.0, 1.0]);
    for error in errors(One::new(Seed(1)), Hinge, &good, &signs) {
        assert!(error.contains("is 0; `Hinge` takes -1 and 1"), "{error}");
    }
    // Other losses take them.
    assert!(evaluate(&One::new(Seed(1)), &Mse, &bad, 8).is_ok());
    assert!(evaluate(&One::new(Seed(1)), &Hinge, &signs, 8).is_ok());
}

#[test]
fn rows_that_are_no_probabilities_are_named() {
    let good = samples::<(D<2>,), f32>(&[0.0, 1.0, 0.25, 0.75]);
    let both = samples::<(D<2>,), f32>(&[0.0, 1.0, 1.0, 1.0]);
    let [trained, ..] = errors(Two::new(Seed(1)), CrossEntropy, &both, &good);
    assert_eq!(
        trained,
        "the targets of sample 1 of the training set (counted from 0) add up to 2.0000; `CrossEntropy` takes probabilities, which are not negative and add up to 1 in each row, or are all 0 where a row does not count: one-hot rows, or labels (`u32`); `.weights(..)` is for classes that count more"
    );
    let negative = samples::<(D<2>,), f32>(&[0.0, 1.0, 1.5, -0.5]);
    for error in errors(Two::new(Seed(1)), CrossEntropy.smoothing(0.1), &negative, &good) {
        assert!(error.starts_with("target 1 of sample 1 of the"), "{error}");
        assert!(error.contains(" is -0.5; `CrossEntropy` takes probabilities"), "{error}");
    }
}

#[test]
fn a_network_that_ends_in_what_the_loss_does_not_take_is_refused() {
    let labels = samples::<(), u32>(&[0, 1]);
    for error in errors(Shares::new(Seed(1)), CrossEntropy, &labels, &labels) {
        assert_eq!(
            error,
            "network `Shares` ends in `Softmax`, and `CrossEntropy` takes logits, of which it makes probabilities itself: leave the last layer out; a `Classifier`, or `softmax` of the outputs, gives probabilities afterwards"
        );
    }
    for error in errors(Called::new(Seed(1)), CrossEntropy.weights([1.0, 2.0]), &labels, &labels) {
        let start = "network `Called` ends in probabilities, `softmax(..)` or `sigmoid(..)`, and `CrossEntropy` takes";
        assert!(error.starts_with(start), "{error}");
    }
    for error in errors(Shares::new(Seed(1)), Nll, &labels, &labels) {
        assert!(
            error.contains("`Nll` takes logarithms of probabilities: write `LogSoftmax`"),
            "{error}"
        );
    }
    let sides = samples::<(D<1>,), f32>(&[0.0, 1.0]);
    for error in errors(Side::new(Seed(1)), BceWithLogits, &sides, &sides) {
        assert!(
            error.starts_with("network `Side` ends in `Sigmoid`, and `BceWithLogits`"),
            "{error}"
        );
        assert!(error.contains("train probabilities with `Bce`"), "{error}");
    }
    // What is right, or does no harm.
    assert!(evaluate(&Side::new(Seed(1)), &Bce, &sides, 8).is_ok());
    assert!(evaluate(&Logarithms::new(Seed(1)), &CrossEntropy, &labels, 8).is_ok());
    assert!(evaluate(&Logarithms::new(Seed(1)), &Nll, &labels, 8).is_ok());
    let rows = samples::<(D<2>,), f32>(&[0.0, 1.0]);
    assert!(evaluate(&Shares::new(Seed(1)), &Mse, &rows, 8).is_ok());
}

#[test]
fn there_is_an_output_for_each_class_that_the_data_name() {
    let named = |names: &[&str]| {
        let names = names.iter().map(|&name| name.to_owned()).collect();
        samples::<(), u32>(&[0, 1, 0]).with_class_names(names)
    };
    let good = samples::<(), u32>(&[0, 1, 2]);
    let [trained, validated, evaluated] =
        errors(Net::new(Seed(1)), CrossEntropy, &named(&["red", "green", "blue", "grey"]), &good);
    assert_eq!(
        trained,
        "the outputs of network `Net` for the classes of the training set: expected 4 of them, for `red`, `green`, `blue`, `grey`, as `Linear(4)` at the end of the network has, or data without names, `with_class_names(vec![])`, found 3"
    );
    assert!(validated.contains("the classes of the validation set"), "{validated}");
    assert!(evaluated.contains("the classes of the data set"), "{evaluated}");
    for error in errors(Net::new(Seed(1)), CrossEntropy, &named(&["red", "green"]), &good) {
        assert!(error.contains("expected 2 of them, for `red`, `green`,"), "{error}");
    }
    assert!(evaluate(&Net::new(Seed(1)), &CrossEntropy, &named(&["a", "b", "c"]), 8).is_ok());
}
