//! Making tensors: from values, filled, in steps, at random.

use super::Tensor;
use super::number::Number;
use crate::cpu::Cpu;
use crate::device::Memory;
use crate::dim::{D, Dim, Len, Static};
use crate::element::{Element, Float};
use crate::error::Result;
use crate::random::{Rng, Seed};
use crate::shape::Shape;

/// The stream of [`Rng`] from which eager tensors draw, so that a network with the same seed draws others.
const STREAM: u64 = 0x7465_6E73_6F72;

impl<S: Shape, E: Element> Tensor<S, E> {
    /// A tensor on the CPU whose elements `fill` writes, in row order, over zeros.
    ///
    /// # Panics
    /// If there is no memory for it, as `Vec` does.
    pub(super) fn build(shape: S, fill: impl FnOnce(&mut [E])) -> Self {
        let device = Cpu::default();
        let mut buffer = match device.zeros(shape.numel()) {
            Ok(buffer) => buffer,
            Err(error) => panic!("a tensor of shape {:?}: {error}", &shape.sizes()[..S::RANK]),
        };
        fill(buffer.as_mut_slice());
        Tensor { shape, device, buffer }
    }

    /// The elements in row order.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::tensor::Tensor;
    /// let t = Tensor::<_>::from([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(t.as_slice(), [1.0, 2.0, 3.0, 4.0]);
    /// ```
    pub fn as_slice(&self) -> &[E] {
        &self.buffer.as_slice()[..self.shape.numel()]
    }

    /// The elements in row order.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::tensor::Tensor;
    /// let mut t = Tensor::<_>::from([1.0, 2.0]);
    /// t.as_mut_slice()[1] = 5.0;
    /// assert_eq!(t.as_slice(), [1.0, 5.0]);
    /// ```
    pub fn as_mut_slice(&mut self) -> &mut [E] {
        let numel = self.shape.numel();
        &mut self.buffer.as_mut_slice()[..numel]
    }

    /// A tensor of one value. A shape is given by value: `(D::<2>, D::<3>)`, `(Batch(n), D::<3>)`.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::{dim::{Batch, D}, tensor::Tensor};
    /// let t = Tensor::full((Batch(2), D::<2>), 0.5_f32);
    /// assert_eq!(t.as_slice(), [0.5; 4]);
    /// ```
    ///
    /// # Panics
    /// If there is no memory for it.
    pub fn full(shape: S, value: E) -> Self {
        Self::build(shape, |out| out.fill(value))
    }

    /// A tensor whose element of number `i`, in row order, is `f(i)`.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::{dim::D, tensor::Tensor};
    /// let squares = Tensor::from_fn((D::<2>, D::<2>), |i| (i * i) as f32);
    /// assert_eq!(squares, Tensor::from([[0.0, 1.0], [4.0, 9.0]]));
    /// ```
    ///
    /// # Panics
    /// If there is no memory for it.
    pub fn from_fn(shape: S, mut f: impl FnMut(usize) -> E) -> Self {
        Self::build(shape, |out| out.iter_mut().enumerate().for_each(|(i, x)| *x = f(i)))
    }

    /// A tensor from elements in row order. A run-time axis gets the size that their number gives it.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::{dim::{D, Len}, tensor::Tensor};
    /// let t = Tensor::<(Len, D<2>)>::from_iter((0..6).map(|i| i as f32))?;
    /// assert_eq!(t.shape(), (Len(3), D::<2>));
    /// # Ok::<(), netform::error::Error>(())
    /// ```
    ///
    /// # Errors
    /// If no tensor of this shape has so many elements.
    #[allow(clippy::should_implement_trait)] // The trait's method cannot fail.
    pub fn from_iter(elements: impl IntoIterator<Item = E>) -> Result<Self> {
        Self::from_vec(elements.into_iter().collect())
    }
}

impl<E: Element> FromIterator<E> for Tensor<(Len,), E> {
    /// A vector of as many elements as there are.
    ///
    /// # Panics
    /// If there is no memory for it.
    fn from_iter<I: IntoIterator<Item = E>>(elements: I) -> Self {
        let elements: Vec<E> = elements.into_iter().collect();
        Self::build((Len(elements.len()),), |out| out.copy_from_slice(&elements))
    }
}

impl<S: Shape, E: Number> Tensor<S, E> {
    /// A tensor of zeros.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::{dim::D, tensor::Tensor};
    /// assert_eq!(Tensor::<_>::zeros((D::<2>,)), Tensor::from([0.0, 0.0]));
    /// ```
    ///
    /// # Panics
    /// If there is no memory for it.
    pub fn zeros(shape: S) -> Self {
        Self::build(shape, |_| ())
    }

    /// A tensor of ones.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::{dim::D, tensor::Tensor};
    /// assert_eq!(Tensor::<_>::ones((D::<2>,)), Tensor::from([1.0, 1.0]));
    /// ```
    ///
    /// # Panics
    /// If there is no memory for it.
    pub fn ones(shape: S) -> Self {
        Self::full(shape, E::UNIT)
    }
}

impl<N: Dim, E: Number> Tensor<(N, N), E> {
    /// The identity matrix of `n` rows.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::{dim::D, tensor::Tensor};
    /// assert_eq!(Tensor::<_>::eye(D::<2>), Tensor::from([[1.0, 0.0], [0.0, 1.0]]));
    /// ```
    ///
    /// # Panics
    /// If there is no memory for it.
    pub fn eye(n: N) -> Self {
        let step = n.size() + 1;
        Self::build((n, n), |out| out.iter_mut().step_by(step).for_each(|x| *x = E::UNIT))
    }
}

