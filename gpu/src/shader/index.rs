//! Where the element of a strided input is, as an expression of the position's number.
//!
//! Axes that continue each other are one; the size of the outermost one is never needed. So most inputs of a fused
//! expression are the position itself, and the batch, which is outermost, is no part of a kernel's text.

/// Some axes of a grid, and the variable that numbers their positions.
pub(crate) struct Part<'a> {
    pub variable: &'a str,
    /// The numbers of the axes.
    pub axes: &'a [usize],
    pub grid: &'a [usize; 4],
}

/// The sum of coordinate times stride. Negative strides wrap.
pub(crate) fn index(parts: &[Part<'_>], strides: &[isize; 4]) -> String {
    let terms: Vec<String> = parts.iter().flat_map(|part| terms(part, strides)).collect();
    match &terms[..] {
        [] => "0u".to_owned(),
        [term] => term.clone(),
        terms => format!("({})", terms.join(" + ")),
    }
}

/// Axes with strides, innermost first, merged where they continue each other.
fn merged(part: &Part<'_>, strides: &[isize; 4]) -> Vec<(usize, isize)> {
    let mut all: Vec<(usize, isize)> = vec![];
    for &axis in part.axes.iter().rev().filter(|&&axis| part.grid[axis] != 1) {
        // A grid without elements is never visited, but its text must be valid.
        let (size, stride) = (part.grid[axis].max(1), strides[axis]);
        match all.last_mut() {
            Some(last) if stride == last.1.wrapping_mul(last.0 as isize) => last.0 *= size,
            _ => all.push((size, stride)),
        }
    }
    all
}

fn terms(part: &Part<'_>, strides: &[isize; 4]) -> Vec<String> {
    let axes = merged(part, strides);
    let mut inner = 1;
    let mut terms = vec![];
    for (i, &(size, stride)) in axes.iter().enumerate() {
        let mut term = part.variable.to_owned();
        if inner != 1 {
            term = format!("({term} / {inner}u)");
        }
        if i + 1 < axes.len() {
            term = format!("({term} % {size}u)");
        }
        if stride != 0 {
            let factor = stride as u32;
            terms.push(if stride == 1 { term } else { format!("{term} * {factor}u") });
        }
        inner *= size;
    }
    terms
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(grid: [usize; 4], strides: [isize; 4]) -> String {
        index(&[Part { variable: "i", axes: &[0, 1, 2, 3], grid: &grid }], &strides)
    }

    #[test]
    fn axes_merge_and_the_outermost_has_no_size() {
        assert_eq!(of([1, 1, 64, 120], [0, 0, 120, 1]), "i");
        assert_eq!(of([1, 1, 64, 120], [0, 0, 0, 1]), "(i % 120u)");
        assert_eq!(of([1, 1, 64, 120], [0, 0, 1, 0]), "(i / 120u)");
        assert_eq!(of([1, 1, 64, 120], [0; 4]), "0u");
        assert_eq!(
            of([2, 3, 4, 5], [60, 20, 1, 4]),
            "((i % 5u) * 4u + ((i / 5u) % 4u) + (i / 20u) * 20u)"
        );
        assert_eq!(of([1, 1, 1, 7], [0, 0, 0, -1]), "i * 4294967295u");
        let (grid, rows, row) = ([2, 3, 4, 5], [0, 1], [2, 3]);
        let parts = [
            Part { variable: "row", axes: &rows, grid: &grid },
            Part { variable: "e", axes: &row, grid: &grid },
        ];
        assert_eq!(index(&parts, &[60, 20, 5, 1]), "(row * 20u + e)");
    }
}
