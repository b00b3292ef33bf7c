//! Which samples belong to which part of a data set: random parts, parts with the same share of each class, folds.

use std::collections::BTreeMap;

use crate::data::dataset::Dataset;
use crate::error::{Error, Result};
use crate::random::{Rng, Seed};

/// The stream of random numbers that samples are shuffled with before they are split: "split" in ASCII.
const SPLIT_STREAM: u64 = 0x73_706c_6974;

/// How far from 1 a sum of fractions may be that are all: 0.7 + 0.2 + 0.1 is a little more than 1.
const ROUNDING: f64 = 1e-9;

/// A data set of classes.
pub(super) trait Labelled: Dataset<Target = (), TargetElement = u32> {}
impl<D: Dataset<Target = (), TargetElement = u32>> Labelled for D {}

/// All of `len` samples in random order.
pub(super) fn shuffled(len: usize, seed: Seed) -> Vec<usize> {
    let mut order: Vec<usize> = (0..len).collect();
    Rng::new(seed, SPLIT_STREAM).shuffle(&mut order);
    order
}

/// Parts of `fractions` of all samples in random order, rounded, and a last one of what is left.
pub(super) fn random<const F: usize, const N: usize>(
    len: usize,
    fractions: [f64; F],
    seed: Seed,
) -> Result<[Vec<usize>; N]> {
    let mut rest = &shuffled(len, seed)[..];
    let sizes = sizes::<F, N>(len, fractions)?;
    let empty = (0..N).find(|&part| sizes[part] == 0 && is_wanted(fractions, part));
    if let Some(part) = empty {
        return Err(Error::Invalid(format!(
            "a split of {len} samples in {N} leaves none for part {}: take more samples, or another fraction",
            part + 1
        )));
    }
    Ok(sizes.map(|size| rest.split_off(..size).unwrap_or_default().to_vec()))
}

/// Parts as [`random`] makes them, each with the same share of every class, to within one sample for two parts.
pub(super) fn stratified<const F: usize, const N: usize>(
    data: &impl Labelled,
    fractions: [f64; F],
    seed: Seed,
) -> Result<[Vec<usize>; N]> {
    let sizes = sizes::<F, N>(data.len(), fractions)?;
    let classes = Classes::of(data)?;
    let mut left = classes.counts.clone();
    let mut ends = vec![0; left.len()];
    // For each part, how many samples of each class are in it or in one before.
    let ends = sizes.map(|size| {
        for (class, share) in shares(&left, size).into_iter().enumerate() {
            left[class] -= share;
            ends[class] += share;
        }
        ends.clone()
    });
    // A part that is wanted may be rounded to no sample at all.
    for (part, size) in sizes.iter().enumerate().filter(|(part, _)| is_wanted(fractions, *part)) {
        let before = |class: usize| part.checked_sub(1).map_or(0, |part| ends[part][class]);
        if let Some(class) = (0..left.len()).find(|&class| ends[part][class] == before(class)) {
            return Err(Error::Invalid(format!(
                "{} is missing from part {} of a split in {N}, of {size} of {} samples: it has {} in all; take more of it, another fraction, or a split that is not stratified",
                classes.name(data, class),
                part + 1,
                data.len(),
                classes.counts[class],
            )));
        }
    }
    let mut parts = std::array::from_fn(|_| Vec::new());
    let mut seen = vec![0; left.len()];
    for index in shuffled(data.len(), seed) {
        let class = classes.of_sample[index];
        let part = ends.iter().position(|ends| seen[class] < ends[class]).unwrap_or(N - 1);
        seen[class] += 1;
        parts[part].push(index);
    }
    Ok(parts)
}

/// `k` parts of all samples in random order, of the same size to within one sample.
pub(super) fn folds(len: usize, k: usize, seed: Seed) -> Result<Folds> {
    check_folds(len, k)?;
    let mut folds = vec![0; len];
    for (place, index) in shuffled(len, seed).into_iter().enumerate() {
        folds[index] = place % k;
    }
    Ok(Folds { order: shuffled(len, seed), folds, k })
}

/// `k` parts as [`folds`] makes them, each with as many samples of every class, to within one.
pub(super) fn stratified_folds(data: &impl Labelled, k: usize, seed: Seed) -> Result<Folds> {
    check_folds(data.len(), k)?;
    let classes = Classes::of(data)?;
    if let Some(class) = (0..classes.counts.len()).find(|&class| classes.counts[class] < k) {
        return Err(Error::Invalid(format!(
            "{} has {} samples, too few for one in each of {k} folds: take fewer folds, more samples, or folds that are not stratified",
            classes.name(data, class),
            classes.counts[class],
        )));
    }
    let mut folds = vec![0; data.len()];
    // A class goes on where the one before has ended, so that the folds have the same size.
    let mut next = 0;
    let place = |count: &usize| {
        let place = next;
        next += count;
        place
    };
    let mut places: Vec<usize> = classes.counts.iter().map(place).collect();
    let order = shuffled(data.len(), seed);
    for &index in &order {
        let place = &mut places[classes.of_sample[index]];
        folds[index] = *place % k;
        *place += 1;
    }
    Ok(Folds { order, folds, k })
}

