//! Products with few rows or columns: each thread sums some depths of four elements along the longer side, and threads
//! add their sums through shared memory, always in the same order.

use super::Ending;
use super::source::Source;
use super::tile::{LEAST_PART, MOST_PARTIAL, MOST_PARTS, Sizes, UNITS};
use crate::kernels::{Limits, groups};
use crate::shader::{Dispatch, Shader, line};

/// The most rows, or columns, that are few.
const FEW: usize = 4;

/// Threads of a group.
const THREADS: usize = 256;

/// Threads that load neighbouring groups of four, where those lie side by side.
const SIDE: usize = 8;

/// How such products are cut.
#[derive(Clone, Copy)]
pub(super) struct Skinny {
    sizes: Sizes,
    /// Whether the columns are the few.
    few_columns: bool,
    /// Parts of what is summed over, and the size of each but the last one.
    pub parts: usize,
    part: usize,
}

impl Skinny {
    /// The way of such a product, where it is one.
    pub fn of(sizes: Sizes) -> Option<Self> {
        let Sizes { products, m, n, k } = sizes;
        let few = m.min(n);
        if few > FEW {
            return None;
        }
        let few_columns = n < m;
        let whole = Skinny { sizes, few_columns, parts: 1, part: k };
        // Each group of threads has SIDE groups of four where it has the fewest.
        let apart = products * m.max(n).div_ceil(4 * SIDE);
        let room = MOST_PARTIAL / (products * m * n);
        let parts = (UNITS / apart).min(k / (8 * LEAST_PART)).min(MOST_PARTS).min(room);
        if parts < 2 {
            return Some(whole);
        }
        let part = k.div_ceil(parts).next_multiple_of(4);
        Some(Skinny { parts: k.div_ceil(part), part, ..whole })
    }

    pub fn threads(&self) -> u32 {
        THREADS as u32
    }

    /// Threads that share the depths of an element: so many that each has a few blocks, and that `along` what is
    /// summed over neighbours load neighbours.
    fn lanes(&self, along: bool) -> usize {
        let blocks = self.part.div_ceil(4).max(1);
        let most = if along { THREADS } else { THREADS / SIDE };
        let least = if along { 16 } else { 1 };
        let Sizes { products, m, n, .. } = self.sizes;
        let quads = products * m.max(n).div_ceil(4) * self.parts;
        let mut lanes = blocks.div_ceil(4).next_power_of_two().clamp(least, most);
        while lanes < most && quads * lanes / THREADS < UNITS && lanes < blocks {
            lanes *= 2;
        }
        lanes
    }

