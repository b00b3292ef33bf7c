//! Which dispatches must wait for others: those that touch what another one has written, or write what another one
//! reads.

use crate::shader::{Binding, Dispatch, Region};

/// What has been read and written since the last barrier.
#[derive(Default)]
pub(super) struct Hazards {
    reads: Vec<Region>,
    writes: Vec<Region>,
    faults: bool,
    groups: bool,
}

fn overlap(a: Region, b: Region) -> bool {
    a.slot == b.slot && a.offset < b.offset + b.len && b.offset < a.offset + a.len
}

fn any_overlap(some: &[Region], others: &[Region]) -> bool {
    some.iter().any(|a| others.iter().any(|b| overlap(*a, *b)))
}

impl Hazards {
    /// Whether a dispatch must wait for what came since the last barrier.
    pub fn conflict(&self, next: &Dispatch) -> bool {
        any_overlap(&next.reads, &self.writes)
            || any_overlap(&next.writes, &self.writes)
            || any_overlap(&next.writes, &self.reads)
            || self.faults && next.bindings.contains(&Binding::Faults)
            || self.groups && next.condition.is_some()
    }

    pub fn add(&mut self, dispatch: &Dispatch) {
        self.reads.extend(&dispatch.reads);
        self.writes.extend(&dispatch.writes);
        self.faults |= dispatch.bindings.contains(&Binding::Faults);
        self.groups |= dispatch.bindings.contains(&Binding::Groups);
    }

    pub fn clear(&mut self) {
        self.reads.clear();
        self.writes.clear();
        self.faults = false;
        self.groups = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use netform_core::device::{Slot, Span};

    fn dispatch(reads: &[Span], writes: &[Span]) -> Dispatch {
        Dispatch {
            text: String::new(),
            bindings: vec![],
            words: [0; 32],
            groups: [1; 3],
            condition: None,
            subgroup: None,
            reads: reads.iter().map(|span| (*span).into()).collect(),
            writes: writes.iter().map(|span| (*span).into()).collect(),
        }
    }

    #[test]
    fn only_what_shares_elements_waits() {
        let at = |offset, len| Span::new(Slot::Workspace, offset, len);
        let mut hazards = Hazards::default();
        hazards.add(&dispatch(&[at(0, 10)], &[at(16, 10)]));
        for (next, waits) in [
            (dispatch(&[at(0, 10)], &[at(32, 10)]), false),
            (dispatch(&[at(20, 1)], &[]), true),
            (dispatch(&[], &[at(25, 1)]), true),
            (dispatch(&[], &[at(9, 1)]), true),
            (dispatch(&[], &[at(10, 6)]), false),
            (dispatch(&[Span::new(Slot::Params, 16, 10)], &[]), false),
        ] {
            assert_eq!(hazards.conflict(&next), waits, "{:?} {:?}", next.reads, next.writes);
        }
        hazards.clear();
        assert!(!hazards.conflict(&dispatch(&[at(20, 1)], &[])));
    }

    fn hazards_of(dispatch: &Dispatch) -> Hazards {
        let mut hazards = Hazards::default();
        hazards.add(dispatch);
        hazards
    }

    #[test]
    fn parts_of_a_sum_wait_for_those_before() {
        let at = |offset| vec![Region { slot: None, offset, len: 16 }];
        let partial = Dispatch { writes: at(0), ..dispatch(&[], &[]) };
        assert!(!hazards_of(&partial).conflict(&Dispatch { writes: at(16), ..dispatch(&[], &[]) }));
        let mut hazards = Hazards::default();
        assert!(!hazards.conflict(&partial));
        hazards.add(&partial);
        assert!(hazards.conflict(&partial));
        assert!(!hazards.conflict(&dispatch(&[], &[])));
        hazards.clear();
        assert!(!hazards.conflict(&partial));
    }

    #[test]
    fn what_depends_on_a_condition_waits_for_it() {
        let deciding = Dispatch { bindings: vec![Binding::Groups], ..dispatch(&[], &[]) };
        let dependent = Dispatch { condition: Some(0), ..dispatch(&[], &[]) };
        let mut hazards = Hazards::default();
        hazards.add(&deciding);
        assert!(hazards.conflict(&dependent));
        assert!(!hazards.conflict(&dispatch(&[], &[])));
        hazards.clear();
        assert!(!hazards.conflict(&dependent));
    }
}
