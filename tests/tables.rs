//! Models that know which columns their inputs are made of, and tables that are read by them.

#[path = "../core/tests/common/mod.rs"]
mod common;

use common::{Folder, says};
use netform::cpu::Cpu;
use netform::data::{Dataset, InMemory, Scaling, Table};
use netform::dim::D;
use netform::io::safetensors;
use netform::loss::CrossEntropy;
use netform::model::Classifier;
use netform::network;
use netform::optim::Adam;
use netform::random::Seed;
use netform::train::Trainer;

network! {
    /// Classes of a number and a word of two.
    pub Cars: [3] -> [2] { fc: Linear(2) }

    /// The word as its place.
    pub Few: [2] -> [2] { fc: Linear(2) }
}

type Samples = InMemory<(D<3>,)>;

/// Forty cars: those with diesel are sold.
fn cars(folder: &Folder) -> Samples {
    let (fuels, sold) = (["petrol", "diesel"], ["no", "yes"]);
    let rows: String = (0..40).map(|i| format!("{i},{},{}\n", fuels[i % 2], sold[i % 2])).collect();
    let path = folder.file("cars.csv", format!("km,fuel,sold\n{rows}"));
    let table = Table::read(path).unwrap().fill_mean("km").unwrap().one_hot("fuel").unwrap();
    table.classes("sold").unwrap().into_samples().unwrap()
}

/// A model that has learned it, and does not know the columns.
fn trained(cars: &Samples) -> Classifier<Cars> {
    let scaling = Scaling::standard(cars).unwrap();
    let mut train = cars.clone();
    scaling.apply(&mut train);
    let mut net = Cars::new(Seed(1));
    Trainer::new(CrossEntropy, Adam::new(0.05)).epochs(30).fit(&mut net, &train).unwrap();
    Classifier::new(net, cars.class_names()).unwrap().scaling(scaling)
}

#[test]
fn a_model_reads_tables_by_the_names_of_their_columns() {
    let folder = Folder::new("model-table");
    let (cars, path) = (cars(&folder), folder.0.join("cars.model"));
    trained(&cars).columns_of(&cars).unwrap().save(&path).unwrap();
    let model = Classifier::<Cars>::load(&path).unwrap();
    assert_eq!(model.columns(), cars.columns());

    let new = folder.file("new.csv", "owner,fuel,km\nAnn,diesel,\nBob,petrol,7\n");
    let found = model.predict_table(Table::read(new).unwrap()).unwrap();
    assert_eq!([found[0].name(), found[1].name()], ["yes", "no"]);
    // The same as numbers in their order, and as fields.
    assert_eq!(found, model.predict([[19.5, 1.0, 0.0], [7.0, 0.0, 1.0]]).unwrap());
    assert_eq!(found[1], model.predict_fields([("km", "7"), ("fuel", "petrol")]).unwrap());
    assert_eq!(model.predict_data(&cars).unwrap().len(), 40);
}

#[test]
fn validation_samples_are_made_of_the_same_columns() {
    let folder = Folder::new("model-validation");
    let cars = cars(&folder);
    let read = |text: &str| Table::read(folder.file("other.csv", text)).unwrap();
    let fit = |validation: &Samples| {
        let mut trainer = Trainer::new(CrossEntropy, Adam::new(0.05)).validate(validation);
        trainer.fit(&mut Cars::new(Seed(1)), &cars)
    };
    // Another word, and the numbers mean something else.
    let text = "km,fuel,sold\n1,diesel,no\n2,gas,yes\n";
    let other = read(text).one_hot("fuel").unwrap().classes("sold").unwrap();
    says(
        fit(&other.into_samples().unwrap()),
        &[
            "the features of the validation set are `km`, `fuel=diesel`, `fuel=gas`",
            "those of the training set `km`, `fuel=diesel`, `fuel=petrol`",
            "`Table::with_columns`",
        ],
    );
    let text = "km,fuel,sold\n1,diesel,no\n2,petrol,later\n";
    let other = read(text).with_columns(cars.columns().unwrap()).unwrap();
    says(
        fit(&other.clone().classes("sold").unwrap().into_samples().unwrap()),
        &["the classes of the validation set are `later`, `no`", "`Table::classes_named`"],
    );
    says(
        other.classes_named("sold", cars.class_names()).unwrap().into_samples::<(D<3>,), f32>(),
        &["line 3, field `sold`: found `later`, expected one of `no`, `yes`"],
    );
    // The same words in another order are other numbers, by the same name.
    let text = "km,fuel,sold\n1,diesel,no\n2,petrol,yes\n";
    let sizes = |words: &[&str]| {
        let table = read(text).ordinal("fuel", words).unwrap().classes("sold").unwrap();
        table.into_samples::<(D<2>,), f32>().unwrap()
    };
    let (train, turned) = (sizes(&["diesel", "petrol"]), sizes(&["petrol", "diesel"]));
    let mut trainer = Trainer::new(CrossEntropy, Adam::new(0.05)).validate(&turned);
    says(
        trainer.fit(&mut Few::new(Seed(1)), &train),
        &[
            "are `km`, `fuel (petrol, diesel)`, those of the training set `km`, `fuel (diesel, petrol)`",
        ],
    );
    says(Dataset::concat(&train, &turned).map(|_| ()), &["two data sets cannot be one"]);
    let text = "sold,km,fuel\nyes,1,diesel\n";
    let other = read(text).with_columns(cars.columns().unwrap()).unwrap();
    let other = other.classes_named("sold", cars.class_names()).unwrap();
    assert!(fit(&other.into_samples().unwrap()).is_ok());
}

