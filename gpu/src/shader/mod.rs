//! Kernels as text in WGSL: what a template puts together, and what becomes of it.

mod cache;
mod compile;
mod index;
mod pipeline;
mod prelude;

use std::fmt::Write;

use netform_core::device::{Arg, Slot, Span};

use crate::tape::Tape;

pub(crate) use cache::Cache;
#[cfg(test)]
pub(crate) use compile::compile;
pub(crate) use index::{Part, index};
pub(crate) use pipeline::{Pipeline, Pipelines};

use crate::tape::Piece;

/// What a binding of a kernel is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Binding {
    Slot(Slot),
    /// The same as 32-bit words, or fours of them, whatever its elements are.
    Words {
        slot: Slot,
        fours: bool,
    },
    /// The same, to be read by vectors of four.
    Vectors(Slot),
    /// The numbers of the pass: seed, step, constants of expressions.
    Numbers,
    /// What kernels found wrong.
    Faults,
    /// The groups of dispatches that depend on a condition.
    Groups,
    /// What one dispatch of the pass leaves for another: floats, or integers.
    Scratch,
    ScratchIntegers,
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
    bindings: Vec<(Binding, bool)>,
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

/// Elements of a buffer: the name of its binding, and where they begin.
pub(crate) struct Place {
    pub buffer: String,
    pub offset: String,
}

impl Place {
    /// The element at `index`.
    pub fn at(&self, index: &str) -> String {
        format!("{}[{} + {index}]", self.buffer, self.offset)
    }
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
    pub fn new(threads: u32) -> Self {
        Shader {
            bindings: vec![],
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
        // What a run has checked fits: no buffer has more elements.
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

    fn span(&mut self, span: Span, write: bool) -> Place {
        let buffer = format!("b{}", self.binding(Binding::Slot(span.slot), write));
        Place { buffer, offset: self.word(span.offset) }
    }

    /// The elements of a span, to read.
    pub fn read(&mut self, span: Span) -> Place {
        self.reads.push(span.into());
        self.span(span, false)
    }

    /// The elements of a span whose offset is a multiple of 4, to read by vectors of four.
    pub fn read_vectors(&mut self, span: Span) -> Place {
        self.reads.push(span.into());
        let buffer = format!("b{}", self.binding(Binding::Vectors(span.slot), false));
        Place { buffer, offset: self.word(span.offset / 4) }
    }

    /// The elements of a span, to write.
    pub fn write(&mut self, span: Span) -> Place {
        self.writes.push(span.into());
        self.span(span, true)
    }

    /// The name of a buffer of words, or of fours of them.
    pub fn words(&mut self, span: Span, fours: bool, write: bool) -> String {
        let list = if write { &mut self.writes } else { &mut self.reads };
        list.push(span.into());
        format!("b{}", self.binding(Binding::Words { slot: span.slot, fours }, write))
    }

    /// A word among the numbers of the pass.
    pub fn number(&mut self, i: usize) -> String {
        self.binding(Binding::Numbers, false);
        format!("numbers[{}]", self.word(i))
    }

    /// The elements of a span that begins at a multiple of four, in a kernel of [`Shader::quads`].
    pub fn read_quads(&mut self, span: Span) -> Place {
        self.reads.push(span.into());
        self.span(Span { offset: span.offset / 4, ..span }, false)
    }

    /// As [`Shader::read_quads`], to write.
    pub fn write_quads(&mut self, span: Span) -> Place {
        self.writes.push(span.into());
        self.span(Span { offset: span.offset / 4, ..span }, true)
    }

    /// The stream of a random input, as a word.
    pub fn stream(&mut self, stream: u32) -> String {
        self.binding(Binding::Numbers, false);
        self.word(stream as usize)
    }

    /// Elements of the pass's scratch.
    pub fn scratch(&mut self, piece: Piece, integers: bool, write: bool) -> Place {
        let region = Region { slot: None, offset: piece.start, len: piece.len };
        if write { &mut self.writes } else { &mut self.reads }.push(region);
        let binding = if integers { Binding::ScratchIntegers } else { Binding::Scratch };
        let buffer = format!("b{}", self.binding(binding, write));
        Place { buffer, offset: self.word(piece.start) }
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
                Binding::Slot(Slot::Index(_)) | Binding::ScratchIntegers => {
                    (format!("b{i}"), "u32")
                }
                Binding::Slot(_) | Binding::Scratch => (format!("b{i}"), "f32"),
                Binding::Words { fours, .. } => {
                    (format!("b{i}"), if *fours { "vec4<u32>" } else { "u32" })
                }
                Binding::Vectors(_) => (format!("b{i}"), "vec4<f32>"),
                Binding::Numbers => ("numbers".to_owned(), "u32"),
                Binding::Faults => ("faults".to_owned(), "atomic<u32>"),
                Binding::Groups => ("indirect".to_owned(), "u32"),
            };
            let element = match binding {
                Binding::Slot(_) if self.quads => format!("vec4<{element}>"),
                _ => element.to_owned(),
            };
            let access = if *write { "read_write" } else { "read" };
            let _ = writeln!(
                text,
                "@group(0) @binding({i}) var<storage, {access}> {name}: array<{element}>;"
            );
        }
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
