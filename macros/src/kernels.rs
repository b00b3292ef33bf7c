//! The kernel that computes a node: its sizes, the storage that it reads, and what is fused into it.

use crate::epilogues::Epilogue;
use crate::fuse::{Builder, Leaf, Tree, merge, view};
use crate::graph::{Graph, NodeId};
use crate::groups::Groups;
use crate::loops::Loop;
use crate::moves::{self, Moves};
use crate::ops::Op;
use crate::ops::conv::Window2;
use crate::ops::reduce::Fold;
use crate::rows::Rows;
use crate::shape::{Dim, numel, show};

/// The most axes of a kernel's index space: `GRID_RANK` of netform-core.
pub const GRID_RANK: usize = 4;

pub enum Kernel {
    /// Several outputs: what the step writes.
    Rows(Box<Rows>),
    Map {
        grid: Vec<Dim>,
        tree: Tree,
    },
    Reduce {
        fold: Fold,
        grid: Vec<Dim>,
        reduced: Vec<bool>,
        tree: Tree,
    },
    Matmul {
        a: NodeId,
        b: NodeId,
        dims: Matmul,
        tree: Tree,
    },
    Conv2d {
        x: NodeId,
        w: NodeId,
        dims: Conv2d,
        tree: Tree,
    },
    Conv2dInput {
        dy: NodeId,
        w: NodeId,
        dims: Conv2d,
    },
    Conv2dWeight {
        x: NodeId,
        dy: NodeId,
        dims: Conv2d,
    },
    MaxPool2d {
        x: NodeId,
        dims: Pool2d,
    },
    MaxPool2dScatter {
        x: NodeId,
        dy: NodeId,
        dims: Pool2d,
    },
    MaxPool2dGather {
        x: NodeId,
        g: NodeId,
        dims: Pool2d,
    },
    Gather {
        x: NodeId,
        index: NodeId,
        rows: Dim,
        cols: Dim,
    },
    AvgPool2d {
        x: NodeId,
        dims: Pool2d,
    },
    AvgPool2dSpread {
        dy: NodeId,
        dims: Pool2d,
    },
    /// One of the kernels with an index, by its name.
    Indexed {
        name: &'static str,
        x: NodeId,
        index: NodeId,
        dims: [Dim; 3],
    },
    Cumsum {
        x: NodeId,
        dims: [Dim; 3],
        reverse: bool,
    },
    Moves(Moves),
    Scan(Box<Loop>),
}

#[derive(Clone)]
pub struct Matmul {
    pub batch: Dim,
    pub m: Dim,
    pub n: Dim,
    pub k: Dim,
    pub transpose_a: bool,
    pub transpose_b: bool,
    pub stride_a: Dim,
    pub stride_b: Dim,
}

#[derive(Clone)]
pub struct Conv2d {
    pub batch: Dim,
    pub in_channels: Dim,
    pub height: Dim,
    pub width: Dim,
    pub out_channels: Dim,
    pub window: Window2,
}

#[derive(Clone)]
pub struct Pool2d {
    pub planes: Dim,
    pub height: Dim,
    pub width: Dim,
    pub window: Window2,
}

/// The storage that a node's elements lie in, in row order.
fn base(g: &Graph, id: NodeId) -> Result<NodeId, String> {
    view(g, id).map(|v| v.base).ok_or_else(|| format!("%{id} has no storage"))
}

