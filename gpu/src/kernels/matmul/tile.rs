//! Products by tiles: slabs of both operands in shared memory, the result in registers.
//!
//! A thread has groups of 4 x 4 elements of the result. While it multiplies one slab, the next one is on its way into
//! registers. What is summed over may be cut into parts, of which other kernels make one.

use super::source::Source;
use crate::kernels::{Limits, groups};
use crate::shader::{Shader, line};

/// Groups of threads that keep a large device busy: one on each of its processors.
pub(super) const UNITS: usize = 128;

/// Multiply-adds of one processor in the time that one more dispatch takes.
const DISPATCH: f64 = 5e5;

/// The least that is summed in one part.
pub(super) const LEAST_PART: usize = 128;

/// The most parts of a sum.
pub(super) const MOST_PARTS: usize = 64;

/// The most elements that all parts have together.
pub(super) const MOST_PARTIAL: usize = 1 << 22;

/// How a group of threads shares a tile of the result: `down` x `across` threads with `rows` x `cols` groups of
/// 4 x 4 elements each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::kernels) struct Tile {
    pub down: usize,
    pub across: usize,
    pub rows: usize,
    pub cols: usize,
    /// What is summed between two loads of slabs.
    pub depth: usize,
}

const fn tile([down, across]: [usize; 2], each: usize, depth: usize) -> Tile {
    Tile { down, across, rows: each, cols: each, depth }
}

/// The tiles there are, with their part of a processor's speed: large ones load less for each product.
const TILES: [(Tile, f64); 9] = [
    (tile([16, 16], 2, 16), 1.0),
    (tile([16, 16], 1, 16), 0.7),
    (tile([8, 32], 1, 16), 0.6),
    (tile([32, 8], 1, 16), 0.6),
    (tile([8, 8], 1, 16), 0.5),
    (tile([4, 16], 1, 16), 0.4),
    (tile([16, 4], 1, 16), 0.4),
    (tile([2, 32], 1, 16), 0.3),
    (tile([32, 2], 1, 16), 0.3),
];

/// The sizes of a batch of products.
#[derive(Clone, Copy, Debug)]
pub(in crate::kernels) struct Sizes {
    pub products: usize,
    pub m: usize,
    pub n: usize,
    pub k: usize,
}

impl Sizes {
    /// The elements of all results.
    pub fn results(&self) -> usize {
        self.products * self.m * self.n
    }
}

/// How products are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::kernels) struct Cut {
    pub tile: Tile,
    /// Parts of what is summed over, and the size of each but the last one.
    pub parts: usize,
    pub part: usize,
}

impl Cut {
    /// The fastest way by a rough estimate. Of sizes only, so that results are the same bits on every run.
    pub fn of(sizes: Sizes, shared_bytes: u32) -> Cut {
        let fits = |tile: &Tile| tile.shared_bytes() <= shared_bytes as usize;
        let all = TILES.iter().filter(|(tile, _)| fits(tile));
        let cuts = all.flat_map(|&(tile, speed)| {
            [false, true].map(|apart| {
                let cut = Cut::with(tile, sizes, apart);
                (cut.time(sizes, speed), cut)
            })
        });
        let best = cuts.min_by(|a, b| a.0.total_cmp(&b.0));
        best.map_or(Cut::with(TILES[4].0, sizes, false), |(_, cut)| cut)
    }

    fn with(tile: Tile, sizes: Sizes, apart: bool) -> Cut {
        let Sizes { products, m, n, k } = sizes;
        let busy = UNITS.div_ceil(tile.count(m, n) * products);
        let room = MOST_PARTIAL / (products * m * n);
        let parts = busy.min(k / LEAST_PART).min(MOST_PARTS).min(room);
        if !apart || parts < 2 {
            return Cut { tile, parts: 1, part: k };
        }
        let part = k.div_ceil(parts).next_multiple_of(tile.depth);
        Cut { tile, parts: k.div_ceil(part), part }
    }

