use netform::prelude::*;

fn main() {
    let _ = Tensor::<_>::ones((Batch(2), D::<3>)).reshape::<(D<2>, D<3>)>();
}
