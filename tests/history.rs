//! Metrics in trainings, and what is kept of a training.

use netform::data::{Dataset, InMemory};
use netform::dim::D;
use netform::error::{Error, Result};
use netform::loss::{CrossEntropy, Mse};
use netform::metric::{
    Accuracy, Confusion, F1, Figure, Goal, Mae, Metric, Precision, R2, Recall, Rmse, TopK, measure,
};
use netform::network;
use netform::network::Network;
use netform::optim::{Adam, Sgd};
use netform::random::{Rng, Seed};
use netform::schedule::Exponential;
use netform::train::{BatchRecord, Callback, Checkpoint, EarlyStopping, History, Trainer};
use netform::weights::Weights;

#[path = "../core/tests/common/mod.rs"]
mod common;

use common::{Folder, says};

network! {
    /// A classifier.
    pub Net: [4] -> [3] { fc1: Linear(6), Tanh, fc2: Linear(3) }

    /// A regression.
    pub Curve: [4] -> [2] { fc1: Linear(6), Tanh, fc2: Linear(2) }
}

type Data = InMemory<(D<4>,)>;
type Points = InMemory<(D<4>,), (D<2>,), f32, f32>;

fn inputs(samples: usize, phase: f32) -> Vec<f32> {
    (0..samples * 4).map(|i| (i as f32 * 0.7 + phase).sin()).collect()
}

fn data(samples: usize, phase: f32) -> Data {
    let labels = (0..samples as u32).map(|i| i * 7 % 3).collect();
    Data::new(inputs(samples, phase), labels).unwrap()
}

fn points(samples: usize, phase: f32) -> Points {
    let targets = (0..samples * 2).map(|i| (i as f32 * 0.3).cos()).collect();
    Points::new(inputs(samples, phase), targets).unwrap()
}

/// The values of the metrics of an epoch, of training and validation.
fn values(history: &History, epoch: usize) -> Vec<(String, Option<f64>, Option<f64>)> {
    let metrics = history.epochs[epoch].metrics.iter();
    metrics.map(|metric| (metric.name.clone(), metric.train, metric.validation)).collect()
}

/// The value of a metric over a data set.
fn value<M>(net: &Net, data: &Data, metric: M) -> Option<f64>
where
    M: Metric<f32, u32> + Figure,
{
    measure(net, data, 64, metric).unwrap().value()
}

#[test]
fn metrics_of_classes() {
    let (train, test) = (data(26, 0.0), data(9, 0.3));
    let mut net = Net::new(Seed(1));
    // A rate of 0: the network of each step is the one at the end.
    let history = Trainer::new(CrossEntropy, Sgd::new(0.0))
        .epochs(2)
        .batch(4)
        .validate(&test)
        .metric("right", Accuracy::new(3))
        .metric("top-2", TopK::new(2))
        .metric("precision", Precision::macro_average(3))
        .metric("recall of 1", Recall::of_class(1, 3))
        .metric("f1", F1::macro_average(3))
        .metric("classes", Confusion::new(3))
        .fit(&mut net, &train)
        .unwrap();
    let of = |data| {
        [
            ("right", value(&net, data, Accuracy::new(3))),
            ("top-2", value(&net, data, TopK::new(2))),
            ("precision", value(&net, data, Precision::macro_average(3))),
            ("recall of 1", value(&net, data, Recall::of_class(1, 3))),
            ("f1", value(&net, data, F1::macro_average(3))),
            ("classes", value(&net, data, Confusion::new(3))),
        ]
    };
    let expected: Vec<_> = of(&train)
        .into_iter()
        .zip(of(&test))
        .map(|((name, train), (_, validation))| (name.to_owned(), train, validation))
        .collect();
    assert!(expected.iter().all(|(_, train, test)| train.is_some() && test.is_some()));
    // Each epoch's are its own.
    assert_eq!(values(&history, 0), expected);
    assert_eq!(values(&history, 1), expected);
    let last = history.last().unwrap();
    assert_eq!(last.metric("right").unwrap().train, last.train_accuracy);
    let classes = last.metric("classes").unwrap();
    let matrix = measure(&net, &test, 9, Confusion::new(3)).unwrap();
    assert_eq!(classes.validation_confusion, Some(matrix));
    assert_eq!(classes.train_confusion.as_ref().unwrap().samples(), 26);
    // The others are numbers alone.
    let of_numbers = ["right", "precision", "recall of 1", "f1"];
    assert!(of_numbers.iter().all(|name| last.metric(name).unwrap().train_confusion.is_none()));
    let csv = history.to_csv();
    assert!(csv.starts_with("epoch,train_loss"), "{csv}");
    assert!(csv.lines().next().unwrap().contains(",train_f1,validation_f1,"), "{csv}");
    assert_eq!(History::from_json(&history.to_json()).unwrap(), history);
}

