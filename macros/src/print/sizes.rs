//! A network's generic sizes: as type parameters of what is printed, and as numbers in it.

use std::collections::BTreeSet;

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::Ident;

use crate::emit::dim_type;
use crate::lower::Chain;
use crate::shape::{Dim, param_ident};

/// A generic size.
struct Size {
    /// As in the declaration.
    name: String,
    /// Its number, in expressions.
    value: Ident,
    /// Its type parameter.
    param: Ident,
    /// Whether the size is part of the type: parameters have it.
    constant: bool,
}

/// The generic sizes of a network.
pub struct Sizes {
    all: Vec<Size>,
    /// What each type parameter is where it is not given.
    defaults: bool,
}

/// Names that printed code has for other types.
const TYPES: [&str; 8] = ["E", "Dev", "K", "B", "S", "R", "Self", "__n"];

/// The most sizes that may be known only at run time: `MAX_SIZES` of netform-core.
const MAX_SIZES: usize = 4;

impl Sizes {
    /// Which sizes have to be constant: those of parameters and states.
    pub fn of(generics: &[Ident], chain: &Chain, defaults: bool) -> Result<Self, String> {
        let mut constant = BTreeSet::new();
        let kept = chain.params.iter().chain(&chain.states).flat_map(|param| &param.shape);
        kept.for_each(|dim| dim.params(&mut constant));
        let size = |name: &Ident| {
            let text = name.to_string();
            let param = match TYPES.contains(&text.as_str()) {
                true => format_ident!("{}_", name),
                false => name.clone(),
            };
            let constant = constant.contains(&text);
            Size { value: param_ident(&text), name: text, param, constant }
        };
        let all = generics.iter().map(size).collect();
        let sizes = Sizes { all, defaults };
        match sizes.lens().count() > MAX_SIZES {
            true => Err(format!("at most {MAX_SIZES} sizes may be known only at run time")),
            false => Ok(sizes),
        }
    }

    /// The sizes that may be known only at run time.
    fn lens(&self) -> impl Iterator<Item = &Size> {
        self.all.iter().filter(|size| !size.constant)
    }

    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Their names.
    pub fn len_names(&self) -> Vec<String> {
        self.lens().map(|size| size.name.clone()).collect()
    }

    /// `T, D,`: as arguments.
    pub fn names(&self) -> TokenStream {
        let names = self.all.iter().map(|size| &size.param);
        quote!(#(#names,)*)
    }

    /// `T: Dim, D: Static,` as the item's parameters, by public paths.
    pub fn declared(&self) -> TokenStream {
        self.all
            .iter()
            .map(|Size { param, constant, .. }| {
                let default = self.defaults.then(|| quote!(= ::netform::dim::D<1>));
                match constant {
                    true => quote!(#param: ::netform::dim::Static #default,),
                    false => quote!(#param: ::netform::dim::Dim #default,),
                }
            })
            .collect()
    }

    /// The same in front of an `impl`.
    pub fn bounds(&self) -> TokenStream {
        self.all
            .iter()
            .map(|Size { param, constant, .. }| match constant {
                true => quote!(#param: __n::Static,),
                false => quote!(#param: __n::Dim,),
            })
            .collect()
    }

    /// In front of an `impl` for constant sizes only.
    pub fn static_bounds(&self) -> TokenStream {
        self.all.iter().map(|Size { param, .. }| quote!(#param: __n::Static,)).collect()
    }

    /// `let D = ..;`: numbers in a function that has an extent `e`.
    pub fn values(&self) -> TokenStream {
        let mut lens = 0..MAX_SIZES;
        self.all
            .iter()
            .map(|Size { value, param, constant, .. }| match constant {
                true => quote!(let #value: usize = <#param as __n::Static>::N;),
                false => {
                    let i = lens.next();
                    quote!(let #value: usize = __n::size::<#param>(e.sizes[#i]);)
                }
            })
            .collect()
    }

    /// Numbers in a constant; 0 for sizes that are known only at run time.
    pub fn constants(&self) -> TokenStream {
        self.all
            .iter()
            .map(|Size { value, param, constant, .. }| match constant {
                true => quote!(let #value: usize = <#param as __n::Static>::N;),
                false => quote!(let #value: usize = __n::size::<#param>(0);),
            })
            .collect()
    }

    /// The sizes that may be known only at run time and that some sizes depend on.
    fn open<'d>(&self, dims: impl Iterator<Item = &'d Dim>) -> Vec<&Ident> {
        let mut found = BTreeSet::new();
        dims.for_each(|dim| dim.params(&mut found));
        let open = self.lens().filter(|size| found.contains(&size.name));
        open.map(|size| &size.param).collect()
    }

    /// Whether sizes depend on one that may be known only at run time.
    pub fn has_len<'d>(&self, dims: impl Iterator<Item = &'d Dim>) -> bool {
        !self.open(dims).is_empty()
    }

    /// The condition that sizes are known at compile time.
    pub fn known<'d>(&self, dims: impl Iterator<Item = &'d Dim>) -> TokenStream {
        match &self.open(dims)[..] {
            [] => quote!(true),
            open => quote!(#(<#open as __n::Dim>::FIXED.is_some())&&*),
        }
    }

    /// An axis, as an input or output or layer lists it.
    pub fn axis(&self, dim: &Dim) -> TokenStream {
        let (size, text) = (dim.tokens(), dim.to_string());
        let one = || std::iter::once(dim);
        if !self.has_len(one()) {
            return quote!(__n::PortAxis::Size(#size));
        }
        let known = self.known(one());
        quote!(__n::axis(#known, #size, #text))
    }

    /// The dimension type of a size; `None` where it is an expression of parameters, which types cannot be.
    pub fn dim_type(&self, dim: &Dim) -> Option<TokenStream> {
        let mut found = BTreeSet::new();
        dim.params(&mut found);
        if found.is_empty() {
            return Some(dim_type(dim));
        }
        let name = dim.as_param()?;
        let size = self.all.iter().find(|size| size.name == name)?;
        let param = &size.param;
        Some(quote!(#param))
    }

    /// The sizes of a sample as dimension types.
    pub fn types(&self, shape: &[Dim]) -> Result<Vec<TokenStream>, String> {
        let of = |dim: &Dim| {
            self.dim_type(dim).ok_or_else(|| {
                format!("an input or output of size `{dim}` is not supported yet: give the size a name of its own, for example `N`, and check it where the network is used")
            })
        };
        shape.iter().map(of).collect()
    }
}