    /// About how many multiply-adds one processor could do in the same time.
    fn time(&self, Sizes { products, m, n, .. }: Sizes, speed: f64) -> f64 {
        let area = self.tile.height() * self.tile.width();
        let rounds = (self.tile.count(m, n) * products * self.parts).div_ceil(UNITS);
        let sums = rounds as f64 * (area * self.part) as f64 / speed;
        let results = (self.parts * products * m * n).div_ceil(UNITS) as f64;
        if self.parts == 1 { sums } else { sums + DISPATCH + 8.0 * results }
    }
}

impl Tile {
    pub fn height(&self) -> usize {
        4 * self.down * self.rows
    }

    pub fn width(&self) -> usize {
        4 * self.across * self.cols
    }

    pub fn threads(&self) -> usize {
        self.down * self.across
    }

    fn count(&self, m: usize, n: usize) -> usize {
        m.div_ceil(self.height()) * n.div_ceil(self.width())
    }

    /// Vectors from one depth to the next in both slabs: one more than are used, against conflicts of banks.
    fn pitches(&self) -> [usize; 2] {
        [self.height() / 4 + 1, self.width() / 4 + 1]
    }

    /// The vectors of both slabs.
    fn vectors(&self) -> usize {
        self.depth * self.pitches().iter().sum::<usize>()
    }

    pub fn shared_bytes(&self) -> usize {
        16 * self.vectors()
    }

    /// The blocks of both slabs.
    fn blocks(&self) -> [usize; 2] {
        [self.height(), self.width()].map(|size| size / 4 * (self.depth / 4))
    }
}

/// Products of two sources under construction.
pub(in crate::kernels) struct Product<'p> {
    pub sizes: Sizes,
    pub cut: Cut,
    pub limits: Limits,
    /// By rows and by columns of the result.
    pub sources: [Source<'p>; 2],
}

