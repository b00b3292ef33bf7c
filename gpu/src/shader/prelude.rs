//! The functions of WGSL that a kernel's text calls, and those that they call.

use std::sync::LazyLock;

/// A function with its comment.
struct Function {
    name: &'static str,
    text: &'static str,
}

/// The functions of the prelude, in its order.
static FUNCTIONS: LazyLock<Vec<Function>> = LazyLock::new(|| {
    let text = include_str!("prelude.wgsl");
    let heads: Vec<usize> = text.match_indices("\nfn ").map(|(i, _)| i + 1).collect();
    let ends = heads.iter().skip(1).copied().chain([text.len()]);
    let functions = heads.iter().zip(ends).filter_map(|(&head, end)| {
        let body = &text[head..end];
        // What follows is the comment of the next one.
        let body = &body[..body.rfind("\n}\n")? + 3];
        let name = body.strip_prefix("fn ")?.split('(').next()?;
        Some(Function { name, text: body })
    });
    functions.collect()
});

/// Whether a text calls a function.
fn calls(text: &str, name: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(name)
        .any(|(i, _)| text[i + name.len()..].starts_with('(') && !text[..i].ends_with(is_part))
}

/// The functions that texts need.
pub(super) fn for_text(texts: &[&str]) -> String {
    let mut needed: Vec<bool> =
        FUNCTIONS.iter().map(|f| texts.iter().any(|text| calls(text, f.name))).collect();
    loop {
        let more = (0..needed.len()).find(|&i| {
            let by = |(j, caller): (usize, &Function)| {
                needed[j] && calls(caller.text, FUNCTIONS[i].name)
            };
            !needed[i] && FUNCTIONS.iter().enumerate().any(by)
        });
        match more {
            Some(i) => needed[i] = true,
            None => break,
        }
    }
    let chosen = FUNCTIONS.iter().zip(&needed).filter(|(_, needed)| **needed);
    chosen.map(|(function, _)| function.text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_called_is_there_once_and_nothing_else() {
        let text = for_text(&["let y = softplus(sigmoid(a0));"]);
        for name in ["softplus", "sigmoid", "exp", "log1p_near_zero", "is_nan"] {
            assert_eq!(text.matches(&format!("fn {name}(")).count(), 1, "{name}");
        }
        for name in ["pow", "log", "log1p", "expm1", "philox"] {
            assert!(!text.contains(&format!("fn {name}(")), "{name}");
        }
        assert_eq!(for_text(&["a0 + b"]), "");
    }

    #[test]
    fn the_whole_prelude_compiles() {
        let all: Vec<String> = FUNCTIONS.iter().map(|f| f.text.to_owned()).collect();
        let text = format!(
            "@group(0) @binding(0) var<storage, read> numbers: array<u32>;\n{}\n@compute @workgroup_size(1) fn main() {{}}",
            all.concat()
        );
        super::super::compile::compile(&text).unwrap();
        assert!(FUNCTIONS.iter().any(|f| f.name == "uniform_number"));
    }
}
