//! Folds over the threads of a group, in an order that only sizes and the device fix: within subgroups where a device has
//! them and through shared memory between those, or through shared memory alone.

use netform_core::device::Fold;

use super::THREADS;
use crate::shader::{Shader, line};

/// The threads of a group in teams of `lanes`, a power of two.
pub(super) struct Teams {
    pub lanes: usize,
    /// Teams of a group.
    pub count: usize,
    /// From a thread to the next one of its team: 1, or [`Teams::count`] where neighbours are of different teams.
    pub step: usize,
    /// The threads of a subgroup, where folds use it.
    subgroup: Option<usize>,
    /// How many folds have left numbers of subgroups in shared memory, each in a place of its own.
    between: usize,
    /// Whether `shared_` is used.
    tree: bool,
}

/// The bits of a float as an integer of the same order, not-a-number largest: the maximum of a subgroup has no rule for
/// that.
const KEYS: &str = "fn key_of(x: f32) -> u32 {
let bits = bitcast<u32>(x);
let key = select(bits | 0x80000000u, ~bits, (bits >> 31u) != 0u);
return select(key, 0xffffffffu, is_nan(x));
}
fn of_key(key: u32) -> f32 {
return bitcast<f32>(select(~key, key & 0x7fffffffu, (key >> 31u) != 0u));
}
";

/// So many elements of a row one thread takes before a row has more threads than a subgroup.
const ALONE: usize = 32;

/// So many threads keep a device busy.
const BUSY: usize = 1 << 15;

impl Teams {
    /// Neighbouring threads have neighbouring elements of the same unit. Of units of `len` elements there are `units`.
    pub fn along(len: usize, units: usize, subgroup: Option<usize>) -> Self {
        // A subgroup folds what at most as many subgroups have left.
        let limit = subgroup.map_or(usize::MAX, |size| size * size).min(THREADS as usize);
        let most = len.next_power_of_two().clamp(1, limit);
        let lanes = match subgroup {
            // Without a barrier, where there are rows enough.
            Some(size) if most > size && len <= ALONE * size && units * size >= BUSY => size,
            _ => most,
        };
        let count = THREADS as usize / lanes;
        Teams { lanes, count, step: 1, subgroup, between: 0, tree: false }
    }

    /// Neighbouring threads have the same element of neighbouring units.
    pub fn across(lanes: usize) -> Self {
        let count = THREADS as usize / lanes;
        Teams { lanes, count, step: count, subgroup: None, between: 0, tree: false }
    }

    /// Whether neighbouring threads are of different teams.
    pub fn is_across(&self) -> bool {
        self.step > 1
    }

    /// Declares `lane` and `team`.
    pub fn declare(&self, shader: &mut Shader) {
        if self.lanes > 1 {
            shader.subgroup = self.subgroup.and_then(|size| u32::try_from(size).ok());
        }
        let (lane, team) = match self.is_across() {
            true => (format!("thread / {}u", self.count), format!("thread % {}u", self.count)),
            false => (format!("thread % {}u", self.lanes), format!("thread / {}u", self.lanes)),
        };
        line!(shader, "let lane = {lane};\nlet team = {team};");
    }

    /// Begins the loop of a group over the parts of units; `words` are the numbers of units and of parts. Declares `unit`,
    /// `part`, and `is_one`: where a team has none, it has one that another team has too. Returns how many times groups
    /// loop altogether. All teams of a group stay together.
    pub fn begin_parts(
        &self,
        shader: &mut Shader,
        [units, parts]: [usize; 2],
        words: [&str; 2],
    ) -> usize {
        let (count, [units_word, parts_word]) = (self.count, words);
        let all = match self.is_across() {
            true => units.div_ceil(count) * parts,
            false => (units * parts).div_ceil(count),
        };
        let all_word = shader.word(all);
        line!(shader, "for (var turn = group.x; turn < {all_word}; turn += groups.x) {{");
        match self.is_across() {
            // Neighbouring threads have the same part of neighbouring units.
            true => line!(
                shader,
                "let part = turn % {parts_word};
let wanted = turn / {parts_word} * {count}u + team;
let is_one = wanted < {units_word};
let unit = select({units_word} - 1u, wanted, is_one);"
            ),
            false => line!(
                shader,
                "let wanted = turn * {count}u + team;
let is_one = wanted < {units_word} * {parts_word};
let item = select({units_word} * {parts_word} - 1u, wanted, is_one);
let unit = item / {parts_word};
let part = item % {parts_word};"
            ),
        }
        all
    }

