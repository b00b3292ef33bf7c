//! A network's generic sizes: as type parameters of what is printed, and as numbers in it.

use std::collections::BTreeSet;

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::Ident;

use super::MAX_SIZES;
use super::names::TYPES;
use crate::emit::dim_type;
use crate::errors::Range;
use crate::lower::{Chain, Condition};
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
    /// Sizes that are computed from others and have to be types, with the names of these.
    computed: Vec<(Dim, Ident)>,
    /// Whether inputs or outputs have such sizes.
    in_ports: bool,
    /// The trait that has them, and what the sizes must satisfy beyond.
    bound: Option<Ident>,
    /// The trait of those with which memory can hold every value.
    memory: Option<Ident>,
}

/// The sizes that may be known only at run time: an input tells them, and no parameter or state has them.
pub fn open<'g>(generics: &'g [Ident], chain: &Chain) -> Vec<&'g Ident> {
    let mut constant = BTreeSet::new();
    let kept = chain.params.iter().chain(&chain.states).flat_map(|param| &param.shape);
    kept.for_each(|dim| dim.params(&mut constant));
    let inputs = chain.graph.inputs.iter().flat_map(|port| &port.shape[1..]);
    let told: BTreeSet<String> = inputs.filter_map(Dim::as_param).collect();
    let open = |name: &&Ident| {
        let text = name.to_string();
        told.contains(&text) && !constant.contains(&text)
    };
    generics.iter().filter(open).collect()
}

impl Sizes {
    /// All sizes of a network, as its printed code has them.
    pub fn of(name: &Ident, generics: &[Ident], chain: &Chain, defaults: bool) -> Self {
        let inputs = || chain.graph.inputs.iter().flat_map(|port| &port.shape[1..]);
        let open = open(generics, chain);
        let size = |name: &Ident| {
            let text = name.to_string();
            let param = match TYPES.contains(&text.as_str()) {
                true => format_ident!("{}_", name),
                false => name.clone(),
            };
            let constant = !open.contains(&name);
            Size { value: param_ident(&text), name: text, param, constant }
        };
        let all = generics.iter().map(size).collect();
        let outputs = (0..chain.graph.outputs.len()).flat_map(|i| chain.output_shape(i));
        let ports: Vec<Dim> = inputs().cloned().chain(outputs).filter(is_computed).collect();
        let viewed = chain.layers.iter().filter_map(|layer| layer.view.as_ref());
        let viewed = viewed.flat_map(|view| view.dims.iter().cloned()).filter(is_computed);
        let in_ports = !ports.is_empty();
        let mut computed: Vec<(Dim, Ident)> = vec![];
        for dim in ports.into_iter().chain(viewed) {
            if computed.iter().all(|(other, _)| *other != dim) {
                let name = format_ident!("Size{}", computed.len());
                computed.push((dim, name));
            }
        }
        let (memory, others): (Vec<_>, Vec<_>) = (chain.checks.iter().map(|it| &it.condition))
            .partition(|condition| matches!(condition, Condition::Memory(_)));
        let open = others.iter().any(|it| super::is_generic(it.dims().into_iter()));
        let large = memory.iter().flat_map(|it| it.dims()).any(is_computed);
        let memory = large.then(|| format_ident!("{}InMemory", name));
        let bound = (large || open || !computed.is_empty()).then(|| format_ident!("{}Sizes", name));
        Sizes { all, defaults, computed, in_ports, bound, memory }
    }

