//! Eager tensors through the public API: values known from elsewhere, sizes of 0 and 1, every axis.

use netform::prelude::*;
use netform::tensor::Axis;
use netform::{dim::Len, element::Float};

/// `[2, 3]`, elements 1 to 6.
fn six() -> Tensor<(D<2>, D<3>)> {
    tensor!([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
}

fn panic_of(f: impl FnOnce()) -> String {
    let payload = std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)).expect_err("a panic");
    let text = payload.downcast_ref::<String>().cloned();
    text.or_else(|| payload.downcast_ref::<&str>().map(|s| (*s).to_owned())).expect("a text")
}

#[test]
fn made_from_values() {
    let deep = Tensor::<_, f64>::from([[[[1.0, 2.0]], [[3.0, 4.0]]]]);
    assert_eq!(deep.shape(), (D::<1>, D::<2>, D::<1>, D::<2>));
    assert_eq!(deep.as_slice(), [1.0, 2.0, 3.0, 4.0]);
    let cube = tensor!(u32; [[[1, 2], [3, 4]], [[5, 6], [7, 8]]]);
    assert_eq!(cube[[1, 0, 1]], 6);
    assert_eq!(Tensor::<_>::zeros((Batch(2), D::<2>)).as_slice(), [0.0; 4]);
    assert_eq!(Tensor::<_, u32>::ones((D::<3>,)), Tensor::from([1, 1, 1]));
    assert_eq!(Tensor::full((), 7.0_f64).item(), 7.0);
    let eye = Tensor::<_>::eye(Len(3));
    assert_eq!(eye.as_slice(), [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]);
    assert!(Tensor::<_>::eye(Len(0)).as_slice().is_empty());
    assert_eq!(Tensor::arange(D::<4>, 1.0_f64, -0.5).as_slice(), [1.0, 0.5, 0.0, -0.5]);
    // Each number from its index: steps that are not exact do not add up.
    assert_eq!(Tensor::arange(Len(1001), 0.0_f32, 0.1)[[1000]], 100.0);
    assert_eq!(Tensor::linspace(D::<5>, -1.0_f32, 1.0).as_slice(), [-1.0, -0.5, 0.0, 0.5, 1.0]);
    assert_eq!(Tensor::linspace(D::<1>, 3.0_f32, 9.0).as_slice(), [3.0]);
    assert!(Tensor::linspace(Len(0), 3.0_f32, 9.0).as_slice().is_empty());
    assert_eq!(Tensor::linspace(Len(7), 0.1_f32, 0.7)[[6]], 0.7);
    let collected: Tensor<(Len,), u32> = (1..4).collect();
    assert_eq!(collected, Tensor::from_vec(vec![1, 2, 3]).unwrap());
    let error = Tensor::<(D<2>, D<2>)>::from_iter([1.0; 5]).unwrap_err().to_string();
    assert!(error.contains("[2, 2]") && error.contains('5'), "{error}");
}

#[test]
fn random_numbers_have_their_moments_and_repeat() {
    fn check<E: Float + netform::tensor::Number>() {
        let shape = (Len(200), D::<100>);
        let normal = Tensor::<_, E>::normal(shape, Seed(3)).cast::<f64>();
        assert!(normal.mean().abs() < 0.02, "{}", normal.mean());
        assert!((normal.square().mean() - 1.0).abs() < 0.03, "{}", normal.square().mean());
        let uniform = Tensor::<_, E>::uniform(shape, Seed(3)).cast::<f64>();
        assert!(uniform.min() >= 0.0 && uniform.max() < 1.0);
        assert!((uniform.mean() - 0.5).abs() < 0.01, "{}", uniform.mean());
        assert!(normal != Tensor::<_, E>::normal(shape, Seed(4)).cast::<f64>());
        assert!(normal == Tensor::<_, E>::normal(shape, Seed(3)).cast::<f64>());
    }
    check::<f32>();
    check::<f64>();
}

