//! Convolutions.

use crate::init::Init;

/// `Conv2d(6, kernel = 5)`, `Conv2d(1 -> 6, kernel = (5, 3))`: a convolution over height and width.
///
/// `[in, h, w]` to `[out, h', w']`, with h' = (h + 2 padding - dilation (kernel - 1) - 1) / stride + 1, rounded down;
/// `weight` is `[out, in / groups, kernel, kernel]`, `bias` `[out]`.
/// [PyTorch](https://docs.pytorch.org/docs/stable/generated/torch.nn.Conv2d.html)
#[non_exhaustive]
pub struct Conv2d {
    /// The channels that it yields; `in -> out` states, and checks, what it takes as well.
    pub out_channels: usize,
    /// Height and width of the kernel: `kernel = 5`, `kernel = (5, 3)`.
    pub kernel: [usize; 2],
    /// The steps of the kernel; 1 where they are not given.
    pub stride: [usize; 2],
    /// The zeros that are added on both sides; 0 where they are not given.
    pub padding: [usize; 2],
    /// The distance of the kernel's points; 1 where it is not given.
    pub dilation: [usize; 2],
    /// Groups of channels that do not see each other; 1 where they are not given.
    pub groups: usize,
    /// Whether a bias is added; `true` where it is not given.
    pub bias: bool,
    /// How the weight begins; uniform within 1 / √fan_in of 0 where it is not given.
    pub init: Init,
    /// How the bias begins; uniform within 1 / √fan_in of 0 where it is not given, whatever `init` is.
    pub bias_init: Init,
}

/// `Conv1d(6, kernel = 5)`: a convolution over the last axis.
///
/// `[in, length]` to `[out, length']`, with length' as in [`Conv2d`]; `weight` is `[out, in / groups, kernel]`, `bias`
/// `[out]`. [PyTorch](https://docs.pytorch.org/docs/stable/generated/torch.nn.Conv1d.html)
#[non_exhaustive]
pub struct Conv1d {
    /// The channels that it yields; `in -> out` states, and checks, what it takes as well.
    pub out_channels: usize,
    /// The length of the kernel.
    pub kernel: usize,
    /// The steps of the kernel; 1 where they are not given.
    pub stride: usize,
    /// The zeros that are added on both sides; 0 where they are not given.
    pub padding: usize,
    /// The distance of the kernel's points; 1 where it is not given.
    pub dilation: usize,
    /// Groups of channels that do not see each other; 1 where they are not given.
    pub groups: usize,
    /// Whether a bias is added; `true` where it is not given.
    pub bias: bool,
    /// How the weight begins; uniform within 1 / √fan_in of 0 where it is not given.
    pub init: Init,
    /// How the bias begins; uniform within 1 / √fan_in of 0 where it is not given, whatever `init` is.
    pub bias_init: Init,
}

/// `ConvTranspose2d(3, kernel = 2, stride = 2)`: the gradient of a convolution as a layer, from few points to many.
///
/// `[in, h, w]` to `[out, h', w']`, with h' = (h - 1) stride - 2 padding + dilation (kernel - 1) + output_padding + 1;
/// `weight` is `[in, out / groups, kernel, kernel]`, `bias` `[out]`.
/// [PyTorch](https://docs.pytorch.org/docs/stable/generated/torch.nn.ConvTranspose2d.html)
#[non_exhaustive]
pub struct ConvTranspose2d {
    /// The channels that it yields; `in -> out` states, and checks, what it takes as well.
    pub out_channels: usize,
    /// Height and width of the kernel: `kernel = 5`, `kernel = (5, 3)`.
    pub kernel: [usize; 2],
    /// The steps of the kernel; 1 where they are not given.
    pub stride: [usize; 2],
    /// What is left out on both sides; 0 where it is not given.
    pub padding: [usize; 2],
    /// Points that are added at the end, where several sizes would give the same input; 0 where they are not given.
    pub output_padding: [usize; 2],
    /// The distance of the kernel's points; 1 where it is not given.
    pub dilation: [usize; 2],
    /// Groups of channels that do not see each other; 1 where they are not given.
    pub groups: usize,
    /// Whether a bias is added; `true` where it is not given.
    pub bias: bool,
    /// How the weight begins; uniform within 1 / √fan_in of 0 where it is not given.
    pub init: Init,
    /// How the bias begins; uniform within 1 / √fan_in of 0 where it is not given, whatever `init` is.
    pub bias_init: Init,
}