#[test]
fn metrics_of_numbers() {
    let (train, test) = (points(26, 0.0), points(9, 0.3));
    let mut net = Curve::new(Seed(1));
    let history = Trainer::new(Mse, Sgd::new(0.0))
        .batch(4)
        .validate(&test)
        .metric("mae", Mae::new())
        .metric("rmse", Rmse::new())
        .metric("r2", R2::new())
        .fit(&mut net, &train)
        .unwrap();
    let last = history.last().unwrap();
    let of = |name: &str| last.metric(name).unwrap();
    let close = |found: Option<f64>, expected: f64| (found.unwrap() - expected).abs() < 1e-6;
    assert!(close(of("rmse").train, last.train_loss.sqrt()));
    assert!(close(of("rmse").validation, last.validation_loss.unwrap().sqrt()));
    let mae = measure(&net, &test, 4, Mae::new()).unwrap().value();
    assert!(mae.is_some() && of("mae").validation == mae);
    assert!(of("r2").train.unwrap() < 1.0);
    assert_eq!([of("mae").goal, of("r2").goal], [Goal::Smaller, Goal::Larger]);
}

/// Ends training after so many batches.
struct Ending(usize);

impl Callback for Ending {
    fn on_batch_end(&mut self, _: &BatchRecord) -> Result<()> {
        self.0 = self.0.wrapping_sub(1);
        if self.0 == 0 { Err(Error::Invalid("no more".to_owned())) } else { Ok(()) }
    }
}

#[test]
fn an_epoch_that_is_begun_anew_gathers_anew() {
    let train = data(26, 0.0);
    let mut net = Net::new(Seed(1));
    let mut trainer = Trainer::new(CrossEntropy, Sgd::new(0.1))
        .batch(4)
        .accumulate(3)
        .gradient_norms()
        .callback(Ending(2));
    assert!(trainer.fit(&mut net, &train).is_err());
    // No update has been made.
    let history = trainer.fit(&mut net, &train).unwrap();
    let mut other = Net::new(Seed(1));
    let expected = Trainer::new(CrossEntropy, Sgd::new(0.1))
        .batch(4)
        .accumulate(3)
        .gradient_norms()
        .fit(&mut other, &train)
        .unwrap();
    assert_eq!(history.steps, expected.steps);
    assert!(net.to_bytes().unwrap() == other.to_bytes().unwrap());
}

/// Counts the samples: a metric of one's own.
#[derive(Default)]
struct Count([f64; 1]);

impl Metric<f32, u32> for Count {
    fn add(&mut self, _: &[f32], targets: &[u32]) -> Result<()> {
        self.0[0] += targets.len() as f64;
        Ok(())
    }
}

impl Figure for Count {
    fn value(&self) -> Option<f64> {
        Some(self.0[0])
    }
    fn goal(&self) -> Goal {
        Goal::Larger
    }
    fn sums(&mut self) -> &mut [f64] {
        &mut self.0
    }
}

#[test]
fn a_metric_of_ones_own_begins_anew_with_each_epoch() {
    let test = data(9, 0.3);
    let mut trainer = Trainer::new(CrossEntropy, Sgd::new(0.1))
        .epochs(2)
        .batch(4)
        .validate(&test)
        .metric("samples", Count::default());
    let mut net = Net::new(Seed(1));
    for _ in 0..2 {
        let history = trainer.fit(&mut net, &data(26, 0.0)).unwrap();
        for epoch in [0, 1] {
            let expected = [("samples".to_owned(), Some(26.0), Some(9.0))];
            assert_eq!(values(&history, epoch), expected);
        }
    }
}

#[test]
fn the_best_epoch_is_that_of_the_metric() {
    let folder = Folder::new("best-by-f1");
    let best = folder.0.join("best.safetensors");
    let (train, test) = (data(26, 0.0), data(9, 0.3));
    let mut net = Net::new(Seed(1));
    let mut stopping = EarlyStopping::patience(6).monitor("f1");
    let history = Trainer::new(CrossEntropy, Adam::new(0.05))
        .epochs(60)
        .batch(4)
        .validate(&test)
        .metric("f1", F1::macro_average(3))
        .callback(Checkpoint::best(&best).monitor("f1"))
        .callback(&mut stopping)
        .fit(&mut net, &train)
        .unwrap();
    let by_f1 = history.best_by("f1").unwrap();
    assert_ne!(Some(by_f1.epoch), history.best_epoch, "the loss says something else:\n{history}");
    assert_eq!(stopping.best_epoch(), Some(by_f1.epoch));
    assert_eq!(history.epochs.len(), by_f1.epoch + 6);
    let expected = by_f1.metric("f1").unwrap().validation;
    assert_eq!(value(&net, &test, F1::macro_average(3)), expected);
    let mut loaded = Net::new(Seed(2));
    loaded.load(&best).unwrap();
    assert_eq!(loaded.to_bytes().unwrap(), net.to_bytes().unwrap());
}

