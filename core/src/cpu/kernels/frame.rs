//! Images in frames of zeros, so that a convolution of stride 1 is a product of matrices without a copy for
//! each point of the kernel: seen as one long row, the image that a point of the kernel meets is the
//! frame shifted by a constant. What the row computes in the frame's margin is thrown away.

use crate::element::Float;

/// Where an image lies in a frame.
#[derive(Clone, Copy)]
pub(super) struct Frame {
    /// Height and width of the image.
    pub image: [usize; 2],
    /// Height and width of the frame.
    pub size: [usize; 2],
    /// Where the image's first point lies; negative where the frame cuts the image.
    pub first: [isize; 2],
    /// The distance in the frame of neighbours in the image.
    pub step: [usize; 2],
}

impl Frame {
    /// The elements of a frame.
    pub fn len(&self) -> usize {
        self.size[0] * self.size[1]
    }

    /// The image's points along an axis that lie in the frame.
    fn visible(&self, axis: usize) -> std::ops::Range<usize> {
        let (first, step) = (self.first[axis], self.step[axis] as isize);
        let from = if first < 0 { (-first + step - 1) / step } else { 0 };
        let room = self.size[axis] as isize - first;
        let to = if room > 0 { (room + step - 1) / step } else { 0 };
        from as usize..(to as usize).min(self.image[axis]).max(from as usize)
    }

    /// Writes a frame: zeros and the image.
    ///
    /// # Safety
    /// `image` must be good for the image's elements, `frame` for [`Frame::len`].
    pub unsafe fn fill<E: Float>(&self, image: *const E, frame: *mut E) {
        let [height, width] = self.size;
        // SAFETY: the caller's promise.
        let frame = unsafe { std::slice::from_raw_parts_mut(frame, height * width) };
        frame.fill(E::ZERO);
        let (rows, cols) = (self.visible(0), self.visible(1));
        let place =
            |axis: usize, i: usize| (self.first[axis] + (i * self.step[axis]) as isize) as usize;
        for row in rows {
            if cols.is_empty() {
                break;
            }
            // SAFETY: the caller's promise; the row lies in the image.
            let source = unsafe {
                let first = image.add(row * self.image[1] + cols.start);
                std::slice::from_raw_parts(first, cols.len())
            };
            let target = &mut frame[place(0, row) * width + place(1, cols.start)..];
            if self.step[1] == 1 {
                copy(source, &mut target[..source.len()]);
            } else {
                for (i, &x) in source.iter().enumerate() {
                    target[i * self.step[1]] = x;
                }
            }
        }
    }
}

/// Copies a short row without the cost of a call.
#[inline(always)]
pub(super) fn copy<E: Float>(source: &[E], target: &mut [E]) {
    const STEP: usize = 8;
    let (groups, rest) = source.as_chunks::<STEP>();
    let (target_groups, target_rest) = target.as_chunks_mut::<STEP>();
    for (to, from) in target_groups.iter_mut().zip(groups) {
        *to = *from;
    }
    for (to, &from) in target_rest.iter_mut().zip(rest) {
        *to = from;
    }
}

/// A point of the kernel at each place of the output, for strides over 1: the rows of a matrix
/// [channels * kernel, out_height * out_width].
///
/// # Safety
/// `frames` must be good for a frame a channel; `matrix` for the rows at their pitch.
#[allow(clippy::too_many_arguments)]
pub(super) unsafe fn points_of_kernel<E: Float>(
    frames: *const E,
    frame: &Frame,
    channels: usize,
    kernel: [usize; 2],
    dilation: [usize; 2],
    stride: [usize; 2],
    out: [usize; 2],
    matrix: *mut E,
    pitch: usize,
) {
    let width = frame.size[1];
    let mut row = matrix;
    for c in 0..channels {
        for ky in 0..kernel[0] {
            for kx in 0..kernel[1] {
                let corner = c * frame.len() + ky * dilation[0] * width + kx * dilation[1];
                for oy in 0..out[0] {
                    for ox in 0..out[1] {
                        // SAFETY: the caller's promise; the frame has room for every point.
                        unsafe {
                            let from = corner + oy * stride[0] * width + ox * stride[1];
                            *row.add(oy * out[1] + ox) = *frames.add(from);
                        }
                    }
                }
                row = row.wrapping_add(pitch);
            }
        }
    }
}
