//! Templates: the call of a kernel as dispatches of WGSL.

mod condition;
mod conv;
mod elementwise;
mod gather;
mod indexed;
mod matmul;
mod parts;
mod pool;
mod quads;
mod reduce;
mod rows;
mod scan;
mod scratch;
mod shared;

use netform_core::device::{Arg, Grid, Misindexed, Span};

pub(crate) use scratch::Scratch;

use crate::shader::{Argument, Dispatch, Part, Place, Shader, Windows, line};
use crate::tape::{Call, Expression, Piece, Tape};

/// What is wrong where a kernel finds an index out of range.
#[derive(Clone, Debug)]
pub(crate) struct Check {
    /// What the indices are of.
    pub of: Misindexed,
    /// The number of places there are.
    pub size: usize,
    /// Whether the kernel says the index too, not only its position.
    pub says_index: bool,
    /// Where else the index may be read: integers that are inputs, with their strides on the grid of rows.
    pub integers: Vec<(Span, [usize; 4], Grid)>,
}

/// The dispatches of a pass, and the checks that they make.
#[derive(Default)]
pub(crate) struct Program {
    pub dispatches: Vec<Dispatch>,
    pub checks: Vec<Check>,
    /// How many dispatches depend on a condition.
    pub conditional: usize,
    /// How many of the first dispatches copy what is gathered before the pass's calls. The first checks are theirs.
    pub gathering: usize,
    pub scratch: Scratch,
    limits: Limits,
}

/// What a device allows, and kernels make use of.
#[derive(Clone, Copy, Default)]
pub(crate) struct Limits {
    /// Memory that a group of threads shares: at least [`SHARED_BYTES`].
    pub shared_bytes: u32,
    /// Whether short loops are to be unrolled: on a GPU, where it is worth the time that compiling takes.
    pub unrolls: bool,
    /// The threads of a subgroup, where kernels can rely on it.
    pub subgroup: Option<usize>,
    /// What kernels see of buffers.
    pub windows: Windows,
}

impl Limits {
    /// A new kernel with so many threads in a group.
    fn shader(self, threads: u32) -> Shader {
        Shader::new(threads, self.windows)
    }

    /// The bound of a short loop: what drivers do not know they do not unroll.
    fn bound(self, shader: &mut Shader, count: usize) -> String {
        if self.unrolls { format!("{count}u") } else { shader.word(count) }
    }
}

/// Threads of a group, where nothing else is needed. None has more.
pub(crate) const THREADS: u32 = 256;

/// The bytes of memory that a group shares on every device. Larger tiles of products need more, and are left where
/// there is no more.
pub(crate) const SHARED_BYTES: u32 = matmul::SHARED_BYTES;

/// The most groups along an axis that every device has.
const MOST_GROUPS: usize = 65_535;

/// As many groups as there are units of work for, within what every device can start; kernels loop over the rest.
fn groups(units: usize) -> u32 {
    units.clamp(1, MOST_GROUPS) as u32
}

/// The product of sizes.
fn product(sizes: &[usize]) -> usize {
    sizes.iter().product()
}

impl Program {
    /// The dispatches of a whole pass. An error names what is not supported.
    pub fn of(tape: &Tape, limits: Limits) -> Result<Self, String> {
        let mut program = Program { limits, ..Program::default() };
        (0..tape.gathers.len()).for_each(|i| gather::rows(&mut program, tape, i));
        program.gathering = program.dispatches.len();
        let mut next = 0;
        for together in tape.conditions.chunk_by(|a, b| a.to == b.from && a.value == b.value) {
            let [from, to] = [together[0].from, together[together.len() - 1].to];
            program.all(tape, next..from)?;
            condition::conditional(&mut program, tape, together)?;
            next = to;
        }
        program.all(tape, next..tape.calls.len())?;
        Ok(program)
    }

    fn all(&mut self, tape: &Tape, calls: std::ops::Range<usize>) -> Result<(), String> {
        tape.calls[calls].iter().try_for_each(|call| self.add(tape, call))
    }

