//! Schedules against PyTorch, and how the trainer and single steps follow them.

use netform::data::InMemory;
use netform::dim::{Batch, D};
use netform::loss::Mse;
use netform::module::Module;
use netform::network;
use netform::optim::Sgd;
use netform::random::Seed;
use netform::schedule::{Cosine, Exponential, OneCycle, Schedule, Step, Warmup};
use netform::tensor::Tensor;
use netform::train::Trainer;
use netform::weights::Weights;

network! {
    /// A line.
    pub Line: [1] -> [1] { fc: Linear(1, bias = false) }

    /// The gradient of `w` is the input.
    pub Slope: (b: [1]) -> [] {
        let w = Param([1], init = Zeros);
        sum(b * w)
    }
}

fn numbers(value: &serde_json::Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

fn follows(name: &str, schedule: impl Schedule) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/optim.json");
    let data = std::fs::read_to_string(path).unwrap();
    let data: serde_json::Value = serde_json::from_str(&data).unwrap();
    let runs = data["schedules"].as_array().unwrap();
    let run = runs.iter().find(|run| run["name"] == name).unwrap();
    let base = run["base_lr"].as_f64().unwrap();
    assert!(schedule.check().is_ok());
    for (step, expected) in numbers(&run["lr"]).iter().enumerate() {
        let found = base * schedule.factor(step as u64);
        assert!((found - expected).abs() < 1e-12, "{name}, step {step}: {found}, not {expected}");
    }
}

#[test]
fn rates_are_pytorchs() {
    follows("step", Step::new(3, 0.5));
    follows("exponential", Exponential::new(0.98));
    follows("cosine", Cosine::new(10));
    follows("onecycle", OneCycle::new(12));
    follows("linear", Warmup::new(5).start(0.1));
}

#[test]
fn after_their_end_schedules_stay() {
    assert!((Cosine::new(10).floor(0.25).factor(1000) - 0.25).abs() < 1e-12);
    assert!((OneCycle::new(12).factor(1000) - 1.0 / 250_000.0).abs() < 1e-12);
    assert_eq!(Warmup::new(0).factor(0), 1.0);
    // Every factor is a number, for the shortest schedules, too.
    for step in 0..5 {
        assert!(OneCycle::new(1).factor(step).is_finite());
        assert!(OneCycle::new(2).rise(0.5).factor(step).is_finite());
    }
}

#[test]
fn each_update_has_its_rate() {
    let mut net = Slope::new(Seed(1));
    let one = Tensor::<(Batch, D<1>)>::from_vec(vec![1.0]).unwrap();
    let step = net.loss_step(Sgd::new(1.0), 1).unwrap();
    let mut step = step.schedule(Warmup::new(2).then(Exponential::new(0.5)));
    let mut rates = vec![];
    for _ in 0..5 {
        let before = step.net().parameter("w").unwrap()[0];
        let rate = step.rate();
        step.run(&one).unwrap();
        rates.push(before - step.net().parameter("w").unwrap()[0]);
        assert_eq!(f64::from(*rates.last().unwrap()), rate);
    }
    assert_eq!(rates, [0.0, 0.5, 1.0, 0.5, 0.25]);
}

#[test]
fn the_trainer_counts_updates_or_epochs() {
    let data = InMemory::<(D<1>,), (D<1>,), f32, f32>::new(vec![1.0; 6], vec![1.0; 6]).unwrap();
    let trainer = || Trainer::new(Mse, Sgd::new(0.5)).batch(2).epochs(3);
    let rates = |mut trainer: Trainer<'_, Mse, Sgd>| {
        let history = trainer.fit(&mut Line::new(Seed(1)), &data).unwrap();
        history.epochs.iter().map(|epoch| epoch.rate).collect::<Vec<_>>()
    };
    // The rate of an epoch is that of its first update.
    assert_eq!(rates(trainer().schedule(Exponential::new(0.5))), [0.5, 0.0625, 0.0078125]);
    assert_eq!(rates(trainer().schedule_by_epoch(Exponential::new(0.5))), [0.5, 0.25, 0.125]);
}

#[test]
fn a_second_call_goes_on() {
    let data = InMemory::<(D<1>,), (D<1>,), f32, f32>::new(vec![1.0; 6], vec![1.0; 6]).unwrap();
    let mut net = Line::new(Seed(1));
    let mut trainer = Trainer::new(Mse, Sgd::new(0.5)).batch(2).schedule(Exponential::new(0.5));
    trainer.fit(&mut net, &data).unwrap();
    assert_eq!(trainer.fit(&mut net, &data).unwrap().epochs[0].rate, 0.0625);
}

#[test]
fn settings_out_of_range_are_named() {
    let message = |schedule: &dyn Schedule| schedule.check().unwrap_err().to_string();
    assert_eq!(message(&Step::new(0, 0.5)), "Step: the number of steps is 0; it must be 1 or more");
    assert_eq!(
        message(&Warmup::new(3).then(Exponential::new(f64::NAN))),
        "Exponential: the gamma is NaN; it must be 0 or more, and finite"
    );
    assert!(message(&OneCycle::new(9).rise(1.0)).contains("it must be in (0, 1)"));
    let mut net = Slope::new(Seed(1));
    let one = Tensor::<(Batch, D<1>)>::from_vec(vec![1.0]).unwrap();
    let mut step = net.loss_step(Sgd::new(1.0), 1).unwrap().schedule(Cosine::new(0));
    assert!(step.run(&one).unwrap_err().to_string().starts_with("Cosine: the number of steps"));
}
