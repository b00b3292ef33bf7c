//! Products of matrices, and what else is one: the way that a product's sizes ask for.
//!
//! - `tile`: tiles in shared memory and registers, for most;
//! - `skinny`: where the result has few rows or columns, threads share its sums;
//! - `split`: adds the parts of sums that either has cut, where a result is small and much is summed.

mod skinny;
mod source;
mod split;
mod tile;

use netform_core::device::{MatmulDims, Span};

use super::elementwise::ALL;
use super::{Program, arguments, constants, epilogue};
use crate::shader::{Part, Shader};
use crate::tape::{Expression, Piece, Tape};
use skinny::Skinny;
pub(super) use source::{Access, Matrix, Source, whole};
pub(super) use tile::Sizes;
use tile::{Cut, Product};

/// Shared memory that every device has: the smaller tiles need less.
pub(super) const SHARED_BYTES: u32 = 16 << 10;

/// Where the elements of a product go.
pub(super) struct Ending<'e> {
    pub outs: &'e [Span],
    /// The epilogue; the sum itself where there is none.
    pub f: Option<(&'e Tape, &'e Expression)>,
    pub grid: [usize; 4],
    /// Declares the variables of `parts` from those of the sum (`product`, `row`, `col`), and gives the element's place
    /// in the outputs.
    pub lines: fn(&mut Shader, &Sizes) -> String,
    /// The variables of the grid's axes.
    pub parts: &'e [(&'static str, &'static [usize])],
}

impl Ending<'_> {
    /// What becomes of the sum `x`, where the variables of `parts` are those of its element in the outputs.
    fn end(&self, shader: &mut Shader, parts: &[(&str, &[usize])], position: &str) {
        let part = |&(variable, axes)| Part { variable, axes, grid: &self.grid };
        let parts: Vec<Part<'_>> = parts.iter().map(part).collect();
        let Some((tape, f)) = self.f else {
            for out in self.outs {
                let store = shader.write(*out).set(position, "x");
                shader.push_line(&store);
            }
            return;
        };
        constants(shader, f.consts);
        let args = arguments(shader, tape.args(f.ins));
        let targets: Vec<_> = self.outs.iter().map(|out| shader.write(*out)).collect();
        epilogue(shader, f, &args, &parts, &targets, position);
    }

    /// What becomes of a sum, or of one of `parts` of it.
    fn write(&self, shader: &mut Shader, sizes: &Sizes, parts: usize) {
        let position = (self.lines)(shader, sizes);
        match parts {
            1 => self.end(shader, self.parts, &position),
            _ => {
                let piece = Piece { start: 0, len: parts * sizes.results() };
                let (place, total) =
                    (shader.scratch(piece, false, true), shader.word(sizes.results()));
                shader.push_line(&place.set(&format!("part * {total} + {position}"), "x"));
            }
        }
    }
}

/// Appends the dispatches of products; `sources` are read by rows and by columns of the result.
pub(super) fn products<'s>(
    program: &mut Program,
    sizes: Sizes,
    sources: impl FnOnce(&mut Shader) -> [Source<'s>; 2],
    ending: &Ending<'_>,
) {
    if sizes.results() == 0 {
        return;
    }
    let (dispatch, parts) = match Skinny::of(sizes) {
        Some(skinny) => {
            let mut shader = program.limits.shader(skinny.threads());
            let sources = sources(&mut shader);
            (skinny.dispatch(shader, sources, ending, program.limits), skinny.parts)
        }
        None => {
            let cut = Cut::of(sizes, program.limits.shared_bytes);
            let mut shader = program.limits.shader(cut.tile.threads() as u32);
            let sources = sources(&mut shader);
            let product = Product { sizes, cut, limits: program.limits, sources };
            let groups =
                product.write(&mut shader, |shader| ending.write(shader, &sizes, cut.parts));
            (shader.finish(groups), cut.parts)
        }
    };
    program.dispatches.push(dispatch);
    if parts > 1 {
        let piece = program.scratch.start(parts * sizes.results());
        program.dispatches.push(split::sum(program.limits, &sizes, parts, piece, ending));
    }
}

pub(super) fn matmul(
    program: &mut Program,
    tape: &Tape,
    outs: &[Span],
    [a, b]: [Span; 2],
    dims: &MatmulDims,
    f: &Expression,
) {
    let MatmulDims { batch, m, n, k, transpose_a, transpose_b, stride_a, stride_b } = *dims;
    let sizes = Sizes { products: batch, m, n, k };
    let left = Matrix { span: a, step: stride_a, rows: m, depth: k, along: !transpose_a };
    let right = Matrix { span: b, step: stride_b, rows: n, depth: k, along: transpose_b };
    let ending = Ending {
        outs,
        f: Some((tape, f)),
        grid: [1, batch, m, n],
        lines: |shader, sizes| {
            let [m, n] = [sizes.m, sizes.n].map(|size| shader.word(size));
            format!("(product * {m} + row) * {n} + col")
        },
        parts: &[("product", &[1]), ("row", &[2]), ("col", &[3])],
    };
    products(program, sizes, |shader| [left, right].map(|m| m.source(shader)), &ending);
}

