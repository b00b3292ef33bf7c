//! Products of matrices and vectors, and attention.

use super::{Entry, entry};
use crate::errors::Range;
use crate::graph::NodeId;
use crate::lower::checks::{Part, text};
use crate::lower::operands::Operands;
use crate::lower::values::Value;
use crate::lower::{Chain, Lowered, Reported};
use crate::ops::Op;
use crate::shape::{Dim, Shape, broadcast, numel, show};

pub const FUNCTIONS: &[Entry] = &[
    entry("matmul", "matmul(a, b)", |cx, call| {
        let (a, b) = (call.float(cx)?, call.float(cx)?);
        cx.matmul(a, b, call.at).map(Value::Tensor)
    }),
    entry("dot", "dot(a, b)", |cx, call| {
        let (a, b) = (call.float(cx)?, call.float(cx)?);
        let (x, y) = (cx.sample_of(a), cx.sample_of(b));
        if x.len() != 1 || y.len() != 1 {
            return cx.report(
                call.at,
                format!(
                    "shape mismatch in `{}`: `dot` multiplies two vectors, found {} and {}",
                    cx.network,
                    cx.shown(a),
                    cx.shown(b)
                ),
            );
        }
        cx.matmul(a, b, call.at).map(Value::Tensor)
    }),
    entry("attention", "attention(q, k, v, causal = false)", attention),
];

impl Chain {
    /// `a @ b`: matrices over the last two axes, or vectors.
    pub fn matmul(&mut self, a: NodeId, b: NodeId, at: Range) -> Lowered<NodeId> {
        let (x, y) = (self.sample_of(a), self.sample_of(b));
        let (Some(k), true) = (x.last(), !y.is_empty()) else {
            return self.report(at, format!("shape mismatch in `{}`: `@` multiplies matrices and vectors, found {} and {}; numbers are multiplied with `*`", self.network, self.shown(a), self.shown(b)));
        };
        let inner = &y[y.len().saturating_sub(2)];
        let turned = y.len() >= 2 && y.last() == Some(k);
        let hint = match turned {
            true => {
                let transposed = self.method_of(b, ".transpose()");
                format!("; `{transposed}` makes rows of its columns")
            }
            false => String::new(),
        };
        let mut message = vec![text(format!("shape mismatch in `{}`: ", self.network))];
        message.extend(self.shown_parts(a));
        message.push(text(" @ "));
        message.extend(self.shown_parts(b));
        message.extend([
            text(": "),
            Part::Number(k.clone()),
            text(format!(
                " {} on the left meet ",
                if x.len() == 1 { "elements" } else { "columns" }
            )),
            Part::Number(inner.clone()),
            text(format!(" {} on the right", if y.len() == 1 { "elements" } else { "rows" })),
            text(hint),
        ]);
        self.require_equal(k, inner, at, &message);
        if !self.known {
            return Err(Reported);
        }
        let result = self.product(a, b, &x, &y, at)?;
        // A vector is a matrix of one row or column, which vanishes.
        let mut sample = self.sample_of(result);
        if y.len() == 1 {
            sample.pop();
        }
        if x.len() == 1 {
            sample.remove(sample.len() - y.len().min(2));
        }
        self.reshaped(result, sample, at)
    }

    /// The product as matrices: `[.., m, k] @ [.., k, n]`.
    fn product(
        &mut self,
        a: NodeId,
        b: NodeId,
        x: &Shape,
        y: &Shape,
        at: Range,
    ) -> Lowered<NodeId> {
        let rows: Shape = if x.len() == 1 { vec![Dim::one(), x[0].clone()] } else { x.clone() };
        let cols: Shape =
            if y.len() == 1 { vec![x[x.len() - 1].clone(), Dim::one()] } else { y.clone() };
        let (a, b) = (self.reshaped(a, rows.clone(), at)?, self.reshaped(b, cols.clone(), at)?);
        let plain = Op::Matmul { transpose_a: false, transpose_b: false };
        if cols.len() == 2 && !self.is_batched(b) {
            // One matrix for all: the rows of all samples are the rows of one product.
            let whole = self.graph.shape(a).clone();
            let (lead, k) = whole.split_at(whole.len() - 1);
            let flat = self.graph.reshape(a, vec![numel(lead), k[0].clone()]);
            let flat = self.at(at, flat)?;
            let product = self.graph.push(plain, &[flat, b]);
            let product = self.at(at, product)?;
            let shape = lead.iter().cloned().chain([cols[1].clone()]).collect();
            let product = self.graph.reshape(product, shape);
            return self.at(at, product);
        }
        let (lead_a, lead_b) = (&rows[..rows.len() - 2], &cols[..cols.len() - 2]);
        let Some(lead) = broadcast(lead_a, lead_b) else {
            return self.report(at, format!("shape mismatch in `{}`: {} @ {}: the axes in front of the matrices, {} and {}, do not broadcast", self.network, self.shown(a), self.shown(b), show(lead_a), show(lead_b)));
        };
        let mut sides = self.same_batch(&[a, b], at)?;
        for (side, own) in sides.iter_mut().zip([&rows, &cols]) {
            let (have, matrix) = own.split_at(own.len() - 2);
            if have == lead {
                continue;
            }
            let aligned: Shape = vec![Dim::one(); lead.len() - have.len()]
                .into_iter()
                .chain(own.iter().cloned())
                .collect();
            *side = self.reshaped(*side, aligned, at)?;
            let to: Shape = lead.iter().chain(matrix).cloned().collect();
            let shape = self.with_batch(*side, to);
            let repeated = self.graph.broadcast(*side, shape);
            *side = self.at(at, repeated)?;
        }
        let product = self.graph.push(plain, &sides);
        self.at(at, product)
    }

