//! The ops of the graph. Each has one file with its shape rule and its derivative side by side;
//! derivatives are graph expressions in the same ops.

pub mod call;
pub mod clip_gradient;
pub mod conv;
pub mod cumsum;
pub mod gather;
pub mod matmul;
pub mod movement;
pub mod pool;
pub mod random;
pub mod reduce;
pub mod scalar;
pub mod scan;

use std::fmt;
use std::rc::Rc;

use crate::graph::{Graph, NodeId};
use crate::shape::{ConstExpr, Dim, Shape, show};

/// What a node computes. Shapes are those of the whole batch.
#[derive(Clone)]
pub enum Op {
    /// Input `i` of the graph.
    Input(usize),
    /// Parameter `i` of the graph.
    Param(usize),
    /// State `i` of the graph.
    State(usize),
    /// Run-time setting `i` of the graph.
    Setting(usize),
    /// A constant of the user's, as a number.
    Number(ConstExpr),
    /// A number, by its bits.
    Const(u64),
    /// A size as a number.
    Size(Dim),
    /// The coordinate along the last axis of a shape `[n]`.
    Coordinate(Dim),
    /// Random numbers in [0, 1): see `Arg::Uniform` of netform-core.
    Uniform { stream: String, shape: Shape },
    /// A row of the scalar table, with broadcasting.
    Scalar(&'static scalar::Row),
    /// A fold over axes, which remain with size 1.
    Reduce { fold: reduce::Fold, axes: Vec<usize> },
    /// A matrix product over the last two axes; either side may be stored transposed.
    Matmul { transpose_a: bool, transpose_b: bool },
    /// The same elements in row order in another shape.
    Reshape(Shape),
    /// Repeats axes of size 1, and adds axes in front.
    Broadcast(Shape),
    /// A copy in row order, where a kernel needs one.
    Contiguous,
    /// y from x and w.
    Conv2d(conv::Window2),
    /// The gradient with respect to x, of the given shape, from dy and w.
    Conv2dInput(conv::Window2, Shape),
    /// The gradient with respect to w, of the given shape, from x and dy.
    Conv2dWeight(conv::Window2, Shape),
    /// The maximum of each window of x.
    MaxPool2d(conv::Window2),
    /// dy to where its window of x has the maximum.
    MaxPool2dScatter(conv::Window2),
    /// Of g, the element where the window of x has its maximum.
    MaxPool2dGather(conv::Window2),
    /// For each row of x, the element at the row's index.
    Gather,
    /// Of x `[.., c]`, for each row the elements at the row's indices.
    GatherAlong,
    /// dy `[.., n]` added to where its index says in rows of the given size.
    ScatterAlong(Dim),
    /// Rows of a table by an index.
    Embedding,
    /// Rows of dy added to the rows of a table of the given number.
    EmbeddingAdd(Dim),
    /// The mean of each window, in which the padding counts.
    AvgPool2d(conv::Window2),
    /// Each dy in equal shares over its window of the given shape.
    AvgPool2dSpread(conv::Window2, Shape),
    /// The axes in another order.
    Permute(Vec<usize>),
    /// Places of an axis: `size` of them.
    Slice { range: movement::Range, size: Dim },
    /// The value at places of an axis that has `whole`, and zeros elsewhere.
    Place { range: movement::Range, whole: Dim },
    /// Values one after another along an axis.
    Concat(usize),
    /// An axis backwards.
    Flip(usize),
    /// Sums up to each element along an axis.
    Cumsum { axis: usize, reverse: bool },
    /// The value, through which no gradient flows.
    StopGradient,
    /// The value, whose gradient is kept between minus a number and the number, by its bits.
    ClipGradient(u64),
    /// The value, which is whole numbers, as integers: they can be an index, and have no gradient.
    Integers,
    /// One output of another graph.
    Call { graph: Rc<Graph>, output: usize },
    /// One value of a recurrence.
    Scan { scan: Rc<scan::Scan>, output: scan::Output },
}

/// Each input's gradient; `None` where there is none.
pub type Cotangents = Vec<Option<NodeId>>;

impl Op {
    /// The shape rule. The message names the shapes that do not fit.
    pub fn shape(&self, g: &Graph, inputs: &[NodeId]) -> Result<Shape, String> {
        let at = |i: usize| -> &Shape { g.shape(inputs[i]) };
        match self {
            Op::Input(i) => Ok(g.inputs[*i].shape.clone()),
            Op::Param(i) => Ok(g.params[*i].shape.clone()),
            Op::State(i) => Ok(g.states[*i].shape.clone()),
            Op::Const(_) | Op::Size(_) | Op::Setting(_) | Op::Number(_) => Ok(vec![]),
            Op::Coordinate(n) => Ok(vec![n.clone()]),
            Op::Uniform { shape, .. } => Ok(shape.clone()),
            Op::Scalar(row) => scalar::shape(row, g, inputs),
            Op::Reduce { axes, .. } => reduce::shape(at(0), axes),
            Op::Matmul { transpose_a, transpose_b } => {
                matmul::shape(at(0), at(1), *transpose_a, *transpose_b)
            }
            Op::Reshape(to) => movement::reshape(at(0), to),
            Op::Broadcast(to) => movement::broadcast(at(0), to),
            Op::Contiguous | Op::StopGradient | Op::ClipGradient(_) | Op::Integers => {
                Ok(at(0).clone())
            }
            Op::Conv2d(w) => conv::shape(at(0), at(1), w),
            Op::Conv2dInput(w, shape) => conv::input_shape(at(0), at(1), w, shape),
            Op::Conv2dWeight(_, shape) => Ok(shape.clone()),
            Op::MaxPool2d(w) => pool::shape(at(0), w),
            Op::MaxPool2dScatter(_) => Ok(at(0).clone()),
            Op::MaxPool2dGather(w) => pool::shape(at(0), w),
            Op::Gather => gather::shape(at(0), at(1)),
            Op::GatherAlong => gather::along_shape(at(0), at(1)),
            Op::ScatterAlong(cols) => gather::scatter_shape(at(0), at(1), cols),
            Op::Embedding => gather::embedding_shape(at(0), at(1)),
            Op::EmbeddingAdd(rows) => gather::embedding_add_shape(at(0), at(1), rows),
            Op::AvgPool2d(w) => pool::shape(at(0), w),
            Op::AvgPool2dSpread(_, shape) => Ok(shape.clone()),
            Op::Permute(axes) => movement::permute(at(0), axes),
            Op::Slice { range, size } => movement::slice(at(0), range, size),
            Op::Place { range, whole } => movement::place(at(0), range, whole),
            Op::Concat(axis) => {
                let shapes: Vec<&Shape> = inputs.iter().map(|id| g.shape(*id)).collect();
                movement::concat(&shapes, *axis)
            }
            Op::Flip(axis) | Op::Cumsum { axis, .. } => cumsum::shape(at(0), *axis),
            Op::Call { graph, output } => call::shape(graph, *output, g, inputs),
            Op::Scan { scan, output } => scan::shape(scan, *output, g, inputs),
        }
    }

