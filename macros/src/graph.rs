//! The graph between stages: nodes in topological order, each with its op and the shape that the op's
//! rule gives it.

use std::fmt::Write;
use std::rc::Rc;

use crate::ops::Op;
use crate::shape::{ConstExpr, Dim, Shape, show};

/// The index of a node in its graph.
pub type NodeId = usize;

/// One value.
#[derive(Clone)]
pub struct Node {
    pub op: Op,
    pub inputs: Vec<NodeId>,
    pub shape: Shape,
    /// u32 instead of a float.
    pub integer: bool,
}

impl Node {
    /// The sizes in it: those of its shape, and those of its op.
    pub fn dims(&self) -> impl Iterator<Item = &Dim> {
        self.shape.iter().chain(self.op.dims())
    }
}

/// An input or a parameter.
#[derive(Clone)]
pub struct Port {
    pub name: String,
    pub shape: Shape,
    pub integer: bool,
}

/// A function of its inputs and parameters.
#[derive(Clone, Default)]
pub struct Graph {
    pub name: String,
    pub inputs: Vec<Port>,
    pub params: Vec<Port>,
    /// What steps change and no gradient reaches.
    pub states: Vec<Port>,
    /// The names of run-time settings.
    pub settings: Vec<String>,
    pub nodes: Vec<Node>,
    pub outputs: Vec<NodeId>,
    /// The gradient of the only input, from that input and the gradient of the only output, where there is
    /// a better way than that of the single ops.
    pub derivative: Option<Rc<Graph>>,
}

impl Graph {
    pub fn new(name: impl Into<String>) -> Self {
        Graph { name: name.into(), ..Graph::default() }
    }

    /// Appends a node, with the shape of its op's rule. The message of an error names shapes, not layers:
    /// the caller knows those.
    pub fn push(&mut self, op: Op, inputs: &[NodeId]) -> Result<NodeId, String> {
        let shape = op.shape(self, inputs)?;
        let integer = op.integer(self, inputs);
        self.nodes.push(Node { op, inputs: inputs.to_vec(), shape, integer });
        Ok(self.nodes.len() - 1)
    }

    pub fn input(&mut self, name: &str, shape: Shape, integer: bool) -> NodeId {
        self.inputs.push(Port { name: name.to_owned(), shape: shape.clone(), integer });
        let op = Op::Input(self.inputs.len() - 1);
        self.nodes.push(Node { op, inputs: vec![], shape, integer });
        self.nodes.len() - 1
    }

    pub fn param(&mut self, name: &str, shape: Shape) -> NodeId {
        self.params.push(Port { name: name.to_owned(), shape: shape.clone(), integer: false });
        let op = Op::Param(self.params.len() - 1);
        self.nodes.push(Node { op, inputs: vec![], shape, integer: false });
        self.nodes.len() - 1
    }

    pub fn state(&mut self, name: &str, shape: Shape) -> NodeId {
        self.states.push(Port { name: name.to_owned(), shape: shape.clone(), integer: false });
        self.leaf(Op::State(self.states.len() - 1), shape)
    }

    /// A number that is set at run time.
    pub fn setting(&mut self, name: &str) -> NodeId {
        self.settings.push(name.to_owned());
        self.leaf(Op::Setting(self.settings.len() - 1), vec![])
    }

    /// A constant of the user's, as a number.
    pub fn number(&mut self, constant: ConstExpr) -> NodeId {
        self.leaf(Op::Number(constant), vec![])
    }

    pub fn shape(&self, id: NodeId) -> &Shape {
        &self.nodes[id].shape
    }

    /// A number.
    pub fn constant(&mut self, value: f64) -> NodeId {
        self.leaf(Op::Const(value.to_bits()), vec![])
    }

    /// A size as a number.
    pub fn size(&mut self, dim: Dim) -> NodeId {
        self.leaf(Op::Size(dim), vec![])
    }

    fn leaf(&mut self, op: Op, shape: Shape) -> NodeId {
        self.nodes.push(Node { op, inputs: vec![], shape, integer: false });
        self.nodes.len() - 1
    }

    /// The same elements in another shape; nothing where the shape is the same.
    pub fn reshape(&mut self, x: NodeId, shape: Shape) -> Result<NodeId, String> {
        if *self.shape(x) == shape { Ok(x) } else { self.push(Op::Reshape(shape), &[x]) }
    }

    /// The value repeated to a shape that it broadcasts to; nothing where the shape is the same.
    pub fn broadcast(&mut self, x: NodeId, shape: Shape) -> Result<NodeId, String> {
        if *self.shape(x) == shape { Ok(x) } else { self.push(Op::Broadcast(shape), &[x]) }
    }

