//! The table of a network's layers, with their shapes, parameters and memory.

use std::fmt;

use crate::device::Memory;
use crate::element::Element;
use crate::module::{Extent, Module, PortAxis, PortSpec};
use crate::network::LayerSpec;

/// The batch size for which the memory of a training step is stated.
const TRAINING_BATCH: usize = 64;

/// What a network consists of; `{}` prints it as a table.
///
/// ```text
/// Digits: [1, 28, 28] -> [10], F32 on CPU
///
/// name   layer         output   parameters
/// fc1    Linear(120)   [120]        48,120
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// The network's name.
    pub network: &'static str,
    /// The device's name.
    pub device: String,
    /// The element type's name.
    pub element: &'static str,
    /// The shape of one input sample as text; names and shapes where there are several inputs.
    pub input: String,
    /// The shape of one output sample as text; a tuple where there are several outputs.
    pub output: String,
    /// The layers, in the order of the declaration.
    pub layers: &'static [LayerSpec],
    /// The number of parameters.
    pub params: usize,
    /// The bytes of the parameters.
    pub param_bytes: usize,
    /// The bytes of workspace that inference of one sample needs; of length 1 where lengths are known only at
    /// run time.
    pub infer_bytes: usize,
    /// The bytes of workspace and gradients that a training step on 64 samples needs, without the
    /// optimiser's state and the loss.
    pub train_bytes: usize,
}

impl Summary {
    /// The summary of `net`.
    pub fn of<N: Module>(net: &N) -> Self {
        let batch = Extent { batch: TRAINING_BATCH, ..Extent::unit() };
        let size = size_of::<N::Elem>();
        Summary {
            network: N::NAME,
            device: net.store().device.name(),
            element: N::Elem::NAME,
            input: named(N::INPUTS),
            output: tuple(N::OUTPUTS),
            layers: N::LAYERS,
            params: N::PARAM_LEN,
            param_bytes: N::PARAM_LEN * size,
            infer_bytes: N::infer_workspace(Extent::unit()) * size,
            train_bytes: (N::train_workspace(batch) + N::PARAM_LEN) * size,
        }
    }
}

/// The shape of the only input, or the names and shapes of all.
fn named(ports: &[PortSpec]) -> String {
    if let [port] = ports {
        return port.to_string();
    }
    let ports: Vec<String> = ports.iter().map(|port| format!("{}: {port}", port.name)).collect();
    format!("({})", ports.join(", "))
}

/// The shape of the only output, or of all.
fn tuple(ports: &[PortSpec]) -> String {
    if let [port] = ports {
        return port.to_string();
    }
    let ports: Vec<String> = ports.iter().map(PortSpec::to_string).collect();
    format!("({})", ports.join(", "))
}

fn describe(axes: &'static [PortAxis]) -> String {
    PortSpec { name: "", axes, integer: false }.to_string()
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Summary { network, device, element, input, output, .. } = self;
        writeln!(f, "{network}: {input} -> {output}, {element} on {device}\n")?;
        let rows: Vec<[String; 4]> = self.layers.iter().map(row).collect();
        table(f, &["name", "layer", "output", "parameters"], &rows, 3)?;
        writeln!(f)?;
        let totals = [
            ("parameters", self.params, self.param_bytes),
            ("workspace of inference, 1 sample", 0, self.infer_bytes),
            ("workspace and gradients of a training step, batch 64", 0, self.train_bytes),
        ];
        let width = totals.iter().map(|(text, ..)| text.len()).max().unwrap_or(0);
        for (text, count, size) in totals {
            let count = if count == 0 { String::new() } else { format!("{}, ", thousands(count)) };
            writeln!(f, "{text:width$}   {count}{}", bytes(size))?;
        }
        Ok(())
    }
}

fn row(layer: &LayerSpec) -> [String; 4] {
    let params = if layer.params == 0 { String::new() } else { thousands(layer.params) };
    [layer.name.to_owned(), layer.text.to_owned(), describe(layer.output), params]
}

