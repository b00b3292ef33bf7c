//! Data sets through their public methods: combinators, splits, folds, batches.

extern crate netform_core as netform;

mod common;

use common::says;
use netform_core::data::{Dataset, InMemory, Subset};
use netform_core::dim::D;
use netform_core::error::Error;
use netform_core::random::{Rng, Seed};

type Points = InMemory<(D<2>,)>;

/// `n` points: that of index `i` is (2 i, 2 i + 1), its class `i % classes`.
fn points(n: usize, classes: usize) -> Points {
    let inputs = (0..2 * n).map(|i| i as f32).collect();
    let names = (0..classes).map(|class| format!("class-{class}")).collect();
    let targets = (0..n).map(|i| (i % classes) as u32).collect();
    Points::new(inputs, targets).unwrap().with_class_names(names)
}

/// Which points of [`points`] a data set holds.
fn ids<D: Dataset<Element = f32>>(data: &D) -> Vec<usize> {
    data.to_memory().unwrap().inputs().chunks(2).map(|point| point[0] as usize / 2).collect()
}

fn sorted(parts: &[&[usize]]) -> Vec<usize> {
    let mut all = parts.concat();
    all.sort_unstable();
    all
}

/// How many samples of each class there are.
fn counts<D: Dataset<Target = (), TargetElement = u32>>(data: &D, classes: usize) -> Vec<usize> {
    let targets = data.to_memory().unwrap().targets().to_vec();
    (0..classes)
        .map(|class| targets.iter().filter(|&&label| label == class as u32).count())
        .collect()
}

#[test]
fn parts_are_views_and_stay_in_order() {
    let data = points(200, 3);
    assert_eq!(ids(&(&data).skip(150).take(30)), (150..180).collect::<Vec<_>>());
    assert_eq!((&data).skip(300).len() + (&data).skip(7).take(0).len(), 0);
    let shuffled = (&data).shuffle(Seed(3));
    assert_ne!(ids(&shuffled), ids(&data));
    assert_eq!(ids(&shuffled), ids(&(&data).shuffle(Seed(3))));
    assert_eq!(sorted(&[&ids(&shuffled)]), ids(&data));
    assert_eq!(shuffled.class_names(), data.class_names());
    assert_eq!(ids(&shuffled), shuffled.indices());
    // Views of views, batches across the pieces that indices are translated in.
    let view = (&data).shuffle(Seed(1)).skip(1).shuffle(Seed(2));
    let batches = view.batches_in_order(150).map(|batch| batch.unwrap().inputs.to_vec());
    assert_eq!(batches.collect::<Vec<_>>().concat(), view.to_memory().unwrap().inputs());
}

#[test]
fn concat_and_zip() {
    let (a, b) = (points(5, 3), points(100, 3));
    let both = (&a).concat((&b).skip(90)).unwrap();
    assert_eq!(ids(&both), [0, 1, 2, 3, 4, 90, 91, 92, 93, 94, 95, 96, 97, 98, 99]);
    let mixed = (&both).subset(vec![14, 0, 5, 6, 1, 0]).unwrap();
    assert_eq!(ids(&mixed), [99, 0, 90, 91, 1, 0]);
    assert_eq!(mixed.to_memory().unwrap().targets(), [0, 0, 0, 1, 1, 0]);
    assert_eq!(mixed.class_names().len(), 3);
    says((&a).concat(points(3, 2)).map(drop), &["class-0, class-1, class-2, those of the second"]);

    let pairs = (&a).zip((&b).take(5).map_inputs::<(D<1>,), u32, _>(|x, y| y[0] = x[1] as u32));
    let pairs = pairs.unwrap().to_memory().unwrap();
    assert_eq!(pairs.inputs(), a.inputs());
    assert_eq!(pairs.targets(), [1, 3, 5, 7, 9]);
    says((&a).zip(&b).map(drop), &["expected 5 samples", "found 100"]);
}

