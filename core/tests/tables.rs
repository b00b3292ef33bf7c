//! Tables with other separators, quotes, and columns of names.

extern crate netform_core as netform;

mod common;

use common::{Folder, says};
use netform_core::data::{Dataset, InMemory, NumericTargets, Table, Unlabelled};
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
fn marks_between_thousands_are_not_taken_for_decimals() {
    let folder = Folder::new("tables-thousands");
    let read = |text: &str, set: fn(Table) -> Table| {
        let table = Table::read_separated(folder.file("km.csv", text), ';').unwrap();
        set(table).classes("kind").unwrap().into_samples::<(D<1>,), f32>()
    };
    let as_is = |table| table;
    // It may be either, and the message says so.
    says(
        read("x;kind\n1,234;a\n", as_is),
        &[
            "found `1,234`",
            "Table::thousands(',') reads it as 1234",
            "Table::decimal(',') as 1.234",
        ],
    );
    // The other fields of the column tell.
    let groups = "x;kind\n1,234;a\n1,234,567.5;b\n";
    says(read(groups, as_is), &["line 2", "Table::thousands(',') reads numbers such as this one"]);
    let decimals = "x;kind\n1,234;a\n0,5;b\n";
    says(read(decimals, as_is), &["line 2", "Table::decimal(',') reads numbers such as this one"]);
    let both = "x;kind\n1.234,5;a\n";
    says(read(both, as_is), &["Table::decimal(',') and .thousands('.') read numbers such as"]);

    assert_eq!(read(groups, |it| it.thousands(',')).unwrap().inputs(), [1234.0, 1234567.5]);
    let german = read(both, |it| it.decimal(',').thousands('.')).unwrap();
    assert_eq!(german.inputs(), [1234.5]);
    says(read("x;kind\n12,34;a\n", |it| it.thousands(',')), &["found `12,34`"]);
}

#[test]
fn marks_that_cannot_be_told_apart_are_refused() {
    let folder = Folder::new("tables-marks");
    let table = || Table::read(folder.file("a.csv", "x,kind\n12.500,a\n")).unwrap();
    let samples = |table: Table| table.classes("kind").unwrap().into_samples::<(D<1>,), f32>();
    let both = "'.' is both before decimals and between thousands";
    says(
        samples(table().thousands('.')),
        &["a.csv: marks", both, "`.thousands('.').decimal(',')`"],
    );
    says(table().thousands('.').one_hot("x"), &[both]);
    says(table().thousands('.').fill_mean("x"), &[both]);
    says(samples(table().decimal('5')), &["'5' is no mark in a number"]);
    assert_eq!(samples(table().thousands('.').decimal(',')).unwrap().inputs(), [12500.0]);
}

#[test]
fn columns_without_names_and_numbers_written_twice_are_named() {
    let folder = Folder::new("tables-pandas");
    let pandas = || Table::read(folder.file("p.csv", ",x,kind\n0,1.5,a\n1,2.5,b\n")).unwrap();
    let samples = |table: Table| table.classes("kind").unwrap().into_samples::<(D<1>,), f32>();
    says(samples(pandas()), &["p.csv: header: column 1 has no name", "`.features(&[..])`"]);
    assert_eq!(samples(pandas().features(&["x"]).unwrap()).unwrap().inputs(), [1.5, 2.5]);
    let twice = Table::read(folder.file("t.csv", "x,kind\n1,2\n1,2.0\n")).unwrap();
    says(samples(twice), &["column `kind`: found `2` and `2.0`, which are the same number"]);
}

const CARS: &str = "km,fuel,doors,price
10,petrol,2,5
NA,diesel,4,7
30,,4,9
20,diesel,?,8
";

fn cars(folder: &Folder) -> Table {
    Table::read(folder.file("cars.csv", CARS)).unwrap().missing_as(&["NA", "?"])
}

#[test]
fn what_is_missing_is_said_and_left_out_or_filled() {
    let folder = Folder::new("tables-missing");
    // Nothing is said of them: each is an error that says what can be done.
    let numbers = |table: Table| {
        let table = table.features(&["km", "doors"]).unwrap().targets(&["price"]).unwrap();
        table.into_samples::<(D<2>,), (D<1>,), f32>()
    };
    says(
        numbers(cars(&folder)),
        &["line 3, field `km`: found `NA`", ".drop_missing()", ".fill_mean(\"km\")"],
    );
    let unknown = Table::read(folder.file("cars.csv", CARS)).unwrap();
    says(numbers(unknown), &["found `NA`", ".missing_as(&[\"NA\"])"]);
    says(
        cars(&folder).one_hot("fuel"),
        &["line 4, field `fuel`: found nothing, expected a word", ".fill(\"fuel\", \"unknown\")"],
    );

    let left = cars(&folder).drop_missing().unwrap();
    assert_eq!(left.len(), 1);
    let left = cars(&folder).fill("km", 0.0).unwrap().fill("doors", 4).unwrap();
    assert_eq!(left.drop_missing().unwrap().len(), 3);
    // Of what is used, where that is known.
    let used = cars(&folder).features(&["km"]).unwrap().targets(&["price"]).unwrap();
    assert_eq!(used.drop_missing().unwrap().len(), 3);
    let none = folder.file("none.csv", "a,b\n1,\n,2\n");
    let none = Table::read(none).unwrap();
    says(none.clone().drop_missing(), &["none.csv: all rows", "each of the 2 rows lacks a field"]);

    let filled = cars(&folder).fill_mean("km").unwrap().fill_median("doors").unwrap();
    let filled = filled.fill("fuel", "unknown").unwrap().one_hot("fuel").unwrap();
    let filled: NumericTargets<(D<5>,)> =
        filled.targets(&["price"]).unwrap().into_samples().unwrap();
    assert_eq!(
        filled.feature_names(),
        ["km", "fuel=diesel", "fuel=petrol", "fuel=unknown", "doors"]
    );
    assert_eq!(
        filled.inputs()[5..],
        [[20.0, 1.0, 0.0, 0.0, 4.0], [30.0, 0.0, 0.0, 1.0, 4.0], [20.0, 1.0, 0.0, 0.0, 4.0],]
            .concat()
    );

    // What cannot be put there.
    says(numbers(cars(&folder).fill("km", "many").unwrap()), &["column `km`", "become `many`"]);
    says(numbers(cars(&folder).fill("km", f64::NAN).unwrap()), &["expected a finite number"]);
    let few = cars(&folder).fill("fuel", "gas").unwrap();
    let few = few.one_hot_named("fuel", &["petrol", "diesel"]).unwrap();
    says(
        few.features(&["fuel"])
            .unwrap()
            .targets(&["price"])
            .unwrap()
            .into_samples::<(D<2>,), (D<1>,), f32>(),
        &["column `fuel`: missing fields become `gas`, expected one of `petrol`, `diesel`"],
    );
    says(cars(&folder).fill_mean("fuel"), &["line 2, field `fuel`: found `petrol`"]);
    says(none.fill_mean("c"), &["no column `c`"]);
}

