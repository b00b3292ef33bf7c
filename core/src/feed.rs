//! Tensors on their way into and out of passes: what a network takes ([`Feed`]), and what it fills
//! ([`Tensors`]).

use crate::device::{Access, Bindings, Device, Memory};
use crate::element::{Element, Float};
use crate::error::{Error, Result};
use crate::module::{Extent, MAX_PORTS, Module, PortAxis};
use crate::shape::{MAX_RANK, Shape};
use crate::tensor::Tensor;

/// What a network takes: a reference to a tensor, or a tuple of them, one for each input, each with a batch
/// axis in front. `network!` implements it for the shapes that it declares.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not what network `{M}` takes",
    label = "not the inputs of this network",
    note = "a network takes a reference to a tensor, or a tuple of them with one for each input, in the order of the declaration; the batch is the outermost axis of each, and `u32[..]` takes tensors of `u32`"
)]
pub trait Feed<M: Module> {
    /// The batch, and the sizes that only the tensors know.
    ///
    /// # Errors
    /// If two inputs differ in one of them.
    #[doc(hidden)]
    fn extent(&self) -> Result<Extent>;
    /// Binds each input to its slot: floats to inputs, integers to indices.
    #[doc(hidden)]
    fn bind<'a>(&'a self, to: &mut Bindings<'a, M::Elem, M::Device>);
}

/// An element of inputs of a network that computes with `E`: `E` itself, or `u32`.
pub trait InputElement<E: Float>: Element {
    /// Whether it is `u32`.
    #[doc(hidden)]
    const INTEGER: bool;
    /// The inputs as elements that the network computes with, where they are.
    #[doc(hidden)]
    fn floats(inputs: &mut [Self]) -> Option<&mut [E]>;
    /// Binds input `i`.
    #[doc(hidden)]
    fn bind<'a, D: Device<E>>(i: usize, buffer: &'a D::Buffer<Self>, to: &mut Bindings<'a, E, D>);
}

impl<E: Float> InputElement<E> for E {
    const INTEGER: bool = false;
    fn floats(inputs: &mut [E]) -> Option<&mut [E]> {
        Some(inputs)
    }
    fn bind<'a, D: Device<E>>(i: usize, buffer: &'a D::Buffer<E>, to: &mut Bindings<'a, E, D>) {
        to.inputs[i] = Some(buffer);
    }
}

impl<E: Float> InputElement<E> for u32 {
    const INTEGER: bool = true;
    fn floats(_: &mut [u32]) -> Option<&mut [E]> {
        None
    }
    fn bind<'a, D: Device<E>>(i: usize, buffer: &'a D::Buffer<u32>, to: &mut Bindings<'a, E, D>) {
        to.indices[i] = Some(buffer);
    }
}

/// The only input of a network, of a shape that the network's own trait has found to be right.
#[doc(hidden)]
pub struct Only<'x, S, T: Element, D: Memory>(pub &'x Tensor<S, T, D>);

impl<M, S, T> Feed<M> for Only<'_, S, T, M::Device>
where
    M: Module,
    S: Shape,
    T: InputElement<M::Elem>,
{
    fn extent(&self) -> Result<Extent> {
        extent::<M>(&[self.0.shape().sizes()])
    }
    fn bind<'a>(&'a self, to: &mut Bindings<'a, M::Elem, M::Device>) {
        T::bind(0, self.0.buffer(), to);
    }
}

/// The extent of inputs with the given sizes, the batch of each first.
///
/// # Errors
/// If two inputs differ in the batch or in a size that is known only at run time.
#[doc(hidden)]
pub fn extent<M: Module>(sizes: &[[usize; MAX_RANK]]) -> Result<Extent> {
    let mut e = Extent::of(sizes.first().map_or(0, |first| first[0]));
    let mut from: [Option<usize>; crate::module::MAX_SIZES] = [None; crate::module::MAX_SIZES];
    for (i, (found, port)) in sizes.iter().zip(M::INPUTS).enumerate() {
        if found[0] != e.batch {
            return Err(unequal::<M>("the batch", 0, e.batch, i, found[0]));
        }
        for (axis, &n) in port.axes.iter().zip(&found[1..]) {
            let PortAxis::Len(name) = axis else { continue };
            let Some(len) = M::LENS.iter().position(|len| len == name) else { continue };
            match from[len] {
                None => (e.sizes[len], from[len]) = (n, Some(i)),
                Some(_) if e.sizes[len] == n => {}
                Some(first) => {
                    return Err(unequal::<M>(&format!("size `{name}`"), first, e.sizes[len], i, n));
                }
            }
        }
    }
    M::check_sizes(e)?;
    for (i, (found, port)) in sizes.iter().zip(M::INPUTS).enumerate() {
        let expected = M::input_sizes(e, i);
        for ((axis, &n), &m) in port.axes.iter().zip(&expected[1..]).zip(&found[1..]) {
            if n == m {
                continue;
            }
            let size = match axis {
                PortAxis::Len(text) => format!("size `{text}`"),
                PortAxis::Size(_) => "a size".to_owned(),
            };
            let lens: Vec<String> = M::LENS
                .iter()
                .zip(e.sizes)
                .filter(|(_, size)| *size != 0)
                .map(|(name, size)| format!("`{name}` is {size}"))
                .collect();
            return Err(Error::Size {
                what: format!("{size} of input `{}` of network `{}`", port.name, M::NAME),
                expected: format!("{n}, since {}", lens.join(" and ")),
                found: m.to_string(),
            });
        }
    }
    Ok(e)
}

