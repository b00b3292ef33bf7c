//! Every kernel on Vulkan against the CPU, on sizes that are multiples of nothing.

mod common;

use common::{close, input, numbers, view, vulkan, work};
use netform_core::device::{Arg, Fold, Grid, IndexDims, Kernels, Memory, Pool2dDims, Slot, Span};
use netform_core::error::Error;
use netform_gpu::Vulkan;

#[test]
fn memory() {
    let Some(vulkan) = vulkan("memory") else { return };
    check_memory(&vulkan);
    // As on a card whose memory the processor does not see.
    let staged = Vulkan::with_staging().unwrap();
    check_memory(&staged);
    let data = numbers(5_000_000, 1);
    let mut buffer = staged.zeros::<f32>(data.len() + 3).unwrap();
    staged.write(&mut buffer, 3, &data).unwrap();
    let mut found = vec![0.0; data.len()];
    staged.read(&buffer, 3, &mut found).unwrap();
    assert!(found == data);
    let (found, expected) = on_both!(staged, 1000, vec![&data], &[], |k| {
        let ins = [view(input(0, data.len()), [0, 0, 0, 3])];
        k.map([work(0, 1000)], [1, 1, 1, 1000], ins, [2.0], |[a], [c]| [a * c], &["a0 * c0"]);
    });
    assert_eq!(found.unwrap(), expected.unwrap());
}

fn check_memory(vulkan: &Vulkan) {
    let mut buffer = vulkan.zeros::<f32>(5).unwrap();
    assert_eq!(vulkan.len(&buffer), 5);
    let mut all = [1.0; 5];
    vulkan.read(&buffer, 0, &mut all).unwrap();
    assert_eq!(all, [0.0; 5]);
    vulkan.write(&mut buffer, 2, &[1.0, 2.0]).unwrap();
    vulkan.read(&buffer, 0, &mut all).unwrap();
    assert_eq!(all, [0.0, 0.0, 1.0, 2.0, 0.0]);
    for offset in [4, 6, usize::MAX] {
        assert!(matches!(vulkan.read(&buffer, offset, &mut [0.0; 2]), Err(Error::Size { .. })));
        assert!(matches!(vulkan.write(&mut buffer, offset, &[0.0; 2]), Err(Error::Size { .. })));
    }
    let mut wide = vulkan.zeros::<f64>(3).unwrap();
    vulkan.write(&mut wide, 1, &[0.1_f64]).unwrap();
    let mut found = [0.0; 3];
    vulkan.read(&wide, 0, &mut found).unwrap();
    assert_eq!(found, [0.0, 0.1, 0.0]);
    for len in [usize::MAX, usize::MAX / 4, usize::MAX / 16] {
        assert!(matches!(vulkan.zeros::<f32>(len), Err(Error::OutOfMemory { .. })));
    }
    assert_eq!(vulkan.len(&vulkan.zeros::<u32>(0).unwrap()), 0);
}

#[test]
fn a_name_that_no_device_has() {
    let Some(_) = vulkan("a_name_that_no_device_has") else { return };
    let message = Vulkan::named("no such card").unwrap_err().to_string();
    assert!(message.contains("`no such card`") && message.contains("0: `"), "{message}");
    let all = netform_gpu::devices().unwrap();
    assert!(all.iter().all(|device| device.buffer_bytes >= 1 << 27 && !device.name.is_empty()));
    assert_eq!(Vulkan::named("0").unwrap().info().name, all[0].name);
}

#[test]
fn maps() {
    let Some(vulkan) = vulkan("maps") else { return };
    for grid in [[1, 1, 1, 1], [1, 1, 3, 7], [2, 3, 5, 7], [1, 1, 300, 1000], [1, 0, 3, 2]] {
        let [a, b, c, d] = grid;
        let total = a * b * c * d;
        let (x, bias, turned) = (numbers(total, 1), numbers(d, 2), numbers(total, 3));
        let labels: Vec<u32> = (0..c as u32).map(|i| i * 3 + 1).collect();
        let (found, expected) =
            on_both!(vulkan, 2 * total + 3, vec![&x, &bias, &turned], &labels, |k| {
                let ins = [
                    view(input(0, total), [b * c * d, c * d, d, 1]),
                    view(input(1, d), [0, 0, 0, 1]),
                    view(input(2, total), [b * c * d, c * d, 1, c]),
                    view(Span::new(Slot::Index(0), 0, c), [0, 0, 1, 0]),
                    Arg::Coordinate { strides: [0, 0, 2, 5] },
                ];
                let outs = [work(3, total), work(3 + total, total)];
                k.map(
                    outs,
                    grid,
                    ins,
                    [0.5, -2.0],
                    |[a, b, c, d, e], [p, q]| {
                        let t = a * b + p * c;
                        [t + d, q * t - e]
                    },
                    &["let t0 = a0 * a1 + c0 * a2;", "t0 + a3", "c1 * t0 - a4"],
                );
            });
        close(&found.unwrap(), &expected.unwrap(), 1.0, 1e-6, &format!("map {grid:?}"));
    }
}

