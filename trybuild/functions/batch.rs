use netform::prelude::*;

network! {
    pub fn norm(x: [3]) -> [] {
        sqrt(sum(square(x)))
    }
}

fn main() {
    let x = Tensor::<_>::zeros((Batch(4), D::<3>));
    println!("{}", norm(&x));
}
