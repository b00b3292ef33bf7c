//! Fewer points, or more.

/// `MaxPool2d(2)`: the largest of each window.
///
/// `[channels, h, w]` to `[channels, h', w']`, with h' = (h + 2 padding - kernel) / stride + 1, rounded down.
/// [PyTorch](https://docs.pytorch.org/docs/stable/generated/torch.nn.MaxPool2d.html)
#[non_exhaustive]
pub struct MaxPool2d {
    /// Height and width of the window: `2`, `(2, 3)`.
    pub kernel: [usize; 2],
    /// The steps of the window; its size where they are not given.
    pub stride: [usize; 2],
    /// Points that are added on both sides, and never taken; at most half of the kernel, 0 where they are not given.
    pub padding: [usize; 2],
}

/// `AvgPool2d(2)`: the mean of each window.
///
/// `[channels, h, w]` to `[channels, h', w']`, as [`MaxPool2d`]; points of the padding count as zeros.
/// [PyTorch](https://docs.pytorch.org/docs/stable/generated/torch.nn.AvgPool2d.html)
#[non_exhaustive]
pub struct AvgPool2d {
    /// Height and width of the window: `2`, `(2, 3)`.
    pub kernel: [usize; 2],
    /// The steps of the window; its size where they are not given.
    pub stride: [usize; 2],
    /// Zeros that are added on both sides; at most half of the kernel, 0 where they are not given.
    pub padding: [usize; 2],
}

/// `AdaptiveAvgPool2d(1)`: the means of equal parts of an image.
///
/// `[channels, h, w]` to `[channels, size, size]`; h and w are multiples of the size.
/// [PyTorch](https://docs.pytorch.org/docs/stable/generated/torch.nn.AdaptiveAvgPool2d.html)
#[non_exhaustive]
pub struct AdaptiveAvgPool2d {
    /// Height and width of the result: `1`, `(2, 3)`.
    pub size: [usize; 2],
}

/// `Upsample(2)`: each point repeated, PyTorch's nearest.
///
/// `[channels, h, w]` to `[channels, scale h, scale w]`.
/// [PyTorch](https://docs.pytorch.org/docs/stable/generated/torch.nn.Upsample.html)
#[non_exhaustive]
pub struct Upsample {
    /// How often a point is repeated along height and width: `2`, `(2, 3)`.
    pub scale: [usize; 2],
}