#[test]
fn operators_on_tensors_and_numbers() {
    let (a, b) = (tensor!([6.0, 9.0]), tensor!([2.0, 4.0]));
    assert_eq!(&a + &b, tensor!([8.0, 13.0]));
    assert_eq!(a.clone() - &b, tensor!([4.0, 5.0]));
    assert_eq!(&a * b.clone(), tensor!([12.0, 36.0]));
    assert_eq!(a.clone() / b.clone(), tensor!([3.0, 2.25]));
    assert_eq!(-&a, tensor!([-6.0, -9.0]));
    assert_eq!(-a.clone(), &a * -1.0);
    assert_eq!(&a - 1.0, tensor!([5.0, 8.0]));
    assert_eq!(1.0 - &a, tensor!([-5.0, -8.0]));
    assert_eq!(18.0 / a, tensor!([3.0, 2.0]));
    let n = tensor!(u32; [7, 8]);
    assert_eq!(&n / 2, tensor!(u32; [3, 4]));
    assert_eq!(10 - n, tensor!(u32; [3, 2]));
    let precise = Tensor::<_, f64>::from([0.1]) + 0.2;
    assert_eq!(precise.as_slice(), [0.1 + 0.2]);
}

/// Every element against indices computed here, for sizes of 1 at each axis on each side.
#[test]
fn broadcasting_along_every_axis() {
    macro_rules! check {
        ($($l:expr, $r:expr => $out:expr;)*) => { $({
            let a = Tensor::from_fn($l, |i| 1.0 + i as f64);
            let b = Tensor::from_fn($r, |i| 100.0 * (1.0 + i as f64));
            let sum = &a + &b;
            assert_eq!(sum.shape(), $out);
            let sizes = sum.sizes();
            let at = |own: &[usize], mut i: usize| {
                let (mut offset, mut step) = (0, 1);
                for (k, &size) in sizes.iter().rev().enumerate() {
                    let position = i % size;
                    i /= size;
                    let own = if k < own.len() { own[own.len() - 1 - k] } else { 1 };
                    offset += if own == 1 { 0 } else { position * step };
                    step *= own;
                }
                offset
            };
            for (i, &x) in sum.as_slice().iter().enumerate() {
                let (l, r) = (at(&a.sizes(), i), at(&b.sizes(), i));
                assert_eq!(x, a.as_slice()[l] + b.as_slice()[r], "{:?} + {:?}", a.sizes(), b.sizes());
            }
            assert_eq!(&b + &a, sum);
        })* };
    }
    check! {
        (D::<2>, D::<3>, D::<4>), (D::<1>, D::<3>, D::<4>) => (D::<2>, D::<3>, D::<4>);
        (D::<2>, D::<3>, D::<4>), (D::<2>, D::<1>, D::<4>) => (D::<2>, D::<3>, D::<4>);
        (D::<2>, D::<3>, D::<4>), (D::<2>, D::<3>, D::<1>) => (D::<2>, D::<3>, D::<4>);
        (D::<2>, D::<1>, D::<4>), (D::<1>, D::<3>, D::<1>) => (D::<2>, D::<3>, D::<4>);
        (D::<2>, D::<3>, D::<4>), (D::<3>, D::<4>) => (D::<2>, D::<3>, D::<4>);
        (D::<2>, D::<3>, D::<4>), (D::<4>,) => (D::<2>, D::<3>, D::<4>);
        (D::<2>, D::<3>, D::<4>), (D::<1>,) => (D::<2>, D::<3>, D::<4>);
        (D::<2>, D::<3>, D::<4>), () => (D::<2>, D::<3>, D::<4>);
        (D::<2>, D::<1>), (D::<3>,) => (D::<2>, D::<3>);
        (D::<1>,), (D::<1>, D::<1>) => (D::<1>, D::<1>);
        (Batch(3), D::<2>), (D::<2>,) => (Batch(3), D::<2>);
        (Batch(3), D::<1>), (D::<1>, D::<2>) => (Batch(3), D::<2>);
        (Batch(1), Len(2)), (Batch(1), Len(2)) => (Batch(1), Len(2));
        (Batch(0), D::<2>), (D::<2>,) => (Batch(0), D::<2>);
        (D::<2>, D::<1>, D::<2>, D::<1>, D::<2>, D::<1>),
            (D::<2>, D::<1>, D::<2>, D::<1>, D::<3>) =>
            (D::<2>, D::<2>, D::<2>, D::<2>, D::<2>, D::<3>);
        (), () => ();
    }
}

