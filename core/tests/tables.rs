//! Tables with other separators, quotes, and columns of names.

extern crate netform_core as netform;

mod common;

use common::{Folder, says};
use netform_core::data::{InMemory, Table};
use netform_core::dim::D;

const GOODS: &str = "colour;size;weight;price
red;small;1.5;3
blue;large;2;5
\"dark; green\";medium;0.5;4
red;large;3;6
";

fn goods(folder: &Folder) -> Table {
    Table::read_separated(folder.file("goods.csv", GOODS), ';').unwrap()
}

#[test]
fn fields_have_other_separators_and_quotes() {
    let folder = Folder::new("tables-separators");
    let table = goods(&folder);
    assert_eq!(table.columns(), ["colour", "size", "weight", "price"]);
    assert_eq!(table.categories("colour").unwrap(), ["blue", "dark; green", "red"]);
    let tabs = folder.file("tabs.tsv", "x\ty name\tkind\n1\t2\t\"a\tb\"\n3\t4\tc\"d\n");
    let table = Table::read_separated(tabs, '\t').unwrap();
    assert_eq!(table.columns(), ["x", "y name", "kind"]);
    let data: InMemory<(D<2>,)> = table.classes("kind").unwrap().into_samples().unwrap();
    assert_eq!(data.class_names(), ["a\tb", "c\"d"]);
    assert_eq!(data.inputs(), [1.0, 2.0, 3.0, 4.0]);
    // A quoted field may have commas, quotes and ends of lines.
    let quoted = folder.file("quoted.csv", "x,kind\n1,\"a, \"\"b\"\"\nc\"\n2,d\n");
    let table = Table::read(quoted).unwrap();
    assert_eq!(table.categories("kind").unwrap(), ["a, \"b\"\nc", "d"]);
}

#[test]
fn names_become_numbers() {
    let folder = Folder::new("tables-names");
    let table = goods(&folder)
        .one_hot("colour")
        .unwrap()
        .ordinal("size", &["small", "medium", "large"])
        .unwrap();
    let data: InMemory<(D<5>,), (D<1>,), f32, f32> =
        table.clone().targets(&["price"]).unwrap().into_samples().unwrap();
    assert_eq!(
        data.inputs(),
        [
            [0.0, 0.0, 1.0, 0.0, 1.5],
            [1.0, 0.0, 0.0, 2.0, 2.0],
            [0.0, 1.0, 0.0, 1.0, 0.5],
            [0.0, 0.0, 1.0, 2.0, 3.0],
        ]
        .concat()
    );
    assert_eq!(data.targets(), [3.0, 5.0, 4.0, 6.0]);
    // In the order in which features are named, and as targets, too.
    let data: InMemory<(D<2>,), (D<3>,), f32, f32> = table
        .features(&["weight", "size"])
        .unwrap()
        .targets(&["colour"])
        .unwrap()
        .into_samples()
        .unwrap();
    assert_eq!(data.inputs(), [1.5, 0.0, 2.0, 2.0, 0.5, 1.0, 3.0, 2.0]);
    assert_eq!(data.targets()[..6], [0.0, 0.0, 1.0, 1.0, 0.0, 0.0]);
}

#[test]
fn a_test_set_has_the_names_of_its_training_set() {
    let folder = Folder::new("tables-test");
    let colours = goods(&folder).categories("colour").unwrap();
    let read = |text: &str| {
        let table = Table::read(folder.file("test.csv", text)).unwrap();
        let table = table.one_hot_named("colour", &colours).unwrap();
        table.classes("kind").unwrap().into_samples::<(D<3>,), f32>()
    };
    assert_eq!(read("colour,kind\nred,a\nred,b\n").unwrap().inputs(), [0., 0., 1., 0., 0., 1.]);
    says(
        read("colour,kind\nred,a\npink,b\n"),
        &[
            "test.csv: line 3, field `colour`",
            "found `pink`, expected one of `blue`, `dark; green`, `red`",
        ],
    );
}

