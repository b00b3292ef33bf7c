//! A function has its module in front, as in Python.
//! Fix: `relu(fc(x))`.

use netform::prelude::*;

network! {
    pub Net: (x: [8]) -> [4] {
        let fc = Linear(4);
        F.relu(fc(x))
    }
}

fn main() {}
