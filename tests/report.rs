//! Reports of trained networks: what their outputs and targets are taken for, and how large a page becomes.

use netform::cpu::Cpu;
use netform::data::InMemory;
use netform::dim::D;
use netform::loss::Bce;
use netform::metric::Confusion;
use netform::model::Outputs;
use netform::network::Network;
use netform::optim::Adam;
use netform::random::Seed;
use netform::report::Report;
use netform::train::{History, Trainer, evaluate};

netform::network! {
    /// Ends in probabilities.
    Side: (x: [2]) -> [1] { let fc = Linear(1); sigmoid(fc(x)) }

    /// Ends in probabilities that its last operation does not tell of.
    Other: (x: [2]) -> [1] { let fc = Linear(1); 1 - sigmoid(fc(x)) }

    Labels: [2] -> [3] { fc: Linear(3) }

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
