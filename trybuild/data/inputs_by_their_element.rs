//! A data set is declared by its element first.
//! Fix: `InMemory::<(D<4>,)>`: the shape of an input, the shape of a target, and then their elements.

use netform::prelude::*;

fn main() -> netform::Result<()> {
    let flowers = InMemory::<f32, (D<4>,)>::new(vec![5.1, 3.5, 1.4, 0.2], vec![0])?;
    drop(flowers);
    Ok(())
}
