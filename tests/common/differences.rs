//! Gradients of printed code against central differences, in f64. A case is one line: the name of an output,
//! the shape of a sample of it, and its expression.

// Most tests have no such cases.
#![allow(unused_imports, unused_macros)]

use netform::prelude::*;

/// The points that a slope is taken from are once and twice this far away.
const STEP: f64 = 5e-4;
/// How far gradients may be from differences, relative to the largest of a tensor.
const TOLERANCE: f64 = 1e-7;
/// What counts as the largest at least: gradients that are zero have rounding errors.
const LEAST: f64 = 1e-2;

/// A module for each group of cases, which are the outputs of one network: its inputs, of which there are at
/// least two; indices, each below a number; what stands in front of the cases; and the cases, at least two.
macro_rules! differences {
    ($(
        $group:ident: ($($x:ident: $shape:tt),+ $(; $($i:ident: u32 $index:tt below $n:literal),+)?)
        $({ $($before:tt)* })? => { $($case:ident: $out:tt { $($body:tt)* })+ }
    )*) => { $(
        mod $group {
            #[allow(unused_imports)]
            use super::*;
            use common::differences::{Pass, batched, check, drawn_indices};

            network! {
                #[doc = stringify!($group)]
                pub Net: ($($x: $shape),+ $($(, $i: u32 $index)+)?) -> ($($out),+) {
                    $($($before)*)?
                    ($(($($body)*)),+)
                }
            }

            #[test]
            fn agrees() {
                for samples in [1, 3] {
                    let mut net = Net::<f64>::on(Cpu::default(), Seed(1)).unwrap();
                    let indices: Vec<Vec<u32>> =
                        drawn_indices::<Net<f64>>(samples, &[$($($n),+)?]);
                    let mut workspace = net.workspace(netform::pullback::Mode::Train).unwrap();
                    check::<Net<f64>>(&[$(stringify!($case)),+], samples, &mut |at, seeds| {
                        for (name, values) in common::parameter_names::<Net<f64>>().iter().zip(&at.params) {
                            net.set_parameter(name, values).unwrap();
                        }
                        let mut next = at.inputs.iter();
                        $(let $x = Tensor::<batched!($shape), f64>::from_vec(next.next().unwrap().clone()).unwrap();)+
                        #[allow(unused_mut, unused_variables)]
                        let mut next = indices.iter();
                        $($(let $i = Tensor::<batched!($index), u32>::from_vec(next.next().unwrap().clone()).unwrap();)+)?
                        let pass = workspace.forward(&net, ($(&$x,)+ $($(&$i,)+)?)).unwrap();
                        let ($($case,)+) = pass.outputs();
                        let outputs = vec![$($case.to_vec()),+];
                        let mut gradients = vec![];
                        if let Some(seeds) = seeds {
                            let mut next = seeds.iter();
                            $(let $case = Tensor::from_vec(next.next().unwrap().clone()).unwrap();)+
                            let all = pass.backward(&($($case,)+)).unwrap();
                            let ($($x,)+) = all.inputs().unwrap();
                            gradients.extend([$($x.to_vec()),+]);
                            for name in common::parameter_names::<Net<f64>>() {
                                gradients.push(all.get(name).unwrap());
                            }
                        }
                        Pass { outputs, gradients }
                    });
                }
            }
        }
    )* };
}
pub(crate) use differences;

/// The type of the shape of a batch of samples.
macro_rules! batched {
    ([$($size:literal),*]) => { (Batch, $(netform::prelude::D<$size>,)*) };
}
pub(crate) use batched;

/// Where derivatives are taken: float inputs, and parameters.
#[derive(Clone)]
pub struct Point {
    pub inputs: Vec<Vec<f64>>,
    pub params: Vec<Vec<f64>>,
}

/// What a pass gives: the outputs; and for gradients of those, the gradients of inputs and of parameters.
pub struct Pass {
    pub outputs: Vec<Vec<f64>>,
    pub gradients: Vec<Vec<f64>>,
}

type Run<'r> = &'r mut dyn FnMut(&Point, Option<&[Vec<f64>]>) -> Pass;

/// The elements of a sample of each input, of integers or of floats.
fn sizes<N: Module>(integer: bool) -> Vec<usize> {
    let inputs = N::INPUTS.iter().filter(|port| port.integer == integer);
    // A case has no sizes that only a run knows.
    inputs.map(|port| port.axes.iter().filter_map(|axis| axis.size()).product()).collect()
}

