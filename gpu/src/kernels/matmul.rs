//! Products of matrices: tiles of both operands in shared memory, and of the result in registers.

use netform_core::device::{MatmulDims, Span};

use super::{arguments, constants, epilogue, groups};
use crate::shader::{Dispatch, Part, Place, Shader, line};
use crate::tape::{Expression, Tape};

/// Threads of a group along rows and columns of a tile.
const SIDE: usize = 16;

/// What is summed between two loads of tiles.
const DEPTH: usize = 16;

/// The most rows or columns of a result that a thread has.
const MOST: usize = 4;

/// The bytes of the largest tiles of both operands.
pub(super) const SHARED_BYTES: u32 = (2 * DEPTH * SIDE * MOST * size_of::<f32>()) as u32;

/// How the result is cut: each thread has `rows` times `cols` elements, [`SIDE`] apart.
#[derive(Clone, Copy)]
struct Tile {
    rows: usize,
    cols: usize,
}

impl Tile {
    /// Tiles as large as the result allows, so that small ones still have a group for each part.
    fn of(dims: &MatmulDims) -> Self {
        let per_thread = |size: usize| match size {
            0..=16 => 1,
            17..=48 => 2,
            _ => MOST,
        };
        let (mut rows, mut cols) = (per_thread(dims.m), per_thread(dims.n));
        let tiles = |rows: usize, cols: usize| {
            dims.batch * dims.m.div_ceil(SIDE * rows) * dims.n.div_ceil(SIDE * cols)
        };
        while rows * cols > 1 && tiles(rows, cols) < 16 && rows.max(cols) > 2 {
            (rows, cols) = (rows.min(2), cols.min(2));
        }
        Tile { rows, cols }
    }
}

pub(super) fn matmul(
    tape: &Tape,
    outs: &[Span],
    a: Span,
    b: Span,
    dims: &MatmulDims,
    f: &Expression,
) -> Option<Dispatch> {
    let MatmulDims { batch, m, n, k, transpose_a, transpose_b, stride_a, stride_b } = *dims;
    if batch * m * n == 0 {
        return None;
    }
    let tile = Tile::of(dims);
    let (height, width) = (SIDE * tile.rows, SIDE * tile.cols);
    let mut shader = Shader::new((SIDE * SIDE) as u32);
    shader.declarations.push_str(&format!(
        "var<workgroup> left: array<f32, {}>;\nvar<workgroup> right: array<f32, {}>;\n",
        DEPTH * height,
        DEPTH * width
    ));
    constants(&mut shader, f.consts);
    let args = arguments(&mut shader, tape.args(f.ins));
    let targets: Vec<_> = outs.iter().map(|out| shader.write(*out)).collect();
    let (a, b) = (shader.read(a), shader.read(b));
    let [m_word, n_word, k_word] = [m, n, k].map(|size| shader.word(size));
    let [a_step, b_step, batch_word] = [stride_a, stride_b, batch].map(|size| shader.word(size));
    let tiles = m.div_ceil(height) * n.div_ceil(width);
    let (tiles_word, wide) = (shader.word(tiles), shader.word(n.div_ceil(width)));
    line!(shader, "let y = thread / {SIDE}u;\nlet z = thread % {SIDE}u;");
    line!(shader, "for (var part = group.x; part < {tiles_word}; part += groups.x) {{");
    line!(shader, "let top = part / {wide} * {height}u;");
    line!(shader, "let start = part % {wide} * {width}u;");
    line!(shader, "for (var product = group.y; product < {batch_word}; product += groups.y) {{");
    for (i, j) in tile.elements() {
        line!(shader, "var sum{i}_{j} = 0.0;");
    }
    line!(shader, "for (var first = 0u; first < {k_word}; first += {DEPTH}u) {{");
    let a = Operand {
        place: a,
        name: "left",
        step: a_step,
        size: height,
        first: "top",
        limit: &m_word,
    };
    let b = Operand {
        place: b,
        name: "right",
        step: b_step,
        size: width,
        first: "start",
        limit: &n_word,
    };
    // Along what lies side by side in memory.
    a.load(&mut shader, &k_word, !transpose_a);
    b.load(&mut shader, &k_word, transpose_b);
    shader.push_line("workgroupBarrier();");
    tile.multiply(&mut shader, height, width);
    shader.push_line("workgroupBarrier();\n}");
    let grid = [1, batch, m, n];
    let parts = [
        Part { variable: "product", axes: &[1], grid: &grid },
        Part { variable: "row", axes: &[2], grid: &grid },
        Part { variable: "col", axes: &[3], grid: &grid },
    ];
    for (i, j) in tile.elements() {
        line!(
            shader,
            "{{\nlet row = top + y + {}u;\nlet col = start + z + {}u;",
            i * SIDE,
            j * SIDE
        );
        line!(shader, "if (row < {m_word} && col < {n_word}) {{\nlet x = sum{i}_{j};");
        let place = format!("(product * {m_word} + row) * {n_word} + col");
        epilogue(&mut shader, f, &args, &parts, &targets, &place);
        shader.push_line("}\n}");
    }
    shader.push_line("}\n}");
    Some(shader.finish([groups(tiles), groups(batch), 1]))
}