fn unequal<M: Module>(what: &str, first: usize, n: usize, second: usize, m: usize) -> Error {
    let name = |i: usize| M::INPUTS.get(i).map_or("", |port| port.name);
    Error::Size {
        what: format!("{what} of input `{}` of network `{}`", name(second), M::NAME),
        expected: match first == second {
            true => format!("{n}, as another of its axes has"),
            false => format!("{n}, as input `{}` has", name(first)),
        },
        found: m.to_string(),
    }
}

/// Tensors that a pass reads or fills: one, or a tuple of them.
pub trait Tensors<E: Float, D: Device<E>>: Sized {
    /// Tensors with no samples.
    #[doc(hidden)]
    fn empty(device: &D) -> Result<Self>;
    /// Tensors of zeros: tensor `i` has the sizes `sizes(i)`.
    #[doc(hidden)]
    fn zeros(device: &D, sizes: impl Fn(usize) -> [usize; MAX_RANK]) -> Result<Self>;
    /// Gives tensor `i` the sizes `sizes(i)`, in the memory that it has where that is enough.
    #[doc(hidden)]
    fn resize(&mut self, sizes: impl Fn(usize) -> [usize; MAX_RANK]) -> Result<()>;
    /// The sizes of each tensor.
    #[doc(hidden)]
    fn sizes(&self, of: impl FnMut(usize, [usize; MAX_RANK]) -> Result<()>) -> Result<()>;
    /// Binds the tensors to input slots from `first` on.
    #[doc(hidden)]
    fn read<'a>(&'a self, first: usize, to: &mut Bindings<'a, E, D>);
    /// Binds the tensors to output slots from `first` on.
    #[doc(hidden)]
    fn write<'a>(&'a mut self, first: usize, to: &mut Bindings<'a, E, D>);
}

/// A shape of the given sizes; they are the network's own, of the same declaration as the type.
fn shape<S: Shape>(sizes: [usize; MAX_RANK]) -> Result<S> {
    S::of_sizes(sizes).ok_or_else(|| Error::Size {
        what: format!("a tensor of shape {}", S::describe()),
        expected: "sizes of this shape".to_owned(),
        found: format!("{:?}", &sizes[..S::RANK]),
    })
}

impl<S: Shape, E: Float, D: Device<E>> Tensors<E, D> for Tensor<S, E, D> {
    fn empty(device: &D) -> Result<Self> {
        let nothing = S::holding(0).map_or_else(|| shape([0; MAX_RANK]), Ok)?;
        Tensor::zeros_on(device.clone(), nothing)
    }

    fn zeros(device: &D, sizes: impl Fn(usize) -> [usize; MAX_RANK]) -> Result<Self> {
        Tensor::zeros_on(device.clone(), shape(sizes(0))?)
    }

    fn resize(&mut self, sizes: impl Fn(usize) -> [usize; MAX_RANK]) -> Result<()> {
        let shape: S = shape(sizes(0))?;
        if shape.numel() > self.device().len(self.buffer()) {
            *self = Tensor::zeros_on(self.device().clone(), shape)?;
        }
        self.set_shape(shape)
    }

    fn sizes(&self, mut of: impl FnMut(usize, [usize; MAX_RANK]) -> Result<()>) -> Result<()> {
        of(0, self.shape().sizes())
    }

    fn read<'a>(&'a self, first: usize, to: &mut Bindings<'a, E, D>) {
        to.inputs[first] = Some(self.buffer());
    }

    fn write<'a>(&'a mut self, first: usize, to: &mut Bindings<'a, E, D>) {
        to.outputs[first] = Access::Write(self.buffer_mut());
    }
}

macro_rules! tuples {
    ($($($t:ident $i:tt)*;)*) => { $(
        #[allow(unused_variables, unused_mut)]
        impl<E: Float, Dev: Device<E>, $($t: Shape),*> Tensors<E, Dev> for ($(Tensor<$t, E, Dev>,)*) {
            fn empty(device: &Dev) -> Result<Self> {
                Ok(($(Tensor::<$t, E, Dev>::empty(device)?,)*))
            }
            fn zeros(device: &Dev, sizes: impl Fn(usize) -> [usize; MAX_RANK]) -> Result<Self> {
                Ok(($(Tensor::<$t, E, Dev>::zeros(device, |_| sizes($i))?,)*))
            }
            fn resize(&mut self, sizes: impl Fn(usize) -> [usize; MAX_RANK]) -> Result<()> {
                $(self.$i.resize(|_| sizes($i))?;)*
                Ok(())
            }
            fn sizes(&self, mut of: impl FnMut(usize, [usize; MAX_RANK]) -> Result<()>) -> Result<()> {
                $(of($i, self.$i.shape().sizes())?;)*
                Ok(())
            }
            fn read<'a>(&'a self, first: usize, to: &mut Bindings<'a, E, Dev>) {
                $(to.inputs[first + $i] = Some(self.$i.buffer());)*
            }
            fn write<'a>(&'a mut self, first: usize, to: &mut Bindings<'a, E, Dev>) {
                $(to.outputs[first + $i] = Access::Write(self.$i.buffer_mut());)*
            }
        }
    )* };
}
tuples! {
    ;
    A 0;
    A 0 B 1;
    A 0 B 1 C 2;
    A 0 B 1 C 2 F 3;
    A 0 B 1 C 2 F 3 G 4;
    A 0 B 1 C 2 F 3 G 4 H 5;
    A 0 B 1 C 2 F 3 G 4 H 5 I 6;
    A 0 B 1 C 2 F 3 G 4 H 5 I 6 J 7;
}

/// The first slot of what is bound beside a network's inputs: targets of a loss, gradients with respect to
/// outputs and inputs.
#[doc(hidden)]
pub const BESIDE: usize = MAX_PORTS;
