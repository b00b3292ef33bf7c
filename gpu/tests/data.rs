//! Data in the device's memory: rows that are gathered late look as if they had been gathered at once, and training on
//! a data set that the device keeps is training on batches that are copied to it, bit for bit.

extern crate netform_core as netform;

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};

use common::{numbers, vulkan};
use netform_core::cpu::Cpu;
use netform_core::data::{Dataset, InMemory};
use netform_core::device::{Access, Arg, Bindings, Device, Kernels, Memory, Run, Slot, Span};
use netform_core::dim::D;
use netform_core::error::{Error, Result};
use netform_core::loss::{CrossEntropy, Mse};
use netform_core::optim::Adam;
use netform_core::random::Seed;
use netform_core::train::{EpochRecord, History, Trainer};
use netform_core::weights::Weights;
use netform_gpu::Vulkan;
use netform_macros::network;

/// The device as it is, as one whose memory the processor does not see, and that with limits below the size of data sets.
fn devices(test: &str) -> Vec<Vulkan> {
    match vulkan(test) {
        Some(_) => vec![
            Vulkan::new().unwrap(),
            Vulkan::with_staging().unwrap(),
            Vulkan::with_limits(2 << 10, 4 << 10, false).unwrap(),
        ],
        None => vec![],
    }
}

fn buffer<T: netform::element::Element, Dev: Memory>(device: &Dev, data: &[T]) -> Dev::Buffer<T> {
    let mut buffer = device.zeros(data.len()).unwrap();
    device.write(&mut buffer, 0, data).unwrap();
    buffer
}

fn contents<T: netform::element::Element, Dev: Memory>(
    device: &Dev,
    buffer: &Dev::Buffer<T>,
) -> Vec<T> {
    let mut data = vec![T::default(); device.len(buffer)];
    device.read(buffer, 0, &mut data).unwrap();
    data
}

/// Adds inputs up in a pass, element by element.
fn sum<Dev: Device<f32>>(device: &Dev, inputs: &[&Dev::Buffer<f32>]) -> Result<Vec<f32>> {
    let len = device.len(inputs[0]);
    let mut out = device.zeros(len)?;
    let mut bindings = Bindings { workspace: Access::Write(&mut out), ..Bindings::default() };
    for (slot, buffer) in bindings.inputs.iter_mut().zip(inputs) {
        *slot = Some(*buffer);
    }
    let mut run = device.run(bindings);
    let all = Span::new(Slot::Workspace, 0, len);
    let view = |span| Arg::View { span, strides: [0, 0, 0, 1] };
    for i in 0..inputs.len() {
        let input = view(Span::new(Slot::Input(i as u8), 0, len));
        let sum = |[a, b]: [f32; 2], []: [f32; 0]| [a + b];
        run.map([all], [1, 1, 1, len], [view(all), input], [], sum, &["a0 + a1"]);
    }
    run.finish()?;
    Ok(contents(device, &out))
}

#[test]
fn what_is_gathered_is_what_the_cpu_gathers() {
    fn gathered<T: netform::element::Element, Dev: Memory>(
        device: &Dev,
        data: &[T],
        width: usize,
    ) -> Vec<T> {
        let rows = buffer(device, &[1, 0, 3, 3, 2]);
        let from = buffer(device, data);
        let mut to = device.zeros(3 * width + 2).unwrap();
        // The second is smaller, and leaves what the first has made.
        device.gather(&from, width, &rows, 1, 3, &mut to).unwrap();
        device.gather(&from, width, &rows, 4, 1, &mut to).unwrap();
        contents(device, &to)
    }
    for vulkan in devices("what_is_gathered_is_what_the_cpu_gathers") {
        for width in [1, 3, 4, 784] {
            let data = numbers(4 * width, 3);
            let integers: Vec<u32> = data.iter().map(|x| x.to_bits()).collect();
            let doubles: Vec<f64> = data.iter().map(|&x| f64::from(x).sqrt().abs()).collect();
            let cpu = Cpu::default();
            assert_eq!(gathered(&vulkan, &data, width), gathered(&cpu, &data, width));
            assert_eq!(gathered(&vulkan, &integers, width), gathered(&cpu, &integers, width));
            let bits = |data: Vec<f64>| data.into_iter().map(f64::to_bits).collect::<Vec<_>>();
            let found = bits(gathered(&vulkan, &doubles, width));
            assert_eq!(found, bits(gathered(&cpu, &doubles, width)));
        }
    }
}

