//! Kernels as text in WGSL: what a template puts together, and what becomes of it.

mod cache;
mod compile;
mod index;
mod pipeline;
mod place;
mod prelude;
mod window;

use std::fmt::Write;

use netform_core::device::{Arg, Slot, Span};

use crate::tape::Tape;

pub(crate) use cache::Cache;
#[cfg(test)]
pub(crate) use compile::compile;
pub(crate) use index::{Part, index};
pub(crate) use pipeline::{Pipeline, Pipelines};
pub(crate) use place::{Form, Place};
pub(crate) use window::{Window, Windows};

use place::Divided;

use crate::tape::Piece;

/// What a binding of a kernel is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Binding {
    /// A buffer from an element on, as far as a kernel sees: that of a slot, or without one what a dispatch of the pass
    /// leaves for another.
    Memory { slot: Option<Slot>, start: usize, form: Form },
    /// The numbers of the pass: seed, step, constants of expressions.
    Numbers,
    /// What kernels found wrong.
    Faults,
    /// The groups of dispatches that depend on a condition.
    Groups,
}

/// The words in front of the numbers of a pass: seed (low, high half), step, first sample.
pub(crate) const COUNTERS: usize = 4;

/// Where, among the numbers of a pass, it says at which place a gather's indices begin.
pub(crate) fn first_of_gather(tape: &Tape, i: usize) -> usize {
    COUNTERS + tape.numbers.len() + i
}

/// The words of the push constants: every device has room for them.
pub(crate) const WORDS: usize = 32;

/// One dispatch of one kernel.
pub(crate) struct Dispatch {
    pub text: String,
    pub bindings: Vec<Binding>,
    pub words: [u32; WORDS],
    pub groups: [u32; 3],
    /// The number, in the pass's [`Binding::Groups`], of what says whether it runs.
    pub condition: Option<usize>,
    /// The threads of a subgroup, where the kernel relies on it.
    pub subgroup: Option<u32>,
    pub reads: Vec<Region>,
    pub writes: Vec<Region>,
}

/// Elements that a dispatch reads or writes; of the pass's scratch where there is no slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Region {
    pub slot: Option<Slot>,
    pub offset: usize,
    pub len: usize,
}

impl From<Span> for Region {
    fn from(span: Span) -> Self {
        Region { slot: Some(span.slot), offset: span.offset, len: span.len }
    }
}

/// A kernel under construction. What changes from call to call while the text stays the same (offsets of spans, numbers
/// of elements) are words in push constants; what does not fit there is written into the text.
pub(crate) struct Shader {
    windows: Windows,
    bindings: Vec<(Binding, bool)>,
    divided: Vec<Divided>,
    words: Vec<u32>,
    reads: Vec<Region>,
    writes: Vec<Region>,
    /// Threads of a group.
    pub threads: u32,
    /// The threads of a subgroup, where the kernel relies on it.
    pub subgroup: Option<u32>,
    /// Whether elements of slots are bound as vectors of four.
    pub quads: bool,
    /// Shared memory and functions.
    pub declarations: String,
    pub body: String,
}

/// Appends a line to a kernel's body.
macro_rules! line {
    ($shader:expr, $($text:tt)*) => {{
        let text = format!($($text)*);
        $shader.push_line(&text);
    }};
}
pub(crate) use line;

impl Shader {
    pub fn new(threads: u32, windows: Windows) -> Self {
        Shader {
            windows,
            bindings: vec![],
            divided: vec![],
            words: vec![],
            reads: vec![],
            writes: vec![],
            threads,
            subgroup: None,
            quads: false,
            declarations: String::new(),
            body: String::new(),
        }
    }

    pub fn push_line(&mut self, text: &str) {
        self.body.push_str(text);
        self.body.push('\n');
    }

    /// A word that may differ between calls.
    pub fn word(&mut self, value: usize) -> String {
        // What a run has checked fits: no tensor has more elements.
        let value = value as u32;
        if self.words.len() == WORDS {
            return format!("{value}u");
        }
        self.words.push(value);
        format!("push.w{}", self.words.len() - 1)
    }

