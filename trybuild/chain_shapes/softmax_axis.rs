//! `Softmax` goes along an axis that a vector has not.
//! Fix: `Softmax(axis = 0)`, or `Softmax`, which takes the last axis.

use netform::prelude::*;

network! {
    pub Digits: [784] {
        fc1: Linear(10), Softmax(axis = 1),
    }
}

fn main() {}
