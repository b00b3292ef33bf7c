//! Readable twins of the kernels, for tests: one loop for each axis, no threads, sums in f64.

use crate::device::{Conv2dDims, GRID_RANK, Grid, MatmulDims, Pool2dDims, Row, RowTo};
use crate::element::Float;

/// The coordinates of all positions of a grid, in order.
pub(crate) fn positions(grid: Grid) -> impl Iterator<Item = Grid> {
    let [a, b, c, d] = grid;
    (0..a).flat_map(move |i| {
        (0..b).flat_map(move |j| (0..c).flat_map(move |k| (0..d).map(move |l| [i, j, k, l])))
    })
}

/// The sum of coordinate times stride.
pub(crate) fn dot(position: Grid, strides: [usize; GRID_RANK]) -> usize {
    position.iter().zip(&strides).map(|(p, s)| p * s).sum()
}

/// The strides of a tensor of these sizes that is stored without gaps.
pub(crate) fn dense(grid: Grid) -> [usize; GRID_RANK] {
    [grid[1] * grid[2] * grid[3], grid[2] * grid[3], grid[3], 1]
}

/// `a @ b` for each product.
pub(crate) fn matmul(a: &[f64], b: &[f64], dims: &MatmulDims) -> Vec<f64> {
    let MatmulDims { batch, m, n, k, transpose_a, transpose_b, stride_a, stride_b } = *dims;
    positions([1, batch, m, n])
        .map(|[_, s, i, j]| {
            (0..k)
                .map(|p| {
                    let a = a[s * stride_a + if transpose_a { p * m + i } else { i * k + p }];
                    let b = b[s * stride_b + if transpose_b { j * k + p } else { p * n + j }];
                    a * b
                })
                .sum()
        })
        .collect()
}

/// Calls `f(x index, w index, y index)` for every product of a convolution.
pub(crate) fn for_each_product(d: &Conv2dDims, mut f: impl FnMut(usize, usize, usize)) {
    let [oh, ow] = d.out_size();
    let (ins, outs) = (d.in_channels / d.groups, d.out_channels / d.groups);
    let inside = |o: usize, k: usize, axis: usize, size: usize| {
        (o * d.stride[axis] + k * d.dilation[axis])
            .checked_sub(d.padding[axis])
            .filter(|&i| i < size)
    };
    for [n, o, oy, ox] in positions([d.batch, d.out_channels, oh, ow]) {
        for [_, c, ky, kx] in positions([1, ins, d.kernel[0], d.kernel[1]]) {
            let (y, x) = (inside(oy, ky, 0, d.height), inside(ox, kx, 1, d.width));
            if let (Some(y), Some(x)) = (y, x) {
                let channel = n * d.in_channels + o / outs * ins + c;
                f(
                    (channel * d.height + y) * d.width + x,
                    ((o * ins + c) * d.kernel[0] + ky) * d.kernel[1] + kx,
                    ((n * d.out_channels + o) * oh + oy) * ow + ox,
                );
            }
        }
    }
}

/// The place of the maximum of each window; `None` in the padding.
pub(crate) fn places_of_maxima(x: &[f64], d: &Pool2dDims) -> Vec<Option<usize>> {
    let [oh, ow] = d.out_size();
    positions([1, d.planes, oh, ow])
        .map(|[_, plane, oy, ox]| {
            let mut best: Option<usize> = None;
            for [_, _, ky, kx] in positions([1, 1, d.kernel[0], d.kernel[1]]) {
                let y = (oy * d.stride[0] + ky).checked_sub(d.padding[0]).filter(|&y| y < d.height);
                let col =
                    (ox * d.stride[1] + kx).checked_sub(d.padding[1]).filter(|&c| c < d.width);
                if let (Some(y), Some(col)) = (y, col) {
                    let place = (plane * d.height + y) * d.width + col;
                    if best.is_none_or(|best| x[place] > x[best] || x[place].is_nan()) {
                        best = Some(place);
                    }
                }
            }
            best
        })
        .collect()
}

/// Calls `f(x index, y index)` for every point of every window that lies in the image.
pub(crate) fn for_each_point(d: &Pool2dDims, mut f: impl FnMut(usize, usize)) {
    let [oh, ow] = d.out_size();
    for (i, [_, plane, oy, ox]) in positions([1, d.planes, oh, ow]).enumerate() {
        for [_, _, ky, kx] in positions([1, 1, d.kernel[0], d.kernel[1]]) {
            let y = (oy * d.stride[0] + ky).checked_sub(d.padding[0]).filter(|&y| y < d.height);
            let col = (ox * d.stride[1] + kx).checked_sub(d.padding[1]).filter(|&c| c < d.width);
            if let (Some(y), Some(col)) = (y, col) {
                f((plane * d.height + y) * d.width + col, i);
            }
        }
    }
}

/// The sum of all elements up to each one, or from it on.
pub(crate) fn cumsum(x: &[f64], [outer, len, inner]: [usize; 3], reverse: bool) -> Vec<f64> {
    positions([1, outer, len, inner])
        .map(|[_, o, i, j]| {
            let summed = (0..len).filter(|&k| if reverse { k >= i } else { k <= i });
            summed.map(|k| x[(o * len + k) * inner + j]).sum()
        })
        .collect()
}

/// A row of a program: everything in vectors, one element at a time.
pub(crate) struct NaiveRow<E> {
    /// The row's elements of each input.
    pub ins: Vec<Vec<E>>,
    /// Rows that were kept.
    pub kept: Vec<Vec<E>>,
    /// What was stored in each output.
    pub outs: Vec<Vec<E>>,
    pub len: usize,
}

impl<E: Float> NaiveRow<E> {
    fn element<const A: usize>(&self, ins: [usize; A], place: usize) -> [E; A] {
        ins.map(|input| match input.checked_sub(self.ins.len()) {
            None => self.ins[input][place],
            Some(kept) => self.kept[kept][place],
        })
    }
}

impl<E: Float> Row<E> for NaiveRow<E> {
    type Number = E;

    fn pass<const A: usize, const S: usize, const W: usize>(
        &mut self,
        ins: [usize; A],
        numbers: [E; S],
        to: [RowTo; W],
        f: impl Fn([E; A], [E; S]) -> [E; W] + Copy,
    ) -> [E; W] {
        let mut folds = to.map(|to| if to == RowTo::Max { f64::NEG_INFINITY } else { 0.0 });
        for place in 0..self.len {
            let values = f(self.element(ins, place), numbers);
            for w in 0..W {
                let x = values[w].to_f64();
                match to[w] {
                    RowTo::Sum => folds[w] += x,
                    RowTo::Max if x.is_nan() || folds[w].is_nan() => folds[w] = f64::NAN,
                    RowTo::Max => folds[w] = folds[w].max(x),
                    RowTo::Out(out) => self.outs[out][place] = values[w],
                    RowTo::Keep(kept) => self.kept[kept][place] = values[w],
                }
            }
        }
        folds.map(E::from_f64)
    }

    fn pick<const A: usize, const S: usize>(
        &mut self,
        index: E,
        ins: [usize; A],
        numbers: [E; S],
        f: impl Fn([E; A], [E; S]) -> E + Copy,
    ) -> E {
        f(self.element(ins, index.to_f64() as usize), numbers)
    }

    fn number<const S: usize>(&mut self, numbers: [E; S], f: impl Fn([E; S]) -> E + Copy) -> E {
        f(numbers)
    }

    fn put(&mut self, out: usize, value: E) {
        self.outs[out] = vec![value];
    }
}
