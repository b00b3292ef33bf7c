//! `fn` items called on tensors: values, gradients, Hessians and Jacobians against formulas and differences.

use netform::prelude::*;

const SIZE: usize = 2;

network! {
    /// Rosenbrock's function: (1 - x0)^2 + 100 (x1 - x0^2)^2.
    pub fn rosenbrock(x: [2]) -> [] {
        square(1 - x[0]) + 100 * square(x[1] - square(x[0]))
    }

    /// Two inputs whose names printed code has too, and mixed derivatives.
    fn mixed(b: [2], k: [2]) -> [] {
        sum(square(b) * k) + b[0] * k[1]
    }

    /// Generic sizes, told by the tensors.
    fn bilinear<N, M>(a: [N], w: [N, M], v: [M]) -> [] {
        sum((a @ w) * v)
    }

    /// Linear, so that the Hessian is zero.
    fn total<N>(x: [N]) -> [] {
        sum(x)
    }

    /// An integer input, in front of a float.
    fn picked<C>(label: u32[], x: [C]) -> [] {
        log_sum(x) - gather(x, label)
    }

    fn log_sum<C>(x: [C]) -> [] {
        ln(sum(exp(x)))
    }

    /// The mean over all positions in front of the classes.
    pub fn own_cross_entropy<C>(logits: [..S, C], labels: u32[..S]) -> [] {
        ln(sum(exp(logits))) - gather(logits, labels)
    }

    /// An output of other axes.
    fn outer<N>(x: [N], s: []) -> [N, 3] {
        tanh(x * s).unsqueeze(1) * ones([3]) + x.unsqueeze(1)
    }

    /// What is given is what comes back.
    fn same<N>(x: [N]) -> [N] {
        x
    }

    /// A size that no type says.
    fn twice<N>(x: [N]) -> [2 * N] {
        concat(x, x * x)
    }

    /// An integer input and a tensor as output.
    fn rows<R, C>(table: [R, C], ids: u32[R]) -> [R] {
        gather(table, ids) * 2
    }

    /// A size that has to be even.
    fn pairs<N>(x: [N]) -> [] {
        sum(square(x.reshape([N / 2, 2]).sum(axis = 1)))
    }

    /// A size that only the compiler knows.
    fn const_size(x: [SIZE + 1]) -> [SIZE + 1] {
        x * x
    }

    /// A recurrence.
    fn pendulum<T>(push: [T, 1], start: [1]) -> [] {
        let (all, last) = scan(push, start, |h, p| (tanh(h * 0.5 + p), h));
        sum(square(all)) + sum(last)
    }

    /// (x0 - 3)^2 + (x1 + 2)^2
    fn bowl(x: [2]) -> [] {
        square(x[0] - 3) + square(x[1] + 2)
    }

    /// The mean distance from the origin.
    fn mean_distance(a: [3], b: [3]) -> [] {
        mean(sqrt(a * a + b * b))
    }

    /// The mean squared error of a line over four points.
    fn line_error(w: [], b: [], x: [4], y: [4]) -> [] {
        mean(square(w * x + b - y))
    }

    /// A loss of one's own.
    pub fn distance(y: [3], t: [3]) -> [] {
        sum(abs(y - t))
    }

    /// A network for it.
    pub Three: [4] -> [3] { fc1: Linear(3) }
}

fn near(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    for (a, b) in found.iter().zip(expected) {
        assert!((a - b).abs() <= tolerance * b.abs().max(1.0), "{found:?} is not {expected:?}");
    }
}

#[test]
fn rosenbrock_has_the_exact_value_gradient_and_hessian() {
    let [x, y] = [-1.2, 1.5];
    let at: Tensor<(D<2>,), f64> = Tensor::from([x, y]);
    let value: Tensor<(), f64> = rosenbrock(&at);
    near(&[value.item()], &[(1.0 - x) * (1.0 - x) + 100.0 * (y - x * x) * (y - x * x)], 1e-14);
    let gradient = [-2.0 * (1.0 - x) - 400.0 * x * (y - x * x), 200.0 * (y - x * x)];
    near(rosenbrock::gradient(&at).as_slice(), &gradient, 1e-14);
    let (again, both) = rosenbrock::value_and_gradient(&at);
    assert_eq!((again, both), (value, rosenbrock::gradient(&at)));
    let hessian = [2.0 - 400.0 * y + 1200.0 * x * x, -400.0 * x, -400.0 * x, 200.0];
    let found: Tensor<(D<2>, D<2>), f64> = rosenbrock::hessian(&at);
    near(found.as_slice(), &hessian, 1e-13);
    let v: Tensor<(D<2>,), f64> = Tensor::from([0.5, -2.0]);
    let product = [hessian[0] * 0.5 - hessian[1] * 2.0, hessian[2] * 0.5 - hessian[3] * 2.0];
    near(rosenbrock::hessian_vector_product(&at, &v).as_slice(), &product, 1e-13);
}

