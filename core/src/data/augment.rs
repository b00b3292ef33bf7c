//! Augmentation: samples that are a little different in each pass, so that a network cannot learn them by heart.
//!
//! What is drawn for a sample depends on the pass and on the sample's index alone: batches of any size, on any number of
//! threads, are the same.

use crate::data::columns::Columns;
use crate::data::dataset::Dataset;
use crate::dim::Static;
use crate::element::{Element, Float};
use crate::error::Result;
use crate::random::{Rng, Seed, fill_words, key};
use crate::shape::SampleShape;
use crate::size::AtLeast;

/// So many words are drawn at once.
const WORDS: usize = 64;

/// A random change of an input of shape `X`, in its place: [`Shift`], [`Flip`], [`Noise`], or a function
/// `Fn(&mut [E], &mut Rng)`.
pub trait Augment<X, E>: Sync {
    /// Changes `input`, in row order, as `rng` says.
    fn augment(&self, input: &mut [E], rng: &mut Rng);
}

impl<X, E, F: Fn(&mut [E], &mut Rng) + Sync> Augment<X, E> for F {
    fn augment(&self, input: &mut [E], rng: &mut Rng) {
        self(input, rng);
    }
}

/// Moves an image `[channels, height, width]` by up to so many pixels up or down, and left or right. What comes in is
/// zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shift(pub usize);

impl<C: Static, H: Static, W: Static, E: Element> Augment<(C, H, W), E> for Shift {
    fn augment(&self, image: &mut [E], rng: &mut Rng) {
        let draw = |rng: &mut Rng| rng.below(2 * self.0 + 1) as isize - self.0 as isize;
        let (down, right) = (draw(rng), draw(rng));
        for plane in image.chunks_exact_mut((H::N * W::N).max(1)) {
            shift(plane, W::N, down);
            plane.chunks_exact_mut(W::N.max(1)).for_each(|row| shift(row, 1, right));
        }
    }
}

/// Moves items of `size` elements by so many places towards the end, zeros after them.
fn shift<E: Element>(items: &mut [E], size: usize, places: isize) {
    let by = places.unsigned_abs().saturating_mul(size).min(items.len());
    let kept = items.len() - by;
    if places >= 0 {
        items.copy_within(..kept, by);
        items[..by].fill(E::default());
    } else {
        items.copy_within(by.., 0);
        items[kept..].fill(E::default());
    }
}

/// Mirrors an image `[channels, height, width]`, half of the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flip {
    /// Left and right change places.
    Horizontal,
    /// Top and bottom change places.
    Vertical,
}

impl<C: Static, H: Static, W: Static, E: Element> Augment<(C, H, W), E> for Flip {
    fn augment(&self, image: &mut [E], rng: &mut Rng) {
        if rng.next_u32().is_multiple_of(2) {
            return;
        }
        match self {
            Flip::Horizontal => image.chunks_exact_mut(W::N.max(1)).for_each(<[E]>::reverse),
            Flip::Vertical => {
                for plane in image.chunks_exact_mut((H::N * W::N).max(1)) {
                    // The plane turned around, and each row turned back.
                    plane.reverse();
                    plane.chunks_exact_mut(W::N.max(1)).for_each(<[E]>::reverse);
                }
            }
        }
    }
}

/// Adds to each element of an input of any shape a number of the normal distribution of mean 0 and this standard
/// deviation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Noise(pub f64);

impl<X, E: Float> Augment<X, E> for Noise {
    fn augment(&self, input: &mut [E], rng: &mut Rng) {
        let (deviation, key) = (E::from_f64(self.0), key(rng.seed().0));
        let tau = E::from_f64(std::f64::consts::TAU);
        let mut words = [0; WORDS];
        for (block, some) in input.chunks_mut(WORDS).enumerate() {
            fill_words(&mut words, block * WORDS, 0, 0, 0, key);
            // Two numbers of two words (Box and Muller, 1958).
            for (pair, [u, v]) in some.chunks_mut(2).zip(words.as_chunks().0) {
                let radius = (E::from_f64(-2.0) * (E::ONE - E::unit(*u)).ln()).sqrt() * deviation;
                let angle = tau * E::unit(*v);
                pair[0] = pair[0] + radius * angle.cos();
                if let Some(second) = pair.get_mut(1) {
                    *second = *second + radius * angle.sin();
                }
            }
        }
    }
}

