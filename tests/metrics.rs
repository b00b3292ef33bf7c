//! Figures beside the loss, against values worked out by hand, and over data sets.

use netform::data::{InMemory, Scaling};
use netform::dim::D;
use netform::error::Error;
use netform::loss::Mse;
use netform::metric::{
    Accuracy, Confusion, F1, Figure, Mae, Metric, R2, Regression, Rmse, TopK, measure,
};
use netform::network;
use netform::optim::Sgd;
use netform::random::Seed;
use netform::train::Trainer;
use netform::weights::Weights;

network! {
    /// Its outputs are its inputs.
    pub Same: [3] -> [3] { fc: Linear(3, bias = false) }
}

/// Rows of outputs whose largest is at `answers`.
fn rows(answers: &[usize]) -> Vec<f32> {
    answers.iter().flat_map(|answer| (0..3).map(move |i| f32::from(i == *answer))).collect()
}

#[test]
fn confusion() {
    let mut confusion = Confusion::new(3);
    // Two batches count as one.
    confusion.add(&rows(&[0, 0, 1, 1]), &[0, 0, 0, 1]).unwrap();
    confusion.add(&rows(&[1, 0]), &[1, 1]).unwrap();
    let counts: Vec<u64> = (0..9).map(|i| confusion.count(i / 3, i % 3)).collect();
    assert_eq!(counts, [2, 1, 0, 1, 2, 0, 0, 0, 0]);
    assert_eq!(confusion.accuracy(), Some(4.0 / 6.0));
    assert_eq!(confusion.precision(0), Some(2.0 / 3.0));
    assert_eq!(confusion.recall(1), Some(2.0 / 3.0));
    assert_eq!(confusion.f1(0), Some(4.0 / 6.0));
    assert_eq!([confusion.precision(2), confusion.recall(2), confusion.f1(2)], [None; 3]);
    assert!((confusion.macro_f1() - 4.0 / 9.0).abs() < 1e-15);
    assert!((confusion.macro_precision() - 4.0 / 9.0).abs() < 1e-15);
    assert!((confusion.macro_recall() - 4.0 / 9.0).abs() < 1e-15);
    assert!(confusion.to_string().contains("precision"), "{confusion}");
    assert_eq!(Confusion::new(3).accuracy(), None);
}

#[test]
fn confusion_of_other_targets() {
    let mut one_hot = Confusion::new(3);
    Metric::<f32, f32>::add(&mut one_hot, &rows(&[0, 2]), &rows(&[0, 1])).unwrap();
    assert_eq!([one_hot.count(0, 0), one_hot.count(1, 2)], [1, 1]);
    // Precision 2 / 3, recall 2 / 2.
    let mut binary = Confusion::binary(0.5);
    binary.add(&[0.9f64, 0.8, 0.7, 0.1], &[1.0, 1.0, 0.0, 0.0]).unwrap();
    assert_eq!(binary.precision(1), Some(2.0 / 3.0));
    assert_eq!(binary.recall(1), Some(1.0));
    assert_eq!(binary.f1(1), Some(0.8));
}

#[test]
fn binary_answers_with_labels() {
    // Answers 1, 0, 1, 0.
    let (outputs, labels) = ([0.9f32, 0.2, 0.7, 0.3], [1u32, 0, 0, 1]);
    let mut accuracy = Accuracy::binary(0.5);
    accuracy.add(&outputs, &labels).unwrap();
    assert_eq!(accuracy.value(), Some(0.5));
    let mut high = Accuracy::binary(0.8);
    high.add(&outputs, &labels).unwrap();
    assert_eq!(high.value(), Some(0.75));
    let mut confusion = Confusion::binary(0.5);
    confusion.add(&outputs, &labels).unwrap();
    let counts: Vec<u64> = (0..4).map(|i| confusion.count(i / 2, i % 2)).collect();
    assert_eq!(counts, [1, 1, 1, 1]);
    let mut f1 = F1::binary(0.8);
    f1.add(&outputs, &labels).unwrap();
    // Precision 1, recall 1 / 2.
    assert_eq!(f1.value(), Some(2.0 / 3.0));
}

#[test]
fn labels_out_of_range() {
    let index = |error| match error {
        Error::IndexOutOfRange { index, size, .. } => (index, size),
        other => panic!("{other}"),
    };
    let two = [0.9f32, 0.2];
    assert_eq!(index(Accuracy::binary(0.5).add(&two, &[1, 2]).unwrap_err()), (2, 2));
    assert_eq!(index(Confusion::binary(0.5).add(&two, &[1, 2]).unwrap_err()), (2, 2));
    assert_eq!(index(Accuracy::new(3).add(&rows(&[0]), &[3]).unwrap_err()), (3, 3));
}