#[test]
fn another_table_becomes_the_same_numbers() {
    let folder = Folder::new("tables-like");
    let table = cars(&folder).fill_mean("km").unwrap().fill("fuel", "diesel").unwrap();
    let table = table.one_hot("fuel").unwrap().ordinal("doors", &["2", "4"]).unwrap();
    let train = table.fill("doors", "4").unwrap().targets(&["price"]).unwrap();
    let train: NumericTargets<(D<4>,)> = train.into_samples().unwrap();
    let columns = train.columns().unwrap();
    assert_eq!(columns.to_string(), "`km`, `fuel=diesel`, `fuel=petrol`, `doors (2, 4)`");

    // Other columns, in another order, with fields that are missing.
    let new = folder.file("new.csv", "doors;owner;fuel;km\n;Ann;petrol;1,5\n2;Bob;;\n");
    let new = Table::read_separated(new, ';').unwrap().decimal(',').with_columns(columns).unwrap();
    let new: Unlabelled<(D<4>,)> = new.into_inputs().unwrap();
    assert_eq!(new.inputs(), [1.5, 0.0, 1.0, 1.0, /* */ 20.0, 1.0, 0.0, 0.0]);
    assert_eq!(new.columns(), Some(columns));
    // A part of samples knows them as well, and what changes inputs does not.
    let (part, _) = Dataset::split(&train, 0.5, netform_core::random::Seed(1)).unwrap();
    assert_eq!(part.feature_names(), train.feature_names());
    let sums = part.map_inputs::<(D<1>,), f32, _>(|x, sum| sum[0] = x.iter().sum());
    assert!(sums.feature_names().is_empty());

    let lacks = Table::read(folder.file("lacks.csv", "km,fuel\n1,petrol\n")).unwrap();
    says(lacks.with_columns(columns), &["there is no column `doors`"]);
    let gas = Table::read(folder.file("gas.csv", "km,fuel,doors\n1,gas,2\n")).unwrap();
    says(
        gas.with_columns(columns).unwrap().into_inputs::<(D<4>,), f32>(),
        &["line 2, field `fuel`: found `gas`, expected one of `diesel`, `petrol`"],
    );

    // Rows as fields.
    let row: Vec<f32> = columns.sample([("doors", "4"), ("fuel", ""), ("km", " 7 ")]).unwrap();
    assert_eq!(row, [7.0, 1.0, 0.0, 1.0]);
    let sample = |fields: &[(&str, &str)]| columns.sample::<f32, _, _>(fields.iter().copied());
    says(sample(&[("km", "1"), ("km", "2")]), &["field `km` of a sample: it is there twice"]);
    says(sample(&[("km", "1")]), &["field `fuel` of a sample: it is not among the fields"]);
    says(sample(&[("kn", "1")]), &["field `kn`", "there are `km`, `fuel`, `doors`"]);
    says(
        sample(&[("km", "1"), ("fuel", "gas")]),
        &["found `gas`, expected one of `diesel`, `petrol`"],
    );
    says(sample(&[("km", "many")]), &["field `km` of a sample: found `many`, expected a finite"]);
    says(sample(&[("km", "1,5")]), &["`1,5`, expected a finite number, with a point before its"]);
    says(sample(&[("km", "1e300")]), &["expected a number that F32 can hold"]);
}

#[test]
fn a_network_is_not_told_the_answer() {
    let folder = Folder::new("tables-answer");
    let table = goods(&folder).features(&["weight", "price"]).unwrap();
    says(
        table.clone().targets(&["price"]).unwrap().into_samples::<(D<2>,), (D<1>,), f32>(),
        &["column `price`", "it is a feature and a target", "leave it out of the features"],
    );
    says(
        table.classes("weight").unwrap().into_samples::<(D<2>,), f32>(),
        &["column `weight`", "it is a feature and a target"],
    );
    says(goods(&folder).features(&["size", "size"]), &["`size`", "named twice among the features"]);
    says(
        goods(&folder).targets(&["price", "price"]).map(|_| goods(&folder)),
        &["`price`", "named twice among the targets"],
    );
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
