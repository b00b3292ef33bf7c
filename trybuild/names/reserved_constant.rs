use netform::prelude::*;

network! {
    pub Net: [4] -> [3] { PLAN: Linear(3) }
}

fn main() {
    println!("{}", Net::PLAN);
}
