//! Neural networks whose shapes are checked and whose gradients are written at compile time.
//!
//! [`network!`] is a compiler: it reads a declaration of layers, infers every shape, differentiates the
//! graph, plans memory and fusion, and prints Rust. A wrong shape is an error of `cargo check`, at the
//! layer that is wrong.
//!
//! ```
//! use netform::prelude::*;
//!
//! network! {
//!     /// A classifier of four measurements.
//!     pub Iris: [4] -> [3] {
//!         fc1: Linear(16), Relu,
//!         fc2: Linear(3),
//!     }
//! }
//!
//! # fn main() -> netform::Result<()> {
//! let mut net = Iris::new(Seed(42));
//! // Two samples of class 0 and class 2.
//! let data = InMemory::<(D<4>,)>::new(
//!     vec![5.1, 3.5, 1.4, 0.2, 6.3, 3.3, 6.0, 2.5],
//!     vec![0, 2],
//! )?;
//! let history = Trainer::new(CrossEntropy, Adam::new(1e-2)).epochs(50).batch(2).fit(&mut net, &data)?;
//! assert!(history.epochs.last().is_some_and(|epoch| epoch.train_loss < 0.5));
//! # Ok(())
//! # }
//! ```
//!
//! # Shapes that do not fit
//! After the pooling these digits are `[16, 14, 14]`, which `Flatten` makes 3136 features, and not 128. `cargo check` says
//! so:
//!
//! ```compile_fail
//! use netform::prelude::*;
//!
//! network! {
//!     pub Digits: [1, 28, 28] -> [10] {
//!         conv1: Conv2d(16, kernel = 5, padding = 2), Relu, MaxPool2d(2),
//!         Flatten,
//!         fc1: Linear(128 -> 10),
//!     }
//! }
//! # fn main() {}
//! ```
//!
//! ```text
//! error: shape mismatch in network `Digits`: layer `fc1: Linear(128 -> 10)` expects 128 features, but `Flatten` yields [16, 14, 14] = 3136; write `Linear(3136 -> 10)`
//!   --> src/main.rs:7:9
//!    |
//!  7 |         fc1: Linear(128 -> 10),
//!    |         ^^^^^^^^^^^^^^^^^^^^^^
//! ```
//!
//! Outside of networks shapes are types, and rustc compares them: a batch of `(D<5>,)` given to a network of `[4]` does not
//! compile either.
//!
//! # Where to look
//! | what | where |
//! |---|---|
//! | networks, functions, layers, expressions | [`network!`], [`layers`], [`functions`] |
//! | passes by hand, what every network has | [`module::Module`], [`network::Network`], [`pullback::Workspace`] |
//! | tensors | [`tensor::Tensor`], [`mod@dim`] |
//! | data sets, files of data, scaling, batches | [`data`], [`io`] |
//! | losses, optimisers, schedules, rules of updates | [`loss`], [`optim`], [`schedule`], [`update::Rules`] |
//! | training | [`train::Trainer`], [`train::Callback`], [`train::History`], [`step::TrainStep`], [`metric`] |
//! | pages and pictures of trainings | [`report::Report`], [`plot`] |
//! | weights and models in files, predictions | [`weights::Weights`], [`weights::StateDict`], [`model::Model`], [`inference::Predictor`] |
//! | devices | [`cpu::Cpu`], and `gpu::Vulkan` with the feature `vulkan` |
//! | what can go wrong at run time | [`error::Error`] |
//!
//! [`prelude`] has what most programs use. The repository has a book, in the folder `docs`, and examples.
//!
//! # Features
//! | feature | what it adds |
//! |---|---|
//! | `vulkan` | networks on a GPU, `netform::gpu`; the Vulkan library is found at run time |
//! | `images` | data sets of folders of PNG and JPEG files, `data::images` |
//! | `npz` | NumPy's archives of arrays, `io::npz` |
//! | `ctrlc` | Ctrl-C that ends training cleanly, `Trainer::stop_on_ctrl_c` |
//!
//! None is on by default. Without them there is everything else: the processor as a device, CSV, IDX, npy and safetensors.
//! Nothing but Rust and a linker is needed to build any of them.

pub use netform_core::{
    __private, cpu, data, device, dim, element, error, feed, function, functions, inference, init,
    io, layer, layers, loss, loss_step, metric, model, module, network, optim, plot, pullback,
    random, report, schedule, shape, step, summary, tensor, train, update, weights,
};

pub use netform_core::error::{Error, Result};

