//! That every function and layer that can be written has its gradients compared, as printed code.

use crate::layers;
use crate::lower::functions;
use crate::ops::scalar::TABLE;

/// Whether a text has a word, which is no part of a longer one, and what follows it.
fn has(text: &str, word: &str, then: &str) -> bool {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        let after = &text[at + word.len()..];
        !text[..at].ends_with(part) && !after.starts_with(part) && after.starts_with(then)
    })
}

#[test]
fn every_function_and_layer_has_a_case_that_runs() {
    // The workspace's tests are not part of this package.
    let tests = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests");
    let read = |name: &str| std::fs::read_to_string(format!("{tests}/{name}.rs")).unwrap();
    let text = read("derivatives") + &read("finite_differences");
    // A case of a row there has its gradients too, PyTorch's or differences of a formula.
    let references = read("reference_ops");
    let in_references = |name: &str| has(&references, name, "(") || has(&references, name, ": |");
    let rows = TABLE.iter().map(|row| row.name).filter(|name| !in_references(name));
    let calls = rows.chain(functions::names()).chain(["grad", "scan"]);
    let missing: Vec<&str> = calls
        .filter(|name| !has(&text, name, "("))
        .chain(layers::names().filter(|name| !has(&text, name, "")))
        .collect();
    assert!(missing.is_empty(), "without a case in tests/derivatives.rs: {missing:?}");
}

#[test]
fn every_function_and_layer_is_in_the_documentation() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../src/lib.rs");
    let text = std::fs::read_to_string(path).unwrap();
    let names = functions::names().chain(layers::names()).chain(["grad", "scan"]);
    let listed =
        |name: &str| ["`", "(", " {"].iter().any(|then| has(&text, &format!("`{name}"), then));
    let missing: Vec<&str> = names.filter(|name| !listed(name)).collect();
    assert!(missing.is_empty(), "not in the tables of src/lib.rs: {missing:?}");
}