#[test]
fn what_does_not_fit_is_named() {
    let folder = Folder::new("tables-errors");
    let path = folder.file("goods.csv", GOODS);
    says(
        Table::read(&path).unwrap().targets(&["price"]),
        &["there is no column `price`", "Table::read_separated(path, ';')"],
    );
    for separator in ['"', '\n', '\u{e4}', '\u{2028}'] {
        says(Table::read_separated(&path, separator), &["a table cannot be separated by"]);
    }
    says(goods(&folder).one_hot("shape"), &["no column `shape`", "`colour`, `size`"]);
    says(goods(&folder).ordinal("shape", &["a"]), &["no column `shape`"]);
    let table = goods(&folder).one_hot("colour").unwrap().features(&["colour", "weight"]).unwrap();
    says(
        table.targets(&["price"]).unwrap().into_samples::<(D<2>,), (D<1>,), f32>(),
        &[
            "expected 2 columns",
            "found 4 (`colour=blue`, `colour=dark; green`, `colour=red`, `weight`)",
        ],
    );
    let table = goods(&folder).ordinal("size", &["small", "large"]).unwrap();
    says(
        table
            .features(&["size"])
            .unwrap()
            .classes("colour")
            .unwrap()
            .into_samples::<(D<1>,), f32>(),
        &["line 4, field `size`: found `medium`, expected one of `small`, `large`"],
    );
    let empty = folder.file("empty.csv", "colour,x\nred,1\n,2\n");
    says(Table::read(empty).unwrap().one_hot("colour"), &["line 3, field `colour`: found nothing"]);
}

#[test]
fn names_differ_and_are_used() {
    let folder = Folder::new("tables-doubled");
    let doubled = ["small", "large", "small"];
    for outcome in [
        goods(&folder).ordinal("size", &doubled),
        goods(&folder).one_hot_named("size", &doubled),
        goods(&folder).classes_named("size", &doubled).map(|_| goods(&folder)),
    ] {
        says(outcome, &["the names of column `size`: name 3 is `small`", "that differ"]);
    }
    says(goods(&folder).ordinal("size", &["a", ""]), &["column `size`: name 2 is ``"]);

    let table = goods(&folder).one_hot("colour").unwrap().features(&["weight"]).unwrap();
    says(
        table.clone().targets(&["price"]).unwrap().into_samples::<(D<1>,), (D<1>,), f32>(),
        &["goods.csv: column `colour`", "neither a feature nor a target"],
    );
    says(
        table.classes("colour").unwrap().into_samples::<(D<1>,), f32>(),
        &["goods.csv: column `colour`", "neither a feature nor a target"],
    );
}

#[test]
fn numbers_may_have_a_comma() {
    let folder = Folder::new("tables-comma");
    let read = |mark: char, text: &str| {
        let table = Table::read_separated(folder.file("comma.csv", text), ';').unwrap();
        table.decimal(mark).classes("kind").unwrap().into_samples::<(D<1>,), f32>()
    };
    let text = "x;kind\n1,5;10,5\n-2;9,5\n";
    let samples = read(',', text).unwrap();
    assert_eq!(samples.inputs(), [1.5, -2.0]);
    assert_eq!(samples.class_names(), ["9,5", "10,5"], "numbers by size");
    says(
        read('.', text),
        &["line 2, field `x`: found `1,5`, expected a finite number", "Table::decimal(',')"],
    );
    says(read(',', "x;kind\n1.5;a\n"), &["found `1.5`", "Table::decimal('.')"]);
}

#[test]
fn random_damage_to_tables_of_names() {
    let folder = Folder::new("tables-random");
    common::survives(GOODS.as_bytes(), 500, |bytes| {
        let table = Table::read_separated(folder.file("a.csv", bytes), ';')?;
        let table = table.one_hot("colour")?.ordinal("size", &["small", "medium", "large"])?;
        table.targets(&["price"])?.into_samples::<(D<5>,), (D<1>,), f32>()
    });
}
