//! A metric is the function that makes it.
//! Fix: `Mae::new()`.

use netform::metric::Mae;
use netform::prelude::*;

fn main() -> netform::Result<()> {
    let _ = Trainer::new(Mse, Adam::new(1e-2)).metric("mae", Mae::new);
    Ok(())
}
