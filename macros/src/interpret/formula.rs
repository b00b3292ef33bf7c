//! The texts of the scalar table as functions of f64: a new row needs no second place to be evaluated.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use syn::{BinOp, Expr, Lit, UnOp};

use crate::ops::scalar::Row;

type Function = fn(&[f64]) -> f64;

/// A row's text, parsed.
pub enum Formula {
    Operand(usize),
    Number(f64),
    Call(Function, Vec<Formula>),
}

thread_local! {
    static KNOWN: RefCell<HashMap<&'static str, Rc<Formula>>> = RefCell::default();
}

impl Formula {
    /// What a row computes on the CPU.
    ///
    /// # Errors
    /// Names the part of the text that is not known here.
    pub fn rust(row: &Row) -> Result<Rc<Formula>, String> {
        if let Some(known) = KNOWN.with_borrow(|known| known.get(row.rust).cloned()) {
            return Ok(known);
        }
        let formula = Rc::new(Formula::parse(row, row.rust)?);
        KNOWN.with_borrow_mut(|known| known.insert(row.rust, formula.clone()));
        Ok(formula)
    }

    /// What a row computes on a GPU: its text is an expression of Rust, too.
    ///
    /// # Errors
    /// Names the part of the text that is not known here.
    pub fn wgsl(row: &Row) -> Result<Formula, String> {
        Formula::parse(row, row.wgsl)
    }

    fn parse(row: &Row, template: &str) -> Result<Formula, String> {
        let text = ["a", "b", "c"]
            .iter()
            .fold(template.to_owned(), |text, name| text.replace(&format!("{{{name}}}"), name));
        let expr = syn::parse_str(&text).map_err(|e| format!("`{text}` of `{}`: {e}", row.name))?;
        Formula::of(&expr).map_err(|what| format!("`{text}` of `{}`: {what}", row.name))
    }

    pub fn value(&self, operands: &[f64]) -> f64 {
        match self {
            Formula::Operand(i) => operands[*i],
            Formula::Number(x) => *x,
            Formula::Call(function, inner) => {
                let mut values = [0.0; 3];
                inner.iter().zip(&mut values).for_each(|(f, value)| *value = f.value(operands));
                function(&values)
            }
        }
    }

    fn of(expr: &Expr) -> Result<Formula, String> {
        let call = |function: Function, inner: &[&Expr]| {
            let inner = inner.iter().map(|e| Formula::of(e)).collect::<Result<Vec<_>, _>>()?;
            Ok(Formula::Call(function, inner))
        };
        match expr {
            Expr::Paren(inner) => Formula::of(&inner.expr),
            Expr::Block(block) => only(&block.block),
            Expr::Lit(lit) => match &lit.lit {
                Lit::Float(x) => x.base10_parse().map(Formula::Number).map_err(|e| e.to_string()),
                _ => Err("a literal that is no float".to_owned()),
            },
            Expr::Path(path) => Ok(match path_text(&path.path).as_str() {
                "a" => Formula::Operand(0),
                "b" => Formula::Operand(1),
                "c" => Formula::Operand(2),
                "E::ZERO" => Formula::Number(0.0),
                "E::ONE" => Formula::Number(1.0),
                other => return Err(format!("`{other}` is not known")),
            }),
            Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => {
                call(|x| -x[0], &[&unary.expr])
            }
            Expr::Binary(binary) => call(operator(&binary.op)?, &[&binary.left, &binary.right]),
            Expr::If(choice) => {
                let (_, otherwise) = choice.else_branch.as_ref().ok_or("an `if` without `else`")?;
                let parts = vec![
                    Formula::of(&choice.cond)?,
                    only(&choice.then_branch)?,
                    Formula::of(otherwise)?,
                ];
                Ok(Formula::Call(|x| if x[0] != 0.0 { x[1] } else { x[2] }, parts))
            }
            Expr::MethodCall(method) => {
                let operands: Vec<&Expr> =
                    [&*method.receiver].into_iter().chain(&method.args).collect();
                call(function(&method.method.to_string())?, &operands)
            }
            Expr::Call(called) => {
                let Expr::Path(path) = &*called.func else {
                    return Err("a call of no name".into());
                };
                let operands: Vec<&Expr> = called.args.iter().collect();
                call(function(&path_text(&path.path))?, &operands)
            }
            _ => Err("an expression of another kind".to_owned()),
        }
    }
}

