//! Losses: but for `kl_divergence` and `cosine_similarity`, which are along the last axis, one number of a sample.

use super::Value;

functions! {
    /// `mse(x, target)`: the mean of (x - target)².
    mse((x) target: Value);
    /// `l1(x, target)`: the mean of |x - target|.
    l1((x) target: Value);
    /// `huber(x, target, delta = 1.0)`: the mean of d² / 2 where |d| is at most `delta`, else of delta (|d| - delta / 2),
    /// with d = x - target (Huber, 1964).
    huber((x) target: Value, delta: f64);
    /// `bce(probabilities, target)`: the mean of -t ln p - (1 - t) ln(1 - p), with logarithms of at least -100.
    bce((x) target: Value);
    /// `bce_with_logits(logits, target)`: `bce` of their sigmoids, without overflow.
    bce_with_logits((x) target: Value);
    /// `cross_entropy(logits, labels, smoothing = 0.1)`: the mean, over positions, of ln Σ e^logits minus the label's
    /// logit. A share `smoothing`, 0 where it is not given, goes to all classes alike (Szegedy et al., 2016).
    ///
    /// Logits `[.., classes]` and labels `u32[..]`.
    cross_entropy((x) labels: Value, smoothing: f64);
    /// `nll(log_probabilities, labels)`: the mean, over positions, of minus the label's.
    ///
    /// Log-probabilities `[.., classes]` and labels `u32[..]`.
    nll((x) labels: Value);
    /// `hinge(x, signs)`: the mean of max(0, 1 - x · sign), with signs of -1 or 1.
    hinge((x) signs: Value);
    /// `kl_divergence(log_q, p)`: Σ p (ln p - ln q) over the last axis.
    kl_divergence((x) p: Value);
    /// `cosine_similarity(a, b)`: a b / (|a| |b|) over the last axis; norms are at least 1e-8.
    cosine_similarity((x) other: Value);
}
