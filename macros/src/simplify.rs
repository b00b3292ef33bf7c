//! Constants folded, equal nodes merged, dead nodes dropped: what differentiation leaves behind.

use std::collections::HashMap;

use crate::graph::{Graph, Node, NodeId};
use crate::ops::reduce::Fold;
use crate::ops::{Op, scalar};
use crate::shape::{numel, show};

mod movement;
mod reshapes;
mod scans;

/// The same function with fewer nodes.
pub fn simplify(graph: &Graph) -> Result<Graph, String> {
    let mut simple = settled(graph)?;
    // What a scan no longer needs leaves nodes before it dead, and their scans with less to do.
    while let Some(less) = scans::pruned(&simple)? {
        simple = settled(&less)?;
    }
    simple.check()?;
    Ok(simple)
}

fn settled(graph: &Graph) -> Result<Graph, String> {
    // A pass makes nodes equal that the next one merges; deep chains settle in a few.
    let mut simple = pass(graph)?;
    for _ in 0..3 {
        let next = pass(&simple)?;
        let settled = next.nodes.len() == simple.nodes.len();
        simple = next;
        if settled {
            break;
        }
    }
    Ok(simple)
}

fn pass(graph: &Graph) -> Result<Graph, String> {
    let needed = graph.ancestors(&graph.outputs);
    let mut s = Simplifier {
        out: Graph { nodes: vec![], outputs: vec![], ..graph.clone() },
        seen: HashMap::new(),
    };
    let mut map = vec![usize::MAX; graph.nodes.len()];
    for (id, node) in graph.nodes.iter().enumerate() {
        if needed[id] {
            let inputs: Vec<NodeId> = node.inputs.iter().map(|input| map[*input]).collect();
            map[id] = s.node(node, inputs)?;
        }
    }
    s.out.outputs = graph.outputs.iter().map(|id| map[*id]).collect();
    Ok(s.out)
}

struct Simplifier {
    out: Graph,
    /// Nodes by op, shape and inputs.
    seen: HashMap<(String, Vec<NodeId>), NodeId>,
}

impl Simplifier {
    fn node(&mut self, node: &Node, mut inputs: Vec<NodeId>) -> Result<NodeId, String> {
        let mut op = node.op.clone();
        match &mut op {
            // What they say is about gradients and types, which are settled.
            Op::StopGradient | Op::ClipGradient(_) | Op::Integers => return Ok(inputs[0]),
            Op::Permute(_) | Op::Slice { .. } | Op::Place { .. } | Op::Concat(_) => {
                return self.movement(node, inputs);
            }
            Op::Matmul { transpose_a, transpose_b } => {
                for (input, flag) in inputs.iter_mut().zip([transpose_a, transpose_b]) {
                    if let Some(stored) = self.transposed(*input) {
                        (*input, *flag) = (stored, !*flag);
                    }
                }
            }
            Op::Scalar(row) => {
                inputs.iter_mut().for_each(|input| *input = self.source(*input));
                let id = match self.scalar(row, &mut inputs)? {
                    Some(id) => id,
                    None => {
                        let shape = scalar::shape(row, &self.out, &inputs)?;
                        match self.before_reshape(row, &inputs, &shape)? {
                            Some(id) => id,
                            None => self.merged(op, &Node { shape, ..node.clone() }, inputs),
                        }
                    }
                };
                return Ok(self.stretched(id, node));
            }
            Op::Reshape(_) | Op::Broadcast(_) => {
                let source = self.source(inputs[0]);
                let single = numel(self.out.shape(source)).is_one();
                if single && self.out.shape(source).len() <= node.shape.len() {
                    return Ok(self.stretched(source, node));
                }
                while std::mem::discriminant(&self.out.nodes[inputs[0]].op)
                    == std::mem::discriminant(&node.op)
                {
                    inputs[0] = self.out.nodes[inputs[0]].inputs[0];
                }
                if self.out.nodes[inputs[0]].shape == node.shape {
                    return Ok(inputs[0]);
                }
            }
            Op::Reduce { fold, axes } => {
                // Scattered or not, the sum over an image is the same.
                if let Node { op: Op::MaxPool2dScatter(_), inputs: from, .. } =
                    &self.out.nodes[inputs[0]]
                    && *fold == Fold::Sum
                    && [2, 3].iter().all(|axis| axes.contains(axis))
                {
                    inputs[0] = from[1];
                }
                let shape = self.out.shape(inputs[0]);
                axes.retain(|axis| !shape[*axis].is_one());
                if axes.is_empty() {
                    return Ok(inputs[0]);
                }
            }
            _ => {}
        }
        Ok(self.merged(op, node, inputs))
    }

