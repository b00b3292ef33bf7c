//! Scans: simple bodies, without the values that nothing reads and the inputs that nothing needs.

use std::rc::Rc;

use super::simplify;
use crate::graph::{Graph, NodeId};
use crate::ops::Op;
use crate::ops::scan::{Output, Scan, siblings};

/// The graph with less in its scans; `None` where there is nothing to gain. Equal scans must have been merged
/// before: what is left of them depends on who reads them.
pub fn pruned(graph: &Graph) -> Result<Option<Graph>, String> {
    let mut out = graph.clone();
    let mut gained = false;
    for id in 0..graph.nodes.len() {
        let values = siblings(graph, id, graph.nodes.len());
        let Op::Scan { scan, .. } = &graph.nodes[id].op else { continue };
        if values[0] != id {
            continue;
        }
        let (less, inputs, outputs) = reduced(scan, &read(graph, &values))?;
        if less.same(scan) {
            continue;
        }
        gained = true;
        let less = Rc::new(less);
        for &value in &values {
            let node = &mut out.nodes[value];
            let Op::Scan { output, .. } = &graph.nodes[value].op else { continue };
            let output = renumbered(scan, &less, *output, &outputs)?;
            node.op = Op::Scan { scan: less.clone(), output };
            node.inputs = inputs.iter().map(|i| graph.nodes[id].inputs[*i]).collect();
        }
    }
    Ok(gained.then_some(out))
}

/// The outputs of the body that some value comes from.
fn read(graph: &Graph, values: &[NodeId]) -> Vec<usize> {
    let source = |id: &NodeId| match &graph.nodes[*id].op {
        Op::Scan { scan, output } => Some(scan.source(*output)),
        _ => None,
    };
    values.iter().filter_map(source).collect()
}

/// The scan with what the outputs in `read` need, and which inputs and outputs of the body are left.
fn reduced(scan: &Scan, read: &[usize]) -> Result<(Scan, Vec<usize>, Vec<usize>), String> {
    let mut body = simplify(&scan.body)?;
    let mut outputs = vec![false; body.outputs.len()];
    read.iter().for_each(|i| outputs[*i] = true);
    // A carry that something needs is needed from step to step, with what it is computed from.
    let used = loop {
        let wanted: Vec<NodeId> = kept(&body.outputs, &outputs);
        let needed = body.ancestors(&wanted);
        let mut used = vec![false; body.inputs.len()];
        for (id, node) in body.nodes.iter().enumerate() {
            if let Op::Input(i) = node.op {
                used[i] |= needed[id];
            }
        }
        (0..scan.carries).for_each(|i| used[i] |= outputs[i]);
        let before = outputs.clone();
        (0..scan.carries).for_each(|i| outputs[i] |= used[i]);
        if before == outputs {
            break used;
        }
    };
    let count = |flags: &[bool]| flags.iter().filter(|flag| **flag).count();
    let (n, m, p) = (scan.carries, scan.stacked, scan.kept);
    let counts = [count(&used[..n]), count(&used[n..n + m]), count(&outputs[n..n + p])];
    body.outputs = kept(&body.outputs, &outputs);
    body.inputs = kept(&body.inputs, &used);
    body = without_dead(&body, &used);
    let less = Scan::new(body, scan.length.clone(), scan.reverse, counts)?;
    let places = |flags: &[bool]| (0..flags.len()).filter(|i| flags[*i]).collect();
    Ok((less, places(&used), places(&outputs)))
}

fn kept<T: Clone>(items: &[T], flags: &[bool]) -> Vec<T> {
    let kept = items.iter().zip(flags).filter(|(_, flag)| **flag);
    kept.map(|(item, _)| item.clone()).collect()
}

/// The nodes that outputs need, with inputs numbered as `used` leaves them.
fn without_dead(body: &Graph, used: &[bool]) -> Graph {
    let needed = body.ancestors(&body.outputs);
    let mut out = Graph { nodes: vec![], outputs: vec![], ..body.clone() };
    let mut map = vec![usize::MAX; body.nodes.len()];
    for (id, node) in body.nodes.iter().enumerate().filter(|(id, _)| needed[*id]) {
        let mut node = node.clone();
        node.inputs.iter_mut().for_each(|input| *input = map[*input]);
        if let Op::Input(i) = &mut node.op {
            *i = used[..*i].iter().filter(|flag| **flag).count();
        }
        out.nodes.push(node);
        map[id] = out.nodes.len() - 1;
    }
    out.outputs = body.outputs.iter().map(|id| map[*id]).collect();
    out
}

/// A value of the scan as one of what is left of it.
fn renumbered(
    scan: &Scan,
    less: &Scan,
    output: Output,
    outputs: &[usize],
) -> Result<Output, String> {
    let place = outputs.iter().position(|i| *i == scan.source(output));
    let place = place.ok_or_else(|| format!("`{}` lost its {output}", scan.body.name))?;
    Ok(match output {
        Output::Last(_) => Output::Last(place),
        Output::Before(_) => Output::Before(place),
        Output::Kept(_) => Output::Kept(place - less.carries),
        Output::Sum(_) => Output::Sum(place - less.carries - less.kept),
    })
}
