//! A pass of kernels from the buffers that are bound to it to its end, and the memory that the buffers are in.

use super::{Kernels, Name, Span, Watch};
use crate::cpu::Cpu;
use crate::element::{Element, Float};
use crate::error::{Error, Result};

/// Where the random numbers of a run come from, and how far training has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counter {
    /// The network's seed.
    pub seed: u64,
    /// The training step, from 0.
    pub step: u64,
    /// The index, in the global batch, of the first sample of this run.
    pub first_sample: u64,
}

/// A buffer of a run that may be written or not.
pub enum Access<'a, B> {
    /// Nothing is bound.
    None,
    /// Read only.
    Read(&'a B),
    /// Read and written.
    Write(&'a mut B),
}

/// How many inputs, integer inputs and outputs a run can have, each.
pub const MAX_BOUND: usize = 16;

/// The buffers of one run.
pub struct Bindings<'a, E: Float, D: Device<E>> {
    /// [`Slot::Params`](super::Slot::Params).
    pub params: Access<'a, D::Buffer<E>>,
    /// [`Slot::Grads`](super::Slot::Grads).
    pub grads: Access<'a, D::Buffer<E>>,
    /// [`Slot::State`](super::Slot::State).
    pub state: Access<'a, D::Buffer<E>>,
    /// [`Slot::Workspace`](super::Slot::Workspace).
    pub workspace: Access<'a, D::Buffer<E>>,
    /// [`Slot::Optimizer`](super::Slot::Optimizer).
    pub optimizer: Access<'a, D::Buffer<E>>,
    /// [`Slot::Input`](super::Slot::Input).
    pub inputs: [Option<&'a D::Buffer<E>>; MAX_BOUND],
    /// [`Slot::Index`](super::Slot::Index).
    pub indices: [Option<&'a D::Buffer<u32>>; MAX_BOUND],
    /// [`Slot::Output`](super::Slot::Output).
    pub outputs: [Access<'a, D::Buffer<E>>; MAX_BOUND],
    /// Where random numbers come from.
    pub counter: Counter,
    /// The names of what spans hold, for errors.
    #[doc(hidden)]
    pub name: Name,
    /// Where what each kernel makes is looked at, where something is wrong.
    #[doc(hidden)]
    pub watch: Option<Watch<'a>>,
}

impl<E: Float, D: Device<E>> Default for Bindings<'_, E, D> {
    fn default() -> Self {
        Bindings {
            params: Access::None,
            grads: Access::None,
            state: Access::None,
            workspace: Access::None,
            optimizer: Access::None,
            inputs: [None; MAX_BOUND],
            indices: [None; MAX_BOUND],
            outputs: [const { Access::None }; MAX_BOUND],
            counter: Counter::default(),
            name: |_| None,
            watch: None,
        }
    }
}

/// Memory for tensors.
pub trait Memory: Clone + Send + Sync + 'static {
    /// Elements on the device.
    type Buffer<T: Element>: Send + Sync;

    /// A buffer of `len` zeros.
    ///
    /// # Errors
    /// If the device has not enough memory.
    fn zeros<T: Element>(&self, len: usize) -> Result<Self::Buffer<T>>;

    /// Whether there is room for a buffer of `len` elements at the moment; none is left behind.
    fn fits<T: Element>(&self, len: usize) -> bool {
        self.zeros::<T>(len).is_ok()
    }

    /// The number of elements of a buffer.
    fn len<T: Element>(&self, buffer: &Self::Buffer<T>) -> usize;

    /// Copies `data` into the buffer from `offset` on.
    ///
    /// # Errors
    /// If the range does not lie in the buffer, or the device is lost.
    fn write<T: Element>(
        &self,
        buffer: &mut Self::Buffer<T>,
        offset: usize,
        data: &[T],
    ) -> Result<()>;

    /// Copies the buffer from `offset` on into `data`.
    ///
    /// # Errors
    /// If the range does not lie in the buffer, or the device is lost.
    fn read<T: Element>(
        &self,
        buffer: &Self::Buffer<T>,
        offset: usize,
        data: &mut [T],
    ) -> Result<()>;

    /// The elements of a buffer, to be written in place, where they lie in the program's own memory.
    fn host_mut<'b, T: Element>(&self, buffer: &'b mut Self::Buffer<T>) -> Option<&'b mut [T]> {
        let _ = buffer;
        None
    }

    /// Where the elements of buffers lie in the program's own memory: the processor whose threads may fill them.
    fn cpu(&self) -> Option<&Cpu> {
        None
    }

    /// Whether data that are needed again and again are worth keeping in the device's memory, in buffers of so many
    /// bytes: not where they are in the memory of the CPU, which the device computes from, and not where they would
    /// take more than half of what the device has.
    fn keeps(&self, bytes: &[usize]) -> bool;

    /// Copies rows of `width` elements by index: row `i` of `to` becomes row `rows[first + i]` of `from`, for `count`
    /// rows. What follows them in `to` stays as it is.
    ///
    /// A device may copy them as late as with the next pass that `to` is bound to. Nothing else tells when it does:
    /// `from` and `rows` may be changed or dropped at once, and reading `to` gives what has been copied.
    ///
    /// # Errors
    /// If the rows do not lie in the buffers, or the device is lost. An index that is too large is
    /// [`Error::IndexOutOfRange`], here or where the copy is first used.
    fn gather<T: Element>(
        &self,
        from: &Self::Buffer<T>,
        width: usize,
        rows: &Self::Buffer<u32>,
        first: usize,
        count: usize,
        to: &mut Self::Buffer<T>,
    ) -> Result<()>;

    /// The device's name, for summaries and messages.
    fn name(&self) -> String;
}

