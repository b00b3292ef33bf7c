//! Scalar ops: a table. One row adds an op to every device: its name, its text in Rust and in WGSL, and
//! its derivative with respect to each operand as an expression of `a`, `b`, `c` and the result `y`.
//! Integer operands are converted on the way in.

use crate::ast::{BinaryOp, Expr, ExprKind};
use crate::graph::{Graph, NodeId};
use crate::ops::Cotangents;
use crate::shape::{self, Shape, show};

/// A scalar op. In the texts `{a}`, `{b}`, `{c}` are the operands.
pub struct Row {
    pub name: &'static str,
    pub rust: &'static str,
    pub wgsl: &'static str,
    pub derivatives: &'static [&'static str],
}

impl Row {
    /// The number of operands.
    pub fn arity(&self) -> usize {
        self.derivatives.len()
    }
}

const fn row(
    name: &'static str,
    rust: &'static str,
    wgsl: &'static str,
    derivatives: &'static [&'static str],
) -> Row {
    Row { name, rust, wgsl, derivatives }
}

/// `sigmoid`, `softplus`, `expm1`, `log1p` and `erf` are functions of netform-gpu's WGSL prelude, which also has its own of
/// WGSL's that are not accurate enough or hide what is not a number: `exp`, `log`, `tanh`, `pow`, `max` and others.
pub static TABLE: &[Row] = &[
    row("neg", "(-{a})", "(-{a})", &["-1"]),
    row("add", "({a} + {b})", "({a} + {b})", &["1", "1"]),
    row("sub", "({a} - {b})", "({a} - {b})", &["1", "-1"]),
    row("mul", "({a} * {b})", "({a} * {b})", &["b", "a"]),
    row("div", "({a} / {b})", "({a} / {b})", &["1 / b", "-y / b"]),
    row("recip", "(E::ONE / {a})", "(1.0 / {a})", &["-y * y"]),
    row("square", "({a} * {a})", "({a} * {a})", &["2 * a"]),
    row("sqrt", "{a}.sqrt()", "sqrt({a})", &["0.5 / y"]),
    row("exp", "{a}.exp()", "exp({a})", &["y"]),
    row("ln", "{a}.ln()", "log({a})", &["1 / a"]),
    row("tanh", "{a}.tanh()", "tanh({a})", &["1 - y * y"]),
    row("sigmoid", "{a}.sigmoid()", "sigmoid({a})", &["y * (1 - y)"]),
    row("softplus", "{a}.softplus()", "softplus({a})", &["sigmoid(a)"]),
    row("log_sigmoid", "(-(-{a}).softplus())", "(-softplus(-{a}))", &["sigmoid(-a)"]),
    // Not max(a, 0): that would turn a NaN into 0, and hide it.
    row(
        "relu",
        "(if {a} < E::ZERO { E::ZERO } else { {a} })",
        "select({a}, 0.0, {a} < 0.0)",
        &["gt(y, 0)"],
    ),
    row("expm1", "{a}.exp_m1()", "expm1({a})", &["exp(a)"]),
    row("log1p", "{a}.ln_1p()", "log1p({a})", &["1 / (1 + a)"]),
    row("rsqrt", "(E::ONE / {a}.sqrt())", "inverseSqrt({a})", &["-0.5 * y / a"]),
    // 2 / sqrt(pi)
    row("erf", "{a}.erf()", "erf({a})", &["1.1283791670955126 * exp(-a * a)"]),
    row("sin", "{a}.sin()", "sin({a})", &["cos(a)"]),
    row("cos", "{a}.cos()", "cos({a})", &["-sin(a)"]),
    row("tan", "{a}.tan()", "tan({a})", &["1 + y * y"]),
    row("floor", "{a}.floor()", "floor({a})", &["0"]),
    row("ceil", "{a}.ceil()", "ceil({a})", &["0"]),
    // Of two integers that are as near, the even one.
    row("round", "{a}.round()", "round({a})", &["0"]),
    row("abs", "{a}.abs()", "abs({a})", &["sign(a)"]),
    row("sign", "{a}.sign()", "sign({a})", &["0"]),
    row(
        "pow",
        "{a}.powf({b})",
        "pow({a}, {b})",
        &[
            // At exponents and bases of 0 what PyTorch gives, by operands at which no factor is infinite: the
            // derivatives of both are right there too.
            "b * pow(a, select(b, b - 1, 1))",
            "y * ln(select(eq(a, 0) * ge(b, 0), 1, a))",
        ],
    ),
    // At a tie each operand gets half, and a NaN stays one, as in PyTorch: Rust's `max` and `min` would hide it.
    row(
        "max",
        "(if {a} > {b} || {a} != {a} { {a} } else { {b} })",
        "max({a}, {b})",
        &["gt(a, b) + 0.5 * eq(a, b)", "gt(b, a) + 0.5 * eq(a, b)"],
    ),
    row(
        "min",
        "(if {a} < {b} || {a} != {a} { {a} } else { {b} })",
        "min({a}, {b})",
        &["lt(a, b) + 0.5 * eq(a, b)", "lt(b, a) + 0.5 * eq(a, b)"],
    ),
    row("gt", "E::flag({a} > {b})", "f32({a} > {b})", &["0", "0"]),
    row("lt", "E::flag({a} < {b})", "f32({a} < {b})", &["0", "0"]),
    row("ge", "E::flag({a} >= {b})", "f32({a} >= {b})", &["0", "0"]),
    row("le", "E::flag({a} <= {b})", "f32({a} <= {b})", &["0", "0"]),
    // Not f32(a != b): as naga writes it, that is false of what is not a number.
    row("ne", "E::flag({a} != {b})", "(1.0 - f32({a} == {b}))", &["0", "0"]),
    row("eq", "E::flag({a} == {b})", "f32({a} == {b})", &["0", "0"]),
    row(
        "select",
        "E::select({a}, {b}, {c})",
        "select({b}, {c}, {a} == 0.0)",
        &["0", "ne(a, 0)", "eq(a, 0)"],
    ),
];

