//! Of very many points, those that look the same as all of them.

use std::collections::HashSet;
use std::hash::Hash;

use plotters::coord::ranged1d::Ranged;

use super::axis::Axis;

/// A line of more points is drawn through the least and the largest of so many pieces.
const PIECES: usize = 600;
/// Of more points, one is drawn for all of those in one of so many columns and rows, which are narrower than a point.
const MANY: usize = 4 * PIECES;
const CELLS: [i32; 2] = [200, 130];

/// A line of very many points as one that looks the same: of each piece the least and the largest, and the first that has
/// no place, which is a gap, in their order.
pub(super) fn thinned(points: &[(f64, f64)], [x, y]: &[Axis; 2]) -> Vec<(f64, f64)> {
    if points.len() <= MANY {
        return points.to_vec();
    }
    let has_place = |point: &(f64, f64)| x.has(point.0) && y.has(point.1);
    let pieces = points.chunks(points.len().div_ceil(PIECES));
    pieces
        .flat_map(|piece| {
            let placed = || piece.iter().enumerate().filter(|(_, point)| has_place(point));
            let by =
                |(_, a): &(usize, &(f64, f64)), (_, b): &(usize, &(f64, f64))| a.1.total_cmp(&b.1);
            let ends = [placed().min_by(by), placed().max_by(by)].map(|it| it.map(|(i, _)| i));
            let gap = piece.iter().position(|point| !has_place(point));
            let mut kept: Vec<usize> = ends.into_iter().chain([gap]).flatten().collect();
            kept.sort_unstable();
            kept.dedup();
            kept.into_iter().map(|i| piece[i])
        })
        .collect()
}

/// Of very many points, those that do not cover others of their kind: the first of a kind in each cell of the picture. `of`
/// is the kind of a point, and where it is.
pub(super) fn apart<P: Copy, K: Eq + Hash>(
    points: &[P],
    [x, y]: &[Axis; 2],
    of: impl Fn(&P) -> (K, (f64, f64)),
) -> Vec<P> {
    if points.len() <= MANY {
        return points.to_vec();
    }
    let mut taken = HashSet::new();
    let mut is_first = |point: &P| {
        let (kind, at) = of(point);
        let cell = || [x.map(&at.0, (0, CELLS[0])), y.map(&at.1, (0, CELLS[1]))];
        x.has(at.0) && y.has(at.1) && taken.insert((kind, cell()))
    };
    points.iter().filter(|point| is_first(point)).copied().collect()
}