    /// What a broadcast repeats: a scalar op broadcasts by itself, and is computed before a broadcast
    /// where no operand needs it after.
    fn source(&self, id: NodeId) -> NodeId {
        match &self.out.nodes[id] {
            Node { op: Op::Broadcast(_), inputs, .. } => self.source(inputs[0]),
            _ => id,
        }
    }

    /// The value in the shape of a node that it broadcasts to.
    fn stretched(&mut self, id: NodeId, node: &Node) -> NodeId {
        if *self.out.shape(id) == node.shape {
            return id;
        }
        let op = Op::Broadcast(node.shape.clone());
        self.merged(op, node, vec![id])
    }

    /// What a scalar op of constants or neutral elements comes to.
    fn scalar(
        &mut self,
        row: &scalar::Row,
        inputs: &mut [NodeId],
    ) -> Result<Option<NodeId>, String> {
        let values: Vec<Option<f64>> = inputs.iter().map(|id| self.constant(*id)).collect();
        if let Some(values) = values.iter().copied().collect::<Option<Vec<f64>>>()
            && let Some(value) = scalar::fold(row, &values)
        {
            let constant = self.out.constant(value);
            return Ok(Some(constant));
        }
        if matches!(row.name, "add" | "mul" | "max" | "min") {
            inputs.sort_unstable();
        }
        let neutral = |i: usize, n: f64| values.get(i).copied().flatten() == Some(n);
        Ok(match row.name {
            "mul" if neutral(0, 1.0) || neutral(1, 1.0) => {
                inputs.iter().copied().find(|id| self.constant(*id) != Some(1.0))
            }
            "add" if neutral(0, 0.0) || neutral(1, 0.0) => {
                inputs.iter().copied().find(|id| self.constant(*id) != Some(0.0))
            }
            "add" => self.joined(inputs)?,
            "pow" => match self.constant(inputs[1]) {
                Some(0.0) => Some(self.out.constant(1.0)),
                Some(1.0) => Some(inputs[0]),
                Some(2.0) => Some(self.row("square", vec![inputs[0]])?),
                Some(3.0) => {
                    let square = self.row("square", vec![inputs[0]])?;
                    Some(self.row("mul", vec![inputs[0], square])?)
                }
                Some(-1.0) => Some(self.row("recip", vec![inputs[0]])?),
                _ => None,
            },
            "mul" => self.before_scatter([inputs[0], inputs[1]])?,
            "sub" if neutral(1, 0.0) => Some(inputs[0]),
            "div" if neutral(1, 1.0) => Some(inputs[0]),
            "neg" => match &self.out.nodes[inputs[0]] {
                Node { op: Op::Scalar(inner), inputs, .. } if inner.name == "neg" => {
                    Some(inputs[0])
                }
                _ => None,
            },
            _ => None,
        })
    }

    fn row(&mut self, name: &str, inputs: Vec<NodeId>) -> Result<NodeId, String> {
        let row = scalar::find(name).ok_or_else(|| format!("no scalar op `{name}`"))?;
        self.appended(Op::Scalar(row), inputs)
    }

    /// `scatter(x, d) * f(x)` as `scatter(x, d * f(pool(x)))`, which is done on the smaller image: where an
    /// element of `d` goes, x is the maximum of the window, and everywhere else the product is 0. The
    /// derivative of a ReLU in front of a pooling is such an f.
    fn before_scatter(&mut self, inputs: [NodeId; 2]) -> Result<Option<NodeId>, String> {
        for (scattered, factor) in [(inputs[0], inputs[1]), (inputs[1], inputs[0])] {
            let Node { op: Op::MaxPool2dScatter(window), inputs, .. } = &self.out.nodes[scattered]
            else {
                continue;
            };
            let (window, x, d) = (window.clone(), inputs[0], inputs[1]);
            if !self.is_elementwise(factor, x) {
                continue;
            }
            let pooled = self.appended(Op::MaxPool2d(window.clone()), vec![x])?;
            let factor = self.elementwise(factor, x, pooled)?;
            let mul = scalar::find("mul").ok_or("no scalar op `mul`")?;
            let product = self.appended(Op::Scalar(mul), vec![d, factor])?;
            return self.appended(Op::MaxPool2dScatter(window), vec![x, product]).map(Some);
        }
        Ok(None)
    }

