//! Names that other frameworks have for layers and functions, and ours: for "did you mean".

/// Layers of PyTorch, Keras and Flax, and how they are written here. Names in other case need no line: they are near.
///
/// A name that is here cannot be that of a network in another declaration: only what nobody gives their own is.
const LAYERS: &[(&str, &str)] = &[
    ("Dense", "Linear"),
    ("FullyConnected", "Linear"),
    ("Conv", "Conv2d"),
    ("Convolution1D", "Conv1d"),
    ("Convolution2D", "Conv2d"),
    ("ConvTranspose", "ConvTranspose2d"),
    ("Conv2DTranspose", "ConvTranspose2d"),
    ("MaxPool", "MaxPool2d"),
    ("MaxPooling2D", "MaxPool2d"),
    ("AveragePooling2D", "AvgPool2d"),
    ("GlobalAveragePooling2D", "AdaptiveAvgPool2d(1)"),
    ("BatchNormalization", "BatchNorm2d"),
    ("LayerNormalization", "LayerNorm"),
    ("GroupNormalization", "GroupNorm"),
    ("RMSNormalization", "RmsNorm"),
    ("UpSampling2D", "Upsample"),
    ("SimpleRNN", "Rnn"),
    ("Swish", "Silu"),
];

/// Layers that netform has not, with what there is instead. They may be networks of the user's own, so that this is said
/// only of those that can be none.
const LACKING: &[(&str, &str)] = &[
    ("PReLU", "there is `LeakyRelu`, whose slope is not learned"),
    ("Conv3d", "there are `Conv1d` and `Conv2d`"),
    ("Conv3D", "there are `Conv1d` and `Conv2d`"),
    ("MaxPool1d", "there is `MaxPool2d`, of [channels, height, width]"),
    ("MaxPooling1D", "there is `MaxPool2d`, of [channels, height, width]"),
    ("AvgPool1d", "there is `AvgPool2d`, of [channels, height, width]"),
    ("AveragePooling1D", "there is `AvgPool2d`, of [channels, height, width]"),
    ("MaxPool3d", "there is `MaxPool2d`, of [channels, height, width]"),
    ("AvgPool3d", "there is `AvgPool2d`, of [channels, height, width]"),
    ("BatchNorm3d", "there are `BatchNorm1d` and `BatchNorm2d`"),
    ("GlobalMaxPooling2D", "there is `AdaptiveAvgPool2d(1)`, of means"),
    ("AdaptiveMaxPool2d", "there is `AdaptiveAvgPool2d(1)`, of means"),
    ("Dropout2d", "there is `Dropout(0.25)`, of single elements"),
    ("SpatialDropout2D", "there is `Dropout(0.25)`, of single elements"),
    ("SeparableConv2D", "it is two: `Conv2d(4, kernel = 3, groups = 4), Conv2d(8, kernel = 1)`"),
    ("DepthwiseConv2D", "it is a convolution with groups: `Conv2d(4, kernel = 3, groups = 4)`"),
    ("ZeroPadding2D", "a convolution has its own: `Conv2d(6, kernel = 3, padding = 1)`"),
    ("Rescaling", "data are scaled before training: `Scaling::standard(&train)?`"),
    ("InputLayer", "the shape of the input stands in the head: `Net: [4] -> [3] { .. }`"),
];

/// Losses, which are no layers, with where they belong.
const LOSSES: &[(&str, &str)] = &[
    ("CrossEntropyLoss", "a loss belongs to the trainer: `Trainer::new(CrossEntropy, ..)`"),
    ("CrossEntropy", "a loss belongs to the trainer: `Trainer::new(CrossEntropy, ..)`"),
    ("MSELoss", "a loss belongs to the trainer: `Trainer::new(Mse, ..)`"),
];

