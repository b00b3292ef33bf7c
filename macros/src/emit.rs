//! Planned steps to tokens: calls of kernels, each with its spans and sizes. It decides nothing.

use std::collections::BTreeMap;

use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote};

use crate::fuse::{Leaf, Number, Tree};
use crate::graph::NodeId;
use crate::kernels::{Conv2d, Kernel, Matmul, Pool2d};
use crate::moves::{Axis, Copy};
use crate::ops::reduce::Fold;
use crate::plan::{Place, Plan, Step};
use crate::shape::{Dim, numel};

mod scan;

/// The printed functions of fused expressions: one for each distinct text, however often it is called.
#[derive(Default)]
pub struct Expressions {
    /// Text, kind and numbers of operands to the function's number.
    numbers: BTreeMap<(String, &'static str, usize, usize), usize>,
    functions: Vec<TokenStream>,
    /// The printed bodies of scans: text to number. One for each distinct text, like expressions.
    bodies: BTreeMap<String, usize>,
    /// How many bodies of scans what is printed lies in.
    depth: usize,
}

/// Code for steps, and the expressions they use.
pub struct Emitter<'e> {
    pub plan: &'e Plan,
    pub expressions: &'e mut Expressions,
    /// What the function's span arguments are called.
    pub arguments: &'e [TokenStream],
}

