//! Programs over rows to tokens: a type for each distinct program, and the calls of its kernel.

use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote};

use super::{Draft, Emitter, Expressions, parsed};
use crate::ops::reduce::Fold;
use crate::rows::{Code, In, RowStep, Rows, To};

impl Emitter<'_> {
    pub(super) fn rows(
        &mut self,
        d: &mut Draft,
        outs: &str,
        rows: &Rows,
    ) -> Result<String, String> {
        let function = self.expressions.program(rows)?;
        let (grid, lead) = (d.sizes(&rows.grid), rows.lead);
        let (ins, params) = (self.leaves(d, &rows.leaves)?, self.leaves(d, &rows.params)?);
        let reals = d.reals(&rows.numbers);
        Ok(format!("{function}(k, [{outs}], {grid}, {lead}, {ins}, {params}, {reals});"))
    }
}

impl Expressions {
    /// The function that runs a program.
    fn program(&mut self, rows: &Rows) -> Result<String, String> {
        self.know(&rows.numbers);
        let (n, p, c) = (rows.leaves.len(), rows.params.len(), rows.numbers.len());
        let (m, kept, computed) = (rows.outs.len(), rows.kept, rows.computed);
        let wide: Vec<bool> = rows.outs.iter().map(|(_, wide)| *wide).collect();
        let body = rows.steps.iter().map(|step| rust(rows, step)).collect::<Result<Vec<_>, _>>()?;
        let body = quote!(#(#body)*);
        let key = (format!("{body} {wide:?} {kept} {p}"), "rows", n, c);
        if let Some(number) = self.numbers.get(&key) {
            return Ok(format!("rows{number}"));
        }
        let number = self.numbers.len();
        self.numbers.insert(key, number);
        let (name, program) = (format_ident!("rows{}", number), format_ident!("__Rows{}", number));
        let params = (0..p).map(|i| format_ident!("p{}", i));
        let consts = (0..c).map(|i| format_ident!("c{}", i));
        let text = rows.steps.iter().map(|step| wgsl(rows, step));
        self.functions.push(quote! {
            #[derive(Clone, Copy)]
            struct #program;
            impl<E: __n::Float> __n::RowProgram<E, #p, #c> for #program {
                const WIDE: &'static [bool] = &[#(#wide),*];
                const KEPT: usize = #kept;
                const NUMBERS: usize = #computed;
                #[inline(always)]
                fn run<R: __n::Row<E>>(
                    self, r: &mut R, [#(#params),*]: [R::Number; #p], [#(#consts),*]: [E; #c],
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
        Ok(name.to_string())
    }
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

/// What a closure reads of a row, and the closure.
fn closure(code: &Code, ins: Option<usize>, values: &str) -> Result<[TokenStream; 2], String> {
    let numbers = code.numbers.iter().map(|name| format_ident!("{}", name));
    let (numbers, count) = (quote!([#(#numbers),*]), code.numbers.len());
    let elements = ins.map(|ins| {
        let elements = (0..ins).map(|i| format_ident!("a{}", i));
        quote!([#(#elements),*]: [E; #ins],)
    });
    let body = parsed(&format!("{}{values}", code.rust))?;
    let f = quote!(#[inline(always)] |#elements #numbers: [E; #count]| { #body });
    Ok([numbers, f])
}

fn rust(rows: &Rows, step: &RowStep) -> Result<TokenStream, String> {
    Ok(match step {
        RowStep::Pass { ins, to: all, code } => {
            let values = format!("[{}]", code.values.join(", "));
            let [numbers, f] = closure(code, Some(ins.len()), &values)?;
            let names = all.iter().map(|to| format_ident!("{}", fold(to).unwrap_or("_")));
            let (ins, to) = (inputs(rows, ins), all.iter().map(to));
            quote!(let [#(#names),*] = r.pass([#(#ins),*], #numbers, [#(#to),*], #f);)
        }
        RowStep::Pick { name, index, ins, code } => {
            let [numbers, f] = closure(code, Some(ins.len()), &code.values.concat())?;
            let (name, index, ins) = (parsed(name)?, parsed(index)?, inputs(rows, ins));
            quote!(let #name = r.pick(#index, [#(#ins),*], #numbers, #f);)
        }
        RowStep::Number { name, code } => {
            let [numbers, f] = closure(code, None, &code.values.concat())?;
            let name = parsed(name)?;
            quote!(let #name = r.number(#numbers, #f);)
        }
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
        RowStep::Number { name, code } => {
            let text = text(code);
            quote!(__n::RowStep::Number { name: #name, text: #text })
        }
        RowStep::Put { out, name } => quote!(__n::RowStep::Put { out: #out, name: #name }),
    }
}
