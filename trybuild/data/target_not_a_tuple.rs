//! The shape of targets is a size alone.
//! Fix: `InMemory::<(D<2>,), (D<1>,), f32, f32>`.

use netform::prelude::*;

fn main() -> netform::Result<()> {
    let line = InMemory::<(D<2>,), D<1>, f32, f32>::new(vec![1.0, 2.0], vec![3.0])?;
    drop(line);
    Ok(())
}