    /// The sizes of a function as type parameters.
    pub fn of_function(generics: &[Ident], param: impl Fn(&str) -> Ident) -> Self {
        let size = |name: &Ident| {
            let name = name.to_string();
            Size { value: param_ident(&name), param: param(&name), name, constant: false }
        };
        let all = generics.iter().map(size).collect();
        Sizes { all, defaults: false, computed: vec![], in_ports: false, bound: None, memory: None }
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

    /// `T: Dim, D: Dim,` as the item's parameters, by public paths.
    pub fn declared(&self) -> TokenStream {
        let default = self.defaults.then(|| quote!(= ::netform::dim::D<1>));
        let params = self.all.iter().map(|size| &size.param);
        quote!(#(#params: ::netform::dim::Dim #default,)*)
    }

    /// The same in front of an `impl` whose functions say themselves which sizes are constant: one that is
    /// not is an error there, where the network has the function but for it.
    pub fn dims(&self) -> TokenStream {
        let params = self.all.iter().map(|size| &size.param);
        quote!(#(#params: __n::Dim,)*)
    }

    /// `D: Static,` for sizes that have to be constant.
    fn constant(&self) -> TokenStream {
        let constant = self.all.iter().filter(|size| size.constant).map(|size| &size.param);
        // Where one is not, a note points at its name.
        constant.map(|param| Range::of(param).over(quote!(#param: __n::Static,))).collect()
    }

    /// `T: Dim, D: Static,` in front of an `impl`.
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

    /// The type of a size that is a generic one.
    pub fn param_type(&self, dim: &Dim) -> Option<TokenStream> {
        let name = dim.as_param()?;
        let size = self.all.iter().find(|size| size.name == name)?;
        let param = &size.param;
        Some(quote!(#param))
    }

    /// The dimension type of a size: computed ones are those of an input, an output or a layer that is viewed.
    pub fn dim_type(&self, dim: &Dim) -> Option<TokenStream> {
        if !is_computed(dim) {
            return self.param_type(dim).or_else(|| Some(dim_type(dim)));
        }
        let (_, name) = self.computed.iter().find(|(other, _)| other == dim)?;
        let (key, bound) = (self.key(), self.bound.as_ref()?);
        Some(quote!(<#key as #bound>::#name))
    }

    /// The sizes of a sample as dimension types.
    pub fn types(&self, shape: &[Dim]) -> Result<Vec<TokenStream>, String> {
        let of = |dim: &Dim| self.dim_type(dim).ok_or_else(|| format!("size `{dim}` has no type"));
        shape.iter().map(of).collect()
    }

    /// The generic sizes in a shape, in the order of their declaration.
    fn within(&self, shape: &[Dim]) -> impl Iterator<Item = &Size> {
        let mut found = BTreeSet::new();
        shape.iter().for_each(|dim| dim.params(&mut found));
        self.all.iter().filter(move |size| found.contains(&size.name))
    }

    /// The type parameters in a size.
    pub fn params(&self, dim: &Dim) -> Vec<&Ident> {
        self.within(std::slice::from_ref(dim)).map(|size| &size.param).collect()
    }

    /// ` with T = {T} and D = {D}`: the generic sizes in a shape, as rustc fills them into a message.
    pub fn given(&self, shape: &[Dim]) -> String {
        let given: Vec<String> =
            self.within(shape).map(|size| format!("{} = {{{}}}", size.name, size.param)).collect();
        match given.is_empty() {
            true => String::new(),
            false => format!(" with {}", given.join(" and ")),
        }
    }

    /// The types of inputs with a parameter for each computed one, so that a mismatch is one of shapes, not of
    /// the types that computed it; these parameters, and what they are equal to.
    pub fn matched(
        &self,
        inputs: &[Vec<TokenStream>],
    ) -> (Vec<Vec<TokenStream>>, TokenStream, TokenStream) {
        let (mut fresh, mut same) = (TokenStream::new(), TokenStream::new());
        let computed: Vec<String> = self
            .computed
            .iter()
            .filter_map(|(dim, _)| self.dim_type(dim))
            .map(|tokens| tokens.to_string())
            .collect();
        let mut count = 0_usize;
        let mut one = |dim: &TokenStream| {
            if !computed.contains(&dim.to_string()) {
                return dim.clone();
            }
            let name = format_ident!("Given{}", count);
            count += 1;
            fresh.extend(quote!(#name: __n::Dim,));
            same.extend(quote!(#name: __n::Same<#dim>,));
            quote!(#name)
        };
        let inputs = inputs.iter().map(|dims| dims.iter().map(&mut one).collect()).collect();
        (inputs, fresh, same)
    }

    /// All sizes as one type: as what memory yields where it can hold what they make, so that nothing more is said
    /// of them where it cannot.
    fn key(&self) -> TokenStream {
        let names = self.names();
        match &self.memory {
            Some(memory) => quote!(<(#names) as #memory>::Sizes),
            None => quote!((#names)),
        }
    }

    /// The name of the trait of the sizes, where there is one.
    pub fn bound_name(&self) -> Option<&Ident> {
        self.bound.as_ref()
    }

    /// The name of the trait of sizes with which memory can hold every value, where there is one.
    pub fn memory_name(&self) -> Option<&Ident> {
        self.memory.as_ref()
    }

    /// The sizes that are computed from others.
    pub fn computed(&self) -> &[(Dim, Ident)] {
        &self.computed
    }

    /// `(T, D): NetSizes,` where the types of inputs or outputs need it.
    pub fn clause(&self) -> TokenStream {
        if self.in_ports { self.bounded() } else { TokenStream::new() }
    }

    /// What a function needs that passes are called by.
    pub fn called(&self) -> TokenStream {
        let (constant, clause) = (self.constant(), self.clause());
        quote!(#constant #clause)
    }

    /// What a constructor needs, and what has computed sizes of other places.
    pub fn checked(&self) -> TokenStream {
        let (constant, bounded) = (self.constant(), self.bounded());
        quote!(#constant #bounded)
    }

    fn bounded(&self) -> TokenStream {
        let Some(bound) = &self.bound else { return TokenStream::new() };
        let (key, names) = (self.key(), self.names());
        let first = self.memory.as_ref().map(|memory| quote!((#names): #memory,));
        quote!(#first #key: #bound,)
    }

    /// That computed sizes which may be known only at run time are constant.
    pub fn all_static(&self) -> TokenStream {
        let open = self.computed.iter().filter(|(dim, _)| self.has_len(std::iter::once(dim)));
        let types = open.filter_map(|(dim, _)| self.dim_type(dim));
        quote!(#(#types: __n::Static,)*)
    }
}

/// Whether a size depends on generic ones and is none itself.
pub fn is_computed(dim: &Dim) -> bool {
    dim.as_param().is_none() && super::is_generic(std::iter::once(dim))
}
