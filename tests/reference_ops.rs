//! Layers and losses one by one against PyTorch: the output and every gradient.
//!
//! A case is a network whose first layer makes the op's input a parameter: a `Linear` without bias, whose
//! input is the identity matrix, so that sample `b` of its output is column `b` of its weight. The gradient
//! of that weight is then the op's gradient with respect to its input.

mod common;

use common::{Reference, assert_close, batch, transposed};
use netform::element::{Element, Float};
use netform::loss::Loss;
use netform::prelude::*;
use netform::shape::SampleShape;

/// A module for each case: its name in the file, the batch, a sample of the input, and the op.
macro_rules! cases {
    ($($name:ident: $batch:tt x [$($size:tt),*] => $($op:tt)*;)*) => { $(
        mod $name {
            use super::*;

            network! {
                #[doc = stringify!($name)]
                pub Net: [$batch] {
                    x: Linear(1 $(* $size)*, bias = false), Reshape([$($size),*]),
                    $($op)*
                }
            }
        }
    )* };
}
