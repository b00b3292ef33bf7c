//! Some samples of a data set in an order of their own: parts of splits, the first few, a shuffled set; and two data sets
//! one after the other. Indices are translated, nothing is copied.

use crate::data::columns::Columns;
use crate::data::dataset::Dataset;
use crate::error::{Error, Result};
use crate::random::{Rng, Seed};
use crate::shape::SampleShape;

/// So many indices are translated at once, on the stack: batches allocate nothing.
const TOGETHER: usize = 64;

/// Some samples of a data set, in an order of their own: [`Dataset::subset`] and what splits yield.
#[derive(Clone, Debug)]
pub struct Subset<D> {
    data: D,
    indices: Vec<usize>,
}

impl<D: Dataset> Subset<D> {
    /// The samples `indices` of `data`, which are not too large.
    pub(super) fn of(data: D, indices: Vec<usize>) -> Self {
        Subset { data, indices }
    }

    /// # Errors
    /// If an index is as large as the data set or larger.
    pub(super) fn new(data: D, indices: Vec<usize>) -> Result<Self> {
        match indices.iter().find(|index| **index >= data.len()) {
            Some(index) => Err(Error::Size {
                what: "the samples of a subset".to_owned(),
                expected: format!("indices below {}, the number of samples", data.len()),
                found: index.to_string(),
            }),
            None => Ok(Subset::of(data, indices)),
        }
    }

    /// Which samples of the data set these are.
    pub fn indices(&self) -> &[usize] {
        &self.indices
    }
}

impl<D: Clone> Subset<&D> {
    /// The same samples of a data set of its own, a clone; one behind an [`Arc`](std::sync::Arc) is shared.
    /// [`Dataset::prefetch`] needs what is nobody else's.
    pub fn cloned(self) -> Subset<D> {
        Subset { data: self.data.clone(), indices: self.indices }
    }
}

impl<D: Dataset> Dataset for Subset<D> {
    type Input = D::Input;
    type Target = D::Target;
    type Element = D::Element;
    type TargetElement = D::TargetElement;

    fn len(&self) -> usize {
        self.indices.len()
    }

    fn gather(
        &self,
        pass: Seed,
        indices: &[usize],
        mut inputs: &mut [D::Element],
        mut targets: &mut [D::TargetElement],
    ) -> Result<()> {
        let mut translated = [0; TOGETHER];
        for indices in indices.chunks(TOGETHER) {
            let indices = self.translate(indices, &mut translated);
            let x = first(&mut inputs, indices.len() * D::Input::NUMEL);
            let y = first(&mut targets, indices.len() * D::Target::NUMEL);
            self.data.gather(pass, indices, x, y)?;
        }
        Ok(())
    }

    fn gather_targets(
        &self,
        pass: Seed,
        indices: &[usize],
        mut targets: &mut [D::TargetElement],
    ) -> Result<()> {
        let mut translated = [0; TOGETHER];
        for indices in indices.chunks(TOGETHER) {
            let indices = self.translate(indices, &mut translated);
            let y = first(&mut targets, indices.len() * D::Target::NUMEL);
            self.data.gather_targets(pass, indices, y)?;
        }
        Ok(())
    }

    fn is_divisible(&self) -> bool {
        self.data.is_divisible()
    }

    fn is_fixed(&self) -> bool {
        self.data.is_fixed()
    }

    fn class_names(&self) -> &[String] {
        self.data.class_names()
    }

    fn columns(&self) -> Option<&Columns> {
        self.data.columns()
    }

    fn is_scaled(&self) -> Option<bool> {
        self.data.is_scaled()
    }
}

impl<D> Subset<D> {
    fn translate<'t>(&self, indices: &[usize], to: &'t mut [usize; TOGETHER]) -> &'t [usize] {
        for (to, &index) in to.iter_mut().zip(indices) {
            *to = self.indices[index];
        }
        &to[..indices.len()]
    }
}

/// Takes the first `n` elements off a slice.
fn first<'s, T>(slice: &mut &'s mut [T], n: usize) -> &'s mut [T] {
    slice.split_off_mut(..n).unwrap_or_default()
}

/// The samples of one data set and then those of another: [`Dataset::concat`].
#[derive(Clone, Debug)]
pub struct Concat<A, B> {
    a: A,
    b: B,
}

impl<A: Dataset, B: Dataset> Concat<A, B> {
    /// # Errors
    /// If the classes of the two, or their features, have different names.
    pub(super) fn new(a: A, b: B) -> Result<Self> {
        if let (Some(first), Some(second)) = (a.columns(), b.columns())
            && !first.mean_the_same(second)
        {
            return Err(Error::Invalid(format!(
                "two data sets cannot be one: the features of the first are {first}, those of the second {second}; expected the same, in the same order: Table::with_columns reads one table as another was read",
            )));
        }
        let (first, second) = (a.class_names(), b.class_names());
        if first.is_empty() || second.is_empty() || first == second {
            return Ok(Concat { a, b });
        }
        Err(Error::Invalid(format!(
            "two data sets cannot be one: the classes of the first are {}, those of the second {}; expected the same, in the same order",
            first.join(", "),
            second.join(", "),
        )))
    }