/// The kernel that computes a node and, of a product, its epilogue; and the storage that it reads.
pub fn kernel(g: &Graph, groups: &Groups, id: NodeId) -> Result<(Kernel, Vec<NodeId>), String> {
    let node = &g.nodes[id];
    let operands = |wanted: usize| -> Result<Vec<NodeId>, String> {
        node.inputs.iter().take(wanted).map(|input| base(g, *input)).collect()
    };
    Ok(match &node.op {
        Op::Contiguous if moves::is_deep(g, id) => {
            let moves = moves::moves(g, id)?;
            let reads = moves.reads();
            (Kernel::Moves(moves), reads)
        }
        Op::Scalar(_) | Op::Contiguous => {
            let members = groups.members(g, id);
            let tree = Builder::new(g, &members, None, g.shape(id).clone()).build(&[id])?;
            let (grid, _, tree) = on_grid(tree, &vec![false; g.shape(id).len()])?;
            let reads = tree_reads(&tree);
            (Kernel::Map { grid, tree }, reads)
        }
        Op::Reduce { fold, axes } => {
            let input = node.inputs[0];
            let shape = g.shape(input).clone();
            let flags: Vec<bool> = (0..shape.len()).map(|i| axes.contains(&i)).collect();
            let tree = Builder::new(g, &groups.members(g, id), None, shape).build(&[input])?;
            let (grid, reduced, tree) = on_grid(tree, &flags)?;
            let reads = tree_reads(&tree);
            (Kernel::Reduce { fold: *fold, grid, reduced, tree }, reads)
        }
        Op::Matmul { transpose_a, transpose_b } => {
            let [a, b] = operands(2)?[..] else {
                return Err("a product needs two operands".to_owned());
            };
            let dims = matmul_dims(g, id, *transpose_a, *transpose_b);
            let tree = epilogue(g, groups, id, groups.epilogue.get(&id))?;
            let reads = [vec![a, b], tree_reads(&tree)].concat();
            (Kernel::Matmul { a, b, dims, tree }, reads)
        }
        Op::Conv2d(window) => {
            let [x, w] = operands(2)?[..] else {
                return Err("a convolution needs x and w".to_owned());
            };
            let dims = conv_dims(g.shape(node.inputs[0]), &g.shape(id)[1], window);
            let tree = epilogue(g, groups, id, groups.epilogue.get(&id))?;
            let reads = [vec![x, w], tree_reads(&tree)].concat();
            (Kernel::Conv2d { x, w, dims, tree }, reads)
        }
        Op::Conv2dInput(window, x_shape) => {
            let [dy, w] = operands(2)?[..] else {
                return Err("conv2d_input needs dy and w".to_owned());
            };
            let dims = conv_dims(x_shape, &g.shape(node.inputs[0])[1], window);
            (Kernel::Conv2dInput { dy, w, dims }, vec![dy, w])
        }
        Op::Conv2dWeight(window, _) => {
            let [x, dy] = operands(2)?[..] else {
                return Err("conv2d_weight needs x and dy".to_owned());
            };
            let dims = conv_dims(g.shape(node.inputs[0]), &g.shape(node.inputs[1])[1], window);
            (Kernel::Conv2dWeight { x, dy, dims }, vec![x, dy])
        }
        Op::MaxPool2d(window) | Op::MaxPool2dScatter(window) | Op::MaxPool2dGather(window) => {
            let reads = operands(2)?;
            let x = g.shape(node.inputs[0]);
            let dims = pool_dims(x, window);
            let kernel = match (&node.op, &reads[..]) {
                (Op::MaxPool2dScatter(_), [x, dy]) => {
                    Kernel::MaxPool2dScatter { x: *x, dy: *dy, dims }
                }
                (Op::MaxPool2dGather(_), [x, other]) => {
                    Kernel::MaxPool2dGather { x: *x, g: *other, dims }
                }
                _ => Kernel::MaxPool2d { x: reads[0], dims },
            };
            (kernel, reads)
        }
        Op::Gather => {
            let [x, index] = operands(2)?[..] else {
                return Err("a gather needs x and an index".to_owned());
            };
            let rows = numel(g.shape(id));
            let cols = g.shape(node.inputs[0]).last().cloned().unwrap_or_else(Dim::one);
            (Kernel::Gather { x, index, rows, cols }, vec![x, index])
        }
        Op::AvgPool2d(window) => {
            let (x, dims) = (operands(1)?[0], pool_dims(g.shape(node.inputs[0]), window));
            (Kernel::AvgPool2d { x, dims }, vec![x])
        }
        Op::AvgPool2dSpread(window, shape) => {
            let (dy, dims) = (operands(1)?[0], pool_dims(shape, window));
            (Kernel::AvgPool2dSpread { dy, dims }, vec![dy])
        }
        Op::GatherAlong | Op::ScatterAlong(_) | Op::Embedding | Op::EmbeddingAdd(_) => {
            let [x, index] = operands(2)?[..] else {
                return Err(format!("`{}` needs an index", node.op));
            };
            let (name, dims) = indexed(g, id);
            (Kernel::Indexed { name, x, index, dims }, vec![x, index])
        }
        Op::Cumsum { axis, reverse } => {
            let (x, shape) = (operands(1)?[0], g.shape(id));
            let dims = [numel(&shape[..*axis]), shape[*axis].clone(), numel(&shape[axis + 1..])];
            (Kernel::Cumsum { x, dims, reverse: *reverse }, vec![x])
        }
        Op::Place { .. } | Op::Concat(_) | Op::Flip(_) => {
            let moves = moves::moves(g, id)?;
            let reads = moves.reads();
            (Kernel::Moves(moves), reads)
        }
        Op::Scan { scan, .. } => {
            let reads = operands(node.inputs.len())?;
            (Kernel::Scan(Box::new(Loop::new(g, scan, id, reads.clone())?)), reads)
        }
        op => return Err(format!("no kernel computes `{op}`")),
    })
}