/// A fold for each sample.
pub(super) struct Folds {
    /// All samples in random order.
    order: Vec<usize>,
    /// The fold of each sample.
    folds: Vec<usize>,
    k: usize,
}

impl Folds {
    /// For each fold the samples that are not in it, to train on, and those that are, to validate on.
    pub fn pairs<T>(
        self,
        pair: impl Fn(Vec<usize>, Vec<usize>) -> T,
    ) -> impl ExactSizeIterator<Item = T> {
        (0..self.k).map(move |fold| {
            let (inside, outside) =
                self.order.iter().partition(|index| self.folds[**index] == fold);
            pair(outside, inside)
        })
    }
}

/// The class of each sample, numbered by those that occur.
struct Classes {
    of_sample: Vec<usize>,
    labels: Vec<u32>,
    counts: Vec<usize>,
}

impl Classes {
    fn of(data: &impl Labelled) -> Result<Self> {
        let indices: Vec<usize> = (0..data.len()).collect();
        let mut targets = vec![0; data.len()];
        data.gather_targets(Seed::default(), &indices, &mut targets)?;
        let mut counts = BTreeMap::new();
        for &label in &targets {
            *counts.entry(label).or_insert(0) += 1;
        }
        let (labels, counts): (Vec<u32>, Vec<usize>) = counts.into_iter().unzip();
        // Every label is among them.
        let class = |label| labels.binary_search(&label).unwrap_or_default();
        Ok(Classes { of_sample: targets.into_iter().map(class).collect(), labels, counts })
    }

    fn name(&self, data: &impl Labelled, class: usize) -> String {
        let label = self.labels[class];
        match data.class_names().get(label as usize) {
            Some(name) => format!("class {label} (`{name}`)"),
            None => format!("class {label}"),
        }
    }
}

/// The sizes of parts of `fractions` of `len` samples, and of a last one of what is left.
fn sizes<const F: usize, const N: usize>(len: usize, fractions: [f64; F]) -> Result<[usize; N]> {
    let sum: f64 = fractions.iter().sum();
    let is_part = |fraction: &f64| (0.0..=1.0).contains(fraction);
    let fits = fractions.iter().all(is_part) && sum <= 1.0 + ROUNDING;
    if !fits {
        let found: Vec<String> = fractions.iter().map(f64::to_string).collect();
        let expected = match F {
            1 => "a fraction from 0 to 1, for example 0.8",
            _ => "fractions from 0 to 1 that are at most 1 together, for example 0.7 and 0.15",
        };
        let found = found.join(" and ");
        return Err(Error::Invalid(format!(
            "a data set cannot be split at {found}: expected {expected}"
        )));
    }
    let (mut taken, mut share) = (0, 0.0);
    Ok(std::array::from_fn(|part| {
        share += fractions.get(part).unwrap_or(&1.0);
        let end = (len as f64 * share).round() as usize;
        let size = end.clamp(taken, len) - taken;
        taken += size;
        size
    }))
}

/// Whether a part is to have samples, which rounding may leave it none of.
fn is_wanted<const F: usize>(fractions: [f64; F], part: usize) -> bool {
    match fractions.get(part) {
        Some(fraction) => *fraction > 0.0,
        None => fractions.iter().sum::<f64>() < 1.0 - ROUNDING,
    }
}

/// How many of `total` samples are of each class, where there are `counts` to take from: the whole shares, and one more
/// for those with the largest fractions (Hamilton's method).
fn shares(counts: &[usize], total: usize) -> Vec<usize> {
    let all = counts.iter().sum::<usize>().max(1) as u128;
    let product = |class: usize| counts[class] as u128 * total as u128;
    let mut shares: Vec<usize> =
        (0..counts.len()).map(|class| (product(class) / all) as usize).collect();
    let missing = total - shares.iter().sum::<usize>();
    let mut order: Vec<usize> = (0..counts.len()).collect();
    order.sort_by_key(|&class| std::cmp::Reverse(product(class) % all));
    order.iter().take(missing).for_each(|&class| shares[class] += 1);
    shares
}

fn check_folds(len: usize, k: usize) -> Result<()> {
    let problem = match k {
        0 | 1 => "expected at least 2 folds, one to validate on and others to train on",
        _ if k > len => "expected at most as many folds as samples",
        _ => return Ok(()),
    };
    Err(Error::Invalid(format!("{k} folds of {len} samples: {problem}")))
}