#[test]
fn maps_and_one_hot() {
    let data = points(70, 3);
    let halved = (&data).map(|x, class| {
        x[0] = -1.0;
        class[0] += 1;
    });
    let halved = halved.to_memory().unwrap();
    assert!(halved.inputs().chunks(2).zip(1..).all(|(x, i)| x == [-1.0, 2.0 * i as f32 - 1.0]));
    assert_eq!(halved.targets()[..4], [1, 2, 3, 1]);

    let vectors = (&data).one_hot::<D<3>, f64>();
    assert_eq!(vectors.class_names(), data.class_names());
    let vectors = vectors.to_memory().unwrap();
    for (vector, &class) in vectors.targets().chunks(3).zip(data.targets()) {
        let expected = [0, 1, 2].map(|i| if i == class { 1.0 } else { 0.0 });
        assert_eq!(vector, expected);
    }
    let few = (&data).one_hot::<D<2>, f32>();
    says(few.to_memory(), &["the class of sample 2 as one-hot: index 2", "from 0 to 1"]);
    let batches: Vec<_> = few.batches_in_order(2).collect();
    assert!(batches[0].is_ok());
    assert!(matches!(batches[1], Err(Error::IndexOutOfRange { index: 2, .. })));
}

#[test]
fn targets_are_known_without_inputs() {
    let data = points(150, 3);
    let view = (&data)
        .shuffle(Seed(1))
        .concat(&data)
        .unwrap()
        .map_inputs::<(D<1>,), f32, _>(|_, _| unreachable!("nobody asks for inputs"));
    let indices: Vec<usize> = (0..view.len()).rev().collect();
    let mut targets = vec![9; 300];
    view.gather_targets(Seed(0), &indices, &mut targets).unwrap();
    assert_eq!(targets[149], 0);
    assert_eq!(targets[0], 149 % 3);
    // The one that a data set has unless it says otherwise.
    let plain = (&data).map(|_, class| class[0] *= 2);
    let mut targets = vec![9; 150];
    plain.gather_targets(Seed(0), &indices[150..], &mut targets).unwrap();
    assert_eq!(targets[..4], [4, 2, 0, 4]);
}

#[test]
fn splits_hold_every_sample_once() {
    let data = points(101, 3);
    let (a, b) = Dataset::split(&data, 0.7, Seed(5)).unwrap();
    let copied = data.split(0.7, Seed(5)).unwrap();
    assert_eq!(
        (ids(&a), ids(&b)),
        (ids(&copied.0), ids(&copied.1)),
        "views and copies are the same"
    );
    assert_eq!(sorted(&[&ids(&a), &ids(&b)]), ids(&data));
    let (a, b, c) = data.split3(0.7, 0.15, Seed(5)).unwrap();
    assert_eq!([a.len(), b.len(), c.len()], [71, 15, 15]);
    assert_eq!(sorted(&[&ids(&a), &ids(&b), &ids(&c)]), ids(&data));
    let (a, _, c) = Dataset::split3(&data, 0.7, 0.3, Seed(5)).unwrap();
    assert_eq!([a.len(), c.len()], [71, 0]);
    for (first, second) in [(0.9, 0.2), (-0.1, 0.5), (f64::NAN, 0.1), (0.1, 2.0)] {
        says(data.split3(first, second, Seed(0)), &["at most 1 together"]);
    }
}

