//! Models: a trained network with what is needed to use it, as one value and one file.

mod file;
mod prediction;
mod samples;
mod table;
mod task;

use std::path::Path;

use crate::data::{Columns, DatasetOf, Scaling};
use crate::device::Memory;
use crate::element::Float;
use crate::error::{Error, Result};
use crate::feed::InputElement;
use crate::inference::Predictor;
use crate::io::safetensors;
use crate::io::write_atomically;
use crate::module::Module;
use crate::network::Network;
use crate::shape::{SameSample, SampleShape, Shape};
use crate::step::InputBuffer;

pub use crate::outputs::Outputs;
pub use prediction::Prediction;
pub use samples::Samples;
pub use task::{Classes, Numbers, Task};

/// The samples of a batch, unless more are set.
const BATCH: usize = 64;

/// A network that tells classes apart, with their names.
pub type Classifier<N> = Model<N, Classes>;

/// A network that predicts numbers, in the units of the targets.
pub type Regressor<N> = Model<N, Numbers<<N as Network>::Output, <N as Module>::Elem>>;

/// A trained network with the scaling of its inputs, the columns that they are made of, and what its outputs mean: a [`Classifier`] or a [`Regressor`].
/// It takes samples as they are measured, and is one safetensors file.
///
/// ```standalone_crate
/// # extern crate netform_core as netform;
/// # netform_macros::network! { Iris: [4] -> [3] { fc1: Linear(16), Relu, fc2: Linear(3) } }
/// # fn main() -> netform::error::Result<()> {
/// use netform::data::{InMemory, Scaling};
/// use netform::dim::D;
/// use netform::loss::CrossEntropy;
/// use netform::model::Classifier;
/// use netform::optim::Adam;
/// use netform::random::Seed;
/// use netform::train::Trainer;
/// # let measured = vec![5.1, 3.5, 1.4, 0.2, 7.0, 3.2, 4.7, 1.4, 6.3, 3.3, 6.0, 2.5];
/// # let file = std::env::temp_dir().join(format!("netform-doc-model-{}", std::process::id()));
///
/// let mut train = InMemory::<(D<4>,)>::new(measured, vec![0, 1, 2])?;
/// let scaling = Scaling::standard(&train)?;
/// scaling.apply(&mut train);
/// let mut net = Iris::new(Seed(1));
/// Trainer::new(CrossEntropy, Adam::new(1e-2)).epochs(50).fit(&mut net, &train)?;
///
/// let model = Classifier::new(net, ["setosa", "versicolor", "virginica"])?.scaling(scaling);
/// model.save(&file)?;
///
/// let model = Classifier::<Iris>::load(&file)?;
/// for flower in model.predict([[5.0, 3.4, 1.5, 0.2], [6.4, 3.1, 5.9, 2.3]])? {
///     println!("{flower}: {:?}", flower.top(2));
/// }
/// assert_eq!(model.predict([[5.0, 3.4, 1.5, 0.2]])?[0].name(), "setosa");
/// # std::fs::remove_file(file).ok();
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Model<N: Network, T> {
    net: N,
    scaling: Option<Scaling<N::Input, N::Elem>>,
    columns: Option<Columns>,
    task: T,
    batch: usize,
}

impl<N: Network> Classifier<N> {
    /// A network whose outputs are logits of classes, as [`CrossEntropy`](crate::loss::CrossEntropy) wants them, one for
    /// each name; of two classes it may have one output, as [`BceWithLogits`](crate::loss::BceWithLogits) wants it,
    /// which is the logit of the second. Where the network ends in a sigmoid or a softmax, as a layer or as
    /// `sigmoid(fc(x))`, they are taken as probabilities, and as their logarithms where it ends in `LogSoftmax` or
    /// `log_softmax(..)`; [`Model::outputs`] says so where they are something else.
    ///
    /// # Errors
    /// If there are not as many names as outputs, a name is empty or there twice, or the output has more than one axis.
    pub fn new(net: N, names: impl IntoIterator<Item = impl Into<String>>) -> Result<Self> {
        let names = names.into_iter().map(Into::into).collect();
        let task = Classes::new::<N>(names)?;
        Ok(Model { net, scaling: None, columns: None, task, batch: BATCH })
    }

    /// What the outputs are; what the end of the network says unless set, as in [`Classifier::new`].
    #[must_use]
    pub fn outputs(mut self, outputs: Outputs) -> Self {
        self.task.outputs = outputs;
        self
    }

