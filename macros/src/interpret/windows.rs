//! Convolutions and poolings, term by term.

use super::{Environment, Value, index, position};
use crate::ops::Op;
use crate::ops::conv::Window2;

/// The sizes of a window.
struct Sizes {
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
    dilation: [usize; 2],
    groups: usize,
}

impl Sizes {
    fn of(w: &Window2, e: &Environment) -> Result<Sizes, String> {
        let pair =
            |pair: &[crate::shape::Dim; 2]| Ok::<_, String>([e.size(&pair[0])?, e.size(&pair[1])?]);
        Ok(Sizes {
            kernel: pair(&w.kernel)?,
            stride: pair(&w.stride)?,
            padding: pair(&w.padding)?,
            dilation: pair(&w.dilation)?,
            groups: e.size(&w.groups)?,
        })
    }

    /// Height and width of the result for x `[batch, c, h, w]`.
    fn out(&self, x: &[usize]) -> [usize; 2] {
        let axis = |i: usize| {
            let reach = self.dilation[i] * (self.kernel[i] - 1) + 1;
            (x[2 + i] + 2 * self.padding[i] - reach) / self.stride[i] + 1
        };
        [axis(0), axis(1)]
    }

    /// Where a point of a window lies, unless in the padding.
    fn place(&self, x: &[usize], out: &[usize], tap: &[usize]) -> Option<[usize; 2]> {
        let axis = |i: usize| {
            (out[i] * self.stride[i] + tap[i] * self.dilation[i])
                .checked_sub(self.padding[i])
                .filter(|at| *at < x[2 + i])
        };
        Some([axis(0)?, axis(1)?])
    }

    /// Calls `f(x, w, y)` with the places of the factors and the sum of every product of a convolution.
    fn products(&self, x: &[usize], w: &[usize], mut f: impl FnMut(usize, usize, usize)) {
        let [oh, ow] = self.out(x);
        let y = [x[0], w[0], oh, ow];
        for to in 0..y.iter().product() {
            let at = position(to, &y);
            for tap in 0..w[1..].iter().product() {
                let tap = position(tap, &w[1..]);
                let Some([row, col]) = self.place(x, &at[2..], &tap[1..]) else { continue };
                let channel = at[1] / (w[0] / self.groups) * w[1] + tap[0];
                let from = index(x, &[at[0], channel, row, col]);
                f(from, index(w, &[&at[1..2], &tap].concat()), to);
            }
        }
    }

    /// Calls `f(x, y)` with the places of every element of every window, in row order.
    fn elements(&self, x: &[usize], mut f: impl FnMut(usize, usize)) {
        let [oh, ow] = self.out(x);
        let y = [x[0], x[1], oh, ow];
        for to in 0..y.iter().product() {
            let at = position(to, &y);
            for tap in 0..self.kernel.iter().product() {
                let tap = position(tap, &self.kernel);
                if let Some([row, col]) = self.place(x, &at[2..], &tap) {
                    f(index(x, &[at[0], at[1], row, col]), to);
                }
            }
        }
    }

    /// The place of the first maximum of each window.
    fn largest(&self, x: &Value) -> (Vec<usize>, Vec<usize>) {
        let [oh, ow] = self.out(&x.shape);
        let shape = vec![x.shape[0], x.shape[1], oh, ow];
        let mut places = vec![usize::MAX; shape.iter().product()];
        self.elements(&x.shape, |from, to| {
            if places[to] == usize::MAX || x.data[from] > x.data[places[to]] {
                places[to] = from;
            }
        });
        (shape, places)
    }
}

/// One of the ops with windows.
pub fn evaluate(op: &Op, window: &Window2, x: &[&Value], e: &Environment) -> Result<Value, String> {
    let s = Sizes::of(window, e)?;
    let share = 1.0 / s.kernel.iter().product::<usize>() as f64;
    Ok(match op {
        Op::Conv2d(_) => {
            let [oh, ow] = s.out(&x[0].shape);
            let mut y = Value::zeros(&[x[0].shape[0], x[1].shape[0], oh, ow]);
            s.products(&x[0].shape, &x[1].shape, |i, j, o| {
                y.data[o] += x[0].data[i] * x[1].data[j]
            });
            y
        }
        Op::Conv2dInput(_, shape) => {
            let mut dx = Value::zeros(&e.shape(shape)?);
            let into = dx.shape.clone();
            s.products(&into, &x[1].shape, |i, j, o| dx.data[i] += x[0].data[o] * x[1].data[j]);
            dx
        }
        Op::Conv2dWeight(_, shape) => {
            let mut dw = Value::zeros(&e.shape(shape)?);
            let into = dw.shape.clone();
            s.products(&x[0].shape, &into, |i, j, o| dw.data[j] += x[0].data[i] * x[1].data[o]);
            dw
        }
        Op::MaxPool2d(_) => {
            let (shape, places) = s.largest(x[0]);
            Value::new(&shape, places.iter().map(|from| x[0].data[*from]).collect())
        }
        Op::MaxPool2dGather(_) => {
            let (shape, places) = s.largest(x[0]);
            Value::new(&shape, places.iter().map(|from| x[1].data[*from]).collect())
        }
        Op::MaxPool2dScatter(_) => {
            let mut dx = Value::zeros(&x[0].shape);
            let (_, places) = s.largest(x[0]);
            places.iter().zip(&x[1].data).for_each(|(to, dy)| dx.data[*to] += dy);
            dx
        }
        Op::AvgPool2d(_) => {
            let [oh, ow] = s.out(&x[0].shape);
            let mut y = Value::zeros(&[x[0].shape[0], x[0].shape[1], oh, ow]);
            s.elements(&x[0].shape, |from, to| y.data[to] += x[0].data[from] * share);
            y
        }
        Op::AvgPool2dSpread(_, shape) => {
            let mut dx = Value::zeros(&e.shape(shape)?);
            let into = dx.shape.clone();
            s.elements(&into, |to, from| dx.data[to] += x[0].data[from] * share);
            dx
        }
        op => return Err(format!("`{op}` has no window")),
    })
}
