//! Large fused expressions in parts, so that each kernel sees all it needs of every buffer by one binding, as a small one
//! does: the optimiser's pass over all parameters is one.

use netform_core::device::{Arg, GRID_RANK, Grid, Span};

use super::product;
use crate::shader::Windows;

/// An expression on a part of its grid.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Part {
    pub grid: Grid,
    pub outs: Vec<Span>,
    pub args: Vec<Arg>,
}

/// The parts of an expression; it itself where there is no need, or where a value depends on the whole grid.
pub(super) fn parts(windows: Windows, outs: &[Span], grid: Grid, args: &[Arg]) -> Vec<Part> {
    let whole = Part { grid, outs: outs.to_vec(), args: args.to_vec() };
    let divides = |arg: &Arg| matches!(arg, Arg::View { span, .. } if windows.divide(span));
    let needed = outs.iter().any(|out| windows.divide(out)) || args.iter().any(divides);
    if !needed || !args.iter().all(|arg| matches!(arg, Arg::View { .. })) {
        return vec![whole];
    }
    let most = 4 * (product(&grid) / windows.part() + 1);
    let mut all = vec![];
    if whole.cut(windows.part(), most, &mut all) { all } else { vec![whole] }
}

/// How many elements lie between the first and the last one of a grid, both included.
fn reach(grid: Grid, strides: Grid) -> usize {
    1 + grid.iter().zip(&strides).map(|(&size, &stride)| (size - 1) * stride).sum::<usize>()
}

impl Part {
    fn strides(&self) -> impl Iterator<Item = Grid> {
        let mut dense = [1; GRID_RANK];
        (0..GRID_RANK - 1).rev().for_each(|i| dense[i] = dense[i + 1] * self.grid[i + 1]);
        let of_args = self.args.iter().filter_map(|arg| match arg {
            Arg::View { strides, .. } => Some(*strides),
            _ => None,
        });
        of_args.chain((!self.outs.is_empty()).then_some(dense))
    }

    /// Appends parts of which none reaches over more than `limit` elements. False where there would be more than `most`
    /// of them.
    fn cut(&self, limit: usize, most: usize, all: &mut Vec<Part>) -> bool {
        let outer = (0..GRID_RANK).find(|&axis| self.grid[axis] > 1);
        let Some(axis) = outer.filter(|_| self.strides().any(|s| reach(self.grid, s) > limit))
        else {
            all.push(self.clone());
            return all.len() <= most;
        };
        let mut one = self.grid;
        one[axis] = 1;
        let count = self.strides().map(|strides| match strides[axis] {
            0 => self.grid[axis],
            stride => limit.saturating_sub(reach(one, strides)) / stride + 1,
        });
        let count = count.min().unwrap_or(1).min(self.grid[axis]);
        // Kernels take four neighbours at once.
        let count = if count >= 4 { count / 4 * 4 } else { count };
        let firsts = (0..self.grid[axis]).step_by(count);
        firsts.map(|first| self.from(axis, first, count)).all(|part| part.cut(limit, most, all))
    }

    /// Some positions along the outermost axis.
    fn from(&self, axis: usize, first: usize, count: usize) -> Part {
        let mut grid = self.grid;
        grid[axis] = count.min(grid[axis] - first);
        let len = product(&grid);
        let inner = len / grid[axis];
        let out = |out: &Span| Span { offset: out.offset + first * inner, len, ..*out };
        let arg = |arg: &Arg| match *arg {
            Arg::View { span, strides } => {
                let (offset, len) = (span.offset + first * strides[axis], reach(grid, strides));
                Arg::View { span: Span { offset, len, ..span }, strides }
            }
            other => other,
        };
        let outs = self.outs.iter().map(out).collect();
        Part { grid, outs, args: self.args.iter().map(arg).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use netform_core::device::Slot;

    fn view(offset: usize, len: usize, strides: Grid) -> Arg {
        Arg::View { span: Span::new(Slot::Params, offset, len), strides }
    }

    fn cut(outs: &[Span], grid: Grid, args: &[Arg]) -> Vec<Part> {
        parts(Windows::new(4 << 10, 16 << 10), outs, grid, args)
    }

    #[test]
    fn parts_are_all_of_it_and_small() {
        for (grid, bias) in [
            ([1, 1, 1, 5001], [0, 0, 0, 1]),
            ([1, 70, 10, 10], [0, 0, 10, 1]),
            ([3, 1, 1, 1999], [1, 0, 0, 0]),
        ] {
            let [_, b, c, d] = grid;
            let (len, dense) = (product(&grid), [b * c * d, c * d, d, 1]);
            let out = Span::new(Slot::Workspace, 7, len);
            let all = cut(&[out], grid, &[view(3, len, dense), view(0, reach(grid, bias), bias)]);
            assert!(all.len() > 1 && all.len() <= 4 * (len / 512 + 1), "{grid:?}: {}", all.len());
            let mut next = 0;
            for part in &all {
                assert_eq!(
                    [part.outs[0].offset, part.outs[0].len],
                    [7 + next, product(&part.grid)]
                );
                let Arg::View { span, .. } = part.args[0] else { panic!() };
                assert_eq!(span, Span::new(Slot::Params, 3 + next, part.outs[0].len));
                next += part.outs[0].len;
                assert!(part.outs[0].len <= 512);
            }
            assert_eq!(next, len);
        }
    }

    #[test]
    fn what_is_small_or_cannot_be_cut_stays_whole() {
        let out = |len| Span::new(Slot::Workspace, 0, len);
        assert_eq!(cut(&[out(1000)], [1, 1, 1, 1000], &[view(0, 1000, [0, 0, 0, 1])]).len(), 1);
        // Turned: neighbours in the result lie far apart.
        let turned = view(0, 90_000, [0, 0, 1, 300]);
        assert_eq!(cut(&[out(90_000)], [1, 1, 300, 300], &[turned]).len(), 1);
        let uniform = Arg::Uniform { stream: 1, per_sample: 5000 };
        assert_eq!(cut(&[out(5000)], [1, 1, 1, 5000], &[uniform]).len(), 1);
    }
}
