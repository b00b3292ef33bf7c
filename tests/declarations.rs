//! What declarations give beside passes: `Debug`, settings that are checked, summaries of shared parts; and that
//! printed code has no warnings of its own, whatever a crate asks for.
#![deny(
    clippy::all,
    clippy::pedantic,
    missing_debug_implementations,
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    warnings
)]

use netform::prelude::*;

network! {
    /// A hidden layer over positions.
    Hidden<T, N>: [T, 3] -> [T, N] { fc: Linear(N) }

    /// Sizes of both kinds.
    User<T>: [T, 3] -> [T, 4] { hidden: Hidden<T, 4>, drop: Dropout(0.5) }

    /// One network for two inputs.
    Twins(rate: f32, scale: f32): (a: [4], b: [4]) -> [2] {
        let part = Part(rate);
        scale * part(a) + part(b) + part(a + b)
    }

    /// What they share.
    Part(p: f32): [4] -> [2] { fc: Linear(2), act: Relu, Dropout(p) }

    /// Dropout in a recurrence.
    Steps(rate: f32): (xs: [3, 2]) -> [2] {
        let cell = Linear(2);
        let (_ys, h) = scan(xs, zeros([2]), |h, x| {
            let y = dropout(tanh(cell(x) + h), rate);
            (y, y)
        });
        h
    }

    /// Dropout by what is kept.
    Kept(keep: f32): (x: [4]) -> [4] { dropout(x, 1 - keep) }

    /// As many inputs as there may be.
    Many(s0: f32, s1: f32, s2: f32, s3: f32, s4: f32, s5: f32, s6: f32, s7: f32):
        (a: [2], b: [2], c: [2], d: [2], e: [2], f: [2], g: [2], h: [2]) -> [2] {
        s0 * a + s1 * b + s2 * c + s3 * d + s4 * e + s5 * f + s6 * g + s7 * h
    }

    /// More inputs than a network may have.
    fn nine(a: [2], b: [2], c: [2], d: [2], e: [2], f: [2], g: [2], h: [2], i: [2]) -> [] {
        sum(a + b + c + d + e + f + g + h + i)
    }

    /// As many as a function of tensors may have.
    fn eight(a: [2], b: [2], c: [2], d: [2], e: [2], f: [2], g: [2], h: [2]) -> [2] {
        a + b + c + d + e + f + g + h
    }

    /// An element of what is normalised, in one kernel with it.
    Picked: (x: [3], class: u32[]) -> [] {
        let scores = Linear(5);
        gather(log_softmax(scores(x)), class)
    }

    /// A loss with a rate.
    fn noisy(y: [2], t: [2], rate: f32) -> [] { sum(square(dropout(y, rate) - t)) }

    /// Letters.
    Letters: u32[2] -> [2, 3] { emb: Embedding(5, features = 3) }

    /// Words of letters.
    Words: (ids: u32[2]) -> [2, 3] { let letters = Letters; letters(ids) }
}

#[test]
fn networks_print_their_name_and_size() {
    let net = User::<Len>::new(Seed(1));
    assert_eq!(format!("{net:?}"), "User { parameters: 16, .. }");
}

/// The text of an error.
fn text<T>(result: netform::Result<T>) -> String {
    result.err().map_or_else(String::new, |error| error.to_string())
}

#[test]
fn rates_of_dropout_are_checked() {
    let device = Cpu::default;
    assert_eq!(
        text(Twins::<f32>::on(device(), Seed(1), 1.5, 2.0)),
        "setting `rate` of network `Twins`: expected a rate of dropout, from 0 to 1, found 1.5"
    );
    assert_eq!(
        text(Twins::<f32>::on(device(), Seed(1), 0.5, f64::NAN)),
        "setting `scale` of network `Twins`: expected a finite number, found NaN"
    );
    let mut net = Twins::new(Seed(1), 1.0, 7.0);
    assert!(text(net.set("rate", -0.1)).contains("a rate of dropout, from 0 to 1, found -0.1"));
    assert_eq!(net.setting("rate").ok(), Some(1.0));
    assert!(net.set("scale", -3.0).is_ok());
    assert!(text(Steps::<f32>::on(device(), Seed(1), f64::NAN)).contains("a rate of dropout"));
    let bytes = net.to_bytes().unwrap_or_default();
    assert!(text(Twins::<f32>::from_bytes(&bytes, device(), 2.0, 1.0)).contains("found 2"));
    assert!(Twins::<f32>::from_bytes(&bytes, device(), 0.0, 1.0).is_ok());
    assert!(text(Kept::<f32>::on(device(), Seed(1), 1.5)).contains("setting `keep`"));
    assert!(Kept::<f32>::on(device(), Seed(1), 0.9).is_ok());
}

