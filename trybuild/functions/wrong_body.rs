//! The two inputs of a function do not broadcast.
//! Fix: Declare them with one shape.

use netform::prelude::*;

network! {
    pub fn distance(y: [3], t: [4]) -> [] {
        sum(abs(y - t))
    }
    pub Mlp: [784] -> [3] { fc1: Linear(3) }
}

fn main() -> netform::Result<()> {
    let (y, t) = (tensor!([1.0, 2.0, 3.0]), tensor!([1.0, 2.0, 3.0, 4.0]));
    let (value, (dy, dt)) = distance::value_and_gradient(&y, &t);
    println!("{} {value} {dy} {dt} {:?}", distance(&y, &t).item(), distance::hessian(&y, &t));
    let mut net = Mlp::new(Seed(1));
    let train = InMemory::<(D<784>,), (D<3>,), f32, f32>::new(vec![0.0; 784], vec![0.0; 3])?;
    Trainer::new(distance, Adam::new(1e-3)).fit(&mut net, &train)?;
    Ok(())
}
