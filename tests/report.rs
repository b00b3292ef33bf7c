//! Reports of trained networks: what their outputs and targets are taken for, and how large a page becomes.

use netform::cpu::Cpu;
use netform::data::{Columns, InMemory, Scaling};
use netform::dim::D;
use netform::loss::Bce;
use netform::metric::{Confusion, Metric, measure};
use netform::model::Outputs;
use netform::network::Network;
use netform::optim::Adam;
use netform::random::Seed;
use netform::report::Report;
use netform::train::{EpochRecord, History, Trainer, evaluate};
use netform::weights::Weights;

netform::network! {
    /// Ends in probabilities.
    Side: (x: [2]) -> [1] { let fc = Linear(1); sigmoid(fc(x)) }

    /// Ends in probabilities that its last operation does not tell of.
    Other: (x: [2]) -> [1] { let fc = Linear(1); 1 - sigmoid(fc(x)) }

    Labels: [2] -> [3] { fc: Linear(3) }

    Tokens: [1] -> [5000] { fc: Linear(5000) }

    /// Its outputs are its inputs.
    Pair: [2] -> [2] { fc: Linear(2, bias = false) }

    /// What each of four characters is followed by, of three: its own one.
    Text: u32[4] -> [4, 3] { characters: Embedding(3, features = 3) }

    Six: [2] -> [6] { fc: Linear(6) }

    Autoencoder: [1, 4, 4] -> [16] { Flatten, fc: Linear(16) }

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
    (
        history,
        format!(
            "100 samples that the report was given to test on; {:.1}% classified correctly",
            100.0 * accuracy
        ),
    )
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

/// A network whose outputs are its inputs.
fn pair() -> Pair {
    let mut net = Pair::new(Seed(1));
    net.set_parameter("fc.weight", &[1.0, 0.0, 0.0, 1.0]).unwrap();
    net
}

type Pairs = InMemory<(D<2>,), (D<2>,), f32, f32>;

#[test]
fn a_regression_is_drawn_measured_and_its_worst_samples_are_shown_in_their_own_units() {
    let (net, history) = (pair(), History::default());
    // The first output is off by 0, 20 and -40 dollars, the second is right.
    let inputs = vec![100.0, 1.0, 220.0, 2.0, 360.0, 6.0];
    let targets = vec![100.0, 1.0, 200.0, 2.0, 400.0, 6.0];
    let mut data = Pairs::new(inputs.clone(), targets.clone()).unwrap();
    let scaling = Scaling::standard_targets(&data).unwrap();
    let page = |data: &Pairs, report: Report<'_>| {
        report.tested_numbers(&net, data).unwrap().html().unwrap()
    };
    let plain = page(&data, Report::new(&history));
    scaling.apply(&mut data);
    scaling.apply_to(data.targets_mut());
    // Undone, it is the same page.
    let report = Report::new(&history).scaling(&scaling).target_scaling(&scaling);
    let html = page(&data, report);
    for html in [&plain, &html] {
        for text in [
            "3 samples that the report was given to test on",
            "<title>Predicted against measured, output 1 of 2</title>",
            "<title>Predicted against measured, output 2 of 2</title>",
            // The mean of 0, 20 and 40, the root of the mean of their squares, 1 - 2000 / 46667.
            "<th scope=\"row\">output 1 of 2</th><td>20</td><td>25.82</td><td>0.95714</td>",
            "<th scope=\"row\">2</th><td>400</td><td>360</td><td>-40</td>",
            "<span>360,</span> <span>6</span>",
        ] {
            assert!(html.contains(text), "{text} in {html}");
        }
        let at = |sample: usize| html.find(&format!("<th scope=\"row\">{sample}</th>")).unwrap();
        assert!(at(2) < at(1) && at(1) < at(0), "the worst is first: {html}");
    }
    assert!(html.contains("in the units that the targets had before they were scaled"));
    // Without the scaling, what the network was given.
    assert!(!page(&data, Report::new(&history)).contains("<td>400</td>"));
}

#[test]
fn numbers_that_are_not_finite_too_few_or_very_many_have_a_page() {
    let (net, history) = (pair(), History::default());
    let page =
        |data: &Pairs| Report::new(&history).tested_numbers(&net, data).unwrap().html().unwrap();
    let none = page(&Pairs::new(vec![], vec![]).unwrap());
    assert!(none.contains("There are no samples."), "{none}");
    // What is not finite is the worst, and the figures are of the rest.
    let inputs = vec![1.0, f32::NAN, 2.0, 3.0, 5.0, f32::INFINITY];
    let html = page(&Pairs::new(inputs, vec![1.5, 2.0, 2.0, f32::NAN, 4.5, 1.0]).unwrap());
    assert!(html.contains("numbers or their predictions are not finite"), "{html}");
    assert!(html.contains("<td>NaN</td>") && html.contains("not finite)"), "{html}");
    // All the same: R2 says nothing.
    let same = page(&Pairs::new(vec![2.0; 8], vec![2.0; 8]).unwrap());
    assert!(same.contains("<td>0</td><td>0</td><td>–</td>"), "{same}");
    let mut rng = netform::random::Rng::new(Seed(4), 0);
    let mut values = || (0..60_000).map(|_| rng.uniform() as f32).collect::<Vec<_>>();
    let html = page(&Pairs::new(values(), values()).unwrap());
    assert!(html.contains("30000 samples") && html.contains("5000 of 30000 points are drawn"));
    assert!(html.len() < 2_000_000, "{}", html.len());
}

