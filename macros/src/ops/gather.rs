//! One element of each row by an integer index.

use crate::graph::{Graph, NodeId};
use crate::ops::{Cotangents, Op};
use crate::shape::{Shape, show};

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
    let column: Shape = rows.iter().cloned().chain([crate::shape::Dim::one()]).collect();
    let coordinate = g.push(Op::Coordinate(cols.clone()), &[])?;
    let index = g.reshape(index, column.clone())?;
    let hit = g.scalar("eq", &[coordinate, index])?;
    let dy = g.reshape(dy, column)?;
    Ok(vec![Some(g.scalar("mul", &[hit, dy])?), None])
}
