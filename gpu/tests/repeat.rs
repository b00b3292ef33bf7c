//! Steps that are repeated without their calls of kernels: none is noted in steady state, and whatever changes between
//! steps gives the bits that it gives on a device which notes all calls of every step.

extern crate netform_core as netform;

mod common;

use common::{numbers, vulkan};
use netform_core::data::{InMemory, MiniBatch};
use netform_core::device::{Access, Arg, Bindings, Device, Kernels, Memory, Slot, Span};
use netform_core::dim::{Batch, D, Len};
use netform_core::loss::CrossEntropy;
use netform_core::module::Module;
use netform_core::network::Network;
use netform_core::optim::{Adam, Optimizer, Part, RmsProp, Sgd};
use netform_core::random::Seed;
use netform_core::schedule::Warmup;
use netform_core::step::TrainStep;
use netform_core::tensor::Tensor;
use netform_core::train::Trainer;
use netform_core::update::Rules;
use netform_core::weights::Weights;
use netform_gpu::Vulkan;
use netform_macros::network;

network! {
    Net(rate: f32): [6] -> [3] {
        fc1: Linear(16, bias = false), norm: BatchNorm1d, Relu, Dropout(rate), fc2: Linear(3),
    }

    /// A loss of sequences whose length is known only at run time.
    Lines<T>: (x: [T, 2], y: [T, 1]) -> [] {
        let line = Linear(1);
        mean(square(line(x) - y))
    }
}

type Samples = MiniBatch<(D<6>,), (), f32, u32, Vulkan>;
type Step<'n, O> = TrainStep<'n, Net<f32, Vulkan>, CrossEntropy, O, (), u32>;

const SAMPLES: usize = 8;

fn samples(vulkan: &Vulkan, k: u64) -> Samples {
    let mut batch = Samples::zeros_on(vulkan.clone(), SAMPLES).unwrap();
    batch.inputs.write(&numbers(SAMPLES * 6, 100 + k)).unwrap();
    let labels: Vec<u32> = (0..SAMPLES as u64).map(|i| ((i * 7 + k) % 3) as u32).collect();
    batch.targets.write(&labels).unwrap();
    batch
}

/// Parameters and running statistics, as bits.
fn contents(net: &Net<f32, Vulkan>) -> Vec<u32> {
    let store = net.store();
    let mut all = vec![];
    for (buffer, len) in [
        (&store.params, Net::<f32, Vulkan>::PARAM_LEN),
        (&store.state, Net::<f32, Vulkan>::STATE_LEN),
    ] {
        let mut values = vec![0.0; len];
        store.device.read(buffer, 0, &mut values).unwrap();
        all.extend(values.into_iter().map(f32::to_bits));
    }
    all
}

/// What a script of steps leaves, on a device that repeats some of them and on one that does not. Says how many calls the
/// former has noted, and how many the latter.
fn both<R: PartialEq + std::fmt::Debug>(script: impl Fn(&Vulkan) -> R) -> [u64; 2] {
    let [noted, all] = compared(script);
    assert!(noted < all, "nothing was repeated: {noted} {all}");
    [noted, all]
}

/// [`both`], where none need be repeated.
fn compared<R: PartialEq + std::fmt::Debug>(script: impl Fn(&Vulkan) -> R) -> [u64; 2] {
    let devices = [Vulkan::new().unwrap(), Vulkan::without_repeats().unwrap()];
    let [found, expected] = [0, 1].map(|i| script(&devices[i]));
    assert!(found == expected, "{found:?} is not {expected:?}");
    devices.map(|device| device.noted())
}

