use netform::prelude::*;
use netform::tensor::Axis;

fn main() {
    let _ = tensor!([[1.0, 2.0], [3.0, 4.0]]).permute((Axis::<0>, Axis::<0>));
}