    /// Sizes that printed code may name and no shape has.
    pub fn dims(&self) -> Vec<&Dim> {
        match self {
            Op::Size(dim) => vec![dim],
            Op::Slice { range, size } => vec![&range.start, size],
            Op::Place { range, whole } => vec![&range.start, whole],
            Op::Conv2d(w)
            | Op::Conv2dInput(w, _)
            | Op::Conv2dWeight(w, _)
            | Op::MaxPool2d(w)
            | Op::MaxPool2dScatter(w)
            | Op::MaxPool2dGather(w)
            | Op::AvgPool2d(w)
            | Op::AvgPool2dSpread(w, _) => {
                let pairs = [&w.kernel, &w.stride, &w.padding, &w.dilation];
                pairs.into_iter().flatten().chain([&w.groups]).collect()
            }
            Op::Scan { scan, .. } => {
                let inside = scan.body.nodes.iter().flat_map(crate::graph::Node::dims);
                inside.chain([&scan.length]).collect()
            }
            _ => vec![],
        }
    }

    /// Whether the value is of integers.
    pub fn integer(&self, g: &Graph, inputs: &[NodeId]) -> bool {
        match self {
            Op::Input(i) => g.inputs[*i].integer,
            Op::Integers => true,
            Op::Reshape(_) | Op::Broadcast(_) | Op::Permute(_) | Op::Slice { .. } => {
                g.nodes[inputs[0]].integer
            }
            Op::Call { graph, output } => graph.nodes[graph.outputs[*output]].integer,
            Op::Scan { scan, output } => {
                scan.body.nodes[scan.body.outputs[scan.source(*output)]].integer
            }
            _ => false,
        }
    }

