//! One pass of kernels over bound buffers: the only place where a span becomes memory.

use std::marker::PhantomData;

use super::pool::Pool;
use super::{Cpu, CpuBuffer};
use crate::device::{
    Access, Bindings, Counter, Grade, Kernels, MAX_BOUND, Name, Run, Slot, Span, Watch,
};
use crate::element::Float;
use crate::error::{Error, Result};

/// A bound buffer. Empty where nothing is bound.
#[derive(Clone, Copy)]
struct Memory<T> {
    first: *mut T,
    len: usize,
    writable: bool,
}

impl<T> Memory<T> {
    const NONE: Self =
        Memory { first: std::ptr::NonNull::dangling().as_ptr(), len: 0, writable: false };
}

/// Elements for a kernel to read or write, which may go to another thread.
pub(crate) struct Ptr<T>(pub *mut T);

impl<T> Clone for Ptr<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Ptr<T> {}

impl<T> Ptr<T> {
    /// The pointer. A method, so that a closure takes the whole `Ptr` with it.
    #[inline(always)]
    pub fn get(self) -> *mut T {
        self.0
    }
}

// SAFETY: kernels write from different threads only to different elements, and never to what another
// thread reads; the runs and closures that hold a `Ptr` do not outlive the buffers.
unsafe impl<T: Send + Sync> Send for Ptr<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for Ptr<T> {}

/// A pass of kernels on the CPU. Each kernel has run when its call returns.
pub struct CpuRun<'a, E> {
    params: Memory<E>,
    grads: Memory<E>,
    state: Memory<E>,
    workspace: Memory<E>,
    optimizer: Memory<E>,
    inputs: [Memory<E>; MAX_BOUND],
    outputs: [Memory<E>; MAX_BOUND],
    indices: [Memory<u32>; MAX_BOUND],
    pub(super) counter: Counter,
    pub(super) pool: &'a Pool,
    pub(super) fault: Option<Error>,
    /// The names of what spans hold, for faults.
    pub(super) name: Name,
    watch: Option<Watch<'a>>,
    buffers: PhantomData<&'a mut E>,
}

fn read_only<T: crate::element::Element>(buffer: &CpuBuffer<T>) -> Memory<T> {
    let slice = buffer.as_slice();
    Memory { first: slice.as_ptr().cast_mut(), len: slice.len(), writable: false }
}

fn memory<E: Float>(access: Access<'_, CpuBuffer<E>>) -> Memory<E> {
    match access {
        Access::None => Memory::NONE,
        Access::Read(buffer) => read_only(buffer),
        Access::Write(buffer) => {
            let slice = buffer.as_mut_slice();
            Memory { first: slice.as_mut_ptr(), len: slice.len(), writable: true }
        }
    }
}

impl<'a, E: Float> CpuRun<'a, E> {
    pub(super) fn new(pool: &'a Pool, bindings: Bindings<'a, E, Cpu>) -> Self {
        CpuRun {
            params: memory(bindings.params),
            grads: memory(bindings.grads),
            state: memory(bindings.state),
            workspace: memory(bindings.workspace),
            optimizer: memory(bindings.optimizer),
            inputs: bindings.inputs.map(|b| b.map_or(Memory::NONE, read_only)),
            outputs: bindings.outputs.map(memory),
            indices: bindings.indices.map(|b| b.map_or(Memory::NONE, read_only)),
            counter: bindings.counter,
            pool,
            fault: None,
            name: bindings.name,
            watch: bindings.watch,
            buffers: PhantomData,
        }
    }

    fn slot(&self, span: Span) -> Memory<E> {
        match span.slot {
            Slot::Params => self.params,
            Slot::Grads => self.grads,
            Slot::State => self.state,
            Slot::Workspace => self.workspace,
            Slot::Optimizer => self.optimizer,
            Slot::Input(i) => self.inputs.get(usize::from(i)).copied().unwrap_or(Memory::NONE),
            Slot::Output(i) => self.outputs.get(usize::from(i)).copied().unwrap_or(Memory::NONE),
            Slot::Index(_) => broken(span, "integers, where floats are needed"),
        }
    }

    /// The elements of a span, to read. The pointer is good for `span.len` elements.
    ///
    /// # Panics
    /// If printed code has a mistake: the slot is not bound or too short.
    #[inline]
    pub(super) fn read(&self, span: Span) -> Ptr<E> {
        within(self.slot(span), span)
    }