/// Rows under a heading, each column as wide as its widest entry; columns from `right` on are flush right.
pub(crate) fn table<R: AsRef<[String]>>(
    f: &mut fmt::Formatter<'_>,
    heading: &[&str],
    rows: &[R],
    right: usize,
) -> fmt::Result {
    let width = |(i, heading): (usize, &&str)| {
        let widest = rows.iter().map(|row| row.as_ref()[i].chars().count()).max().unwrap_or(0);
        widest.max(heading.chars().count())
    };
    let widths: Vec<usize> = heading.iter().enumerate().map(width).collect();
    let mut line = |cells: &[&str]| {
        let cells: Vec<String> = cells
            .iter()
            .enumerate()
            .map(|(i, cell)| match i < right {
                true => format!("{cell:<width$}", width = widths[i]),
                false => format!("{cell:>width$}", width = widths[i]),
            })
            .collect();
        writeln!(f, "{}", cells.join("   ").trim_end())
    };
    line(heading)?;
    rows.iter().try_for_each(|row| {
        let cells: Vec<&str> = row.as_ref().iter().map(String::as_str).collect();
        line(&cells)
    })
}

/// A number with a comma after every three digits.
pub(crate) fn thousands(n: usize) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number of bytes to three or four digits in the unit that suits it.
fn bytes(n: usize) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if n < 1024 {
        return format!("{n} bytes");
    }
    let mut size = n as f64 / 1024.0;
    let mut unit = 0;
    while size >= 1024.0 && unit + 1 < UNITS.len() {
        size /= 1024.0;
        unit += 1;
    }
    format!("{size:.1} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        assert_eq!([0, 999, 1000, 1234567].map(thousands), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(
            [12, 2048, 5 << 20, 3 << 40].map(bytes),
            ["12 bytes", "2.0 KiB", "5.0 MiB", "3.0 TiB"]
        );
    }

    #[test]
    fn of_a_network() {
        use crate::{cpu::Cpu, network::build, random::Seed, testing::Line};
        let net: Line<f64> = build(Cpu::default(), Seed(1)).unwrap();
        let summary = net.summary();
        assert_eq!((summary.network, summary.element, summary.params), ("Line", "F64", 3));
        assert_eq!((summary.param_bytes, summary.infer_bytes), (24, 0));
        assert_eq!(summary.train_bytes, (2 * 64 + 3) * 8);
    }

    #[test]
    fn columns_are_aligned() {
        let layer = |name, text, output: &[usize], params| {
            let output: Vec<PortAxis> = output.iter().map(|n| PortAxis::Size(*n)).collect();
            LayerSpec { name, text, output: output.leak(), params }
        };
        let layers: &'static [LayerSpec] = Box::leak(Box::new([
            layer("conv1", "Conv2d(6, kernel = 5)", &[6, 28, 28], 156),
            layer("", "Relu", &[6, 28, 28], 0),
            layer("fc1", "Linear(120)", &[120], 48_120),
        ]));
        let summary = Summary {
            network: "Digits",
            device: "CPU".to_owned(),
            element: "F32",
            input: "[1, 28, 28]".to_owned(),
            output: "[120]".to_owned(),
            layers,
            params: 48_276,
            param_bytes: 193_104,
            infer_bytes: 40_960,
            train_bytes: 3 << 20,
        };
        let expected = "\
Digits: [1, 28, 28] -> [120], F32 on CPU

name    layer                   output        parameters
conv1   Conv2d(6, kernel = 5)   [6, 28, 28]          156
        Relu                    [6, 28, 28]
fc1     Linear(120)             [120]             48,120

parameters                                             48,276, 188.6 KiB
workspace of inference, 1 sample                       40.0 KiB
workspace and gradients of a training step, batch 64   3.0 MiB
";
        assert_eq!(summary.to_string(), expected);
    }
}