    /// That scores are of as many positions as they are for: a causal mask is of a square.
    pub fn require_square(&mut self, scores: NodeId, at: Range) -> Lowered<()> {
        let mut message = vec![text(format!(
            "shape mismatch in `{}`: a causal mask is of scores [.., t, t], found ",
            self.network
        ))];
        message.extend(self.shown_parts(scores));
        let scores = self.sample_of(scores);
        let [.., rows, columns] = &scores[..] else {
            self.fail(at, &message);
            return Err(Reported);
        };
        self.require_equal(rows, columns, at, &message);
        if self.known { Ok(()) } else { Err(Reported) }
    }

    /// That attention is of matrices: of queries and keys of the same features, and of as many values as keys.
    fn require_attention(
        &mut self,
        [q, k, v]: [NodeId; 3],
        causal: bool,
        at: Range,
    ) -> Lowered<()> {
        let mut sides = vec![];
        for id in [q, k, v] {
            match &self.sample_of(id)[..] {
                [.., t, d] => sides.push((t.clone(), d.clone())),
                _ => return self.attention_of_matrices(id, at),
            }
        }
        let (queries, keys, values) = (&sides[0], &sides[1], &sides[2]);
        let mut rules = vec![
            ("features in queries ", " and keys ", [q, k], &queries.1, &keys.1),
            ("positions in keys ", " and values ", [k, v], &keys.0, &values.0),
        ];
        if causal {
            rules.push(("positions in queries ", " and keys ", [q, k], &queries.0, &keys.0));
        }
        for (what, and, ids, first, second) in rules {
            let mask = if causal && ids == [q, k] && first == &queries.0 { "causal " } else { "" };
            let head = format!(
                "shape mismatch in `{}`: {mask}attention needs as many {what}",
                self.network
            );
            let mut message = vec![text(head)];
            message.extend(self.shown_parts(ids[0]));
            message.push(text(and));
            message.extend(self.shown_parts(ids[1]));
            message.extend([
                text(", found "),
                Part::Number(first.clone()),
                text(" and "),
                Part::Number(second.clone()),
            ]);
            self.require_equal(first, second, at, &message);
            if !self.known {
                return Err(Reported);
            }
        }
        Ok(())
    }

    fn attention_of_matrices<T>(&mut self, id: NodeId, at: Range) -> Lowered<T> {
        let message = format!(
            "shape mismatch in `{}`: attention takes matrices [.., positions, features], found {}",
            self.network,
            self.shown(id)
        );
        self.report(at, message)
    }

    /// softmax(q k^T / sqrt(d)) v (Vaswani et al., 2017), over the last two axes.
    pub fn attention(
        &mut self,
        q: NodeId,
        k: NodeId,
        v: NodeId,
        causal: bool,
        at: Range,
    ) -> Lowered<NodeId> {
        let sample = self.sample_of(k);
        let rank = self.graph.shape(k).len();
        let Some(d) = sample.last().cloned() else { return self.attention_of_matrices(k, at) };
        self.require_attention([q, k, v], causal, at)?;
        let mut axes: Vec<usize> = (0..rank).collect();
        axes.swap(rank - 2, rank - 1);
        let transposed = self.graph.permute(k, axes);
        let transposed = self.at(at, transposed)?;
        let scores = self.matmul(q, transposed, at)?; // [.., t, t]
        let scale = match d.as_literal() {
            Some(n) => self.graph.constant(1.0 / (n as f64).sqrt()),
            None => {
                let size = self.graph.size(d);
                let root = self.graph.scalar("rsqrt", &[size]);
                self.at(at, root)?
            }
        };
        let mut scores = self.scalar("mul", &[scores, scale], at)?;
        if causal {
            let masked = self.graph.causal_mask(scores);
            scores = self.at(at, masked)?;
        }
        let last = self.graph.shape(scores).len() - 1;
        let weights = self.graph.softmax(scores, last);
        let weights = self.at(at, weights)?;
        self.matmul(weights, v, at)
    }
}

/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.scaled_dot_product_attention.html>
fn attention(cx: &mut Chain, call: &mut Operands) -> Lowered<Value> {
    let causal = call.flag(cx, "causal", false)?;
    let (q, k, v) = (call.float(cx)?, call.float(cx)?, call.float(cx)?);
    cx.attention(q, k, v, causal, call.at).map(Value::Tensor)
}