/// [`both`] for a script of one training step, which gets batches that stay.
fn check<O: Optimizer>(
    optimizer: O,
    script: impl Fn(Step<'_, O>, &[Samples], &mut Vec<u32>),
) -> [u64; 2] {
    both(|vulkan| {
        let batches: Vec<_> = (0..3).map(|k| samples(vulkan, k)).collect();
        let mut net = Net::<f32, _>::on(vulkan.clone(), Seed(3), 0.25).unwrap();
        let mut losses = vec![];
        let step = net.train_step(CrossEntropy, optimizer.clone(), SAMPLES).unwrap();
        script(step, &batches, &mut losses);
        (losses, contents(&net))
    })
}

/// Some steps that are under way together, on batches in turn.
fn some<O: Optimizer>(step: &mut Step<'_, O>, batches: &[Samples], losses: &mut Vec<u32>) {
    for batch in batches.iter().cycle().take(7) {
        losses.extend(step.submit(batch).unwrap().map(f32::to_bits));
    }
    while let Some(loss) = step.receive().unwrap() {
        losses.push(loss.to_bits());
    }
}

#[test]
fn no_call_is_noted_in_steady_state() {
    if vulkan("no_call_is_noted_in_steady_state").is_none() {
        return;
    }
    for vulkan in [Vulkan::new().unwrap(), Vulkan::with_staging().unwrap()] {
        let batches: Vec<_> = (0..3).map(|k| samples(&vulkan, k)).collect();
        let mut net = Net::<f32, _>::on(vulkan.clone(), Seed(3), 0.25).unwrap();
        let mut step = net.train_step(CrossEntropy, Adam::new(0.01), SAMPLES).unwrap();
        let mut losses = vec![];
        (0..2).for_each(|_| some(&mut step, &batches, &mut losses));
        let before = vulkan.noted();
        assert!(before > 0);
        for k in 0..5 {
            // The rate, too, is a number of the update.
            step.optimizer_mut().set_rate(0.01 / (k + 1) as f64);
            some(&mut step, &batches, &mut losses);
        }
        assert_eq!(vulkan.noted(), before);
    }
}

#[test]
fn no_call_is_noted_in_an_epoch_of_the_trainer() {
    if vulkan("no_call_is_noted_in_an_epoch_of_the_trainer").is_none() {
        return;
    }
    let count = 5 * SAMPLES + 3;
    let labels = (0..count as u32).map(|i| i % 3).collect();
    let data = InMemory::<(D<6>,)>::new(numbers(count * 6, 50), labels).unwrap();
    let rules = Rules::new()
        .accumulate(2)
        .clip_norm(0.5)
        .freeze("fc1")
        .schedule(Warmup::new(4).start(0.5))
        .average(0.5)
        .gradient_norms();
    for rules in [Rules::new(), rules] {
        let noted = |vulkan: Vulkan, epochs: usize| {
            let mut net = Net::<f32, _>::on(vulkan.clone(), Seed(3), 0.25).unwrap();
            Trainer::new(CrossEntropy, Sgd::new(0.05))
                .epochs(epochs)
                .batch(SAMPLES)
                .rules(rules.clone())
                .fit(&mut net, &data)
                .unwrap();
            (contents(&net), vulkan.noted())
        };
        // The data are kept on the device, and gathered in steps; the last batch of an epoch is smaller.
        let [few, many] = [6, 12].map(|epochs| noted(Vulkan::new().unwrap(), epochs));
        assert_eq!(few.1, many.1, "calls noted in later epochs");
        let all = noted(Vulkan::without_repeats().unwrap(), 12);
        assert!(all.1 > 3 * many.1, "{} {}", all.1, many.1);
        assert!(all.0 == many.0);
    }
}

#[test]
fn settings_that_change_are_not_stale() {
    if vulkan("settings_that_change_are_not_stale").is_none() {
        return;
    }
    check(Adam::new(0.01), |mut step, batches, losses| {
        // Back to one that has been, with steps of another one in recordings between.
        for rate in [0.25, 0.25, 0.75, 0.25, 0.0, 0.75, 0.75] {
            step.net_mut().set("rate", rate).unwrap();
            some(&mut step, batches, losses);
        }
        // With each step: recordings that are under way have other numbers.
        for (k, batch) in batches.iter().cycle().take(12).enumerate() {
            step.net_mut().set("rate", [0.25, 0.5, 0.25, 0.25][k % 4]).unwrap();
            losses.extend(step.submit(batch).unwrap().map(f32::to_bits));
        }
    });
}

#[test]
fn an_optimiser_that_changes_is_not_stale() {
    if vulkan("an_optimiser_that_changes_is_not_stale").is_none() {
        return;
    }
    let sgd = Sgd::new(0.05).momentum(0.9).weight_decay(0.1);
    check(sgd, |mut step, batches, losses| {
        some(&mut step, batches, losses);
        *step.optimizer_mut() = Sgd::new(0.02).momentum(0.5).nesterov(true);
        some(&mut step, batches, losses);
        *step.optimizer_mut() = sgd;
        some(&mut step, batches, losses);
    });
    // Two formulas of as many slots.
    let plain = RmsProp::new(0.01).centered(true);
    check(plain, |mut step, batches, losses| {
        some(&mut step, batches, losses);
        *step.optimizer_mut() = RmsProp::new(0.01).centered(true).momentum(0.9).alpha(0.5);
        some(&mut step, batches, losses);
    });
    // One whose calls are others now and then.
    check(Fickle { rate: 0.01 }, |mut step, batches, losses| {
        (0..4).for_each(|_| some(&mut step, batches, losses));
    });
}

/// Makes two calls in every fifth update, another one in every seventh, and writes elsewhere in every eleventh.
#[derive(Clone, Debug)]
struct Fickle {
    rate: f64,
}

impl Optimizer for Fickle {
    fn name(&self) -> &'static str {
        "Fickle"
    }
    fn slots(&self) -> usize {
        0
    }
    fn rate(&self) -> f64 {
        self.rate
    }
    fn set_rate(&mut self, rate: f64) {
        self.rate = rate;
    }
    fn decays(&self) -> bool {
        false
    }
    fn update<E: netform::element::Float, K: Kernels<E>>(&self, k: &mut K, part: &Part) {
        let len = if part.step.is_multiple_of(11) { part.len / 2 } else { part.len };
        let [w, g] = [Slot::Params, Slot::Grads].map(|slot| Span::new(slot, part.offset, len));
        let each = |span| Arg::View { span, strides: [0, 0, 0, 1] };
        let rate = [E::from_f64(self.rate)];
        for _ in 0..if part.step.is_multiple_of(5) { 2 } else { 1 } {
            if part.step.is_multiple_of(7) {
                let f = |[w, g]: [E; 2], [c]: [E; 1]| [w + c * g];
                k.map([w], [1, 1, 1, len], [each(w), each(g)], rate, f, &["a0 + c0 * a1"]);
            } else {
                let f = |[w, g]: [E; 2], [c]: [E; 1]| [w - c * g];
                k.map([w], [1, 1, 1, len], [each(w), each(g)], rate, f, &["a0 - c0 * a1"]);
            }
        }
    }
}

