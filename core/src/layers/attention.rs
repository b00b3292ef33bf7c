//! Attention, and what tells it positions.

use crate::init::Init;

/// `MultiHeadAttention(4)`: softmax(q kᵀ / √(d / heads)) v, for several projections at once (Vaswani et al., 2017).
///
/// `[positions, d]` to `[positions, d]`; called in expressions as `f(x)`, `f(x, context)` or `f(q, k, v)`.
/// `in_proj_weight` is `[3 d, d]`, `in_proj_bias` `[3 d]`, `out_proj.weight` `[d, d]`, `out_proj.bias` `[d]`.
/// [PyTorch](https://docs.pytorch.org/docs/stable/generated/torch.nn.MultiheadAttention.html)
#[non_exhaustive]
pub struct MultiHeadAttention {
    /// The number of heads, which divides the features.
    pub heads: usize,
    /// Whether positions see only themselves and those before them; `false` where it is not given.
    pub causal: bool,
    /// Whether the projections have a bias; `true` where it is not given.
    pub bias: bool,
}

/// `PositionalEmbedding`: a learned vector for each position, added.
///
/// `[positions, features]`, the shape of `weight` too.
#[non_exhaustive]
pub struct PositionalEmbedding {
    /// How the weight begins; normal with standard deviation 0.02 where it is not given.
    pub init: Init,
}

/// `PositionalEncoding`: sines and cosines of the position, added (Vaswani et al., 2017).
///
/// Over `[positions, d]`: sin(p / 10000^(2 i / d)) at feature 2 i, the cosine at 2 i + 1.
#[non_exhaustive]
pub struct PositionalEncoding {}