#[test]
fn single_precision_and_printing() {
    let at = tensor!([1.0, 1.0]);
    assert_eq!(rosenbrock(&at).to_string(), "0.");
    assert_eq!(rosenbrock::gradient(&at), tensor!([0.0, 0.0]));
    assert_eq!(rosenbrock::hessian(&at), tensor!([[802.0, -400.0], [-400.0, 200.0]]));
}

#[test]
fn several_inputs_have_gradients_as_a_tuple() {
    let b: Tensor<(D<2>,), f64> = Tensor::from([2.0, 3.0]);
    let k: Tensor<(D<2>,), f64> = Tensor::from([5.0, 7.0]);
    assert_eq!(mixed(&b, &k).item(), 4.0 * 5.0 + 9.0 * 7.0 + 2.0 * 7.0);
    let (db, dk) = mixed::gradient(&b, &k);
    near(db.as_slice(), &[2.0 * 2.0 * 5.0 + 7.0, 2.0 * 3.0 * 7.0], 1e-14);
    near(dk.as_slice(), &[4.0, 9.0 + 2.0], 1e-14);
    let (value, (again, _)) = mixed::value_and_gradient(&b, &k);
    assert_eq!((value, again), (mixed(&b, &k), db));
    let ((bb, bk), (kb, kk)) = mixed::hessian(&b, &k);
    near(bb.as_slice(), &[10.0, 0.0, 0.0, 14.0], 1e-14);
    near(bk.as_slice(), &[4.0, 1.0, 0.0, 6.0], 1e-14);
    near(kb.as_slice(), &[4.0, 0.0, 1.0, 6.0], 1e-14);
    assert_eq!(kk.as_slice(), [0.0; 4]);
    let [vb, vk] = [[1.0, -1.0], [0.5, 2.0]].map(Tensor::<(D<2>,), f64>::from);
    let (pb, pk) = mixed::hessian_vector_product(&b, &k, (&vb, &vk));
    near(pb.as_slice(), &[10.0 + 4.0 * 0.5 + 2.0, -14.0 + 6.0 * 2.0], 1e-14);
    near(pk.as_slice(), &[4.0, 1.0 - 6.0], 1e-14);
}

#[test]
fn sizes_are_the_tensors() {
    let a: Tensor<(D<2>,), f64> = Tensor::from([1.0, 2.0]);
    let w: Tensor<(D<2>, D<3>), f64> = Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    let v: Tensor<(D<3>,), f64> = Tensor::from([1.0, 0.0, -1.0]);
    assert_eq!(bilinear(&a, &w, &v).item(), 9.0 - 15.0);
    let (da, dw, dv) = bilinear::gradient(&a, &w, &v);
    assert_eq!((da.as_slice(), dv.as_slice()), (&[-2.0, -2.0][..], &[9.0, 12.0, 15.0][..]));
    assert_eq!(dw, Tensor::from([[1.0, 0.0, -1.0], [2.0, 0.0, -2.0]]));
    let ((_, aw, _), _, (va, ..)) = bilinear::hessian(&a, &w, &v);
    assert_eq!((aw.sizes(), va.sizes()), (vec![2, 2, 3], vec![3, 2]));
    assert_eq!(va, w.transpose());
    assert_eq!(total::hessian(&a), Tensor::zeros((D::<2>, D::<2>)));
    // Known only at run time.
    let x: Tensor<(Len,)> = (0..5).map(|i| i as f32).collect();
    assert_eq!(total(&x).item(), 10.0);
    assert_eq!(total::gradient(&x).as_slice(), [1.0; 5]);
    assert_eq!(total::hessian(&x).sizes(), [5, 5]);
}

#[test]
#[should_panic(expected = "the vector for `x` of `total`: expected the sizes [5], found [4]")]
fn sizes_known_at_run_time_are_compared() {
    let x: Tensor<(Len,)> = (0..5).map(|i| i as f32).collect();
    let v: Tensor<(Len,)> = (0..4).map(|i| i as f32).collect();
    total::hessian_vector_product(&x, &v);
}

