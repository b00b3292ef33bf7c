//! `fn` items: how a function is a loss by its name, and what the code that `network!` prints for calls on tensors
//! is made of.
//!
//! ```standalone_crate
//! # extern crate netform_core as netform;
//! use netform::tensor;
//!
//! netform_macros::network! {
//!     /// Rosenbrock's function.
//!     fn rosenbrock(x: [2]) -> [] {
//!         square(1 - x[0]) + 100 * square(x[1] - square(x[0]))
//!     }
//! }
//!
//! # fn main() {
//! let x = tensor!([1.0, 2.0]);
//! assert_eq!(rosenbrock(&x).item(), 100.0);
//! assert_eq!(rosenbrock::gradient(&x), tensor!([-400.0, 200.0]));
//! # }
//! ```

use crate::device::{Access, Bindings, Device, Kernels, Memory, Run, Slot, Span};
use crate::element::{Element, Float};
use crate::error::{Error, Result};
use crate::feed::Tensors;
use crate::loss::Loss;
use crate::metric::Answers;
use crate::module::{PortAxis, PortSpec};
use crate::shape::{MAX_RANK, SampleShape, Shape};
use crate::tensor::Tensor;

/// A tensor that a pass reads, and the number of the input that it is bound to.
#[doc(hidden)]
pub enum Given<'x, E: Float, D: Device<E>> {
    /// Of floats.
    Float(usize, &'x D::Buffer<E>),
    /// Of `u32`.
    Integer(usize, &'x D::Buffer<u32>),
}

/// A pass with memory of its own over tensors of a function: fills the results, which are bound to the outputs
/// from the first on.
///
/// # Errors
/// If an index is out of range, or the device has not enough memory or is lost.
#[doc(hidden)]
pub fn pass<E: Float, D: Device<E>, R: Tensors<E, D>>(
    of: &Signature,
    device: &D,
    given: &[Given<'_, E, D>],
    workspace: usize,
    results: R,
    steps: impl FnOnce(&mut D::Run<'_>),
) -> Result<R> {
    let mut memory = device.zeros(workspace)?;
    run(of, device, given, &mut memory, results, steps)
}

/// A pass that also yields a number, at the span that `steps` returns.
///
/// # Errors
/// As of [`pass`].
#[doc(hidden)]
pub fn value_pass<E: Float, D: Device<E>, R: Tensors<E, D>>(
    of: &Signature,
    device: &D,
    given: &[Given<'_, E, D>],
    workspace: usize,
    results: R,
    steps: impl FnOnce(&mut D::Run<'_>) -> Span,
) -> Result<(Tensor<(), E, D>, R)> {
    let mut memory = device.zeros(workspace)?;
    let mut at = Span::new(Slot::Workspace, 0, 0);
    let results = run(of, device, given, &mut memory, results, |k| at = steps(k))?;
    let mut value = [E::ZERO];
    device.read(&memory, at.offset, &mut value)?;
    Ok((Tensor::from_slice_on(device.clone(), &value)?, results))
}

fn run<E: Float, D: Device<E>, R: Tensors<E, D>>(
    of: &Signature,
    device: &D,
    given: &[Given<'_, E, D>],
    memory: &mut D::Buffer<E>,
    mut results: R,
    steps: impl FnOnce(&mut D::Run<'_>),
) -> Result<R> {
    let mut bound = Bindings { workspace: Access::Write(memory), ..Bindings::default() };
    for tensor in given {
        match *tensor {
            Given::Float(i, buffer) => bound.inputs[i] = Some(buffer),
            Given::Integer(i, buffer) => bound.indices[i] = Some(buffer),
        }
    }
    results.write(0, &mut bound);
    let mut run = device.run(bound);
    steps(&mut run);
    run.finish().map_err(|error| of.names(error))?;
    Ok(results)
}

/// One after the other, each element of `seed` is 1 and all others of `seeds` are 0: what rows of Jacobians and
/// Hessians are products with. `row` gets the number of the element.
#[doc(hidden)]
pub fn basis<E: Float, K: Kernels<E>>(
    k: &mut K,
    seeds: Span,
    seed: Span,
    mut row: impl FnMut(&mut K, usize),
) {
    for i in 0..seed.len {
        k.fill(seeds, E::ZERO);
        k.fill(Span::new(seed.slot, seed.offset + i, 1), E::ONE);
        row(k, i);
    }
}

/// The result of what cannot fail but for want of memory, and sizes known only at run time.
#[doc(hidden)]
#[track_caller]
pub fn infallible<T>(result: Result<T>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{error}"),
    }
}

/// What a function declares.
#[doc(hidden)]
pub struct Signature {
    /// Its name.
    pub name: &'static str,
    /// Its inputs; `PortAxis::Len` is a generic size.
    pub inputs: &'static [PortSpec],
    /// Whether there may be further axes in front of those of each input.
    pub leading: bool,
    /// Its generic sizes.
    pub sizes: &'static [&'static str],
}

impl Signature {
    /// The generic sizes that tensors of the declared shapes have, and, last, how many positions the axes in
    /// front of them count.
    ///
    /// # Errors
    /// If a size that is known only at run time is not the same everywhere.
    pub fn sizes<const N: usize>(&self, found: &[&[usize]]) -> Result<[usize; N]> {
        let mut sizes: [Option<usize>; N] = [None; N];
        let mut front: Option<&[usize]> = None;
        for (port, found) in self.inputs.iter().zip(found) {
            let (leading, sample) = found.split_at(found.len().saturating_sub(port.axes.len()));
            let first = *front.get_or_insert(leading);
            if self.leading && first != leading {
                return Err(self.unequal(port.name, "leading axes", first, leading));
            }
            for (axis, &n) in port.axes.iter().zip(sample) {
                let PortAxis::Len(name) = axis else { continue };
                let Some(i) = self.sizes.iter().position(|size| size == name) else { continue };
                let known = *sizes[i].get_or_insert(n);
                if known != n {
                    return Err(self.unequal(port.name, &format!("size `{name}`"), known, n));
                }
            }
        }
        let rows = front.unwrap_or(&[]).iter().fold(1, |n: usize, &m| n.saturating_mul(m));
        let mut all = sizes.map(Option::unwrap_or_default);
        if let Some(last) = all.last_mut() {
            *last = rows;
        }
        Ok(all)
    }

    /// The error of an index, with the names of the function and of the input that it is in, where there is one only.
    fn names(&self, error: Error) -> Error {
        let Error::IndexOutOfRange { what, index, size, of } = error else { return error };
        let mut integers = self.inputs.iter().filter(|port| port.integer);
        let input = match (integers.next(), integers.next()) {
            (Some(input), None) => format!(", of input `{}`", input.name),
            _ => String::new(),
        };
        Error::IndexOutOfRange {
            what: format!("{what} in `{}`{input}", self.name),
            index,
            size,
            of,
        }
    }

    fn unequal<T: std::fmt::Debug>(&self, input: &str, what: &str, expected: T, found: T) -> Error {
        Error::Size {
            what: format!("{what} of input `{input}` of `{}`", self.name),
            expected: format!("{expected:?}, as before"),
            found: format!("{found:?}"),
        }
    }
}

/// The sizes of a tensor.
#[doc(hidden)]
pub fn sizes_of<S: Shape, E: Element, D: Memory>(tensor: &Tensor<S, E, D>) -> Vec<usize> {
    tensor.shape().sizes()[..S::RANK].to_vec()
}

/// That a tensor has sizes that are not all part of its type.
///
/// # Errors
/// If it has others.
#[doc(hidden)]
pub fn expect_sizes<S: Shape, E: Element, D: Memory>(
    what: &str,
    sizes: &[usize],
    tensor: &Tensor<S, E, D>,
) -> Result<()> {
    let found = sizes_of(tensor);
    match found == sizes {
        true => Ok(()),
        false => Err(Error::Size {
            what: what.to_owned(),
            expected: format!("the sizes {sizes:?}"),
            found: format!("{found:?}"),
        }),
    }
}

/// Sizes as shapes hold them: 1 from the rank on.
#[doc(hidden)]
pub fn padded<const N: usize>(sizes: [usize; N]) -> [usize; MAX_RANK] {
    let mut all = [1; MAX_RANK];
    for (to, size) in all.iter_mut().zip(sizes) {
        *to = size;
    }
    all
}

/// Stands for the tensors of a function that is not called but used as a loss.
pub struct AsLoss;

/// Stands for a tensor that there is none of: another way to take some, so that inference does not take the rest of a
/// call to be what the only way has, and report E0308 where it is not.
pub struct NoTensor;

/// What is a loss by its name: a function of outputs and targets that `network!` has printed, and the type of the
/// same name, `distance {}`.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a loss")]
pub trait LossFunction {
    /// The type of the same name.
    type Item: Default;
}

/// Where a function is named, inference has it take [`AsLoss`] instead of tensors, and then it yields its type.
#[diagnostic::do_not_recommend]
impl<F, Item: Default> LossFunction for F
where
    F: Fn(&AsLoss, &AsLoss) -> Item,
{
    type Item = Item;
}

/// [`Loss`], as functions that `network!` prints implement it: a trait of its own, since what is called by a
/// function's name is a [`Loss`] through [`LossFunction`], and `Loss` for its type too would be a second way.
#[diagnostic::on_unimplemented(
    message = "loss `{Self}` cannot compare a network's output of shape {O} with targets of shape {Y} and element `{T}`",
    label = "output {O}, targets {Y} of `{T}`",
    note = "an `fn` of `network!` takes outputs and targets of the shapes that are declared of its first two inputs"
)]
pub trait FunctionLoss<E: Float, O: SampleShape, Y: SampleShape, T: Element>: Default {
    /// As of [`Loss`].
    #[doc(hidden)]
    fn workspace(&self, batch: usize) -> usize;
    /// As of [`Loss`].
    #[doc(hidden)]
    fn bind<'a, D: Device<E>>(&self, targets: &'a D::Buffer<T>, to: &mut Bindings<'a, E, D>);
    /// As of [`Loss`].
    #[doc(hidden)]
    fn value<K: Kernels<E>>(&self, k: &mut K, batch: usize, output: Span, base: usize) -> Span;
    /// As of [`Loss`].
    #[doc(hidden)]
    fn value_and_gradient<K: Kernels<E>>(
        &self,
        k: &mut K,
        batch: usize,
        output: Span,
        gradient: Span,
        base: usize,
    ) -> Span;
}

// Without `do_not_recommend`: where it is a function that does not fit, its name is reported, and not the type of
// its pointer.
impl<E, O, Y, T, F> Loss<E, O, Y, T> for F
where
    E: Float,
    O: SampleShape,
    Y: SampleShape,
    T: Element,
    F: LossFunction,
    F::Item: FunctionLoss<E, O, Y, T>,
{
    fn workspace(&self, batch: usize) -> usize {
        F::Item::default().workspace(batch)
    }
    fn bind<'a, D: Device<E>>(&self, targets: &'a D::Buffer<T>, to: &mut Bindings<'a, E, D>) {
        F::Item::default().bind(targets, to);
    }
    fn value<K: Kernels<E>>(&self, k: &mut K, batch: usize, output: Span, base: usize) -> Span {
        F::Item::default().value(k, batch, output, base)
    }
    fn value_and_gradient<K: Kernels<E>>(
        &self,
        k: &mut K,
        batch: usize,
        output: Span,
        gradient: Span,
        base: usize,
    ) -> Span {
        F::Item::default().value_and_gradient(k, batch, output, gradient, base)
    }
    fn correct(&self, _: &[E], _: &[T]) -> Option<Answers> {
        None
    }
}
