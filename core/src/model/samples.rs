//! What a model is asked about: rows of numbers.

/// Samples for [`Model::predict`](super::Model::predict): anything that goes through rows of `E`, which are slices, arrays or
/// vectors. It is there for every such list, so that rustc can say what is wrong with another one.
///
/// ```
/// # extern crate netform_core as netform;
/// use netform::model::Samples;
///
/// fn numbers(samples: impl Samples<f32>) -> usize {
///     samples.rows().map(|row| row.as_ref().len()).sum()
/// }
///
/// let measured = vec![0.1, 0.2, 0.3, 0.4];
/// assert_eq!(numbers([[0.1, 0.2]]), 2);
/// assert_eq!(numbers(measured.chunks(2)), 4);
/// assert_eq!(numbers(&vec![measured.clone()]), 4);
/// ```
#[diagnostic::on_unimplemented(
    message = "`predict` takes samples, each a row of numbers of `{E}`, found `{Self}`",
    label = "not a list of rows of `{E}`",
    note = "one sample is a list of one row: `model.predict([[5.1, 3.5, 1.4, 0.2]])?`, several numbers in one `Vec` are `model.predict(numbers.chunks(4))?`",
    note = "a row has the elements of the network's input, `{E}`: whole numbers are written `5.0`, and another type is converted before, as by `x as f32`",
    note = "the inputs of a data set are `model.predict_data(&data)?`"
)]
pub trait Samples<E> {
    /// One sample.
    type Row: AsRef<[E]>;

    /// The samples, one after another.
    fn rows(self) -> impl Iterator<Item = Self::Row>;
}

#[diagnostic::do_not_recommend]
impl<E, I> Samples<E> for I
where
    I: IntoIterator,
    I::Item: AsRef<[E]>,
{
    type Row = I::Item;

    fn rows(self) -> impl Iterator<Item = I::Item> {
        self.into_iter()
    }
}
