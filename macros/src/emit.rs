//! Planned steps to tokens: calls of kernels, each with its spans and sizes. It decides nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote};

use crate::fuse::{Leaf, Number, Tree};
use crate::graph::NodeId;
use crate::kernels::{Conv2d, Kernel, Matmul, Pool2d};
use crate::moves::{Axis, Copy};
use crate::ops::reduce::Fold;
use crate::plan::{Place, Plan, Step};
use crate::shape::{ConstExpr, Dim, numel};

mod forms;
mod rows;
mod scan;

use forms::{Draft, listed};

/// The printed functions of fused expressions: one for each distinct text, however often it is called.
#[derive(Default)]
pub struct Expressions {
    /// Text, kind and numbers of operands to the function's number.
    numbers: BTreeMap<(String, &'static str, usize, usize), usize>,
    functions: Vec<TokenStream>,
    /// The forms of steps, without their names: text to number.
    forms: HashMap<String, usize>,
    /// The functions of bodies of scans in the same way.
    bodies: HashMap<String, usize>,
    /// Constants of the user's that are numbers in expressions.
    constants: BTreeSet<ConstExpr>,
    /// How many bodies of scans what is printed lies in.
    depth: usize,
}

/// Code for steps, and the expressions they use.
pub struct Emitter<'e> {
    pub plan: &'e Plan,
    pub expressions: &'e mut Expressions,
    /// What the function's span arguments are called.
    pub arguments: &'e [String],
}