    fn binding(&mut self, binding: Binding, write: bool) -> usize {
        match self.bindings.iter().position(|(other, _)| *other == binding) {
            Some(i) => {
                self.bindings[i].1 |= write;
                i
            }
            None => {
                self.bindings.push((binding, write));
                self.bindings.len() - 1
            }
        }
    }

    /// Elements of a region, which the kernel reads or writes.
    fn memory(&mut self, region: Region, form: Form, write: bool) -> Place {
        if write { &mut self.writes } else { &mut self.reads }.push(region);
        let Region { slot, offset, len } = region;
        let memory = |start| Binding::Memory { slot, start, form };
        let (first, name, divided) = match self.windows.of(offset, len) {
            Window::One(start) => {
                (start, format!("b{}", self.binding(memory(start), write)), false)
            }
            Window::Many { first, count } => {
                let window = self.windows.window;
                let starts = (0..count).map(|n| first + n * window);
                let bindings: Vec<usize> =
                    starts.map(|start| self.binding(memory(start), write)).collect();
                (first, self.divide(bindings, form, write), true)
            }
        };
        Place { name, offset: self.word((offset - first) / form.width()), divided }
    }

    /// The name of windows side by side.
    fn divide(&mut self, bindings: Vec<usize>, form: Form, write: bool) -> String {
        match self.divided.iter_mut().find(|divided| divided.bindings == bindings) {
            Some(known) => {
                known.write |= write;
                known.name.clone()
            }
            None => {
                let window = self.windows.window / form.width();
                let name = format!("b{}_{}", bindings[0], bindings.len());
                self.divided.push(Divided { name: name.clone(), bindings, form, window, write });
                name
            }
        }
    }

    fn span(&mut self, span: Span, write: bool) -> Place {
        let form = match (span.slot, self.quads) {
            (Slot::Index(_), false) => Form::Integer,
            (Slot::Index(_), true) => Form::Integers,
            (_, false) => Form::Float,
            (_, true) => Form::Floats,
        };
        self.memory(span.into(), form, write)
    }

    /// The elements of a span, to read. In a kernel of [`Shader::quads`] it begins at a multiple of four.
    pub fn read(&mut self, span: Span) -> Place {
        self.span(span, false)
    }

    /// The elements of a span, to write. In a kernel of [`Shader::quads`] it begins at a multiple of four.
    pub fn write(&mut self, span: Span) -> Place {
        self.span(span, true)
    }

    /// The elements of a span whose offset is a multiple of 4, to read by vectors of four.
    pub fn read_vectors(&mut self, span: Span) -> Place {
        self.memory(span.into(), Form::Floats, false)
    }

    /// The elements of a span as 32-bit words, or fours of them, whatever they are.
    pub fn words(&mut self, span: Span, fours: bool, write: bool) -> Place {
        let form = if fours { Form::Integers } else { Form::Integer };
        self.memory(span.into(), form, write)
    }

    /// A word among the numbers of the pass.
    pub fn number(&mut self, i: usize) -> String {
        self.binding(Binding::Numbers, false);
        format!("numbers[{}]", self.word(i))
    }

    /// The stream of a random input, as a word.
    pub fn stream(&mut self, stream: u32) -> String {
        self.binding(Binding::Numbers, false);
        self.word(stream as usize)
    }

    /// Elements of the pass's scratch.
    pub fn scratch(&mut self, piece: Piece, integers: bool, write: bool) -> Place {
        let form = if integers { Form::Integer } else { Form::Float };
        self.memory(Region { slot: None, offset: piece.start, len: piece.len }, form, write)
    }

