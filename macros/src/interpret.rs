//! Graphs evaluated in f64, a node at a time, for tests: what a transformation must not change.

use std::collections::BTreeMap;

use crate::graph::{Graph, NodeId};
use crate::ops::Op;
use crate::ops::reduce::Fold;
use crate::ops::scan::{Output, Scan};
use crate::shape::{Atom, Dim};

pub mod formula;
mod windows;

/// Elements in row order.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    pub shape: Vec<usize>,
    pub data: Vec<f64>,
}

impl Value {
    pub fn new(shape: &[usize], data: Vec<f64>) -> Value {
        assert_eq!(shape.iter().product::<usize>(), data.len(), "elements of {shape:?}");
        Value { shape: shape.to_vec(), data }
    }

    pub fn zeros(shape: &[usize]) -> Value {
        Value::new(shape, vec![0.0; shape.iter().product()])
    }

    fn build(shape: &[usize], of: impl Fn(&[usize]) -> f64) -> Value {
        let all = shape.iter().product();
        let data = (0..all).map(|i| of(&position(i, shape))).collect();
        Value::new(shape, data)
    }

    /// The element at a position of a shape that this one broadcasts to.
    fn at(&self, position: &[usize]) -> f64 {
        self.data[index(&self.shape, position)]
    }

    /// One place of the first axis.
    fn place(&self, i: usize) -> Value {
        let len = self.shape[1..].iter().product::<usize>();
        Value::new(&self.shape[1..], self.data[i * len..(i + 1) * len].to_vec())
    }

    /// Values along a new first axis.
    fn stack(values: &[Value]) -> Value {
        let shape = [vec![values.len()], values[0].shape.clone()].concat();
        Value::new(&shape, values.iter().flat_map(|v| v.data.clone()).collect())
    }
}

/// The element at a position of a shape that `shape` broadcasts to.
pub fn index(shape: &[usize], position: &[usize]) -> usize {
    let axes = shape.iter().zip(&position[position.len() - shape.len()..]);
    axes.fold(0, |i, (&size, &p)| i * size + if size == 1 { 0 } else { p })
}

pub fn position(mut i: usize, shape: &[usize]) -> Vec<usize> {
    let mut position = vec![0; shape.len()];
    for axis in (0..shape.len()).rev() {
        (position[axis], i) = (i % shape[axis], i / shape[axis]);
    }
    position
}

/// What is given to a graph.
#[derive(Clone, Default)]
pub struct Environment {
    pub batch: usize,
    /// Generic parameters.
    pub sizes: BTreeMap<String, usize>,
    pub inputs: Vec<Value>,
    pub params: Vec<Value>,
}

impl Environment {
    pub fn size(&self, dim: &Dim) -> Result<usize, String> {
        let atom = |atom: &Atom| match atom {
            Atom::Batch => Some(self.batch as i128),
            Atom::Param(name) => self.sizes.get(name).map(|n| *n as i128),
            _ => None,
        };
        let size = dim.evaluated(&atom).and_then(|n| usize::try_from(n).ok());
        size.ok_or_else(|| format!("the size {dim} is not known"))
    }

    pub fn shape(&self, shape: &[Dim]) -> Result<Vec<usize>, String> {
        shape.iter().map(|dim| self.size(dim)).collect()
    }

    fn given(&self, values: &[Value], i: usize) -> Result<Value, String> {
        values.get(i).cloned().ok_or_else(|| format!("no value for {i}"))
    }
}

/// The values of a graph's outputs.
///
/// # Errors
/// Names the op that is not interpreted.
pub fn outputs(g: &Graph, e: &Environment) -> Result<Vec<Value>, String> {
    let values = values(g, e)?;
    Ok(g.outputs.iter().map(|id: &NodeId| values[*id].clone()).collect())
}

/// The values of all nodes.
///
/// # Errors
/// Names the op that is not interpreted.
pub fn values(g: &Graph, e: &Environment) -> Result<Vec<Value>, String> {
    let mut values: Vec<Value> = vec![];
    for (id, node) in g.nodes.iter().enumerate() {
        let inputs: Vec<&Value> = node.inputs.iter().map(|input| &values[*input]).collect();
        let value = evaluate(&node.op, &inputs, e)?;
        let shape = e.shape(&node.shape)?;
        if value.shape != shape {
            return Err(format!("%{id} has shape {:?}, expected {shape:?}", value.shape));
        }
        values.push(value);
    }
    Ok(values)
}