    /// Ends the loop over what a team has; shared memory is its own until all have come here.
    pub fn end_loop(&self, shader: &mut Shader) {
        if self.between == 1 {
            shader.push_line("workgroupBarrier();");
        }
        shader.push_line("}");
    }

    /// Declares the shared memory that folds have used.
    pub fn finish(&self, shader: &mut Shader) {
        let mut memory = |name: &str, len: usize| {
            let text = format!("var<workgroup> {name}: array<f32, {len}>;\n");
            shader.declarations.push_str(&text);
        };
        if self.tree {
            memory("shared_", THREADS as usize);
        }
        if let Some(size) = self.subgroup.filter(|_| self.between > 0) {
            memory("of_subgroups", self.between * THREADS as usize / size);
        }
    }

    /// Folds the values of variables over each team: afterwards every thread has the results. All threads of the group
    /// must come by.
    pub fn fold(&mut self, shader: &mut Shader, folds: &[(Fold, &str)]) {
        match self.subgroup {
            _ if self.lanes == 1 => {}
            Some(size) => self.fold_subgroups(shader, folds, size),
            None => {
                folds.iter().for_each(|(fold, name)| self.fold_tree(shader, *fold, name));
            }
        }
    }

    fn fold_subgroups(&mut self, shader: &mut Shader, folds: &[(Fold, &str)], size: usize) {
        let is_max = |(fold, _): &(Fold, &str)| *fold == Fold::Max;
        if folds.iter().any(is_max) && !shader.declarations.contains(KEYS) {
            shader.declarations.push_str(KEYS);
        }
        folds.iter().for_each(|(fold, x)| within(shader, *fold, x, self.lanes.min(size), size));
        if self.lanes <= size {
            return;
        }
        let parts = self.lanes / size;
        let names: Vec<&str> = folds.iter().map(|(_, x)| *x).collect();
        let first = self.leave(shader, &names, size);
        for ((fold, x), first) in folds.iter().zip(first) {
            line!(shader, "{x} = of_subgroups[{first}u + team * {parts}u + thread % {parts}u];");
            within(shader, *fold, x, parts, size);
        }
    }

    /// Leaves a number of each subgroup in shared memory, after which all threads may read them; returns where those of
    /// each variable begin.
    fn leave(&mut self, shader: &mut Shader, names: &[&str], size: usize) -> Vec<usize> {
        let all = THREADS as usize / size;
        let first = (self.between..).map(|number| number * all);
        self.between += names.len();
        line!(shader, "if (thread % {size}u == 0u) {{");
        let first: Vec<usize> = first.take(names.len()).collect();
        for (x, first) in names.iter().zip(&first) {
            line!(shader, "of_subgroups[{first}u + thread / {size}u] = {x};");
        }
        shader.push_line("}\nworkgroupBarrier();");
        first
    }

    /// Declares `before`, the sum of `x` over those threads of the team that come before, and `all`, over the whole team.
    /// All threads of the group must come by.
    pub fn prefix(&mut self, shader: &mut Shader, x: &str) {
        match self.subgroup.filter(|size| *size <= self.lanes) {
            Some(size) => self.prefix_subgroups(shader, x, size),
            None => self.prefix_tree(shader, x),
        }
    }

