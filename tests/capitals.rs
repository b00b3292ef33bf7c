//! Networks, layers and values whose names are all capitals, as those of constants are.

use netform::prelude::*;

/// A constant of the same crate, which stays one.
const WIDTH: usize = 3;
const SCALE: f32 = 0.5;

pub mod models {
    //! Networks of another module.
    use netform::prelude::*;

    network! {
        /// Doubled.
        pub GAIN(gain: f32): (x: [3]) -> [3] { gain * x }

        /// Any size.
        pub CNN<N>: (x: [N]) -> [N] { x + 1.0 }
    }
}

use models::{CNN, GAIN};

network! {
    /// A chain.
    pub MLP: [3] -> [3] { fc: Linear(WIDTH, init = Ones, bias = false) }

    /// Another, declared after its use as well as before.
    pub Uses: (x: [3], y: [3]) -> [3] {
        let enc = MLP;
        let sized = CNN<WIDTH>;
        let any = MLP -> [3];
        let gain = GAIN(gain = 2.0);
        let far = models::GAIN(gain = SCALE);
        let many = [MLP; 2];
        let small = y < x;
        let W = SCALE * x;
        let F = Linear(WIDTH, init = Ones, bias = false);
        for i in 0..2 { x = many[i](x) }
        far(gain(any(sized(enc(x))))) + MLP2(y) * 0.0 + W * 0.0 + F(y) * small
    }

    /// Another with a number in its name.
    pub fn MLP2(x: [3]) -> [3] { x * x }
}

#[test]
fn a_network_in_capitals_is_a_layer_of_expressions() {
    let net = Uses::<f64>::on(Cpu::default(), Seed(1)).unwrap();
    let x = Tensor::from([[1.0, 2.0, 3.0]]);
    let y = Tensor::from([[2.0, 2.0, 2.0]]);
    // Sums of three by `many`, `enc` and `any`: 6, 18, 54, then 55 by `sized`, 165; times 2 and 0.5. Then 6 where y < x.
    let out = net.forward(&x, &y).unwrap();
    assert_eq!(out.to_vec(), [165.0, 165.0, 171.0]);
}