#[test]
fn run_time_sizes_are_compared() {
    let (a, b) = (Tensor::<_>::ones((Batch(2), D::<3>)), Tensor::<_>::ones((Batch(4), D::<3>)));
    let error = a.try_zip(&b, |x, y| x + y).unwrap_err().to_string();
    assert!(error.contains("[2, 3]") && error.contains("[4, 3]"), "{error}");
    let text = panic_of(|| drop(&a + &b));
    assert!(text.contains("[2, 3]") && text.contains("[4, 3]"), "{text}");
    // A run-time size of 1 does not broadcast: what compiles does the same for every size.
    let one = Tensor::<_>::ones((Batch(1), D::<3>));
    assert!(a.try_zip(&one, |x, y| x + y).is_err());
    let text = panic_of(|| drop(a.transpose().matmul(&b)));
    assert!(text.contains("[3, 2]") && text.contains("[4, 3]"), "{text}");
    let text = panic_of(|| drop(a.concat::<1, _>(&b)));
    assert!(text.contains("axis 1") && text.contains("[4, 3]"), "{text}");
    let text = panic_of(|| drop(a.slice::<0, 1, 2>()));
    assert!(text.contains("of size 2"), "{text}");
    let text = panic_of(|| drop(Tensor::stack::<0, 2>([&a, &b])));
    assert!(text.contains("[2, 3]") && text.contains("[4, 3]"), "{text}");
    let text = panic_of(|| drop(a.select(&a, &b)));
    assert!(text.contains("[4, 3]"), "{text}");
}

/// Values from Python's math module and PyTorch.
#[test]
fn functions() {
    let x = Tensor::<_, f64>::from([-1.5, -0.5, 0.0, 0.5, 2.0]);
    let close = |y: Tensor<(D<5>,), f64>, expected: [f64; 5]| {
        assert!(y.all_close(&Tensor::from(expected), 1e-12, 1e-12), "{y:.15}");
    };
    close(x.exp(), [0.22313016014843, 0.606530659712633, 1.0, 1.648721270700128, 7.38905609893065]);
    close(
        x.tanh(),
        [-0.905148253644866, -0.46211715726001, 0.0, 0.46211715726001, 0.964027580075817],
    );
    close(
        x.sigmoid(),
        [0.182425523806356, 0.377540668798145, 0.5, 0.622459331201855, 0.880797077977882],
    );
    close(
        x.sin(),
        [-0.997494986604054, -0.479425538604203, 0.0, 0.479425538604203, 0.909297426825682],
    );
    close(
        x.cos(),
        [0.070737201667703, 0.877582561890373, 1.0, 0.877582561890373, -0.416146836547142],
    );
    close(x.relu(), [0.0, 0.0, 0.0, 0.5, 2.0]);
    close(x.abs(), [1.5, 0.5, 0.0, 0.5, 2.0]);
    close(x.square(), [2.25, 0.25, 0.0, 0.25, 4.0]);
    close(x.square().sqrt(), [1.5, 0.5, 0.0, 0.5, 2.0]);
    close(x.exp().ln(), [-1.5, -0.5, 0.0, 0.5, 2.0]);
    close(x.abs().pow(3.0), [3.375, 0.125, 0.0, 0.125, 8.0]);
    assert_eq!(x.round().as_slice(), [-2.0, 0.0, 0.0, 0.0, 2.0]);
    assert!(x.relu().map(|x| f64::NAN * x).relu()[[0]].is_nan());
    let close = |a: f64, b: f64| Tensor::scalar(a).all_close(&Tensor::scalar(b), 1e-3, 0.0);
    assert!(close(1.0, 1.0005) && !close(1.0, 1.01) && close(f64::INFINITY, f64::INFINITY));
    assert!(!close(f64::NAN, f64::NAN) && !close(1.0, f64::INFINITY));
    assert!(!close(f64::NEG_INFINITY, f64::INFINITY));
}

