//! Training steps on Vulkan: one submission each, nothing allocated, and the same results whether each is waited for
//! or not; what makes no update; and what happens to steps that are under way when something else ends.

extern crate netform_core as netform;

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use common::{close, numbers, vulkan};
use netform_core::cpu::Cpu;
use netform_core::data::{InMemory, MiniBatch};
use netform_core::device::Memory;
use netform_core::dim::D;
use netform_core::error::Error;
use netform_core::loss::CrossEntropy;
use netform_core::module::Module;
use netform_core::network::Network;
use netform_core::optim::{Adam, AdamW, Optimizer, Sgd};
use netform_core::random::Seed;
use netform_core::train::{BatchRecord, Callback, EpochRecord, Trainer};
use netform_gpu::Vulkan;
use netform_macros::network;

/// Counts what the calling thread allocates in Rust; drivers have their own ways.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

fn count() {
    // A thread that ends has no counter any more.
    let _ = ALLOCATIONS.try_with(|n| n.set(n.get() + 1));
}

// SAFETY: everything is the system's.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(memory, layout) }
    }
    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller's promise.
        unsafe { System.realloc(memory, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

network! {
    Normed: [6] -> [3] {
        fc1: Linear(16, bias = false), norm: BatchNorm1d, Relu, Dropout(0.25),
        fc2: Linear(3),
    }
}

type Batch<Dev> = MiniBatch<(D<6>,), (), f32, u32, Dev>;

const SAMPLES: usize = 8;

fn batch<Dev: Memory>(device: &Dev, k: u64) -> Batch<Dev> {
    let labels = (0..SAMPLES as u64).map(|i| ((i * 7 + k) % 3) as u32).collect::<Vec<_>>();
    batch_of(device, &numbers(SAMPLES * 6, 100 + k), &labels)
}

fn batch_of<Dev: Memory>(device: &Dev, inputs: &[f32], labels: &[u32]) -> Batch<Dev> {
    let mut batch = Batch::zeros_on(device.clone(), SAMPLES).unwrap();
    batch.inputs.write(inputs).unwrap();
    batch.targets.write(labels).unwrap();
    batch
}

/// Parameters and running statistics.
fn contents<Dev: netform::device::Device<f32>>(net: &Normed<f32, Dev>) -> Vec<f32> {
    let store = net.store();
    let mut params = vec![0.0; Normed::<f32, Dev>::PARAM_LEN];
    let mut state = vec![0.0; Normed::<f32, Dev>::STATE_LEN];
    store.device.read(&store.params, 0, &mut params).unwrap();
    store.device.read(&store.state, 0, &mut state).unwrap();
    params.extend(state);
    params
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|x| x.to_bits()).collect()
}

/// Steps that are waited for one by one, at a rate that changes: losses, and what has become of the network.
fn waited<Dev, O>(device: &Dev, optimizer: O, steps: u64) -> (Vec<f32>, Vec<f32>)
where
    Dev: netform::device::Device<f32>,
    O: Optimizer,
{
    let mut net = Normed::<f32, _>::on(device.clone(), Seed(3)).unwrap();
    let mut step = net.train_step(CrossEntropy, optimizer, SAMPLES).unwrap();
    let losses = (0..steps).map(|k| {
        step.optimizer_mut().set_rate(0.01 / (k + 1) as f64);
        step.run(&batch(device, k)).unwrap()
    });
    let losses = losses.collect();
    (losses, contents(step.net()))
}

#[test]
fn a_step_is_one_submission_and_allocates_nothing() {
    if vulkan("a_step_is_one_submission_and_allocates_nothing").is_none() {
        return;
    }
    // Of their own: other tests submit to theirs. The second copies data as for a device with memory of its own.
    for vulkan in [Vulkan::new(), Vulkan::with_staging()] {
        check_counts(&vulkan.unwrap());
    }
}

fn check_counts(vulkan: &Vulkan) {
    let batches: Vec<_> = (0..3).map(|k| batch(vulkan, k)).collect();
    let mut net = Normed::<f32, _>::on(vulkan.clone(), Seed(3)).unwrap();
    let mut step = net.train_step(CrossEntropy, Adam::new(1e-3), SAMPLES).unwrap();
    for waits in [true, false] {
        // As in the trainer: batches in turn, and a rate that changes.
        let mut steps = |from: usize, to: usize| {
            for k in from..to {
                step.optimizer_mut().set_rate(1e-3 / (k + 1) as f64);
                if waits {
                    step.run(&batches[k % 3]).unwrap();
                } else {
                    step.submit(&batches[k % 3]).unwrap();
                }
            }
        };
        steps(0, 12);
        let before = (ALLOCATIONS.get(), vulkan.submissions(), vulkan.counts(), vulkan.noted());
        steps(12, 32);
        let after = (ALLOCATIONS.get(), vulkan.submissions(), vulkan.counts(), vulkan.noted());
        assert_eq!(after.1 - before.1, 20, "submissions, waits: {waits}");
        assert_eq!(after.2, before.2, "kernels compiled and passes recorded, waits: {waits}");
        assert_eq!(after.0 - before.0, 0, "allocations, waits: {waits}");
        assert_eq!(after.3 - before.3, 0, "calls noted, waits: {waits}");
    }
    // A batch that is written again and again allocates nothing either.
    let mut batches = batches;
    let (inputs, labels) = (numbers(SAMPLES * 6, 7), [0, 1, 2, 0, 1, 2, 0, 1]);
    let mut write = |count: usize| {
        for k in 0..count {
            batches[k % 3].inputs.write(&inputs).unwrap();
            batches[k % 3].targets.write(&labels).unwrap();
            step.submit(&batches[k % 3]).unwrap();
        }
    };
    write(9);
    let before = ALLOCATIONS.get();
    write(9);
    assert_eq!(ALLOCATIONS.get() - before, 0, "allocations where batches are written");
    // Batches that are gathered from what the device keeps are part of the same submission.
    const ROWS: usize = 40;
    let (mut inputs, mut labels) = (vulkan.zeros(ROWS * 6).unwrap(), vulkan.zeros(ROWS).unwrap());
    let mut order = vulkan.zeros(ROWS).unwrap();
    vulkan.write(&mut inputs, 0, &numbers(ROWS * 6, 8)).unwrap();
    vulkan.write(&mut labels, 0, &[2; ROWS]).unwrap();
    vulkan.write(&mut order, 0, &std::array::from_fn::<_, ROWS, _>(|i| i as u32)).unwrap();
    let mut gather = |count: usize| {
        for k in 0..count {
            let (batch, first) = (&mut batches[k % 3], k * 7 % (ROWS - SAMPLES));
            let to = batch.inputs.buffer_mut();
            vulkan.gather(&inputs, 6, &order, first, SAMPLES, to).unwrap();
            let to = batch.targets.buffer_mut();
            vulkan.gather(&labels, 1, &order, first, SAMPLES, to).unwrap();
            step.submit(batch).unwrap();
        }
    };
    gather(9);
    let before = (ALLOCATIONS.get(), vulkan.submissions(), vulkan.counts(), vulkan.noted());
    gather(20);
    let after = (ALLOCATIONS.get(), vulkan.submissions(), vulkan.counts(), vulkan.noted());
    assert_eq!(after.1 - before.1, 20, "submissions where batches are gathered");
    assert_eq!(after.2, before.2, "kernels compiled and passes recorded");
    assert_eq!(after.0 - before.0, 0, "allocations where batches are gathered");
    assert_eq!(after.3 - before.3, 0, "calls noted where batches are gathered");
}

#[test]
fn steps_that_are_not_waited_for_give_the_same() {
    let Some(vulkan) = vulkan("steps_that_are_not_waited_for_give_the_same") else { return };
    fn check<O: Optimizer>(vulkan: &Vulkan, optimizer: O) {
        let (expected, left) = waited(vulkan, optimizer.clone(), 9);
        let mut net = Normed::<f32, _>::on(vulkan.clone(), Seed(3)).unwrap();
        let mut step = net.train_step(CrossEntropy, optimizer.clone(), SAMPLES).unwrap();
        let (mut losses, mut outputs) = (vec![], [0.0; 3 * SAMPLES]);
        // One batch in memory that the steps under way still read: writing to it waits for them.
        let mut one = batch(vulkan, 0);
        for k in 0..9 {
            step.optimizer_mut().set_rate(0.01 / (k + 1) as f64);
            let next = batch(&Cpu::default(), k);
            one.inputs.write(&next.inputs.to_vec()).unwrap();
            one.targets.write(&next.targets.to_vec()).unwrap();
            losses.extend(step.submit(&one).unwrap());
            assert_eq!(losses.len(), k.saturating_sub(1) as usize);
        }
        while let Some(loss) = step.receive().unwrap() {
            losses.push(loss);
        }
        assert_eq!(step.read_outputs(&mut outputs).unwrap(), 3 * SAMPLES);
        assert_eq!(bits(&losses), bits(&expected));
        assert_eq!(bits(&contents(step.net())), bits(&left));
        let (on_cpu, left_on_cpu) = waited(&Cpu::default(), optimizer, 9);
        close(&losses, &on_cpu, 1.0, 1e-4, "losses");
        close(&contents(step.net()), &left_on_cpu, 1.0, 1e-4, "contents");
    }
    check(&vulkan, Adam::new(0.01));
    check(&vulkan, AdamW::new(0.01));
    check(&vulkan, Sgd::new(0.01));
    check(&vulkan, Sgd::new(0.01).momentum(0.9).nesterov(true));
}

#[test]
fn outputs_are_those_of_the_batch_whose_loss_came() {
    let Some(vulkan) = vulkan("outputs_are_those_of_the_batch_whose_loss_came") else { return };
    let outputs_of = |submits: bool| {
        let mut net = Normed::<f32, _>::on(vulkan.clone(), Seed(3)).unwrap();
        let mut step = net.train_step(CrossEntropy, Sgd::new(0.1), SAMPLES).unwrap();
        let mut all = vec![];
        let mut outputs = [0.0; 3 * SAMPLES];
        let batches: Vec<_> = (0..5).map(|k| batch(&vulkan, k)).collect();
        for batch in &batches {
            let loss = match submits {
                true => step.submit(batch).unwrap(),
                false => Some(step.run(batch).unwrap()),
            };
            if loss.is_some() {
                step.read_outputs(&mut outputs).unwrap();
                all.push(bits(&outputs));
            }
        }
        while step.receive().unwrap().is_some() {
            step.read_outputs(&mut outputs).unwrap();
            all.push(bits(&outputs));
        }
        all
    };
    let (submitted, run) = (outputs_of(true), outputs_of(false));
    assert_eq!(run.len(), 5);
    assert!(submitted == run);
    assert!(run.windows(2).all(|pair| pair[0] != pair[1]));
}

#[test]
fn a_loss_that_is_not_finite_makes_no_update() {
    let Some(vulkan) = vulkan("a_loss_that_is_not_finite_makes_no_update") else { return };
    let good = batch(&vulkan, 1);
    let labels = [0, 1, 2, 0, 1, 2, 0, 1];
    let bad = batch_of(&vulkan, &[f32::NAN; 6 * SAMPLES], &labels);
    let endless = batch_of(&vulkan, &[f32::INFINITY; 6 * SAMPLES], &labels);
    let wrong = batch_of(&vulkan, &numbers(6 * SAMPLES, 9), &[0, 1, 2, 0, 1, 3, 0, 1]);
    let train = |with: &[&Batch<Vulkan>]| {
        let mut net = Normed::<f32, _>::on(vulkan.clone(), Seed(3)).unwrap();
        let mut step = net.train_step(CrossEntropy, Adam::new(0.01), SAMPLES).unwrap();
        step.run(&good).unwrap();
        for batch in with {
            let before = bits(&contents(step.net()));
            match step.run(batch) {
                Ok(loss) => assert!(!loss.is_finite(), "{loss}"),
                Err(Error::IndexOutOfRange { index: 3, size: 3, .. }) => {}
                Err(e) => panic!("{e}"),
            }
            assert_eq!(bits(&contents(step.net())), before);
        }
        step.run(&good).unwrap();
        assert_eq!(step.net().store().steps, 2);
        bits(&contents(step.net()))
    };
    // The optimiser's state and the number of its steps are those of two updates.
    assert!(train(&[&bad, &endless, &wrong]) == train(&[]));

    // The same of steps under way: the error is that of the batch that is wrong, and the next ones count.
    let mut net = Normed::<f32, _>::on(vulkan.clone(), Seed(3)).unwrap();
    let mut step = net.train_step(CrossEntropy, Sgd::new(0.01), SAMPLES).unwrap();
    assert!(step.submit(&good).unwrap().is_none());
    assert!(step.submit(&wrong).unwrap().is_none());
    assert!(step.submit(&bad).unwrap().is_some());
    let error = step.receive().unwrap_err();
    assert!(matches!(error, Error::IndexOutOfRange { index: 3, size: 3, .. }), "{error}");
    assert!(step.receive().unwrap().unwrap().is_nan());
    assert!(step.receive().unwrap().is_none());
    assert_eq!(step.net().store().steps, 1);
    assert!(contents(step.net()).iter().all(|x| x.is_finite()));
}

#[test]
fn what_is_under_way_may_be_dropped() {
    let Some(vulkan) = vulkan("what_is_under_way_may_be_dropped") else { return };
    for k in 0..5 {
        let mut net = Normed::<f32, _>::on(vulkan.clone(), Seed(k)).unwrap();
        let one = batch(&vulkan, k);
        let mut step = net.train_step(CrossEntropy, Adam::new(0.01), SAMPLES).unwrap();
        // More than may be under way, and no outcome is asked for.
        step.submit(&one).unwrap();
        step.submit(&one).unwrap();
        drop(step);
        let mut step = net.train_step(CrossEntropy, Adam::new(0.01), SAMPLES).unwrap();
        step.submit(&one).unwrap();
        drop(one);
        let (_, _, state) = step.into_state();
        assert_eq!(state.steps, 1);
        assert!(contents(&net).iter().all(|x| x.is_finite()));
    }
    // And so may the device.
    let another = Vulkan::new().unwrap();
    let one = batch(&another, 1);
    let mut net = Normed::<f32, _>::on(another, Seed(1)).unwrap();
    let mut step = net.train_step(CrossEntropy, Adam::new(0.01), SAMPLES).unwrap();
    step.submit(&one).unwrap();
}

#[test]
fn the_trainer_gives_what_it_gives_on_the_cpu() {
    let Some(vulkan) = vulkan("the_trainer_gives_what_it_gives_on_the_cpu") else { return };
    // The last batch is smaller.
    let count = 5 * SAMPLES + 3;
    let inputs = numbers(count * 6, 50);
    let labels = inputs.chunks(6).map(|x| u32::from(x[0] > 0.0) + u32::from(x[1] > 0.3)).collect();
    let data = InMemory::<(D<6>,)>::new(inputs, labels).unwrap();
    macro_rules! history {
        ($device:expr) => {{
            let mut net = Normed::<f32, _>::on($device, Seed(3)).unwrap();
            let history = Trainer::new(CrossEntropy, Adam::new(0.01))
                .epochs(3)
                .batch(SAMPLES)
                .validate(&data)
                .fit(&mut net, &data)
                .unwrap();
            assert_eq!(net.store().steps, 18);
            history.epochs
        }};
    }
    let (found, expected) = (history!(vulkan), history!(Cpu::default()));
    // The same where data are copied to a device with memory of its own, which nobody waits for.
    let copied = history!(Vulkan::with_staging().unwrap());
    let losses = |epochs: &[EpochRecord]| {
        epochs.iter().map(|epoch| epoch.train_loss.to_bits()).collect::<Vec<_>>()
    };
    assert_eq!(losses(&copied), losses(&found));
    for (found, expected) in found.iter().zip(&expected) {
        assert!((found.train_loss - expected.train_loss).abs() < 1e-4, "{found:?} {expected:?}");
        assert_eq!(found.train_accuracy, expected.train_accuracy);
        assert_eq!(found.validation_accuracy, expected.validation_accuracy);
    }
    assert!(found[2].train_loss < found[0].train_loss);
}

/// Notes what has been allocated and submitted by the first batches of epochs.
struct Counts(Vulkan, Vec<[u64; 2]>);

impl Callback for Counts {
    fn on_batch_end(&mut self, record: &BatchRecord) -> netform::error::Result<()> {
        if record.batch == 1 {
            self.1.push([ALLOCATIONS.get(), self.0.submissions()]);
        }
        Ok(())
    }
}

#[test]
fn an_epoch_on_kept_data_allocates_nothing() {
    if vulkan("an_epoch_on_kept_data_allocates_nothing").is_none() {
        return;
    }
    for vulkan in [Vulkan::new().unwrap(), Vulkan::with_staging().unwrap()] {
        let labels = (0..5 * SAMPLES as u32 + 3).map(|i| i % 3).collect();
        let data = InMemory::<(D<6>,)>::new(numbers((5 * SAMPLES + 3) * 6, 50), labels).unwrap();
        let mut net = Normed::<f32, _>::on(vulkan.clone(), Seed(3)).unwrap();
        let mut counts = Counts(vulkan, Vec::with_capacity(8));
        Trainer::new(CrossEntropy, Adam::new(0.01))
            .epochs(8)
            .batch(SAMPLES)
            .callback(&mut counts)
            .fit(&mut net, &data)
            .unwrap();
        // The history of epochs grows before the sixth.
        let [before, after] = [counts.1[5], counts.1[7]];
        assert_eq!(after[0], before[0], "allocations");
        // Beside the steps, the order of the samples may be copied.
        let copies = [0, 2];
        assert!(copies.map(|n| 2 * 6 + n).contains(&(after[1] - before[1])), "{:?}", counts.1);
    }
}

#[test]
fn what_does_not_fit_says_what_would() {
    let Some(vulkan) = vulkan("what_does_not_fit_says_what_would") else { return };
    let mut net = Normed::<f32, _>::on(vulkan.clone(), Seed(3)).unwrap();
    let many = 1 << 40;
    let mut step =
        |batch| net.train_step::<_, _, (), u32>(CrossEntropy, Adam::new(1e-3), batch).map(|_| ());
    let error = step(many).err().unwrap().to_string();
    assert!(error.contains("a training step of `Normed`"), "{error}");
    let fits = error.strip_suffix(" would fit").and_then(|rest| rest.rsplit(' ').next()).unwrap();
    let fits: usize = fits.parse().unwrap();
    assert!(fits > 0 && fits < many, "{error}");
    step(fits).unwrap();
    assert!(step(fits + 1).is_err());
    println!("{error}");
}
