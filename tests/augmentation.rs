//! Augmentation and batches that are prepared ahead: the same for a seed, whoever prepares them.

#[path = "../core/tests/common/mod.rs"]
mod common;

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use common::says;
use netform::data::augment::{Flip, Noise, Shift};
use netform::data::{Dataset, InMemory};
use netform::dim::D;
use netform::error::{Error, Result};
use netform::loss::CrossEntropy;
use netform::network;
use netform::optim::Sgd;
use netform::random::{Rng, Seed};
use netform::train::Trainer;
use netform::weights::Weights;

type Image = (D<2>, D<3>, D<4>);
type Images = InMemory<Image>;

/// `n` images of 24 pixels, from 1 on.
fn images(n: usize) -> Images {
    Images::new((0..24 * n).map(|i| (i + 1) as f32).collect(), (0..n as u32).collect()).unwrap()
}

/// The inputs of sample `index` in so many passes.
fn passes<D: Dataset<Element = f32>>(data: &D, index: usize, passes: u64) -> Vec<Vec<f32>> {
    let gather = |pass| {
        let mut input = vec![0.0; 2 * 24];
        input.truncate(input_len(data));
        let mut target = vec![D::TargetElement::default()];
        data.gather(Seed(pass), &[index], &mut input, &mut target).unwrap();
        input
    };
    (0..passes).map(gather).collect()
}

fn input_len<D: Dataset>(_: &D) -> usize {
    <D::Input as netform::shape::SampleShape>::NUMEL
}

#[test]
fn shifts_move_an_image_and_fill_with_zeros() {
    let data = images(2).augment(Shift(1));
    assert!(!data.is_fixed());
    let mut seen = std::collections::BTreeSet::new();
    for image in passes(&data, 1, 200) {
        // Where pixel [0, 1, 1] of image 1 has gone: it is 24 + 4 + 1 + 1.
        let at = image.iter().position(|&x| x == 30.0).unwrap();
        let (down, right) = ((at / 4) as isize - 1, (at % 4) as isize - 1);
        for (i, &x) in image.iter().enumerate() {
            let (channel, y, x0) = (i / 12, (i / 4 % 3) as isize - down, (i % 4) as isize - right);
            let inside = (0..3).contains(&y) && (0..4).contains(&x0);
            let expected = 25 + channel as isize * 12 + y * 4 + x0;
            assert_eq!(x, if inside { expected as f32 } else { 0.0 }, "{down} {right}");
        }
        seen.insert((down, right));
    }
    assert_eq!(seen.len(), 9, "every way to move by at most one pixel");
    let far = images(1).augment(Shift(100));
    assert!(passes(&far, 0, 50).iter().any(|image| image.iter().all(|&x| x == 0.0)));
}

#[test]
fn flips_mirror_half_of_the_time() {
    let flat = passes(&images(1), 0, 1).remove(0);
    let mirrored = |columns: bool| -> Vec<f32> {
        let from = |i: usize| match columns {
            true => i / 4 * 4 + 3 - i % 4,
            false => i / 12 * 12 + (2 - i / 4 % 3) * 4 + i % 4,
        };
        (0..24).map(|i| flat[from(i)]).collect()
    };
    for (flip, expected) in [(Flip::Horizontal, mirrored(true)), (Flip::Vertical, mirrored(false))]
    {
        let seen = passes(&images(1).augment(flip), 0, 400);
        let flipped = seen.iter().filter(|image| **image == expected).count();
        assert!(seen.iter().all(|image| *image == expected || *image == flat));
        assert!((150..250).contains(&flipped), "{flipped} of 400");
    }
}