#[test]
fn a_gather_is_part_of_the_next_pass_once() {
    for vulkan in devices("a_gather_is_part_of_the_next_pass_once") {
        let (from, rows) = (buffer(&vulkan, &[1.0, 2.0, 3.0, 4.0]), buffer(&vulkan, &[3, 1, 0]));
        let mut to: Vec<_> = (0..7).map(|_| vulkan.zeros(2).unwrap()).collect();
        let mut expected = [0.0; 2];
        for (i, to) in to.iter_mut().enumerate() {
            let first = i % 2;
            vulkan.gather(&from, 1, &rows, first, 2, to).unwrap();
            let picked = [[4.0, 2.0], [2.0, 1.0]][first];
            (0..2).for_each(|k| expected[k] += picked[k]);
        }
        // More than a pass takes; and the same buffer at two places.
        let mut inputs: Vec<_> = to.iter().collect();
        inputs.push(&to[0]);
        (0..2).for_each(|k| expected[k] += [4.0, 2.0][k]);
        let summed = sum(&vulkan, &inputs).unwrap();
        assert_eq!(summed, expected);
        // They are made: nothing is left for another pass, and none is needed to read them.
        let before = vulkan.submissions();
        sum(&vulkan, &inputs[..2]).unwrap();
        let reads = vulkan.submissions();
        let of_reading = {
            sum(&vulkan, &[&from]).unwrap();
            vulkan.submissions() - reads
        };
        assert_eq!(reads - before, of_reading);
        assert_eq!(contents(&vulkan, &to[1]), [2.0, 1.0]);
    }
}

#[test]
fn a_late_gather_does_not_show() {
    for vulkan in devices("a_late_gather_does_not_show") {
        let numbers = [1.0, 2.0, 3.0, 4.0];
        let (mut from, mut rows) = (buffer(&vulkan, &numbers), buffer(&vulkan, &[3, 1, 0, 2]));
        let (mut a, mut b) = (vulkan.zeros(4).unwrap(), vulkan.zeros(4).unwrap());
        let picked = [4.0, 2.0, 1.0, 3.0];

        // What it copies from, and by, is written to.
        vulkan.gather(&from, 1, &rows, 0, 4, &mut a).unwrap();
        vulkan.write(&mut from, 1, &[9.0]).unwrap();
        assert_eq!(contents(&vulkan, &a), picked);
        vulkan.write(&mut from, 0, &numbers).unwrap();
        vulkan.gather(&from, 1, &rows, 0, 4, &mut a).unwrap();
        vulkan.write(&mut rows, 0, &[0]).unwrap();
        assert_eq!(sum(&vulkan, &[&a]).unwrap(), picked);
        vulkan.write(&mut rows, 0, &[3]).unwrap();

        // A pass that has nothing to do with it writes there.
        vulkan.gather(&from, 1, &rows, 0, 4, &mut a).unwrap();
        let bindings = Bindings { workspace: Access::Write(&mut from), ..Bindings::default() };
        let mut run = vulkan.run(bindings);
        run.fill(Span::new(Slot::Workspace, 0, 4), 7.0);
        run.finish().unwrap();
        assert_eq!(contents(&vulkan, &a), picked);
        vulkan.write(&mut from, 0, &numbers).unwrap();

        // It is copied from in turn, or what it copies from is gathered into.
        vulkan.gather(&from, 1, &rows, 0, 4, &mut a).unwrap();
        vulkan.gather(&a, 2, &rows, 1, 2, &mut b).unwrap();
        vulkan.gather(&from, 1, &rows, 2, 2, &mut a).unwrap();
        assert_eq!(contents(&vulkan, &b), [1.0, 3.0, 4.0, 2.0]);
        assert_eq!(sum(&vulkan, &[&a]).unwrap(), [1.0, 3.0, 1.0, 3.0]);

        // It is overwritten, in whole or in part.
        vulkan.gather(&from, 1, &rows, 0, 4, &mut a).unwrap();
        let write = |a: &mut _| {
            let before = vulkan.submissions();
            vulkan.write(a, 0, &[5.0; 4]).unwrap();
            vulkan.submissions() - before
        };
        assert_eq!(write(&mut a), write(&mut a), "what nobody sees is not made");
        assert_eq!(sum(&vulkan, &[&a]).unwrap(), [5.0; 4]);
        for (offset, expected) in [(0, [6.0, 2.0, 1.0, 3.0]), (3, [4.0, 2.0, 1.0, 6.0])] {
            vulkan.gather(&from, 1, &rows, 0, 4, &mut a).unwrap();
            vulkan.write(&mut a, offset, &[6.0]).unwrap();
            assert_eq!(sum(&vulkan, &[&a]).unwrap(), expected);
        }

        // What it copies from ends, or what it copies to.
        vulkan.gather(&from, 1, &rows, 0, 4, &mut a).unwrap();
        vulkan.gather(&from, 1, &rows, 0, 4, &mut b).unwrap();
        drop((from, rows, b));
        assert_eq!(sum(&vulkan, &[&a]).unwrap(), picked);
        assert_eq!(contents(&vulkan, &a), picked);
    }
}