#[test]
fn comparison_and_selection() {
    let (a, b) = (six(), tensor!([[3.0], [5.0]]));
    assert_eq!(a.lt(&b), tensor!([[1.0, 1.0, 0.0], [1.0, 0.0, 0.0]]));
    assert_eq!(a.le(&b), tensor!([[1.0, 1.0, 1.0], [1.0, 1.0, 0.0]]));
    assert_eq!(a.gt(&b), 1.0 - a.le(&b));
    assert_eq!(a.ge(&b), 1.0 - a.lt(&b));
    assert_eq!(a.eq(&b), tensor!([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0]]));
    assert_eq!(a.ne(&b), 1.0 - a.eq(&b));
    assert_eq!(a.maximum(&b), tensor!([[3.0, 3.0, 3.0], [5.0, 5.0, 6.0]]));
    assert_eq!(a.minimum(&b), tensor!([[1.0, 2.0, 3.0], [4.0, 5.0, 5.0]]));
    assert_eq!(a.lt(&b).select(&a, &(-&a)), tensor!([[1.0, 2.0, -3.0], [4.0, -5.0, -6.0]]));
    assert!(a.all() && a.lt(&b).any() && !a.lt(&b).all() && !(&a * 0.0).any());
    assert!(Tensor::<_>::zeros((Len(0),)).all() && !Tensor::<_>::ones((Len(0),)).any());
    assert_ne!(Tensor::<_>::ones((Batch(1),)), Tensor::<_>::ones((Batch(2),)));
    let nan = tensor!([f32::NAN, 1.0]);
    let other = tensor!([2.0, f32::NAN]);
    assert!(nan.maximum(&other).as_slice().iter().all(|x| x.is_nan()));
    assert!(other.minimum(&nan).as_slice().iter().all(|x| x.is_nan()));
    assert!(nan.max().is_nan() && other.min().is_nan());
}

#[test]
fn reductions() {
    let t = Tensor::from_fn((D::<2>, D::<3>, D::<4>), |i| (i * 7 % 24) as f32);
    assert_eq!((t.sum(), t.mean(), t.max(), t.min()), (276.0, 11.5, 23.0, 0.0));
    assert_eq!(t[[t.argmax() / 12, t.argmax() / 4 % 3, t.argmax() % 4]], 23.0);
    for i in 0..3 {
        for j in 0..4 {
            assert_eq!(t.sum_axis::<0>()[[i, j]], t[[0, i, j]] + t[[1, i, j]]);
            assert_eq!(t.max_axis::<0>()[[i, j]], t[[0, i, j]].max(t[[1, i, j]]));
        }
    }
    for i in 0..2 {
        for j in 0..4 {
            let lane = [0, 1, 2].map(|k| t[[i, k, j]]);
            assert_eq!(t.sum_axis::<1>()[[i, j]], lane.iter().sum::<f32>());
            assert_eq!(t.min_axis::<1>()[[i, j]], lane.into_iter().fold(f32::INFINITY, f32::min));
            assert_eq!(lane[t.argmax_axis::<1>()[[i, j]] as usize], t.max_axis::<1>()[[i, j]]);
        }
        for j in 0..3 {
            let mean = (0..4).map(|k| t[[i, j, k]]).sum::<f32>() / 4.0;
            assert_eq!(t.mean_axis::<2>()[[i, j]], mean);
        }
    }
    assert_eq!(t.sum_axis::<0>().sum_axis::<0>().sum_axis::<0>().item(), 276.0);
    assert_eq!(t.unsqueeze::<2>().shape(), (D::<2>, D::<3>, D::<1>, D::<4>));
    // The first of equal ones; sums of many floats keep their precision.
    assert_eq!(tensor!([1.0, 3.0, 3.0]).argmax(), 1);
    assert_eq!(Tensor::full((Len(1 << 25),), 1.0_f32).sum(), 33_554_432.0);
    assert_eq!(Tensor::<_>::zeros((Len(0),)).sum(), 0.0);
    assert_eq!(Tensor::<_>::zeros((Len(0), D::<2>)).sum_axis::<0>(), tensor!([0.0, 0.0]));
    assert!(Tensor::<_>::zeros((Len(0),)).mean().is_nan());
    assert!(panic_of(|| _ = Tensor::<_>::zeros((Len(0),)).max()).contains("no elements"));
    let text = panic_of(|| _ = tensor!(u32; [u32::MAX, 1]).sum());
    assert!(text.contains("4294967296") && text.contains("U32"), "{text}");
}