#[test]
fn every_step_is_kept() {
    let train = data(26, 0.0);
    let trainer = || {
        Trainer::new(CrossEntropy, Sgd::new(0.1))
            .epochs(2)
            .batch(4)
            .seed(Seed(3))
            .schedule(Exponential::new(0.9))
    };
    let history = trainer().gradient_norms().fit(&mut Net::new(Seed(1)), &train).unwrap();
    assert_eq!(history.steps.len(), 14);
    // The same steps by hand, in the same order.
    let mut losses = [0.0; 2];
    for (i, step) in history.steps.iter().enumerate() {
        assert_eq!((step.epoch, step.batch), (1 + i / 7, 1 + i % 7));
        assert_eq!(step.samples, if i % 7 == 6 { 2 } else { 4 });
        assert!((step.rate - 0.1 * 0.9_f64.powi(i as i32)).abs() < 1e-12);
        assert!(step.gradient_norm.is_some_and(|norm| norm > 0.0));
        losses[i / 7] += step.loss * step.samples as f64 / 26.0;
    }
    for (found, epoch) in losses.iter().zip(&history.epochs) {
        assert!((found - epoch.train_loss).abs() < 1e-12);
    }
    assert_eq!(History::from_json(&history.to_json()).unwrap(), history);
    let csv = history.steps_to_csv();
    assert_eq!(csv.lines().count(), 15);
    let second = &history.steps[1];
    let expected =
        format!("1,2,4,{},{},{}", second.loss, second.rate, second.gradient_norm.unwrap());
    assert_eq!(csv.lines().nth(2), Some(expected.as_str()));
    // Without norms all else is the same, and steps may be left out.
    let plain = trainer().fit(&mut Net::new(Seed(1)), &train).unwrap();
    let same = plain.steps.iter().zip(&history.steps);
    assert!(same.clone().all(|(a, b)| a.loss == b.loss && a.gradient_norm.is_none()));
    assert!(
        trainer().keep_steps(false).fit(&mut Net::new(Seed(1)), &train).unwrap().steps.is_empty()
    );
}

#[test]
fn norms_of_gradients_and_weights() {
    let train = data(12, 0.0);
    // One batch: its gradients by hand.
    let batch = train.batches(12, &mut Rng::new(Seed(1), 0)).next().unwrap().unwrap();
    let net = Net::new(Seed(1));
    let (_, mut gradients) =
        net.value_and_gradients(&CrossEntropy, &batch.inputs, &batch.targets).unwrap();
    let norm = f64::from(gradients.norm().unwrap());
    let trainer = || Trainer::new(CrossEntropy, Sgd::new(0.1)).gradient_norms();
    let fit = |trainer: Trainer<'_, _, _>, size| {
        trainer.batch(size).weight_norms().fit(&mut Net::new(Seed(1)), &train).unwrap()
    };
    let close = |found: Option<f64>, expected: f64| {
        assert!((found.unwrap() - expected).abs() < 1e-5 * expected, "{found:?}, not {expected}");
    };
    let history = fit(trainer(), 12);
    close(history.steps[0].gradient_norm, norm);
    // From before clipping, which changes what is trained.
    let clipped = fit(trainer().clip_norm(0.01), 12);
    assert_eq!(clipped.steps, history.steps);
    assert_ne!(clipped.epochs[0].weight_norms, history.epochs[0].weight_norms);
    // Of the update that several batches make together; the others make none.
    let gathered = fit(trainer().accumulate(3), 4);
    let norms: Vec<_> = gathered.steps.iter().map(|step| step.gradient_norm).collect();
    assert_eq!(norms[..2], [None, None]);
    close(norms[2], norm);
    // Not of what is frozen.
    let part = |name: &str| {
        let part: f64 = gradients.get(name).unwrap().iter().map(|x| f64::from(x * x)).sum();
        part
    };
    let frozen = fit(trainer().freeze("fc1"), 12);
    close(frozen.steps[0].gradient_norm, (part("fc2.weight") + part("fc2.bias")).sqrt());
    // And the weights.
    let mut net = Net::new(Seed(1));
    let history = trainer().weight_norms().fit(&mut net, &train).unwrap();
    let names = ["fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"];
    for (found, name) in history.epochs[0].weight_norms.iter().zip(names) {
        assert_eq!(found.name, name);
        let squares = net.parameter(name).unwrap().into_iter().map(|x| f64::from(x * x));
        close(Some(found.norm), squares.sum::<f64>().sqrt());
    }
    assert!(
        history.to_csv().contains(",norm_fc1.weight,norm_fc1.bias,norm_fc2.weight,norm_fc2.bias\n")
    );
}