#[test]
fn stratified_splits_keep_the_shares_of_classes() {
    // 60 of class 0, 30 of class 1, 10 of class 2.
    let class = |i: usize| {
        if i < 60 {
            0
        } else if i < 90 {
            1
        } else {
            2
        }
    };
    let targets: Vec<u32> = (0..100).map(class).collect();
    let data = Points::new((0..200).map(|i| i as f32).collect(), targets).unwrap();
    let (train, test) = data.stratified_split(0.8, Seed(2)).unwrap();
    assert_eq!((counts(&train, 3), counts(&test, 3)), (vec![48, 24, 8], vec![12, 6, 2]));
    assert_ne!(ids(&train), sorted(&[&ids(&train)]), "in random order");
    let (a, b, c) = Dataset::stratified_split3(&data, 0.65, 0.15, Seed(2)).unwrap();
    assert_eq!([a.len(), b.len(), c.len()], [65, 15, 20]);
    assert_eq!((counts(&a, 3), counts(&b, 3)), (vec![39, 20, 6], vec![9, 4, 2]));
    assert_eq!(sorted(&[&ids(&a), &ids(&b), &ids(&c)]), ids(&data));
    let (other, _) = data.stratified_split(0.8, Seed(3)).unwrap();
    assert_ne!(ids(&train), ids(&other));

    let rare = points(31, 3).with_class_names(vec!["a".into(), "b".into(), "c".into()]);
    says(
        rare.stratified_split(0.95, Seed(0)),
        &["class 1 (`b`) is missing from part 2", "of 2 of 31", "has 10"],
    );
    // Rounded to no sample, which is not what was asked for.
    for fraction in [0.01, 0.99] {
        says(rare.stratified_split(fraction, Seed(0)), &["class 0 (`a`) is missing", "of 0 of 31"]);
    }
    let all = rare.stratified_split3(0.7, 0.3, Seed(0)).unwrap();
    assert_eq!([all.0.len(), all.1.len(), all.2.len()], [22, 9, 0]);
    let all = rare.stratified_split(1.0, Seed(0)).unwrap();
    assert_eq!((all.0.len(), all.1.len()), (31, 0), "nobody wants the second part");
    let empty = points(0, 3);
    assert_eq!(empty.stratified_split(0.5, Seed(0)).unwrap().0.len(), 0);
    // A label that is no class of a network's is as good as others here.
    let odd = Points::new(vec![0.0; 8], vec![u32::MAX, 0, u32::MAX, 0]).unwrap();
    assert_eq!(odd.stratified_split(0.5, Seed(0)).unwrap().1.len(), 2);
}

#[test]
fn folds_validate_on_every_sample_once() {
    let data = points(23, 2);
    let folds: Vec<(Points, Points)> = data.k_fold(5, Seed(4)).unwrap().collect();
    let views: Vec<(Subset<_>, Subset<_>)> = Dataset::k_fold(&data, 5, Seed(4)).unwrap().collect();
    assert_eq!(folds.iter().map(|fold| fold.1.len()).collect::<Vec<_>>(), [5, 5, 5, 4, 4]);
    for ((train, test), view) in folds.iter().zip(&views) {
        assert_eq!(sorted(&[&ids(train), &ids(test)]), ids(&data));
        assert_eq!((ids(train), ids(test)), (ids(&view.0), ids(&view.1)));
    }
    let tests: Vec<Vec<usize>> = folds.iter().map(|fold| ids(&fold.1)).collect();
    assert_eq!(sorted(&[&tests.concat()]), ids(&data));

    let folds: Vec<_> = data.stratified_k_fold(5, Seed(4)).unwrap().collect();
    for (_, test) in &folds {
        let counts = counts(test, 2);
        assert!(counts.iter().all(|count| [2, 3].contains(count)), "{counts:?}");
        assert!([4, 5].contains(&test.len()));
    }
    let tests: Vec<Vec<usize>> = folds.iter().map(|fold| ids(&fold.1)).collect();
    assert_eq!(sorted(&[&tests.concat()]), ids(&data));

    for k in [0, 1] {
        says(data.k_fold(k, Seed(0)).map(drop), &["of 23 samples", "at least 2 folds"]);
    }
    says(
        data.k_fold(24, Seed(0)).map(drop),
        &["24 folds of 23 samples", "as many folds as samples"],
    );
    says(points(0, 2).k_fold(2, Seed(0)).map(drop), &["2 folds of 0 samples"]);
    let rare = points(23, 11);
    says(rare.stratified_k_fold(3, Seed(0)).map(drop), &["class 1 (`class-1`) has 2 samples"]);
}

#[test]
fn batches_of_a_seed_are_the_same() {
    let data = points(50, 2);
    let view = (&data).shuffle(Seed(9)).map(|x, _| x[0] += 0.5);
    let batches = |seed| -> Vec<f32> {
        let mut rng = Rng::new(Seed(seed), 0);
        view.batches(8, &mut rng).flat_map(|batch| batch.unwrap().inputs.to_vec()).collect()
    };
    assert_eq!(batches(1), batches(1));
    assert_ne!(batches(1), batches(2));
}
