//! Every row of the scalar table: both texts, and the first two derivatives on random shapes with broadcasting
//! along every axis. Where a row can be differentiated is found by its values, so that a new row needs no line
//! here.

use super::draw::{Draw, Rng, dims};
use super::{STEP, check, slope};
use crate::interpret::Value;
use crate::interpret::formula::Formula;
use crate::ops::Op;
use crate::ops::scalar::{Row, TABLE};

/// The ends of the intervals that operands are drawn from.
const ENDS: [f64; 8] = [-3.0, -2.0, -1.2, -0.3, 0.3, 1.2, 2.0, 3.0];

/// Operands are drawn from a grid: where these are, no operand is near an integer, half of one, or another
/// operand, at which rows may have no derivative.
const GRID: f64 = 0.02;

fn operand(rng: &mut Rng, i: usize, interval: usize) -> f64 {
    let steps = ((ENDS[interval + 1] - ENDS[interval]) / GRID) as usize - 1;
    ENDS[interval] + GRID * rng.below(steps) as f64 + 0.2 * GRID * (i + 1) as f64
}

/// An interval for each operand, in which the row is finite and smooth.
fn smooth(row: &Row) -> Vec<Vec<usize>> {
    let formula = Formula::rust(row).unwrap();
    let intervals = ENDS.len() - 1;
    let all = (0..intervals.pow(row.arity() as u32)).map(|code| {
        let interval = |i: u32| code / intervals.pow(i) % intervals;
        (0..row.arity() as u32).map(interval).collect::<Vec<_>>()
    });
    let is_smooth = |chosen: &Vec<usize>| {
        let mut rng = Rng::new(row.name);
        (0..20).all(|_| {
            let at: Vec<f64> =
                chosen.iter().enumerate().map(|(i, n)| operand(&mut rng, i, *n)).collect();
            (0..at.len()).all(|i| {
                let along = |by: f64| {
                    let mut moved = at.clone();
                    moved[i] += by;
                    formula.value(&moved)
                };
                let (near, far) = (slope(STEP, along), slope(2.0 * STEP, along));
                near.is_finite() && (near - far).abs() <= 1e-8 * (1.0 + near.abs())
            })
        })
    };
    all.filter(is_smooth).collect()
}

/// The row of operands of these shapes, drawn from these intervals.
fn check_row(name: &str, row: &'static Row, shapes: &[Vec<usize>], intervals: &[usize]) {
    let name = format!("{}, {name}: {shapes:?} in intervals {intervals:?}", row.name);
    let mut d = Draw::new(&name);
    let mut operands = vec![];
    for (i, (shape, interval)) in shapes.iter().zip(intervals).enumerate() {
        let id = d.float(&dims(shape));
        let n = shape.iter().product();
        let numbers = (0..n).map(|_| operand(&mut d.rng, i, *interval)).collect();
        d.e.inputs[i] = Value::new(shape, numbers);
        operands.push(id);
    }
    let y = d.g.push(Op::Scalar(row), &operands).unwrap();
    d.g.outputs = vec![y];
    check(&name, &d.g, &d.e, 2);
}

#[test]
fn every_row_is_differentiated_where_it_is_smooth() {
    for row in TABLE {
        let intervals = smooth(row);
        assert!(!intervals.is_empty(), "`{}` is smooth nowhere between -3 and 3", row.name);
        for chosen in &intervals {
            check_row("points", row, &vec![vec![3]; row.arity()], chosen);
        }
    }
}

#[test]
fn every_row_broadcasts_along_every_axis() {
    for row in TABLE {
        let intervals = smooth(row);
        let mut draws = 0..;
        let mut checked = |what: &str, shapes: &[Vec<usize>]| {
            let chosen = &intervals[draws.next().unwrap_or(0) % intervals.len()];
            check_row(what, row, shapes, chosen);
        };
        let whole = vec![2, 3, 2];
        for i in 0..row.arity() {
            for axis in 0..whole.len() {
                let mut shapes = vec![whole.clone(); row.arity()];
                shapes[i][axis] = 1;
                checked("one axis", &shapes);
                shapes[i] = whole[axis + 1..].to_vec();
                checked("fewer axes", &shapes);
            }
        }
        let mut rng = Rng::new(row.name);
        for rank in [0, 1, 2, 3, 4, 4] {
            let whole: Vec<usize> = (0..rank).map(|_| rng.within(1, 3)).collect();
            let drawn = |_| {
                let mut shape = whole[rng.below(rank + 1).min(rank)..].to_vec();
                shape.iter_mut().for_each(|n| *n = if rng.one_in(3) { 1 } else { *n });
                shape
            };
            let shapes: Vec<Vec<usize>> = (0..row.arity()).map(drawn).collect();
            checked("any", &shapes);
        }
    }
}

/// Both texts of a row compute the same: also at integers, at ties and at zeros of either sign.
#[test]
fn texts_in_rust_and_in_wgsl_agree() {
    let edges = [-2.0, -1.0, -0.5, -0.0, 0.0, 0.5, 1.0, 2.0, 2.5];
    for row in TABLE {
        let (rust, wgsl) = (Formula::rust(row).unwrap(), Formula::wgsl(row).unwrap());
        for code in 0..edges.len().pow(row.arity() as u32) {
            let at: Vec<f64> = (0..row.arity() as u32)
                .map(|i| edges[code / edges.len().pow(i) % edges.len()])
                .collect();
            let (a, b) = (rust.value(&at), wgsl.value(&at));
            // What WGSL's own functions give outside of their domains is not told by its text.
            assert!(a == b || a.is_nan() && b.is_nan(), "`{}` of {at:?}: {a}, {b}", row.name);
        }
    }
}
