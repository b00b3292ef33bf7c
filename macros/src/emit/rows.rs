//! Programs over rows to tokens: a type for each distinct program, and the calls of its kernel.

use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote};

use super::{Emitter, Expressions, numbers, sizes};
use crate::ops::reduce::Fold;
use crate::rows::{Code, In, RowStep, Rows, To};

impl Emitter<'_> {
    pub(super) fn rows(
        &mut self,
        outs: &[TokenStream],
        rows: &Rows,
    ) -> Result<TokenStream, String> {
        let function = self.expressions.program(rows)?;
        let (grid, lead) = (sizes(&rows.grid), Literal::usize_unsuffixed(rows.lead));
        let (ins, params) = (self.args(&rows.leaves)?, self.args(&rows.params)?);
        let consts = numbers(&rows.numbers);
        Ok(quote!(#function(k, [#(#outs),*], #grid, #lead, #ins, #params, #consts);))
    }
}

impl Expressions {
    /// The function that runs a program.
    fn program(&mut self, rows: &Rows) -> Result<TokenStream, String> {
        let (n, p, c) = (rows.leaves.len(), rows.params.len(), rows.numbers.len());
        let (m, kept) = (rows.outs.len(), rows.kept);
        let wide: Vec<bool> = rows.outs.iter().map(|(_, wide)| *wide).collect();
        let body = rows.steps.iter().map(|step| rust(rows, step)).collect::<Result<Vec<_>, _>>()?;
        let body = quote!(#(#body)*);
        let key = (format!("{body} {wide:?} {kept} {p}"), "rows", n, c);
        if let Some(number) = self.numbers.get(&key) {
            let name = format_ident!("rows{}", number);
            return Ok(quote!(#name));
        }
        let number = self.numbers.len();
        self.numbers.insert(key, number);
        let (name, program) = (format_ident!("rows{}", number), format_ident!("Rows{}", number));
        let params = (0..p).map(|i| format_ident!("p{}", i));
        let consts = (0..c).map(|i| format_ident!("c{}", i));
        let text = rows.steps.iter().map(|step| wgsl(rows, step));
        self.functions.push(quote! {
            #[derive(Clone, Copy)]
            struct #program;
            impl<E: __n::Float> __n::RowProgram<E, #p, #c> for #program {
                const WIDE: &'static [bool] = &[#(#wide),*];
                const KEPT: usize = #kept;
                #[inline(always)]
                fn run<R: __n::Row<E>>(
                    self, r: &mut R, [#(#params),*]: [E; #p], [#(#consts),*]: [E; #c],
                ) {
                    #body
                }
            }
            #[inline(never)]
            fn #name<E: __n::Float, K: __n::Kernels<E>>(
                k: &mut K, outs: [__n::Span; #m], grid: __n::Grid, lead: usize,
                ins: [__n::Arg; #n], params: [__n::Arg; #p], consts: [E; #c],
            ) {
                k.rows(outs, grid, lead, ins, params, consts, #program, &[#(#text),*])
            }
        });
        Ok(quote!(#name))
    }
}

fn parsed(text: &str) -> Result<TokenStream, String> {
    text.parse().map_err(|e| format!("`{text}`: {e}"))
}

fn inputs(rows: &Rows, ins: &[In]) -> Vec<Literal> {
    ins.iter().map(|input| Literal::usize_unsuffixed(rows.number_of(*input))).collect()
}

fn to(to: &To) -> TokenStream {
    match to {
        To::Fold(Fold::Sum, _) => quote!(__n::RowTo::Sum),
        To::Fold(Fold::Max, _) => quote!(__n::RowTo::Max),
        To::Out(out) => quote!(__n::RowTo::Out(#out)),
        To::Keep(kept) => quote!(__n::RowTo::Keep(#kept)),
    }
}

/// The name of a fold.
fn fold(to: &To) -> Option<&str> {
    match to {
        To::Fold(_, name) => Some(name),
        _ => None,
    }
}

/// A closure that computes values of a pass, or the one of a pick.
fn closure(code: &Code, ins: usize, values: &str) -> Result<TokenStream, String> {
    let parameters = (0..ins).map(|i| format_ident!("a{}", i));
    let body = parsed(&format!("{}{values}", code.rust))?;
    Ok(quote!(#[inline(always)] |[#(#parameters),*]: [E; #ins]| { #body }))
}

fn rust(rows: &Rows, step: &RowStep) -> Result<TokenStream, String> {
    Ok(match step {
        RowStep::Pass { ins, to: all, code } => {
            let f = closure(code, ins.len(), &format!("[{}]", code.values.join(", ")))?;
            let names = all.iter().map(|to| format_ident!("{}", fold(to).unwrap_or("_")));
            let (ins, to) = (inputs(rows, ins), all.iter().map(to));
            quote!(let [#(#names),*] = r.pass([#(#ins),*], [#(#to),*], #f);)
        }
        RowStep::Pick { name, index, ins, code } => {
            let f = closure(code, ins.len(), &code.values.concat())?;
            let (name, index, ins) = (parsed(name)?, parsed(index)?, inputs(rows, ins));
            quote!(let #name = r.pick(#index, [#(#ins),*], #f);)
        }
        RowStep::Numbers(code) => parsed(&code.rust)?,
        RowStep::Put { out, name } => {
            let name = parsed(name)?;
            quote!(r.put(#out, #name);)
        }
    })
}

fn wgsl(rows: &Rows, step: &RowStep) -> TokenStream {
    let text = |code: &Code| {
        let lines = code.wgsl.iter().chain(&code.values);
        quote!(&[#(#lines),*])
    };
    match step {
        RowStep::Pass { ins, to: all, code } => {
            let (ins, text) = (inputs(rows, ins), text(code));
            let names = all.iter().map(|to| fold(to).unwrap_or(""));
            let to = all.iter().map(to);
            quote!(__n::RowStep::Pass {
                ins: &[#(#ins),*], to: &[#(#to),*], names: &[#(#names),*], text: #text
            })
        }
        RowStep::Pick { name, index, ins, code } => {
            let (ins, text) = (inputs(rows, ins), text(code));
            quote!(__n::RowStep::Pick { name: #name, index: #index, ins: &[#(#ins),*], text: #text })
        }
        RowStep::Numbers(code) => {
            let text = text(code);
            quote!(__n::RowStep::Numbers(#text))
        }
        RowStep::Put { out, name } => quote!(__n::RowStep::Put { out: #out, name: #name }),
    }
}