/// What is applied to a product's elements. Its grid is the product's own: of several products all but the last
/// two axes are one.
pub fn epilogue(
    g: &Graph,
    groups: &Groups,
    product: NodeId,
    epilogue: Option<&Epilogue>,
) -> Result<Tree, String> {
    let only = [product];
    let (roots, outs) = epilogue.map_or((&[][..], &only[..]), |e| (&e.roots, &e.outs));
    let members = roots.iter().flat_map(|root| groups.members(g, *root)).collect();
    let builder = Builder::new(g, &members, Some(product), g.shape(product).clone());
    let mut tree = builder.build(outs)?;
    let lead = match g.nodes[product].op {
        Op::Matmul { .. } => tree.shape.len() - 2,
        _ => 0,
    };
    for leaf in &mut tree.leaves {
        if let Leaf::View { strides, .. } | Leaf::Coordinate { strides } = leaf {
            let products =
                merge(&tree.shape[..lead], &[strides[..lead].to_vec()], &vec![false; lead]);
            if products.sizes.len() > 1 {
                return Err("an epilogue that is not regular along the products".to_owned());
            }
            strides.splice(..lead, products.strides.concat());
            strides.splice(0..0, vec![Dim::literal(0); GRID_RANK - strides.len()]);
        }
    }
    Ok(tree)
}

/// Merges the axes of a tree and pads them to the rank of a grid.
fn on_grid(mut tree: Tree, flags: &[bool]) -> Result<(Vec<Dim>, Vec<bool>, Tree), String> {
    let strides: Vec<Vec<Dim>> = tree
        .leaves
        .iter()
        .filter_map(|leaf| match leaf {
            Leaf::View { strides, .. } | Leaf::Coordinate { strides } => Some(strides.clone()),
            Leaf::Uniform { .. } => None,
        })
        .collect();
    let mut axes = merge(&tree.shape, &strides, flags);
    let Some(missing) = GRID_RANK.checked_sub(axes.sizes.len()) else {
        return Err(format!(
            "a loop over {} axes of {} that cannot be merged: at most {GRID_RANK} are supported",
            axes.sizes.len(),
            show(&tree.shape)
        ));
    };
    axes.sizes.splice(0..0, vec![Dim::one(); missing]);
    axes.flags.splice(0..0, vec![false; missing]);
    let mut merged = axes.strides.into_iter();
    for leaf in &mut tree.leaves {
        if let Leaf::View { strides, .. } | Leaf::Coordinate { strides } = leaf {
            *strides = vec![Dim::literal(0); missing];
            strides.extend(merged.next().into_iter().flatten());
        }
    }
    Ok((axes.sizes, axes.flags, tree))
}

fn tree_reads(tree: &Tree) -> Vec<NodeId> {
    let base = |leaf: &Leaf| match leaf {
        Leaf::View { base, .. } => Some(*base),
        _ => None,
    };
    tree.leaves.iter().filter_map(base).collect()
}

fn matmul_dims(g: &Graph, id: NodeId, transpose_a: bool, transpose_b: bool) -> Matmul {
    let (out, a, b) = (g.shape(id), g.shape(g.nodes[id].inputs[0]), g.shape(g.nodes[id].inputs[1]));
    let rank = out.len();
    let (m, n) = (out[rank - 2].clone(), out[rank - 1].clone());
    let k = a[if transpose_a { a.len() - 2 } else { a.len() - 1 }].clone();
    let stride = |x: &[Dim]| match x.len() {
        2 => Dim::literal(0),
        n => numel(&x[n - 2..]),
    };
    let (stride_a, stride_b) = (stride(a), stride(b));
    Matmul { batch: numel(&out[..rank - 2]), m, n, k, transpose_a, transpose_b, stride_a, stride_b }
}

fn pool_dims(x: &[Dim], window: &Window2) -> Pool2d {
    let (height, width) = (x[2].clone(), x[3].clone());
    Pool2d { planes: x[0].mul(&x[1]), height, width, window: window.clone() }
}

/// The kernel of an op with an index: its name, and rows, columns and picks.
fn indexed(g: &Graph, id: NodeId) -> (&'static str, [Dim; 3]) {
    let node = &g.nodes[id];
    let (x, index) = (g.shape(node.inputs[0]), g.shape(node.inputs[1]));
    let last = |shape: &[Dim]| shape.last().cloned().unwrap_or_else(Dim::one);
    let rows = || numel(index.split_last().map_or(&[], |(_, rows)| rows));
    match &node.op {
        Op::GatherAlong => ("gather_along", [rows(), last(x), last(index)]),
        Op::ScatterAlong(cols) => ("scatter_along", [rows(), cols.clone(), last(index)]),
        Op::Embedding => ("embedding", [x[0].clone(), last(x), numel(index)]),
        _ => ("embedding_add", [g.shape(id)[0].clone(), last(x), numel(index)]),
    }
}

fn conv_dims(x: &[Dim], out_channels: &Dim, window: &Window2) -> Conv2d {
    Conv2d {
        batch: x[0].clone(),
        in_channels: x[1].clone(),
        height: x[2].clone(),
        width: x[3].clone(),
        out_channels: out_channels.clone(),
        window: window.clone(),
    }
}