#[test]
fn sizes_are_checked() {
    assert_eq!(pairs(&tensor!([1.0, 2.0, 3.0, 4.0])).item(), 9.0 + 49.0);
    let even: Tensor<(Len,)> = (0..4).map(|i| i as f32).collect();
    assert_eq!(pairs(&even).item(), 1.0 + 25.0);
    assert_eq!(const_size(&tensor!([1.0, 2.0, 3.0])), tensor!([1.0, 4.0, 9.0]));
    let jacobian = const_size::jacobian(&tensor!([1.0, 2.0, 3.0]));
    assert_eq!(jacobian, tensor!([[2.0, 0.0, 0.0], [0.0, 4.0, 0.0], [0.0, 0.0, 6.0]]));
}

#[test]
#[should_panic(expected = "leaves a remainder")]
fn sizes_known_at_run_time_are_checked() {
    let odd: Tensor<(Len,)> = (0..5).map(|i| i as f32).collect();
    pairs(&odd);
}

#[test]
fn hessians_go_through_recurrences() {
    let push: Tensor<(D<3>, D<1>), f64> = Tensor::from([[0.3], [-0.5], [0.9]]);
    let start: Tensor<(D<1>,), f64> = Tensor::from([0.4]);
    let ((pp, ps), (sp, ss)) = pendulum::hessian(&push, &start);
    let (pp, ps, sp, ss) = (pp.flatten(), ps.flatten(), sp.flatten(), ss.flatten());
    let gradient = |i: usize, by: f64| {
        let (mut push, mut start) = (push.clone(), start.clone());
        match i {
            3 => start.as_mut_slice()[0] += by,
            i => push.as_mut_slice()[i] += by,
        }
        let (dp, ds) = pendulum::gradient(&push, &start);
        [dp.to_vec(), ds.to_vec()].concat()
    };
    for i in 0..4 {
        let (up, down) = (gradient(i, 1e-5), gradient(i, -1e-5));
        let expected: Vec<f64> = up.iter().zip(down).map(|(a, b)| (a - b) / 2e-5).collect();
        let found = match i {
            3 => [sp.to_vec(), ss.to_vec()].concat(),
            i => [&pp.as_slice()[3 * i..][..3], &ps.as_slice()[i..][..1]].concat(),
        };
        near(&found, &expected, 1e-8);
    }
}

/// A function needs no bound beside those of tensors where it makes nothing larger of them.
fn of_any_size<N: netform::dim::Static>(x: &Tensor<(N,)>) -> f32 {
    total(x).item()
}

#[test]
fn generic_code_calls_generic_functions() {
    assert_eq!(of_any_size(&tensor!([1.0, 2.0, 4.0])), 7.0);
}

#[test]
fn integers_are_tensors_of_u32() -> netform::Result<()> {
    let x: Tensor<(D<3>,), f64> = Tensor::from([0.5, -1.0, 2.0]);
    let label = Tensor::scalar(1_u32);
    let sum: f64 = x.as_slice().iter().map(|x| x.exp()).sum();
    near(&[picked(&label, &x)?.item()], &[sum.ln() + 1.0], 1e-14);
    let softmax: Vec<f64> = x.as_slice().iter().map(|x| x.exp() / sum).collect();
    let gradient = picked::gradient(&label, &x)?;
    near(gradient.as_slice(), &[softmax[0], softmax[1] - 1.0, softmax[2]], 1e-14);
    let hessian = picked::hessian(&label, &x)?;
    for (i, row) in hessian.as_slice().chunks(3).enumerate() {
        for (j, found) in row.iter().enumerate() {
            let expected = if i == j { softmax[i] } else { 0.0 } - softmax[i] * softmax[j];
            near(&[*found], &[expected], 1e-14);
        }
    }
    let error = picked(&Tensor::scalar(3_u32), &x).unwrap_err().to_string();
    let said = "row 0 in `picked`, of input `label`: index 3 is out of range: there are 3 classes";
    assert!(error.starts_with(said), "{error}");
    assert!(picked::hessian(&Tensor::scalar(3_u32), &x).is_ok(), "no derivative reads the label");
    let table = tensor!([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]);
    let ids = tensor!(u32; [1, 0, 1]);
    assert_eq!(rows(&table, &ids)?, tensor!([4.0, 6.0, 12.0]));
    let added = rows::vjp(&table, &ids, &tensor!([1.0, 2.0, 3.0]))?;
    assert_eq!(added, tensor!([[0.0, 2.0], [4.0, 0.0], [0.0, 6.0]]));
    Ok(())
}

