//! What is done to each element; of two operands, which broadcast, to each pair.

use super::Value;

functions! {
    /// `neg(x)`, `-x`
    neg((x));
    /// `add(a, b)`, `a + b`
    add((x) other: Value);
    /// `sub(a, b)`, `a - b`
    sub((x) other: Value);
    /// `mul(a, b)`, `a * b`
    mul((x) other: Value);
    /// `div(a, b)`, `a / b`
    div((x) other: Value);
    /// `recip(x)`: 1 / x.
    recip((x));
    /// `square(x)`: x².
    square((x));
    /// `sqrt(x)`: √x.
    sqrt((x));
    /// `rsqrt(x)`: 1 / √x.
    rsqrt((x));
    /// `pow(x, y)`: xʸ.
    pow((x) exponent: Value);
    /// `exp(x)`: eˣ.
    exp((x));
    /// `expm1(x)`: eˣ - 1, precise near 0.
    expm1((x));
    /// `ln(x)`: the natural logarithm.
    ln((x));
    /// `log1p(x)`: ln(1 + x), precise near 0.
    log1p((x));
    /// `sin(x)`, of radians.
    sin((x));
    /// `cos(x)`, of radians.
    cos((x));
    /// `tan(x)`, of radians.
    tan((x));
    /// `tanh(x)`: the hyperbolic tangent.
    tanh((x));
    /// `erf(x)`: the error function, 2 / √π times the integral of e^(-t²) from 0 to x.
    erf((x));
    /// `abs(x)`: |x|, with a derivative of 0 at 0.
    abs((x));
    /// `sign(x)`: -1, 0 or 1, with a derivative of 0.
    sign((x));
    /// `floor(x)`: the next whole number below, with a derivative of 0.
    floor((x));
    /// `ceil(x)`: the next whole number above, with a derivative of 0.
    ceil((x));
    /// `round(x)`: the nearest whole number, of two the even one, with a derivative of 0.
    round((x));
    /// `clamp(x, min = 0.0, max = 1.0)`: x, or the bound that it is beyond; at least one bound is given.
    clamp((x) min: f64, max: f64);
    /// `gt(a, b)`, `a > b`: 1 or 0, with a derivative of 0.
    gt((x) other: Value);
    /// `lt(a, b)`, `a < b`: 1 or 0, with a derivative of 0.
    lt((x) other: Value);
    /// `ge(a, b)`, `a >= b`: 1 or 0, with a derivative of 0.
    ge((x) other: Value);
    /// `le(a, b)`, `a <= b`: 1 or 0, with a derivative of 0.
    le((x) other: Value);
    /// `ne(a, b)`, `a != b`: 1 or 0, with a derivative of 0.
    ne((x) other: Value);
    /// `eq(a, b)`, `a == b`: 1 or 0, with a derivative of 0.
    eq((x) other: Value);
    /// `select(condition, a, b)`: a where the condition is not 0, else b. Both are computed.
    select((x) a: Value, b: Value);
    /// `relu(x)`: max(x, 0).
    relu((x));
    /// `sigmoid(x)`: 1 / (1 + e⁻ˣ).
    sigmoid((x));
    /// `log_sigmoid(x)`: ln(1 / (1 + e⁻ˣ)).
    log_sigmoid((x));
    /// `softplus(x)`: ln(1 + eˣ).
    softplus((x));
    /// `gelu(x, approximate = none)`: x Φ(x), with Φ the standard normal distribution (Hendrycks and Gimpel, 2016).
    ///
    /// `approximate` is `none`, as where it is not given, or `tanh`, which is faster.
    /// [PyTorch](https://docs.pytorch.org/docs/stable/generated/torch.nn.GELU.html)
    gelu((x) approximate: &'static str);
    /// `silu(x)`: x sigmoid(x).
    silu((x));
    /// `elu(x, alpha = 1.0)`: x, or `alpha` (eˣ - 1) where that is negative.
    elu((x) alpha: f64);
    /// `leaky_relu(x, slope = 0.01)`: x, or `slope` times x where that is negative.
    leaky_relu((x) slope: f64);
    /// `float(indices)`: integers as floats.
    float((x));
}