    /// The names of the classes, by class.
    pub fn class_names(&self) -> &[String] {
        &self.task.names
    }
}

impl<N: Network> Regressor<N> {
    /// A network whose outputs are numbers.
    pub fn new(net: N) -> Self {
        Model { net, scaling: None, columns: None, task: Numbers::default(), batch: BATCH }
    }

    /// The scaling that the targets had in training; predictions are in the targets' own units again.
    #[must_use]
    pub fn target_scaling(mut self, scaling: Scaling<N::Output, N::Elem>) -> Self {
        self.task.scaling = Some(scaling);
        self
    }
}

impl<N, T> Model<N, T>
where
    N: Network<InputElement = <N as Module>::Elem>,
{
    /// The scaling that the inputs had in training; the model does it to every sample.
    #[must_use]
    pub fn scaling(mut self, scaling: Scaling<N::Input, N::Elem>) -> Self {
        self.scaling = Some(scaling);
        self
    }
}

impl<N: Network, T: Task<N>> Model<N, T> {
    /// How many samples are predicted at once; 64 unless set. A size of 0 is taken as 1.
    #[must_use]
    pub fn batch(mut self, samples: usize) -> Self {
        self.batch = samples.max(1);
        self
    }

    /// The network.
    pub fn net(&self) -> &N {
        &self.net
    }

    /// The network, to be trained on.
    pub fn net_mut(&mut self) -> &mut N {
        &mut self.net
    }

    /// The network alone.
    pub fn into_net(self) -> N {
        self.net
    }

    /// What the model says of each sample, in their order: samples are slices, arrays or vectors of an input's elements,
    /// one after another in row order. There may be any number of them.
    ///
    /// ```standalone_crate
    /// # extern crate netform_core as netform;
    /// # netform_macros::network! { Line: [2] -> [1] { fc: Linear(1) } }
    /// # fn main() -> netform::error::Result<()> {
    /// # use netform::{model::Regressor, random::Seed};
    /// let model = Regressor::new(Line::new(Seed(1)));
    /// let measured = [0.1, 0.2, 0.3, 0.4];
    /// let values: Vec<Vec<f32>> = model.predict(measured.chunks(2))?;
    /// assert_eq!(values.len(), 2);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If a sample has not the input's number of elements, an output is infinite or not a number, a classifier's outputs
    /// are not the probabilities that [`Outputs`] says they are, the device has not enough memory or is lost, or an index
    /// among the inputs is out of range.
    #[doc(alias = "predict_proba")]
    pub fn predict(&self, samples: impl Samples<N::InputElement>) -> Result<Vec<T::Prediction>> {
        let samples = samples.rows();
        let expected = samples.size_hint().1.unwrap_or(usize::MAX);
        let mut run = Run::new(self, expected)?;
        for sample in samples {
            run.add(sample.as_ref())?;
        }
        run.end()
    }

    /// [`Model::predict`] for the inputs of a data set, as they are measured: the model scales them.
    ///
    /// # Errors
    /// As [`Model::predict`], or if a sample cannot be read or made, or its numbers are made of other columns than those of the
    /// model, as far as both know them, or the model has a scaling and `data` were scaled already.
    pub fn predict_data<D>(&self, data: &D) -> Result<Vec<T::Prediction>>
    where
        D: DatasetOf<N::InputElement>,
        D::Input: SameSample<N::Input>,
    {
        self.check_inputs(data)?;
        let mut run = Run::new(self, data.len())?;
        for batch in data.batches_in_order(self.batch) {
            for sample in batch?.inputs.to_vec().chunks_exact(N::Input::NUMEL.max(1)) {
                run.add(sample)?;
            }
        }
        run.end()
    }

