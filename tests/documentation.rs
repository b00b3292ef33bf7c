//! That the documentation holds together: links lead somewhere, the book has every page, programs in it are compiled, and
//! what CONTRIBUTING.md shows as changes is in the code.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use netform::network;

network! {
    /// The network that docs/inside.md follows.
    pub Iris: [4] -> [3] {
        fc1: Linear(16), Relu,
        fc2: Linear(3),
    }
}

/// Pages whose programs other tests compile: those of trybuild.
const NOT_RUN: &[&str] = &["docs/errors.md"];

/// What is ours and needs a feature, a variable of the environment or a file.
const NOT_CALLED: &[&str] = &["ImageFolder", "images", "include_bytes!", "NETFORM_THREADS=2"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// The files of a folder and those below it that end in `.md`, relative to the repository.
fn pages_in(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root().join(folder)).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{folder}/{}", entry.file_name().to_str().unwrap());
        match entry.file_type().unwrap().is_dir() {
            true => found.extend(pages_in(&path)),
            false if path.ends_with(".md") => found.push(path),
            false => {}
        }
    }
    found.sort();
    found
}

fn pages() -> Vec<String> {
    let mut all = pages_in("docs");
    let others = ["README", "CONTRIBUTING", "CHANGELOG", "examples/data/README"];
    let packages = ["macros/README", "core/README", "gpu/README"];
    all.extend(others.iter().chain(&packages).map(|name| format!("{name}.md")));
    all
}

#[test]
fn the_plan_in_the_book_is_the_plan() {
    let page = read("docs/inside.md");
    let values = lines(&page).into_iter().filter(|(block, _)| *block == Some("text"));
    let values: Vec<&str> =
        values.map(|(_, line)| line).filter(|line| line.starts_with("  %")).collect();
    let plan: BTreeSet<&str> = Iris::<f32>::PLAN.lines().collect();
    let other: Vec<&&str> = values.iter().filter(|line| !plan.contains(**line)).collect();
    assert!(other.is_empty(), "{other:#?}");
    assert!(values.len() > 15);
}

/// The lines of a page, each with the language of the block of code that it is in.
fn lines(text: &str) -> Vec<(Option<&str>, &str)> {
    let mut block = None;
    let mut found = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix("```"), block) {
            (Some(language), None) => block = Some(language),
            (Some(_), Some(_)) => block = None,
            (None, _) => found.push((block, line)),
        }
    }
    found
}

/// A line without what is between backticks.
fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect()
}

/// Where the links of a page lead.
fn links(text: &str) -> Vec<String> {
    let prose = lines(text).into_iter().filter(|(block, _)| block.is_none());
    let mut found = Vec::new();
    for (_, line) in prose {
        let line = without_code(line);
        let targets = line.split("](").skip(1);
        found.extend(targets.filter_map(|rest| Some(rest.split_once(')')?.0.to_owned())));
    }
    found
}

/// The anchors of a page's headings, as GitHub and mdbook make them.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings =
        lines(text).into_iter().filter(|(block, line)| block.is_none() && line.starts_with('#'));
    headings
        .map(|(_, line)| {
            let title = line.trim_start_matches('#').trim().to_lowercase();
            let kept = title.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        })
        .collect()
}

/// What is wrong with a link of a page.
fn fault(page: &str, link: &str) -> Option<String> {
    if link.contains("://") {
        return None;
    }
    let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
    let target: PathBuf = match path {
        "" => root().join(page),
        path => root().join(page).parent()?.join(path),
    };
    if !target.exists() {
        return Some(format!("{page}: there is no {path}"));
    }
    let known = anchor.is_empty() || anchors(&fs::read_to_string(&target).ok()?).contains(anchor);
    (!known).then(|| format!("{page}: {path} has no heading #{anchor}"))
}

