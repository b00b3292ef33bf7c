//! The README and the pages of the book, whose programs are compiled and run with the documentation's tests.

macro_rules! pages {
    ($($name:ident $path:literal;)*) => { $(
        #[doc = include_str!(concat!("../", $path))]
        struct $name;
    )* };
}

pages! {
    Readme "README.md";
    Introduction "docs/introduction.md";
    Tensors "docs/tensors.md";
    Gradients "docs/gradients.md";
    Networks "docs/networks.md";
    Training "docs/training.md";
    OwnTable "docs/own_table.md";
    NotLearning "docs/not_learning.md";
    Overfitting "docs/overfitting.md";
    Devices "docs/devices.md";
    Inside "docs/inside.md";
    ComingFrom "docs/coming_from.md";
}