/// Values of the integer inputs, below the given numbers; some are equal.
pub fn drawn_indices<N: Module>(samples: usize, below: &[usize]) -> Vec<Vec<u32>> {
    let mut rng = Rng::new(Seed(21), samples as u64);
    let sizes = sizes::<N>(true).into_iter().zip(below);
    let draw =
        |(size, n): (usize, &usize)| (0..samples * size).map(|_| rng.below(*n) as u32).collect();
    sizes.map(draw).collect()
}

/// Numbers from -1.5 to 1.5 of which no two are near each other, or near 0: windows have one maximum.
fn distinct(rng: &mut Rng, n: usize) -> Vec<f64> {
    let apart = 3.0 / n as f64;
    let mut numbers: Vec<f64> = (0..n).map(|i| (i as f64 + 0.3) * apart - 1.5).collect();
    for i in (1..n).rev() {
        numbers.swap(i, rng.below(i + 1));
    }
    numbers
}

/// Compares the gradients of each output, weighted at random, with differences.
pub fn check<N: Module>(outputs: &[&str], samples: usize, run: Run) {
    let mut rng = Rng::new(Seed(22), samples as u64);
    let inputs = sizes::<N>(false).into_iter().map(|n| distinct(&mut rng, samples * n)).collect();
    let lens = N::PARAMS.iter().map(|spec| spec.shape.iter().product());
    let params: Vec<Vec<f64>> = lens.map(|n: usize| distinct(&mut rng, n)).collect();
    let mut names: Vec<&str> =
        N::INPUTS.iter().filter(|port| !port.integer).map(|port| port.name).collect();
    names.extend(N::PARAMS.iter().map(|spec| spec.name));
    let what = format!("{samples} samples");
    check_outputs(&what, outputs, &names, &Point { inputs, params }, &mut rng, run);
}

fn check_outputs(
    what: &str,
    outputs: &[&str],
    names: &[&str],
    at: &Point,
    rng: &mut Rng,
    run: Run,
) {
    let lens: Vec<usize> = run(at, None).outputs.iter().map(Vec::len).collect();
    let seeds: Vec<Vec<f64>> = lens.iter().map(|n| distinct(rng, *n)).collect();
    let slopes = slopes(at, &seeds, run);
    for (k, output) in outputs.iter().enumerate() {
        let only = |(i, seed): (usize, &Vec<f64>)| {
            if i == k { seed.clone() } else { vec![0.0; seed.len()] }
        };
        let only: Vec<Vec<f64>> = seeds.iter().enumerate().map(only).collect();
        let gradients = run(at, Some(&only)).gradients;
        for ((name, found), slopes) in names.iter().zip(&gradients).zip(&slopes) {
            let expected: Vec<f64> = slopes.iter().map(|of| of[k]).collect();
            let largest = expected.iter().fold(LEAST, |most, x| most.max(x.abs()));
            let near = |(a, b): (&f64, &f64)| (a - b).abs() <= TOLERANCE * largest;
            assert!(
                found.len() == expected.len() && found.iter().zip(&expected).all(near),
                "{output} by {name}, {what}:\nfound    {found:?}\nexpected {expected:?}"
            );
        }
    }
}

/// For each input and parameter, and each of its elements, the slope of each output's weighted sum: with an
/// error of the fourth order of the step.
fn slopes(at: &Point, seeds: &[Vec<f64>], run: Run) -> Vec<Vec<Vec<f64>>> {
    let mut sums = |at: &Point| -> Vec<f64> {
        let outputs = run(at, None).outputs;
        let sum = |(y, w): (&Vec<f64>, &Vec<f64>)| y.iter().zip(w).map(|(y, w)| y * w).sum();
        outputs.iter().zip(seeds).map(sum).collect()
    };
    let lens: Vec<usize> = at.inputs.iter().chain(&at.params).map(Vec::len).collect();
    let mut at = at.clone();
    let mut slope = |tensor: usize, i: usize| -> Vec<f64> {
        let mut moved = |by: f64| {
            let count = at.inputs.len();
            let all = if tensor < count {
                &mut at.inputs[tensor]
            } else {
                &mut at.params[tensor - count]
            };
            let was = all[i];
            all[i] += by;
            let sums = sums(&at);
            match tensor.checked_sub(count) {
                None => at.inputs[tensor][i] = was,
                Some(param) => at.params[param][i] = was,
            }
            sums
        };
        let near = [moved(STEP), moved(-STEP)];
        let far = [moved(2.0 * STEP), moved(-2.0 * STEP)];
        let one =
            |k: usize| (8.0 * (near[0][k] - near[1][k]) - (far[0][k] - far[1][k])) / (12.0 * STEP);
        (0..seeds.len()).map(one).collect()
    };
    lens.iter().enumerate().map(|(t, n)| (0..*n).map(|i| slope(t, i)).collect()).collect()
}