impl Expressions {
    /// All functions, to be printed once beside the code that calls them.
    pub fn tokens(&self) -> Result<TokenStream, String> {
        let functions = &self.functions;
        let forms = numbered("#[inline(never)] fn step", &self.forms);
        let forms = parsed(&(forms + &numbered("fn scan", &self.bodies)))?;
        let constants = self.constants.iter().map(|constant| {
            let (name, value) = (constant.number_alias(), constant.number());
            quote!(const #name: f64 = #value;)
        });
        Ok(quote!(#(#constants)* #(#functions)* #forms))
    }

    /// The function that runs a tree in a kernel of a kind.
    fn function(&mut self, kind: &'static str, tree: &Tree) -> Result<String, String> {
        self.know(&tree.numbers);
        let (n, c) = (tree.leaves.len(), tree.numbers.len());
        let text = format!("{}[{}]", tree.rust, tree.values.join(", "));
        let key = (text.clone(), kind, n, c);
        if let Some(number) = self.numbers.get(&key) {
            return Ok(format!("{kind}{number}"));
        }
        let number = self.numbers.len();
        self.numbers.insert(key, number);
        let name = format_ident!("{}{}", kind, number);
        let body = parsed(&text)?;
        let m = tree.values.len();
        let inputs = (0..n).map(|i| format_ident!("a{}", i));
        let consts = (0..c).map(|i| format_ident!("c{}", i));
        let wgsl = tree.wgsl.iter().chain(&tree.values);
        let parameters = quote!([#(#inputs),*]: [E; #n], [#(#consts),*]: [E; #c]);
        let head = quote!(#[inline(never)] fn #name<E: __n::Float, K: __n::Kernels<E>>);
        let tail = quote!(ins: [__n::Arg; #n], consts: [E; #c]);
        let text = quote!(&[#(#wgsl),*]);
        self.functions.push(match kind {
            "map" => quote!(#head(k: &mut K, out: __n::Span, grid: __n::Grid, #tail) {
                k.map([out], grid, ins, consts, #[inline(always)] |#parameters| { #body }, #text)
            }),
            "reduce" => quote!(#head(
                k: &mut K, out: __n::Span, fold: __n::Fold, grid: __n::Grid, reduced: [bool; 4], #tail
            ) {
                k.reduce(out, fold, grid, reduced, ins, consts, #[inline(always)] |#parameters| { #body[0] }, #text)
            }),
            "matmul" => quote!(#head(
                k: &mut K, outs: [__n::Span; #m], a: __n::Span, b: __n::Span, dims: __n::MatmulDims, #tail
            ) {
                k.matmul(outs, a, b, dims, ins, consts, #[inline(always)] |x: E, #parameters| { #body }, #text)
            }),
            _ => quote!(#head(
                k: &mut K, outs: [__n::Span; #m], x: __n::Span, w: __n::Span, dims: __n::Conv2dDims, #tail
            ) {
                k.conv2d(outs, x, w, dims, ins, consts, #[inline(always)] |x: E, #parameters| { #body }, #text)
            }),
        });
        Ok(name.to_string())
    }

    /// Takes notice of the user's constants in an expression.
    fn know(&mut self, numbers: &[Number]) {
        let constants = numbers.iter().filter_map(|number| match number {
            Number::Const(constant) => Some(constant.clone()),
            _ => None,
        });
        self.constants.extend(constants);
    }
}

/// Functions in the order of their numbers.
fn numbered(head: &str, functions: &HashMap<String, usize>) -> String {
    let mut functions: Vec<(&String, &usize)> = functions.iter().collect();
    functions.sort_unstable_by_key(|(_, number)| **number);
    functions.into_iter().map(|(function, number)| format!("{head}{number}{function}")).collect()
}

/// Code that the macro wrote.
fn parsed(code: &str) -> Result<TokenStream, String> {
    code.parse().map_err(|e| format!("`{code}`: {e}"))
}

impl Emitter<'_> {
    /// Statements that run some of the plan's steps.
    pub fn steps(&mut self, range: std::ops::Range<usize>) -> Result<TokenStream, String> {
        parsed(&self.code(range)?)
    }

    fn code(&mut self, range: std::ops::Range<usize>) -> Result<String, String> {
        let plan = self.plan;
        plan.steps[range].iter().map(|step| self.step(step)).collect()
    }

    /// The span of a node's storage.
    pub fn span(&self, id: NodeId) -> Result<TokenStream, String> {
        parsed(&self.placed(&mut Draft::whole(), id)?)
    }

    /// The same in the code of a step.
    fn placed(&self, draft: &mut Draft, id: NodeId) -> Result<String, String> {
        let place = self.plan.places.get(&id).ok_or_else(|| format!("%{id} has no storage"))?;
        let (slot, base, offset) = match place {
            Place::Param(offset) => ("Params", "", offset),
            Place::Grad(offset) => ("Grads", "", offset),
            Place::State(offset) => ("State", "", offset),
            Place::Argument(i) => return Ok(draft.span(&self.arguments[*i])),
            Place::Work => {
                let offset = self.plan.offsets.get(&id);
                ("Workspace", "base + ", offset.ok_or_else(|| format!("%{id} has no offset"))?)
            }
        };
        let offset = draft.number(offset);
        let len = draft.number(&numel(self.plan.graph.shape(id)));
        Ok(format!("__n::span(__n::Slot::{slot}, {base}{offset}, {len})"))
    }

    fn all_placed(&self, draft: &mut Draft, ids: &[NodeId]) -> Result<String, String> {
        let all = ids.iter().map(|id| self.placed(draft, *id)).collect::<Result<Vec<_>, _>>()?;
        Ok(all.join(", "))
    }

    fn step(&mut self, step: &Step) -> Result<String, String> {
        if let Kernel::Scan(scan) = &step.kernel {
            return self.scan(scan, step.scratch.as_ref().map(|s| &s.offset));
        }
        let mut draft = Draft::new();
        let d = &mut draft;
        let outs = self.all_placed(d, &step.writes)?;
        let code = match &step.kernel {
            Kernel::Rows(rows) => self.rows(d, &outs, rows)?,
            Kernel::Map { grid, tree } => {
                let function = self.expressions.function("map", tree)?;
                format!("{function}(k, {outs}, {}, {});", d.sizes(grid), self.operands(d, tree)?)
            }
            Kernel::Reduce { fold, grid, reduced, tree } => {
                let function = self.expressions.function("reduce", tree)?;
                let fold = match fold {
                    Fold::Sum => "Sum",
                    Fold::Max => "Max",
                };
                let (grid, operands) = (d.sizes(grid), self.operands(d, tree)?);
                format!(
                    "{function}(k, {outs}, __n::Fold::{fold}, {grid}, {reduced:?}, {operands});"
                )
            }
            Kernel::Matmul { a, b, dims, tree } => {
                let function = self.expressions.function("matmul", tree)?;
                let (inputs, dims) = (self.all_placed(d, &[*a, *b])?, matmul(d, dims));
                format!("{function}(k, [{outs}], {inputs}, {dims}, {});", self.operands(d, tree)?)
            }
            Kernel::Conv2d { x, w, dims, tree } => {
                let function = self.expressions.function("conv", tree)?;
                let (inputs, dims) = (self.all_placed(d, &[*x, *w])?, conv2d(d, dims));
                format!("{function}(k, [{outs}], {inputs}, {dims}, {});", self.operands(d, tree)?)
            }
            Kernel::Moves(moves) => {
                let zeros =
                    if moves.zeros { format!("k.fill({outs}, E::ZERO);") } else { String::new() };
                let copies = moves.copies.iter().map(|copy| self.copy(d, &outs, copy));
                zeros + &copies.collect::<Result<String, _>>()?
            }
            kernel => self.plain(d, &outs, kernel)?,
        };
        Ok(self.expressions.form(draft, &code))
    }

    /// A kernel without a fused expression.
    fn plain(&self, d: &mut Draft, out: &str, kernel: &Kernel) -> Result<String, String> {
        let (kernel, inputs, dims) = match kernel {
            Kernel::Conv2dInput { dy, w, dims } => ("conv2d_input", [*dy, *w], conv2d(d, dims)),
            Kernel::Conv2dWeight { x, dy, dims } => ("conv2d_weight", [*x, *dy], conv2d(d, dims)),
            Kernel::MaxPool2d { x, dims } => return self.pool("max_pool2d", d, out, &[*x], dims),
            Kernel::MaxPool2dScatter { x, dy, dims } => {
                return self.pool("max_pool2d_scatter", d, out, &[*x, *dy], dims);
            }
            Kernel::MaxPool2dGather { x, g, dims } => {
                return self.pool("max_pool2d_gather", d, out, &[*x, *g], dims);
            }
            Kernel::AvgPool2d { x, dims } => return self.pool("avg_pool2d", d, out, &[*x], dims),
            Kernel::AvgPool2dSpread { dy, dims } => {
                return self.pool("avg_pool2d_spread", d, out, &[*dy], dims);
            }
            Kernel::Gather { x, index, rows, cols } => {
                let rows = d.number(rows);
                ("gather", [*x, *index], format!("{rows}, {}", d.number(cols)))
            }
            Kernel::Indexed { name, x, index, dims } => {
                let [rows, cols, picks] = dims.each_ref().map(|dim| d.number(dim));
                (*name, [*x, *index], format!("__n::index_dims({rows}, {cols}, {picks})"))
            }
            Kernel::Cumsum { x, dims, reverse } => {
                let (x, dims) = (self.placed(d, *x)?, d.sizes(dims));
                return Ok(format!("k.cumsum({out}, {x}, {dims}, {reverse});"));
            }
            _ => return Err("a kernel that is printed in another way".to_owned()),
        };
        Ok(format!("k.{kernel}({out}, {}, {dims});", self.all_placed(d, &inputs)?))
    }

    fn pool(
        &self,
        kernel: &str,
        d: &mut Draft,
        out: &str,
        inputs: &[NodeId],
        dims: &Pool2d,
    ) -> Result<String, String> {
        let image = d.sizes([&dims.planes, &dims.height, &dims.width]);
        let w = &dims.window;
        let [kernel_size, stride, padding] =
            [&w.kernel, &w.stride, &w.padding].map(|pair| d.fixed(pair));
        let inputs = self.all_placed(d, inputs)?;
        Ok(format!(
            "k.{kernel}({out}, {inputs}, __n::pool2d_dims({image}, {kernel_size}, {stride}, {padding}));"
        ))
    }

    /// A copy: the kernel, and loops around it over the axes for which its grid has no room.
    fn copy(&self, d: &mut Draft, out: &str, copy: &Copy) -> Result<String, String> {
        let to = listed(copy.grid.iter().map(|axis| d.signed(&axis.to)));
        let grid = d.sizes(copy.grid.iter().map(|axis| &axis.size));
        let offset = d.number(&copy.to_offset);
        let leaf = copy.leaf();
        let ([_, ..], Leaf::View { base, offset: start, strides }) = (&copy.outer[..], &leaf)
        else {
            let from = self.leaf(d, &leaf)?;
            return Ok(format!("k.copy({out}, {offset}, {to}, {grid}, {from});"));
        };
        let mut steps = |step: fn(&Axis) -> &Dim| -> String {
            let steps = copy.outer.iter().enumerate();
            steps.map(|(i, axis)| format!(" + i{i} * ({})", d.number(step(axis)))).collect()
        };
        let (reads, writes) = (steps(|axis| &axis.from), steps(|axis| &axis.to));
        let (span, start, strides) = (self.placed(d, *base)?, d.number(start), d.sizes(strides));
        let from = format!(
            "__n::Arg::View {{ span: __n::from_offset({span}, {start}{reads}), strides: {strides} }}"
        );
        let call = format!("k.copy({out}, {offset}{writes}, {to}, {grid}, {from});");
        Ok(copy.outer.iter().enumerate().fold(call, |inside, (i, axis)| {
            format!("for i{i} in 0..{} {{ {inside} }}", d.number(&axis.size))
        }))
    }

    /// What a tree reads, and its numbers.
    fn operands(&self, d: &mut Draft, tree: &Tree) -> Result<String, String> {
        let leaves = self.leaves(d, &tree.leaves)?;
        Ok(format!("{leaves}, {}", d.reals(&tree.numbers)))
    }

    fn leaves(&self, d: &mut Draft, leaves: &[Leaf]) -> Result<String, String> {
        let leaves = leaves.iter().map(|leaf| self.leaf(d, leaf));
        Ok(listed(leaves.collect::<Result<Vec<_>, String>>()?.into_iter()))
    }

    fn leaf(&self, d: &mut Draft, leaf: &Leaf) -> Result<String, String> {
        Ok(match leaf {
            Leaf::View { base, offset, strides } => {
                let mut span = self.placed(d, *base)?;
                if !offset.is_zero() {
                    span = format!("__n::from_offset({span}, {})", d.number(offset));
                }
                format!("__n::Arg::View {{ span: {span}, strides: {} }}", d.sizes(strides))
            }
            Leaf::Coordinate { strides } => {
                format!("__n::Arg::Coordinate {{ strides: {} }}", d.sizes(strides))
            }
            Leaf::Uniform { stream, per_sample } => {
                let stream = d.stream(match self.expressions.depth {
                    0 => format!("const {{ __n::stream({stream:?}) }}"),
                    _ => format!("__n::stream_at(const {{ __n::stream({stream:?}) }}, path)"),
                });
                let per_sample = d.number(per_sample);
                format!("__n::Arg::Uniform {{ stream: {stream}, per_sample: {per_sample} }}")
            }
        })
    }
}

fn matmul(d: &mut Draft, dims: &Matmul) -> String {
    let sizes = d.sizes([&dims.batch, &dims.m, &dims.n, &dims.k]);
    let strides = d.sizes([&dims.stride_a, &dims.stride_b]);
    let (a, b) = (dims.transpose_a, dims.transpose_b);
    format!("__n::matmul_dims({sizes}, [{a}, {b}], {strides})")
}

fn conv2d(d: &mut Draft, dims: &Conv2d) -> String {
    let image = d.sizes([&dims.batch, &dims.in_channels, &dims.height, &dims.width]);
    let channels = d.number(&dims.out_channels);
    let w = &dims.window;
    let [kernel, stride, padding, dilation] =
        [&w.kernel, &w.stride, &w.padding, &w.dilation].map(|pair| d.fixed(pair));
    let groups = d.number(&w.groups);
    format!(
        "__n::conv2d_dims({image}, {channels}, {kernel}, {stride}, {padding}, {dilation}, {groups})"
    )
}

/// `[1, 1, b, 120]`
pub fn sizes(dims: &[Dim]) -> TokenStream {
    let dims = dims.iter().map(Dim::tokens);
    quote!([#(#dims),*])
}

/// A const array of sizes, `&[120, 400]`.
pub fn const_shape(shape: &[Dim]) -> TokenStream {
    let sizes = sizes(shape);
    quote!(&#sizes)
}

/// The type of a constant size: `D<784>`, `D<50, 257>`; through `dim!` where only the compiler knows it.
pub fn dim_type(dim: &Dim) -> TokenStream {
    match dim.as_literal().and_then(|n| u64::try_from(n).ok()) {
        Some(n) => {
            let digits = n.to_string();
            let groups: Vec<Literal> = digits
                .as_bytes()
                .rchunks(3)
                .rev()
                .filter_map(|group| std::str::from_utf8(group).ok()?.parse().ok())
                .map(Literal::u64_unsuffixed)
                .collect();
            quote!(__n::D<#(#groups),*>)
        }
        None => {
            let size = dim.tokens();
            quote!(::netform::dim!(#size))
        }
    }
}
