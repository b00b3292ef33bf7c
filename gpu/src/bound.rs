//! The buffers that are bound to a run, by the number of their slot.

use netform_core::device::{Access, Bindings, MAX_BOUND, Slot};
use netform_core::element::Element;

use crate::context::Vulkan;
use crate::memory::{Raw, VulkanBuffer};

/// The buffers that a run can have.
pub(crate) const SLOTS: usize = 5 + 3 * MAX_BOUND;

/// A buffer of a run.
#[derive(Clone, Copy)]
pub(crate) struct Bound<'a> {
    pub raw: &'a Raw,
    /// Elements, of four bytes each.
    pub len: usize,
    pub writable: bool,
}

/// The number of a slot among all. `None` where there is no such slot.
pub(crate) fn number(slot: Slot) -> Option<usize> {
    let of = |group: usize, i: u8| {
        Some(5 + group * MAX_BOUND + usize::from(i)).filter(|_| usize::from(i) < MAX_BOUND)
    };
    match slot {
        Slot::Params => Some(0),
        Slot::Grads => Some(1),
        Slot::State => Some(2),
        Slot::Workspace => Some(3),
        Slot::Optimizer => Some(4),
        Slot::Input(i) => of(0, i),
        Slot::Index(i) => of(1, i),
        Slot::Output(i) => of(2, i),
    }
}

/// The buffers of a run, by the number of their slot.
pub(crate) struct Buffers<'a>([Option<Bound<'a>>; SLOTS]);

fn reading<T: Element>(buffer: &VulkanBuffer<T>) -> Bound<'_> {
    Bound { raw: buffer.raw(), len: buffer.len(), writable: false }
}

fn accessing(access: Access<'_, VulkanBuffer<f32>>) -> Option<Bound<'_>> {
    match access {
        Access::None => None,
        Access::Read(buffer) => Some(reading(buffer)),
        Access::Write(buffer) => Some(Bound { writable: true, ..reading(buffer) }),
    }
}

impl<'a> Buffers<'a> {
    pub fn new(bindings: Bindings<'a, f32, Vulkan>) -> Self {
        let mut all = [None; SLOTS];
        let (inputs, rest) = all[5..].split_at_mut(MAX_BOUND);
        let (indices, outputs) = rest.split_at_mut(MAX_BOUND);
        for (slot, buffer) in inputs.iter_mut().zip(bindings.inputs) {
            *slot = buffer.map(reading);
        }
        for (slot, buffer) in indices.iter_mut().zip(bindings.indices) {
            *slot = buffer.map(reading);
        }
        for (slot, access) in outputs.iter_mut().zip(bindings.outputs) {
            *slot = accessing(access);
        }
        all[0] = accessing(bindings.params);
        all[1] = accessing(bindings.grads);
        all[2] = accessing(bindings.state);
        all[3] = accessing(bindings.workspace);
        all[4] = accessing(bindings.optimizer);
        Buffers(all)
    }

    pub fn get(&self, slot: Slot) -> Option<Bound<'a>> {
        self.0[number(slot)?]
    }

    /// What identifies the buffers: the number of each, 0 where nothing is bound.
    pub fn ids(&self) -> [u64; SLOTS] {
        self.0.map(|bound| bound.map_or(0, |bound| bound.raw.id))
    }
}