    /// What is wrong, as words; the caller's are two for each check.
    pub fn faults(&mut self) -> &'static str {
        self.binding(Binding::Faults, true);
        "faults"
    }

    /// The groups of dispatches, three words for each.
    pub fn groups(&mut self) -> &'static str {
        self.binding(Binding::Groups, true);
        "indirect"
    }

    /// Declares constants `c0`, `c1`, .. of the body from the pass's numbers.
    pub fn constants(&mut self, start: usize, count: usize) {
        if count == 0 {
            return;
        }
        self.binding(Binding::Numbers, false);
        let first = self.word(COUNTERS + start);
        for i in 0..count {
            line!(self, "let c{i} = bitcast<f32>(numbers[{first} + {i}u]);");
        }
    }

    /// An input, of which [`Argument::value`] is an expression for each position.
    pub fn argument(&mut self, arg: &Arg) -> Argument {
        match *arg {
            Arg::View { span, strides } => {
                let integer = matches!(span.slot, Slot::Index(_));
                Argument::Element { place: self.read(span), strides, integer }
            }
            Arg::Coordinate { strides } => Argument::Coordinate { strides },
            Arg::Uniform { stream, per_sample } => {
                self.binding(Binding::Numbers, false);
                Argument::Uniform {
                    stream: self.word(stream as usize),
                    per_sample: per_sample.max(1),
                }
            }
        }
    }

    /// The kernel with all it needs, to be run by `groups` of threads.
    pub fn finish(self, groups: [u32; 3]) -> Dispatch {
        let mut text = String::new();
        if !self.words.is_empty() {
            let fields: Vec<String> = (0..self.words.len()).map(|i| format!("w{i}: u32")).collect();
            text = format!("struct Push {{ {} }}\nvar<immediate> push: Push;\n", fields.join(", "));
        }
        for (i, (binding, write)) in self.bindings.iter().enumerate() {
            let (name, element) = match binding {
                Binding::Memory { form, .. } => (format!("b{i}"), form.text()),
                Binding::Numbers => ("numbers".to_owned(), "u32"),
                Binding::Faults => ("faults".to_owned(), "atomic<u32>"),
                Binding::Groups => ("indirect".to_owned(), "u32"),
            };
            let access = if *write { "read_write" } else { "read" };
            let _ = writeln!(
                text,
                "@group(0) @binding({i}) var<storage, {access}> {name}: array<{element}>;"
            );
        }
        self.divided.iter().for_each(|divided| text.push_str(&divided.text()));
        text.push_str(&prelude::for_text(&[&self.declarations, &self.body]));
        text.push_str(&self.declarations);
        // Where subgroups matter, a thread's number says which one it belongs to.
        let (thread, declared) = match self.subgroup {
            None => ("@builtin(local_invocation_index) thread: u32", String::new()),
            Some(size) => (
                "@builtin(subgroup_id) subgroup: u32, @builtin(subgroup_invocation_id) member: u32",
                format!("let thread = subgroup * {size}u + member;\n"),
            ),
        };
        let _ = write!(
            text,
            "@compute @workgroup_size({})\nfn main({thread}, @builtin(workgroup_id) group: vec3<u32>, \
             @builtin(num_workgroups) groups: vec3<u32>) {{\n{declared}{}}}\n",
            self.threads, self.body
        );
        Dispatch {
            text,
            bindings: self.bindings.into_iter().map(|(binding, _)| binding).collect(),
            words: std::array::from_fn(|i| self.words.get(i).copied().unwrap_or(0)),
            groups,
            condition: None,
            subgroup: self.subgroup,
            reads: self.reads,
            writes: self.writes,
        }
    }
}

/// The strides with which a position's number in the grid is found from its coordinates.
fn dense(parts: &[Part<'_>]) -> [isize; 4] {
    let grid = parts.first().map_or([1; 4], |part| *part.grid);
    let mut strides = [1_isize; 4];
    for axis in (0..3).rev() {
        strides[axis] = strides[axis + 1].wrapping_mul(grid[axis + 1] as isize);
    }
    strides
}

/// An input of an expression.
pub(crate) enum Argument {
    Element { place: Place, strides: [usize; 4], integer: bool },
    Coordinate { strides: [usize; 4] },
    Uniform { stream: String, per_sample: usize },
}

impl Argument {
    /// Its value where the grid's coordinates are those of `parts`.
    pub fn value(&self, parts: &[Part<'_>]) -> String {
        let signed = |strides: &[usize; 4]| strides.map(|stride| stride as isize);
        match self {
            Argument::Element { place, strides, integer } => {
                let element = place.at(&index(parts, &signed(strides)));
                if *integer { format!("f32({element})") } else { element }
            }
            Argument::Coordinate { strides } => format!("f32({})", index(parts, &signed(strides))),
            Argument::Uniform { stream, per_sample } => {
                let position = index(parts, &dense(parts));
                format!("uniform_number({position}, {per_sample}u, {stream})")
            }
        }
    }
}
