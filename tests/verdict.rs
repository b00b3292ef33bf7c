//! The verdict on real trainings: that a network is better than one constant answer, and that its validation samples are
//! scaled as its training samples are.

use netform::data::{Dataset, InMemory};
use netform::dim::D;
use netform::loss::{BceWithLogits, CrossEntropy, L1, Mse};
use netform::optim::Adam;
use netform::random::Seed;
use netform::report::{Report, Verdict};
use netform::train::{History, Trainer};

netform::network! {
    /// Large enough to learn some samples by heart.
    Hidden: [2] -> [2] { fc1: Linear(32), Tanh, fc2: Linear(2) }

    Number: [2] -> [1] { fc: Linear(1) }

    Pair: [2] -> [2] { fc: Linear(2) }
}

/// Points left and right of a line; one of ten is on the wrong side.
fn points() -> InMemory<(D<2>,), (D<1>,), f32, f32> {
    let mut rng = netform::random::Rng::new(Seed(3), 0);
    let values: Vec<f32> = (0..200).map(|_| rng.uniform() as f32 - 0.5).collect();
    let side = |(i, point): (usize, &[f32])| f32::from((point[0] > 0.0) != (i % 10 == 0));
    let targets = values.chunks(2).enumerate().map(side).collect();
    InMemory::new(values, targets).unwrap()
}

/// So many points, with labels by `label` of the point and of a number between 0 and 1 that has nothing to do with it.
fn labelled(seed: u64, n: usize, label: fn(&[f32], f64) -> bool) -> InMemory<(D<2>,)> {
    let mut rng = netform::random::Rng::new(Seed(seed), 0);
    let points: Vec<f32> = (0..2 * n).map(|_| rng.normal() as f32).collect();
    let labels = points.chunks(2).map(|point| label(point, rng.uniform()).into()).collect();
    InMemory::new(points, labels).unwrap()
}

#[test]
fn a_network_that_learns_nothing_is_no_better_than_a_constant() {
    let train = |label| {
        let (train, test) = (labelled(1, 200, label), labelled(2, 200, label));
        let mut trainer = Trainer::new(CrossEntropy, Adam::new(0.01)).epochs(20).validate(&test);
        trainer.fit(&mut Hidden::new(Seed(1)), &train).unwrap()
    };
    let random = train(|_, chance| chance < 0.7);
    let constant = random.constant_loss.unwrap();
    // The entropy of the shares among the validation samples.
    assert!((0.55..0.66).contains(&constant), "{constant}");
    let found = Verdict::of(&random);
    assert!(matches!(found, Verdict::NoBetter { validated: true, .. }), "{found}: {random}");
    let html = Report::new(&random).html().unwrap();
    assert!(
        html.contains("<section class=\"verdict warn\">\n<h2>No better than a constant"),
        "{html}"
    );
    assert_eq!(History::from_json(&random.to_json()).unwrap(), random);

    let learned = train(|point, _| point[0] > 0.0);
    assert!(
        (learned.constant_loss.unwrap() - 2f64.ln()).abs() < 0.02,
        "{:?}",
        learned.constant_loss
    );
    let found = Verdict::of(&learned);
    assert!(
        matches!(found, Verdict::Settled { .. } | Verdict::Improving { .. }),
        "{found}: {learned}"
    );
}

#[test]
fn the_constant_answer_is_that_of_the_loss_and_its_targets() {
    let data = points();
    let targets: Vec<f64> = data.targets().iter().map(|&target| f64::from(target)).collect();
    let mean = targets.iter().sum::<f64>() / targets.len() as f64;
    let variance = mean - mean * mean;
    let entropy = -mean * mean.ln() - (1.0 - mean) * (1.0 - mean).ln();
    let close = |found: Option<f64>, expected: f64| {
        assert!(found.is_some_and(|x| (x - expected).abs() < 1e-9), "{found:?}, {expected}");
    };
    let adam = || Adam::new(0.01);
    let net = || Number::new(Seed(1));
    // Of the training samples where there are no others, whatever the batches are.
    close(
        Trainer::new(Mse, adam()).batch(7).fit(&mut net(), &data).unwrap().constant_loss,
        variance,
    );
    let mut trainer = Trainer::new(BceWithLogits, adam()).batch(7).epochs(3);
    close(trainer.fit(&mut net(), &data).unwrap().constant_loss, entropy);
    let test = data.clone().take(10).to_memory().unwrap();
    let ones = test.targets().iter().filter(|&&target| target == 1.0).count() as f64 / 10.0;
    let mut trainer = Trainer::new(Mse, adam()).batch(7).epochs(3).validate(&test);
    close(trainer.fit(&mut net(), &data).unwrap().constant_loss, ones - ones * ones);
    // Nobody knows it of others.
    assert_eq!(Trainer::new(L1, adam()).fit(&mut net(), &data).unwrap().constant_loss, None);
}

#[test]
fn validation_inputs_that_are_not_scaled_are_asked_about() {
    let (train, test) = (labelled(1, 200, |x, _| x[0] > 0.0), labelled(2, 200, |x, _| x[0] > 0.1));
    let unscaled = test.map(|x, _| x.iter_mut().for_each(|x| *x = 60.0 * *x + 400.0));
    let mut trainer = Trainer::new(CrossEntropy, Adam::new(0.02)).epochs(20).validate(&unscaled);
    let history = trainer.fit(&mut Pair::new(Seed(1)), &train).unwrap();
    let found = Verdict::of(&history).to_string();
    assert!(found.contains("see that the validation inputs are scaled as"), "{found}: {history}");
}