impl Product<'_> {
    /// The whole kernel's body, and how many groups there are to be. `finish` writes what becomes of the sum `x` in
    /// row `row` and column `col` of `product`, of part `part`.
    pub fn write(&self, shader: &mut Shader, finish: impl FnOnce(&mut Shader)) -> [u32; 3] {
        let Cut { tile, parts, part } = self.cut;
        let Sizes { products, m, n, k } = self.sizes;
        let [height, width] = [tile.height(), tile.width()];
        let body = std::mem::take(&mut shader.body);
        finish(shader);
        let finish = std::mem::replace(&mut shader.body, body);
        shader.declarations.push_str(&format!(
            "var<workgroup> slabs: array<vec4<f32>, {}>;\n\
             fn finish(product: u32, part: u32, row: u32, col: u32, x: f32) {{\n{finish}}}\n",
            tile.vectors(),
        ));
        let [high, wide] = [m.div_ceil(height), n.div_ceil(width)];
        let [high_word, wide_word, batch] = [high, wide, products].map(|size| shader.word(size));
        let end = shader.word(k);
        line!(shader, "let y = thread / {0}u;\nlet z = thread % {0}u;", tile.across);
        line!(
            shader,
            "for (var tile = group.x; tile < {high_word} * {wide_word}; tile += groups.x) {{"
        );
        // Bands of tiles, so that those at the same time share more of what they load.
        let band = shader.word(high.clamp(1, 8));
        line!(shader, "let band = tile / ({band} * {wide_word}) * {band};");
        line!(shader, "let in_band = tile % ({band} * {wide_word});");
        line!(shader, "let tall = least({band}, {high_word} - band);");
        line!(shader, "let top = (band + in_band % tall) * {height}u;");
        line!(shader, "let start = in_band / tall * {width}u;");
        line!(shader, "for (var product = group.y; product < {batch}; product += groups.y) {{");
        match parts {
            1 => line!(shader, "let part = 0u;\nlet begin = 0u;\nlet end = {end};"),
            _ => {
                let size = shader.word(part);
                line!(shader, "let part = group.z;\nlet begin = part * {size};");
                line!(shader, "let end = least(begin + {size}, {end});");
            }
        }
        self.sum(shader);
        self.results(shader);
        shader.push_line("}\n}");
        [groups(high * wide), groups(products), parts as u32]
    }

    /// The sums `s0_0`, ..: a vector for each row and group of four columns.
    fn sum(&self, shader: &mut Shader) {
        let tile = self.cut.tile;
        for (row, col) in self.accumulators() {
            line!(shader, "var s{row}_{col} = vec4<f32>();");
        }
        if self.sizes.k == 0 {
            return;
        }
        let rounds = self.rounds();
        rounds.iter().for_each(|round| self.fix(shader, round));
        let depth = tile.depth;
        // Loads are in front of the products of the slab before, whose time they need.
        line!(shader, "for (var next = begin; next < end + {depth}u; next += {depth}u) {{");
        shader.push_line("if (next < end) {");
        rounds.iter().for_each(|round| self.load(shader, round));
        shader.push_line("}\nif (next > begin) {");
        self.multiply(shader);
        shader.push_line("}\nworkgroupBarrier();\nif (next < end) {");
        rounds.iter().for_each(|round| self.store(shader, round));
        shader.push_line("}\nworkgroupBarrier();\n}");
    }

    fn accumulators(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let Tile { rows, cols, .. } = self.cut.tile;
        (0..4 * rows).flat_map(move |row| (0..cols).map(move |col| (row, col)))
    }

    /// The products of the slabs that are in shared memory.
    fn multiply(&self, shader: &mut Shader) {
        let Tile { down, across, rows, cols, depth, .. } = self.cut.tile;
        let [left, right] = self.cut.tile.pitches();
        let bound = self.limits.bound(shader, depth);
        line!(shader, "for (var d = 0u; d < {bound}; d++) {{");
        for i in 0..rows {
            line!(shader, "let l{i} = slabs[d * {left}u + y + {}u];", i * down);
        }
        for j in 0..cols {
            let first = depth * left + j * across;
            line!(shader, "let r{j} = slabs[d * {right}u + z + {first}u];");
        }
        for (row, col) in self.accumulators() {
            let (group, component) = (row / 4, ["x", "y", "z", "w"][row % 4]);
            line!(shader, "s{row}_{col} = fma(vec4(l{group}.{component}), r{col}, s{row}_{col});");
        }
        shader.push_line("}");
    }

    /// Hands each element to what becomes of it.
    fn results(&self, shader: &mut Shader) {
        let Tile { down, across, rows, cols, .. } = self.cut.tile;
        let Sizes { m, n, .. } = self.sizes;
        let [m, n] = [m, n].map(|size| shader.word(size));
        let sums: Vec<_> = self.accumulators().map(|(row, col)| format!("s{row}_{col}")).collect();
        let count = sums.len();
        line!(shader, "var sums = array<vec4<f32>, {count}>({});", sums.join(", "));
        let bound = self.limits.bound(shader, 4 * count);
        line!(shader, "for (var e = 0u; e < {bound}; e++) {{");
        line!(shader, "let i = e / {}u;\nlet j = e / 4u % {cols}u;", 4 * cols);
        // Rows and columns of four that are next to each other in a thread are a tile's threads apart.
        let apart = |i: &str, groups: usize, threads: usize| match groups {
            1 => i.to_owned(),
            _ => format!("{i} / 4u * {}u + {i} % 4u", 4 * threads),
        };
        line!(shader, "let row = top + 4u * y + {};", apart("i", rows, down));
        line!(shader, "let col = start + 4u * z + j * {}u + e % 4u;", 4 * across);
        line!(shader, "if (row < {m} && col < {n}) {{");
        line!(shader, "finish(product, part, row, col, sums[e / 4u][e % 4u]);\n}}\n}}");
    }
}

/// The blocks that all threads load at once, one each.
struct Round {
    number: usize,
    /// The first block and the one after the last, of both slabs.
    from: usize,
    to: usize,
    /// The blocks of the first slab.
    left: usize,
    /// Whether there are fewer of them than threads.
    short: bool,
    /// The variables of [`Source::fix`].
    fixed: Vec<String>,
}

