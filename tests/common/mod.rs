//! What several tests need: reference values of PyTorch, and comparing with them.

#![allow(dead_code)]

pub mod differences;

use std::collections::HashMap;

use netform::device::Memory;
use netform::element::{Element, Float};
use netform::io::safetensors::{self, Values};
use netform::prelude::*;
use netform::shape::SampleShape;

/// PyTorch's values, in f64, by name.
pub struct Reference(HashMap<String, Values>);

impl Reference {
    /// The file `tests/data/{name}.safetensors`.
    pub fn read(name: &str) -> Self {
        let path = format!("{}/tests/data/{name}.safetensors", env!("CARGO_MANIFEST_DIR"));
        let tensors = safetensors::read(path).unwrap().tensors;
        Reference(tensors.into_iter().map(|tensor| (tensor.name, tensor.data)).collect())
    }

    fn values(&self, name: &str) -> &Values {
        self.0.get(name).unwrap_or_else(|| panic!("the reference has no `{name}`"))
    }

    /// A tensor in row order.
    pub fn get<E: Float>(&self, name: &str) -> Vec<E> {
        self.values(name).to_floats()
    }

    /// Class labels.
    pub fn labels(&self, name: &str) -> Vec<u32> {
        match self.values(name) {
            Values::I64(labels) => labels.iter().map(|&label| label.try_into().unwrap()).collect(),
            other => panic!("labels of type {}", other.dtype()),
        }
    }
}

/// How far values may be from the reference, relative to the largest magnitude in the tensor.
pub fn tolerance<E: Float>() -> f64 {
    if size_of::<E>() == size_of::<f32>() { 1e-4 } else { 1e-9 }
}

/// The largest difference, relative to the largest magnitude of what is expected.
pub fn difference<E: Float>(found: &[E], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len(), "number of elements");
    let largest = expected.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
    let difference = |(found, expected): (&E, &f64)| (found.to_f64() - expected).abs();
    // Not `f64::max`: it would pass over NaN.
    let worst = found
        .iter()
        .zip(expected)
        .map(difference)
        .fold(0.0, |most: f64, x| if x <= most { most } else { x });
    if worst == 0.0 { 0.0 } else { worst / largest }
}

/// Fails unless `found` is within [`tolerance`] of `expected`.
#[track_caller]
pub fn assert_close<E: Float>(what: &str, found: &[E], expected: &[f64]) {
    let (difference, tolerance) = (difference(found, expected), tolerance::<E>());
    println!("{what} ({}): {difference:.1e} of {tolerance:.0e}", E::NAME);
    assert!(
        difference <= tolerance,
        "{what} ({}): off by {difference:e} of the largest magnitude\nfound    {found:?}\nexpected {expected:?}",
        E::NAME
    );
}

/// A batch on the CPU.
pub fn batch<S: SampleShape, T: Element>(data: &[T]) -> Tensor<S::Batched, T> {
    Tensor::from_slice_on(Cpu::default(), data).unwrap()
}

/// A batch on a device.
pub fn batch_on<S: SampleShape, T: Element, Dev: Memory>(
    device: &Dev,
    data: &[T],
) -> Tensor<S::Batched, T, Dev> {
    Tensor::from_slice_on(device.clone(), data).unwrap()
}

/// The Vulkan device of the tests. Where there is none, says that a test is skipped, past the capture of its output;
/// or fails, where the environment has `NETFORM_REQUIRE_VULKAN=1`.
#[cfg(feature = "vulkan")]
pub fn vulkan(test: &str) -> Option<netform::gpu::Vulkan> {
    use std::io::Write;
    use std::sync::LazyLock;

    static DEVICE: LazyLock<netform::Result<netform::gpu::Vulkan>> =
        LazyLock::new(netform::gpu::Vulkan::new);
    match &*DEVICE {
        Ok(vulkan) => Some(vulkan.clone()),
        Err(e) if std::env::var("NETFORM_REQUIRE_VULKAN").is_ok_and(|value| value == "1") => {
            panic!("NETFORM_REQUIRE_VULKAN=1, but there is no device: {e}")
        }
        Err(e) => {
            let _ = writeln!(std::io::stderr(), "SKIPPED, no Vulkan device: {test}: {e}");
            None
        }
    }
}

/// The names of a network's parameters, in order.
pub fn parameter_names<N: Module>() -> Vec<&'static str> {
    N::PARAMS.iter().map(|spec| spec.name).collect()
}

/// `rows` x `cols` numbers with rows and columns exchanged.
pub fn transposed<E: Copy>(values: &[E], rows: usize, cols: usize) -> Vec<E> {
    assert_eq!(values.len(), rows * cols);
    (0..rows * cols).map(|i| values[i % rows * cols + i / rows]).collect()
}
