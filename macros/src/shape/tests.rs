//! Sizes as polynomials: what is equal, what cancels.

use super::*;

fn param(name: &str) -> Dim {
    Dim::atom(Atom::Param(name.to_owned()))
}

#[test]
fn products_commute_and_cancel() {
    let (h, w) = (param("H"), param("W"));
    assert!(h.mul(&w) == w.mul(&h));
    assert!(h.add(&w).sub(&w) == h);
    assert!(
        h.mul(&w).mul(&Dim::literal(6)).div(&h.mul(&Dim::literal(2)))
            == Some(w.mul(&Dim::literal(3)))
    );
    assert!(h.div(&w).is_none());
    assert_eq!(h.mul(&Dim::literal(3)).add(&Dim::one()).to_string(), "3 * H + 1");
}

#[test]
fn sizes_are_shown_as_they_are_written() {
    let (t, d, h) = (param("T"), param("D"), param("H"));
    let quotient = |over: &Dim, by: &Dim| {
        Dim::atom(Atom::Quotient(Box::new(Quotient { over: over.clone(), by: by.clone() })))
    };
    let n = Dim::literal;
    for (dim, text) in [
        (t.sub(&n(2)), "T - 2"),
        (n(1).sub(&t), "1 - T"),
        (t.mul(&n(2)).sub(&d), "2 * T - D"),
        (quotient(&d, &h).mul(&n(3)), "3 * D / H"),
        (quotient(&d.add(&n(1)), &h.mul(&n(2))), "(D + 1) / (2 * H)"),
        (Dim::window(&t, &n(3), &n(2), &n(1), &n(1)), "(floor((T - 1) / 2) + 1)"),
    ] {
        assert_eq!(dim.to_string(), text);
    }
}

#[test]
fn quotients_meet_their_divisors() {
    let (d, h, t) = (param("D"), param("H"), param("T"));
    let over = |over: &Dim, by: &Dim| {
        Dim::atom(Atom::Quotient(Box::new(Quotient { over: over.clone(), by: by.clone() })))
    };
    let q = over(&d, &h);
    assert!(h.mul(&q) == d);
    assert!(t.mul(&q).mul(&h).mul(&Dim::literal(3)) == t.mul(&d).mul(&Dim::literal(3)));
    let more = h.add(&Dim::one());
    assert!(over(&d, &more).mul(&more) == d);
    let double = h.mul(&Dim::literal(2));
    assert!(over(&d, &double).mul(&double) == d);
    assert!(over(&d, &double).mul(&h) != d);
    let three = d.mul(&Dim::literal(3));
    assert!(over(&three, &h).differs(&q.mul(&Dim::literal(3))).is_zero());
    assert!(over(&three, &h).differs(&q).as_literal().is_none());
    assert!(q.mul(&h).sub(&d).is_zero());
}

#[test]
fn windows() {
    let n = |n: i128| Dim::literal(n);
    assert!(Dim::window(&n(28), &n(5), &n(1), &n(2), &n(1)) == n(28));
    assert!(Dim::window(&n(4), &n(5), &n(1), &n(0), &n(1)) == n(0));
    assert!(Dim::window(&n(9), &n(3), &n(2), &n(1), &n(2)) == n(4));
    assert!(Dim::window(&param("H"), &n(5), &n(1), &n(0), &n(1)).as_literal().is_none());
}

#[test]
fn a_quotient_times_its_divisor_is_whole() {
    let (d, h, t) = (param("D"), param("H"), param("T"));
    let quotient = |over: &Dim, by: &Dim| {
        Dim::atom(Atom::Quotient(Box::new(Quotient { over: over.clone(), by: by.clone() })))
    };
    let each = quotient(&d, &h);
    assert!(numel(&[t.clone(), h.clone(), each.clone()]) == t.mul(&d));
    assert!(each.mul(&each).mul(&h).mul(&h) == d.mul(&d));
    let half = quotient(&d, &Dim::literal(2));
    assert!(half.mul(&Dim::literal(6)) == d.mul(&Dim::literal(3)));
    assert!(half.mul(&Dim::literal(3)).as_term().is_some_and(|(n, _)| n == 3));
}

#[test]
fn only_a_literal_one_broadcasts() {
    let (n, one) = (param("N"), Dim::one());
    assert!(
        broadcast(&[Dim::batch(), n.clone()], std::slice::from_ref(&n))
            == Some(vec![Dim::batch(), n.clone()])
    );
    assert!(broadcast(&[one], std::slice::from_ref(&n)) == Some(vec![n.clone()]));
    assert!(broadcast(&[Dim::literal(3)], &[n]).is_none());
}

#[test]
fn a_size_is_within_one_that_has_more_factors() {
    let (d, t, two) = (param("D"), param("T"), Dim::literal(2));
    let product = t.mul(&d);
    for (part, whole, is) in [
        (&t, &product, true),
        (&product, &product, true),
        (&product, &t, false),
        (&product.mul(&two), &product, false),
        (&product, &product.mul(&two), true),
        (&d.mul(&d), &product, false),
        (&d.add(&t), &product, false),
        (&d.add(&Dim::one()), &product.add(&d), true),
        (&d, &product.sub(&d), false),
        (&two, &product, false),
    ] {
        assert_eq!(part.is_within(whole), is, "{part} within {whole}");
    }
}

#[test]
fn lengths_never_wrap() {
    let (t, n) = (param("T"), Dim::literal(3));
    let samples = Dim::batch().mul(&t).add(&n);
    assert_eq!(samples.code(), "3 + b * __size_T");
    let written = samples.length().to_string().replace(' ', "");
    assert_eq!(written, "usize::saturating_add(3,usize::saturating_mul(b,__size_T))");
    assert_eq!(t.mul(&t).code(), "usize::saturating_mul(__size_T, __size_T)");
}
