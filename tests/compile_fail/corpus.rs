//! The cases: programs with a mistake, each with a header that says what it is and how it is mended, and with
//! the text that the user sees.

use std::fs;
use std::path::Path;

use super::kinds::{KINDS, Kind};

/// A program that must not compile.
pub struct Case {
    pub kind: &'static Kind,
    /// `chain_shapes/channels`
    pub path: String,
    /// What the mistake is, in a sentence.
    pub mistake: String,
    /// How it is mended.
    pub fix: String,
    /// Whether `docs/errors.md` shows it in full.
    pub shown: bool,
    /// The program, with its header.
    pub source: String,
    /// What rustc prints.
    pub text: String,
}

const SHOWN: &str = "In full in docs/errors.md.";

impl Case {
    /// A case of the texts of its two files.
    ///
    /// # Panics
    /// If the header does not say what is wrong and how it is mended.
    pub fn new(kind: &'static Kind, path: String, source: String, text: String) -> Self {
        let header: Vec<&str> =
            source.lines().map_while(|line| line.strip_prefix("//! ")).collect();
        let shown = header.last().is_some_and(|line| *line == SHOWN);
        let said = header[..header.len() - usize::from(shown)].join(" ");
        let (mistake, fix) = said.split_once(" Fix: ").unwrap_or_else(|| {
            panic!("{path}: the header says `//! <what is wrong>`, `//! Fix: <how to mend it>`")
        });
        assert!(mistake.ends_with('.'), "{path}: what is wrong is a sentence");
        Case { kind, path, mistake: mistake.to_owned(), fix: fix.to_owned(), shown, source, text }
    }

    /// The program without what every case has: the header, documentation, and a `main` that only makes the network.
    pub fn program(&self) -> String {
        let program = self.source.lines().find(|line| !line.starts_with("//!") && !line.is_empty());
        let start = program.and_then(|line| self.source.find(&format!("\n{line}"))).unwrap_or(0);
        let program = self.source[start..].trim();
        let program = program.strip_prefix("use netform::prelude::*;").unwrap_or(program);
        let plain = ["fn main() {}", "fn main() {\n    let _ = Net::new(Seed(0));\n}"];
        let program =
            plain.iter().find_map(|main| program.strip_suffix(main)).unwrap_or(program).trim();
        let lines = program.lines().filter(|line| !line.trim_start().starts_with("/// A "));
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// All cases, by kind and name.
pub fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = KINDS.iter().flat_map(of_kind).collect();
    cases.sort_by_key(|case| {
        (KINDS.iter().position(|kind| kind.folder == case.kind.folder), case.path.clone())
    });
    let folders = fs::read_dir("trybuild").expect("the folder of cases").count();
    assert_eq!(folders, KINDS.len(), "each folder of `trybuild` is a kind of mistake");
    cases
}

fn of_kind(kind: &'static Kind) -> Vec<Case> {
    let folder = Path::new("trybuild").join(kind.folder);
    let entries = fs::read_dir(&folder).unwrap_or_else(|_| panic!("{}", folder.display()));
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let programs = paths.filter(|path| path.extension().is_some_and(|end| end == "rs"));
    let read = |path: &Path| fs::read_to_string(path).unwrap_or_default();
    programs
        .map(|path| {
            let name = path.file_stem().expect("a name").to_string_lossy();
            let name = format!("{}/{name}", kind.folder);
            Case::new(kind, name, read(&path), read(&path.with_extension("stderr")))
        })
        .collect()
}
