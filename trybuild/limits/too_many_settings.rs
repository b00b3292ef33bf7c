//! A network has nine settings.
//! Fix: Const items for some of them.

use netform::prelude::*;

network! {
    pub Many(a: f32, b: f32, c: f32, d: f32, e: f32, f: f32, g: f32, h: f32, i: f32): (x: [4]) -> [4] {
        (a + b + c + d + e + f + g + h + i) * x
    }
}

fn main() {
    println!("{:?}", Many::new(Seed(1), 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0));
}