/// Networks on a GPU, through Vulkan: `Digits::<f32, _>::on(Vulkan::new()?, Seed(42))`.
#[cfg(feature = "vulkan")]
pub use netform_gpu as gpu;

// The shortest path is the one that rustc prints: `netform::D<784>`.
pub use netform_core::dim::{Batch, D};
pub use netform_core::tensor::Tensor;

/// Declares networks.
///
/// A declaration has doc comments and a visibility like any item, the shape of one input sample, optionally
/// the shape of one output sample (checked), and layers between commas. The batch axis is implicit. A name
/// before a colon names a layer's parameters; layers with parameters and without a name are called `linear1`,
/// `conv2d1` and so on.
///
/// ```
/// use netform::prelude::*;
///
/// const HIDDEN: usize = 120;
///
/// network! {
///     /// A LeNet-style classifier of 28x28 digits.
///     pub Digits: [1, 28, 28] -> [10] {
///         conv1: Conv2d(6, kernel = 5, padding = 2), Relu, MaxPool2d(2),
///         conv2: Conv2d(16, kernel = 5), Relu, MaxPool2d(2),
///         Flatten,
///         fc1: Linear(HIDDEN), Relu, Dropout(0.25),
///         fc2: Linear(10),
///     }
/// }
///
/// # fn main() -> netform::Result<()> {
/// let net = Digits::new(Seed(42));
/// let x = Tensor::<(Batch, D<1>, D<28>, D<28>)>::from_vec(vec![0.0; 2 * 784])?;
/// let logits: Tensor<(Batch, D<10>)> = net.forward(&x)?;
/// assert_eq!(logits.batch(), 2);
/// println!("{}", net.summary());
/// # Ok(())
/// # }
/// ```
///
/// # Sizes
/// A size is a literal, a const item (`HIDDEN`, `config::HIDDEN`), a const expression in braces
/// (`{ usize::pow(2, 5) }`), or `+ - * /` of these. A size that leaves a remainder, is 0 or is too large is an
/// error.
///
/// # Generic sizes
/// `pub Block<T, D>: [T, D] -> [T, 2 * D]` is generic over sizes. A use names them as types:
/// `Block::<D<16>, D<32>>`; `Len` stands for a size that is known only at run time, where an input tells it and
/// no parameter has it. What can be proved of sizes is proved where the network is declared; the rest, such as
/// that `D / H` leaves no remainder, is an error of `cargo check` where a network is made of sizes that do not
/// fit, and an error of the pass for sizes that are known only then. Code that is itself generic over the sizes
/// of a network says so by the trait that is printed beside it, which the tuple of its sizes implements.
///
/// ```
/// use netform::dim::Static;
/// use netform::prelude::*;
///
/// network! {
///     /// Twice as many features.
///     pub Up<T, D>: [T, D] -> [T, 2 * D] { fc: Linear(2 * D), Tanh }
/// }
///
/// fn up<N: Static>() -> Up<Len, N>
/// where
///     (Len, N): UpSizes,
/// {
///     Up::new(Seed(1))
/// }
///
/// # fn main() -> netform::Result<()> {
/// let x = Tensor::<(Batch, Len, D<3>)>::zeros_on(Cpu::default(), (Batch(2), Len(5), D))?;
/// let y: Tensor<(Batch, Len, D<6>)> = up::<D<3>>().forward(&x)?;
/// assert_eq!(y.shape(), (Batch(2), Len(5), D::<6>));
/// # Ok(())
/// # }
/// ```
///
/// # Limits
/// A sample has at most 5 axes. A network has at most 8 inputs, 8 outputs and 8 settings, and at most 4 sizes that are
/// known only at run time; more are an error where they are declared. A function of more than 8 inputs can be used by
/// other items, and not be called on tensors.
///
/// # Settings
/// `pub Digits(rate: f32): ..` has a number that is set at run time, without compiling again: `Digits::new(seed,
/// 0.25)`, `net.set("rate", 0.1)`. It is finite, and as a rate of dropout from 0 to 1; other values are an error. Inside
/// another network it is given a number, or a setting of that one: `enc: Encoder(rate = 0.1)`, `enc: Encoder(rate)`.
///
/// # Layers
/// Names, defaults and layouts are PyTorch's, but for the `eps` of `RmsNorm`, which is 1e-6. [`layers`] documents each
/// layer and its arguments; rust-analyzer shows that at their names, and completes them.
///
/// | layer | arguments |
/// |---|---|
/// | `Linear(out)`, `Linear(in -> out)` | `bias = true`, `init`, `bias_init`; over the last axis |
/// | `Embedding(rows, features = 32)` | of `u32` inputs; `init` |
/// | `Conv2d(out, kernel = 3)`, `Conv1d`, `ConvTranspose2d` | `stride = 1`, `padding = 0`, `dilation = 1`, each one number or a pair `(h, w)`; `groups = 1`, `bias = true`, `init`, `bias_init` |
/// | `MaxPool2d(2)`, `AvgPool2d(2)` | `stride` (the kernel's size where it is not given), `padding = 0` |
/// | `AdaptiveAvgPool2d(1)`, `Upsample(2)` | |
/// | `Flatten`, `Reshape([16, 5, 5])` | |
/// | `Relu`, `Sigmoid`, `Tanh`, `Softplus`, `Silu`, `LeakyRelu(0.01)`, `Elu(1.0)` | |
/// | `Gelu` | `approximate = none` or `tanh` |
/// | `Softmax`, `LogSoftmax`, `Glu` | `axis = -1`; `Glu` halves that axis |
/// | `BatchNorm1d`, `BatchNorm2d` | `eps`, `momentum = 0.1` |
/// | `LayerNorm`, `RmsNorm`, `GroupNorm(4)` | `eps`; `axes = 1`, the last axes that `LayerNorm` goes over |
/// | `Rnn(64)`, `Gru(64)`, `Lstm(64)` | `last = false`; over `[positions, features]`; in expressions `let (ys, h) = gru(xs);` and `let (ys, h, c) = lstm(xs);`, all states and the last |
/// | `MultiHeadAttention(4)` | `causal = false`, `bias = true` |
/// | `PositionalEmbedding`, `PositionalEncoding` | added to `[positions, features]` |
/// | `Dropout(0.25)` | active in training only |
/// | `Residual { .. }`, `Parallel { a, b }`, `[layer; 12]` | what is inside added to its input, results concatenated along `axis = 0`, and repeated with weights of its own |
/// | another network | `enc: Encoder`, `enc: Encoder -> [64]`, `Block<T, D>`, `Encoder(rate = 0.1)`; in any module or crate, before or after it |
///
/// `init` is one of `Zeros`, `Ones`, `Constant(0.1)`, `Xavier`, `XavierNormal`, `He`, `HeUniform`,
/// `Uniform(-0.1, 0.1)`, `Normal(0.0, 0.02)`; the default is PyTorch's.
///
/// # Expressions
/// Named inputs open the expression form: `let` binds values, layers and bare weights (`Param([784, 128])`);
/// operators `+ - * / @`, comparisons, functions and methods (`softmax(x, axis = -1)`, `x.sum(axis = 0)`), indices
/// (`x[0, 1..3]`), `for i in 0..4 { x = f(x) }`, `scan(xs, h0, |h, x| (h, y))` and `grad(e, x)`. A layer that is
/// called twice shares its weights, and a batch norm moves its running statistics at each call, but cannot be called
/// inside `scan`. `emb.weight` is a weight of a layer that was called before, and `block.fc.weight` or
/// `blocks[0].fc.weight` one of a layer inside a network: tied weights are `tanh(emb(ids)) @ emb.weight.transpose()`.
///
/// ```
/// use netform::prelude::*;
///
/// network! {
///     /// A penalty on the gradient of a network's output with respect to its input.
///     pub Smooth: (x: [4], y: [1]) -> [] {
///         let hidden = Linear(8);
///         let out = Linear(1);
///         let z = out(tanh(hidden(x)));
///         mse(z, y) + 0.1 * sum(square(grad(sum(z), x)))
///     }
/// }
///
/// # fn main() -> netform::Result<()> {
/// let mut net = Smooth::new(Seed(1));
/// let x = Tensor::<(Batch, D<4>)>::from_vec(vec![0.1, 0.2, 0.3, 0.4])?;
/// let y = Tensor::<(Batch, D<1>)>::from_vec(vec![1.0])?;
/// let mut step = net.loss_step(Adam::new(1e-2), 1)?;
/// let first = step.run((&x, &y))?;
/// let last = (0..50).try_fold(first, |_, _| step.run((&x, &y)))?;
/// assert!(last < first);
/// # Ok(())
/// # }
/// ```
///
/// [`functions`] documents each function, and rust-analyzer shows that at its name:
///
/// | functions of expressions, and methods: `relu(x)` is `x.relu()` | |
/// |---|---|
/// | of elements, with broadcasting | `neg`, `add`, `sub`, `mul`, `div`, `recip`, `square`, `sqrt`, `rsqrt`, `pow(x, y)`, `exp`, `expm1`, `ln`, `log1p`, `sin`, `cos`, `tan`, `tanh`, `erf`, `abs`, `sign`, `floor`, `ceil`, `round`, `max(x, y)`, `min(x, y)`, `clamp(x, min = 0.0, max = 1.0)` |
/// | activations | `relu`, `sigmoid`, `log_sigmoid`, `softplus`, `gelu(x, approximate = none)`, `silu`, `elu(x, alpha = 1.0)`, `leaky_relu(x, slope = 0.01)`, `softmax(x, axis = -1)`, `log_softmax(x, axis = -1)` |
/// | conditions, 1 or 0 | `gt(x, y)`, `lt`, `ge`, `le`, `eq`, `ne`, and `>`, `<`, ..; `select(condition, x, y)`; `causal(scores)` masks what comes later |
/// | folds, `axis = 0`, `keep = false` | `sum`, `mean`, `max`, `min`, `prod`, `variance(x, unbiased = true)`, `log_sum_exp`, `argmax(x, axis = -1)` (integers, without a derivative), `cumsum(x, axis = -1)` |
/// | shapes | `reshape(x, [4, 4])`, `flatten`, `squeeze(x, axis = 0)`, `unsqueeze(x, axis = 0)`, `transpose(x, axes = (-2, -1))`, `permute(x, [1, 0, 2])`, `broadcast(x, [4, 4])`, `concat(a, b, axis = 0)`, `stack(a, b, axis = 0)`, `unstack(x, axis)`, `split(x, n, axis = -1)`, `slice(x, start, end, axis = 0, step = 1)`, `pad(x, before = 1, after = 1, axis = -1)`, `flip(x, axis = 0)` |
/// | products | `a @ b`, `matmul(a, b)`, `dot(a, b)`, `attention(q, k, v, causal = false)` |
/// | of integers, which are inputs `u32[..]` or what `argmax` yields | `gather(x, indices)`, `lookup(table, indices)`, `one_hot(indices, n)`, `float(indices)` |
/// | new values | `zeros([4, 4])`, `ones([4, 4])`, `full([4, 4], 0.5)`, `arange(n)`; new ones for every sample and training step, the same at every `forward` and call of an `fn`: `normal([4, 4])`, `uniform([4, 4])`; `dropout(x, 0.25)`, nothing in evaluation |
/// | losses | `mse(x, target)`, `l1`, `huber(x, target, delta = 1.0)`, `bce`, `bce_with_logits`, `cross_entropy(logits, labels, smoothing = 0.1)`, `nll`, `kl_divergence(log_q, p)`, `hinge(x, signs)`, `cosine_similarity(a, b)` |
/// | derivatives | `grad(e, x)`, `stop_gradient(x)`, `clip_gradient(x, max = 1.0)` |
///
/// # Functions
/// A `fn` item needs no parameters. It is called on tensors of exactly the declared shapes, without a batch, and has
/// its derivatives beside it:
///
/// ```
/// use netform::prelude::*;
///
/// network! {
///     /// Rosenbrock's function.
///     pub fn rosenbrock(x: [2]) -> [] {
///         square(1 - x[0]) + 100 * square(x[1] - square(x[0]))
///     }
///
///     /// Points on a spiral; `N` is whatever the tensor has.
///     pub fn spiral<N>(t: [N]) -> [2, N] {
///         stack(t * cos(t), t * sin(t))
///     }
/// }
///
/// // Gradient descent by hand.
/// let mut x = tensor!([0.8, 0.5]);
/// for _ in 0..100 {
///     x = &x - rosenbrock::gradient(&x) * 0.001;
/// }
/// let (value, gradient) = rosenbrock::value_and_gradient(&x);
/// assert!(value.item() < 0.1 && value == rosenbrock(&x));
/// println!("{gradient} {}", rosenbrock::hessian(&x));
///
/// let jacobian: Tensor<(D<2>, D<3>, D<3>)> = spiral::jacobian(&tensor!([0.0, 1.0, 2.0]));
/// assert_eq!(jacobian[[0, 0, 0]], 1.0);
/// ```
///
/// | of a scalar, `-> []` | |
/// |---|---|
/// | `f(&x)`, `f(&a, &b)` | `Tensor<()>`, the number itself is `.item()` |
/// | `f::gradient(&x)` | of the input's shape; with several float inputs a tuple, one for each |
/// | `f::value_and_gradient(&x)` | both at once |
/// | `f::hessian_vector_product(&x, &v)` | of the input's shape; with several, `v` is a tuple of references |
/// | `f::hessian(&x)` | the input's axes twice; with several, a tuple of tuples of blocks |
///
/// | of a tensor, `-> [2, N]` | |
/// |---|---|
/// | `f(&x)` | |
/// | `f::vjp(&x, &dy)` | the gradient of the sum of `f(&x) * dy` |
/// | `f::jacobian(&x)` | the output's axes and then the input's; with several, a tuple |
///
/// An input `u32[..]` takes a tensor of `u32`; as an index may be out of range, these functions return a
/// [`Result`]. All others panic only where memory is short, or where sizes that are known only at run time
/// ([`dim::Len`]) differ. Of a function of `[..S, C]` the tensors may have further axes in front; each position counts
/// as a sample, and the value is the mean over them.
///
/// A function has no evaluation mode: `dropout` in it drops wherever it is called on tensors. One that is given
/// numbers at run time (`delta: f32`, see below) is a loss and a part of other items, and cannot be called on tensors.
///
/// A function of outputs and targets is also a loss, by its name: `Trainer::new(distance, Adam::new(1e-3))`. Where a
/// value of a named type is needed, that is `distance {}`.
///
/// # Losses
/// An `fn` of outputs and targets is a loss, accepted wherever the ones in [`loss`] are: [`loss::Mse`],
/// [`loss::L1`], [`loss::Huber`], [`loss::SmoothL1`], [`loss::BceWithLogits`], [`loss::Bce`], [`loss::Hinge`],
/// [`loss::CrossEntropy`] (with `.smoothing(0.1)` and `.weights([1.0, 5.0])`), [`loss::Nll`],
/// [`loss::KlDivergence`] and [`loss::CosineSimilarity`]. It yields one number for each sample, `-> []`, or a value
/// and its weight, `-> ([], [])`: the loss of a batch is the mean, or the sum of values over the sum of weights.
/// `..S` stands for any leading axes. A `delta: f32` or a `weights: [f32; C]` after the tensors is given at run
/// time, as a field of the function's type, of `f32` or of `f64` as it is declared; inside another item it is an
/// operand like others.
///
/// ```
/// use netform::prelude::*;
///
/// network! {
///     pub Line: [2] -> [1] { fc1: Linear(1) }
///
///     /// Small errors do not count.
///     pub fn insensitive(y: [..S], t: [..S], width: f32) -> [] {
///         relu(abs(y - t) - width)
///     }
/// }
///
/// # fn main() -> netform::Result<()> {
/// let data = InMemory::<(D<2>,), (D<1>,), f32, f32>::new(vec![0.0, 1.0, 1.0, 0.0], vec![1.0, 2.0])?;
/// let mut net = Line::new(Seed(1));
/// Trainer::new(insensitive { width: 0.1 }, Sgd::new(0.1)).epochs(10).fit(&mut net, &data)?;
/// # Ok(())
/// # }
/// ```
///
/// # What it prints
/// A type `Digits<E = f32, Dev = Cpu>` that implements [`network::Network`], with `Digits::new(seed)`,
/// `Digits::<f64>::on(device, seed)`, `Digits::from_bytes(bytes, device)`, `net.forward(&x)`, a method for each
/// layer with parameters (`net.fc1().weight()`, `net.enc().fc1().weight()`, `net.blocks(0)?.fc().weight()`),
/// `Digits::PLAN`, the graph and its planned steps as text, and `Debug`: attributes that derive traits or leave items
/// out do not reach all of it, and are an error.
pub use netform_macros::network;

#[doc(hidden)]
pub use netform_macros::__linked;

/// What programs that declare and train networks use.
pub mod prelude {
    pub use crate::cpu::Cpu;
    pub use crate::data::{self, Dataset, InMemory, MiniBatch, NumericTargets};
    pub use crate::dim;
    pub use crate::dim::{Batch, D, Len};
    pub use crate::loss::{BceWithLogits, CrossEntropy, LossGradient, Mse, OwnOutput};
    pub use crate::module::Module;
    pub use crate::network;
    pub use crate::network::Network;
    pub use crate::optim::{Adagrad, Adam, AdamW, Optimizer, RmsProp, Sgd};
    pub use crate::pullback::{Gradients, Mode};
    pub use crate::random::{Rng, Seed};
    pub use crate::tensor;
    pub use crate::tensor::Tensor;
    pub use crate::train::{Checkpoint, EarlyStopping, Progress, Trainer};
    pub use crate::update::Updater;
    pub use crate::weights::Weights;
}

#[cfg(doctest)]
mod pages;
