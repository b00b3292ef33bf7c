//! Reports of trained networks: what their outputs and targets are taken for, and how large a page becomes.

use netform::cpu::Cpu;
use netform::data::{Dataset, InMemory};
use netform::dim::D;
use netform::loss::{Bce, BceWithLogits, CrossEntropy, L1, Mse};
use netform::metric::Confusion;
use netform::model::Outputs;
use netform::network::Network;
use netform::optim::Adam;
use netform::random::Seed;
use netform::report::{Report, Verdict};
use netform::train::{History, Trainer, evaluate};

netform::network! {
    /// Ends in probabilities.
    Side: (x: [2]) -> [1] { let fc = Linear(1); sigmoid(fc(x)) }

    /// Ends in probabilities that its last operation does not tell of.
    Other: (x: [2]) -> [1] { let fc = Linear(1); 1 - sigmoid(fc(x)) }

    Labels: [2] -> [3] { fc: Linear(3) }

    /// Large enough to learn some samples by heart.
    Hidden: [2] -> [2] { fc1: Linear(32), Tanh, fc2: Linear(2) }

    Number: [2] -> [1] { fc: Linear(1) }

    Pair: [2] -> [2] { fc: Linear(2) }

    Tokens: [1] -> [5000] { fc: Linear(5000) }

    Pictures: [3, 300, 200] -> [2] { AvgPool2d(50), Flatten, fc: Linear(2) }
}

/// Points left and right of a line; one of ten is on the wrong side.
fn points() -> InMemory<(D<2>,), (D<1>,), f32, f32> {
    let mut rng = netform::random::Rng::new(Seed(3), 0);
    let values: Vec<f32> = (0..200).map(|_| rng.uniform() as f32 - 0.5).collect();
    let side = |(i, point): (usize, &[f32])| f32::from((point[0] > 0.0) != (i % 10 == 0));
    let targets = values.chunks(2).enumerate().map(side).collect();
    InMemory::new(values, targets).unwrap()
}

/// The history of a training, and what a page says of the trained network.
fn trained<N>(net: &mut N, data: &InMemory<(D<2>,), (D<1>,), f32, f32>) -> (History, String)
where
    N: Network<Elem = f32, Input = (D<2>,), InputElement = f32, Output = (D<1>,), Device = Cpu>,
{
    let mut trainer = Trainer::new(Bce, Adam::new(0.1)).epochs(20).batch(20);
    let history = trainer.fit(net, data).unwrap();
    let accuracy = evaluate(net, &Bce, data, 50).unwrap().accuracy.unwrap();
    assert!((0.8..0.95).contains(&accuracy), "{accuracy}");
    (history, format!("100 samples; {:.1}% classified correctly", 100.0 * accuracy))
}

#[test]
fn probabilities_are_read_as_what_the_network_or_its_user_says_they_are() {
    let data = points();
    let doubt = "all of them could be probabilities as well";
    let mut side = Side::new(Seed(1));
    let (history, found) = trained(&mut side, &data);
    let html = Report::new(&history).tested(&side, &data).unwrap().html().unwrap();
    assert!(html.contains(&found) && !html.contains(doubt), "{found} in {html}");

    let mut net = Other::new(Seed(1));
    let (history, found) = trained(&mut net, &data);
    let report = Report::new(&history).outputs(Outputs::Probabilities);
    let html = report.tested(&net, &data).unwrap().html().unwrap();
    assert!(html.contains(&found) && !html.contains(doubt), "{found} in {html}");
    // Nobody says it: the page has its doubts.
    let html = Report::new(&history).tested(&net, &data).unwrap().html().unwrap();
    assert!(html.contains(doubt), "{html}");
    // It is said too late.
    let late = Report::new(&history).tested(&net, &data).unwrap().outputs(Outputs::Probabilities);
    let error = late.html().unwrap_err().to_string();
    assert!(error.contains("call `.outputs(..)` before `.tested(..)`"), "{error}");
}

#[test]
fn targets_that_say_no_class_are_refused_by_their_sample() {
    let (net, history) = (Labels::new(Seed(1)), History::default());
    let targets = vec![1.0, 0.0, 0.0, 0.1, 0.1, 0.8, 1.0, 1.0, 0.0];
    let data = InMemory::<(D<2>,), (D<3>,), f32, f32>::new(vec![0.5; 6], targets).unwrap();
    let error = Report::new(&history).tested(&net, &data).err().unwrap().to_string();
    assert!(
        error.starts_with("the targets [1.0, 1.0, 0.0] of sample 2 (counted from 0)"),
        "{error}"
    );
    // Those before it do, with the same classes as labels.
    let page = |report: Report<'_>| report.html().unwrap();
    let rows = page(Report::new(&history).tested(&net, &data.clone().take(2)).unwrap());
    let labels = InMemory::<(D<2>,)>::new(vec![0.5; 4], vec![0, 2]).unwrap();
    assert_eq!(rows, page(Report::new(&history).tested(&net, &labels).unwrap()));
    // A place in a sequence has a label each: which is the sample's?
    let data = InMemory::<(D<2>,), (D<2>,)>::new(vec![0.5; 4], vec![0, 1, 2, 0]).unwrap();
    let error = Report::new(&history).tested(&net, &data).err().unwrap().to_string();
    assert_eq!(
        error,
        "the targets of a sample of a report: expected 1, of a network with 3 outputs, found 2"
    );
}

#[test]
fn thousands_of_classes_are_an_error_and_a_matrix_of_fewer_is_taken() {
    let (net, history) = (Tokens::new(Seed(1)), History::default());
    let data = InMemory::<(D<1>,)>::new(vec![0.5; 2], vec![0, 4999]).unwrap();
    let error = Report::new(&history).tested(&net, &data).err().unwrap().to_string();
    assert!(error.starts_with("a report of 5000 classes: expected at most 4096"), "{error}");
    assert!(Report::new(&history).network(&net).confusion(Confusion::new(3)).html().is_ok());
}

#[test]
fn large_samples_are_small_pictures() {
    let (net, history) = (Pictures::new(Seed(1)), History::default());
    let mut rng = netform::random::Rng::new(Seed(5), 0);
    let values = (0..2 * 3 * 300 * 200).map(|_| rng.uniform() as f32).collect();
    // One of the two is a mistake at the least: they differ in nothing but noise.
    let data = InMemory::<(D<3>, D<300>, D<200>)>::new(values, vec![0, 1]).unwrap();
    let html = Report::new(&history).tested(&net, &data).unwrap().html().unwrap();
    let pictures = html.matches("<img ").count();
    assert!(pictures > 0, "{html}");
    // Each point of the picture is three by three of the sample.
    assert_eq!(html.matches("width=\"67\" height=\"100\"").count(), pictures);
    assert!(html.len() < 100_000, "{}", html.len());
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