#[test]
fn maps_in_place() {
    let Some(vulkan) = vulkan("maps_in_place") else { return };
    let x = numbers(1000, 1);
    let (found, expected) = on_both!(vulkan, 1000, vec![&x], &[], |k| {
        let flat = [0, 0, 0, 1];
        k.map(
            [work(0, 1000)],
            [1, 1, 1, 1000],
            [view(input(0, 1000), flat)],
            [],
            |[a], []| [a],
            &["a0"],
        );
        for _ in 0..5 {
            let it = work(0, 1000);
            k.map(
                [it],
                [1, 1, 1, 1000],
                [view(it, flat)],
                [],
                |[a], []| [a * a - 0.5],
                &["a0 * a0 - 0.5"],
            );
        }
    });
    close(&found.unwrap(), &expected.unwrap(), 1.0, 1e-5, "in place");
}

#[test]
fn random_numbers_are_the_cpus() {
    let Some(vulkan) = vulkan("random_numbers_are_the_cpus") else { return };
    let (found, expected) = on_both!(vulkan, 7 * 123, vec![], &[], |k| {
        let uniform = Arg::Uniform { stream: 0xDEAD_BEEF, per_sample: 123 };
        k.map([work(0, 7 * 123)], [1, 1, 7, 123], [uniform], [], |[a], []| [a], &["a0"]);
    });
    assert_eq!(found.unwrap(), expected.unwrap());
}

#[test]
fn fills_and_copies() {
    let Some(vulkan) = vulkan("fills_and_copies") else { return };
    let x = numbers(2 * 3 * 5 * 7, 1);
    let (found, expected) = on_both!(vulkan, 500, vec![&x], &[], |k| {
        k.fill(work(3, 490), -0.25);
        k.fill(work(0, 1), f32::NEG_INFINITY);
        // Axes in another order, one of them backwards.
        let strides = [105, 35, 7, 1];
        k.copy(work(10, 220), 6, [105, 7, 21, -1], [2, 3, 5, 7], view(input(0, 210), strides));
        k.copy(work(250, 100), 1, [0, 0, 10, 2], [1, 1, 4, 5], view(input(0, 210), [0, 0, 1, 7]));
    });
    assert_eq!(found.unwrap(), expected.unwrap());
}

#[test]
fn reductions() {
    let Some(vulkan) = vulkan("reductions") else { return };
    let cases: [(Grid, [bool; 4]); 8] = [
        ([1, 1, 1, 1000], [true; 4]),
        ([1, 1, 13, 120], [false, false, true, false]),
        ([1, 1, 130, 12], [false, false, false, true]),
        ([2, 3, 5, 70], [true, false, true, false]),
        ([3, 2, 50, 7], [false, true, false, true]),
        ([1, 1, 40, 500], [false, false, true, false]),
        ([1, 1, 20, 1000], [false, false, true, false]),
        ([1, 1, 3, 0], [false, false, false, true]),
    ];
    for (grid, reduced) in cases {
        let [a, b, c, d] = grid;
        let total = a * b * c * d;
        let out: usize = (0..4).filter(|i| !reduced[*i]).map(|i| grid[i]).product();
        let (x, y) = (numbers(total, 1), numbers(total, 2));
        for fold in [Fold::Sum, Fold::Max] {
            let (found, expected) = on_both!(vulkan, out, vec![&x, &y], &[], |k| {
                let dense = [b * c * d, c * d, d, 1];
                let ins = [view(input(0, total), dense), view(input(1, total), dense)];
                k.reduce(
                    work(0, out),
                    fold,
                    grid,
                    reduced,
                    ins,
                    [3.0],
                    |[a, b], [c]| a * b + c * a,
                    &["a0 * a1 + c0 * a0"],
                );
            });
            let scale = (total as f32 / out as f32).sqrt().max(1.0);
            close(
                &found.unwrap(),
                &expected.unwrap(),
                scale,
                2e-6,
                &format!("{fold:?} {grid:?} {reduced:?}"),
            );
        }
    }
}

#[test]
fn a_maximum_of_what_is_not_a_number_is_none() {
    let Some(vulkan) = vulkan("a_maximum_of_what_is_not_a_number_is_none") else { return };
    let mut x = numbers(300, 1);
    (x[7], x[250]) = (f32::NAN, f32::INFINITY);
    let (found, expected) = on_both!(vulkan, 3, vec![&x], &[], |k| {
        let ins = [view(input(0, 300), [0, 0, 100, 1])];
        k.reduce(
            work(0, 3),
            Fold::Max,
            [1, 1, 3, 100],
            [false, false, false, true],
            ins,
            [],
            |[a], []| a,
            &["a0"],
        );
    });
    let (found, expected) = (found.unwrap(), expected.unwrap());
    assert!(found[0].is_nan() && found[2] == f32::INFINITY, "{found:?}");
    close(&found, &expected, 1.0, 0.0, "max");
}

