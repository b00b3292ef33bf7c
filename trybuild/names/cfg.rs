use netform::prelude::*;

network! {
    #[cfg(not(test))]
    pub Net: [4] -> [3] { Linear(3) }
}

fn main() {
    println!("{:?}", Net::new(Seed(1)));
}
