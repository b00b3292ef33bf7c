//! A step in steady state allocates nothing, but for the buffer that each call of matrixmultiply packs into;
//! and all memory is in a few buffers.
//!
//! A program of its own, without the test harness: an allocation is counted whichever thread makes it, and
//! the harness has threads that allocate.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering};

use netform::cpu::gemm_calls;
use netform::data::MiniBatch;
use netform::element::Element;
use netform::loss::{Huber, Loss};
use netform::prelude::*;
use netform::shape::SampleShape;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

/// The system's allocator, counting.
struct Counting;

// SAFETY: every call goes to `System` unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise; `ptr` came from `System`.
        unsafe { System.dealloc(ptr, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promise; `ptr` came from `System`.
        unsafe { System.realloc(ptr, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

network! {
    /// As many parameters as a classifier of irises needs.
    pub Iris: [4] -> [3] {
        fc1: Linear(16), Relu,
        fc2: Linear(3),
    }
}

network! {
    /// A LeNet-style classifier of 28x28 digits.
    pub Digits: [1, 28, 28] -> [10] {
        conv1: Conv2d(6, kernel = 5, padding = 2), Relu, MaxPool2d(2),
        conv2: Conv2d(16, kernel = 5), Relu, MaxPool2d(2),
        Flatten,
        fc1: Linear(120), Relu, Dropout(0.25),
        fc2: Linear(10),
    }
}

network! {
    /// Two layers for 28x28 digits.
    pub Mlp: [784] -> [10] {
        fc1: Linear(128), Relu,
        fc2: Linear(10),
    }
}

network! {
    /// Smooth activations, a regression.
    pub Curve: [2, 3] -> [2, 1] {
        Linear(7), Gelu, Linear(5), Tanh, Softmax, Linear(1), Sigmoid,
    }
}

network! {
    /// Running statistics and dropout, for passes by hand.
    pub Normed: [6] -> [3] { BatchNorm1d, fc1: Linear(8), Relu, Dropout(0.5), fc2: Linear(3) }

    /// A network that is its own loss.
    pub Fit: (x: [2], y: [1]) -> [] {
        let line = Linear(1);
        mean(square(line(x) - y))
    }
}

/// Steps or predictions before the first that is counted: scratch memory grows on first use.
const WARM_UP: usize = 20;
const COUNTED: usize = 10;
/// How often they are counted with several threads: each thread has scratch memory, and one that comes late
/// to its first piece of a kernel allocates late.
const ROUNDS: usize = 100;

/// Runs `f` a few times, warmed up, and expects as many allocations as calls of matrixmultiply; returns these.
fn assert_steady(what: &str, threads: usize, mut f: impl FnMut()) -> u64 {
    (0..WARM_UP).for_each(|_| f());
    let mut round = || {
        let before = (ALLOCATIONS.load(Ordering::Relaxed), gemm_calls());
        (0..COUNTED).for_each(|_| f());
        (ALLOCATIONS.load(Ordering::Relaxed) - before.0, gemm_calls() - before.1)
    };
    let rounds = if threads == 1 { 1 } else { ROUNDS };
    let mut last = (0, 0);
    for _ in 0..rounds {
        last = round();
        if last.0 == last.1 {
            return last.1;
        }
    }
    let (allocations, calls) = last;
    panic!("{what}, {threads} threads: {allocations} allocations, {calls} calls of matrixmultiply")
}

/// Trains and predicts; returns the calls of matrixmultiply of both.
fn check<N, L, O, Y, T>(mut net: N, loss: L, optimizer: O, samples: usize) -> [u64; 2]
where
    N: Network<Device = Cpu, InputElement = <N as Module>::Elem>,
    L: Loss<N::Elem, N::Output, Y, T> + Clone,
    O: Optimizer,
    Y: SampleShape,
    T: Element,
{
    let device = net.store().device.clone();
    let threads = device.threads();
    let batch = MiniBatch::<N::Input, Y, N::Elem, T>::zeros_on(device, samples).unwrap();
    let slots = optimizer.slots();
    let mut step = net.train_step(loss.clone(), optimizer, samples).unwrap();
    let trained = assert_steady(N::NAME, threads, || {
        step.run(&batch).unwrap();
    });

    // Gradients, workspace with the loss's, its constants, and the optimiser's state; nothing else.
    let workspace =
        N::train_workspace(netform::module::Extent::of(samples)) + loss.workspace(samples);
    let constants = loss.constants().unwrap().len();
    let elements = N::PARAM_LEN + workspace + constants + slots * N::PARAM_LEN;
    assert_eq!(step.memory_bytes(), elements * size_of::<N::Elem>(), "{}", N::NAME);

    let mut predictor = net.predictor(samples).unwrap();
    let predicted = assert_steady(N::NAME, threads, || {
        predictor.run(&batch.inputs).unwrap();
    });
    [trained, predicted]
}

/// Passes and updates by hand.
fn check_by_hand(cpu: &Cpu) {
    let threads = cpu.threads();
    let mut net = Normed::<f32>::on(cpu.clone(), Seed(1)).unwrap();
    let x = Tensor::zeros_on(cpu.clone(), (Batch(9), D::<6>)).unwrap();
    let labels = Tensor::<(Batch,), u32>::zeros_on(cpu.clone(), (Batch(9),)).unwrap();
    let mut loss = LossGradient::new(CrossEntropy);
    let mut sum = Gradients::zeros(&net).unwrap();
    let mut updater = Updater::new(Adam::new(1e-3));
    let mut workspace = net.workspace(Mode::Train).unwrap();
    assert_steady("passes by hand", threads, || {
        sum.clear().unwrap();
        for _ in 0..2 {
            let pass = workspace.forward(&net, &x).unwrap();
            let (_, gradient) = loss.run(pass.outputs(), &labels).unwrap();
            sum.accumulate(pass.backward(gradient).unwrap()).unwrap();
        }
        sum.scale(0.5).unwrap();
        sum.norm().unwrap();
        updater.apply(&sum, &mut net).unwrap();
    });
    let mut fit = Fit::<f32>::on(cpu.clone(), Seed(1)).unwrap();
    let x = Tensor::zeros_on(cpu.clone(), (Batch(9), D::<2>)).unwrap();
    let y = Tensor::zeros_on(cpu.clone(), (Batch(9), D::<1>)).unwrap();
    let mut step = fit.loss_step(Sgd::new(0.1), 9).unwrap();
    assert_steady("steps of an own loss", threads, || {
        step.run((&x, &y)).unwrap();
    });
}

/// Steps and predictions allocate nothing but packing buffers.
fn main() {
    for threads in [1, 2] {
        let cpu = Cpu::with_threads(threads);
        let seed = Seed(1);
        let small = [
            check::<_, _, _, (), u32>(
                Iris::<f32>::on(cpu.clone(), seed).unwrap(),
                CrossEntropy,
                Adam::new(1e-2),
                16,
            ),
            check::<_, _, _, (), u32>(
                Iris::<f64>::on(cpu.clone(), seed).unwrap(),
                CrossEntropy,
                Sgd::new(0.1),
                16,
            ),
            check::<_, _, _, (D<2>, D<1>), f32>(
                Curve::<f32>::on(cpu.clone(), seed).unwrap(),
                Mse,
                AdamW::new(1e-2),
                16,
            ),
            check::<_, _, _, (D<2>, D<1>), f32>(
                Curve::<f32>::on(cpu.clone(), seed).unwrap(),
                BceWithLogits,
                Sgd::new(0.1),
                1,
            ),
            check::<_, _, _, (), u32>(
                Iris::<f32>::on(cpu.clone(), seed).unwrap(),
                CrossEntropy.weights([1.0, 2.0, 3.0]).smoothing(0.1),
                Sgd::new(0.1),
                16,
            ),
            check::<_, _, _, (D<2>, D<1>), f32>(
                Curve::<f32>::on(cpu.clone(), seed).unwrap(),
                Huber::new(0.5),
                Sgd::new(0.1),
                16,
            ),
        ];
        assert_eq!(small, [[0; 2]; 6], "calls of matrixmultiply for small networks");
        check_by_hand(&cpu);
        let momentum = Sgd::new(0.1).momentum(0.9);
        let lenet = Digits::<f32>::on(cpu.clone(), seed).unwrap();
        println!("LeNet: {:?}", check::<_, _, _, (), u32>(lenet, CrossEntropy, momentum, 64));
        let mlp = Mlp::<f32>::on(cpu.clone(), seed).unwrap();
        println!("Mlp: {:?}", check::<_, _, _, (), u32>(mlp, CrossEntropy, Adam::new(1e-3), 64));
    }
    println!("test steps_and_predictions_allocate_nothing_but_packing_buffers ... ok");
}
