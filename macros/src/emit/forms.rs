//! Steps as calls of shared functions. A network of many layers has the same few steps again and again, at other
//! places and of other sizes: each form of a step is printed once, and a step is a call with its numbers. That is
//! several times less for rustc to parse, to check and to compile than the steps themselves, and code as text
//! is less for the macro to make than tokens.

use std::fmt::Write;

use proc_macro2::Literal;

use super::Expressions;
use crate::fuse::Number;
use crate::shape::Dim;

/// The code of one step, and what is different in other steps of the same form.
pub struct Draft {
    /// Whether all is written where it belongs: the code is no function's.
    whole: bool,
    numbers: Vec<String>,
    spans: Vec<String>,
    reals: Vec<String>,
    streams: Vec<String>,
}

impl Draft {
    pub fn new() -> Self {
        let (numbers, spans, reals, streams) = (vec![], vec![], vec![], vec![]);
        Draft { whole: false, numbers, spans, reals, streams }
    }

    /// Of code that stays where it is.
    pub fn whole() -> Self {
        Draft { whole: true, ..Draft::new() }
    }

    fn blank(whole: bool, values: &mut Vec<String>, letter: char, value: String) -> String {
        if whole {
            return value;
        }
        values.push(value);
        format!("{letter}{}", values.len() - 1)
    }

    /// A size. What is 0 or 1 is so in all steps of a form: strides, mostly.
    pub fn number(&mut self, dim: &Dim) -> String {
        let mut blank = |n: u64| Self::blank(self.whole, &mut self.numbers, 'n', n.to_string());
        match dim.as_linear() {
            Some((0, 0)) => "0".to_owned(),
            Some((1, 0)) => "1".to_owned(),
            Some((0, 1)) => "b".to_owned(),
            Some((number, 0)) => blank(number),
            Some((0, samples)) => format!("{} * b", blank(samples)),
            Some((number, samples)) => {
                let number = blank(number);
                format!("{number} + {} * b", blank(samples))
            }
            None => Self::blank(self.whole, &mut self.numbers, 'n', dim.code()),
        }
    }

    /// `[1, 1, b, n0]`
    pub fn sizes<'d>(&mut self, dims: impl IntoIterator<Item = &'d Dim>) -> String {
        listed(dims.into_iter().map(|dim| self.number(dim)))
    }

    /// Sizes of a window: those that are known are the same in all steps of a form.
    pub fn fixed<'d>(&mut self, dims: impl IntoIterator<Item = &'d Dim>) -> String {
        listed(dims.into_iter().map(|dim| match dim.as_literal() {
            Some(_) => dim.code(),
            None => self.number(dim),
        }))
    }

    /// A size that may be negative.
    pub fn signed(&mut self, dim: &Dim) -> String {
        let (plus, minus) = dim.split();
        match (plus.is_zero(), minus.is_zero()) {
            (_, true) => format!("({}) as isize", self.number(&plus)),
            (true, false) => format!("-(({}) as isize)", self.number(&minus)),
            _ => {
                let plus = self.number(&plus);
                format!("({plus}) as isize - ({}) as isize", self.number(&minus))
            }
        }
    }

    /// A span that is not the plan's.
    pub fn span(&mut self, code: &str) -> String {
        Self::blank(self.whole, &mut self.spans, 'x', code.to_owned())
    }

    /// The path of a call that draws random numbers.
    pub fn stream(&mut self, code: String) -> String {
        Self::blank(self.whole, &mut self.streams, 's', code)
    }

    /// The numbers of an expression.
    pub fn reals(&mut self, numbers: &[Number]) -> String {
        listed(numbers.iter().map(|number| match number {
            Number::Literal(bits) => real(f64::from_bits(*bits)),
            Number::Size(dim) => format!("E::from_usize({})", self.number(dim)),
            Number::Const(constant) => format!("E::from_f64({})", constant.number_alias()),
            Number::Setting(i) => {
                let setting = format!("E::from_f64(e.settings[{i}])");
                Self::blank(self.whole, &mut self.reals, 'r', setting)
            }
        }))
    }
}

/// `[a, b]`
pub fn listed(items: impl Iterator<Item = String>) -> String {
    let items: Vec<String> = items.collect();
    format!("[{}]", items.join(", "))
}

fn real(x: f64) -> String {
    let literal = |x: f64| Literal::f64_unsuffixed(x).to_string();
    match x {
        0.0 => "E::ZERO".to_owned(),
        f64::INFINITY => "-E::NEG_INFINITY".to_owned(),
        f64::NEG_INFINITY => "E::NEG_INFINITY".to_owned(),
        x if x.is_nan() => "E::ZERO / E::ZERO".to_owned(),
        1.0 => "E::ONE".to_owned(),
        x if x < 0.0 => format!("E::from_f64(-{})", literal(-x)),
        x => format!("E::from_f64({})", literal(x)),
    }
}

impl Expressions {
    /// The call of a step's form, which is printed where it is the first.
    pub(super) fn form(&mut self, draft: Draft, code: &str) -> String {
        let Draft { whole, numbers, spans, reals, streams } = draft;
        if whole {
            return code.to_owned();
        }
        let (mut head, mut call) = (String::new(), String::new());
        for (letter, ty, values) in [
            ('n', "usize", numbers),
            ('x', "__n::Span", spans),
            ('r', "E", reals),
            ('s', "u32", streams),
        ] {
            if !values.is_empty() {
                let names = listed((0..values.len()).map(|i| format!("{letter}{i}")));
                let _ = write!(head, ", {names}: [{ty}; {}]", values.len());
                let _ = write!(call, ", {}", listed(values.into_iter()));
            }
        }
        let next = self.forms.len();
        let form = format!(
            "<E: __n::Float, K: __n::Kernels<E>>(k: &mut K, b: usize, base: usize{head}) {{ {code} }}"
        );
        let number = *self.forms.entry(form).or_insert(next);
        format!("step{number}(k, b, base{call});")
    }
}