fn evaluate(op: &Op, x: &[&Value], e: &Environment) -> Result<Value, String> {
    Ok(match op {
        Op::Input(i) => e.given(&e.inputs, *i)?,
        Op::Param(i) => e.given(&e.params, *i)?,
        Op::Const(bits) => Value::new(&[], vec![f64::from_bits(*bits)]),
        Op::Size(dim) => Value::new(&[], vec![e.size(dim)? as f64]),
        Op::Coordinate(dim) => Value::build(&[e.size(dim)?], |p| p[0] as f64),
        Op::Scalar(row) => {
            let shape = x.iter().fold(vec![], |all, v| wider(&all, &v.shape));
            let formula = formula::Formula::rust(row)?;
            Value::build(&shape, |p| {
                let operands: Vec<f64> = x.iter().map(|v| v.at(p)).collect();
                formula.value(&operands)
            })
        }
        Op::Reduce { fold, axes } => reduce(*fold, axes, x[0]),
        Op::Matmul { transpose_a, transpose_b } => matmul(x[0], x[1], *transpose_a, *transpose_b),
        Op::Reshape(shape) => Value::new(&e.shape(shape)?, x[0].data.clone()),
        Op::Broadcast(shape) => Value::build(&e.shape(shape)?, |p| x[0].at(p)),
        Op::Contiguous | Op::StopGradient | Op::ClipGradient(_) | Op::Integers => x[0].clone(),
        Op::Permute(axes) => {
            let shape: Vec<usize> = axes.iter().map(|axis| x[0].shape[*axis]).collect();
            Value::build(&shape, |p| {
                let mut from = vec![0; p.len()];
                axes.iter().zip(p).for_each(|(axis, p)| from[*axis] = *p);
                x[0].at(&from)
            })
        }
        Op::Slice { range, size } => {
            let (start, mut shape) = (e.size(&range.start)?, x[0].shape.clone());
            shape[range.axis] = e.size(size)?;
            Value::build(&shape, |p| {
                let mut from = p.to_vec();
                from[range.axis] = start + p[range.axis] * range.step;
                x[0].at(&from)
            })
        }
        Op::Place { range, whole } => {
            let (start, mut shape) = (e.size(&range.start)?, x[0].shape.clone());
            shape[range.axis] = e.size(whole)?;
            Value::build(&shape, |p| {
                let mut from = p.to_vec();
                let behind = p[range.axis].checked_sub(start).filter(|d| d % range.step == 0);
                let Some(i) = behind.map(|d| d / range.step) else { return 0.0 };
                from[range.axis] = i;
                if i < x[0].shape[range.axis] { x[0].at(&from) } else { 0.0 }
            })
        }
        Op::Concat(axis) => concat(*axis, x),
        Op::Flip(axis) => Value::build(&x[0].shape, |p| {
            let mut from = p.to_vec();
            from[*axis] = x[0].shape[*axis] - 1 - p[*axis];
            x[0].at(&from)
        }),
        Op::Cumsum { axis, reverse } => Value::build(&x[0].shape, |p| {
            let (i, n) = (p[*axis], x[0].shape[*axis]);
            let mut from = p.to_vec();
            let places = if *reverse { i..n } else { 0..i + 1 };
            places
                .map(|i| {
                    from[*axis] = i;
                    x[0].at(&from)
                })
                .sum()
        }),
        Op::Gather => {
            let cols = x[0].shape[x[0].shape.len() - 1];
            let picks = x[1].data.iter().enumerate();
            Value::new(
                &x[1].shape,
                picks.map(|(row, i)| x[0].data[row * cols + *i as usize]).collect(),
            )
        }
        Op::GatherAlong | Op::ScatterAlong(_) | Op::Embedding | Op::EmbeddingAdd(_) => {
            indexed(op, x, e)?
        }
        Op::Conv2d(w)
        | Op::Conv2dInput(w, _)
        | Op::Conv2dWeight(w, _)
        | Op::MaxPool2d(w)
        | Op::MaxPool2dScatter(w)
        | Op::MaxPool2dGather(w)
        | Op::AvgPool2d(w)
        | Op::AvgPool2dSpread(w, _) => windows::evaluate(op, w, x, e)?,
        Op::Call { graph, output } => inner(graph, x, e)?.swap_remove(*output),
        Op::Scan { scan: s, output } => scan(s, *output, x, e)?,
        op => return Err(format!("`{op}` is not interpreted")),
    })
}

fn inner(g: &Graph, x: &[&Value], e: &Environment) -> Result<Vec<Value>, String> {
    let inputs = x.iter().map(|v| (*v).clone()).collect();
    outputs(g, &Environment { inputs, ..e.clone() })
}

fn wider(a: &[usize], b: &[usize]) -> Vec<usize> {
    let rank = a.len().max(b.len());
    let at = |s: &[usize], i: usize| (i + s.len()).checked_sub(rank).map_or(1, |j| s[j]);
    (0..rank).map(|i| if at(a, i) == 1 { at(b, i) } else { at(a, i) }).collect()
}

fn concat(axis: usize, x: &[&Value]) -> Value {
    let mut shape = x[0].shape.clone();
    shape[axis] = x.iter().map(|v| v.shape[axis]).sum();
    Value::build(&shape, |p| {
        let mut at = p.to_vec();
        let mut parts = x.iter();
        let part = parts.find(|v| {
            let inside = at[axis] < v.shape[axis];
            at[axis] -= if inside { 0 } else { v.shape[axis] };
            inside
        });
        part.map_or(f64::NAN, |v| v.at(&at))
    })
}