impl Expressions {
    /// All functions, to be printed once beside the code that calls them.
    pub fn tokens(&self) -> TokenStream {
        let functions = &self.functions;
        quote!(#(#functions)*)
    }

    /// The function that runs a tree in a kernel of a kind.
    fn function(&mut self, kind: &'static str, tree: &Tree) -> Result<TokenStream, String> {
        let (n, c) = (tree.leaves.len(), tree.numbers.len());
        let text = format!("{}[{}]", tree.rust, tree.values.join(", "));
        let key = (text.clone(), kind, n, c);
        if let Some(number) = self.numbers.get(&key) {
            let name = format_ident!("{}{}", kind, number);
            return Ok(quote!(#name));
        }
        let number = self.numbers.len();
        self.numbers.insert(key, number);
        let name = format_ident!("{}{}", kind, number);
        let body: TokenStream = text.parse().map_err(|e| format!("`{text}`: {e}"))?;
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
        Ok(quote!(#name))
    }
}

mod rows;

impl Emitter<'_> {
    /// Statements that run some of the plan's steps.
    pub fn steps(&mut self, range: std::ops::Range<usize>) -> Result<TokenStream, String> {
        let plan = self.plan;
        plan.steps[range].iter().map(|step| self.step(step)).collect()
    }

    /// The span of a node's storage.
    pub fn span(&self, id: NodeId) -> Result<TokenStream, String> {
        let len = numel(self.plan.graph.shape(id)).tokens();
        Ok(match self.plan.places.get(&id) {
            Some(Place::Param(offset)) => {
                let offset = offset.tokens();
                quote!(__n::span(__n::Slot::Params, #offset, #len))
            }
            Some(Place::Grad(offset)) => {
                let offset = offset.tokens();
                quote!(__n::span(__n::Slot::Grads, #offset, #len))
            }
            Some(Place::State(offset)) => {
                let offset = offset.tokens();
                quote!(__n::span(__n::Slot::State, #offset, #len))
            }
            Some(Place::Argument(i)) => self.arguments[*i].clone(),
            Some(Place::Work) => {
                let offset = self
                    .plan
                    .offsets
                    .get(&id)
                    .ok_or_else(|| format!("%{id} has no offset"))?
                    .tokens();
                quote!(__n::span(__n::Slot::Workspace, base + #offset, #len))
            }
            None => return Err(format!("%{id} has no storage")),
        })
    }

    fn step(&mut self, step: &Step) -> Result<TokenStream, String> {
        let outs =
            step.writes.iter().map(|id| self.span(*id)).collect::<Result<Vec<_>, String>>()?;
        let out = outs.first().ok_or("a step that writes nothing")?;
        Ok(match &step.kernel {
            Kernel::Rows(rows) => self.rows(&outs, rows)?,
            Kernel::Map { grid, tree } => {
                let function = self.expressions.function("map", tree)?;
                let (grid, ins, consts) =
                    (sizes(grid), self.args(&tree.leaves)?, numbers(&tree.numbers));
                quote!(#function(k, #out, #grid, #ins, #consts);)
            }
            Kernel::Reduce { fold, grid, reduced, tree } => {
                let function = self.expressions.function("reduce", tree)?;
                let (grid, ins, consts) =
                    (sizes(grid), self.args(&tree.leaves)?, numbers(&tree.numbers));
                let fold = match fold {
                    Fold::Sum => quote!(__n::Fold::Sum),
                    Fold::Max => quote!(__n::Fold::Max),
                };
                quote!(#function(k, #out, #fold, #grid, [#(#reduced),*], #ins, #consts);)
            }
            Kernel::Matmul { a, b, dims, tree } => {
                let function = self.expressions.function("matmul", tree)?;
                let (a, b, dims) = (self.span(*a)?, self.span(*b)?, matmul(dims));
                let (ins, consts) = (self.args(&tree.leaves)?, numbers(&tree.numbers));
                quote!(#function(k, [#(#outs),*], #a, #b, #dims, #ins, #consts);)
            }
            Kernel::Conv2d { x, w, dims, tree } => {
                let function = self.expressions.function("conv", tree)?;
                let (x, w, dims) = (self.span(*x)?, self.span(*w)?, conv2d(dims));
                let (ins, consts) = (self.args(&tree.leaves)?, numbers(&tree.numbers));
                quote!(#function(k, [#(#outs),*], #x, #w, #dims, #ins, #consts);)
            }
            Kernel::Conv2dInput { dy, w, dims } => {
                self.plain("conv2d_input", out, &[*dy, *w], conv2d(dims))?
            }
            Kernel::Conv2dWeight { x, dy, dims } => {
                self.plain("conv2d_weight", out, &[*x, *dy], conv2d(dims))?
            }
            Kernel::MaxPool2d { x, dims } => self.plain("max_pool2d", out, &[*x], pool2d(dims))?,
            Kernel::MaxPool2dScatter { x, dy, dims } => {
                self.plain("max_pool2d_scatter", out, &[*x, *dy], pool2d(dims))?
            }
            Kernel::MaxPool2dGather { x, g, dims } => {
                self.plain("max_pool2d_gather", out, &[*x, *g], pool2d(dims))?
            }
            Kernel::Gather { x, index, rows, cols } => {
                let (rows, cols) = (rows.tokens(), cols.tokens());
                self.plain("gather", out, &[*x, *index], quote!(#rows, #cols))?
            }
            Kernel::AvgPool2d { x, dims } => self.plain("avg_pool2d", out, &[*x], pool2d(dims))?,
            Kernel::AvgPool2dSpread { dy, dims } => {
                self.plain("avg_pool2d_spread", out, &[*dy], pool2d(dims))?
            }
            Kernel::Indexed { name, x, index, dims } => {
                let [rows, cols, picks] = dims.each_ref().map(Dim::tokens);
                let dims = quote!(__n::index_dims(#rows, #cols, #picks));
                self.plain(name, out, &[*x, *index], dims)?
            }
            Kernel::Cumsum { x, dims, reverse } => {
                let dims = sizes(dims);
                self.plain("cumsum", out, &[*x], quote!(#dims, #reverse))?
            }
            Kernel::Scan(scan) => self.scan(scan, step.scratch.as_ref().map(|s| &s.offset))?,
            Kernel::Moves(moves) => {
                let copies = moves.copies.iter().map(|copy| self.copy(out, copy));
                let copies = copies.collect::<Result<Vec<_>, _>>()?;
                let zeros = moves.zeros.then(|| quote!(k.fill(#out, E::ZERO);));
                quote!(#zeros #(#copies)*)
            }
        })
    }

    /// A copy: the kernel, and loops around it over the axes for which its grid has no room.
    fn copy(&self, out: &TokenStream, copy: &Copy) -> Result<TokenStream, String> {
        let to: Vec<TokenStream> = copy.grid.iter().map(|axis| signed(&axis.to)).collect();
        let grid = copy.grid.iter().map(|axis| axis.size.tokens());
        let (mut from, mut offset) = (self.leaf(&copy.leaf())?, copy.to_offset.tokens());
        if let ([_, ..], Leaf::View { base, offset: start, strides }) =
            (&copy.outer[..], copy.leaf())
        {
            let counters = || (0_usize..).map(|i| format_ident!("i{}", i));
            let steps = |step: fn(&Axis) -> &Dim| -> Vec<TokenStream> {
                let steps = copy.outer.iter().zip(counters());
                steps
                    .map(|(axis, i)| (step(axis).tokens(), i))
                    .map(|(s, i)| quote!(+ #i * (#s)))
                    .collect()
            };
            let (reads, writes) = (steps(|axis| &axis.from), steps(|axis| &axis.to));
            let (span, start, strides) = (self.span(base)?, start.tokens(), sizes(&strides));
            from = quote!(__n::Arg::View {
                span: __n::from_offset(#span, #start #(#reads)*), strides: #strides
            });
            offset = quote!(#offset #(#writes)*);
        }
        let call = quote!(k.copy(#out, #offset, [#(#to),*], [#(#grid),*], #from););
        Ok(copy.outer.iter().enumerate().fold(call, |inside, (i, axis)| {
            let (i, size) = (format_ident!("i{}", i), axis.size.tokens());
            quote!(for #i in 0..#size { #inside })
        }))
    }

    /// A kernel without a fused expression.
    fn plain(
        &self,
        kernel: &str,
        out: &TokenStream,
        inputs: &[NodeId],
        dims: TokenStream,
    ) -> Result<TokenStream, String> {
        let kernel = format_ident!("{}", kernel);
        let inputs = inputs.iter().map(|id| self.span(*id)).collect::<Result<Vec<_>, _>>()?;
        Ok(quote!(k.#kernel(#out, #(#inputs,)* #dims);))
    }

    fn args(&self, leaves: &[Leaf]) -> Result<TokenStream, String> {
        let args = leaves.iter().map(|leaf| self.leaf(leaf));
        let args = args.collect::<Result<Vec<_>, String>>()?;
        Ok(quote!([#(#args),*]))
    }

    fn leaf(&self, leaf: &Leaf) -> Result<TokenStream, String> {
        Ok(match leaf {
            Leaf::View { base, offset, strides } => {
                let (mut span, strides) = (self.span(*base)?, sizes(strides));
                if !offset.is_zero() {
                    let offset = offset.tokens();
                    span = quote!(__n::from_offset(#span, #offset));
                }
                quote!(__n::Arg::View { span: #span, strides: #strides })
            }
            Leaf::Coordinate { strides } => {
                let strides = sizes(strides);
                quote!(__n::Arg::Coordinate { strides: #strides })
            }
            Leaf::Uniform { stream, per_sample } => {
                let per_sample = per_sample.tokens();
                let mut stream = quote!(const { __n::stream(#stream) });
                if self.expressions.depth > 0 {
                    stream = quote!(__n::stream_at(#stream, path));
                }
                quote!(__n::Arg::Uniform { stream: #stream, per_sample: #per_sample })
            }
        })
    }
}

fn numbers(numbers: &[Number]) -> TokenStream {
    let numbers = numbers.iter().map(Number::tokens);
    quote!([#(#numbers),*])
}

/// A size that may be negative.
fn signed(dim: &Dim) -> TokenStream {
    let (plus, minus) = dim.split();
    let (positive, negative) = (plus.tokens(), minus.tokens());
    match (plus.is_zero(), minus.is_zero()) {
        (_, true) => quote!((#positive) as isize),
        (true, false) => quote!(-((#negative) as isize)),
        _ => quote!((#positive) as isize - (#negative) as isize),
    }
}

/// `[1, 1, b, 120]`
pub fn sizes(dims: &[Dim]) -> TokenStream {
    let dims = dims.iter().map(Dim::tokens);
    quote!([#(#dims),*])
}

fn matmul(d: &Matmul) -> TokenStream {
    let [batch, m, n, k, stride_a, stride_b] =
        [&d.batch, &d.m, &d.n, &d.k, &d.stride_a, &d.stride_b].map(Dim::tokens);
    let (transpose_a, transpose_b) = (d.transpose_a, d.transpose_b);
    quote!(__n::matmul_dims([#batch, #m, #n, #k], [#transpose_a, #transpose_b], [#stride_a, #stride_b]))
}

fn conv2d(d: &Conv2d) -> TokenStream {
    let [batch, in_channels, height, width, out_channels] =
        [&d.batch, &d.in_channels, &d.height, &d.width, &d.out_channels].map(Dim::tokens);
    let w = &d.window;
    let [kernel, stride, padding, dilation] =
        [&w.kernel, &w.stride, &w.padding, &w.dilation].map(|p| sizes(p));
    let groups = w.groups.tokens();
    quote!(__n::conv2d_dims(
        [#batch, #in_channels, #height, #width],
        #out_channels, #kernel, #stride, #padding, #dilation, #groups
    ))
}

fn pool2d(d: &Pool2d) -> TokenStream {
    let [planes, height, width] = [&d.planes, &d.height, &d.width].map(Dim::tokens);
    let [kernel, stride, padding] =
        [&d.window.kernel, &d.window.stride, &d.window.padding].map(|p| sizes(p));
    quote!(__n::pool2d_dims([#planes, #height, #width], #kernel, #stride, #padding))
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