    pub fn dispatch(
        &self,
        mut shader: Shader,
        sources: [Source<'_>; 2],
        ending: &Ending<'_>,
        limits: Limits,
    ) -> Dispatch {
        let Sizes { products, m, n, k } = self.sizes;
        let [left, right] = sources;
        let (few, many) = if self.few_columns { (right, left) } else { (left, right) };
        let (count, long) = (m.min(n), m.max(n));
        let lanes = self.lanes(many.along);
        let quads = THREADS / lanes;
        shader
            .declarations
            .push_str(&format!("var<workgroup> sums: array<vec4<f32>, {THREADS}>;\n"));
        let body = std::mem::take(&mut shader.body);
        ending.write(&mut shader, &self.sizes, self.parts);
        let finish = std::mem::replace(&mut shader.body, body);
        shader.declarations.push_str(&format!(
            "fn finish(product: u32, part: u32, row: u32, col: u32, x: f32) {{\n{finish}}}\n"
        ));
        let units = long.div_ceil(4 * quads);
        let [units_word, batch, long_word, k_word] =
            [units, products, long, k].map(|size| shader.word(size));
        // Neighbouring threads load what lies side by side.
        match many.along {
            true => line!(shader, "let lane = thread % {lanes}u;\nlet quad = thread / {lanes}u;"),
            false => line!(shader, "let quad = thread % {quads}u;\nlet lane = thread / {quads}u;"),
        }
        line!(shader, "for (var unit = group.x; unit < {units_word}; unit += groups.x) {{");
        line!(shader, "for (var product = group.y; product < {batch}; product += groups.y) {{");
        match self.parts {
            1 => line!(shader, "let part = 0u;\nlet begin = 0u;\nlet end = {k_word};"),
            _ => {
                let size = shader.word(self.part);
                line!(shader, "let part = group.z;\nlet begin = part * {size};");
                line!(shader, "let end = least(begin + {size}, {k_word});");
            }
        }
        line!(shader, "let first = 4u * (unit * {quads}u + quad);");
        (0..count).for_each(|j| line!(shader, "var s{j} = vec4<f32>();"));
        self.sum(&mut shader, &few, &many, lanes);
        for j in 0..count {
            fold(&mut shader, &format!("s{j}"), lanes, if many.along { 1 } else { quads });
        }
        // All lanes have the sums: each hands on some of them.
        let sums: Vec<_> = (0..count).map(|j| format!("s{j}")).collect();
        line!(shader, "var all = array<vec4<f32>, {count}>({});", sums.join(", "));
        let bound = limits.bound(&mut shader, 4 * count);
        line!(shader, "for (var e = lane; e < {bound}; e += {lanes}u) {{");
        line!(shader, "let long = first + e % 4u;\nif (long < {long_word}) {{");
        let (row, col) = match self.few_columns {
            true => ("long", "e / 4u"),
            false => ("e / 4u", "long"),
        };
        line!(shader, "finish(product, part, {row}, {col}, all[e / 4u][e % 4u]);\n}}\n}}");
        shader.push_line("}\n}");
        shader.finish([groups(units), groups(products), self.parts as u32])
    }

    /// The sums of a thread's depths: `s0` of the first of the few rows, and so on.
    fn sum(&self, shader: &mut Shader, few: &Source<'_>, many: &Source<'_>, lanes: usize) {
        if self.sizes.k == 0 {
            return;
        }
        for (source, name, corner) in [(few, "g", "0u"), (many, "f", "first")] {
            let fixed: Vec<_> = (0..source.fixed()).map(|n| format!("{name}{n}")).collect();
            fixed.iter().for_each(|name| line!(shader, "var {name} = 0u;"));
            line!(shader, "{{\nlet i = {corner};");
            source.fix(shader, &fixed);
            shader.push_line("}");
        }
        let checked = !self.sizes.k.is_multiple_of(4);
        line!(shader, "for (var d = begin + 4u * lane; d < end; d += {}u) {{", 4 * lanes);
        for (source, name, to) in [(few, "g", "q"), (many, "f", "p")] {
            let fixed: Vec<_> = (0..source.fixed()).map(|n| format!("{name}{n}")).collect();
            let to = std::array::from_fn(|j| format!("{to}_{j}"));
            to.iter().for_each(|name| line!(shader, "var {name} = vec4<f32>();"));
            source.load(shader, &fixed, &to, checked);
        }
        let Sizes { m, n, .. } = self.sizes;
        for j in 0..m.min(n) {
            let component = ["x", "y", "z", "w"][j];
            for d in 0..4 {
                line!(shader, "s{j} = fma(vec4(q_{d}.{component}), p_{d}, s{j});");
            }
        }
        shader.push_line("}");
    }
}

/// Adds a variable over the `lanes` threads that are `apart` from each other: all of them have the result.
fn fold(shader: &mut Shader, variable: &str, lanes: usize, apart: usize) {
    if lanes == 1 {
        return;
    }
    line!(shader, "sums[thread] = {variable};\nworkgroupBarrier();");
    let mut half = lanes / 2;
    while half > 0 {
        line!(
            shader,
            "if (lane < {half}u) {{ sums[thread] += sums[thread + {}u]; }}",
            half * apart
        );
        shader.push_line("workgroupBarrier();");
        half /= 2;
    }
    line!(shader, "{variable} = sums[thread - lane * {apart}u];\nworkgroupBarrier();");
}