#[test]
fn axes_in_front_count_as_samples() -> netform::Result<()> {
    let logits: Tensor<(D<2>, D<2>, D<3>), f64> =
        Tensor::from_fn(Default::default(), |i| (i as f64 * 0.7).sin());
    let labels = tensor!(u32; [[0, 2], [1, 1]]);
    let mut mean = 0.0;
    for (row, label) in logits.as_slice().chunks(3).zip(labels.as_slice()) {
        let one: Tensor<(D<3>,), f64> = Tensor::from_vec(row.to_vec())?;
        mean += own_cross_entropy(&one, &Tensor::scalar(*label))?.item() / 4.0;
    }
    let (value, gradient) = own_cross_entropy::value_and_gradient(&logits, &labels)?;
    near(&[value.item(), own_cross_entropy(&logits, &labels)?.item()], &[mean, mean], 1e-14);
    assert_eq!(gradient.shape(), logits.shape());
    let sums: Vec<f64> = gradient.as_slice().chunks(3).map(|row| row.iter().sum()).collect();
    near(&sums, &[0.0; 4], 1e-14);
    // A batch of run-time size; and no more labels than logits.
    let batch: Tensor<(Batch, D<3>), f64> = Tensor::from_vec(logits.to_vec())?;
    let few: Tensor<(Batch,), u32> = Tensor::from_vec(vec![0, 2, 1, 1])?;
    near(&[own_cross_entropy(&batch, &few)?.item()], &[mean], 1e-14);
    let none: Tensor<(Batch, D<3>), f64> = Tensor::from_vec(vec![])?;
    let value = own_cross_entropy(&none, &Tensor::<(Batch,), u32>::from_vec(vec![])?)?;
    assert!(value.item().is_nan(), "the mean of no samples is {value}");
    let few: Tensor<(Batch,), u32> = Tensor::from_vec(vec![0, 2])?;
    let error = own_cross_entropy(&batch, &few).unwrap_err().to_string();
    let expected =
        "leading axes of input `labels` of `own_cross_entropy`: expected [4], as before, found [2]";
    assert_eq!(error, expected);
    Ok(())
}

#[test]
fn jacobians_agree_with_differences() {
    let x: Tensor<(D<2>,), f64> = Tensor::from([0.3, -0.8]);
    let s = Tensor::scalar(1.7_f64);
    let value: Tensor<(D<2>, D<3>), f64> = outer(&x, &s);
    near(&value.as_slice()[..3], &[(0.3_f64 * 1.7).tanh() + 0.3; 3], 1e-14);
    let (jx, js) = outer::jacobian(&x, &s);
    assert_eq!((jx.sizes(), js.sizes()), (vec![2, 3, 2], vec![2, 3]));
    for j in 0..2 {
        let moved = |by: f64| {
            let mut x = x.clone();
            x.as_mut_slice()[j] += by;
            outer(&x, &s)
        };
        let difference = (moved(1e-6) - moved(-1e-6)) / 2e-6;
        let column: Vec<f64> = jx.as_slice().iter().skip(j).step_by(2).copied().collect();
        near(&column, difference.as_slice(), 1e-9);
    }
    let moved = |by: f64| outer(&x, &Tensor::scalar(1.7 + by));
    near(js.as_slice(), ((moved(1e-6) - moved(-1e-6)) / 2e-6).as_slice(), 1e-9);
    let dy: Tensor<(D<2>, D<3>), f64> = Tensor::from_fn(Default::default(), |i| i as f64 - 2.0);
    let (dx, ds) = outer::vjp(&x, &s, &dy);
    let along = |column: &[f64]| column.iter().zip(dy.as_slice()).map(|(a, b)| a * b).sum::<f64>();
    let column = |j: usize| jx.as_slice().iter().skip(j).step_by(2).copied().collect::<Vec<_>>();
    near(dx.as_slice(), &[along(&column(0)), along(&column(1))], 1e-13);
    near(ds.as_slice(), &[along(js.as_slice())], 1e-13);
}

#[test]
fn outputs_of_other_sizes() {
    let x = tensor!([2.0, 3.0]);
    assert_eq!(same(&x), x);
    assert_eq!(same::vjp(&x, &x), x);
    assert_eq!(same::jacobian(&x), Tensor::eye(D::<2>));
    let doubled: Tensor<(Len,)> = twice(&x);
    assert_eq!(doubled.as_slice(), [2.0, 3.0, 4.0, 9.0]);
    let jacobian: Tensor<(Len, D<2>)> = twice::jacobian(&x);
    assert_eq!(jacobian.as_slice(), [1.0, 0.0, 0.0, 1.0, 4.0, 0.0, 0.0, 6.0]);
    let dy: Tensor<(Len,)> = (0..4).map(|_| 1.0).collect();
    assert_eq!(twice::vjp(&x, &dy), tensor!([5.0, 7.0]));
}

