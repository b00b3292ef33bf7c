use netform::prelude::*;

network! {
    pub Pair: (x: [3], y: [2]) -> [4] {
        let a = Linear(4);
        let b = Linear(4);
        a(x) + b(y)
    }
}

fn main() -> netform::Result<()> {
    let net = Pair::new(Seed(1));
    let x = Tensor::<(Batch, D<3>)>::from_vec(vec![0.0; 6])?;
    net.forward(&x, &x)?;
    Ok(())
}