#[test]
fn noise_has_its_deviation() {
    let data = InMemory::<(D<999>,)>::new(vec![1.0; 999 * 50], vec![0; 50]).unwrap();
    let noisy = data.augment(Noise(0.5)).to_memory().unwrap();
    let n = noisy.inputs().len() as f64;
    let moment =
        |power| noisy.inputs().iter().map(|x| f64::from(x - 1.0).powi(power)).sum::<f64>() / n;
    assert!(moment(1).abs() < 0.01, "{}", moment(1));
    assert!((moment(2) - 0.25).abs() < 0.01, "{}", moment(2));
    assert!((moment(4) - 3.0 * 0.0625).abs() < 0.02, "{}", moment(4));
    // Neighbours, also the two of a pair, do not go together.
    let together = noisy.inputs().windows(2).map(|x| f64::from((x[0] - 1.0) * (x[1] - 1.0)));
    assert!((together.sum::<f64>() / n).abs() < 0.01);
}

#[test]
fn windows_are_cut_from_images() {
    let data = images(3);
    let random = (&data).random_crop::<D<2>, D<3>>();
    let mut seen = std::collections::BTreeSet::new();
    for window in passes(&random, 2, 100) {
        let first = window[0] as usize - 1 - 48;
        let (top, left) = (first / 4, first % 4);
        let expected = |i: usize| 48 + 1 + i / 6 * 12 + (top + i / 3 % 2) * 4 + left + i % 3;
        assert!(window.iter().enumerate().all(|(i, &x)| x == expected(i) as f32));
        seen.insert((top, left));
    }
    assert_eq!(seen.len(), 4);
    let center = (&data).center_crop::<D<1>, D<2>>();
    assert!(center.is_fixed() && !random.is_fixed());
    assert_eq!(center.to_memory().unwrap().inputs()[..4], [6.0, 7.0, 18.0, 19.0]);
    assert_eq!(passes(&data.center_crop::<D<3>, D<4>>(), 0, 1)[0][..3], [1.0, 2.0, 3.0]);
}

/// Two stages, so that each must draw for itself, and one that is the same for all.
fn varied() -> impl Dataset<Input = Image, Target = (), Element = f32, TargetElement = u32> + Send {
    let scaled = |x: &mut [f32], rng: &mut Rng| x[0] = rng.uniform() as f32;
    images(50).augment(Shift(1)).augment(Noise(0.1)).augment(scaled).map(|_, class| class[0] += 1)
}

/// Two epochs of batches in random order.
fn batches<D: Dataset<Element = f32, TargetElement = u32>>(data: &D) -> Vec<(Vec<f32>, Vec<u32>)> {
    let mut rng = Rng::new(Seed(3), 0);
    let mut all = vec![];
    for _ in 0..2 {
        for batch in data.batches(8, &mut rng) {
            let batch = batch.unwrap();
            all.push((batch.inputs.to_vec(), batch.targets.to_vec()));
        }
    }
    all
}

#[test]
fn what_is_drawn_depends_on_the_seed_alone() {
    let expected = batches(&varied());
    assert_eq!(batches(&varied()), expected);
    for threads in [0, 1, 3] {
        let ahead = varied().prefetch(threads).unwrap();
        assert_eq!(batches(&ahead), expected, "{threads} threads");
        // A loader that is given up halfway, and samples that nobody prepares.
        assert!(ahead.batches_in_order(7).next().unwrap().is_ok());
        let direct = varied().to_memory().unwrap();
        assert_eq!(ahead.to_memory().unwrap().inputs(), direct.inputs());
        assert_eq!(batches(&ahead), expected, "{threads} threads, again");
    }
    let (first, second) = (&expected[0], &expected[7]);
    assert_ne!(first.0, second.0, "another epoch");
    let (a, b) = (varied(), varied());
    let (mut x, mut y, mut t) = (vec![0.0; 48], vec![0.0; 24], vec![0; 2]);
    a.gather(Seed(5), &[3, 9], &mut x, &mut t).unwrap();
    b.gather(Seed(5), &[9], &mut y, &mut t[..1]).unwrap();
    assert_eq!(x[24..], y, "a sample does not depend on the others of its batch");
}