#[test]
fn a_function_is_a_loss_by_its_name() -> netform::Result<()> {
    let data = InMemory::<(D<4>,), (D<3>,), f32, f32>::new(vec![0.5; 8], vec![1.0; 6])?;
    let mut losses = vec![];
    for named in [true, false] {
        let mut net = Three::new(Seed(1));
        let history = match named {
            true => {
                Trainer::new(distance, Adam::new(1e-2)).epochs(3).batch(2).fit(&mut net, &data)?
            }
            false => Trainer::new(distance {}, Adam::new(1e-2))
                .epochs(3)
                .batch(2)
                .fit(&mut net, &data)?,
        };
        losses.push(history.epochs.last().map(|epoch| epoch.train_loss));
    }
    assert_eq!(losses[0], losses[1]);
    let outputs = Tensor::<(Batch, D<3>)>::from_vec(vec![1.0, 2.0, 4.0])?;
    let targets = Tensor::<(Batch, D<3>)>::from_vec(vec![1.0, 1.0, 1.0])?;
    let mut loss = LossGradient::new(distance);
    assert_eq!(loss.run(&outputs, &targets)?.0, 4.0);
    assert_eq!(distance(&tensor!([1.0, 2.0, 4.0]), &tensor!([1.0, 1.0, 1.0])).item(), 4.0);
    Ok(())
}

/// Gradient descent on (x0 - 3)^2 + (x1 + 2)^2 by hand.
#[test]
fn descent_into_a_bowl() {
    let mut x = tensor!([0.0, 0.0]);
    for step in 1..=15 {
        x = &x - bowl::gradient(&x) * 0.1;
        if step == 1 {
            near(&x.cast::<f64>().to_vec(), &[0.6, -0.4], 1e-7);
        }
    }
    near(&x.cast::<f64>().to_vec(), &[2.894447, -1.929631], 1e-6);
}

/// Gradients are tensors: they add up until a new sum begins.
#[test]
fn gradients_accumulate() {
    let [a, b] = [[3.0, 5.0, 8.0], [4.0, 12.0, 15.0]].map(Tensor::<(D<3>,), f64>::from);
    let roots = [5.0, 13.0, 17.0];
    near(&[mean_distance(&a, &b).item()], &[35.0 / 3.0], 1e-15);
    let (mut da, mut db) = mean_distance::gradient(&a, &b);
    for passes in 1..=3 {
        for (sum, x) in [(&da, &a), (&db, &b)] {
            let each =
                x.as_slice().iter().zip(roots).map(|(x, r)| f64::from(passes) * x / (3.0 * r));
            near(sum.as_slice(), &each.collect::<Vec<_>>(), 1e-15);
        }
        let (more_a, more_b) = mean_distance::gradient(&a, &b);
        (da, db) = (da + more_a, db + more_b);
    }
}

/// Linear regression by hand: batches of four in the file's order, rate 0.1, ten epochs.
#[test]
fn a_line_through_points() {
    let text = include_str!("data/linear-regression.csv");
    let points: Vec<[f32; 2]> = text
        .lines()
        .filter_map(|line| {
            let (x, y) = line.split_once(',')?;
            Some([x.trim().parse().ok()?, y.trim().parse().ok()?])
        })
        .collect();
    let (mut w, mut b) = (Tensor::scalar(100.0_f32), Tensor::scalar(0.0_f32));
    let mut last = vec![];
    for _ in 0..10 {
        let mut loss = Tensor::scalar(0.0);
        for batch in points.chunks_exact(4) {
            let x: Tensor<(D<4>,)> = Tensor::from_fn(Default::default(), |i| batch[i][0]);
            let y: Tensor<(D<4>,)> = Tensor::from_fn(Default::default(), |i| batch[i][1]);
            let (value, (dw, db, ..)) = line_error::value_and_gradient(&w, &b, &x, &y);
            (w, b, loss) = (w - dw * 0.1, b - db * 0.1, value);
        }
        last.push(f64::from(loss.item()));
    }
    let expected =
        [94.5247, 9.3428, 1.4166, 0.5224, 0.3807, 0.3495, 0.3413, 0.3390, 0.3384, 0.3382];
    for (found, expected) in last.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-4, "{last:?}");
    }
    near(&[w.item().into(), b.item().into()], &[1.8616779, 1.0710956], 2e-6);
}
