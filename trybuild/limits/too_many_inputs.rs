//! A network has nine inputs.
//! Fix: Stack some of them.

use netform::prelude::*;

network! {
    pub Sum: (a: [4], b: [4], c: [4], d: [4], e: [4], f: [4], g: [4], h: [4], i: [4]) -> [4] {
        a + b + c + d + e + f + g + h + i
    }
}

fn main() {
    println!("{:?}", Sum::new(Seed(1)));
}