/// All axes of the grid by the position in the outputs.
const POSITION: [(&str, &[usize]); 1] = [("position", &ALL)];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::{Limits, MOST_GROUPS};
    use crate::shader::compile;
    use crate::tape::{Piece, Static};
    use netform_core::device::Slot;

    fn program(dims: &MatmulDims, shared_bytes: u32) -> Program {
        let none = Piece { start: 0, len: 0 };
        let f = Expression { ins: none, consts: none, text: Static(&["x"]) };
        let span = Span::new(Slot::Workspace, 0, dims.m * dims.n);
        let mut program = Program {
            limits: Limits { shared_bytes, unrolls: true, ..Limits::default() },
            ..Program::default()
        };
        matmul(&mut program, &Tape::default(), &[span], [span, span], dims, &f);
        program
    }

    fn dims(batch: usize, [m, n, k]: [usize; 3]) -> MatmulDims {
        let [transpose_a, transpose_b] = [false; 2];
        MatmulDims { batch, m, n, k, transpose_a, transpose_b, stride_a: m, stride_b: n }
    }

    #[test]
    fn no_more_groups_than_every_device_has() {
        for (m, n) in [(1, 1 << 23), (1 << 23, 1), (1 << 14, 1 << 14), (1 << 22, 10)] {
            for k in [1, 1 << 16] {
                let program = program(&dims(1 << 17, [m, n, k]), SHARED_BYTES);
                let groups = program.dispatches.iter().flat_map(|dispatch| dispatch.groups);
                assert!(
                    groups.clone().all(|n| n as usize <= MOST_GROUPS) && groups.min() > Some(0)
                );
            }
        }
    }

    #[test]
    fn tiles_are_as_large_as_sizes_and_devices_allow() {
        let cut = |[m, n, k]: [usize; 3], shared_bytes: u32| {
            Cut::of(Sizes { products: 1, m, n, k }, shared_bytes)
        };
        let sides = |cut: Cut| [cut.tile.height(), cut.tile.width(), cut.parts];
        assert_eq!(sides(cut([4096; 3], 48 << 10)), [128, 128, 1]);
        assert_eq!(sides(cut([4096; 3], SHARED_BYTES)), [64, 64, 1]);
        assert!(cut([512; 3], 48 << 10).tile.height() < 128);
        assert_eq!(cut([8, 100_000, 64], 48 << 10).tile.height(), 8);
        let long = cut([6, 25, 36_864], 48 << 10);
        assert!(long.parts > 16 && (long.parts - 1) * long.part < 36_864, "{long:?}");
        assert!(long.parts * long.part >= 36_864 && long.part % long.tile.depth == 0, "{long:?}");
    }

    #[test]
    fn long_sums_of_small_results_have_two_dispatches() {
        for [m, n] in [[1, 1], [2, 30], [6, 25]] {
            let program = program(&dims(1, [m, n, 1 << 16]), SHARED_BYTES);
            let parts = program.dispatches[0].groups[2] as usize;
            assert!(parts > 1 && program.dispatches.len() == 2);
            assert_eq!(program.scratch.end(), parts * m * n);
        }
        assert_eq!(program(&dims(1, [64, 64, 64]), SHARED_BYTES).dispatches.len(), 1);
    }

    /// As on a GPU, whose loops are other texts than those of the tests on a processor.
    #[test]
    fn the_texts_of_all_ways_compile() {
        let sizes = [
            ([2048, 2047, 64], [128, 128]),
            ([1024, 1023, 33], [64, 64]),
            ([30, 65_536, 64], [32, 128]),
            ([65_536, 30, 33], [128, 32]),
            ([512, 512, 64], [32, 32]),
            ([15, 10_001, 40], [16, 64]),
            ([10_001, 15, 40], [64, 16]),
            ([7, 10_001, 40], [8, 128]),
            ([10_001, 7, 33], [128, 8]),
        ];
        let few = [[3, 1000, 500], [1000, 1, 501], [1, 3, 100_000]];
        for (size, sides) in sizes {
            let [m, n, k] = size;
            let tile = Cut::of(Sizes { products: 1, m, n, k }, 48 << 10).tile;
            assert_eq!([tile.height(), tile.width()], sides, "{size:?}");
        }
        for size in sizes.into_iter().map(|(size, _)| size).chain(few) {
            for (transpose_a, transpose_b) in [(false, true), (true, false)] {
                let dims = MatmulDims { transpose_a, transpose_b, ..dims(1, size) };
                for dispatch in program(&dims, 48 << 10).dispatches {
                    compile(&dispatch.text).unwrap();
                }
            }
        }
    }
}