#[test]
fn many_outputs_are_judged_as_one_and_pictures_are_pictures() {
    let (net, history) = (Autoencoder::new(Seed(1)), History::default());
    let values: Vec<f32> = (0..48).map(|i| (i % 7) as f32).collect();
    let data = InMemory::<(D<1>, D<4>, D<4>), (D<16>,), f32, f32>::new(values.clone(), values);
    let html = Report::new(&history).tested_numbers(&net, &data.unwrap()).unwrap().html().unwrap();
    assert_eq!(
        html.matches("<title>Predicted against measured, all 16 outputs</title>").count(),
        1
    );
    assert_eq!(html.matches("<img ").count(), 3, "{html}");
    assert!(html.contains("<th scope=\"col\">output</th>"), "{html}");
    // Of a few each, as far as they are drawn.
    let data = InMemory::<(D<2>,), (D<6>,), f32, f32>::new(vec![0.5; 4], vec![1.0; 12]).unwrap();
    let report = Report::new(&history).tested_numbers(&Six::new(Seed(1)), &data).unwrap();
    let html = report.html().unwrap();
    assert_eq!(html.matches("<title>Predicted against measured, output ").count(), 4, "{html}");
    assert!(html.contains("The first 4 outputs are drawn.") && html.contains("output 6 of 6"));
}

#[test]
fn numbers_that_do_not_fit_are_refused_and_tested_names_the_method_for_numbers() {
    let (net, history) = (pair(), History::default());
    let data = Pairs::new(vec![0.5; 4], vec![7.5; 4]).unwrap();
    let error = |report: netform::Result<Report<'_>>| report.err().unwrap().to_string();
    let found = error(Report::new(&history).tested(&net, &data));
    assert!(found.contains("`.tested_numbers(..)` is for targets that are numbers"), "{found}");
    let one = InMemory::<(D<2>,), (D<1>,), f32, f32>::new(vec![0.5; 4], vec![7.5; 2]).unwrap();
    assert_eq!(
        error(Report::new(&history).tested_numbers(&net, &one)),
        "the targets of a sample of a report: expected 2, one for each output of network `Pair`, found 1"
    );
    let other = Scaling::standard_targets(&one).unwrap();
    let found = error(Report::new(&history).target_scaling(&other).tested_numbers(&net, &data));
    let expected =
        "`Report::target_scaling`: expected a scaling of 2 numbers, as [2] has, found one of 1";
    assert_eq!(found, expected);
    let found = error(Report::new(&history).scaling(&other).tested_numbers(&net, &data));
    assert!(found.starts_with("`Report::scaling`, of the inputs: expected"), "{found}");
    // A scaling that comes too late would change what was shown.
    let scaling = Scaling::standard_targets(&data).unwrap();
    let tested = || Report::new(&history).tested_numbers(&net, &data).unwrap();
    for (late, call) in [
        (tested().target_scaling(&scaling), "call `.target_scaling(..)` before"),
        (tested().scaling(&scaling), "call `.scaling(..)` before"),
    ] {
        let found = late.html().unwrap_err().to_string();
        assert!(found.contains(call), "{found}");
    }
}