    /// The indices from `from` on that are of the same data set, at most [`TOGETHER`]: how many, in that data set's own
    /// numbers, and whether it is the second.
    fn run(&self, indices: &[usize], to: &mut [usize; TOGETHER]) -> (usize, bool) {
        let n = self.a.len();
        let second = indices[0] >= n;
        let same = indices.iter().take_while(|index| (**index >= n) == second);
        let mut count = 0;
        for (to, index) in to.iter_mut().zip(same) {
            *to = if second { index - n } else { *index };
            count += 1;
        }
        (count, second)
    }
}

impl<A, B> Dataset for Concat<A, B>
where
    A: Dataset,
    B: Dataset<
            Input = A::Input,
            Target = A::Target,
            Element = A::Element,
            TargetElement = A::TargetElement,
        >,
{
    type Input = A::Input;
    type Target = A::Target;
    type Element = A::Element;
    type TargetElement = A::TargetElement;

    fn len(&self) -> usize {
        self.a.len() + self.b.len()
    }

    fn gather(
        &self,
        pass: Seed,
        mut indices: &[usize],
        mut inputs: &mut [A::Element],
        mut targets: &mut [A::TargetElement],
    ) -> Result<()> {
        let mut run = [0; TOGETHER];
        while !indices.is_empty() {
            let (count, second) = self.run(indices, &mut run);
            indices = &indices[count..];
            let x = first(&mut inputs, count * A::Input::NUMEL);
            let y = first(&mut targets, count * A::Target::NUMEL);
            match second {
                false => self.a.gather(pass, &run[..count], x, y)?,
                true => self.b.gather(other(pass), &run[..count], x, y)?,
            }
        }
        Ok(())
    }

    fn gather_targets(
        &self,
        pass: Seed,
        mut indices: &[usize],
        mut targets: &mut [A::TargetElement],
    ) -> Result<()> {
        let mut run = [0; TOGETHER];
        while !indices.is_empty() {
            let (count, second) = self.run(indices, &mut run);
            indices = &indices[count..];
            let y = first(&mut targets, count * A::Target::NUMEL);
            match second {
                false => self.a.gather_targets(pass, &run[..count], y)?,
                true => self.b.gather_targets(other(pass), &run[..count], y)?,
            }
        }
        Ok(())
    }

    fn is_divisible(&self) -> bool {
        self.a.is_divisible() && self.b.is_divisible()
    }

    fn is_fixed(&self) -> bool {
        self.a.is_fixed() && self.b.is_fixed()
    }

    fn class_names(&self) -> &[String] {
        match self.a.class_names() {
            [] => self.b.class_names(),
            names => names,
        }
    }

    fn columns(&self) -> Option<&Columns> {
        self.a.columns().or(self.b.columns())
    }
}

/// What the second of two data sets draws from in a pass, so that the same index draws other numbers.
fn other(pass: Seed) -> Seed {
    // Samples draw from the streams of their indices.
    Rng::new(pass, u64::MAX).seed()
}

/// The inputs of one data set with those of another as targets: [`Dataset::zip`].
#[derive(Clone, Debug)]
pub struct Zip<A, B> {
    a: A,
    b: B,
}

impl<A: Dataset, B: Dataset> Zip<A, B> {
    /// # Errors
    /// If one has more samples than the other.
    pub(super) fn new(a: A, b: B) -> Result<Self> {
        if a.len() == b.len() {
            return Ok(Zip { a, b });
        }
        Err(Error::Size {
            what: "a data set whose inputs are the targets of another's".to_owned(),
            expected: format!("{} samples, as the other has", a.len()),
            found: b.len().to_string(),
        })
    }
}

impl<A: Dataset, B: Dataset> Dataset for Zip<A, B> {
    type Input = A::Input;
    type Target = B::Input;
    type Element = A::Element;
    type TargetElement = B::Element;

    fn len(&self) -> usize {
        self.a.len()
    }

    fn gather(
        &self,
        pass: Seed,
        indices: &[usize],
        inputs: &mut [A::Element],
        targets: &mut [B::Element],
    ) -> Result<()> {
        let mut unused = vec![A::TargetElement::default(); indices.len() * A::Target::NUMEL];
        self.a.gather(pass, indices, inputs, &mut unused)?;
        self.gather_targets(pass, indices, targets)
    }

    fn gather_targets(
        &self,
        pass: Seed,
        indices: &[usize],
        targets: &mut [B::Element],
    ) -> Result<()> {
        let mut unused = vec![B::TargetElement::default(); indices.len() * B::Target::NUMEL];
        self.b.gather(other(pass), indices, targets, &mut unused)
    }

    fn is_divisible(&self) -> bool {
        self.a.is_divisible() && self.b.is_divisible()
    }

    fn is_fixed(&self) -> bool {
        self.a.is_fixed() && self.b.is_fixed()
    }

    fn columns(&self) -> Option<&Columns> {
        self.a.columns()
    }
}