    fn prefix_subgroups(&mut self, shader: &mut Shader, x: &str, size: usize) {
        let parts = self.lanes / size;
        line!(shader, "var before = subgroupExclusiveAdd({x});");
        line!(shader, "var all = subgroupShuffle(before + {x}, {size}u - 1u);");
        if parts == 1 {
            return;
        }
        let first = self.leave(shader, &["all"], size)[0];
        line!(
            shader,
            "let member_ = thread % {size}u;
let of_part = select(0.0, of_subgroups[{first}u + team * {parts}u + member_ % {parts}u], member_ < {parts}u);
let before_part = subgroupExclusiveAdd(of_part);
before += subgroupShuffle(before_part, lane / {size}u);
all = subgroupShuffle(before_part + of_part, {parts}u - 1u);"
        );
    }

    /// Hillis and Steele, "Data parallel algorithms", 1986.
    fn prefix_tree(&mut self, shader: &mut Shader, x: &str) {
        self.tree = true;
        let (lanes, step) = (self.lanes, self.step);
        // What a thread has that comes so far before; the place must be one of the group's even where it is not used.
        let earlier = |distance: usize| {
            let place =
                format!("select(thread, thread - {}u, lane >= {distance}u)", distance * step);
            format!("select(0.0, shared_[{place}], lane >= {distance}u)")
        };
        line!(shader, "shared_[thread] = {x};\nvar before = 0.0;\nworkgroupBarrier();");
        let mut distance = 1;
        while distance < lanes {
            line!(shader, "before = {};\nworkgroupBarrier();", earlier(distance));
            shader.push_line("shared_[thread] += before;\nworkgroupBarrier();");
            distance *= 2;
        }
        line!(
            shader,
            "before = {};
let all = shared_[thread + ({lanes}u - 1u - lane) * {step}u];
workgroupBarrier();",
            earlier(1)
        );
    }

    fn fold_tree(&mut self, shader: &mut Shader, fold: Fold, x: &str) {
        self.tree = true;
        let step = self.step;
        line!(shader, "shared_[thread] = {x};");
        shader.push_line("workgroupBarrier();");
        let mut half = self.lanes / 2;
        while half > 0 {
            let (a, b) = ("shared_[thread]", format!("shared_[thread + {}u]", half * step));
            let both = combined(fold, a, &b);
            line!(shader, "if (lane < {half}u) {{ {a} = {both}; }}");
            shader.push_line("workgroupBarrier();");
            half /= 2;
        }
        line!(shader, "{x} = shared_[thread - lane * {step}u];");
        shader.push_line("workgroupBarrier();");
    }

    /// Declares `name` as what the team's thread `lane` has in `x`. All threads of the group must come by.
    pub fn pick(&mut self, shader: &mut Shader, name: &str, x: &str, lane: &str) {
        if self.lanes == 1 {
            line!(shader, "let {name} = {x};");
            return;
        }
        self.tree = true;
        line!(shader, "shared_[thread] = {x};");
        shader.push_line("workgroupBarrier();");
        line!(shader, "let {name} = shared_[thread - lane + {lane}];");
        shader.push_line("workgroupBarrier();");
    }
}

/// Folds a variable over each `width` neighbours of a subgroup of `size` threads.
fn within(shader: &mut Shader, fold: Fold, x: &str, width: usize, size: usize) {
    if width == size {
        match fold {
            Fold::Sum => line!(shader, "{x} = subgroupAdd({x});"),
            Fold::Max => line!(shader, "{x} = of_key(subgroupMax(key_of({x})));"),
        }
        return;
    }
    // Of two threads each adds the other's number: both have the same sum.
    let masks = std::iter::successors(Some(1), |mask| Some(2 * mask));
    for mask in masks.take_while(|mask| *mask < width) {
        let other = format!("subgroupShuffleXor({x}, {mask}u)");
        line!(shader, "{x} = {};", combined(fold, x, &other));
    }
}

/// Two values of a fold as one.
pub(super) fn combined(fold: Fold, a: &str, b: &str) -> String {
    match fold {
        Fold::Sum => format!("{a} + {b}"),
        Fold::Max => format!("larger({a}, {b})"),
    }
}

/// Where a fold begins.
pub(super) fn beginning(fold: Fold) -> &'static str {
    match fold {
        Fold::Sum => "0.0",
        Fold::Max => "-infinity()",
    }
}