#[test]
fn pools() {
    let Some(vulkan) = vulkan("pools") else { return };
    for (kernel, stride, padding) in [
        ([2, 2], [2, 2], [0, 0]),
        ([3, 3], [2, 2], [1, 1]),
        ([3, 2], [1, 2], [1, 0]),
        ([2, 3], [3, 4], [0, 1]),
    ] {
        let d = Pool2dDims { planes: 5, height: 9, width: 8, kernel, stride, padding };
        let [oh, ow] = d.out_size();
        let (xs, ys) = (5 * 72, 5 * oh * ow);
        // Few values, so that windows have several maxima.
        let mut x: Vec<f32> = numbers(xs, 1).iter().map(|x| (x * 3.0).round()).collect();
        x[40] = f32::NAN;
        let (dy, g) = (numbers(ys, 2), numbers(xs, 3));
        let (found, expected) = on_both!(vulkan, 3 * ys + 2 * xs, vec![&x, &dy, &g], &[], |k| {
            let (x, dy, g) = (input(0, xs), input(1, ys), input(2, xs));
            k.max_pool2d(work(0, ys), x, d);
            k.max_pool2d_scatter(work(ys, xs), x, dy, d);
            k.max_pool2d_gather(work(ys + xs, ys), x, g, d);
            k.avg_pool2d(work(2 * ys + xs, ys), g, d);
            k.avg_pool2d_spread(work(3 * ys + xs, xs), dy, d);
        });
        close(&found.unwrap(), &expected.unwrap(), 1.0, 1e-6, &format!("{d:?}"));
    }
}

#[test]
fn indices() {
    let Some(vulkan) = vulkan("indices") else { return };
    let (rows, cols, picks) = (13, 7, 5);
    let x = numbers(rows * cols, 1);
    let dy = numbers(rows * picks * 4, 2);
    let labels: Vec<u32> = (0..rows * picks).map(|i| (i * 5 % cols) as u32).collect();
    let floats: Vec<f32> = labels.iter().map(|&i| i as f32).collect();
    let dims = IndexDims { rows, cols, picks };
    let integers = Span::new(Slot::Index(0), 0, labels.len());
    for index in [integers, input(2, labels.len())] {
        let (found, expected) = on_both!(vulkan, 1000, vec![&x, &dy, &floats], &labels, |k| {
            k.fill(work(0, 1000), 0.0);
            k.gather(work(0, rows), input(0, x.len()), index, rows, cols);
            k.gather_along(work(20, rows * picks), input(0, x.len()), index, dims);
            k.scatter_along(work(100, rows * cols), input(1, rows * picks), index, dims);
            k.embedding(
                work(300, 20 * cols),
                input(0, x.len()),
                index,
                IndexDims { picks: 20, ..dims },
            );
            k.embedding_add(
                work(500, rows * cols),
                input(1, 20 * cols),
                index,
                IndexDims { picks: 20, ..dims },
            );
        });
        close(&found.unwrap(), &expected.unwrap(), 1.0, 1e-6, "indices");
    }
}

#[test]
fn wrong_indices_are_said() {
    let Some(vulkan) = vulkan("wrong_indices_are_said") else { return };
    let x = numbers(12, 1);
    let (found, expected) = on_both!(vulkan, 10, vec![&x], &[1, 0, 9, 4], |k| {
        k.gather(work(0, 4), input(0, 12), Span::new(Slot::Index(0), 0, 4), 4, 3);
    });
    let (found, expected) = (found.unwrap_err().to_string(), expected.unwrap_err().to_string());
    assert_eq!(found, expected);
    let (found, expected) = on_both!(vulkan, 10, vec![&x, &[1.0, 0.5]], &[], |k| {
        k.embedding(
            work(0, 6),
            input(0, 12),
            input(1, 2),
            IndexDims { rows: 4, cols: 3, picks: 2 },
        );
    });
    assert_eq!(found.unwrap_err().to_string(), expected.unwrap_err().to_string());
}

#[test]
fn running_sums() {
    let Some(vulkan) = vulkan("running_sums") else { return };
    let x = numbers(3 * 50 * 7, 1);
    let len = x.len();
    let (found, expected) = on_both!(vulkan, 2 * len, vec![&x], &[], |k| {
        k.cumsum(work(0, len), input(0, len), [3, 50, 7], false);
        k.cumsum(work(len, len), input(0, len), [3, 50, 7], true);
    });
    close(&found.unwrap(), &expected.unwrap(), 1.0, 3e-6, "cumsum");
}

#[test]
fn a_mistaken_span_is_an_error() {
    use netform_core::device::{Bindings, Device, Run};
    let Some(vulkan) = vulkan("a_mistaken_span_is_an_error") else { return };
    let mut run = vulkan.run(Bindings::default());
    run.fill(work(0, 4), 1.0);
    let message = run.finish().unwrap_err().to_string();
    assert!(message.contains("nothing is bound"), "{message}");
}