#[test]
fn rules_that_change_are_not_stale() {
    if vulkan("rules_that_change_are_not_stale").is_none() {
        return;
    }
    check(Adam::new(0.01), |mut step, batches, losses| {
        some(&mut step, batches, losses);
        // Parameters and running statistics that stay from here on.
        step = step.freeze("fc1").freeze("norm").clip_norm(0.1);
        some(&mut step, batches, losses);
        step = step.rules(Rules::new().average(0.9).schedule(Warmup::new(20)).gradient_norms());
        some(&mut step, batches, losses);
        losses.extend(step.gradient_norm().map(|norm| (norm as f32).to_bits()));
        // Other buffers, and the former ones again.
        step.exchange_average();
        some(&mut step, batches, losses);
        step.exchange_average();
        some(&mut step, batches, losses);
        step = step.rules(Rules::new().accumulate(3).clip_value(0.01));
        (0..3).for_each(|_| some(&mut step, batches, losses));
    });
}

#[test]
fn batches_that_change_are_not_stale() {
    if vulkan("batches_that_change_are_not_stale").is_none() {
        return;
    }
    both(|vulkan| {
        let mut net = Net::<f32, _>::on(vulkan.clone(), Seed(3), 0.25).unwrap();
        let mut step = net.train_step(CrossEntropy, Adam::new(0.01), SAMPLES).unwrap();
        let mut losses = vec![];
        let mut one = samples(vulkan, 0);
        for k in 0..24 {
            // Smaller ones in the same buffers, and other numbers in them.
            let count = [SAMPLES, SAMPLES, 5, SAMPLES, 5, 1][k as usize % 6].max(2);
            one.inputs.set_batch(count).unwrap();
            one.targets.set_batch(count).unwrap();
            one.inputs.write(&numbers(count * 6, k)).unwrap();
            losses.extend(step.submit(&one).unwrap().map(f32::to_bits));
            // Buffers that are gone, whose memory others get.
            losses.extend(step.submit(&samples(vulkan, k)).unwrap().map(f32::to_bits));
            // The inputs of one with the targets of another one.
            let other = samples(vulkan, 1);
            let loss = step.run_on(&other.inputs, &samples(vulkan, k).targets).unwrap();
            losses.push(loss.to_bits());
        }
        drop(step);
        (losses, contents(&net))
    });
}

#[test]
fn a_network_that_changes_is_not_stale() {
    if vulkan("a_network_that_changes_is_not_stale").is_none() {
        return;
    }
    check(Adam::new(0.01), |mut step, batches, losses| {
        some(&mut step, batches, losses);
        let weights: Vec<f32> = numbers(48, 7);
        step.net_mut().set_parameter("fc2.weight", &weights).unwrap();
        some(&mut step, batches, losses);
        // Another network in its place: other buffers, seed and count of steps.
        let device = step.net().store().device.clone();
        let mut other = Net::<f32, _>::on(device, Seed(9), 0.5).unwrap();
        std::mem::swap(step.net_mut(), &mut other);
        some(&mut step, batches, losses);
        std::mem::swap(step.net_mut(), &mut other);
        some(&mut step, batches, losses);
        // A pass that is looked at between them.
        losses.extend(step.explain(&batches[0]).unwrap().bytes().map(u32::from));
        some(&mut step, batches, losses);
    });
}