impl Round {
    fn vectors(&self) -> [String; 4] {
        std::array::from_fn(|j| format!("p{}_{j}", self.number))
    }

    /// The body for either operand, where some thread has a block of it.
    fn each(&self, shader: &mut Shader, mut body: impl FnMut(&mut Shader, usize)) {
        let (left, boundary) = (self.from < self.left, self.left.saturating_sub(self.from));
        let right = self.to > self.left;
        if self.short {
            line!(shader, "if (thread < {}u) {{", self.to - self.from);
        }
        if left && right {
            line!(shader, "if (thread < {boundary}u) {{");
            body(shader, 0);
            shader.push_line("} else {");
            body(shader, 1);
            shader.push_line("}");
        } else {
            shader.push_line("{");
            body(shader, usize::from(right));
            shader.push_line("}");
        }
        if self.short {
            shader.push_line("}");
        }
    }
}

impl Product<'_> {
    fn rounds(&self) -> Vec<Round> {
        let tile = self.cut.tile;
        let [left, right] = tile.blocks();
        let (threads, total) = (tile.threads(), left + right);
        let rounds = (0..total.div_ceil(threads)).map(|number| {
            let (from, to) = (number * threads, total.min((number + 1) * threads));
            let used = |i: usize| if i == 0 { from < left } else { to > left };
            let fixed = (0..2).filter(|i| used(*i)).map(|i| self.sources[i].fixed()).max();
            let fixed = (0..fixed.unwrap_or_default()).map(|n| format!("f{number}_{n}")).collect();
            Round { number, from, to, left, short: to - from < threads, fixed }
        });
        rounds.collect()
    }

    /// What stays the same of a thread's block: where it goes, its first depth, and what its rows fix.
    fn fix(&self, shader: &mut Shader, round: &Round) {
        let Round { number, fixed, .. } = round;
        let tile = self.cut.tile;
        let pitches = tile.pitches();
        line!(shader, "var to{number} = 0u;\nvar d{number} = 0u;");
        fixed.iter().for_each(|name| line!(shader, "var {name} = 0u;"));
        round.vectors().iter().for_each(|name| line!(shader, "var {name} = vec4<f32>();"));
        round.each(shader, |shader, i| {
            let first = if i == 0 { 0 } else { round.left };
            let (pitch, begin) = (pitches[i], if i == 0 { 0 } else { tile.depth * pitches[0] });
            let (deep, wide) = (tile.depth / 4, [tile.height(), tile.width()][i] / 4);
            let corner = ["top", "start"][i];
            // In two's complement: the difference may be negative.
            let offset = (round.from as u32).wrapping_sub(first as u32);
            line!(shader, "let block = thread + {offset}u;");
            let [d, quad] = match self.sources[i].along {
                true => [format!("block % {deep}u"), format!("block / {deep}u")],
                false => [format!("block / {wide}u"), format!("block % {wide}u")],
            };
            line!(shader, "d{number} = 4u * ({d});\nlet quad = {quad};");
            line!(shader, "to{number} = d{number} * {pitch}u + quad + {begin}u;");
            line!(shader, "let i = {corner} + 4u * quad;");
            let own = self.sources[i].fixed();
            self.sources[i].fix(shader, &fixed[..own]);
        });
    }

    fn load(&self, shader: &mut Shader, round: &Round) {
        let checked = !self.sizes.k.is_multiple_of(self.cut.tile.depth);
        line!(shader, "{{\nlet d = next + d{};", round.number);
        round.each(shader, |shader, i| {
            let own = self.sources[i].fixed();
            self.sources[i].load(shader, &round.fixed[..own], &round.vectors(), checked);
        });
        shader.push_line("}");
    }

    fn store(&self, shader: &mut Shader, round: &Round) {
        let pitches = self.cut.tile.pitches();
        round.each(shader, |shader, i| {
            for (j, vector) in round.vectors().iter().enumerate() {
                line!(shader, "slabs[to{} + {}u] = {vector};", round.number, j * pitches[i]);
            }
        });
    }
}
