//! Optimisers against PyTorch: five steps on a quadratic whose gradient is `a * w + b`.

use netform_core::cpu::Cpu;
use netform_core::device::{Access, Bindings, Device, Memory, Run};
use netform_core::element::Float;
use netform_core::optim::{Adam, AdamW, Optimizer, Sgd};

fn numbers(value: &serde_json::Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

fn reference() -> serde_json::Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/optim.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn compare<E: Float>(name: &str, optimizer: impl Optimizer, tolerance: f64)
where
    Cpu: Device<E>,
{
    let data = reference();
    let (a, b) = (numbers(&data["a"]), numbers(&data["b"]));
    let mut w: Vec<E> = numbers(&data["w0"]).into_iter().map(E::from_f64).collect();
    let len = w.len();
    let run = data["runs"].as_array().unwrap().iter().find(|run| run["name"] == name).unwrap();

    let device = Cpu::default();
    let mut params = device.zeros::<E>(len).unwrap();
    let mut grads = device.zeros::<E>(len).unwrap();
    let mut state = device.zeros::<E>(len * optimizer.slots()).unwrap();
    device.write(&mut params, 0, &w).unwrap();
    for (i, expected) in run["w"].as_array().unwrap().iter().enumerate() {
        let gradient: Vec<E> = (0..len).map(|i| E::from_f64(a[i] * w[i].to_f64() + b[i])).collect();
        device.write(&mut grads, 0, &gradient).unwrap();
        let mut run = device.run(Bindings {
            params: Access::Write(&mut params),
            grads: Access::Read(&grads),
            optimizer: Access::Write(&mut state),
            ..Bindings::default()
        });
        optimizer.update(&mut run, len, i as u64 + 1);
        run.finish().unwrap();
        device.read(&params, 0, &mut w).unwrap();
        for (found, expected) in w.iter().zip(numbers(expected)) {
            let off = (found.to_f64() - expected).abs();
            assert!(
                off < tolerance,
                "{name}, {}, step {}: {found} is off by {off}",
                E::NAME,
                i + 1
            );
        }
    }
}

fn both(name: &str, optimizer: impl Optimizer) {
    assert!(optimizer.check().is_ok());
    compare::<f32>(name, optimizer.clone(), 1e-6);
    compare::<f64>(name, optimizer, 1e-9);
}

#[test]
fn sgd() {
    both("sgd", Sgd::new(0.1));
    both("momentum", Sgd::new(0.1).momentum(0.9));
    both("nesterov", Sgd::new(0.1).momentum(0.9).nesterov(true));
    both("sgd_wd", Sgd::new(0.1).weight_decay(0.01));
}

#[test]
fn adam() {
    both("adam", Adam::new(0.05));
    both("adam_wd", Adam::new(0.05).weight_decay(0.01));
    both("adamw", AdamW::new(0.05).weight_decay(0.1));
}

#[test]
fn settings_out_of_range_are_named() {
    let message = Sgd::new(-0.1).check().unwrap_err().to_string();
    assert_eq!(message, "Sgd: the learning rate is -0.1; it must be 0 or more, and finite");
    let message = Adam::new(1e-3).betas(0.9, 1.0).check().unwrap_err().to_string();
    assert_eq!(message, "Adam: the second beta is 1; it must be in [0, 1)");
    assert!(Sgd::new(0.1).nesterov(true).check().is_err());
    assert!(AdamW::new(f64::NAN).check().is_err());
}