#[test]
fn samples_are_scaled_once_and_both_parts_of_them() {
    let folder = Folder::new("model-scaled");
    let cars = cars(&folder);
    let model = trained(&cars);
    let (mut train, validation) = cars.split(0.8, Seed(1)).unwrap();
    let scaling = Scaling::standard(&train).unwrap();
    scaling.apply(&mut train);
    says(
        model.predict_data(&train),
        &["were scaled already, and the model of network `Cars` scales what it is given"],
    );
    says(model.predict_data(&train.split(0.5, Seed(1)).unwrap().0), &["were scaled already"]);
    let fit = |validation: &Samples| {
        let mut trainer = Trainer::new(CrossEntropy, Adam::new(0.05)).validate(validation);
        trainer.fit(&mut Cars::new(Seed(1)), &train)
    };
    says(fit(&validation), &["those of the validation set were not", "scaling.apply(&mut valid"]);
    // Who scales by hand is not asked.
    let mut by_hand = validation.clone();
    scaling.apply_to(by_hand.inputs_mut());
    assert!(fit(&by_hand).is_ok());
    assert!(model.predict_data(&by_hand).is_ok());
    let mut scaled = validation;
    scaling.apply(&mut scaled);
    assert!(fit(&scaled).is_ok());
}

#[test]
fn what_does_not_fit_the_columns_of_a_model_is_said() {
    let folder = Folder::new("model-columns");
    let cars = cars(&folder);
    let table = |text: &str| Table::read(folder.file("new.csv", text)).unwrap();
    let plain = trained(&cars);
    says(
        plain.predict_table(table("km,fuel\n1,petrol\n")),
        &["network `Cars` does not know the columns", "`.columns_of(&data)`"],
    );
    let numbers = Samples::new(vec![0.0; 3], vec![0]).unwrap();
    let untrained = Classifier::new(Cars::new(Seed(1)), ["a", "b"]).unwrap();
    says(untrained.columns_of(&numbers), &["the data set does not know the columns"]);

    let model = plain.columns_of(&cars).unwrap();
    says(
        model.predict([[1.0, 2.0]]),
        &["expected 3 elements, [3]: `km`, `fuel=diesel`, `fuel=petrol`"],
    );
    says(model.predict_table(table("km\n1\n")), &["there is no column `fuel`"]);
    says(model.predict_fields([("km", "7"), ("fuel", "gas")]), &["field `fuel`", "found `gas`"]);
    let other = table("a,b,c\n1,2,3\n").into_inputs::<(D<3>,), f32>().unwrap();
    says(
        model.predict_data(&other),
        &["the inputs of the data set are `a`, `b`, `c`, those of the model `km`, `fuel=diesel`"],
    );

    let changed = |columns: &str| {
        let bytes = model.to_bytes().unwrap();
        let mut contents = safetensors::from_bytes(&bytes, "memory").unwrap();
        contents.metadata.insert("columns".to_owned(), columns.to_owned());
        let bytes = safetensors::to_bytes(&contents.tensors, &contents.metadata).unwrap();
        Classifier::<Cars>::from_bytes(&bytes, Cpu::default())
    };
    says(
        changed("[{\"name\": \"km\"}]"),
        &["`columns`: the columns of the inputs of network `Cars`"],
    );
    says(changed("km"), &["`columns`: no JSON"]);
}
