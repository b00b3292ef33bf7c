//! What is done to each element, or along an axis; but for `Glu`, shapes stay as they are.

/// `Relu`: max(x, 0).
#[non_exhaustive]
pub struct Relu {}

/// `Sigmoid`: 1 / (1 + e⁻ˣ).
#[non_exhaustive]
pub struct Sigmoid {}

/// `Tanh`: the hyperbolic tangent.
#[non_exhaustive]
pub struct Tanh {}

/// `Softplus`: ln(1 + eˣ).
#[non_exhaustive]
pub struct Softplus {}

/// `Silu`: x sigmoid(x).
/// [PyTorch](https://docs.pytorch.org/docs/stable/generated/torch.nn.SiLU.html)
#[non_exhaustive]
pub struct Silu {}

/// `LeakyRelu`, `LeakyRelu(0.01)`: x, or `slope` times x where that is negative.
#[non_exhaustive]
pub struct LeakyRelu {
    /// The factor of negative values; 0.01 where it is not given.
    pub slope: f64,
}

/// `Elu`, `Elu(1.0)`: x, or `alpha` (eˣ - 1) where that is negative.
/// [PyTorch](https://docs.pytorch.org/docs/stable/generated/torch.nn.ELU.html)
#[non_exhaustive]
pub struct Elu {
    /// Where it goes for very negative values, with a minus sign; 1 where it is not given.
    pub alpha: f64,
}

/// `Gelu`, `Gelu(approximate = tanh)`: x Φ(x), with Φ the standard normal distribution (Hendrycks and Gimpel, 2016).
/// [PyTorch](https://docs.pytorch.org/docs/stable/generated/torch.nn.GELU.html)
#[non_exhaustive]
pub struct Gelu {
    /// `none`, as where it is not given, or `tanh`, which is faster.
    pub approximate: &'static str,
}

/// `Softmax`, `Softmax(axis = 0)`: eˣ / Σ eˣ along an axis.
/// [PyTorch](https://docs.pytorch.org/docs/stable/generated/torch.nn.Softmax.html)
#[non_exhaustive]
pub struct Softmax {
    /// The axis of a sample, from its end where it is negative; the last where it is not given.
    pub axis: isize,
}

/// `LogSoftmax`, `LogSoftmax(axis = 0)`: x - ln Σ eˣ along an axis.
/// [PyTorch](https://docs.pytorch.org/docs/stable/generated/torch.nn.LogSoftmax.html)
#[non_exhaustive]
pub struct LogSoftmax {
    /// The axis of a sample, from its end where it is negative; the last where it is not given.
    pub axis: isize,
}

/// `Glu`, `Glu(axis = 0)`: the first half of an axis times the sigmoid of its second half.
///
/// `[16]` to `[8]`. [PyTorch](https://docs.pytorch.org/docs/stable/generated/torch.nn.GLU.html)
#[non_exhaustive]
pub struct Glu {
    /// The axis of a sample, from its end where it is negative; the last where it is not given.
    pub axis: isize,
}

/// `Dropout(0.25)`: in training, 0 with a probability of `rate`, else x / (1 - rate); in evaluation x.
///
/// `Dropout(rate)` of a setting of the network is changed without compiling again.
/// [PyTorch](https://docs.pytorch.org/docs/stable/generated/torch.nn.Dropout.html)
#[non_exhaustive]
pub struct Dropout {
    /// The probability, from 0 to 1.
    pub rate: f64,
}