#[test]
fn what_there_is_not_is_not_watched() {
    let fit = |name: &str, watched: &str| {
        Trainer::new(CrossEntropy, Sgd::new(0.1))
            .metric(name, F1::macro_average(3))
            .callback(EarlyStopping::patience(3).monitor(watched))
            .fit(&mut Net::new(Seed(1)), &data(26, 0.0))
    };
    assert!(fit("f1", "accuracy").is_ok());
    says(
        fit("f1", "f2"),
        &["early stopping monitors `f2`, and this training has loss, accuracy, f1; add it with"],
    );
    for (name, problem) in [
        ("loss", "it is the name of the figure that the loss itself has"),
        ("", "it is empty"),
        ("a,b", "commas, quotation marks and line breaks"),
        ("seconds", "it is the name of the time that an epoch took"),
        ("step/f1", "TensorBoard has figures of steps and norms of weights in groups of this name"),
        ("weight_norm/f1", "TensorBoard has figures of steps and norms of weights in groups"),
    ] {
        says(fit(name, "loss"), &[&format!("`{name}` cannot be the name of a metric: {problem}")]);
    }
    let twice = Trainer::new(CrossEntropy, Sgd::new(0.1))
        .metric("f1", F1::macro_average(3))
        .metric("f1", F1::of_class(1, 3))
        .fit(&mut Net::new(Seed(1)), &data(26, 0.0));
    says(twice, &["`f1` cannot be the name of a metric: another metric has it"]);
    let no_classes = Trainer::new(Mse, Sgd::new(0.1))
        .callback(Checkpoint::best("best.safetensors").monitor("accuracy"))
        .fit(&mut Curve::new(Seed(1)), &points(26, 0.0));
    says(
        no_classes,
        &["checkpoint monitors `accuracy`, which there is only for losses with classes"],
    );
    let too_few = Trainer::new(CrossEntropy, Sgd::new(0.1))
        .metric("f1", F1::macro_average(2))
        .fit(&mut Net::new(Seed(1)), &data(26, 0.0));
    says(
        too_few,
        &["expected 2 outputs in a row, as many as it was made for, found 3 in each row"],
    );
    // Rows of one would be cut from any targets that are as many as outputs: it is found before training.
    let mut net = Curve::new(Seed(1));
    let before = net.to_bytes().unwrap();
    let of_one = Trainer::new(Mse, Sgd::new(0.1))
        .metric("right", Accuracy::new(1))
        .fit(&mut net, &points(26, 0.0));
    says(of_one, &["metric `right`: expected 1 outputs in a row", "found 2 in each row"]);
    assert!(net.to_bytes().unwrap() == before);
}

/// Has a value of training samples, or of so few others.
#[derive(Default)]
struct OfMany([f64; 1]);

impl Metric<f32, u32> for OfMany {
    fn add(&mut self, _: &[f32], targets: &[u32]) -> Result<()> {
        self.0[0] += targets.len() as f64;
        Ok(())
    }
}

impl Figure for OfMany {
    fn value(&self) -> Option<f64> {
        (self.0[0] > 20.0).then_some(self.0[0])
    }
    fn goal(&self) -> Goal {
        Goal::Larger
    }
    fn sums(&mut self) -> &mut [f64] {
        &mut self.0
    }
}

#[test]
fn training_values_are_not_watched_beside_validation() {
    let test = data(9, 0.3);
    let mut stopping = EarlyStopping::patience(2).monitor("many");
    let history = Trainer::new(CrossEntropy, Sgd::new(0.1))
        .epochs(5)
        .validate(&test)
        .metric("many", OfMany::default())
        .callback(&mut stopping)
        .fit(&mut Net::new(Seed(1)), &data(26, 0.0))
        .unwrap();
    assert_eq!(values(&history, 0), [("many".to_owned(), Some(26.0), None)]);
    assert_eq!((stopping.best_epoch(), history.epochs.len()), (None, 2));
    assert_eq!(history.best_by("many"), None);
}
