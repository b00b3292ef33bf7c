//! Matrix products. Both derivatives are matrix products again.

use crate::graph::{Graph, NodeId};
use crate::ops::{Cotangents, Op};
use crate::shape::{Dim, Shape, show};

/// `[.., m, k] @ [.., k, n]`; leading axes are equal, or one side has none.
pub fn shape(a: &Shape, b: &Shape, transpose_a: bool, transpose_b: bool) -> Result<Shape, String> {
    let matrix = |x: &Shape, transposed: bool| -> Option<(Shape, Dim, Dim)> {
        let (lead, [rows, cols]) = x.split_last_chunk::<2>()?;
        let (rows, cols) = if transposed { (cols, rows) } else { (rows, cols) };
        Some((lead.to_vec(), rows.clone(), cols.clone()))
    };
    let not_matrices =
        || format!("a matrix product of {} and {}: both need two axes", show(a), show(b));
    let (lead_a, m, k) = matrix(a, transpose_a).ok_or_else(not_matrices)?;
    let (lead_b, k2, n) = matrix(b, transpose_b).ok_or_else(not_matrices)?;
    if k != k2 {
        return Err(format!(
            "a matrix product of {} and {}: the inner sizes {k} and {k2} differ",
            show(a),
            show(b)
        ));
    }
    let mut lead = match (lead_a.is_empty(), lead_b.is_empty()) {
        (_, true) => lead_a,
        (true, false) => lead_b,
        _ if lead_a == lead_b => lead_a,
        _ => {
            return Err(format!(
                "matrix products of {} and {}: the leading axes differ",
                show(a),
                show(b)
            ));
        }
    };
    lead.extend([m, n]);
    Ok(lead)
}

/// With C = A B: dA = dC B^T and dB = A^T dC; a transposed operand gets the transposed gradient.
pub fn cotangents(
    transpose_a: bool,
    transpose_b: bool,
    g: &mut Graph,
    inputs: &[NodeId],
    dc: NodeId,
) -> Result<Cotangents, String> {
    let (a, b) = (inputs[0], inputs[1]);
    let mut product =
        |a, b, transpose_a, transpose_b| g.push(Op::Matmul { transpose_a, transpose_b }, &[a, b]);
    let da = match transpose_a {
        false => product(dc, b, false, !transpose_b)?,
        true => product(b, dc, transpose_b, true)?,
    };
    let db = match transpose_b {
        false => product(a, dc, !transpose_a, false)?,
        true => product(dc, a, true, transpose_a)?,
    };
    Ok(vec![Some(da), Some(db)])
}