    /// The gradient of each input of `node`, given the gradient `dy` of its value. A scalar op's may have
    /// the shape of `dy` where the input was broadcast: the walk sums it.
    pub fn cotangents(
        &self,
        g: &mut Graph,
        node: NodeId,
        dy: NodeId,
    ) -> Result<Cotangents, String> {
        let inputs = g.nodes[node].inputs.clone();
        match self {
            Op::Scalar(row) => scalar::cotangents(row, g, node, dy),
            Op::Reduce { fold, axes } => reduce::cotangents(*fold, axes, g, node, dy),
            Op::Matmul { transpose_a, transpose_b } => {
                matmul::cotangents(*transpose_a, *transpose_b, g, &inputs, dy)
            }
            Op::Reshape(_) => {
                let shape = g.shape(inputs[0]).clone();
                Ok(vec![Some(g.reshape(dy, shape)?)])
            }
            // The walk sums over what was repeated.
            Op::Broadcast(_) | Op::Contiguous => Ok(vec![Some(dy)]),
            Op::Conv2d(w) | Op::Conv2dInput(w, _) | Op::Conv2dWeight(w, _) => {
                conv::cotangents(self, w, g, &inputs, dy)
            }
            Op::MaxPool2d(w) | Op::MaxPool2dScatter(w) | Op::MaxPool2dGather(w) => {
                pool::cotangents(self, w, g, &inputs, dy)
            }
            Op::Gather => gather::cotangents(g, &inputs, dy),
            Op::GatherAlong | Op::ScatterAlong(_) | Op::Embedding | Op::EmbeddingAdd(_) => {
                gather::linear_cotangents(self, g, &inputs, dy)
            }
            Op::AvgPool2d(w) | Op::AvgPool2dSpread(w, _) => {
                pool::cotangents(self, w, g, &inputs, dy)
            }
            Op::Permute(_) | Op::Slice { .. } | Op::Place { .. } | Op::Concat(_) | Op::Flip(_) => {
                movement::cotangents(self, g, &inputs, dy)
            }
            Op::Cumsum { axis, reverse } => cumsum::cotangents(*axis, *reverse, g, dy),
            Op::ClipGradient(max) => clip_gradient::cotangents(f64::from_bits(*max), g, dy),
            Op::Call { graph, output } => call::cotangents(graph, *output, g, &inputs, dy),
            // The walk asks for those of all values of a scan at once.
            Op::Scan { scan, output } => scan::cotangents(scan, g, &inputs, &[(*output, dy)]),
            Op::Input(_)
            | Op::Param(_)
            | Op::State(_)
            | Op::Setting(_)
            | Op::Number(_)
            | Op::Const(_)
            | Op::Size(_)
            | Op::Coordinate(_)
            | Op::Uniform { .. }
            | Op::StopGradient
            | Op::Integers => Ok(vec![None; inputs.len()]),
        }
    }
}

/// As listings print it; two ops with the same text compute the same of the same inputs.
impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Op::Input(i) => write!(f, "input {i}"),
            Op::Param(i) => write!(f, "param {i}"),
            Op::State(i) => write!(f, "state {i}"),
            Op::Setting(i) => write!(f, "setting {i}"),
            Op::Number(constant) => write!(f, "number {}", constant.text),
            Op::Const(bits) => write!(f, "{:?}", f64::from_bits(*bits)),
            Op::Size(dim) => write!(f, "size {dim}"),
            Op::Coordinate(dim) => write!(f, "coordinate [{dim}]"),
            Op::Uniform { stream, shape } => write!(f, "uniform `{stream}` {}", show(shape)),
            Op::Scalar(row) => f.write_str(row.name),
            Op::Reduce { fold, axes } => write!(f, "{} {axes:?}", fold.name()),
            Op::Matmul { transpose_a, transpose_b } => {
                let flag = |t: &bool| if *t { "^T" } else { "" };
                write!(f, "matmul a{} b{}", flag(transpose_a), flag(transpose_b))
            }
            Op::Reshape(shape) => write!(f, "reshape {}", show(shape)),
            Op::Broadcast(shape) => write!(f, "broadcast {}", show(shape)),
            Op::Contiguous => f.write_str("contiguous"),
            Op::Conv2d(w) => write!(f, "conv2d {w}"),
            Op::Conv2dInput(w, _) => write!(f, "conv2d_input {w}"),
            Op::Conv2dWeight(w, _) => write!(f, "conv2d_weight {w}"),
            Op::MaxPool2d(w) => write!(f, "max_pool2d {w}"),
            Op::MaxPool2dScatter(w) => write!(f, "max_pool2d_scatter {w}"),
            Op::MaxPool2dGather(w) => write!(f, "max_pool2d_gather {w}"),
            Op::Gather => f.write_str("gather"),
            Op::GatherAlong => f.write_str("gather_along"),
            Op::ScatterAlong(cols) => write!(f, "scatter_along {cols}"),
            Op::Embedding => f.write_str("embedding"),
            Op::EmbeddingAdd(rows) => write!(f, "embedding_add {rows}"),
            Op::AvgPool2d(w) => write!(f, "avg_pool2d {w}"),
            Op::AvgPool2dSpread(w, _) => write!(f, "avg_pool2d_spread {w}"),
            Op::Permute(axes) => write!(f, "permute {axes:?}"),
            Op::Slice { range, size } => write!(f, "slice {range} size {size}"),
            Op::Place { range, whole } => write!(f, "place {range} of {whole}"),
            Op::Concat(axis) => write!(f, "concat {axis}"),
            Op::Flip(axis) => write!(f, "flip {axis}"),
            Op::Cumsum { axis, reverse } => {
                write!(f, "cumsum {axis}{}", if *reverse { " backwards" } else { "" })
            }
            Op::StopGradient => f.write_str("stop_gradient"),
            Op::ClipGradient(max) => write!(f, "clip_gradient {:?}", f64::from_bits(*max)),
            Op::Integers => f.write_str("integers"),
            Op::Call { graph, output } => write!(f, "call {}.{output}", graph.name),
            Op::Scan { scan, output } => write!(f, "{scan}, {output}"),
        }
    }
}

#[cfg(test)]
mod tests;