    /// The elements of a span, to write. The pointer is good for `span.len` elements.
    ///
    /// # Panics
    /// If printed code has a mistake: the slot is not bound, too short or read only.
    #[inline]
    pub(super) fn write(&self, span: Span) -> Ptr<E> {
        let memory = self.slot(span);
        if !memory.writable && span.len > 0 {
            broken(span, "not bound for writing");
        }
        within(memory, span)
    }

    /// The first element of a span.
    ///
    /// # Panics
    /// As [`CpuRun::read`], or if the span is empty.
    pub(super) fn first(&self, span: Span) -> E {
        sized(span, 1);
        // SAFETY: the span holds an element, and no kernel runs.
        unsafe { *self.read(span).get() }
    }

    /// Looks at what a kernel has made, where that is wanted.
    #[inline]
    pub(super) fn made(&mut self, outs: &[Span], moved: bool) {
        if self.watch.is_some() {
            self.look(outs, moved);
        }
    }

    #[cold]
    #[inline(never)]
    fn look(&mut self, outs: &[Span], moved: bool) {
        // Taken out, so that nobody looks at what is filled in here.
        let Some(mut watch) = self.watch.take() else { return };
        for &out in outs {
            let Some(place) = watch.place(out, moved) else { continue };
            let element = |i| self.first(Span::new(out.slot, out.offset + i, 1));
            let grades = (0..out.len).map(|i| Grade::of(element(i)));
            let worst = grades.fold(E::ZERO, |a, b| if b > a { b } else { a });
            self.fill(place, worst);
        }
        self.watch = Some(watch);
    }

    /// The integers of a span.
    ///
    /// # Panics
    /// If printed code has a mistake: the slot is not one of integers, not bound or too short.
    #[inline]
    pub(super) fn integers(&self, span: Span) -> Ptr<u32> {
        let Slot::Index(i) = span.slot else { broken(span, "floats, where integers are needed") };
        within(self.indices.get(usize::from(i)).copied().unwrap_or(Memory::NONE), span)
    }
}

#[inline]
fn within<T>(memory: Memory<T>, span: Span) -> Ptr<T> {
    let fits = span.offset.checked_add(span.len).is_some_and(|end| end <= memory.len);
    if !fits {
        broken(span, &format!("beyond the {} elements bound there", memory.len));
    }
    // `wrapping`, because an empty span of an unbound slot has no memory to point into.
    Ptr(memory.first.wrapping_add(span.offset))
}

/// Whether two spans share elements.
#[inline]
pub(super) fn overlap(a: Span, b: Span) -> bool {
    a.slot == b.slot && a.offset < b.offset + b.len && b.offset < a.offset + a.len
}

/// Checks that a kernel which cannot work in place does not have to.
#[inline]
pub(super) fn disjoint(out: Span, input: Span) {
    if overlap(out, input) {
        broken(out, &format!("written while {input:?} is read"));
    }
}

/// Checks that no two outputs of a kernel share elements.
#[inline]
pub(super) fn separate(outs: &[Span]) {
    for (j, &out) in outs.iter().enumerate() {
        if outs[..j].iter().any(|&other| overlap(out, other)) {
            broken(out, "two outputs in one place");
        }
    }
}

/// Checks that no product of a kernel's sizes can wrap: the checks of lengths rely on it.
#[inline]
pub(super) fn bounded(span: Span, sizes: &[usize]) {
    let product = sizes.iter().try_fold(1_usize, |n, &size| n.checked_mul(size.max(1)));
    if product.is_none_or(|n| n > isize::MAX as usize) {
        broken(span, "sizes beyond any memory");
    }
}

/// Checks the number of elements of a span.
#[inline]
pub(super) fn sized(span: Span, len: usize) {
    if span.len < len {
        broken(span, &format!("the kernel needs {len} elements"));
    }
}

/// Stops: the plan that printed this call is wrong.
#[cold]
#[track_caller]
pub(super) fn broken(span: Span, problem: &str) -> ! {
    panic!("a mistake in netform: {span:?}: {problem}")
}

impl<E: Float> Run for CpuRun<'_, E> {
    fn finish(self) -> Result<()> {
        self.fault.map_or(Ok(()), Err)
    }
}
