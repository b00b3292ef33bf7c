//! What `argmax` yields is an index: of elements, of rows of a table, of classes; in functions, networks and
//! recurrences. A network that computes its indices does what one does that is given them.

mod common;

use common::assert_close;
use netform::prelude::*;

network! {
    /// The logit of a class.
    fn logit<C>(x: [C], label: u32[]) -> [] { gather(x, label) }

    /// A network of integers.
    pub Embed<T>: (ids: u32[T]) -> [T, 2] {
        let emb = Embedding(4, features = 2);
        emb(ids)
    }

    /// Everything that takes integers, which are given.
    pub Given<T>: (x: [T, 4], ids: u32[T], first: u32[]) -> ([T], [T, 4], [T, 2], [T, 2], [2], [], [T], []) {
        let scale = Param([4], init = Constant(0.5));
        let table = Param([4, 2]);
        let embed = Embed<T>;
        let y = tanh(x * scale);
        (
            gather(softmax(y), ids),
            one_hot(ids, 4) * y,
            embed(ids),
            lookup(table, ids),
            lookup(table, first),
            cross_entropy(y, ids) + logit(y[0], first),
            float(ids) * gather(y, ids) + (ids == ids[0]),
            mean(gather(log_softmax(y), ids.reshape([T, 1]))),
        )
    }

    /// The same, computed.
    pub Found<T>: (x: [T, 4]) -> ([T], [T, 4], [T, 2], [T, 2], [2], [], [T], []) {
        let scale = Param([4], init = Constant(0.5));
        let table = Param([4, 2]);
        let embed = Embed<T>;
        let y = tanh(x * scale);
        let ids = argmax(y);
        let first = ids[0];
        (
            gather(softmax(y), ids),
            one_hot(ids, 4) * y,
            embed(ids),
            lookup(table, ids),
            lookup(table, first),
            cross_entropy(y, ids) + logit(y[0], first),
            float(ids) * gather(y, ids) + (ids == ids[0]),
            mean(gather(log_softmax(y), ids.reshape([T, 1]))),
        )
    }
}

/// Places of the largest elements of `values()`.
const IDS: [u32; 6] = [2, 0, 3, 1, 1, 2];

/// Two samples of three rows, of which some have two largest elements.
fn values() -> Vec<f64> {
    [
        [0.1, -0.3, 0.8, 0.2],
        [0.9, 0.9, -0.5, 0.0],
        [-4.0, -3.0, -2.0, -1.0],
        [0.0, 0.25, 0.25, 0.25],
        [-1.0, 2.0, 0.5, 1.5],
        [0.1, 0.2, 0.75, 0.3],
    ]
    .concat()
}

#[test]
fn computed_indices_are_indices() {
    let mut found = Found::<D<3>, f64>::on(Cpu::default(), Seed(1)).unwrap();
    let given = Given::<D<3>, f64>::on(Cpu::default(), Seed(2)).unwrap();
    let names = common::parameter_names::<Given<D<3>, f64>>();
    for name in &names {
        found.set_parameter(name, &given.parameter(name).unwrap()).unwrap();
    }
    let x = Tensor::<(Batch, D<3>, D<4>), f64>::from_vec(values()).unwrap();
    let ids = Tensor::<(Batch, D<3>), u32>::from_vec(IDS.to_vec()).unwrap();
    let first = Tensor::<(Batch,), u32>::from_vec(vec![IDS[0], IDS[3]]).unwrap();
    let (a, b) = (found.forward(&x).unwrap(), given.forward(&x, &ids, &first).unwrap());
    // Other gradients than 1, in training mode.
    macro_rules! gradients {
        ($($i:tt)*) => {{
            $(assert_close(concat!("output ", $i), &a.$i.to_vec(), &b.$i.to_vec());)*
            let dy = ($(b.$i.map(|y| y.cos() + f64::from($i)),)*);
            (found.vjp(&x, &dy).unwrap(), given.vjp((&x, &ids, &first), &dy).unwrap())
        }};
    }
    let (a, b) = gradients!(0 1 2 3 4 5 6 7);
    for name in names {
        assert_close(name, &a.get(name).unwrap(), &b.get(name).unwrap());
    }
    assert_close("x", &a.inputs().unwrap().to_vec(), &b.inputs().unwrap().to_vec());
}

network! {
    /// Greedy steps: each takes the row of a table that the last one's largest element names.
    pub Greedy: (x: [3]) -> [4, 3] {
        let table = Param([3, 3]);
        let (ys, _) = scan(zeros([4]), x, |h, _t| {
            let next = lookup(table, argmax(h));
            (next, next)
        });
        ys
    }

    /// Indices that a recurrence goes along.
    pub Along: (x: [4, 3]) -> [4, 3] {
        let table = Param([3, 3]);
        let (ys, _) = scan(argmax(x), zeros([3]), |h, id| {
            let next = h + lookup(table, id);
            (next, next)
        });
        ys
    }

    /// Indices that are the same for all samples, along an axis of size 1, of random numbers, and constant.
    pub Shared: (x: [3, 2]) -> ([3], [1], [2, 2], [], [2]) {
        let w = Param([3, 2]);
        let corner = x[0..1, 0..1];
        let noise = argmax(normal([2]));
        (
            gather(x, argmax(w)),
            gather(corner, argmax(corner)),
            lookup(w, argmax(w, axis = 0)),
            gather(x[0], noise) + sum(x[0] * (1 - one_hot(noise, 2))),
            gather(softmax(x[0]), argmax(zeros([2]))) + lookup(w, argmax(arange(3))),
        )
    }

    /// The place as a number.
    pub fn place(x: [3]) -> [] { float(argmax(x)) }
}