impl Tile {
    fn elements(self) -> impl Iterator<Item = (usize, usize)> {
        (0..self.rows).flat_map(move |i| (0..self.cols).map(move |j| (i, j)))
    }

    /// The products of the tiles that are loaded.
    fn multiply(self, shader: &mut Shader, height: usize, width: usize) {
        line!(shader, "for (var d = 0u; d < {DEPTH}u; d++) {{");
        for i in 0..self.rows {
            line!(shader, "let l{i} = left[d * {height}u + y + {}u];", i * SIDE);
        }
        for j in 0..self.cols {
            line!(shader, "let r{j} = right[d * {width}u + z + {}u];", j * SIDE);
        }
        for (i, j) in self.elements() {
            line!(shader, "sum{i}_{j} += l{i} * r{j};");
        }
        shader.push_line("}");
    }
}

/// One of the two matrices, and the tile of it that is loaded as [depth, size].
struct Operand<'o> {
    place: Place,
    /// Of the tile.
    name: &'o str,
    /// Elements from one matrix to the next.
    step: String,
    size: usize,
    /// The first row or column of the tile, and how many there are.
    first: &'o str,
    limit: &'o str,
}

impl Operand<'_> {
    /// Loads the tile, neighbours by neighbouring threads; `along` where what is summed over lies side by side.
    fn load(&self, shader: &mut Shader, k: &str, along: bool) {
        let Operand { place, name, step, size, first, limit } = self;
        let threads = SIDE * SIDE;
        for part in 0..size * DEPTH / threads {
            line!(shader, "{{\nlet element = thread + {}u;", part * threads);
            let (depth, other) = match along {
                true => (format!("element % {DEPTH}u"), format!("element / {DEPTH}u")),
                false => (format!("element / {size}u"), format!("element % {size}u")),
            };
            line!(shader, "let depth = {depth};\nlet other = {other};");
            line!(shader, "let d = first + depth;\nlet i = {first} + other;\nvar value = 0.0;");
            let inside = match along {
                true => format!("i * {k} + d"),
                false => format!("d * {limit} + i"),
            };
            let element = place.at(&format!("product * {step} + {inside}"));
            line!(shader, "if (d < {k} && i < {limit}) {{ value = {element}; }}");
            line!(shader, "{name}[depth * {size}u + other] = value;\n}}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tape::{Piece, Static};
    use netform_core::device::Slot;

    #[test]
    fn no_more_groups_than_every_device_has() {
        let none = Piece { start: 0, len: 0 };
        let f = Expression { ins: none, consts: none, text: Static(&["x"]) };
        for (m, n) in [(1, 1 << 23), (1 << 23, 1), (1 << 14, 1 << 14)] {
            let span = Span::new(Slot::Workspace, 0, m * n);
            let dims = MatmulDims {
                batch: 1 << 17,
                m,
                n,
                k: 1,
                transpose_a: false,
                transpose_b: false,
                stride_a: m,
                stride_b: n,
            };
            let dispatch = matmul(&Tape::default(), &[span], span, span, &dims, &f).unwrap();
            assert!(dispatch.groups.iter().all(|n| *n as usize <= super::super::MOST_GROUPS));
        }
    }
}
