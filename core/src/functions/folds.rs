//! Folds along axes, which vanish unless `keep = true`, and what is computed along one. `axis` counts from the end where
//! it is negative; several are `axes = [1, 2]`.

use super::Value;

functions! {
    /// `sum(x, axis = 0, keep = false)`: over an axis, over several, or over all where none is given.
    ///
    /// `[3, 4]` to `[4]`, with `keep = true` to `[1, 4]`.
    sum((x) axis: isize, keep: bool);
    /// `mean(x, axis = 0, keep = false)`: over an axis, over several, or over all where none is given.
    ///
    /// `[3, 4]` to `[4]`, with `keep = true` to `[1, 4]`.
    mean((x) axis: isize, keep: bool);
    /// `max(x, axis = 0, keep = false)`: the largest along an axis, along several, or of all where none is given; and
    /// `max(a, b)`: of each pair of elements the larger.
    ///
    /// `[3, 4]` to `[4]`, with `keep = true` to `[1, 4]`.
    max((x) axis: isize, keep: bool);
    /// `min(x, axis = 0, keep = false)`: the smallest along an axis, along several, or of all where none is given; and
    /// `min(a, b)`: of each pair of elements the smaller.
    ///
    /// `[3, 4]` to `[4]`, with `keep = true` to `[1, 4]`.
    min((x) axis: isize, keep: bool);
    /// `prod(x, axis = 0)`: the product along an axis, whose size is a literal up to 4096.
    prod((x) axis: isize);
    /// `variance(x, axis = 0, unbiased = true, keep = false)`: the mean of (x - mean)², with one element less to divide
    /// by where it is unbiased. [PyTorch](https://docs.pytorch.org/docs/stable/generated/torch.var.html)
    variance((x) axis: isize, unbiased: bool, keep: bool);
    /// `log_sum_exp(x, axis = 0, keep = false)`: ln Σ eˣ, without overflow.
    log_sum_exp((x) axis: isize, keep: bool);
    /// `argmax(x, axis = -1)`: where the largest is, as integers, without a derivative.
    ///
    /// `[3, 4]` to `u32[3]`.
    argmax((x) axis: isize);
    /// `cumsum(x, axis = -1)`: sums of the elements up to each one.
    cumsum((x) axis: isize);
    /// `softmax(x, axis = -1)`: eˣ / Σ eˣ along an axis, the last where it is not given.
    softmax((x) axis: isize);
    /// `log_softmax(x, axis = -1)`: x - ln Σ eˣ along an axis, the last where it is not given.
    log_softmax((x) axis: isize);
    /// `causal(scores)`: scores `[.., t, t]` of queries and keys, with -∞ where the key comes after the query.
    causal((x));
}