/// Notes how many samples were asked for, and fails at the one that is wanted.
#[derive(Clone)]
struct Watched {
    asked: Arc<(Mutex<usize>, Condvar)>,
    bad: usize,
    panics: bool,
}

impl Dataset for Watched {
    type Input = (D<1>,);
    type Target = ();
    type Element = f32;
    type TargetElement = u32;

    fn len(&self) -> usize {
        100
    }

    fn gather(&self, _: Seed, indices: &[usize], inputs: &mut [f32], _: &mut [u32]) -> Result<()> {
        if indices.contains(&self.bad) {
            assert!(!self.panics, "a sample that cannot be made");
            return Err(Error::Invalid(format!("sample {} is broken", self.bad)));
        }
        inputs.iter_mut().zip(indices).for_each(|(x, &i)| *x = i as f32);
        *self.asked.0.lock().unwrap() += indices.len();
        self.asked.1.notify_all();
        Ok(())
    }
}

#[test]
fn batches_are_prepared_before_they_are_asked_for() {
    let data = Watched { asked: Arc::default(), bad: 100, panics: false };
    let ahead = data.clone().prefetch(2).unwrap();
    let mut batches = ahead.batches_in_order(10);
    let wait = |samples: usize| {
        let (count, changed) = &*data.asked;
        let short = |count: &mut usize| *count < samples;
        let count =
            changed.wait_timeout_while(count.lock().unwrap(), Duration::from_secs(60), short);
        *count.unwrap().0
    };
    assert_eq!(wait(40), 40, "two batches for each of two threads");
    assert_eq!(batches.next().unwrap().unwrap().inputs.to_vec()[..3], [0.0, 1.0, 2.0]);
    assert_eq!(wait(50), 50, "one more as soon as one is taken");
    assert_eq!(batches.count(), 9);
    assert_eq!(*data.asked.0.lock().unwrap(), 100, "each sample was made once");
}

#[test]
fn errors_and_panics_come_with_their_batch() {
    let data = Watched { asked: Arc::default(), bad: 35, panics: false };
    let ahead = data.clone().prefetch(2).unwrap();
    let found: Vec<bool> = ahead.batches_in_order(10).map(|batch| batch.is_ok()).collect();
    assert_eq!(found, [true, true, true, false, true, true, true, true, true, true]);
    says(ahead.batches_in_order(10).nth(3).unwrap(), &["sample 35 is broken"]);
    let ahead = Watched { panics: true, ..data }.prefetch(1).unwrap();
    let mut batches = ahead.batches_in_order(20);
    assert!(batches.next().unwrap().is_ok());
    let next = std::panic::AssertUnwindSafe(|| batches.next());
    let panic = std::panic::catch_unwind(next).expect_err("a panic");
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"a sample that cannot be made"));
}

network! {
    /// A classifier of the images above.
    Net: [2, 3, 4] -> [2] { Flatten, fc: Linear(2) }
}

#[test]
fn training_on_prepared_batches_is_training_on_others() {
    let train = |threads: Option<usize>| {
        let even = |x: &mut [f32], class: &mut [u32]| {
            x.iter_mut().for_each(|x| *x /= 1000.0);
            class[0] %= 2;
        };
        let data = images(43).map(even).augment(Shift(1)).augment(Noise(0.1));
        let mut net = Net::new(Seed(1));
        let trainer = Trainer::new(CrossEntropy, Sgd::new(0.1)).epochs(3).batch(8);
        let history = match threads {
            None => trainer.validate(&data).fit(&mut net, &data),
            Some(threads) => {
                let test = data.clone().prefetch(threads).unwrap();
                trainer.validate(&test).fit(&mut net, &data.prefetch(threads).unwrap())
            }
        };
        let losses: Vec<_> =
            history.unwrap().epochs.iter().map(|epoch| epoch.validation_loss).collect();
        (net.to_bytes().unwrap(), losses)
    };
    let expected = train(None);
    assert_eq!(train(Some(1)), expected);
    assert_eq!(train(Some(3)), expected);
}
