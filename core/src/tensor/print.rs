//! Tensors as text, as PyTorch prints them.

use std::fmt;

use super::Tensor;
use super::number::Number;
use crate::shape::Shape;

/// A tensor with more elements is printed in part.
const MANY: usize = 1000;
/// So many at either end of an axis are printed then.
const EDGE: usize = 3;
/// Digits after the point, unless the format says how many: `{:.2}`.
const DIGITS: usize = 4;

/// How the numbers of a tensor are written, so that all are alike.
#[derive(Clone, Copy)]
enum Style {
    /// `3`
    Whole,
    /// `3.`, where all numbers are whole.
    Point,
    /// `3.1416`
    Fixed(usize),
    /// `3.1416e8`
    Scientific(usize),
}

impl Style {
    /// PyTorch's rule: scientific where the largest is above 1e8, the smallest below 1e-4, or one more than
    /// a thousand times the other.
    fn of(numbers: &[f64], whole: bool, digits: Option<usize>) -> Self {
        if whole {
            return Style::Whole;
        }
        let sizes = numbers.iter().map(|x| x.abs()).filter(|x| x.is_finite() && *x != 0.0);
        let (least, most) = sizes.fold((f64::INFINITY, 0.0_f64), |(a, b), x| (a.min(x), b.max(x)));
        if let Some(digits) = digits {
            return Style::Fixed(digits);
        }
        if numbers.iter().all(|x| !x.is_finite() || x.fract() == 0.0) {
            return if most > 1e8 { Style::Scientific(DIGITS) } else { Style::Point };
        }
        match most / least > 1000.0 || most > 1e8 || least < 1e-4 {
            true => Style::Scientific(DIGITS),
            false => Style::Fixed(DIGITS),
        }
    }

    fn write(self, x: f64) -> String {
        match self {
            _ if !x.is_finite() => x.to_string(),
            Style::Whole => x.to_string(),
            Style::Point => format!("{x:.0}."),
            Style::Fixed(digits) => format!("{x:.digits$}"),
            Style::Scientific(digits) => format!("{x:.digits$e}"),
        }
    }
}

/// The positions along an axis that are printed; `None` is the gap.
fn shown(size: usize, all: bool) -> impl Iterator<Item = Option<usize>> {
    let gap = !all && size > 2 * EDGE;
    (0..size).filter_map(move |i| match i {
        EDGE if gap => Some(None),
        i if gap && i > EDGE && i < size - EDGE => None,
        i => Some(Some(i)),
    })
}

/// The offsets of the elements that are printed.
fn offsets(sizes: &[usize], from: usize, all: bool, out: &mut Vec<usize>) {
    let Some((&size, inner)) = sizes.split_first() else {
        out.push(from);
        return;
    };
    let step: usize = inner.iter().product();
    for i in shown(size, all).flatten() {
        offsets(inner, from + i * step, all, out);
    }
}

/// The cells that are left to print, and whether all are.
struct Cells {
    cells: std::vec::IntoIter<String>,
    width: usize,
    all: bool,
}

impl Cells {
    fn print(&mut self, f: &mut fmt::Formatter<'_>, sizes: &[usize], depth: usize) -> fmt::Result {
        let Some((&size, inner)) = sizes.split_first() else {
            let cell = self.cells.next().unwrap_or_default();
            return write!(f, "{cell:>width$}", width = self.width);
        };
        write!(f, "[")?;
        for (k, position) in shown(size, self.all).enumerate() {
            if k > 0 {
                match inner.len() {
                    0 => write!(f, ", ")?,
                    // As many line breaks as brackets close.
                    n => write!(f, ",{}{:depth$}", "\n".repeat(n), "")?,
                }
            }
            match position {
                Some(_) => self.print(f, inner, depth + 1)?,
                None => write!(f, "...")?,
            }
        }
        write!(f, "]")
    }
}

impl<S: Shape, E: Number> fmt::Display for Tensor<S, E> {
    /// Nested brackets, aligned, four digits after the point or as many as the format says (`{:.2}`). Of more
    /// than 1000 elements those at the edges.
    ///
    /// ```
    /// # extern crate netform_core as netform;
    /// use netform::tensor::Tensor;
    /// let t = Tensor::<_>::from([[1.0, 2.5], [-3.25, 10.0]]);
    /// assert_eq!(t.to_string(), "[[ 1.0000,  2.5000],\n [-3.2500, 10.0000]]");
    /// assert_eq!(format!("{t:.1}"), "[[ 1.0,  2.5],\n [-3.2, 10.0]]");
    /// ```
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (data, sizes) = (self.as_slice(), self.sizes());
        let all = data.len() <= MANY;
        let mut places = Vec::new();
        offsets(&sizes, 0, all, &mut places);
        let numbers: Vec<f64> = places.iter().map(|&i| data[i].to_number()).collect();
        let style = Style::of(&numbers, E::WHOLE, f.precision());
        let cells: Vec<String> = numbers.iter().map(|&x| style.write(x)).collect();
        let width = cells.iter().map(String::len).max().unwrap_or(0);
        Cells { cells: cells.into_iter(), width, all }.print(f, &sizes, 1)
    }
}