/// That `count` rows of `width` elements, by indices from `first` on, lie in buffers of so many elements.
///
/// # Errors
/// If they do not.
#[doc(hidden)]
pub fn check_gather(
    width: usize,
    rows: usize,
    [first, count]: [usize; 2],
    to: usize,
) -> Result<()> {
    let error = |what: &str, expected, found| {
        Err(Error::Size { what: format!("a gather: {what}"), expected, found })
    };
    if first.checked_add(count).is_none_or(|end| end > rows) {
        let expected = format!("a range within {rows}");
        return error("the indices", expected, format!("{count} from {first} on"));
    }
    if count.checked_mul(width).is_none_or(|len| len > to) {
        let expected = format!("room for {count} rows of {width} elements");
        return error("what it copies to", expected, format!("{to} elements"));
    }
    Ok(())
}

/// How many numbers [`Device::wait`] returns of a pass.
pub const VALUES: usize = 2;

/// A device that computes with elements of type `E`.
pub trait Device<E: Float>: Memory {
    /// One pass over bound buffers.
    type Run<'a>: Kernels<E> + Run;

    /// A pass that has been posted.
    type Ticket: Send + Sync;

    /// What is remembered of a pass that has been posted, for [`Device::repeat`]; at first nothing. To remember another
    /// such pass takes no new memory.
    type Memo: Default + Send + Sync;

    /// How many posted passes may be under way that nobody has waited for: 0 where kernels run at once.
    const AHEAD: usize;

    /// Whether passes can be repeated without their calls.
    const REPEATS: bool = false;

    /// Binds buffers for a pass of kernels.
    fn run<'a>(&'a self, bindings: Bindings<'a, E, Self>) -> Self::Run<'a>;

    /// Ends a pass, and does not wait until its kernels have run. What is done with its buffers afterwards sees
    /// what the pass has made of them. [`Device::wait`] returns the first elements of `value`; `kept` is kept as it is
    /// after this pass, for [`Device::kept`]. Of the same calls on the same buffers, this pass and the [`Device::AHEAD`]
    /// before it are remembered; what is kept of a pass that has been waited for, until the next one. `memo` becomes that
    /// of this pass, or of none.
    ///
    /// # Errors
    /// If the device is lost. A device that runs kernels at once returns here what [`Run::finish`] would.
    fn post(
        &self,
        run: Self::Run<'_>,
        value: Span,
        kept: Option<Span>,
        memo: &mut Self::Memo,
    ) -> Result<Self::Ticket>;

    /// Whether `memo` is of a pass over these buffers, and over no others.
    fn remembers(&self, memo: &Self::Memo, bindings: &Bindings<'_, E, Self>) -> bool {
        let _ = (memo, bindings);
        false
    }

    /// Posts the pass of `memo` once more: the same calls with the same numbers, over the same buffers, with the counter
    /// of `bindings`. `changing` makes those calls again that were made in [`Run::changing`], whose numbers may be others
    /// now; if they differ in more than that, the memo is not of these buffers ([`Device::remembers`]), or the device has
    /// not what it needs at hand, nothing is posted, and `None` says that the pass is to be made from its first call on.
    ///
    /// # Errors
    /// As [`Device::post`].
    fn repeat(
        &self,
        memo: &mut Self::Memo,
        bindings: &Bindings<'_, E, Self>,
        changing: impl FnOnce(&mut Self::Run<'_>),
    ) -> Result<Option<Self::Ticket>> {
        let _ = (memo, bindings, changing);
        Ok(None)
    }

    /// Waits for a pass that has been posted, and returns its values; 0 for those that there are not.
    ///
    /// # Errors
    /// As [`Run::finish`].
    fn wait(&self, ticket: &Self::Ticket) -> Result<[E; VALUES]>;

    /// Copies the first elements of what was kept of a pass: the elements of `buffer` from `offset` on, as they were at
    /// the pass's end.
    ///
    /// # Errors
    /// If there are not so many, the pass is not remembered any more, or the device is lost.
    fn kept(
        &self,
        ticket: &Self::Ticket,
        buffer: &Self::Buffer<E>,
        offset: usize,
        out: &mut [E],
    ) -> Result<()>;
}

/// The end of a pass, and what is said of it as a whole.
pub trait Run {
    /// Calls `kernels`, once in a pass, whose numbers differ where the pass is repeated: [`Device::repeat`].
    fn changing(&mut self, kernels: impl FnOnce(&mut Self))
    where
        Self: Sized,
    {
        kernels(self);
    }

    /// Waits until the kernels have run.
    ///
    /// # Errors
    /// What a kernel could not say at its call: an index out of range, a lost device.
    fn finish(self) -> Result<()>;
}
