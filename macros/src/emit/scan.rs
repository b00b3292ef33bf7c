//! Loops: the body of a scan as a function of spans, called once for each step.

use std::collections::BTreeSet;

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::{Emitter, Expressions};
use crate::fuse::{Leaf, Number, Tree};
use crate::graph::NodeId;
use crate::kernels::GRID_RANK;
use crate::loops::Loop;
use crate::ops::scan::Output;
use crate::shape::{Dim, Shape, numel, param_ident};

impl Emitter<'_> {
    /// A loop whose counter is `s`, and the place of the time axis `t`. `path` holds the places of the loops
    /// around it, for random numbers.
    pub(super) fn scan(
        &mut self,
        scan: &Loop,
        scratch: Option<&Dim>,
    ) -> Result<TokenStream, String> {
        let scratch = scratch.ok_or("a scan without memory")?.tokens();
        let length = scan.scan.length.tokens();
        let t = match scan.scan.reverse {
            false => quote!(s),
            true => quote!(#length - 1 - s),
        };
        let path = match self.expressions.depth {
            0 => quote!(const { __n::stream("") }),
            _ => quote!(path),
        };
        let zeros = (0..scan.sums())
            .map(|k| self.zeros(scan.value(Output::Sum(k)).ok_or("a sum that nothing reads")?));
        let zeros = zeros.collect::<Result<Vec<_>, String>>()?;
        let copies = (0..scan.scan.carries).filter_map(|i| self.first(scan, i));
        let copies = copies.collect::<Result<Vec<_>, String>>()?;
        let copies = (!copies.is_empty()).then(|| quote!(if s == 0 { #(#copies)* }));
        let spans = self.spans(scan)?;
        let (body, sizes) = self.body(scan)?;
        Ok(quote! {
            #(#zeros)*
            {
                let scratch = base + #scratch;
                for s in 0..#length {
                    let t = #t;
                    #copies
                    #body(k, b, #(#sizes,)* scratch, __n::stream_at(#path, t as u32), [#(#spans),*]);
                }
            }
        })
    }

    /// Zeros in the storage of a sum.
    fn zeros(&mut self, id: NodeId) -> Result<TokenStream, String> {
        let (out, shape) = (self.span(id)?, self.plan.graph.shape(id).clone());
        let number = Number::Literal(0.0_f64.to_bits());
        self.plain_map(&out, &shape, "c0", vec![number], &[])
    }

    /// The initial carry in the first of the places of a carry that is stored before each step.
    fn first(&mut self, scan: &Loop, i: usize) -> Option<Result<TokenStream, String>> {
        let before = scan.value(Output::Before(i))?;
        Some((|| {
            let shape = &scan.scan.body.inputs[i].shape;
            let (to, from) = (self.place(before, shape, quote!(t))?, self.span(scan.inputs[i])?);
            self.plain_map(&to, shape, "a0", vec![], &[from])
        })())
    }

    /// A loop over all elements of spans, in row order.
    fn plain_map(
        &mut self,
        out: &TokenStream,
        shape: &Shape,
        text: &str,
        numbers: Vec<Number>,
        inputs: &[TokenStream],
    ) -> Result<TokenStream, String> {
        let one = |i: usize| Dim::literal(u8::from(i + 1 == GRID_RANK));
        let strides: Vec<Dim> = (0..GRID_RANK).map(one).collect();
        let offset = Dim::literal(0);
        let leaf = |base| Leaf::View { base, offset: offset.clone(), strides: strides.clone() };
        let tree = Tree {
            shape: shape.clone(),
            leaves: (0..inputs.len()).map(leaf).collect(),
            numbers,
            rust: String::new(),
            wgsl: vec![],
            values: vec![text.to_owned()],
            text: text.to_owned(),
        };
        let function = self.expressions.function("map", &tree)?;
        let (len, numbers) = (numel(shape).tokens(), super::numbers(&tree.numbers));
        Ok(quote! {
            #function(
                k, #out, [1, 1, 1, #len],
                [#(__n::Arg::View { span: #inputs, strides: [0, 0, 0, 1] }),*], #numbers
            );
        })
    }

    /// One place of the time axis of a stored value.
    fn place(&self, id: NodeId, one: &Shape, t: TokenStream) -> Result<TokenStream, String> {
        let (span, len) = (self.span(id)?, numel(one).tokens());
        Ok(quote!(__n::part(#span, (#t) * (#len), #len)))
    }

    /// The arguments of the body in step `s`.
    fn spans(&self, scan: &Loop) -> Result<Vec<TokenStream>, String> {
        let ports = &scan.scan.body.inputs;
        let mut spans = vec![];
        for (i, port) in ports.iter().enumerate() {
            spans.push(if i < scan.scan.carries {
                self.carry_in(scan, i)?
            } else if i < scan.scan.carries + scan.scan.stacked {
                self.place(scan.inputs[i], &port.shape, quote!(t))?
            } else {
                self.span(scan.inputs[i])?
            });
        }
        for k in 0..scan.sums() {
            spans.push(self.span(scan.value(Output::Sum(k)).ok_or("a sum that nothing reads")?)?);
        }
        for i in 0..scan.scan.carries {
            spans.push(self.carry_out(scan, i)?);
        }
        for j in 0..scan.scan.kept {
            let id = scan.value(Output::Kept(j)).ok_or("a value that nothing reads is kept")?;
            spans.push(self.place(id, scan.shape(Output::Kept(j)), quote!(t))?);
        }
        Ok(spans)
    }

    fn carry_in(&self, scan: &Loop, i: usize) -> Result<TokenStream, String> {
        let shape = &scan.scan.body.inputs[i].shape;
        if let Some(before) = scan.value(Output::Before(i)) {
            return self.place(before, shape, quote!(t));
        }
        let first = self.span(scan.inputs[i])?;
        let turn = self.turn(scan, i, quote!(s - 1))?;
        Ok(quote!(if s == 0 { #first } else { #turn }))
    }

    fn carry_out(&self, scan: &Loop, i: usize) -> Result<TokenStream, String> {
        let shape = &scan.scan.body.inputs[i].shape;
        let length = scan.scan.length.tokens();
        let turn = self.turn(scan, i, quote!(s))?;
        let last = match scan.value(Output::Last(i)) {
            Some(last) => self.span(last)?,
            None => turn.clone(),
        };
        let next = match scan.value(Output::Before(i)) {
            Some(before) => {
                let t = if scan.scan.reverse { quote!(t - 1) } else { quote!(t + 1) };
                self.place(before, shape, t)?
            }
            None => turn,
        };
        Ok(quote!(if s + 1 == #length { #last } else { #next }))
    }

    /// Where a carry is that step `s` writes to scratch memory.
    fn turn(&self, scan: &Loop, i: usize, s: TokenStream) -> Result<TokenStream, String> {
        let len = numel(&scan.scan.body.inputs[i].shape).tokens();
        let offset = match &scan.turns[i][..] {
            [one] => one.tokens(),
            [even, odd] => {
                let (even, odd) = (even.tokens(), odd.tokens());
                quote!(if (#s) % 2 == 0 { #even } else { #odd })
            }
            _ => return Err("a carry without memory".to_owned()),
        };
        Ok(quote!(__n::span(__n::Slot::Workspace, scratch + (#offset), #len)))
    }

    /// The name of the body's function, printed where it is the first with its text, and the generic sizes
    /// that it takes.
    fn body(&mut self, scan: &Loop) -> Result<(Ident, Vec<Ident>), String> {
        let count = scan.scan.body.inputs.len() + scan.sums() + scan.scan.carries + scan.scan.kept;
        let arguments: Vec<TokenStream> =
            (0..count).map(|i| format_ident!("p{}", i)).map(|name| quote!(#name)).collect();
        self.expressions.depth += 1;
        let mut emitter = Emitter {
            plan: &scan.body,
            expressions: &mut *self.expressions,
            arguments: &arguments,
        };
        let steps = emitter.steps(0..scan.body.steps.len());
        self.expressions.depth -= 1;
        let steps = steps?;
        let mut sizes = BTreeSet::new();
        let nodes = scan.scan.body.nodes.iter().flat_map(crate::graph::Node::dims);
        nodes.for_each(|dim| dim.params(&mut sizes));
        let sizes: Vec<Ident> = sizes.into_iter().map(|name| param_ident(&name)).collect();
        let head = quote!((
            k: &mut K, b: usize, #(#sizes: usize,)* base: usize, path: u32,
            [#(#arguments),*]: [__n::Span; #count],
        ));
        Ok((self.expressions.scan(&head, &steps), sizes))
    }
}

impl Expressions {
    /// The function of a body with the given arguments and steps.
    fn scan(&mut self, head: &TokenStream, steps: &TokenStream) -> Ident {
        let next = self.bodies.len();
        let number = *self.bodies.entry(format!("{head} {steps}")).or_insert(next);
        let name = format_ident!("scan{}", number);
        if number == next {
            self.functions.push(quote! {
                fn #name<E: __n::Float, K: __n::Kernels<E>> #head { #steps }
            });
        }
        name
    }
}
