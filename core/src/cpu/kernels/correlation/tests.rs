//! The ways to compute a convolution give the same numbers, bit for bit, whichever is chosen for its sizes.

use super::*;
use crate::cpu::kernels::channels::{PackPanels, panels};
use crate::cpu::scratch::{self, lines};
use crate::cpu::tests::level::with_each;

/// One sample of one group.
const DIMS: Conv2dDims = Conv2dDims {
    batch: 1,
    in_channels: 3,
    out_channels: 5,
    groups: 1,
    height: 9,
    width: 11,
    kernel: [3, 2],
    stride: [1, 1],
    padding: [0, 0],
    dilation: [1, 1],
};

/// Numbers whose sums depend on their order.
fn numbers<E: Float>(len: usize, seed: usize) -> Vec<E> {
    let number = |i: usize| (i * 7919 + seed * 104_729) % 1009;
    (0..len)
        .map(|i| E::from_usize(number(i)) / E::from_usize(997) - E::ONE / E::from_usize(2))
        .collect()
}

/// The result in a way: computed in its place or, `apart`, in scratch memory.
fn result<E: Float>(c: &Correlation, way: Way, rows: usize, apart: bool) -> Vec<E> {
    let (k, points) = (c.k(), c.points());
    let image: Vec<E> = numbers(c.channels * c.frame.image[0] * c.frame.image[1], 1);
    let weights: Vec<E> = numbers(rows * k, 2);
    let mut out = vec![E::ONE; rows * points];
    let packed = panels(rows) * k * WIDTH;
    scratch::with(c.lines::<E>(way, rows, apart) + lines::<E>(packed), |mut scratch| {
        let packed = scratch.take::<E>(packed);
        let mut room = c.room(way, rows, apart, &mut scratch);
        let (from, panels) = (weights.as_ptr(), packed.as_mut_ptr());
        let place = Some(out.as_mut_ptr()).filter(|_| !apart);
        // SAFETY: everything has the sizes of this correlation.
        unsafe {
            E::Loops::pack_panels(PackPanels { from, row: k, cols: rows, k, panels });
            let weights = if way == Way::Channels { packed.as_ptr() } else { from };
            let sums = c.compute(way, image.as_ptr(), weights, rows, place, &mut room);
            std::slice::from_raw_parts(sums, rows * points).to_vec()
        }
    })
}

fn check<E: Float>(c: &Correlation, rows: usize) {
    for (level, expected) in with_each(|| result::<E>(c, Way::Points, rows, false)) {
        assert!(expected.iter().any(|&x| x != E::ZERO));
        for way in [Way::Points, Way::Rows, Way::Channels] {
            if way == Way::Rows && !c.is_dense() {
                continue;
            }
            for apart in [false, true] {
                let of_level = with_each(|| result::<E>(c, way, rows, apart));
                let (_, found) =
                    of_level.iter().find(|(other, _)| *other == level).expect("the level");
                assert!(*found == expected, "{way:?} {level:?} {rows} {apart} {:?}", c.kernel);
            }
        }
    }
}

#[test]
fn all_ways_give_the_same_bits() {
    for rows in [1, 7, 13, 17, 33, 65] {
        for (stride, padding, dilation) in [
            ([1, 1], [0, 0], [1, 1]),
            ([1, 1], [2, 1], [1, 1]),
            ([2, 3], [1, 2], [1, 2]),
            ([3, 2], [4, 0], [2, 1]),
        ] {
            for width in [5, 11, 16, 24, 37] {
                let dims =
                    Conv2dDims { out_channels: rows, width, stride, padding, dilation, ..DIMS };
                check::<f32>(&Correlation::forward(&dims), rows);
                check::<f64>(&Correlation::forward(&dims), rows);
                let dims = Conv2dDims { out_channels: 3, in_channels: rows, ..dims };
                check::<f32>(&Correlation::backward(&dims), rows);
                check::<f64>(&Correlation::backward(&dims), rows);
            }
        }
    }
    // More channels than are summed up at once.
    let deep = Conv2dDims { in_channels: 100, kernel: [3, 3], padding: [1, 1], ..DIMS };
    check::<f32>(&Correlation::forward(&deep), 40);
}

#[test]
fn each_way_is_chosen_somewhere() {
    let way = |dims: Conv2dDims| Correlation::forward(&dims).way(dims.out_channels);
    let long = Conv2dDims { height: 40, width: 34, padding: [1, 1], kernel: [3, 3], ..DIMS };
    assert_eq!(way(long), Way::Points);
    assert_eq!(
        way(Conv2dDims { out_channels: 6, width: 14, kernel: [5, 5], padding: [4, 4], ..DIMS }),
        Way::Rows
    );
    assert_eq!(way(Conv2dDims { in_channels: 32, out_channels: 64, ..long }), Way::Channels);
    // Where rows cannot be taken for the stride.
    let down = Conv2dDims { stride: [2, 2], padding: [1, 1], kernel: [3, 3], ..DIMS };
    let down = Conv2dDims { in_channels: 16, out_channels: 16, height: 32, width: 32, ..down };
    assert_eq!(way(down), Way::Channels);
    // The zeros between the points of dy cost nothing.
    let patches = Conv2dDims { kernel: [16, 16], stride: [16, 16], ..DIMS };
    let patches = Conv2dDims { out_channels: 192, height: 224, width: 224, ..patches };
    assert_eq!(Correlation::backward(&patches).way(3), Way::Channels);
    // Nothing to sum up, and sizes that no product of fits.
    assert_eq!(way(Conv2dDims { in_channels: 0, ..down }), Way::Points);
    let stride = [1 << 60, 1 << 60];
    let far = Conv2dDims { stride, height: 3, kernel: [3, 3], width: 3, out_channels: 40, ..DIMS };
    check::<f32>(&Correlation::forward(&far), 40);
    check::<f32>(&Correlation::backward(&far), 3);
}
