//! Typed views of a layer's parameters: what `net.fc1()` returns.

use std::marker::PhantomData;

use crate::device::Memory;
use crate::dim::Static;
use crate::error::{Error, Result};
use crate::module::Module;
use crate::network::ParamSpec;
use crate::shape::Shape;
use crate::tensor::Tensor;

/// A parameter of `net` as a tensor of its own.
fn copy<N: Module, S: Shape>(net: &N, spec: &ParamSpec) -> Result<Tensor<S, N::Elem, N::Device>> {
    let store = net.store();
    let mut values = vec![N::Elem::default(); spec.numel()];
    store.device.read(&store.params, spec.offset, &mut values)?;
    Tensor::from_slice_on(store.device.clone(), &values)
}

/// Where the parameters of one of several repeated layers begin.
///
/// # Errors
/// If there are not so many.
#[doc(hidden)]
pub fn repeated<N: Module>(first: &[usize], i: usize, name: &str) -> Result<usize> {
    first.get(i).copied().ok_or_else(|| {
        let count = first.len();
        let network = N::NAME;
        Error::Invalid(format!(
            "`{name}` of network `{network}` are {count} layers, from 0 to {}; there is no {i}",
            count - 1
        ))
    })
}

macro_rules! layer_view {
    ($(#[$doc:meta])* $name:ident<$($dim:ident),*>, $weight:ty, $bias:ty) => {
        $(#[$doc])*
        pub struct $name<'n, N: Module, $($dim: Static),*> {
            net: &'n N,
            weight: usize,
            bias: bool,
            dims: PhantomData<($($dim,)*)>,
        }

        impl<'n, N: Module, $($dim: Static),*> $name<'n, N, $($dim),*> {
            /// The layer whose weight is parameter `weight`; a bias follows it.
            #[doc(hidden)]
            pub fn of(net: &'n N, weight: usize, bias: bool) -> Self {
                $name { net, weight, bias, dims: PhantomData }
            }

            /// A copy of the weight.
            ///
            /// # Errors
            /// If the device is lost.
            pub fn weight(&self) -> Result<Tensor<$weight, N::Elem, N::Device>> {
                copy(self.net, &N::PARAMS[self.weight])
            }

            /// A copy of the bias; `None` for a layer with `bias = false`.
            ///
            /// # Errors
            /// If the device is lost.
            pub fn bias(&self) -> Result<Option<Tensor<$bias, N::Elem, N::Device>>> {
                if !self.bias {
                    return Ok(None);
                }
                copy(self.net, &N::PARAMS[self.weight + 1]).map(Some)
            }
        }
    };
}

layer_view! {
    /// The parameters of a `Linear` layer from `I` to `O` features, in PyTorch's layout: weight
    /// `[O, I]`, bias `[O]`.
    Linear<I, O>, (O, I), (O,)
}
layer_view! {
    /// The parameters of a `Conv2d` layer from `I` to `O` channels with a kernel of `KH` x `KW`, in
    /// PyTorch's layout: weight `[O, I, KH, KW]`, bias `[O]`.
    Conv2d<I, O, KH, KW>, (O, I, KH, KW), (O,)
}
