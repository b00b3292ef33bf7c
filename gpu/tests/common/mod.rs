//! The device of the tests, and comparisons with the CPU.

#![allow(dead_code)]

use std::io::Write;
use std::sync::LazyLock;

use netform_core::device::{Arg, Grid, Slot, Span};
use netform_core::random::{Rng, Seed};
use netform_gpu::Vulkan;

/// The best device; with lower limits where the environment variable `NETFORM_LIMITS` names those of a binding and of an
/// allocation, in bytes: `NETFORM_LIMITS=32768,65536` runs most tests on tensors in windows. Those whose tensors are
/// more windows than a kernel has bindings end in the error that says so.
fn device() -> netform_core::error::Result<Vulkan> {
    let variable = std::env::var("NETFORM_LIMITS").unwrap_or_default();
    let limits: Vec<u64> = variable.split(',').filter_map(|limit| limit.parse().ok()).collect();
    match limits[..] {
        [buffer, allocation] => Vulkan::with_limits(buffer, allocation, true),
        _ => Vulkan::new(),
    }
}

static DEVICE: LazyLock<Option<Vulkan>> = LazyLock::new(|| match device() {
    Ok(vulkan) => Some(vulkan),
    Err(e) if std::env::var("NETFORM_REQUIRE_VULKAN").is_ok_and(|value| value == "1") => {
        panic!("NETFORM_REQUIRE_VULKAN=1, but there is no device: {e}")
    }
    Err(e) => {
        say(&format!("no Vulkan device: {e}"));
        None
    }
});

/// To the terminal, past the capture of the test's output.
pub fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// The device; says that a test is skipped where there is none.
pub fn vulkan(test: &str) -> Option<Vulkan> {
    let device = DEVICE.clone();
    if device.is_none() {
        say(&format!("SKIPPED (no Vulkan device): {test}"));
    }
    device
}

/// Numbers from -1 to 1.
pub fn numbers(len: usize, stream: u64) -> Vec<f32> {
    let mut rng = Rng::new(Seed(1), stream);
    (0..len).map(|_| (rng.uniform() * 2.0 - 1.0) as f32).collect()
}

/// The first elements of an input.
pub fn input(i: u8, len: usize) -> Span {
    Span::new(Slot::Input(i), 0, len)
}

/// Elements of the workspace.
pub fn work(offset: usize, len: usize) -> Span {
    Span::new(Slot::Workspace, offset, len)
}

/// A span with strides.
pub fn view(span: Span, strides: Grid) -> Arg {
    Arg::View { span, strides }
}

/// The largest difference, relative to the larger of `scale` and the expected value.
pub fn difference(found: &[f32], expected: &[f32], scale: f32) -> (f32, usize) {
    assert_eq!(found.len(), expected.len());
    let mut worst = (0.0, 0);
    for (i, (&x, &y)) in found.iter().zip(expected).enumerate() {
        if x == y || x.is_nan() && y.is_nan() {
            continue;
        }
        let difference = (x - y).abs() / y.abs().max(scale);
        if difference.is_nan() || difference > worst.0 {
            worst = (if difference.is_nan() { f32::INFINITY } else { difference }, i);
        }
    }
    worst
}

/// Fails where a value differs by more than `bound`, relative to the larger of `scale` and itself.
#[track_caller]
pub fn close(found: &[f32], expected: &[f32], scale: f32, bound: f32, what: &str) {
    let (worst, i) = difference(found, expected, scale);
    assert!(worst <= bound, "{what}: {} is not {} at {i}: {worst:e}", found[i], expected[i]);
    println!("{what}: {worst:e}");
}

/// Runs calls of kernels on a device, and returns what they have written to `len` elements of workspace, which begin as
/// rubbish. Inputs are slices; indices go to the first slot of integers.
#[macro_export]
macro_rules! on {
    ($device:expr, $len:expr, $inputs:expr, $indices:expr, |$k:ident| $body:block) => {{
        use netform_core::device::{Access, Bindings, Counter, Device, Memory, Run};
        let (device, inputs) = ($device, $inputs);
        let (inputs, indices): (&[&[f32]], &[u32]) = (&inputs, $indices);
        let mut out = device.zeros::<f32>($len).unwrap();
        let unwritten: Vec<f32> = std::iter::repeat_n(1e30, $len).collect();
        device.write(&mut out, 0, &unwritten).unwrap();
        let held: Vec<_> = inputs
            .iter()
            .map(|data| {
                let mut buffer = device.zeros::<f32>(data.len()).unwrap();
                device.write(&mut buffer, 0, data).unwrap();
                buffer
            })
            .collect();
        let mut index = device.zeros::<u32>(indices.len()).unwrap();
        device.write(&mut index, 0, indices).unwrap();
        let counter = Counter { seed: 7 << 33 | 5, step: 3, first_sample: 11 };
        let mut bindings =
            Bindings { workspace: Access::Write(&mut out), counter, ..Bindings::default() };
        for (slot, buffer) in bindings.inputs.iter_mut().zip(&held) {
            *slot = Some(buffer);
        }
        bindings.indices[0] = Some(&index);
        let mut run = device.run(bindings);
        {
            let $k = &mut run;
            $body
        }
        run.finish().and_then(|()| {
            let mut data = vec![0.0_f32; $len];
            device.read(&out, 0, &mut data)?;
            Ok(data)
        })
    }};
}

/// As [`on`], on the CPU and on Vulkan.
#[macro_export]
macro_rules! on_both {
    ($vulkan:expr, $len:expr, $inputs:expr, $indices:expr, |$k:ident| $body:block) => {{
        let inputs: Vec<&[f32]> = $inputs;
        let cpu = &netform_core::cpu::Cpu::default();
        let expected = $crate::on!(cpu, $len, &inputs, $indices, |$k| $body);
        let found = $crate::on!(&$vulkan, $len, &inputs, $indices, |$k| $body);
        (found, expected)
    }};
}