#[test]
fn what_is_gathered_is_not_stale() {
    if vulkan("what_is_gathered_is_not_stale").is_none() {
        return;
    }
    const ROWS: usize = 40;
    both(|vulkan| {
        let mut batches: Vec<_> = (0..2).map(|k| samples(vulkan, k)).collect();
        let mut net = Net::<f32, _>::on(vulkan.clone(), Seed(3), 0.25).unwrap();
        let mut step = net.train_step(CrossEntropy, Adam::new(0.01), SAMPLES).unwrap();
        let mut losses = vec![];
        let data = |k: u64| {
            let mut data = vulkan.zeros(ROWS * 6).unwrap();
            vulkan.write(&mut data, 0, &numbers(ROWS * 6, k)).unwrap();
            data
        };
        let mut order = vulkan.zeros(ROWS).unwrap();
        let (mut inputs, mut other) = (data(8), data(9));
        for k in 0..40 {
            let batch = &mut batches[k % 2];
            let rows: Vec<u32> = (0..ROWS).map(|i| ((i * 7 + k / 5) % ROWS) as u32).collect();
            if k % 5 == 0 {
                vulkan.write(&mut order, 0, &rows).unwrap();
            }
            match k % 10 {
                // Not gathered: as the batch was, or written.
                3 => {}
                4 => batch.inputs.write(&numbers(SAMPLES * 6, k as u64)).unwrap(),
                // Fewer, and from another buffer, which goes.
                5 | 6 => {
                    let count = if k % 10 == 5 { SAMPLES } else { 3 };
                    vulkan.gather(&other, 6, &order, 1, count, batch.inputs.buffer_mut()).unwrap();
                    if k % 10 == 6 {
                        other = data(k as u64);
                    }
                }
                _ => {
                    let first = k * 7 % (ROWS - SAMPLES);
                    vulkan
                        .gather(&inputs, 6, &order, first, SAMPLES, batch.inputs.buffer_mut())
                        .unwrap();
                }
            }
            if k == 20 {
                // From what the step is to write to: before it, in a pass of its own.
                let (params, to) = (&step.net().store().params, &mut inputs);
                vulkan.gather(params, 1, &order, 0, ROWS, to).unwrap();
            }
            losses.extend(step.submit(&batches[k % 2]).unwrap().map(f32::to_bits));
        }
        drop(step);
        (losses, contents(&net))
    });
}

#[test]
fn lengths_that_change_are_not_stale() {
    if vulkan("lengths_that_change_are_not_stale").is_none() {
        return;
    }
    let [noted, all] = both(|vulkan| {
        let mut net = Lines::<Len, f32, _>::on(vulkan.clone(), Seed(3)).unwrap();
        let mut step = net.loss_step(Sgd::new(0.1), 4).unwrap();
        let mut losses = vec![];
        let tensors = [3, 6, 5].map(|len| {
            let mut x = Tensor::<_, f32, _>::zeros_on(vulkan.clone(), (Batch(4), Len(len), D::<2>))
                .unwrap();
            let mut y = Tensor::<_, f32, _>::zeros_on(vulkan.clone(), (Batch(4), Len(len), D::<1>))
                .unwrap();
            x.write(&numbers(8 * len, 1)).unwrap();
            y.write(&numbers(4 * len, 2)).unwrap();
            (x, y)
        });
        for k in 0..30 {
            let (x, y) = &tensors[[0, 0, 1, 2, 0, 1][k % 6]];
            losses.extend(step.submit((x, y)).unwrap().map(f32::to_bits));
        }
        while let Some(loss) = step.receive().unwrap() {
            losses.push(loss.to_bits());
        }
        losses
    });
    assert!(2 * noted < all, "{noted} {all}");
}