/// Elements of rows, rows of tables, and their sums.
fn indexed(op: &Op, x: &[&Value], e: &Environment) -> Result<Value, String> {
    let (value, index) = (x[0], x[1]);
    let last = |v: &Value| v.shape.last().copied().ok_or("no axis to index");
    let picked = |i: usize| index.data[i] as usize;
    Ok(match op {
        Op::GatherAlong => {
            let (cols, picks) = (last(value)?, last(index)?);
            let at = |i: usize| value.data[i / picks * cols + picked(i)];
            Value::new(&index.shape, (0..index.data.len()).map(at).collect())
        }
        Op::ScatterAlong(cols) => {
            let (cols, picks) = (e.size(cols)?, last(index)?);
            let mut out = value.shape.clone();
            out[index.shape.len() - 1] = cols;
            let mut out = Value::zeros(&out);
            for (i, dy) in value.data.iter().enumerate() {
                out.data[i / picks * cols + picked(i)] += dy;
            }
            out
        }
        Op::Embedding => {
            let cols = last(value)?;
            let shape = [&index.shape[..], &[cols]].concat();
            let at = |i: usize| value.data[picked(i / cols) * cols + i % cols];
            Value::new(&shape, (0..index.data.len() * cols).map(at).collect())
        }
        Op::EmbeddingAdd(rows) => {
            let cols = last(value)?;
            let mut out = Value::zeros(&[e.size(rows)?, cols]);
            for (i, dy) in value.data.iter().enumerate() {
                out.data[picked(i / cols) * cols + i % cols] += dy;
            }
            out
        }
        op => return Err(format!("`{op}` has no index")),
    })
}

fn reduce(fold: Fold, axes: &[usize], x: &Value) -> Value {
    let size = |(i, n): (usize, &usize)| if axes.contains(&i) { 1 } else { *n };
    let shape: Vec<usize> = x.shape.iter().enumerate().map(size).collect();
    let initial = if fold == Fold::Sum { 0.0 } else { f64::NEG_INFINITY };
    let mut out = Value::build(&shape, |_| initial);
    for (i, value) in x.data.iter().enumerate() {
        let p = position(i, &x.shape);
        let to = shape.iter().zip(p).fold(0, |j, (n, p)| j * n + if *n == 1 { 0 } else { p });
        out.data[to] =
            if fold == Fold::Sum { out.data[to] + value } else { out.data[to].max(*value) };
    }
    out
}

fn matmul(a: &Value, b: &Value, transpose_a: bool, transpose_b: bool) -> Value {
    let sizes = |x: &Value, transposed: bool| {
        let (rows, cols) = (x.shape[x.shape.len() - 2], x.shape[x.shape.len() - 1]);
        if transposed { (cols, rows) } else { (rows, cols) }
    };
    let ((m, k), (_, n)) = (sizes(a, transpose_a), sizes(b, transpose_b));
    let lead = if a.shape.len() >= b.shape.len() { &a.shape } else { &b.shape };
    let shape = [&lead[..lead.len() - 2], &[m, n]].concat();
    let element = |x: &Value, lead: &[usize], i: usize, j: usize, transposed: bool| {
        let lead = if x.shape.len() == 2 { &[] } else { lead };
        let (i, j) = if transposed { (j, i) } else { (i, j) };
        x.at(&[lead, &[i, j]].concat())
    };
    Value::build(&shape, |p| {
        let (lead, [i, j]) = p.split_last_chunk::<2>().expect("a matrix");
        let term = |l| element(a, lead, *i, l, transpose_a) * element(b, lead, l, *j, transpose_b);
        (0..k).map(term).sum()
    })
}

fn scan(s: &Scan, output: Output, x: &[&Value], e: &Environment) -> Result<Value, String> {
    let length = e.size(&s.length)?;
    let mut carries: Vec<Value> = x[..s.carries].iter().map(|v| (*v).clone()).collect();
    let mut places: Vec<Option<Value>> = vec![None; length];
    let mut sum: Option<Value> = None;
    for step in 0..length {
        let t = if s.reverse { length - 1 - step } else { step };
        let one: Vec<Value> =
            x[s.carries..s.carries + s.stacked].iter().map(|v| v.place(t)).collect();
        let mut inputs: Vec<&Value> = carries.iter().chain(&one).collect();
        inputs.extend(&x[s.carries + s.stacked..]);
        let results = inner(&s.body, &inputs, e)?;
        let result = results[s.source(output)].clone();
        match output {
            Output::Before(i) => places[t] = Some(carries[i].clone()),
            Output::Sum(_) => {
                let so_far = sum.take().map_or(vec![0.0; result.data.len()], |v| v.data);
                let data = so_far.iter().zip(&result.data).map(|(a, b)| a + b).collect();
                sum = Some(Value::new(&result.shape, data));
            }
            _ => places[t] = Some(result),
        }
        carries = results[..s.carries].to_vec();
    }
    Ok(match output {
        Output::Last(i) => carries[i].clone(),
        Output::Sum(_) => sum.ok_or("a sum of no steps")?,
        _ => Value::stack(&places.into_iter().collect::<Option<Vec<_>>>().ok_or("no steps")?),
    })
}
