//! Recurrent layers.

/// `Rnn(64)`: h = tanh(W x + b + V h + c), from position to position.
///
/// `[positions, in]` to `[positions, features]`, or `[features]` with `last = true`; in expressions
/// `let (ys, h) = rnn(xs);`, all states and the last. `weight_ih_l0` is `[features, in]`, `weight_hh_l0`
/// `[features, features]`, `bias_ih_l0` and `bias_hh_l0` `[features]`.
/// [PyTorch](https://docs.pytorch.org/docs/stable/generated/torch.nn.RNN.html)
#[non_exhaustive]
pub struct Rnn {
    /// The size of the state.
    pub features: usize,
    /// Whether it yields the last state alone; `false` where it is not given.
    pub last: bool,
}

/// `Gru(64)`: a state with gates that reset and update it (Cho et al., 2014).
///
/// h' = (1 - z) n + z h with gates r and z and n = tanh(W x + b + r (V h + c)). As [`Rnn`], with three times the rows in
/// its weights: r, z, n.
/// [PyTorch](https://docs.pytorch.org/docs/stable/generated/torch.nn.GRU.html)
#[non_exhaustive]
pub struct Gru {
    /// The size of the state.
    pub features: usize,
    /// Whether it yields the last state alone; `false` where it is not given.
    pub last: bool,
}

/// `Lstm(64)`: a state and a cell with gates for input, forgetting and output (Hochreiter and Schmidhuber, 1997).
///
/// c' = f c + i g, h' = o tanh(c') with gates i, f, o and g = tanh(W x + b + V h + c). As [`Rnn`], with four times the
/// rows in its weights: i, f, g, o; in expressions `let (ys, h, c) = lstm(xs);`.
/// [PyTorch](https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html)
#[non_exhaustive]
pub struct Lstm {
    /// The size of the state, and of the cell.
    pub features: usize,
    /// Whether it yields the last state alone; `false` where it is not given.
    pub last: bool,
}
