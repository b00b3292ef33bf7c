//! What mistakes look like: each case below `trybuild/` must fail to compile, with the text beside it.
//!
//! `TRYBUILD=overwrite cargo test --test compile_fail` writes the texts anew.

use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn mistakes_do_not_compile() {
    // Only cases that fail: with one that passes, trybuild runs `cargo build`, and a mistake must be found
    // by `cargo check`.
    trybuild::TestCases::new().compile_fail("trybuild/*/*.rs");
}

/// Names that only the authors of netform know.
const INTERNAL: &[&str] =
    &["typenum", "UInt", "UTerm", "B0", "B1", "Never", "Digits<", "`__", "::__"];

#[test]
fn each_message_is_one_error_without_internals() {
    let texts = texts(Path::new("trybuild"));
    assert!(texts.len() >= 20, "found only {} cases", texts.len());
    for (path, text) in texts {
        let path = path.display();
        let errors = text.lines().filter(|line| line.starts_with("error")).count();
        assert_eq!(errors, 1, "{path}: one mistake is {errors} errors");
        assert!(!text.contains("warning"), "{path}: a warning beside the error");
        for word in INTERNAL {
            assert!(!text.contains(word), "{path} says `{word}`");
        }
        let head = text.lines().next().unwrap_or_default();
        assert!(head.len() < 400, "{path}: a long first line");
        assert!(points_at_tokens(&text), "{path}: the caret is under the whole macro call");
    }
}

/// Whether the first caret of a text is on one line, as it is under a layer or an argument.
fn points_at_tokens(text: &str) -> bool {
    let snippet = text.lines().skip(2).take_while(|line| line.contains('|'));
    !snippet.filter(|line| line.contains("network! {")).any(|line| line.contains("| / "))
}

/// Every committed text, by path.
fn texts(folder: &Path) -> Vec<(PathBuf, String)> {
    let entries =
        fs::read_dir(folder).expect("a folder of cases").map(|entry| entry.expect("an entry"));
    let read = |path: PathBuf| match path.is_dir() {
        true => texts(&path),
        false if path.extension().is_some_and(|end| end == "stderr") => {
            let text = fs::read_to_string(&path).expect("a text");
            vec![(path, text)]
        }
        false => vec![],
    };
    entries.flat_map(|entry| read(entry.path())).collect()
}
