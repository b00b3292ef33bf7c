//! Plans as text: what each kernel computes, and where its result lives.

use std::fmt::Write;

use crate::fuse::Tree;
use crate::graph::NodeId;
use crate::kernels::Kernel;
use crate::loops::Loop;
use crate::plan::{Place, Plan};
use crate::shape::show;

impl Plan {
    /// The planned steps as text: what each kernel computes, and where its result lives.
    pub fn listing(&self, steps: std::ops::Range<usize>) -> String {
        let mut text = String::new();
        for step in &self.steps[steps] {
            if let Kernel::Scan(scan) = &step.kernel {
                text.push_str(&self.scan(scan));
                continue;
            }
            let label = |id: &NodeId| self.graph.label(*id);
            let call = match &step.kernel {
                Kernel::Rows(rows) => format!("rows {}", rows.text),
                Kernel::Map { tree, .. } => format!("map {}", tree.text),
                Kernel::Reduce { fold, tree, .. } => format!("{} {}", fold.name(), tree.text),
                Kernel::Matmul { a, b, dims, tree } => {
                    let flag = |t: bool| if t { "^T" } else { "" };
                    let (ta, tb) = (flag(dims.transpose_a), flag(dims.transpose_b));
                    let sizes = format!("m = {}, n = {}, k = {}", dims.m, dims.n, dims.k);
                    let call = format!("matmul {}{ta} {}{tb} ({sizes})", label(a), label(b));
                    fused(call, tree, label(&step.writes[0]))
                }
                Kernel::Conv2d { x, w, tree, .. } => {
                    let call = format!("conv2d {} {}", label(x), label(w));
                    fused(call, tree, label(&step.writes[0]))
                }
                Kernel::Conv2dInput { dy, w, .. } => {
                    format!("conv2d_input {} {}", label(dy), label(w))
                }
                Kernel::Conv2dWeight { x, dy, .. } => {
                    format!("conv2d_weight {} {}", label(x), label(dy))
                }
                Kernel::MaxPool2d { x, .. } => format!("max_pool2d {}", label(x)),
                Kernel::MaxPool2dScatter { x, dy, .. } => {
                    format!("max_pool2d_scatter {} {}", label(x), label(dy))
                }
                Kernel::MaxPool2dGather { x, g, .. } => {
                    format!("max_pool2d_gather {} {}", label(x), label(g))
                }
                Kernel::Gather { x, index, .. } => format!("gather {} {}", label(x), label(index)),
                Kernel::AvgPool2d { x, .. } => format!("avg_pool2d {}", label(x)),
                Kernel::AvgPool2dSpread { dy, .. } => format!("avg_pool2d_spread {}", label(dy)),
                Kernel::Indexed { name, x, index, .. } => {
                    format!("{name} {} {}", label(x), label(index))
                }
                Kernel::Cumsum { x, reverse, .. } => {
                    format!("cumsum {}{}", label(x), if *reverse { " backwards" } else { "" })
                }
                // Listed above.
                Kernel::Scan(_) => String::new(),
                Kernel::Moves(moves) => {
                    let from: Vec<String> = moves.reads().iter().map(label).collect();
                    let among = if moves.zeros { ", zeros elsewhere" } else { "" };
                    format!("copy {}{among}", from.join(", "))
                }
            };
            for id in &step.writes {
                let (shape, place) = (show(self.graph.shape(*id)), self.place(*id));
                let end = if Some(id) == step.writes.last() { &format!(": {call}") } else { "" };
                let _ = writeln!(text, "  %{id}: {shape} -> {place}{end}");
            }
        }
        text
    }

    /// A loop: what it yields, and the steps of its body.
    fn scan(&self, scan: &Loop) -> String {
        let mut text = String::new();
        for (output, id) in &scan.values {
            let (shape, place) = (show(self.graph.shape(*id)), self.place(*id));
            let _ = writeln!(text, "  %{id}: {shape} -> {place}: {output} of `{}`", scan.name());
        }
        let given: Vec<String> = scan.inputs.iter().map(|id| self.graph.label(*id)).collect();
        let order = if scan.scan.reverse { " backwards" } else { "" };
        let length = &scan.scan.length;
        let _ = writeln!(
            text,
            "  for {length} steps{order} of `{}`({}):",
            scan.name(),
            given.join(", ")
        );
        for line in scan.body.listing(0..scan.body.steps.len()).lines() {
            let _ = writeln!(text, "  {line}");
        }
        text
    }

    fn place(&self, id: NodeId) -> String {
        match self.places.get(&id) {
            Some(Place::Param(offset)) => format!("params[{offset}]"),
            Some(Place::State(offset)) => format!("state[{offset}]"),
            Some(Place::Grad(offset)) => format!("grads[{offset}]"),
            Some(Place::Argument(i)) => format!("argument {i}"),
            _ => match self.offsets.get(&id) {
                Some(offset) => format!("workspace[{offset}]"),
                None => "nowhere".to_owned(),
            },
        }
    }
}

/// A product, and what is made of it unless that is the product itself.
fn fused(call: String, tree: &Tree, product: String) -> String {
    match tree.text == product {
        true => call,
        false => format!("{call}, then {}", tree.text),
    }
}