#[test]
fn a_wrong_gather_is_an_error() {
    for vulkan in devices("a_wrong_gather_is_an_error") {
        // The last row is not whole.
        let (from, rows) = (buffer(&vulkan, &[1.0; 7]), buffer(&vulkan, &[0, 2, 1, 2, 3]));
        let mut to = vulkan.zeros(6).unwrap();
        let wrong = |error: Error| {
            assert!(
                matches!(&error, Error::IndexOutOfRange { what, index: 3, size: 3, .. } if what == "row 2"),
                "{error}"
            );
        };
        vulkan.gather(&from, 2, &rows, 2, 3, &mut to).unwrap();
        wrong(vulkan.read(&to, 0, &mut [0.0; 6]).unwrap_err());
        vulkan.gather(&from, 2, &rows, 2, 3, &mut to).unwrap();
        wrong(sum(&vulkan, &[&to]).unwrap_err());
        vulkan.gather(&from, 2, &rows, 1, 3, &mut to).unwrap();
        assert_eq!(sum(&vulkan, &[&to]).unwrap(), [1.0; 6]);
        for [width, first, count] in
            [[2, 0, 4], [1, 3, 3], [1, 6, 0], [1, usize::MAX, 1], [usize::MAX, 0, 2]]
        {
            let error = vulkan.gather(&from, width, &rows, first, count, &mut to).unwrap_err();
            assert!(matches!(error, Error::Size { .. }), "{error}");
        }
    }
}

#[test]
fn a_device_keeps_what_leaves_it_room() {
    for vulkan in devices("a_device_keeps_what_leaves_it_room") {
        let half = (vulkan.info().memory_bytes / 2) as usize;
        // As many elements as kernels count; memory may be larger than that.
        let most = half.min(12 << 30);
        assert!(vulkan.keeps(&[most, 0]));
        assert!(!vulkan.keeps(&[half + 1]));
        assert!(!vulkan.keeps(&vec![most; half / most + 1]));
        assert!(!vulkan.keeps(&[16 << 30]));
        assert!(!vulkan.keeps(&[usize::MAX, usize::MAX]));
    }
}

network! {
    Normed: [6] -> [3] {
        fc1: Linear(16, bias = false), norm: BatchNorm1d, Relu, Dropout(0.25),
        fc2: Linear(3),
    }
}

const SAMPLES: usize = 8;

/// A data set that counts the samples it is asked for, and may say that they vary.
struct Asked<D> {
    data: D,
    fixed: bool,
    count: AtomicUsize,
}

impl<D> Asked<D> {
    fn of(data: D, fixed: bool) -> Self {
        Asked { data, fixed, count: AtomicUsize::new(0) }
    }
}

impl<D: Dataset> Dataset for Asked<D> {
    type Input = D::Input;
    type Target = D::Target;
    type Element = D::Element;
    type TargetElement = D::TargetElement;

    fn len(&self) -> usize {
        self.data.len()
    }

    fn gather(
        &self,
        pass: Seed,
        indices: &[usize],
        inputs: &mut [D::Element],
        targets: &mut [D::TargetElement],
    ) -> Result<()> {
        self.count.fetch_add(indices.len(), Ordering::Relaxed);
        self.data.gather(pass, indices, inputs, targets)
    }

    fn is_fixed(&self) -> bool {
        self.fixed
    }
}

/// The last batch is smaller.
const COUNT: usize = 5 * SAMPLES + 3;

