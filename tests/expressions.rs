//! Networks in the expression form, end to end.

use netform::prelude::*;

network! {
    /// Two layers, as an expression.
    pub Mlp: (x: [6]) -> [3] {
        let l0 = Linear(9);
        let l2 = Linear(3);
        l2(relu(l0(x)))
    }

    /// The same as a chain.
    pub Chain: [6] -> [3] {
        l0: Linear(9), Relu,
        l2: Linear(3),
    }

    /// A bare weight.
    pub Bare: (x: [6]) -> [3] {
        let w = Param([6, 3], init = Xavier);
        let b = Param([3], init = Zeros);
        tanh(x @ w + b) * 2.0 - x.sum() / 4
    }
}

#[test]
fn an_expression_computes_what_the_chain_does() {
    let x = Tensor::<(Batch, D<6>)>::from_vec((0..12).map(|i| i as f32 / 10.0).collect()).unwrap();
    let a = Mlp::new(Seed(3));
    let b = Chain::new(Seed(3));
    assert_eq!(a.forward(&x).unwrap().to_vec(), b.forward(&x).unwrap().to_vec());
    assert_eq!(a.l0().weight().unwrap().to_vec(), b.l0().weight().unwrap().to_vec());
    assert_eq!(Bare::new(Seed(1)).forward(&x).unwrap().batch(), 2);
    println!("{}", Bare::PLAN);
}