/// Functions of PyTorch and NumPy.
const FUNCTIONS: &[(&str, &str)] = &[
    ("log", "ln"),
    ("randn", "normal"),
    ("rand", "uniform"),
    ("random", "uniform"),
    ("std", "sqrt(variance(x))"),
    ("var", "variance"),
    ("power", "pow"),
    ("clip", "clamp"),
    ("cat", "concat"),
    ("concatenate", "concat"),
    ("view", "reshape"),
    ("ravel", "flatten"),
    ("mm", "matmul"),
    ("bmm", "matmul"),
    ("absolute", "abs"),
    ("fabs", "abs"),
    ("where", "select"),
    ("expand", "broadcast"),
    ("broadcast_to", "broadcast"),
    ("expand_as", "broadcast"),
    ("repeat", "concat(x, x, axis = 0)"),
    ("tile", "concat(x, x, axis = 0)"),
    ("masked_fill", "select(mask, value, x)"),
    ("expand_dims", "unsqueeze"),
    ("swapaxes", "transpose"),
    ("t", "transpose"),
    ("chunk", "split"),
    ("unbind", "unstack"),
    ("maximum", "max"),
    ("minimum", "min"),
    ("amax", "max"),
    ("amin", "min"),
    ("average", "mean"),
    ("logsumexp", "log_sum_exp"),
    ("reciprocal", "recip"),
    ("negative", "neg"),
    ("subtract", "sub"),
    ("multiply", "mul"),
    ("divide", "div"),
    ("greater", "gt"),
    ("less", "lt"),
    ("equal", "eq"),
    ("tril", "causal"),
    ("swish", "silu"),
    ("detach", "stop_gradient"),
    ("mse_loss", "mse"),
    ("l1_loss", "l1"),
    ("nll_loss", "nll"),
    ("kl_div", "kl_divergence"),
    ("binary_cross_entropy", "bce"),
    ("scaled_dot_product_attention", "attention"),
];

/// Modules of Python that functions and layers are in there.
const MODULES: &[&str] = &["F", "K", "nn", "np", "torch", "tf", "jnp", "jax", "keras", "layers"];

/// Whether a name is that of a module of another framework.
pub fn is_module(name: &str) -> bool {
    MODULES.contains(&name)
}

/// What there is instead of a layer of another framework that netform has not.
pub fn lacking(name: &str) -> Option<&'static str> {
    find(LACKING, name).or_else(|| find(LOSSES, name))
}

/// Whether a name is that of a layer or loss in any framework, and so nobody's own network.
pub fn is_taken(name: &str) -> bool {
    layer(name).or_else(|| find(LOSSES, name)).is_some()
}

/// What a layer of another framework is called here.
pub fn layer(name: &str) -> Option<&'static str> {
    find(LAYERS, name)
}

/// What a function of another framework is called here, or how it is written.
pub fn function(name: &str) -> Option<&'static str> {
    find(FUNCTIONS, name)
}

fn find(table: &[(&str, &'static str)], name: &str) -> Option<&'static str> {
    table.iter().find(|(theirs, _)| *theirs == name).map(|(_, ours)| *ours)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lower::{functions, layer_names};
    use crate::ops::scalar;

    #[test]
    fn ours_are_there_and_theirs_are_not() {
        let functions: Vec<&str> = functions::names()
            .chain(scalar::TABLE.iter().map(|row| row.name))
            .chain(["grad", "scan"])
            .collect();
        for (theirs, ours) in FUNCTIONS {
            let (first, _) = ours.split_once('(').unwrap_or((ours, ""));
            assert!(functions.contains(&first), "`{ours}` for `{theirs}`");
            assert!(!functions.contains(theirs), "`{theirs}` is a function of ours");
        }
        for (theirs, _) in LACKING.iter().chain(LOSSES) {
            assert!(layer_names().all(|name| name != *theirs), "`{theirs}` is a layer of ours");
        }
        for (theirs, ours) in LAYERS {
            let (first, _) = ours.split_once('(').unwrap_or((ours, ""));
            assert!(layer_names().any(|name| name == first), "`{ours}` for `{theirs}`");
            assert!(layer_names().all(|name| name != *theirs), "`{theirs}` is a layer of ours");
        }
    }
}
