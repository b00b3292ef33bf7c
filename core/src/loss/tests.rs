//! Gradients with respect to both inputs, against PyTorch; all else is tested from outside.

use super::classes::cross_entropy_of_probabilities;
use super::elementwise::{absolute_error, binary_cross_entropy, huber_error, squared_error};
use super::{BESIDE, TARGET};
use crate::cpu::Cpu;
use crate::device::{Access, Bindings, Device, Memory, Run, Slot, Span};
use crate::element::Float;
use crate::io::safetensors;

/// PyTorch's value of `case/what`.
fn reference<E: Float>(case: &str, what: &str) -> Vec<E> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/ops.safetensors");
    let name = format!("{case}/{what}");
    let contents = safetensors::read(path).unwrap();
    contents.tensors.iter().find(|t| t.name == name).unwrap().data.to_floats()
}

fn close<E: Float>(case: &str, found: &[E], expected: &[E], tolerance: f64) {
    let scale = expected.iter().fold(1e-30, |max, x| x.to_f64().abs().max(max));
    for (x, y) in found.iter().zip(expected) {
        let off = (x.to_f64() - y.to_f64()).abs() / scale;
        assert!(off <= tolerance, "{case}: found {x}, PyTorch has {y}");
    }
}

/// Value and both gradients of a loss function of `rows` rows whose two inputs are floats.
macro_rules! agrees {
    ($e:ty, $tolerance:expr, $case:literal, $function:ident($($size:expr)?), $rows:expr $(, $numbers:expr)?) => {{
        let [x, t] = ["in0", "in1"].map(|what| reference::<$e>($case, what));
        let n = x.len();
        let cpu = Cpu::default();
        let (mut inputs, mut targets) = (cpu.zeros(n).unwrap(), cpu.zeros(n).unwrap());
        cpu.write(&mut inputs, 0, &x).unwrap();
        cpu.write(&mut targets, 0, &t).unwrap();
        let [mut dx, mut dt] = [cpu.zeros::<$e>(n).unwrap(), cpu.zeros::<$e>(n).unwrap()];
        let len = $function::gradients_workspace($rows, $($size)?);
        let mut workspace = cpu.zeros::<$e>(len).unwrap();
        let mut bound = Bindings::<$e, Cpu> {
            workspace: Access::Write(&mut workspace),
            ..Bindings::default()
        };
        bound.inputs[0] = Some(&inputs);
        bound.inputs[BESIDE] = Some(&targets);
        bound.outputs[0] = Access::Write(&mut dx);
        bound.outputs[1] = Access::Write(&mut dt);
        let mut run = cpu.run(bound);
        let span = |slot| Span::new(slot, 0, n);
        let gradients = [span(Slot::Output(0)), span(Slot::Output(1))];
        let (a, b) = (span(Slot::Input(0)), span(TARGET));
        let at =
            $function::value_and_gradients(&mut run, $rows, $($size,)? a, b, gradients, 0 $(, $numbers)?);
        run.finish().unwrap();
        let mut value = [0.0];
        cpu.read(&workspace, at.offset, &mut value).unwrap();
        close($case, &value, &reference($case, "out"), $tolerance);
        close($case, dx.as_slice(), &reference($case, "grad0"), $tolerance);
        close($case, dt.as_slice(), &reference($case, "grad1"), $tolerance);
    }};
}

#[test]
fn gradients_with_respect_to_both_inputs_are_pytorchs() {
    agrees!(f64, 1e-9, "mse", squared_error(), 25);
    agrees!(f32, 1e-4, "mse", squared_error(), 25);
    agrees!(f64, 1e-9, "l1", absolute_error(), 25);
    agrees!(f32, 1e-4, "l1", absolute_error(), 25);
    agrees!(f64, 1e-9, "huber", huber_error(), 25, [1.0]);
    agrees!(f32, 1e-4, "huber", huber_error(), 25, [1.0]);
    agrees!(f64, 1e-9, "bce_logits", binary_cross_entropy(), 5);
    agrees!(f32, 1e-4, "bce_logits", binary_cross_entropy(), 5);
    agrees!(f64, 1e-9, "cross_entropy_onehot", cross_entropy_of_probabilities(5), 5);
    agrees!(f32, 1e-4, "cross_entropy_onehot", cross_entropy_of_probabilities(5), 5);
}
