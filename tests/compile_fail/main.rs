//! What mistakes look like: each case below `trybuild/` must fail to compile, with the text beside it.
//!
//! `TRYBUILD=overwrite cargo test --test compile_fail` writes the texts anew, and with them `docs/errors.md`; what they
//! must be is checked without it.

mod checks;
mod corpus;
mod kinds;
mod page;

use std::fs;

#[test]
fn mistakes_do_not_compile() {
    // Only cases that fail: with one that passes, trybuild runs `cargo build`, and a mistake must be found
    // by `cargo check`.
    let cases = trybuild::TestCases::new();
    cases.compile_fail("trybuild/*/*.rs");
    // It runs the cases when it is dropped; the page is made of the texts that it has written then.
    drop(cases);
    if overwrites() {
        fs::write(page::PATH, page::page(&corpus::cases())).expect("docs/errors.md");
    }
}

/// Whether texts are written anew: what is read meanwhile is half of it old.
fn overwrites() -> bool {
    std::env::var_os("TRYBUILD").is_some_and(|mode| mode == "overwrite")
}

#[test]
fn every_text_can_be_understood() {
    if overwrites() {
        return;
    }
    let faults: Vec<String> = corpus::cases()
        .iter()
        .flat_map(|case| {
            checks::faults(case).into_iter().map(|fault| format!("{}: {fault}", case.path))
        })
        .collect();
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn every_kind_of_mistake_has_several_cases() {
    let cases = corpus::cases();
    for kind in kinds::KINDS {
        let of_kind: Vec<_> = cases.iter().filter(|case| case.kind.folder == kind.folder).collect();
        assert!(of_kind.len() >= 5, "{}: {} cases", kind.folder, of_kind.len());
        let shown = of_kind.iter().filter(|case| case.shown).count();
        assert!((2..=4).contains(&shown), "{}: {shown} cases are shown in full", kind.folder);
    }
    let shapes = cases.iter().filter(|case| case.kind.shapes).count();
    assert!(shapes >= 60, "{shapes} mistakes of shape");
}

#[test]
fn the_page_of_errors_is_of_these_texts() {
    if overwrites() {
        return;
    }
    let committed = fs::read_to_string(page::PATH).expect("docs/errors.md");
    let page = page::page(&corpus::cases());
    let differs = committed.lines().zip(page.lines()).position(|(a, b)| a != b);
    assert!(
        committed == page,
        "{} is not of these texts from line {} on; `TRYBUILD=overwrite` writes it anew",
        page::PATH,
        differs.map_or(committed.lines().count().min(page.lines().count()), |line| line) + 1
    );
}
