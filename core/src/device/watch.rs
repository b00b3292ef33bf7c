//! A pass whose kernels are looked at one by one: which of them first makes a number that is not finite.

use super::{Slot, Span};
use crate::element::Float;

/// What the kernels of a run have made, where the run is bound to one. After each kernel a device puts a number for each
/// of its outputs into the place of [`Watch::place`]: the largest [`Grade`] of the output's elements.
pub struct Watch<'a> {
    /// What has been made, in order.
    pub made: &'a mut Vec<Made>,
    /// Where the numbers go.
    pub to: Slot,
    /// The output whose number is the first one there, and how many there is room for.
    pub window: [usize; 2],
}

/// An output of a kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Made {
    /// What it wrote to.
    pub span: Span,
    /// Whether it moved elements, or filled with one, which several kernels may do together.
    pub moved: bool,
}

impl Watch<'_> {
    /// Where the number for an output goes, if there is room for it.
    pub fn place(&mut self, span: Span, moved: bool) -> Option<Span> {
        let [first, room] = self.window;
        let i = self.made.len();
        self.made.push(Made { span, moved });
        (i >= first && i - first < room).then(|| Span::new(self.to, i - first, 1))
    }
}

/// What a number is, as a number: larger the worse it is.
pub struct Grade;

impl Grade {
    /// Finite.
    pub const FINITE: u8 = 0;
    /// Minus infinity, which masks are made of.
    pub const LOW: u8 = 1;
    /// Infinity.
    pub const HIGH: u8 = 2;
    /// Not a number.
    pub const NAN: u8 = 3;
    /// [`Grade::of`] in WGSL.
    pub const TEXT: &'static [&'static str] = &[
        "select(select(select(0.0, 1.0, bitcast<u32>(a0) == 0xff800000u), 2.0, bitcast<u32>(a0) == 0x7f800000u), 3.0, (bitcast<u32>(a0) & 0x7fffffffu) > 0x7f800000u)",
    ];

    /// The grade of a number.
    pub fn of<E: Float>(x: E) -> E {
        let x = x.to_f64();
        E::from_usize(
            match x.is_finite() {
                true => Grade::FINITE,
                false if x.is_nan() => Grade::NAN,
                false if x > 0.0 => Grade::HIGH,
                false => Grade::LOW,
            }
            .into(),
        )
    }
}
