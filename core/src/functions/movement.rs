//! The same values in another shape, order or selection. `axis` counts from the end where it is negative.

use super::Value;

functions! {
    /// `reshape(x, [4, 4])`: the same values, in the same order, in another shape of as many.
    reshape((x) shape: &'static [usize]);
    /// `flatten(x)`: all axes into one.
    ///
    /// `[16, 5, 5]` to `[400]`.
    flatten((x));
    /// `squeeze(x, axis = 0)`: without an axis of size 1.
    squeeze((x) axis: isize);
    /// `unsqueeze(x, axis = 0)`: with a new axis of size 1.
    unsqueeze((x) axis: isize);
    /// `transpose(x, axes = (-2, -1))`: two axes exchanged, the last two where none are given.
    transpose((x) axes: (isize, isize));
    /// `permute(x, [1, 0, 2])`: all axes in another order.
    permute((x) axes: &'static [usize]);
    /// `broadcast(x, [4, 4])`: repeated along new axes, and along those of size 1.
    broadcast((x) shape: &'static [usize]);
    /// `concat(a, b, axis = 0)`: values one after another along an axis; any number of values.
    ///
    /// `[2, 4]` and `[3, 4]` to `[5, 4]`.
    concat((x) others: Value, axis: isize);
    /// `stack(a, b, axis = 0)`: values of one shape on a new axis; any number of values.
    ///
    /// `[4]` and `[4]` to `[2, 4]`.
    stack((x) others: Value, axis: isize);
    /// `unstack(x, axis)`: a value for each place of an axis, which vanishes: `let [q, k, v] = x.unstack(0);`
    unstack((x) axis: isize);
    /// `split(x, n, axis = -1)`: `n` parts of one size along an axis: `let (a, b) = split(x, 2);`
    split((x) n: usize, axis: isize);
    /// `slice(x, start, end, axis = 0, step = 1)`: every `step`th element from `start` to before `end`; also
    /// `x[start..end]`.
    slice((x) start: usize, end: usize, axis: isize, step: usize);
    /// `pad(x, before = 1, after = 1, axis = -1)`: with zeros at the ends of an axis.
    pad((x) before: usize, after: usize, axis: isize);
    /// `flip(x, axis = 0)`: an axis in reverse order.
    flip((x) axis: isize);
    /// `gather(x, indices)`: of each row of the last axis the element at its index, or at each of several.
    ///
    /// `[3, 10]` and `u32[3]` to `[3]`. An index that is out of range is an error of the pass.
    gather((x) indices: Value);
    /// `lookup(table, indices)`: a row of the table for each index.
    ///
    /// `[50, 8]` and `u32[16]` to `[16, 8]`. An index that is out of range is an error of the pass.
    lookup((x) indices: Value);
    /// `one_hot(indices, n)`: 1 at the index, and 0 at the other places of a new last axis of size `n`.
    one_hot((x) n: usize);
}