#[test]
fn products() {
    let b = tensor!([[1.0, -1.0], [0.0, 2.0], [3.0, 1.0]]);
    let product = tensor!([[10.0, 6.0], [22.0, 12.0]]);
    assert_eq!(six().matmul(&b), product);
    assert_eq!(six().matmul(&tensor!([1.0, 0.0, -1.0])), tensor!([-2.0, -2.0]));
    let batch = Tensor::stack::<0, 2>([&six(), &(six() * 2.0)]);
    let shared = batch.matmul(&b);
    assert_eq!(shared, Tensor::stack::<0, 2>([&product, &(&product * 2.0)]));
    let own = batch.matmul(&Tensor::stack::<0, 2>([&b, &(&b * -1.0)]));
    assert_eq!(own, Tensor::stack::<0, 2>([&product, &(&product * -2.0)]));
    let heads = batch.unsqueeze::<0>().matmul(&Tensor::stack::<0, 2>([&b, &b]).unsqueeze::<0>());
    assert_eq!(heads, shared.unsqueeze::<0>());
    assert_eq!(tensor!([[3.0]]).matmul(&tensor!([[4.0]])), tensor!([[12.0]]));
    let none = Tensor::<_>::ones((Batch(0), D::<3>)).matmul(&b);
    assert_eq!(none.sizes(), [0, 2]);
    let empty = Tensor::<_>::ones((D::<2>, Len(0))).matmul(&Tensor::<_>::ones((Len(0), D::<2>)));
    assert_eq!(empty, Tensor::zeros((D::<2>, D::<2>)));
    let eye = Tensor::<_, f64>::eye(D::<100>);
    let random = Tensor::normal((D::<100>, D::<100>), Seed(1));
    assert_eq!(eye.matmul(&random), random);
    // A batch that became smaller keeps its room: only the elements of its shape count.
    let mut x = Tensor::<(Batch, D<3>)>::from_vec((0..12).map(|i| i as f32).collect()).unwrap();
    x.set_batch(2).unwrap();
    assert_eq!(x.matmul(&b).as_slice(), [6.0, 4.0, 18.0, 10.0]);
    assert_eq!((&x + 0.0).as_slice().len(), 6);
}