#[test]
fn more_batches_than_are_remembered_are_noted() {
    if vulkan("more_batches_than_are_remembered_are_noted").is_none() {
        return;
    }
    let noted = |order: &[u64]| {
        compared(|vulkan| {
            let batches: Vec<_> = (0..40).map(|k| samples(vulkan, k)).collect();
            let mut net = Net::<f32, _>::on(vulkan.clone(), Seed(3), 0.25).unwrap();
            let mut step = net.train_step(CrossEntropy, Adam::new(0.01), SAMPLES).unwrap();
            let mut losses = vec![];
            for &k in order {
                losses.extend(step.submit(&batches[k as usize]).unwrap().map(f32::to_bits));
            }
            drop(step);
            (losses, contents(&net))
        })
    };
    let twice: Vec<u64> = (0..40).chain(0..40).collect();
    let [found, all] = noted(&twice);
    assert_eq!(found, all, "each of them is noted");
    // Back again: the last ones are remembered.
    let [found, all] = noted(&[twice, (0..40).rev().collect()].concat());
    assert!(found < all, "{found} {all}");
    // One that is used again and again is not forgotten for those that come once.
    let often: Vec<u64> = (1..40).flat_map(|k| [0, k]).collect();
    let [found, all] = noted(&often);
    assert!(3 * found < 2 * all, "{found} {all}");
}

/// A device is asked to repeat what it cannot, and says so.
#[test]
fn calls_that_differ_are_not_repeated() {
    let Some(vulkan) = vulkan("calls_that_differ_are_not_repeated") else { return };
    let vulkan = &vulkan;
    let mut work = vulkan.zeros::<f32>(8).unwrap();
    let [one, two] = [0, 4].map(|offset| Span::new(Slot::Workspace, offset, 4));
    let mut memo = <Vulkan as Device<f32>>::Memo::default();
    fn bindings(work: &mut netform_gpu::VulkanBuffer<f32>) -> Bindings<'_, f32, Vulkan> {
        Bindings { workspace: Access::Write(work), ..Bindings::default() }
    }
    assert!(!vulkan.remembers(&memo, &bindings(&mut work)));
    assert!(vulkan.repeat(&mut memo, &bindings(&mut work), |_| ()).unwrap().is_none());
    let mut run = vulkan.run(bindings(&mut work));
    run.fill(one, 1.0);
    netform::device::Run::changing(&mut run, |run| run.fill(two, 2.0));
    let ticket = vulkan.post(run, one, None, &mut memo).unwrap();
    vulkan.wait(&ticket).unwrap();
    assert!(vulkan.remembers(&memo, &bindings(&mut work)));
    assert!(!vulkan.remembers(&memo, &bindings(&mut vulkan.zeros(8).unwrap())));
    let reading = Bindings { workspace: Access::Read(&work), ..Bindings::default() };
    assert!(!vulkan.remembers(&memo, &reading));
    // Another place, too many, too few, another kernel, a condition.
    assert!(
        vulkan.repeat(&mut memo, &bindings(&mut work), |run| run.fill(one, 3.0)).unwrap().is_none()
    );
    let twice = vulkan.repeat(&mut memo, &bindings(&mut work), |run| {
        run.fill(two, 3.0);
        run.fill(two, 3.0);
    });
    assert!(twice.unwrap().is_none());
    assert!(vulkan.repeat(&mut memo, &bindings(&mut work), |_| ()).unwrap().is_none());
    let moved = vulkan
        .repeat(&mut memo, &bindings(&mut work), |run| run.cumsum(two, one, [1, 4, 1], false));
    assert!(moved.unwrap().is_none());
    let unsure = vulkan.repeat(&mut memo, &bindings(&mut work), |run| {
        run.only_if(one, true, |run| run.fill(two, 3.0));
    });
    assert!(unsure.unwrap().is_none());
    // The same with another number; and what does not change is what it was.
    let ticket =
        vulkan.repeat(&mut memo, &bindings(&mut work), |run| run.fill(two, 5.0)).unwrap().unwrap();
    assert_eq!(vulkan.wait(&ticket).unwrap(), [1.0, 1.0]);
    let mut values = [0.0; 8];
    vulkan.read(&work, 0, &mut values).unwrap();
    assert_eq!(values, [1.0, 1.0, 1.0, 1.0, 5.0, 5.0, 5.0, 5.0]);
    // Nor over other buffers, or those of another context, which have the same numbers.
    let mut other = vulkan.zeros(8).unwrap();
    let repeated = vulkan.repeat(&mut memo, &bindings(&mut other), |run| run.fill(two, 5.0));
    assert!(repeated.unwrap().is_none());
    let devices = [Vulkan::new().unwrap(), Vulkan::new().unwrap()];
    let mut works = devices.each_ref().map(|device| device.zeros::<f32>(8).unwrap());
    let mut run = devices[0].run(bindings(&mut works[0]));
    run.fill(one, 1.0);
    let ticket = devices[0].post(run, one, None, &mut memo).unwrap();
    devices[0].wait(&ticket).unwrap();
    assert!(devices[0].remembers(&memo, &bindings(&mut works[0])));
    assert!(!devices[1].remembers(&memo, &bindings(&mut works[1])));
}
