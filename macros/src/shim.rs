//! shim
#![allow(unused)]
use crate::graph::{Graph, NodeId};
use crate::shape::{Dim, Shape};
type R = Result<NodeId, String>;
impl Graph {
    pub fn permute(&mut self, x: NodeId, axes: Vec<usize>) -> R { Err("permute".into()) }
    pub fn slice(&mut self, x: NodeId, axis: usize, start: Dim, size: Dim, step: usize) -> R { Err("slice".into()) }
    pub fn place(&mut self, x: NodeId, axis: usize, start: Dim, step: usize, whole: Dim) -> R { Err("place".into()) }
    pub fn concat(&mut self, x: &[NodeId], axis: usize) -> R { Err("concat".into()) }
    pub fn flip(&mut self, x: NodeId, axis: usize) -> R { Err("flip".into()) }
    pub fn cumsum(&mut self, x: NodeId, axis: usize, reverse: bool) -> R { Err("cumsum".into()) }
    pub fn embedding(&mut self, x: NodeId, i: NodeId) -> R { Err("embedding".into()) }
    pub fn gather_along(&mut self, x: NodeId, i: NodeId) -> R { Err("gather_along".into()) }
    pub fn mean(&mut self, x: NodeId, axes: &[usize]) -> R { Err("mean".into()) }
    pub fn variance(&mut self, x: NodeId, axes: &[usize], unbiased: bool) -> R { Err("var".into()) }
    pub fn log_sum_exp(&mut self, x: NodeId, axis: usize) -> R { Err("lse".into()) }
    pub fn log_softmax(&mut self, x: NodeId, axis: usize) -> R { Err("lsm".into()) }
    pub fn argmax(&mut self, x: NodeId, axis: usize) -> R { Err("argmax".into()) }
    pub fn one_hot(&mut self, x: NodeId, n: Dim) -> R { Err("one_hot".into()) }
    pub fn normal(&mut self, stream: &str, shape: Shape) -> R { Err("normal".into()) }
    pub fn causal_mask(&mut self, x: NodeId) -> R { Err("causal".into()) }
    pub fn silu(&mut self, x: NodeId) -> R { Err("silu".into()) }
    pub fn elu(&mut self, x: NodeId, a: f64) -> R { Err("elu".into()) }
    pub fn leaky_relu(&mut self, x: NodeId, a: f64) -> R { Err("elu".into()) }
    pub fn clamp(&mut self, x: NodeId, a: f64, b: f64) -> R { Err("elu".into()) }

    pub fn avg_pool2d(&mut self, x: NodeId, w: crate::ops::conv::Window2) -> R { Err("x".into()) }
    pub fn upsample_nearest(&mut self, x: NodeId, s: [usize; 2]) -> R { Err("x".into()) }
    pub fn layer_norm(&mut self, x: NodeId, w: Option<NodeId>, b: Option<NodeId>, axes: &[usize], eps: f64) -> R { Err("x".into()) }
    pub fn rms_norm(&mut self, x: NodeId, w: Option<NodeId>, axes: &[usize], eps: f64) -> R { Err("x".into()) }
    pub fn group_norm(&mut self, x: NodeId, w: Option<NodeId>, b: Option<NodeId>, groups: Dim, eps: f64) -> R { Err("x".into()) }
    pub fn batch_norm(&mut self, x: NodeId, w: Option<NodeId>, b: Option<NodeId>, eps: f64) -> Result<(NodeId, NodeId, NodeId), String> { Err("x".into()) }
    pub fn batch_norm_with(&mut self, x: NodeId, m: NodeId, v: NodeId, w: Option<NodeId>, b: Option<NodeId>, eps: f64) -> R { Err("x".into()) }
}