impl<N: Dim, E: Number> Tensor<(N,), E> {
    /// `n` numbers from `start` on, `step` apart: `start + i * step`.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::{dim::D, tensor::Tensor};
    /// assert_eq!(Tensor::arange(D::<3>, 1.0_f32, 0.5), Tensor::from([1.0, 1.5, 2.0]));
    /// assert_eq!(Tensor::arange(D::<3>, 0_u32, 2), Tensor::from([0, 2, 4]));
    /// ```
    ///
    /// # Panics
    /// If there is no memory for it, or a `u32` overflows.
    pub fn arange(n: N, start: E, step: E) -> Self {
        Self::from_fn((n,), |i| {
            let x = start.to_number() + i as f64 * step.to_number();
            match E::from_sum(x) {
                Some(x) => x,
                None => panic!("arange: {x} does not fit {}", E::NAME),
            }
        })
    }
}

impl<N: Dim, E: Float> Tensor<(N,), E> {
    /// `n` numbers at equal distances, the first `start` and the last `end`, as
    /// [`torch.linspace`](https://pytorch.org/docs/stable/generated/torch.linspace.html). One number is `start`.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::{dim::D, tensor::Tensor};
    /// assert_eq!(Tensor::linspace(D::<3>, 0.0_f32, 1.0), Tensor::from([0.0, 0.5, 1.0]));
    /// ```
    ///
    /// # Panics
    /// If there is no memory for it.
    pub fn linspace(n: N, start: E, end: E) -> Self {
        let last = n.size().saturating_sub(1);
        let (from, to) = (start.to_f64(), end.to_f64());
        Self::from_fn((n,), |i| match i {
            0 => start,
            i if i == last => end,
            i => E::from_f64(from + (to - from) * (i as f64 / last as f64)),
        })
    }
}

impl<S: Shape, E: Float> Tensor<S, E> {
    /// Numbers of the standard normal distribution, the same for the same seed.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::{dim::D, random::Seed, tensor::Tensor};
    /// let noise = Tensor::<_>::normal((D::<10>, D::<10>), Seed(1));
    /// assert_eq!(noise, Tensor::normal((D::<10>, D::<10>), Seed(1)));
    /// assert!(noise.mean().abs() < 0.5);
    /// ```
    ///
    /// # Panics
    /// If there is no memory for it.
    pub fn normal(shape: S, seed: Seed) -> Self {
        let mut rng = Rng::new(seed, STREAM);
        Self::from_fn(shape, |_| E::from_f64(rng.normal()))
    }

    /// Numbers in [0, 1), each equally likely, the same for the same seed.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::{dim::D, random::Seed, tensor::Tensor};
    /// let noise = Tensor::<_>::uniform((D::<10>, D::<10>), Seed(1));
    /// assert!(noise.min() >= 0.0 && noise.max() < 1.0);
    /// ```
    ///
    /// # Panics
    /// If there is no memory for it.
    pub fn uniform(shape: S, seed: Seed) -> Self {
        let mut rng = Rng::new(seed, STREAM);
        Self::from_fn(shape, |_| E::unit(rng.next_u32()))
    }
}

impl<E: Element> Tensor<(), E> {
    /// A tensor of one element and no axes, which broadcasts to every shape.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::tensor::Tensor;
    /// let t = Tensor::<_>::from([1.0, 2.0]);
    /// assert_eq!(t.gt(&Tensor::scalar(1.5)), Tensor::from([0.0, 1.0]));
    /// ```
    ///
    /// # Panics
    /// If there is no memory for it.
    pub fn scalar(value: E) -> Self {
        Self::full((), value)
    }

    /// The element.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::tensor::Tensor;
    /// assert_eq!(Tensor::scalar(2.5_f32).item(), 2.5);
    /// ```
    pub fn item(&self) -> E {
        self.as_slice()[0]
    }
}

/// From nested arrays; elements are in the order in which they are written.
macro_rules! nested {
    ($($array:ty, [$($d:ident),*], $flat:expr;)*) => { $(
        impl<E: Element, $(const $d: usize),*> From<$array> for Tensor<($(D<$d>,)*), E>
        where $(D<$d>: Static),*
        {
            /// From an array.
            ///
            /// # Panics
            /// If there is no memory for it.
            fn from(array: $array) -> Self {
                let flat: &dyn Fn(&$array) -> Vec<E> = &$flat;
                let flat = flat(&array);
                Self::build(Default::default(), |out| out.copy_from_slice(&flat))
            }
        }
    )* };
}
nested! {
    [E; A], [A], |x| x.to_vec();
    [[E; B]; A], [A, B], |x| x.as_flattened().to_vec();
    [[[E; C]; B]; A], [A, B, C], |x| x.as_flattened().as_flattened().to_vec();
    [[[[E; F]; C]; B]; A], [A, B, C, F],
        |x| x.as_flattened().as_flattened().as_flattened().to_vec();
}

/// A tensor from nested arrays: of `f32`, or of the type before the semicolon. Sizes are below 1000;
/// [`Tensor::from_vec`] has no such limit.
///
/// ```
/// # extern crate netform_core as netform;
/// use netform::{dim::D, tensor, tensor::Tensor};
/// let a: Tensor<(D<2>, D<3>)> = tensor!([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
/// let labels: Tensor<(D<3>,), u32> = tensor!(u32; [1, 0, 2]);
/// assert_eq!(a[[1, 2]], 6.0);
/// assert_eq!(labels[[2]], 2);
/// ```
#[macro_export]
macro_rules! tensor {
    ($element:ident; $array:expr) => {
        $crate::tensor::Tensor::<_, $element>::from($array)
    };
    ($array:expr) => {
        $crate::tensor::Tensor::<_, f32>::from($array)
    };
}
