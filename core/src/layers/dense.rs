//! Products with a weight, tables, and weights alone.

use crate::init::Init;

/// `Linear(120)`, `Linear(400 -> 120)`: y = x Wᵀ + b over the last axis.
///
/// `[.., in]` to `[.., out]`; `weight` is `[out, in]`, `bias` `[out]`.
/// [PyTorch](https://docs.pytorch.org/docs/stable/generated/torch.nn.Linear.html)
#[non_exhaustive]
pub struct Linear {
    /// The features that it yields; `in -> out` states, and checks, what it takes as well.
    pub out_features: usize,
    /// Whether a bias is added; `true` where it is not given.
    pub bias: bool,
    /// How the weight begins; uniform within 1 / √in of 0 where it is not given.
    pub init: Init,
    /// How the bias begins; uniform within 1 / √in of 0 where it is not given, whatever `init` is.
    pub bias_init: Init,
}

/// `Embedding(65, features = 32)`: rows of a table by integers.
///
/// `u32[..]` to `[.., features]`; `weight` is `[rows, features]`. An index of `rows` or more is an error of the pass.
/// [PyTorch](https://docs.pytorch.org/docs/stable/generated/torch.nn.Embedding.html)
#[non_exhaustive]
pub struct Embedding {
    /// The rows of the table: indices are below.
    pub rows: usize,
    /// The length of a row.
    pub features: usize,
    /// How the table begins; normal with standard deviation 1 where it is not given.
    pub init: Init,
}

/// `let w = Param([784, 128]);`: a parameter of its own, in expressions.
///
/// It is a value of its shape, without the batch.
#[non_exhaustive]
pub struct Param {
    /// The shape, such as `[784, 128]`.
    pub shape: &'static [usize],
    /// How it begins; uniform within 1 / √n of 0 for a last axis of n where it is not given.
    pub init: Init,
}
