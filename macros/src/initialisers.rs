//! Initialisers of parameters, by the names that users give them.

use proc_macro2::TokenStream;
use quote::quote;

use crate::errors::suggestion;

const INITIALISERS: &[&str] = &[
    "Zeros",
    "Ones",
    "Constant",
    "Xavier",
    "XavierNormal",
    "He",
    "HeUniform",
    "Uniform",
    "Normal",
];

/// Those that are given numbers.
const USAGES: &[&str] = &["Constant(0.1)", "Uniform(-0.1, 0.1)", "Normal(0.0, 0.02)"];

/// Names of PyTorch and Keras, in small letters without underscores.
const SYNONYMS: &[(&str, &str)] = &[
    ("xavieruniform", "Xavier"),
    ("glorot", "Xavier"),
    ("glorotuniform", "Xavier"),
    ("glorotnormal", "XavierNormal"),
    ("henormal", "He"),
    ("kaiming", "He"),
    ("kaimingnormal", "He"),
    ("kaiminguniform", "HeUniform"),
    ("constant", "Constant(0.1)"),
    ("uniform", "Uniform(-0.1, 0.1)"),
    ("randomuniform", "Uniform(-0.1, 0.1)"),
    ("normal", "Normal(0.0, 0.02)"),
    ("randomnormal", "Normal(0.0, 0.02)"),
];

/// What an initialiser of another framework is called here.
pub fn translated(name: &str) -> Option<&'static str> {
    let plain = name.to_lowercase().replace('_', "");
    let own = || INITIALISERS.iter().find(|own| own.to_lowercase() == plain).copied();
    let theirs = SYNONYMS.iter().find(|(theirs, _)| *theirs == plain);
    theirs.map(|(_, ours)| *ours).or_else(own)
}

/// Initialisers by name, with how many numbers each takes.
pub fn initialiser(name: &str, numbers: &[f64]) -> Result<TokenStream, String> {
    let signed = |x: f64| {
        let literal = proc_macro2::Literal::f64_unsuffixed(x.abs());
        if x < 0.0 { quote!(-#literal) } else { quote!(#literal) }
    };
    let values: Vec<TokenStream> = numbers.iter().map(|x| signed(*x)).collect();
    Ok(match (name, &values[..]) {
        ("Zeros", []) => quote!(__n::Init::Zeros),
        ("Ones", []) => quote!(__n::Init::Ones),
        ("Constant", [x]) => quote!(__n::Init::Constant(#x)),
        ("Xavier", []) => quote!(__n::Init::Xavier),
        ("XavierNormal", []) => quote!(__n::Init::XavierNormal),
        ("He", []) => quote!(__n::Init::He),
        ("HeUniform", []) => quote!(__n::Init::HeUniform),
        ("Uniform", [low, high]) if numbers[0] <= numbers[1] => {
            quote!(__n::Init::Uniform { low: #low, high: #high })
        }
        ("Uniform", [bound]) if numbers[0] >= 0.0 => {
            quote!(__n::Init::Uniform { low: -#bound, high: #bound })
        }
        ("Normal", [mean, std]) if numbers[1] >= 0.0 => {
            quote!(__n::Init::Normal { mean: #mean, std: #std })
        }
        ("Normal", [std]) if numbers[0] >= 0.0 => {
            quote!(__n::Init::Normal { mean: 0.0, std: #std })
        }
        _ => {
            if let Some(usage) = USAGES.iter().find(|usage| usage.starts_with(&format!("{name}(")))
            {
                return Err(match numbers.len() {
                    0 => format!("`{name}` needs its numbers, for example `{usage}`"),
                    _ => format!("`{name}` with {numbers:?} is no initialiser; one is `{usage}`"),
                });
            }
            let near = match translated(name).filter(|ours| *ours != name) {
                Some(ours) => format!("; did you mean `{ours}`?"),
                None => suggestion(name, INITIALISERS.iter().copied().filter(|own| *own != name)),
            };
            let hint = match near.is_empty() {
                true => "; initialisers are Zeros, Ones, Constant(0.1), Xavier, XavierNormal, He, HeUniform, \
                         Uniform(-0.1, 0.1), Normal(0.0, 0.02)"
                    .to_owned(),
                false => near,
            };
            let found = match numbers.len() {
                0 => format!("`{name}`"),
                1 => format!("`{name}` with one number"),
                n => format!("`{name}` with {n} numbers"),
            };
            return Err(format!("unknown initialiser {found}{hint}"));
        }
    })
}