    /// Writes the model to a safetensors file, whole or not at all. [`Weights::load`](crate::weights::Weights::load)
    /// reads its weights, too.
    ///
    /// # Errors
    /// If the file cannot be written, or the device is lost.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        write_atomically(path, &self.to_bytes()?)
    }

    /// The bytes of the file that [`Model::save`] writes.
    ///
    /// # Errors
    /// If the device is lost.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        file::to_bytes(self)
    }

    /// Reads a model from a file of [`Model::save`].
    ///
    /// # Errors
    /// If the file cannot be read, is of another version, network, layers or kind of model, or [`Error::Weights`] with every
    /// tensor that is missing, not the network's or of another shape.
    pub fn load(path: impl AsRef<Path>) -> Result<Self>
    where
        N::Device: Default,
    {
        Self::load_on(path, N::Device::default())
    }

    /// [`Model::load`] onto a device.
    ///
    /// ```standalone_crate
    /// # extern crate netform_core as netform;
    /// # netform_macros::network! { Iris: [4] -> [3] { fc1: Linear(3) } }
    /// # fn main() -> netform::error::Result<()> {
    /// # use netform::{cpu::Cpu, model::Classifier, random::Seed};
    /// # let file = std::env::temp_dir().join(format!("netform-doc-load-on-{}", std::process::id()));
    /// # Classifier::new(Iris::new(Seed(1)), ["setosa", "versicolor", "virginica"])?.save(&file)?;
    /// let model = Classifier::<Iris<f32, _>>::load_on(&file, Cpu::default())?;
    /// # assert_eq!(model.class_names().len(), 3);
    /// # std::fs::remove_file(file).ok();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Model::load`], or if the device has not enough memory.
    pub fn load_on(path: impl AsRef<Path>, device: N::Device) -> Result<Self> {
        let path = path.as_ref();
        file::from_contents(safetensors::read(path)?, path, device)
    }

    /// A model from the bytes of a file, such as those that `include_bytes!` puts into a program.
    ///
    /// # Errors
    /// As [`Model::load_on`].
    pub fn from_bytes(bytes: &[u8], device: N::Device) -> Result<Self> {
        let source = Path::new("model in memory");
        file::from_contents(safetensors::from_bytes(bytes, source)?, source, device)
    }
}

/// Predictions, one batch after another.
struct Run<'m, N: Network, T: Task<N>> {
    model: &'m Model<N, T>,
    predictor: Predictor<'m, N>,
    /// The samples that have gathered, here and on the device.
    samples: Vec<N::InputElement>,
    inputs: InputBuffer<N>,
    capacity: usize,
    outputs: Vec<N::Elem>,
    predictions: Vec<T::Prediction>,
}

impl<'m, N: Network, T: Task<N>> Run<'m, N, T> {
    /// For `expected` samples at most.
    fn new(model: &'m Model<N, T>, expected: usize) -> Result<Self> {
        let capacity = model.batch.min(expected).max(1);
        let room = capacity.saturating_mul(N::Input::NUMEL);
        Ok(Run {
            model,
            predictor: model.net.predictor(capacity)?,
            samples: Vec::with_capacity(room),
            inputs: model.net.store().device.zeros(room)?,
            capacity,
            outputs: vec![N::Elem::ZERO; capacity.saturating_mul(N::Output::NUMEL)],
            predictions: Vec::new(),
        })
    }

    fn gathered(&self) -> usize {
        self.samples.len() / N::Input::NUMEL.max(1)
    }

    fn add(&mut self, sample: &[N::InputElement]) -> Result<()> {
        if sample.len() != N::Input::NUMEL {
            let number = self.predictions.len() + self.gathered() + 1;
            let names = self.model.columns.as_ref();
            let names = names.map_or(String::new(), |columns| format!(": {columns}"));
            return Err(Error::Size {
                what: format!("sample {number} for network `{}`", N::NAME),
                expected: format!("{} elements, {}{names}", N::Input::NUMEL, N::Input::describe()),
                found: sample.len().to_string(),
            });
        }
        self.samples.extend_from_slice(sample);
        if self.gathered() == self.capacity { self.predict() } else { Ok(()) }
    }

    /// Predicts what has gathered.
    fn predict(&mut self) -> Result<()> {
        let batch = self.gathered();
        if let Some(scaling) = &self.model.scaling
            && let Some(samples) = N::InputElement::floats(&mut self.samples)
        {
            scaling.apply_to(samples);
        }
        let device = &self.model.net.store().device;
        device.write(&mut self.inputs, 0, &self.samples)?;
        let outputs = self.predictor.run_on(batch, &self.inputs)?;
        let found = &mut self.outputs[..batch * N::Output::NUMEL];
        device.read(outputs.buffer(), 0, found)?;
        for outputs in found.chunks_exact(N::Output::NUMEL.max(1)) {
            let number = self.predictions.len() + 1;
            let prediction = self.model.task.prediction(outputs).map_err(|problem| {
                Error::Invalid(format!(
                    "network `{}` answers sample {number} with {problem}",
                    N::NAME
                ))
            })?;
            self.predictions.push(prediction);
        }
        self.samples.clear();
        Ok(())
    }

    fn end(mut self) -> Result<Vec<T::Prediction>> {
        if !self.samples.is_empty() {
            self.predict()?;
        }
        Ok(self.predictions)
    }
}