    /// Appends the dispatches of a call; none where there is nothing to compute. An error names what is not
    /// supported.
    fn add(&mut self, tape: &Tape, call: &Call) -> Result<(), String> {
        match *call {
            Call::Map { outs, grid, f } => {
                elementwise::map(self, tape, tape.spans(outs), grid, &f);
            }
            Call::Fill { out, value } => elementwise::fill(self, out, Some(value)),
            Call::Copy { out, offset, strides, grid, input } => {
                let input = &tape.args(input)[0];
                let kernel = elementwise::copy(self.limits, out, offset, strides, grid, input);
                self.dispatches.extend(kernel);
            }
            Call::Cumsum { out, x, dims, reverse } => {
                scan::cumsum(self, out, x, dims, reverse);
            }
            Call::Reduce { out, fold, grid, reduced, f } => {
                reduce::reduce(self, tape, out, fold, grid, reduced, &f);
            }
            Call::Rows(call) => rows::rows(self, tape, &call)?,
            Call::Matmul { outs, a, b, dims, f } => {
                matmul::matmul(self, tape, tape.spans(outs), [a, b], &dims, &f);
            }
            Call::Conv2d { ys, x, w, dims, f } => {
                conv::conv2d(self, tape, tape.spans(ys), [x, w], &dims, &f);
            }
            Call::Conv2dInput { dx, dy, w, dims } => conv::input(self, dx, [dy, w], &dims),
            Call::Conv2dWeight { dw, x, dy, dims } => conv::weight(self, dw, [x, dy], &dims),
            Call::Pool { kind, out, x, second, dims } => {
                self.dispatches.extend(pool::pool(self.limits, kind, out, x, second, &dims));
            }
            Call::Index { kind, out, x, index, dims, of } => {
                indexed::index(self, kind, [out, x, index], dims, of);
            }
        }
        Ok(())
    }

    /// The number of a new check.
    fn check(&mut self, check: Check) -> usize {
        self.checks.push(check);
        self.checks.len() - 1
    }
}

/// A loop over `total` units, one for each thread at a time; what follows is its body, up to [`end_units`].
fn begin_units(shader: &mut Shader, variable: &str, total: usize) {
    let (total, threads) = (shader.word(total), shader.threads);
    line!(
        shader,
        "for (var {variable} = group.x * {threads}u + thread; {variable} < {total}; {variable} += groups.x * {threads}u) {{"
    );
}

/// Ends the loop, and says how many groups there are to be.
fn end_units(shader: &mut Shader, total: usize) -> [u32; 3] {
    shader.push_line("}");
    [groups(total.div_ceil(shader.threads as usize)), 1, 1]
}

/// Where the elements of inputs are. Before any loop: each is declared once.
fn arguments(shader: &mut Shader, args: &[Arg]) -> Vec<Argument> {
    args.iter().map(|arg| shader.argument(arg)).collect()
}

/// Declares `a0`, `a1`, .. at a position.
fn values(shader: &mut Shader, args: &[Argument], parts: &[Part<'_>]) {
    for (i, arg) in args.iter().enumerate() {
        line!(shader, "let a{i} = {};", arg.value(parts));
    }
}

/// The statements of a text, and the expressions of its last `count` entries.
fn statements<'t>(text: &'t [&'t str], count: usize) -> (&'t [&'t str], &'t [&'t str]) {
    text.split_at(text.len().saturating_sub(count))
}

/// An epilogue of `x`, which is declared: the inputs, the statements, and the results at `place` of each target.
fn epilogue(
    shader: &mut Shader,
    f: &Expression,
    args: &[Argument],
    parts: &[Part<'_>],
    targets: &[Place],
    place: &str,
) {
    values(shader, args, parts);
    let (lines, results) = statements(f.text.0, targets.len());
    lines.iter().for_each(|text| shader.push_line(text));
    // All of them before the first is stored: an input may be an output.
    for (j, result) in results.iter().enumerate() {
        line!(shader, "let y{j} = {result};");
    }
    for (j, target) in targets.iter().enumerate() {
        shader.push_line(&target.set(place, &format!("y{j}")));
    }
}

/// Declares the constants of an expression.
fn constants(shader: &mut Shader, consts: Piece) {
    shader.constants(consts.start, consts.len);
}