#[test]
fn rates_of_losses_are_checked() -> netform::Result<()> {
    network! { Line: [2] -> [2] { fc: Linear(2) } }
    let data = InMemory::<(D<2>,), (D<2>,), f32, f32>::new(vec![1.0; 4], vec![1.0; 4])?;
    let fit = |rate| {
        let mut net = Line::new(Seed(1));
        Trainer::new(noisy { rate }, Sgd::new(0.1)).epochs(1).batch(2).fit(&mut net, &data)
    };
    assert!(fit(0.5).is_ok());
    let error = text(fit(1.5));
    assert_eq!(error, "`rate` of loss `noisy` is 1.5; it must be a rate of dropout, from 0 to 1");
    Ok(())
}

#[test]
fn functions_draw_the_same_numbers_at_every_call() {
    network! {
        fn dropped(x: [64]) -> [64] { dropout(x, 0.5) }
        fn drawn(x: [64]) -> [64] { x + normal([64]) }
    }
    let x = Tensor::<(D<64>,)>::ones((D,));
    let kept = dropped(&x).to_vec();
    assert!(kept.contains(&0.0) && kept.contains(&2.0), "{kept:?}");
    assert_eq!(kept, dropped(&x).to_vec());
    assert_ne!(drawn(&x).to_vec(), x.to_vec());
    assert_eq!(drawn(&x).to_vec(), drawn(&x).to_vec());
}

#[test]
fn shared_parts_are_listed_once() {
    let table = Twins::new(Seed(1), 0.5, 1.0).summary().to_string();
    for once in ["part.fc ", "part.act ", "Dropout(p)", "Part(rate), used 3 times"] {
        assert_eq!(table.matches(once).count(), 1, "`{once}` in\n{table}");
    }
}

#[test]
fn limits_can_be_reached() -> netform::Result<()> {
    let x = tensor!([1.0, 2.0]);
    let y = eight(&x, &x, &x, &x, &x, &x, &x, &x);
    assert_eq!(y.to_vec(), [8.0, 16.0]);
    let x = Tensor::<(Batch, D<2>)>::from_vec(vec![1.0, 2.0])?;
    let net = Many::new(Seed(1), 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 2.0);
    assert_eq!(net.forward(&x, &x, &x, &x, &x, &x, &x, &x)?.to_vec(), [9.0, 18.0]);
    assert!(nine::PLAN.contains("nine"));
    Ok(())
}

#[test]
fn an_index_out_of_range_is_told_as_what_it_is() -> netform::Result<()> {
    let ids = Tensor::<(Batch, D<2>), u32>::from_vec(vec![1, 9])?;
    let error = text(Words::new(Seed(1)).forward(&ids));
    let said = "look-up 1 in `letters.emb`, of input `ids`: index 9 is out of range: there are 5 rows of the table, from 0 to 4";
    assert!(error.contains(said), "{error}");
    // Also where a kernel computes whole rows beside it.
    let x = Tensor::<(Batch, D<3>)>::ones((Batch(2), D));
    let classes = Tensor::<(Batch,), u32>::from_vec(vec![4, 5])?;
    let error = text(Picked::new(Seed(1)).forward(&x, &classes));
    assert!(Picked::PLAN.contains(" at class"), "{}", Picked::PLAN);
    assert!(
        error.contains("row 1, of input `class`: index 5 is out of range: there are 5 "),
        "{error}"
    );
    Ok(())
}