#[test]
fn other_orders_and_shapes() {
    let t = Tensor::from_fn((D::<2>, D::<3>, D::<4>), |i| i as f32);
    let turned = t.permute((Axis::<2>, Axis::<0>, Axis::<1>));
    assert_eq!(turned.shape(), (D::<4>, D::<2>, D::<3>));
    let swapped = t.transpose();
    assert_eq!(swapped.shape(), (D::<2>, D::<4>, D::<3>));
    for (i, j, k) in (0..24).map(|i| (i / 12, i / 4 % 3, i % 4)) {
        assert_eq!(turned[[k, i, j]], t[[i, j, k]]);
        assert_eq!(swapped[[i, k, j]], t[[i, j, k]]);
    }
    assert_eq!(t.permute((Axis::<0>, Axis::<1>, Axis::<2>)), t);
    let six_axes = Tensor::<_>::zeros((D::<1>, D::<2>, D::<3>, D::<4>, D::<5>, D::<6>));
    let reversed =
        six_axes.permute((Axis::<5>, Axis::<4>, Axis::<3>, Axis::<2>, Axis::<1>, Axis::<0>));
    assert_eq!(reversed.sizes(), [6, 5, 4, 3, 2, 1]);
    assert_eq!(t.reshape::<(D<6>, D<4>)>()[[5, 3]], 23.0);
    assert_eq!(t.reshape::<(D<24>, D<1>, D<1>)>().reshape::<(D<2>, D<3>, D<4>)>(), t);
    assert_eq!(tensor!([5.0]).reshape::<()>().item(), 5.0);
    assert_eq!(Tensor::scalar(5.0_f32).flatten(), tensor!([5.0]));
    let large = Tensor::<_>::zeros((D::<300>, D::<40>, D::<10>)).flatten();
    assert_eq!(large.shape(), (D::<120, 0>,));
    // Numbers on both sides of the borders between the ways in which they become types.
    assert_eq!(Tensor::<_>::zeros((D::<27>, D::<37>)).flatten().shape(), (D::<999>,));
    assert_eq!(Tensor::<_>::zeros((D::<2>, D::<500>)).flatten().shape(), (D::<1, 0>,));
    assert_eq!(Tensor::<_>::zeros((D::<19>, D::<53>)).flatten().shape(), (D::<1, 7>,));
    assert_eq!(Tensor::<_>::zeros((D::<3>, D::<341>)).flatten().shape(), (D::<1, 23>,));
    assert_eq!(Tensor::<_>::zeros((D::<2>, D::<512>)).flatten().shape(), (D::<1, 24>,));
    assert_eq!(Tensor::<_>::zeros((D::<0>, D::<5>)).flatten().shape(), (D::<0>,));
    let batch = Tensor::<_>::zeros((Batch(3), D::<0>, D::<2>));
    assert_eq!(batch.flatten().shape(), (Batch(3), D::<0>));
    assert_eq!(batch.reshape::<(Batch, D<5>, D<0>)>().sizes(), [3, 5, 0]);
    let error = t.try_reshape((Len(5), D::<5>)).unwrap_err().to_string();
    assert!(error.contains("[2, 3, 4]") && error.contains("[5, 5]"), "{error}");
}

#[test]
fn joined_and_taken_apart() {
    let t = Tensor::from_fn((D::<2>, D::<3>, D::<4>), |i| i as f32);
    macro_rules! halves {
        ($($axis:literal $left:literal $right:literal;)*) => { $(
            let (left, right) =
                (t.slice::<$axis, 0, $left>(), t.slice::<$axis, $left, $right>());
            assert_eq!(left.concat::<$axis, _>(&right), t, "axis {}", $axis);
            let narrow = t.narrow::<$axis>($left..$left + $right).unwrap();
            assert_eq!(narrow.as_slice(), right.as_slice());
            assert_eq!(t.slice::<$axis, $left, 1>().as_slice(), t.index_axis::<$axis>($left).as_slice());
        )* };
    }
    halves! { 0 1 1; 1 1 2; 2 3 1; }
    assert_eq!(t.slice::<2, 1, 2>().sizes(), [2, 3, 2]);
    assert_eq!(t.slice::<2, 4, 0>().sizes(), [2, 3, 0]);
    assert_eq!(t.slice::<2, 1, 2>()[[1, 2, 0]], t[[1, 2, 1]]);
    assert_eq!(t.row(1).row(2), tensor!([20.0, 21.0, 22.0, 23.0]));
    assert_eq!(t.index_axis::<2>(3)[[1, 0]], 15.0);
    let longer = Tensor::<_>::ones((D::<999>,)).concat::<0, _>(&Tensor::ones((D::<1>,)));
    assert_eq!(longer.shape(), (D::<1, 0>,));
    let batches =
        Tensor::<_>::ones((Batch(2), D::<3>)).concat::<0, _>(&Tensor::ones((Batch(5), D::<3>)));
    assert_eq!(batches.shape(), (Batch(7), D::<3>));
    let (a, b) = (six(), -six());
    assert_eq!(Tensor::stack::<0, 2>([&a, &b]).row(1), b);
    assert_eq!(Tensor::stack::<1, 2>([&a, &b]).index_axis::<1>(1), b);
    assert_eq!(Tensor::stack::<2, 3>([&a, &b, &a]).index_axis::<2>(1), b);
    let empty = Tensor::<_>::ones((Len(0),));
    assert_eq!(Tensor::stack::<0, 2>([&empty, &empty]).sizes(), [2, 0]);
    for range in [2..4, 3..4, 4..5] {
        assert!(a.narrow::<1>(range).is_err());
    }
}