#[test]
fn top_k() {
    let outputs = [0.5f32, 0.3, 0.2, 0.5, 0.3, 0.2, 0.1, 0.1, 0.1, f32::NAN, 0.0, 0.0];
    let accuracy = |k| {
        let mut top = TopK::new(k);
        top.add(&outputs, &[0, 2, 1, 0]).unwrap();
        top.accuracy().unwrap()
    };
    assert_eq!([accuracy(1), accuracy(2), accuracy(3)], [0.25, 0.5, 0.75]);
}

#[test]
fn errors_of_a_regression() {
    let mut errors = Regression::new();
    errors.add(&[1.0f64, 2.0], &[1.0, 3.0]).unwrap();
    errors.add(&[5.0], &[3.0]).unwrap();
    // Errors 0, 1, 2; targets 1, 3, 3 with mean 7 / 3 and squared distances 8 / 3.
    assert_eq!(errors.mae(), Some(1.0));
    assert!((errors.rmse().unwrap() - (5.0f64 / 3.0).sqrt()).abs() < 1e-15);
    assert!((errors.r2().unwrap() - (1.0 - 5.0 * 3.0 / 8.0)).abs() < 1e-14);
    // Far from 0 it is as exact.
    let mut far = Regression::new();
    far.add(&[1e6 + 1.0, 1e6 + 2.0, 1e6 + 5.0], &[1e6 + 1.0, 1e6 + 3.0, 1e6 + 3.0]).unwrap();
    assert!((far.r2().unwrap() - errors.r2().unwrap()).abs() < 1e-8);
    assert_eq!(
        [Regression::new().mae(), Regression::new().rmse(), Regression::new().r2()],
        [None; 3]
    );
}

#[test]
fn a_printed_confusion_says_what_rows_and_columns_are() {
    let mut confusion = Confusion::new(3);
    confusion.add(&rows(&[0, 2, 1]), &[0, 0, 1]).unwrap();
    assert_eq!(
        confusion.to_string(),
        "\
class   samples   precision   recall       f1
0             2      1.0000   0.5000   0.6667
1             1      1.0000   1.0000   1.0000
2             0      0.0000            0.0000

true class \\ taken for   0   1   2
0                        1   0   1
1                        0   1   0
2                        0   0   0
"
    );
    // Names are no part of what was counted, and the sums have no place for them.
    let mut named = Confusion::new(3).named(["setosa", "versicolor"]);
    named.sums().copy_from_slice(confusion.clone().sums());
    assert_eq!((named.accuracy(), &named), (confusion.accuracy(), &confusion));
    let text = named.to_string();
    assert!(text.contains("true class \\ taken for   setosa   versicolor   2\n"), "{text}");
    assert!(text.contains("\nsetosa             2      1.0000"), "{text}");
    assert_eq!(named.names(), ["setosa", "versicolor"]);
}

#[test]
fn errors_are_in_the_units_of_targets_that_were_scaled() {
    // Two outputs with units of their own: the first in steps of 10 about 100, the second in halves about 0.
    let dollars = vec![90.0f64, -0.5, 110.0, 0.5];
    let mut train =
        InMemory::<(D<1>,), (D<2>,), f64, f64>::new(vec![0.0; 2], dollars.clone()).unwrap();
    let scaling = Scaling::standard_targets(&train).unwrap();
    scaling.apply_to(train.targets_mut());
    let outputs = [-1.0, -1.0, 0.5, 0.0];
    let found = [90.0, -0.5, 105.0, 0.0];
    let mut plain = Regression::new();
    plain.add(&found, &dollars).unwrap();
    let mut unscaled = Regression::new().unscaled(&scaling);
    // Two batches count as one.
    unscaled.add(&outputs[..2], &train.targets()[..2]).unwrap();
    unscaled.add(&outputs[2..], &train.targets()[2..]).unwrap();
    assert_eq!([unscaled.mae(), unscaled.rmse()], [plain.mae(), plain.rmse()]);
    assert!((unscaled.r2().unwrap() - plain.r2().unwrap()).abs() < 1e-14);

    // Each number of it, of f32 too, with a scaling of f64; sums of one go on in another.
    let single = |x: &[f64]| x.iter().map(|x| *x as f32).collect::<Vec<f32>>();
    fn both<M: Figure + Metric<f32, f32>>(mut first: M, mut second: M, x: [Vec<f32>; 2]) -> f64 {
        first.add(&x[0], &x[1]).unwrap();
        second.sums().copy_from_slice(first.sums());
        assert_eq!(first.value(), second.value());
        first.value().unwrap()
    }
    let samples = || [single(&outputs), single(train.targets())];
    let mae = both(Mae::new().unscaled(&scaling), Mae::new().unscaled(&scaling), samples());
    assert_eq!(Some(mae), plain.mae());
    let rmse = both(Rmse::new().unscaled(&scaling), Rmse::new().unscaled(&scaling), samples());
    assert_eq!(Some(rmse), plain.rmse());
    let r2 = both(R2::new().unscaled(&scaling), R2::new().unscaled(&scaling), samples());
    assert!((r2 - plain.r2().unwrap()).abs() < 1e-6, "{r2}");

    // What is not of its shape.
    let error = Mae::new().unscaled(&scaling).add(&[1.0f32; 3], &[1.0f32; 3]).unwrap_err();
    let expected = "errors of a regression: expected a multiple of 2, as many numbers as a sample of the scaling has, found 3";
    assert_eq!(error.to_string(), expected);
    let pairs = InMemory::<(D<3>,), (D<3>,), f32, f32>::new(vec![0.5; 6], vec![0.5; 6]).unwrap();
    let net = Same::new(Seed(1));
    let error = measure(&net, &pairs, 2, Mae::new().unscaled(&scaling)).unwrap_err().to_string();
    assert!(error.starts_with("a metric: expected 2 outputs in a row"), "{error}");
}

