//! The table of a network's layers.

use netform::module::Extent;
use netform::prelude::*;

network! {
    /// A small image classifier.
    pub Small: [1, 8, 8] -> [3] {
        conv: Conv2d(4, kernel = 3), Relu, MaxPool2d(2),
        Flatten,
        fc1: Linear(30), Dropout(0.1),
        Linear(3, bias = false),
    }
}

/// The cells of the table's row that begins with `first`.
fn cells(table: &str, first: &str) -> Vec<String> {
    let row = table.lines().find(|line| line.trim_start().starts_with(first));
    let row = row.unwrap_or_else(|| panic!("no row `{first}` in\n{table}"));
    row.split("   ").map(str::trim).filter(|cell| !cell.is_empty()).map(str::to_owned).collect()
}

#[test]
fn layers_shapes_and_totals() {
    let net = Small::<f32>::on(Cpu::with_threads(1), Seed(1)).unwrap();
    let table = net.summary().to_string();
    assert!(table.starts_with("Small: [1, 8, 8] -> [3], F32 on cpu (1 thread)\n"), "{table}");
    assert_eq!(cells(&table, "name"), ["name", "layer", "output", "parameters"]);
    assert_eq!(cells(&table, "conv"), ["conv", "Conv2d(4, kernel = 3)", "[4, 6, 6]", "40"]);
    assert_eq!(cells(&table, "Relu"), ["Relu", "[4, 6, 6]"]);
    assert_eq!(cells(&table, "MaxPool2d"), ["MaxPool2d(2)", "[4, 3, 3]"]);
    assert_eq!(cells(&table, "Flatten"), ["Flatten", "[36]"]);
    assert_eq!(cells(&table, "fc1"), ["fc1", "Linear(30)", "[30]", "1,110"]);
    assert_eq!(cells(&table, "Dropout"), ["Dropout(0.1)", "[30]"]);
    assert_eq!(cells(&table, "linear1"), ["linear1", "Linear(3, bias = false)", "[3]", "90"]);
    assert!(cells(&table, "parameters")[1].starts_with("1,240"), "{table}");
}

#[test]
fn numbers() {
    let net = Small::<f64>::on(Cpu::with_threads(2), Seed(1)).unwrap();
    let summary = net.summary();
    assert_eq!(summary.params, 40 + 1110 + 90);
    assert_eq!(summary.params, summary.layers.iter().map(|layer| layer.params).sum::<usize>());
    assert_eq!(summary.param_bytes, 8 * summary.params);
    assert_eq!(summary.infer_bytes, 8 * Small::<f64>::infer_workspace(Extent::of(1)));
    assert_eq!(
        summary.train_bytes,
        8 * (Small::<f64>::train_workspace(Extent::of(64)) + summary.params)
    );
    assert_eq!((summary.element, summary.device.as_str()), ("F64", "cpu (2 threads)"));
}
