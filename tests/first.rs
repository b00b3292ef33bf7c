//! scratch
use netform::prelude::*;

network! {
    /// A LeNet-style classifier of 28x28 digits.
    pub Digits: [1, 28, 28] -> [10] {
        conv1: Conv2d(6, kernel = 5, padding = 2), Relu, MaxPool2d(2),
        conv2: Conv2d(16, kernel = 5), Relu, MaxPool2d(2),
        Flatten,
        fc1: Linear(120), Relu, Dropout(0.25),
        fc2: Linear(10),
    }
}

#[test]
fn plan() {
    println!("{}", Digits::PLAN);
    let net = Digits::new(Seed(42));
    let x = Tensor::<(Batch, D<1>, D<28>, D<28>)>::from_vec(vec![0.5; 2 * 784]).unwrap();
    let logits: Tensor<(Batch, D<10>)> = net.forward(&x).unwrap();
    println!("{logits:?}");
    println!("{}", net.summary());
}