const TABLE: [f64; 9] =
    [/* to 1 */ 0.0, 2.0, 1.0, /* to 2 */ -1.0, 0.5, 0.75, /* to 0 */ 3.0, 2.0, 1.0];

#[test]
fn indices_in_recurrences() {
    let mut net = Greedy::<f64>::on(Cpu::default(), Seed(1)).unwrap();
    net.set_parameter("table", &TABLE).unwrap();
    let x = Tensor::<(Batch, D<3>), f64>::from_vec(vec![0.0, 1.0, 0.5, 7.0, 7.0, 7.0]).unwrap();
    let row = |i: usize| TABLE[3 * i..3 * i + 3].to_vec();
    let expected = [1, 2, 0, 1, /* */ 0, 1, 2, 0].map(row).concat();
    let y = net.forward(&x).unwrap();
    assert_close("greedy", &y.to_vec(), &expected);
    // Each row's gradient is the sum of those of the places that it was taken for; none goes further back.
    let dy = Tensor::from_vec((0..24).map(f64::from).collect()).unwrap();
    let gradients = net.vjp(&x, &dy).unwrap();
    let mut table = [0.0; 9];
    for (at, i) in [1, 2, 0, 1, 0, 1, 2, 0].into_iter().enumerate() {
        (0..3).for_each(|j| table[3 * i + j] += (3 * at + j) as f64);
    }
    assert_close("table", &gradients.get("table").unwrap(), &table);
    assert_eq!(gradients.inputs().unwrap().to_vec(), [0.0; 6]);

    let mut net = Along::<f64>::on(Cpu::default(), Seed(1)).unwrap();
    net.set_parameter("table", &TABLE).unwrap();
    let x = [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 1.0, 1.0]].concat();
    let x = Tensor::<(Batch, D<4>, D<3>), f64>::from_vec(x).unwrap();
    let sums = [[3.0, 2.0, 1.0], [3.0, 4.0, 2.0], [2.0, 4.5, 2.75], [1.0, 5.0, 3.5]].concat();
    assert_close("along", &net.forward(&x).unwrap().to_vec(), &sums);
    let dy = Tensor::ones((Batch(1), D, D));
    let gradients = net.vjp(&x, &dy).unwrap();
    let expected = [[3.0; 3], [3.0; 3], [4.0; 3]].concat();
    assert_close("table", &gradients.get("table").unwrap(), &expected);
}

#[test]
fn indices_without_samples_and_without_choice() {
    let mut net = Shared::<f64>::on(Cpu::default(), Seed(1)).unwrap();
    let w = [[0.5, 1.0], [2.0, -1.0], [0.0, 1.5]];
    net.set_parameter("w", &w.concat()).unwrap();
    let x = Tensor::<(Batch, D<3>, D<2>), f64>::from_vec((0..12).map(f64::from).collect()).unwrap();
    let (rows, corner, columns, both, constant) = net.forward(&x).unwrap();
    assert_eq!(rows.to_vec(), [1.0, 2.0, 5.0, /* */ 7.0, 8.0, 11.0]);
    assert_eq!(corner.to_vec(), [0.0, 6.0]);
    assert_eq!(columns.to_vec(), [w[1], w[2], w[1], w[2]].concat());
    // Whichever is the largest: that one and the other.
    assert_eq!(both.to_vec(), [1.0, 13.0]);
    let first = 1.0 / (1.0 + 1.0_f64.exp());
    assert_close("constant", &constant.to_vec(), &[first, first + 1.5, first, first + 1.5]);
}

/// As `metric::argmax`: of several the first, and never what is not a number.
#[test]
fn which_is_the_largest() {
    let (nan, inf) = (f32::NAN, f32::INFINITY);
    for (x, expected) in [
        ([1.0, 3.0, 3.0], 1.0),
        ([nan, 1.0, 2.0], 2.0),
        ([5.0, nan, 2.0], 0.0),
        ([-inf, -inf, -inf], 0.0),
        ([-inf, nan, -1.0], 2.0),
        ([nan, nan, nan], 0.0),
        ([0.0, inf, inf], 1.0),
    ] {
        assert_eq!(place(&Tensor::<(D<3>,)>::from(x)).item(), expected, "{x:?}");
        assert_eq!(netform::metric::argmax(&x) as f32, expected, "{x:?}");
    }
}
