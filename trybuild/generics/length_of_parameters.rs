//! A size of parameters is left to run time.
//! Fix: `D<..>` for sizes of parameters; `Len` for lengths that no parameter has.

use netform::prelude::*;

network! {
    pub Tagger<T, D, H>: (tokens: u32[T]) -> [T, D / H] {
        let emb = Embedding(7, features = D);
        let out = Linear(D / H);
        out(emb(tokens))
    }
}

fn main() {
    let _ = Tagger::<Len, Len, D<2>>::new(Seed(1));
}
