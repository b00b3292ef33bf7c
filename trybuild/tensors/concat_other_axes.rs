use netform::prelude::*;

fn main() {
    let _ = tensor!([[1.0, 2.0], [3.0, 4.0]]).concat::<0, _>(&tensor!([[1.0, 2.0, 3.0]]));
}
