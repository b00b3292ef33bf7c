//! Normalisations; shapes stay as they are.

/// `LayerNorm`, `LayerNorm(axes = 2)`: (x - mean) / √(variance + eps) · weight + bias over the last axes
/// (Ba et al., 2016).
///
/// `weight` and `bias` have the shape of these axes.
/// [PyTorch](https://docs.pytorch.org/docs/stable/generated/torch.nn.LayerNorm.html)
#[non_exhaustive]
pub struct LayerNorm {
    /// How many axes, from the last one on; 1 where it is not given.
    pub axes: usize,
    /// What is added to the variance; 1e-5 where it is not given.
    pub eps: f64,
    /// Whether there are a weight and a bias; `true` where it is not given.
    pub affine: bool,
}

/// `RmsNorm`: x / √(mean of x² + eps) · weight over the last axis (Zhang and Sennrich, 2019).
///
/// `weight` has the size of that axis.
/// [PyTorch](https://docs.pytorch.org/docs/stable/generated/torch.nn.RMSNorm.html)
#[non_exhaustive]
pub struct RmsNorm {
    /// What is added to the mean of squares; 1e-6 where it is not given, where PyTorch has the spacing of floats at 1.
    pub eps: f64,
}

/// `GroupNorm(4)`: as [`LayerNorm`] over groups of channels and all that lies behind them (Wu and He, 2018).
///
/// Over `[channels, ..]`; `weight` and `bias` are `[channels]`.
/// [PyTorch](https://docs.pytorch.org/docs/stable/generated/torch.nn.GroupNorm.html)
#[non_exhaustive]
pub struct GroupNorm {
    /// The number of groups, which divides the channels.
    pub groups: usize,
    /// What is added to the variance; 1e-5 where it is not given.
    pub eps: f64,
}

/// `BatchNorm1d`: each feature normalised over the batch in training, by running statistics in evaluation
/// (Ioffe and Szegedy, 2015).
///
/// Over `[features]` or `[channels, length]`; `weight`, `bias`, `running_mean` and `running_var` are `[features]`, or
/// `[channels]`.
/// [PyTorch](https://docs.pytorch.org/docs/stable/generated/torch.nn.BatchNorm1d.html)
#[non_exhaustive]
pub struct BatchNorm1d {
    /// What is added to the variance; 1e-5 where it is not given.
    pub eps: f64,
    /// The part of a batch in the running statistics; 0.1 where it is not given.
    pub momentum: f64,
}

/// `BatchNorm2d`: each channel normalised over the batch and the image in training, by running statistics in
/// evaluation (Ioffe and Szegedy, 2015).
///
/// Over `[channels, height, width]`; `weight`, `bias`, `running_mean` and `running_var` are `[channels]`.
/// [PyTorch](https://docs.pytorch.org/docs/stable/generated/torch.nn.BatchNorm2d.html)
#[non_exhaustive]
pub struct BatchNorm2d {
    /// What is added to the variance; 1e-5 where it is not given.
    pub eps: f64,
    /// The part of a batch in the running statistics; 0.1 where it is not given.
    pub momentum: f64,
}