/// What the stage before one that draws at random draws from in a pass, so that the two draw other numbers.
fn before(pass: Seed) -> Seed {
    // Samples draw from the streams of their indices, and the second of two data sets from the last one.
    Rng::new(pass, u64::MAX - 1).seed()
}

/// A data set with its inputs changed at random: [`Dataset::augment`].
#[derive(Clone, Debug)]
pub struct Augmented<D, A> {
    data: D,
    augment: A,
}

impl<D, A> Augmented<D, A> {
    pub(super) fn new(data: D, augment: A) -> Self {
        Augmented { data, augment }
    }
}

impl<D: Dataset, A: Augment<D::Input, D::Element>> Dataset for Augmented<D, A> {
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
        self.data.gather(before(pass), indices, inputs, targets)?;
        for (i, &index) in indices.iter().enumerate() {
            let input = &mut inputs[i * D::Input::NUMEL..][..D::Input::NUMEL];
            self.augment.augment(input, &mut Rng::new(pass, index as u64));
        }
        Ok(())
    }

    fn gather_targets(
        &self,
        pass: Seed,
        indices: &[usize],
        targets: &mut [D::TargetElement],
    ) -> Result<()> {
        self.data.gather_targets(before(pass), indices, targets)
    }

    fn is_divisible(&self) -> bool {
        self.data.is_divisible()
    }

    fn is_fixed(&self) -> bool {
        false
    }

    fn class_names(&self) -> &[String] {
        self.data.class_names()
    }

    fn columns(&self) -> Option<&Columns> {
        self.data.columns()
    }
}

/// An image `[channels, height, width]` from which windows of `H` by `W` can be cut.
#[diagnostic::on_unimplemented(
    message = "a window of `{H}` by `{W}` cannot be cut from inputs of shape `{Self}`",
    note = "inputs are images `[channels, height, width]` that are at least as large as the window"
)]
pub trait Crop<H, W>: SampleShape {
    /// The shape of a window.
    type Window: SampleShape;
}

#[diagnostic::do_not_recommend]
impl<C, H0, W0, H, W> Crop<H, W> for (C, H0, W0)
where
    C: Static,
    H0: Static + AtLeast<H>,
    W0: Static + AtLeast<W>,
    H: Static,
    W: Static,
{
    type Window = (C, H, W);
}

/// A data set of windows of its images: [`Dataset::random_crop`] and [`Dataset::center_crop`].
#[derive(Clone, Debug)]
pub struct Cropped<D, H, W> {
    data: D,
    random: bool,
    window: std::marker::PhantomData<fn() -> (H, W)>,
}

impl<D, H, W> Cropped<D, H, W> {
    pub(super) fn new(data: D, random: bool) -> Self {
        Cropped { data, random, window: std::marker::PhantomData }
    }
}

impl<D, H, W> Dataset for Cropped<D, H, W>
where
    D: Dataset<Input: Crop<H, W>>,
    H: Static,
    W: Static,
{
    type Input = <D::Input as Crop<H, W>>::Window;
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
        let mut images = vec![D::Element::default(); indices.len() * D::Input::NUMEL];
        self.data.gather(before(pass), indices, &mut images, targets)?;
        let [channels, height, width, ..] = D::Input::SIZES;
        let (down, right) = (height - H::N, width - W::N);
        let mut rows = inputs.chunks_exact_mut(W::N.max(1));
        for (i, &index) in indices.iter().enumerate() {
            let mut rng = Rng::new(pass, index as u64);
            let (top, left) = match self.random {
                true => (rng.below(down + 1), rng.below(right + 1)),
                false => (down / 2, right / 2),
            };
            for channel in 0..channels {
                let first = (i * channels + channel) * height + top;
                for (y, row) in (first..first + H::N).zip(&mut rows) {
                    row.copy_from_slice(&images[y * width + left..][..W::N]);
                }
            }
        }
        Ok(())
    }

    fn gather_targets(
        &self,
        pass: Seed,
        indices: &[usize],
        targets: &mut [D::TargetElement],
    ) -> Result<()> {
        self.data.gather_targets(before(pass), indices, targets)
    }

    fn is_divisible(&self) -> bool {
        self.data.is_divisible()
    }

    fn is_fixed(&self) -> bool {
        !self.random && self.data.is_fixed()
    }

    fn class_names(&self) -> &[String] {
        self.data.class_names()
    }
}
