//! The buffers that are bound to a run, by the number of their slot.

use netform_core::device::{Access, Bindings, MAX_BOUND, Slot};
use netform_core::element::Element;

use crate::context::Vulkan;
use crate::gather::{FROM, Gather, MOST_GATHERS, ROWS, TO};
use crate::memory::{Storage, VulkanBuffer};

/// How many buffers of a kind a run can have: those that are bound, and one for each gather before its calls.
const OF_A_KIND: usize = MAX_BOUND + MOST_GATHERS;

/// The buffers that a run can have.
pub(crate) const SLOTS: usize = 5 + 3 * OF_A_KIND;

/// The slots of a gather's buffers: [`FROM`], [`ROWS`], [`TO`].
pub(crate) fn slots_of_gather(i: usize) -> [Slot; 3] {
    let i = (MAX_BOUND + i) as u8;
    [Slot::Input(i), Slot::Index(i), Slot::Output(i)]
}

/// A buffer of a run.
#[derive(Clone, Copy)]
pub(crate) struct Bound<'a> {
    pub id: u64,
    pub storage: &'a Storage,
    /// Elements, of four bytes each.
    pub len: usize,
    pub writable: bool,
}

/// The number of a slot among all. `None` where there is no such slot.
pub(crate) fn number(slot: Slot) -> Option<usize> {
    let of = |group: usize, i: u8| {
        Some(5 + group * OF_A_KIND + usize::from(i)).filter(|_| usize::from(i) < OF_A_KIND)
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

/// What identifies a buffer where it is bound: the number of the slot, whether it may be written, its own number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity(u64);

impl Identity {
    fn new(slot: usize, writable: bool, id: u64) -> Self {
        const { assert!(SLOTS <= 1 << 7) };
        Identity(id << 8 | (slot as u64) << 1 | u64::from(writable))
    }

    /// The number of the buffer.
    pub fn id(self) -> u64 {
        self.0 >> 8
    }

    pub fn is_writable(self) -> bool {
        self.0 & 1 == 1
    }
}

/// What identifies all that is bound, in the order of the slots.
pub(crate) fn identities(bindings: &Bindings<'_, f32, Vulkan>) -> impl Iterator<Item = Identity> {
    fn read<T: Element>(slot: usize, buffer: Option<&VulkanBuffer<T>>) -> Option<Identity> {
        buffer.map(|buffer| Identity::new(slot, false, buffer.raw().id))
    }
    fn access(slot: usize, access: &Access<'_, VulkanBuffer<f32>>) -> Option<Identity> {
        match access {
            Access::None => None,
            Access::Read(buffer) => Some(Identity::new(slot, false, buffer.raw().id)),
            Access::Write(buffer) => Some(Identity::new(slot, true, buffer.raw().id)),
        }
    }
    let Bindings { params, grads, state, workspace, optimizer, .. } = bindings;
    let first = [params, grads, state, workspace, optimizer];
    let inputs = (5..).zip(&bindings.inputs).filter_map(|(i, buffer)| read(i, *buffer));
    let indices = (5 + OF_A_KIND..).zip(&bindings.indices);
    let indices = indices.filter_map(|(i, buffer)| read(i, *buffer));
    let outputs = (5 + 2 * OF_A_KIND..).zip(&bindings.outputs);
    let outputs = outputs.filter_map(|(i, buffer)| access(i, buffer));
    let first = (0..).zip(first).filter_map(|(i, buffer)| access(i, buffer));
    first.chain(inputs).chain(indices).chain(outputs)
}

/// The buffers of a run, by the number of their slot.
pub(crate) struct Buffers<'a> {
    /// `None` where no buffer is.
    bound: Option<[Option<Bound<'a>>; SLOTS]>,
    /// What is gathered before the run's calls.
    gathers: [Option<Gather>; MOST_GATHERS],
}

fn reading<T: Element>(buffer: &VulkanBuffer<T>) -> Bound<'_> {
    let raw = buffer.raw();
    Bound { id: raw.id, storage: &raw.storage, len: buffer.len(), writable: false }
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
        let (inputs, rest) = all[5..].split_at_mut(OF_A_KIND);
        let (indices, outputs) = rest.split_at_mut(OF_A_KIND);
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
        Buffers { bound: Some(all), gathers: Default::default() }
    }

    /// No buffers.
    pub fn none() -> Self {
        Buffers { bound: None, gathers: Default::default() }
    }

    fn bound(&self) -> impl Iterator<Item = (usize, &Bound<'a>)> {
        let all = self.bound.iter().flat_map(|all| all.iter().enumerate());
        all.filter_map(|(slot, bound)| bound.as_ref().map(|bound| (slot, bound)))
    }

    /// What identifies all that is bound, in the order of the slots.
    pub fn identities(&self) -> impl Iterator<Item = Identity> {
        self.bound().map(|(slot, bound)| Identity::new(slot, bound.writable, bound.id))
    }

    /// Whether a buffer is bound.
    pub fn have(&self, id: u64) -> bool {
        self.bound().any(|(_, bound)| bound.id == id)
    }

    /// Whether a buffer is bound for writing.
    pub fn writes(&self, id: u64) -> bool {
        self.bound().any(|(_, bound)| bound.writable && bound.id == id)
    }

    /// Adds the buffers of a gather, where there is room for them.
    pub fn add(&mut self, gather: &Gather) -> bool {
        let free = self.gathers.iter_mut().find(|place| place.is_none());
        free.map(|place| *place = Some(gather.clone())).is_some()
    }

    /// What is gathered before the run's calls.
    pub fn gathers(&self) -> impl Iterator<Item = &Gather> {
        self.gathers.iter().flatten()
    }

    pub fn get(&self, slot: Slot) -> Option<Bound<'_>> {
        let of_gather = |i: u8| usize::from(i).checked_sub(MAX_BOUND);
        let (i, place) = match slot {
            Slot::Input(i) => (of_gather(i), FROM),
            Slot::Index(i) => (of_gather(i), ROWS),
            Slot::Output(i) => (of_gather(i), TO),
            _ => (None, 0),
        };
        let Some(i) = i else { return self.bound.as_ref()?[number(slot)?] };
        let held = &self.gathers.get(i)?.as_ref()?.held[place];
        Some(Bound { id: held.id, storage: &held.storage, len: held.words, writable: false })
    }

    /// What identifies the buffers: the number of each, 0 where nothing is bound.
    pub fn ids(&self) -> [u64; SLOTS] {
        let mut ids = [0; SLOTS];
        self.bound().for_each(|(slot, bound)| ids[slot] = bound.id);
        for (i, gather) in self.gathers.iter().enumerate() {
            let Some(gather) = gather else { continue };
            for (slot, held) in slots_of_gather(i).into_iter().zip(&gather.held) {
                if let Some(number) = number(slot) {
                    ids[number] = held.id;
                }
            }
        }
        ids
    }
}
