//! A function that takes a class label is given a float.
//! Fix: A tensor of `u32`.

use netform::prelude::*;

network! {
    pub fn surprise<C>(logits: [C], label: u32[]) -> [] {
        ln(sum(exp(logits))) - gather(logits, label)
    }
}

fn main() -> netform::Result<()> {
    let (logits, label) = (tensor!([0.5, 1.5]), Tensor::<_>::scalar(1.0));
    println!("{}", surprise(&logits, &label)?);
    Ok(())
}