    /// Whether a value is computed from `x` alone, element by element.
    fn is_elementwise(&self, id: NodeId, x: NodeId) -> bool {
        let node = &self.out.nodes[id];
        id == x
            || match node.op {
                Op::Const(_) => true,
                Op::Scalar(_) => node.inputs.iter().all(|input| self.is_elementwise(*input, x)),
                _ => false,
            }
    }

    /// Such a value, computed from `other` instead.
    fn elementwise(&mut self, id: NodeId, x: NodeId, other: NodeId) -> Result<NodeId, String> {
        if id == x {
            return Ok(other);
        }
        let Node { op, inputs, .. } = self.out.nodes[id].clone();
        let inputs: Result<Vec<NodeId>, String> =
            inputs.iter().map(|input| self.elementwise(*input, x, other)).collect();
        if let Op::Const(_) = op { Ok(id) } else { self.appended(op, inputs?) }
    }

    /// A node with the shape of its op's rule, or an earlier one that computes the same.
    fn appended(&mut self, op: Op, inputs: Vec<NodeId>) -> Result<NodeId, String> {
        let (shape, integer) = (op.shape(&self.out, &inputs)?, op.integer(&self.out, &inputs));
        let node = Node { op: op.clone(), inputs: inputs.clone(), shape, integer };
        Ok(self.merged(op, &node, inputs))
    }

    fn constant(&self, id: NodeId) -> Option<f64> {
        match self.out.nodes[id].op {
            Op::Const(bits) => Some(f64::from_bits(bits)),
            _ => None,
        }
    }

    /// The node, or an earlier one that computes the same.
    fn merged(&mut self, op: Op, node: &Node, inputs: Vec<NodeId>) -> NodeId {
        let key = (format!("{op} {}", show(&node.shape)), inputs.clone());
        if let Some(id) = self.seen.get(&key) {
            return *id;
        }
        self.out.nodes.push(Node { op, inputs, shape: node.shape.clone(), integer: node.integer });
        let id = self.out.nodes.len() - 1;
        self.seen.insert(key, id);
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::conv::Window2;
    use crate::shape::Dim;

    /// The gradient of the sum of pool(relu(x)), and the sum of that gradient.
    #[test]
    fn a_derivative_is_taken_before_it_is_scattered() {
        let mut g = Graph::new("g");
        let shape =
            |size: i32| vec![Dim::batch(), Dim::literal(3), Dim::literal(size), Dim::literal(size)];
        let (x, d) = (g.input("x", shape(4), false), g.input("d", shape(2), false));
        let pair = |n: i32| [Dim::literal(n), Dim::literal(n)];
        let window = Window2::new(pair(2), pair(2), pair(0));
        let zero = g.constant(0.0);
        let scattered = g.push(Op::MaxPool2dScatter(window), &[x, d]).unwrap();
        let positive = g.scalar("gt", &[x, zero]).unwrap();
        let product = g.scalar("mul", &[scattered, positive]).unwrap();
        let sum = Op::Reduce { fold: Fold::Sum, axes: vec![0, 2, 3] };
        let sum = g.push(sum, &[product]).unwrap();
        g.outputs = vec![product, sum];
        let s = simplify(&g).unwrap();
        let [product, sum] = s.outputs[..] else { panic!("{}", s.listing()) };
        assert!(matches!(s.nodes[product].op, Op::MaxPool2dScatter(_)), "{}", s.listing());
        let summed = s.nodes[sum].inputs[0];
        assert!(*s.shape(summed) == shape(2), "{}", s.listing());
    }

    #[test]
    fn constants_neutral_elements_and_twins() {
        let mut g = Graph::new("g");
        let x = g.input("x", vec![Dim::batch()], false);
        let (two, three, one) = (g.constant(2.0), g.constant(3.0), g.constant(1.0));
        let six = g.scalar("mul", &[two, three]).unwrap();
        let same = g.scalar("mul", &[x, one]).unwrap();
        let left = g.scalar("mul", &[same, six]).unwrap();
        let right = g.scalar("mul", &[six, x]).unwrap();
        let sum = g.scalar("add", &[left, right]).unwrap();
        g.outputs = vec![sum];
        let s = simplify(&g).unwrap();
        // x, 6, 6 x, 6 x + 6 x
        assert_eq!(s.nodes.len(), 4, "{}", s.listing());
    }
}