/// The value of a block without statements.
fn only(block: &syn::Block) -> Result<Formula, String> {
    match &block.stmts[..] {
        [syn::Stmt::Expr(expr, None)] => Formula::of(expr),
        _ => Err("a block with statements".to_owned()),
    }
}

fn path_text(path: &syn::Path) -> String {
    let names: Vec<String> = path.segments.iter().map(|s| s.ident.to_string()).collect();
    names.join("::")
}

fn flag(is: bool) -> f64 {
    f64::from(u8::from(is))
}

fn operator(op: &BinOp) -> Result<Function, String> {
    Ok(match op {
        BinOp::Add(_) => |x| x[0] + x[1],
        BinOp::Sub(_) => |x| x[0] - x[1],
        BinOp::Mul(_) => |x| x[0] * x[1],
        BinOp::Div(_) => |x| x[0] / x[1],
        BinOp::Lt(_) => |x| flag(x[0] < x[1]),
        BinOp::Gt(_) => |x| flag(x[0] > x[1]),
        BinOp::Le(_) => |x| flag(x[0] <= x[1]),
        BinOp::Ge(_) => |x| flag(x[0] >= x[1]),
        BinOp::Eq(_) => |x| flag(x[0] == x[1]),
        BinOp::Ne(_) => |x| flag(x[0] != x[1]),
        BinOp::Or(_) => |x| flag(x[0] != 0.0 || x[1] != 0.0),
        BinOp::And(_) => |x| flag(x[0] != 0.0 && x[1] != 0.0),
        _ => return Err("an operator of another kind".to_owned()),
    })
}

/// Methods of `Float`, and functions of WGSL and of the prelude of netform-gpu. A row that needs another has it
/// added here.
fn function(name: &str) -> Result<Function, String> {
    Ok(match name {
        // A comparison in WGSL is a boolean, in Rust a flag.
        "E::flag" | "f32" => |x| x[0],
        "E::select" => |x| if x[0] != 0.0 { x[1] } else { x[2] },
        // WGSL's has the condition last, and what is taken where it is false first.
        "select" => |x| if x[2] != 0.0 { x[1] } else { x[0] },
        "sqrt" => |x| x[0].sqrt(),
        "inverseSqrt" => |x| 1.0 / x[0].sqrt(),
        "exp" => |x| x[0].exp(),
        "exp_m1" | "expm1" => |x| x[0].exp_m1(),
        "ln" | "log" => |x| x[0].ln(),
        "ln_1p" | "log1p" => |x| x[0].ln_1p(),
        "sin" => |x| x[0].sin(),
        "cos" => |x| x[0].cos(),
        "tan" => |x| x[0].tan(),
        "asin" => |x| x[0].asin(),
        "acos" => |x| x[0].acos(),
        "atan" => |x| x[0].atan(),
        "sinh" => |x| x[0].sinh(),
        "cosh" => |x| x[0].cosh(),
        "tanh" => |x| x[0].tanh(),
        "sigmoid" => |x| 1.0 / (1.0 + (-x[0]).exp()),
        "softplus" => |x| x[0].max(0.0) + (-x[0].abs()).exp().ln_1p(),
        "erf" => |x| erf(x[0]),
        "floor" => |x| x[0].floor(),
        "ceil" => |x| x[0].ceil(),
        "round" => |x| x[0].round_ties_even(),
        "abs" => |x| x[0].abs(),
        "sign" => |x| flag(x[0] > 0.0) - flag(x[0] < 0.0),
        "powf" | "pow" => |x| x[0].powf(x[1]),
        "max" => |x| x[0].max(x[1]),
        "min" => |x| x[0].min(x[1]),
        _ => return Err(format!("`{name}` is not known")),
    })
}

/// 2 / sqrt(pi) e^(-x^2) sum of 2^n x^(2n + 1) / (2n + 1)!!, all of whose terms have one sign: Abramowitz and
/// Stegun, 7.1.6.
fn erf(x: f64) -> f64 {
    if x.abs() > 6.0 {
        return x.signum();
    }
    let (mut term, mut sum, mut n) = (x, x, 1.0);
    while term.abs() > 1e-18 * f64::abs(sum) {
        term *= 2.0 * x * x / (2.0 * n + 1.0);
        sum += term;
        n += 1.0;
    }
    std::f64::consts::FRAC_2_SQRT_PI * (-x * x).exp() * sum
}