    /// A scalar op by its name in the table.
    pub fn scalar(&mut self, name: &str, inputs: &[NodeId]) -> Result<NodeId, String> {
        let row = crate::ops::scalar::find(name).ok_or_else(|| format!("no scalar op `{name}`"))?;
        self.push(Op::Scalar(row), inputs)
    }

    /// Which nodes the given ones depend on, themselves included.
    pub fn ancestors(&self, of: &[NodeId]) -> Vec<bool> {
        let mut needed = vec![false; self.nodes.len()];
        for &id in of {
            needed[id] = true;
        }
        for id in (0..self.nodes.len()).rev() {
            if needed[id] {
                for &input in &self.nodes[id].inputs {
                    needed[input] = true;
                }
            }
        }
        needed
    }

    /// That every node stands after its inputs and has the shape that its op's rule gives it: run
    /// after every transformation.
    pub fn check(&self) -> Result<(), String> {
        for (id, node) in self.nodes.iter().enumerate() {
            let late = node.inputs.iter().find(|input| **input >= id);
            if let Some(input) = late {
                return Err(format!(
                    "graph `{}`: %{id} uses %{input}, which is not before it",
                    self.name
                ));
            }
            let shape = node.op.shape(self, &node.inputs)?;
            let declared = matches!(node.op, Op::Input(_) | Op::Param(_) | Op::State(_));
            if !declared && shape != node.shape {
                let (found, expected) = (show(&node.shape), show(&shape));
                return Err(format!(
                    "graph `{}`: %{id} has shape {found}, its op gives {expected}",
                    self.name
                ));
            }
        }
        match self.outputs.iter().find(|id| **id >= self.nodes.len()) {
            Some(id) => Err(format!("graph `{}`: output %{id} does not exist", self.name)),
            None => Ok(()),
        }
    }

    /// Replaces every call by the nodes of the graph that it calls.
    pub fn inline(&self) -> Result<Graph, String> {
        let mut flat = Graph { nodes: vec![], outputs: vec![], ..self.clone() };
        let map = flat.splice(self, None)?;
        flat.outputs = self.outputs.iter().map(|id| map[*id]).collect();
        Ok(flat)
    }

    /// Appends the nodes of `other`; its inputs are `arguments`, or stay inputs. Calls are replaced, in bodies
    /// of scans too.
    pub fn splice(
        &mut self,
        other: &Graph,
        arguments: Option<&[NodeId]>,
    ) -> Result<Vec<NodeId>, String> {
        let mut map = Vec::with_capacity(other.nodes.len());
        for node in &other.nodes {
            let inputs: Vec<NodeId> = node.inputs.iter().map(|id| map[*id]).collect();
            let id = match (&node.op, arguments) {
                (Op::Input(i), Some(arguments)) => arguments[*i],
                (Op::Call { graph, output }, _) => {
                    let called: Rc<Graph> = graph.clone();
                    let inner = self.splice(&called, Some(&inputs))?;
                    inner[called.outputs[*output]]
                }
                (Op::Scan { scan, output }, _) => {
                    let scan = Rc::new(scan.with_body(scan.body.inline()?)?);
                    let op = Op::Scan { scan, output: *output };
                    self.nodes.push(Node { op, inputs, ..node.clone() });
                    self.nodes.len() - 1
                }
                _ => {
                    self.nodes.push(Node { inputs, ..node.clone() });
                    self.nodes.len() - 1
                }
            };
            map.push(id);
        }
        Ok(map)
    }

    /// The name of a node in listings: inputs and parameters by theirs.
    pub fn label(&self, id: NodeId) -> String {
        match &self.nodes[id].op {
            Op::Input(i) => self.inputs[*i].name.clone(),
            Op::Param(i) => self.params[*i].name.clone(),
            Op::State(i) => self.states[*i].name.clone(),
            Op::Setting(i) => self.settings[*i].clone(),
            Op::Number(constant) => constant.text.clone(),
            Op::Const(bits) => format!("{}", f64::from_bits(*bits)),
            Op::Size(dim) => dim.to_string(),
            _ => format!("%{id}"),
        }
    }

    /// One node a line.
    pub fn listing(&self) -> String {
        let mut text = String::new();
        for (id, node) in self.nodes.iter().enumerate() {
            if node.inputs.is_empty() && !matches!(node.op, Op::Coordinate(_) | Op::Uniform { .. })
            {
                continue;
            }
            let inputs: Vec<String> = node.inputs.iter().map(|input| self.label(*input)).collect();
            let op = node.op.to_string();
            let _ = writeln!(text, "  %{id}: {} = {op}({})", show(&node.shape), inputs.join(", "));
        }
        text
    }
}