#[test]
fn links_lead_somewhere() {
    let mut count = 0;
    let mut faults = Vec::new();
    for page in pages() {
        for link in links(&read(&page)) {
            count += 1;
            faults.extend(fault(&page, &link));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(count > 100, "only {count} links were found");
}

#[test]
fn a_link_that_leads_nowhere_is_found() {
    let text =
        "[a](no.md) `[b](code.md)` [c](errors.md#layers-of-a-chain)\n```text\n[d](block.md)\n```";
    assert_eq!(links(text), ["no.md", "errors.md#layers-of-a-chain"]);
    assert!(fault("docs/x.md", "no.md").is_some());
    assert!(fault("docs/x.md", "errors.md#no").is_some());
    assert_eq!(fault("docs/x.md", "errors.md#layers-of-a-chain"), None);
}

#[test]
fn the_book_has_every_page() {
    let listed: BTreeSet<String> =
        links(&read("docs/SUMMARY.md")).iter().map(|link| format!("docs/{link}")).collect();
    let there: BTreeSet<String> =
        pages_in("docs").into_iter().filter(|path| path != "docs/SUMMARY.md").collect();
    assert_eq!(listed, there, "docs/SUMMARY.md and the pages in docs");
}

#[test]
fn programs_of_the_book_are_compiled() {
    let run = read("src/pages.rs");
    let has_programs = |page: &String| {
        lines(&read(page)).iter().any(|(block, _)| block.is_some_and(|it| it.starts_with("rust")))
    };
    let missing: Vec<String> = pages_in("docs")
        .into_iter()
        .filter(|page| has_programs(page) && !NOT_RUN.contains(&page.as_str()))
        .filter(|page| !run.contains(&format!("\"{page}\"")))
        .collect();
    assert!(missing.is_empty(), "programs that src/pages.rs does not name: {missing:?}");
}

/// The cells of the right column of a page's tables.
fn right_cells(text: &str) -> Vec<String> {
    let rows =
        lines(text).into_iter().filter(|(block, line)| block.is_none() && line.starts_with('|'));
    rows.filter_map(|(_, line)| {
        Some(line.trim_matches('|').rsplit_once(" | ")?.1.trim().to_owned())
    })
    .collect()
}

/// Spaces as one, so that a call may be broken into lines.
fn joined(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace(" .", ".")
}

#[test]
fn what_is_ours_beside_other_frameworks_is_compiled() {
    let page = read("docs/coming_from.md");
    let programs: Vec<&str> = lines(&page)
        .into_iter()
        .filter(|(block, _)| *block == Some("rust"))
        .map(|(_, line)| line.strip_prefix("# ").unwrap_or(line))
        .collect();
    let programs = joined(&programs.join("\n"));
    let mut count = 0;
    let mut missing = Vec::new();
    for cell in right_cells(&page) {
        // `||` is an or; in a table it would end the cell.
        let calls: Vec<String> =
            cell.split('`').skip(1).step_by(2).map(|call| call.replace("\\|", "|")).collect();
        count += usize::from(!calls.is_empty());
        let compiled =
            |call: &String| NOT_CALLED.contains(&call.as_str()) || programs.contains(&joined(call));
        missing.extend(calls.into_iter().filter(|call| !compiled(call)));
    }
    assert!(missing.is_empty(), "in no program of the page:\n{}", missing.join("\n"));
    assert!(count >= 60, "{count} rows have a call of ours");
}

#[test]
fn changes_in_contributing_are_in_the_code() {
    let page = read("CONTRIBUTING.md");
    let (mut file, mut count, mut missing) = (None, 0, Vec::new());
    for (block, line) in lines(&page) {
        if block != Some("diff") {
            continue;
        }
        if let Some(path) = line.strip_prefix("+++ b/") {
            file = Some((path, read(path)));
        } else if let Some(added) = line.strip_prefix('+') {
            let (path, text) = file.as_ref().expect("a line of `+++ b/` first");
            count += 1;
            if !text.lines().any(|line| line == added) {
                missing.push(format!("{path}: {added}"));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
    assert!(count > 20, "only {count} lines were found");
}
