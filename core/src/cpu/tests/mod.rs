//! Every kernel against its twin in `naive`, on sizes that are multiples of nothing, in both element
//! types, with every set of instructions that the processor has, and with the same bits for 1 and 3 threads.

macro_rules! both {
    ($check:ident, $($arg:expr),*) => {
        $check::<f32>($($arg),*);
        $check::<f64>($($arg),*);
    };
}

pub(super) mod level;

mod blocking;
mod elementwise;
mod movement;
mod products;
mod rows;

use super::simd::Level;
use super::{Cpu, CpuBuffer, CpuRun};
use crate::device::{Access, Arg, Bindings, Counter, Device, Grid, Memory, Run, Slot, Span};
use crate::element::Float;
use crate::error::Result;
use crate::random::{Rng, Seed};

const COUNTER: Counter = Counter { seed: 7 << 33 | 5, step: 3, first_sample: 11 };

fn cpus() -> [Cpu; 2] {
    [1, 3].map(Cpu::with_threads)
}

/// Numbers that f32 holds exactly.
fn numbers(len: usize, stream: u64) -> Vec<f64> {
    let mut rng = Rng::new(Seed(1), stream);
    (0..len).map(|_| f64::from((rng.uniform() * 2.0 - 1.0) as f32)).collect()
}

fn buffer<E: Float>(cpu: &Cpu, data: &[f64]) -> CpuBuffer<E> {
    let mut buffer = cpu.zeros(data.len()).unwrap();
    let data: Vec<E> = data.iter().map(|&x| E::from_f64(x)).collect();
    cpu.write(&mut buffer, 0, &data).unwrap();
    buffer
}

fn input(i: u8, len: usize) -> Span {
    Span::new(Slot::Input(i), 0, len)
}

/// Runs kernels that read inputs and indices and write the workspace, which begins as `workspace`.
fn try_run<E: Float>(
    cpu: &Cpu,
    workspace: &[f64],
    inputs: &[&[f64]],
    indices: &[u32],
    f: impl Fn(&mut CpuRun<'_, E>),
) -> Result<Vec<f64>> {
    let mut out = buffer::<E>(cpu, workspace);
    let inputs: Vec<CpuBuffer<E>> = inputs.iter().map(|data| buffer(cpu, data)).collect();
    let mut index = cpu.zeros::<u32>(indices.len())?;
    cpu.write(&mut index, 0, indices)?;
    let mut bindings =
        Bindings { workspace: Access::Write(&mut out), counter: COUNTER, ..Bindings::default() };
    for (slot, buffer) in bindings.inputs.iter_mut().zip(&inputs) {
        *slot = Some(buffer);
    }
    bindings.indices[0] = Some(&index);
    let mut run = cpu.run(bindings);
    f(&mut run);
    run.finish()?;
    Ok(out.as_slice().iter().map(|x| x.to_f64()).collect())
}

/// What kernels made with each level, lowest first.
type Made = Vec<(Level, Vec<f64>)>;

/// As [`try_run`] into `len` elements of rubbish, with every level, and for every number of threads with the same bits.
fn run<E: Float>(
    cpus: &[Cpu],
    len: usize,
    inputs: &[&[f64]],
    f: impl Fn(&mut CpuRun<'_, E>),
) -> Made {
    run_into(cpus, &vec![1e30; len], inputs, &[], f)
}

/// As [`run`], into a workspace that begins as `workspace`, and with indices.
fn run_into<E: Float>(
    cpus: &[Cpu],
    workspace: &[f64],
    inputs: &[&[f64]],
    indices: &[u32],
    f: impl Fn(&mut CpuRun<'_, E>),
) -> Made {
    let bits = |result: &[f64]| result.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    level::with_each(|| {
        let run = |cpu| try_run::<E>(cpu, workspace, inputs, indices, &f).unwrap();
        let first = run(&cpus[0]);
        for cpu in &cpus[1..] {
            assert!(bits(&run(cpu)) == bits(&first), "bits depend on the threads");
        }
        first
    })
}

/// Compares what each level made; `scale` is the size of the terms that were summed.
fn close<E: Float>(made: &Made, expected: &[f64], scale: f64, what: &str) {
    for (level, found) in made {
        close_at::<E>(found, expected, scale, &format!("{what}, {level:?}, {}", E::NAME));
    }
}

fn close_at<E: Float>(found: &[f64], expected: &[f64], scale: f64, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let epsilon = if E::NAME == "F32" { 2e-6 } else { 1e-14 };
    for (i, (x, y)) in found.iter().zip(expected).enumerate() {
        let same = x == y || x.is_nan() && y.is_nan();
        assert!(
            same || (x - y).abs() <= epsilon * scale.max(y.abs()),
            "{what}: {x} is not {y} at {i}"
        );
    }
}

fn out(len: usize) -> Span {
    Span::new(Slot::Workspace, 0, len)
}

fn view(span: Span, strides: Grid) -> Arg {
    Arg::View { span, strides }
}
