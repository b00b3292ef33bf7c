//! Elements of rows and rows of tables by an index, and the sums that go the other way: taking and adding
//! are linear, and each other's derivative.

use crate::graph::{Graph, NodeId};
use crate::ops::{Cotangents, Op};
use crate::shape::{Dim, Shape, show};

/// x `[.., c]`, index `[..]`, result `[..]`.
pub fn shape(x: &Shape, index: &Shape) -> Result<Shape, String> {
    match x.split_last() {
        Some((_, rows)) if rows == index.as_slice() => Ok(index.clone()),
        _ => Err(format!("an index of shape {} into rows of {}", show(index), show(x))),
    }
}

/// dx is dy at the index and zero elsewhere: a comparison of the coordinate with the index.
pub fn cotangents(g: &mut Graph, inputs: &[NodeId], dy: NodeId) -> Result<Cotangents, String> {
    let (x, index) = (inputs[0], inputs[1]);
    let shape = g.shape(x).clone();
    let Some((cols, rows)) = shape.split_last() else {
        return Err("a gather without rows".to_owned());
    };
    let column: Shape = rows.iter().cloned().chain([Dim::one()]).collect();
    let coordinate = g.push(Op::Coordinate(cols.clone()), &[])?;
    let index = g.reshape(index, column.clone())?;
    let hit = g.scalar("eq", &[coordinate, index])?;
    let dy = g.reshape(dy, column)?;
    Ok(vec![Some(g.scalar("mul", &[hit, dy])?), None])
}

/// x `[.., c]`, index `[.., n]`, result `[.., n]`.
pub fn along_shape(x: &Shape, index: &Shape) -> Result<Shape, String> {
    match (x.split_last(), index.split_last()) {
        (Some((_, rows)), Some((_, picks))) if rows == picks => Ok(index.clone()),
        _ => Err(format!("an index of shape {} along the rows of {}", show(index), show(x))),
    }
}

/// dy `[.., n]`, index `[.., n]`, result `[.., cols]`.
pub fn scatter_shape(dy: &Shape, index: &Shape, cols: &Dim) -> Result<Shape, String> {
    let mut shape = dy.clone();
    match shape.last_mut() {
        Some(last) if dy == index => *last = cols.clone(),
        _ => return Err(format!("{} to places of shape {}", show(dy), show(index))),
    }
    Ok(shape)
}

/// table `[v, d]`, index `[..]`, result `[.., d]`.
pub fn embedding_shape(table: &Shape, index: &Shape) -> Result<Shape, String> {
    match &table[..] {
        [_, d] => Ok(index.iter().chain([d]).cloned().collect()),
        _ => {
            Err(format!("an embedding in a table of shape {}, expected [rows, size]", show(table)))
        }
    }
}

/// dy `[.., d]`, index `[..]`, result `[rows, d]`.
pub fn embedding_add_shape(dy: &Shape, index: &Shape, rows: &Dim) -> Result<Shape, String> {
    match dy.split_last() {
        Some((d, lead)) if lead == index.as_slice() => Ok(vec![rows.clone(), d.clone()]),
        _ => Err(format!("{} to rows by an index of shape {}", show(dy), show(index))),
    }
}

/// Of the ops that take several elements, or rows, and of those that add them up.
pub fn linear_cotangents(
    op: &Op,
    g: &mut Graph,
    inputs: &[NodeId],
    dy: NodeId,
) -> Result<Cotangents, String> {
    let (x, index) = (inputs[0], inputs[1]);
    let shape = g.shape(x).clone();
    let size = |axis: Option<&Dim>| axis.cloned().ok_or("an index into a number");
    let other = match op {
        Op::GatherAlong => Op::ScatterAlong(size(shape.last())?),
        Op::ScatterAlong(_) => Op::GatherAlong,
        Op::Embedding => Op::EmbeddingAdd(size(shape.first())?),
        _ => Op::Embedding,
    };
    Ok(vec![Some(g.push(other, &[dy, index])?), None])
}

impl Graph {
    /// Elements of each row of x `[.., c]` by an index `[.., n]`: `torch.gather` along the last axis.
    pub fn gather_along(&mut self, x: NodeId, index: NodeId) -> Result<NodeId, String> {
        self.push(Op::GatherAlong, &[x, index])
    }

    /// Rows of a table `[v, d]` by an index `[..]`, as `[.., d]`.
    pub fn embedding(&mut self, table: NodeId, index: NodeId) -> Result<NodeId, String> {
        self.push(Op::Embedding, &[table, index])
    }
}
