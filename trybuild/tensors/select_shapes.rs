use netform::prelude::*;

fn main() {
    let _ = tensor!([1.0, 0.0]).select(&tensor!([1.0, 2.0, 3.0]), &tensor!([1.0, 2.0]));
}
