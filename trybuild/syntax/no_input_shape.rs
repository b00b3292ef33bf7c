//! A network declares no input.
//! Fix: `pub Mlp: [784]`.

use netform::prelude::*;

network! {
    pub Mlp { Linear(10) }
}

fn main() {}