#[test]
fn misread_samples_are_shown_as_they_were_measured() {
    let (net, history) = (Labels::new(Seed(1)), History::default());
    // Whatever class the network finds, two of three are others.
    let values = [5.1, 350.0].repeat(3);
    let mut data = InMemory::<(D<2>,)>::new(values, vec![0, 1, 2]).unwrap();
    data.inputs_mut()[4..].copy_from_slice(&[7.7, 120.0]);
    let scaling = Scaling::standard(&data).unwrap();
    scaling.apply(&mut data);
    let report = || Report::new(&history).scaling(&scaling);
    let html = report().tested(&net, &data).unwrap().html().unwrap();
    assert!(html.contains("<span>5.1,</span> <span>350</span></p>"), "{html}");
    let named = data.with_columns(Columns::numbers(["km", "m<sup>2"]).unwrap()).unwrap();
    let html = report().tested(&net, &named).unwrap().html().unwrap();
    assert!(html.contains("<span>km 5.1,</span> <span>m&lt;sup&gt;2 350</span>"), "{html}");

    // Of the words of a column, the one that it is.
    let words = vec![1.0, 0.0, 1.0, 0.0, 0.0, 1.0];
    let mut cars = Pairs::new(words, vec![1.0; 6]).unwrap();
    let scaling = Scaling::standard(&cars).unwrap();
    scaling.apply(&mut cars);
    let columns = Columns::numbers(["fuel=diesel", "fuel=petrol"]).unwrap();
    let report = Report::new(&history).scaling(&scaling);
    let cars = cars.with_columns(columns).unwrap();
    let html = report.tested_numbers(&pair(), &cars).unwrap().html().unwrap();
    assert_eq!(html.matches("\"features\"><span>fuel diesel</span></p>").count(), 4, "{html}");
    assert_eq!(html.matches("\"features\"><span>fuel petrol</span></p>").count(), 2, "{html}");
}

#[test]
fn a_confusion_matrix_has_its_own_names() {
    let history = History::default();
    let mut confusion = Confusion::new(2).named(["cat", "dog"]);
    confusion.add(&[0.1f32, 0.9], &[0u32]).unwrap();
    let html = Report::new(&history).confusion(confusion.clone()).html().unwrap();
    assert!(html.contains("1 sample; 0.0% classified correctly"), "{html}");
    assert!(html.contains("<th scope=\"row\">cat</th>"), "{html}");
    let report = Report::new(&history).confusion(confusion).class_names(["Katze", "Hund"]);
    assert!(report.html().unwrap().contains("<th scope=\"row\">Katze</th>"));
}

#[test]
fn a_text_has_a_matrix_of_its_positions() {
    let history = History::default();
    let mut net = Text::new(Seed(1));
    net.set_parameter("characters.weight", &[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]).unwrap();
    let (text, next) = (vec![0, 1, 2, 0, 2, 2, 0, 0], vec![0, 1, 2, 0, 1, 1, 0, 0]);
    let data = InMemory::<(D<4>,), (D<4>,), u32>::new(text, next).unwrap();
    let error = Report::new(&history).tested(&net, &data).err().unwrap().to_string();
    assert!(
        error.contains("found [4, 3]; `.confusion(measure(&net, &data, 64, Confusion::new(3))?)`")
    );
    let confusion = measure(&net, &data, 64, Confusion::new(3)).unwrap().named([" ", "a", "\n"]);
    let html = Report::new(&history).confusion(confusion).html().unwrap();
    assert!(html.contains("8 samples; 75.0% classified correctly"), "{html}");
    // What cannot be seen is in quotes.
    for name in ["&quot; &quot;", "a", "&quot;\\n&quot;"] {
        assert!(html.contains(&format!("<th scope=\"row\">{name}</th>")), "{name} in {html}");
    }
}

#[test]
fn tested_samples_that_are_far_worse_than_those_for_validation_are_asked_about() {
    // Whatever the network answers, two of three labels are others.
    let labels: Vec<u32> = (0..30).map(|i| i % 3).collect();
    let data = InMemory::<(D<2>,)>::new(vec![0.5; 60], labels).unwrap();
    let page = |accuracy: f64, data: &InMemory<(D<2>,)>| {
        let mut history = History::default();
        let epoch =
            EpochRecord { epoch: 1, validation_accuracy: Some(accuracy), ..EpochRecord::default() };
        history.epochs.push(epoch);
        history.best_epoch = Some(1);
        Report::new(&history).tested(&Labels::new(Seed(1)), data).unwrap().html().unwrap()
    };
    let asked = "Of the validation samples it was 90.0%: see that these samples were scaled";
    assert!(page(0.9, &data).contains(asked));
    assert!(!page(0.5, &data).contains("Of the validation samples"));
    // Of so few it may be chance, and of none nothing is said to be right.
    let few = data.take(9);
    assert!(!page(0.9, &few).contains("Of the validation samples"));
    let none = page(0.9, &few.take(0));
    assert!(none.contains("There are no samples.") && !none.contains("every sample is classified"));

    // A regression that is worse than the mean of its targets.
    let (net, history) = (pair(), History::default());
    let page = |targets: &[f32]| {
        let pairs = Pairs::new(vec![1.0, 2.0, 3.0, 5.0], targets.to_vec()).unwrap();
        Report::new(&history).tested_numbers(&net, &pairs).unwrap().html().unwrap()
    };
    assert!(page(&[900.0, 2.0, 950.0, 5.0]).contains("An R2 below 0 is worse than the mean"));
    assert!(!page(&[1.0, 2.0, 3.0, 5.0]).contains("An R2 below 0"));
}
