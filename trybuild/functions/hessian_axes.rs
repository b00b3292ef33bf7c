//! A Hessian would have more axes than tensors can have.
//! Fix: Flatten the input.

use netform::prelude::*;

network! {
    pub fn energy(x: [2, 2, 2, 2]) -> [] {
        sum(square(x))
    }
}

fn main() {
    let x = Tensor::<_>::zeros((D::<2>, D::<2>, D::<2>, D::<2>));
    println!("{}", energy::hessian(&x));
}