/// The row of an op.
pub fn find(name: &str) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.name == name)
}

pub fn shape(row: &Row, g: &Graph, inputs: &[NodeId]) -> Result<Shape, String> {
    if inputs.len() != row.arity() {
        return Err(format!(
            "`{}` takes {} operands, found {}",
            row.name,
            row.arity(),
            inputs.len()
        ));
    }
    let mut all: Shape = vec![];
    for &input in inputs {
        let next = g.shape(input);
        all = shape::broadcast(&all, next).ok_or_else(|| {
            format!(
                "`{}` of shapes {} and {}, which do not broadcast",
                row.name,
                show(&all),
                show(next)
            )
        })?;
    }
    Ok(all)
}

pub fn cotangents(
    row: &Row,
    g: &mut Graph,
    node: NodeId,
    dy: NodeId,
) -> Result<Cotangents, String> {
    let operands = g.nodes[node].inputs.clone();
    let mut result = vec![];
    for (i, text) in row.derivatives.iter().enumerate() {
        let integer = g.nodes[operands[i]].integer;
        result.push(match *text {
            _ if integer => None,
            "0" => None,
            "1" => Some(dy),
            "-1" => Some(g.scalar("neg", &[dy])?),
            text => {
                let expr = syn::parse_str(text)
                    .map_err(|e| format!("derivative of `{}`: {e}", row.name))?;
                let factor = evaluate(g, &expr, &operands, node)?;
                Some(g.scalar("mul", &[dy, factor])?)
            }
        });
    }
    Ok(result)
}

/// A derivative of the table as nodes.
fn evaluate(g: &mut Graph, expr: &Expr, operands: &[NodeId], y: NodeId) -> Result<NodeId, String> {
    let all = |g: &mut Graph, name: &str, of: &[&Expr]| {
        let ids = of.iter().map(|e| evaluate(g, e, operands, y)).collect::<Result<Vec<_>, _>>()?;
        g.scalar(name, &ids)
    };
    match &expr.kind {
        ExprKind::Int(n) => Ok(g.constant(*n as f64)),
        ExprKind::Float(x) => Ok(g.constant(*x)),
        ExprKind::Path(_) => match expr.to_string().as_str() {
            "a" => Ok(operands[0]),
            "b" => Ok(operands[1]),
            "c" => Ok(operands[2]),
            _ => Ok(y),
        },
        ExprKind::Negative(x) => all(g, "neg", &[x]),
        ExprKind::Binary(op, a, b) => {
            all(g, binary_name(*op).ok_or("a product of matrices")?, &[a, b])
        }
        ExprKind::Call(name, args) => {
            let args: Vec<&Expr> = args.iter().map(|arg| &arg.value).collect();
            all(g, &name.to_string(), &args)
        }
        _ => Err(format!("`{expr}` in the scalar table")),
    }
}

/// The scalar op of an operator.
pub fn binary_name(op: BinaryOp) -> Option<&'static str> {
    match op {
        BinaryOp::Add => Some("add"),
        BinaryOp::Sub => Some("sub"),
        BinaryOp::Mul => Some("mul"),
        BinaryOp::Div => Some("div"),
        BinaryOp::Greater => Some("gt"),
        BinaryOp::Less => Some("lt"),
        BinaryOp::GreaterEqual => Some("ge"),
        BinaryOp::LessEqual => Some("le"),
        BinaryOp::Equal => Some("eq"),
        BinaryOp::NotEqual => Some("ne"),
        BinaryOp::Matmul => None,
    }
}

/// The value of an op of constants, for folding. Only what rounds the same everywhere.
pub fn fold(row: &Row, operands: &[f64]) -> Option<f64> {
    Some(match (row.name, operands) {
        ("neg", [a]) => -a,
        ("add", [a, b]) => a + b,
        ("sub", [a, b]) => a - b,
        ("mul", [a, b]) => a * b,
        ("div", [a, b]) => a / b,
        ("recip", [a]) => 1.0 / a,
        ("square", [a]) => a * a,
        ("sqrt", [a]) => a.sqrt(),
        ("abs", [a]) => a.abs(),
        ("gt", [a, b]) => f64::from(a > b),
        ("lt", [a, b]) => f64::from(a < b),
        ("ge", [a, b]) => f64::from(a >= b),
        ("le", [a, b]) => f64::from(a <= b),
        ("eq", [a, b]) => f64::from(a == b),
        ("ne", [a, b]) => f64::from(a != b),
        ("select", [a, b, c]) => {
            if *a != 0.0 {
                *b
            } else {
                *c
            }
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::Op;

    #[test]
    fn every_derivative_parses_and_has_the_shape_of_its_operand() {
        for row in TABLE {
            let mut g = Graph::new(row.name);
            let dim = shape::Dim::literal(3);
            let operands: Vec<NodeId> = (0..row.arity())
                .map(|i| g.input(&format!("x{i}"), vec![dim.clone()], false))
                .collect();
            let y = g.push(Op::Scalar(row), &operands).unwrap();
            let dy = g.input("dy", vec![dim.clone()], false);
            for cotangent in cotangents(row, &mut g, y, dy).unwrap().into_iter().flatten() {
                assert!(*g.shape(cotangent) == vec![dim.clone()], "{}", row.name);
            }
            g.check().unwrap();
        }
    }
}