#[test]
fn a_history_has_errors_in_dollars() {
    let dollars = vec![100.0f32, 5.0, 0.1, 300.0, 9.0, 0.3];
    let mut train = InMemory::<(D<3>,), (D<3>,), f32, f32>::new(vec![0.0; 6], dollars).unwrap();
    let scaling = Scaling::standard_targets(&train).unwrap();
    scaling.apply_to(train.targets_mut());
    let mut net = Same::new(Seed(1));
    let history = Trainer::new(Mse, Sgd::new(0.0))
        .metric("scaled", Mae::new())
        .metric("mae", Mae::new().unscaled(&scaling))
        .fit(&mut net, &train)
        .unwrap();
    let of = |name: &str| history.last().unwrap().metric(name).unwrap().train.unwrap();
    // Answers are the means, from which targets are 100, 2 and 0.1 away.
    assert!((of("mae") - 102.1 / 3.0).abs() < 1e-4, "{}", of("mae"));
    assert!((of("scaled") - 1.0).abs() < 1e-6, "{}", of("scaled"));
    // Of a network with other outputs it is refused before training.
    let two = InMemory::<(D<1>,), (D<2>,), f32, f32>::new(vec![0.0; 2], vec![1.0, 2.0, 3.0, 5.0]);
    let other = Scaling::standard_targets(&two.unwrap()).unwrap();
    let mut trainer = Trainer::new(Mse, Sgd::new(0.0)).metric("mae", Mae::new().unscaled(&other));
    let error = trainer.fit(&mut net, &train).unwrap_err().to_string();
    assert!(error.starts_with("metric `mae`: expected 2 outputs in a row"), "{error}");
}

#[test]
fn over_a_data_set() {
    let mut net = Same::new(Seed(1));
    net.set_parameter("fc.weight", &[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]).unwrap();
    let data = InMemory::<(D<3>,)>::new(rows(&[0, 1, 2, 2, 0]), vec![0, 1, 2, 1, 1]).unwrap();
    for batch in [1, 2, 5, 100] {
        let confusion = measure(&net, &data, batch, Confusion::new(3)).unwrap();
        assert_eq!(confusion.accuracy(), Some(0.6));
        assert_eq!(confusion.count(1, 2), 1);
    }
    let pairs = InMemory::<(D<3>,), (D<3>,), f32, f32>::new(rows(&[0, 1]), rows(&[0, 2])).unwrap();
    let errors = measure(&net, &pairs, 1, Regression::new()).unwrap();
    assert_eq!(errors.mae(), Some(2.0 / 6.0));
    assert_eq!(measure(&net, &pairs, 1, Accuracy::new(3)).unwrap().value(), Some(0.5));
    // Rows of 2 would be cut from 6 outputs and 6 targets, too.
    for error in [
        measure(&net, &pairs, 2, Accuracy::new(2)).unwrap_err(),
        measure(&net, &pairs, 2, Confusion::new(2)).unwrap_err(),
        measure(&net, &pairs, 2, F1::macro_average(2)).unwrap_err(),
    ] {
        assert_eq!(
            error.to_string(),
            "a metric: expected 2 outputs in a row, as many as it was made for, found 3 in each row of the network's outputs"
        );
    }
}

#[test]
fn what_does_not_fit_is_an_error() {
    let error = Confusion::new(3).add(&rows(&[0]), &[3]).unwrap_err();
    assert!(matches!(error, Error::IndexOutOfRange { index: 3, size: 3, .. }), "{error}");
    let error = Confusion::new(4).add(&rows(&[0]), &[3]).unwrap_err().to_string();
    assert_eq!(error, "a confusion matrix: expected 4 outputs for each of 1 targets, found 3");
    assert!(TopK::new(1).add(&rows(&[0]), &[7]).is_err());
    assert!(Regression::new().add(&[1.0f32], &[] as &[f32]).is_err());
}