#[test]
fn elements_by_index() {
    let mut t = six();
    t[[1, 2]] = 60.0;
    assert_eq!((t[[0, 0]], t[[1, 2]], t.get([1, 2])), (1.0, 60.0, Some(60.0)));
    assert_eq!((t.get([2, 0]), t.get([0, 3])), (None, None));
    assert_eq!(Tensor::scalar(4_u32)[[]], 4);
    let text = panic_of(|| assert_eq!(six()[[0, 3]], 0.0));
    assert!(text.contains("[0, 3]") && text.contains("[2, 3]"), "{text}");
    let text = panic_of(|| drop(six().row(2)));
    assert!(text.contains("index 2") && text.contains("size 2"), "{text}");
}

#[test]
fn conversion() {
    let t = tensor!([-1.0, 0.9, 3.0e10, f32::NAN]);
    assert_eq!(t.cast::<u32>(), tensor!(u32; [0, 0, u32::MAX, 0]));
    assert_eq!(tensor!(u32; [3, 4]).cast::<f64>(), Tensor::from([3.0, 4.0]));
    assert_eq!(Tensor::<_, f64>::from([0.1]).cast::<f32>(), tensor!([0.1]));
}

/// The texts are PyTorch's without `tensor(..)`, but for exponents, where it writes two digits.
#[test]
fn printed() {
    assert_eq!(six().to_string(), "[[1., 2., 3.],\n [4., 5., 6.]]");
    assert_eq!(Tensor::scalar(2.5_f32).to_string(), "2.5000");
    assert_eq!(tensor!(u32; [5, 10]).to_string(), "[ 5, 10]");
    assert_eq!(tensor!([0.5, f32::INFINITY, f32::NAN]).to_string(), "[0.5000,    inf,    NaN]");
    assert_eq!(tensor!([1e-5, 1.0]).to_string(), "[1.0000e-5,  1.0000e0]");
    assert_eq!(tensor!([1e9]).to_string(), "[1.0000e9]");
    assert_eq!(Tensor::<_>::zeros((D::<2>, Len(0))).to_string(), "[[],\n []]");
    assert_eq!(format!("{:.2}", tensor!([1.0, -2.0])), "[ 1.00, -2.00]");
    let cube = Tensor::from_fn((D::<2>, D::<2>, D::<2>), |i| i as f32);
    assert_eq!(cube.to_string(), "[[[0., 1.],\n  [2., 3.]],\n\n [[4., 5.],\n  [6., 7.]]]");
    let many = Tensor::arange(Len(2000), 0_u32, 1);
    assert_eq!(many.to_string(), "[   0,    1,    2, ..., 1997, 1998, 1999]");
    let rows = Tensor::<_>::zeros((Len(1001), D::<1>)).to_string();
    assert_eq!(rows, "[[0.],\n [0.],\n [0.],\n ...,\n [0.],\n [0.],\n [0.]]");
    assert_eq!(format!("{:?}", tensor!([1.0])), "Tensor[1] [1.0]");
}
