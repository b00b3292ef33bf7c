//! What a value ends in, where that says what it is: probabilities, or logarithms of these.

use crate::graph::{Graph, NodeId};
use crate::ops::Op;
use crate::ops::reduce::Fold;

/// What numbers are that tell classes apart: a variant of `Outputs` of netform-core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    Probabilities,
    LogProbabilities,
}

impl Graph {
    /// A sigmoid or a softmax, or the logarithm of one, whatever moves its elements afterwards.
    pub fn ending(&self, id: NodeId) -> Option<Ending> {
        let node = &self.nodes[id];
        match (&node.op, &node.inputs[..]) {
            (Op::Call { graph, output }, _) => graph.ending(graph.outputs[*output]),
            (
                Op::Reshape(_)
                | Op::Permute(_)
                | Op::Slice { .. }
                | Op::Flip(_)
                | Op::Contiguous
                | Op::StopGradient
                | Op::ClipGradient(_),
                [x],
            ) => self.ending(*x),
            (Op::Scalar(row), inputs) => match (row.name, inputs) {
                ("sigmoid", _) => Some(Ending::Probabilities),
                ("log_sigmoid", _) => Some(Ending::LogProbabilities),
                // e^x / sum of e^x
                ("div", &[e, sum]) if self.is_exp(e) && self.summed(sum) == Some(e) => {
                    Some(Ending::Probabilities)
                }
                // x - ln(sum of e^x)
                ("sub", &[x, ln]) => {
                    let sum = self.of("ln", ln)?;
                    let of = self.of("exp", self.summed(sum)?)?;
                    (of == x).then_some(Ending::LogProbabilities)
                }
                _ => None,
            },
            _ => None,
        }
    }

    fn is_exp(&self, id: NodeId) -> bool {
        self.of("exp", id).is_some()
    }

    /// What a scalar op of one input is applied to, if the value is one of that op.
    fn of(&self, name: &str, id: NodeId) -> Option<NodeId> {
        let node = &self.nodes[id];
        match (&node.op, &node.inputs[..]) {
            (Op::Scalar(row), [x]) if row.name == name => Some(*x),
            _ => None,
        }
    }

    /// What is summed, if the value is a sum.
    fn summed(&self, id: NodeId) -> Option<NodeId> {
        let node = &self.nodes[id];
        match (&node.op, &node.inputs[..]) {
            (Op::Reduce { fold: Fold::Sum, .. }, [x]) => Some(*x),
            _ => None,
        }
    }
}
