//! The shape of a table's samples is a size alone.
//! Fix: `InMemory<(D<4>,)>`: a shape is a tuple, also of one axis.

use netform::data::Table;
use netform::prelude::*;

fn main() -> netform::Result<()> {
    let flowers: InMemory<D<4>> =
        Table::read("iris.csv")?.classes("species")?.into_samples()?;
    drop(flowers);
    Ok(())
}
