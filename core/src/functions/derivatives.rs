//! Derivatives, and what has others than it would; and recurrences.

use super::Value;

functions! {
    /// `grad(e, x)`: the derivative of one number a sample, `e`, by a value `x` that it is computed from, of the shape of
    /// `x`. It has derivatives itself.
    grad(e: Value, x: Value);
    /// `stop_gradient(x)`: x, with a derivative of 0.
    stop_gradient((x));
    /// `clip_gradient(x, max = 1.0)`: x, whose gradient is bounded: each element of it from -`max` to `max`.
    clip_gradient((x) max: f64);
    /// `scan(xs, h0, |h, x| (h, y))`: a recurrence along the first axis of `xs`, from the state `h0`. Yields
    /// all `y`, on a new first axis, and the last state: `let (ys, h) = scan(..);`
    scan(xs: Value, h0: Value, step: fn(Value, Value) -> (Value, Value));
}