fn points() -> InMemory<(D<6>,)> {
    let inputs = numbers(COUNT * 6, 50);
    let labels = inputs.chunks(6).map(|x| u32::from(x[0] > 0.0) + u32::from(x[1] > 0.3)).collect();
    InMemory::new(inputs, labels).unwrap()
}

/// Every figure of a training but its times.
fn figures(history: &History) -> Vec<[u64; 4]> {
    let figures = |epoch: &EpochRecord| {
        let accuracies = [epoch.train_accuracy, epoch.validation_accuracy, epoch.validation_loss];
        let [a, b, c] = accuracies.map(|x| x.unwrap_or(-1.0).to_bits());
        [epoch.train_loss.to_bits(), a, b, c]
    };
    history.epochs.iter().map(figures).collect()
}

#[test]
fn training_on_kept_data_is_training_on_copied_data() {
    for vulkan in devices("training_on_kept_data_is_training_on_copied_data") {
        let train = |fixed| {
            let (data, test) = (Asked::of(points(), fixed), Asked::of(points().take(11), fixed));
            let mut net = Normed::<f32, _>::on(vulkan.clone(), Seed(3)).unwrap();
            let history = Trainer::new(CrossEntropy, Adam::new(0.01))
                .epochs(4)
                .batch(SAMPLES)
                .validate(&test)
                .fit(&mut net, &data)
                .unwrap();
            assert!(history.epochs[3].train_loss < history.epochs[0].train_loss);
            assert!(history.epochs[3].validation_accuracy.is_some());
            (
                figures(&history),
                net.to_bytes().unwrap(),
                data.count.into_inner(),
                test.count.into_inner(),
            )
        };
        let (kept, copied) = (train(true), train(false));
        assert_eq!(kept.0, copied.0);
        assert!(kept.1 == copied.1, "the same weights");
        assert_eq!([kept.2, kept.3], [COUNT, 11], "each sample is asked for once");
        assert_eq!([copied.2, copied.3], [4 * COUNT, 44]);
    }
}

network! {
    Line: [6] -> [6] { Linear(6) }
}

#[test]
fn targets_that_are_not_judged_are_kept_too() {
    for vulkan in devices("targets_that_are_not_judged_are_kept_too") {
        let inputs = numbers(COUNT * 6, 51);
        let targets = inputs.iter().map(|x| 2.0 * x + 1.0).collect();
        let data = InMemory::<(D<6>,), (D<6>,), f32, f32>::new(inputs, targets).unwrap();
        let train = |fixed| {
            let data = Asked::of(data.clone(), fixed);
            let mut net = Line::<f32, _>::on(vulkan.clone(), Seed(3)).unwrap();
            let mut trainer = Trainer::new(Mse, Adam::new(0.01)).epochs(3).batch(SAMPLES);
            let first = figures(&trainer.fit(&mut net, &data).unwrap());
            // A second call uploads again; a single epoch is not worth it.
            let second = figures(&trainer.fit(&mut net, &data).unwrap());
            let mut trainer = trainer.epochs(1);
            let third = figures(&trainer.fit(&mut net, &data).unwrap());
            ([first, second, third], data.count.into_inner())
        };
        let (kept, copied) = (train(true), train(false));
        assert_eq!(kept.0, copied.0);
        assert_eq!([kept.1, copied.1], [3 * COUNT, 7 * COUNT]);
    }
}

#[test]
fn a_label_out_of_range_is_found_before_it_is_trained_on() {
    for vulkan in devices("a_label_out_of_range_is_found_before_it_is_trained_on") {
        for fixed in [true, false] {
            let mut labels = points().targets().to_vec();
            labels[20] = 3;
            let data = InMemory::<(D<6>,)>::new(points().inputs().to_vec(), labels).unwrap();
            let mut net = Normed::<f32, _>::on(vulkan.clone(), Seed(3)).unwrap();
            let error = Trainer::new(CrossEntropy, Adam::new(0.01))
                .epochs(2)
                .batch(SAMPLES)
                .fit(&mut net, &Asked::of(data, fixed))
                .unwrap_err();
            let text = error.to_string();
            let Error::IndexOutOfRange { what, index: 3, size: 3, .. } = error else {
                panic!("{text}");
            };
            assert!(what.starts_with("the label of sample 20 of the training set"), "{what}");
        }
    }
}
