//! Products of matrices and vectors.

use super::Value;

functions! {
    /// `matmul(a, b)`, `a @ b`: the product of matrices over the last two axes, or with a vector.
    ///
    /// `[h, m, k]` and `[h, k, n]` to `[h, m, n]`.
    matmul((x) other: Value);
    /// `dot(a, b)`: the product of two vectors, one number.
    dot((x) other: Value);
    /// `attention(q, k, v, causal = false)`: softmax(q kᵀ / √d) v over the last two axes (Vaswani et al., 2017).
    ///
    /// `[h, t, d]`, `[h, s, d]` and `[h, s, e]` to `[h, t, e]`.
    /// [PyTorch](https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.scaled_dot_product_attention.html)
    attention((x) k: Value, v: Value, causal: bool);
}
