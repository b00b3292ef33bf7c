use netform::prelude::*;

network! {
    #[derive(Debug)]
    pub Net: [4] -> [3] { Linear(3) }
}

fn main() {
    println!("{:?}", Net::new(Seed(1)));
}
