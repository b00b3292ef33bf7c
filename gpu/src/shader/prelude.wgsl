// Functions of the scalar table with the accuracy of netform's CPU: WGSL leaves some thousand units in the last place to
// its own. Those of the same name stand in front of them. What is not a number is found by its bits, because
// drivers may take it that there is none. No formula relies on (a + b) - b, which drivers may take for a.

fn is_nan(x: f32) -> bool {
    return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}

// Through a variable, because an infinite constant is an error in WGSL.
fn not_a_number() -> f32 {
    var bits = 0x7fc00000u;
    return bitcast<f32>(bits);
}

fn infinity() -> f32 {
    var bits = 0x7f800000u;
    return bitcast<f32>(bits);
}

fn larger(a: f32, b: f32) -> f32 {
    return select(select(b, a, a > b), a, is_nan(a));
}

fn max(a: f32, b: f32) -> f32 {
    return larger(a, b);
}

fn min(a: f32, b: f32) -> f32 {
    return select(select(b, a, a < b), a, is_nan(a));
}

fn least(a: u32, b: u32) -> u32 {
    return select(b, a, a < b);
}

fn sign(x: f32) -> f32 {
    return f32(x > 0.0) - f32(x < 0.0);
}

fn power_of_two(n: i32) -> f32 {
    return bitcast<f32>(u32(n + 127) << 23u);
}

// e^r - 1 for |r| <= ln 2 / 2. Polynomial: Cephes expf (Moshier).
fn expm1_near_zero(r: f32) -> f32 {
    var p = 1.9875691e-4;
    p = p * r + 1.3981999e-3;
    p = p * r + 8.333452e-3;
    p = p * r + 4.1665796e-2;
    p = p * r + 1.6666665e-1;
    p = p * r + 0.5000001;
    return p * (r * r) + r;
}

// ln(1 + f) + e ln 2 for 1 + f from sqrt(1/2) to sqrt(2). Polynomial: Cephes logf (Moshier).
fn log1p_near_zero(f: f32, e: f32) -> f32 {
    let z = f * f;
    var p = 7.0376836e-2;
    p = p * f - 1.151461e-1;
    p = p * f + 1.1676999e-1;
    p = p * f - 1.2420141e-1;
    p = p * f + 1.4249323e-1;
    p = p * f - 1.6668058e-1;
    p = p * f + 2.0000715e-1;
    p = p * f - 2.4999994e-1;
    p = p * f + 3.333333e-1;
    let tail = (p * f * z - 2.1219444e-4 * e) - 0.5 * z;
    return (f + tail) + 0.6933594 * e;
}

// x - n ln 2, with ln 2 in two parts (Cody and Waite).
fn rest_of_ln2(x: f32, n: f32) -> f32 {
    return (x - n * 0.6933594) + n * 2.1219444e-4;
}

fn exp(x: f32) -> f32 {
    if (is_nan(x)) {
        return x;
    }
    let y = clamp(x, -105.0, 89.0);
    let n = round(y * 1.442695);
    let half = i32(n) / 2;
    let r = rest_of_ln2(y, n);
    return (1.0 + expm1_near_zero(r)) * power_of_two(half) * power_of_two(i32(n) - half);
}

fn expm1(x: f32) -> f32 {
    if (is_nan(x)) {
        return x;
    }
    let y = clamp(x, -40.0, 89.0);
    let n = round(y * 1.442695);
    let half = i32(n) / 2;
    let low = power_of_two(half);
    let high = power_of_two(i32(n) - half);
    return low * (high * expm1_near_zero(rest_of_ln2(y, n)) + (high - 1.0 / low));
}

fn log(x: f32) -> f32 {
    if (is_nan(x) || x < 0.0) {
        return not_a_number();
    }
    if (x == 0.0) {
        return -infinity();
    }
    var bits = bitcast<u32>(x);
    if (bits == 0x7f800000u) {
        return x;
    }
    var shift = 0.0;
    if (bits < 0x00800000u) {
        bits = bitcast<u32>(x * 8388608.0);
        shift = -23.0;
    }
    // Subtracting the bits of sqrt(1/2) first makes the mantissa wrap there instead of at 1.
    let offset = bits - 0x3f3504f3u;
    let mantissa = bitcast<f32>((offset & 0x007fffffu) + 0x3f3504f3u);
    return log1p_near_zero(mantissa - 1.0, f32(bitcast<i32>(offset) >> 23u) + shift);
}

// Between sqrt(1/2) and sqrt(2) nothing is lost in 1 + x, because it is not computed.
fn log1p(x: f32) -> f32 {
    if (x > -0.29289 && x < 0.41421) {
        return log1p_near_zero(x, 0.0);
    }
    return log(1.0 + x);
}

// m / (m + 2) with m = e^(2|x|) - 1, which keeps small arguments exact.
fn tanh(x: f32) -> f32 {
    if (is_nan(x)) {
        return x;
    }
    let y = clamp(2.0 * abs(x), 0.0, 20.0);
    let n = round(y * 1.442695);
    let power = power_of_two(i32(n));
    let m = power * expm1_near_zero(rest_of_ln2(y, n)) + (power - 1.0);
    let result = m / (m + 2.0);
    return select(result, -result, x < 0.0);
}

fn sigmoid(x: f32) -> f32 {
    let e = exp(-abs(x));
    return select(1.0, e, x < 0.0) / (1.0 + e);
}

// max(x, 0) + ln(1 + u) with u = e^-|x|: 1 + u is 1 + f, or 2 (1 + f) with f = (u - 1) / 2.
fn softplus(x: f32) -> f32 {
    let u = exp(-abs(x));
    let upper = u > 0.41421357;
    let tail = log1p_near_zero(select(u, (u - 1.0) * 0.5, upper), select(0.0, 1.0, upper));
    return select(x, 0.0, x < 0.0) + tail;
}

// An odd polynomial near 0, 1 - e^polynomial elsewhere: the coefficients are those of N. Juffa's erff.
fn erf(x: f32) -> f32 {
    if (is_nan(x)) {
        return x;
    }
    let t = clamp(abs(x), 0.0, 4.0);
    let s = t * t;
    var result = 0.0;
    if (t > 0.92773438) {
        var q = -1.7285347e-5 * t + 3.8319713e-4;
        q = q * s + (-3.8839644e-3 * t + 2.4254622e-2);
        q = q * t - 1.0677788e-1;
        q = q * t - 6.348467e-1;
        q = q * t - 1.2871751e-1;
        result = 1.0 - exp(q * t - t);
    } else {
        var p = -5.967617e-4;
        p = p * s + 4.9911942e-3;
        p = p * s - 2.6768135e-2;
        p = p * s + 1.12819925e-1;
        p = p * s - 3.7612534e-1;
        p = p * s + 1.2837917e-1;
        result = p * t + t;
    }
    return select(result, -result, x < 0.0);
}

// x^b for x >= 0. The rounding of the exponent is made good to first order.
fn power_of_size(x: f32, b: f32) -> f32 {
    let endless = bitcast<u32>(abs(b)) == 0x7f800000u;
    if (x == 0.0 || bitcast<u32>(x) == 0x7f800000u || endless) {
        if (x == 1.0) {
            return 1.0;
        }
        return select(0.0, infinity(), (x > 1.0) == (b > 0.0));
    }
    let l = log(x);
    let exponent = b * l;
    return exp(exponent) * (1.0 + fma(b, l, -exponent));
}

fn pow(a: f32, b: f32) -> f32 {
    if (b == 0.0 || a == 1.0) {
        return 1.0;
    }
    if (is_nan(a) || is_nan(b)) {
        return not_a_number();
    }
    let whole = floor(b) == b;
    let size = abs(a);
    if (a < 0.0 && !whole && bitcast<u32>(size) != 0x7f800000u) {
        return not_a_number();
    }
    // From 2^24 on all floats are even.
    let odd = whole && abs(b) < 16777216.0 && (i32(clamp(b, -16777216.0, 16777216.0)) & 1) != 0;
    let result = power_of_size(size, b);
    return select(result, -result, odd && (bitcast<u32>(a) >> 31u) != 0u);
}

// The quadrant of an angle, and its rest in it: pi/2 in three parts (Cephes sinf, Moshier).
fn rest_of_quadrant(x: f32, n: f32) -> f32 {
    return ((x - n * 1.5703125) - n * 4.8375129699707031e-4) - n * 7.5497899548918821e-8;
}

fn sine_near_zero(r: f32) -> f32 {
    let z = r * r;
    return ((-1.9515295891e-4 * z + 8.3321608736e-3) * z - 1.6666654611e-1) * z * r + r;
}

fn cosine_near_zero(r: f32) -> f32 {
    let z = r * r;
    return ((2.443315711809948e-5 * z - 1.388731625493765e-3) * z + 4.166664568298827e-2) * z * z - 0.5 * z + 1.0;
}

// The sine of x + turns quarter turns.
fn turned_sine(x: f32, turns: i32) -> f32 {
    if ((bitcast<u32>(x) & 0x7fffffffu) >= 0x7f800000u) {
        return not_a_number();
    }
    let n = round(x * 0.63661977);
    let r = rest_of_quadrant(x, n);
    let quadrant = (i32(n) + turns) & 3;
    let size = select(sine_near_zero(r), cosine_near_zero(r), (quadrant & 1) != 0);
    return select(size, -size, quadrant >= 2);
}

fn sin(x: f32) -> f32 {
    return turned_sine(x, 0);
}

fn cos(x: f32) -> f32 {
    return turned_sine(x, 1);
}

fn tan(x: f32) -> f32 {
    return turned_sine(x, 0) / turned_sine(x, 1);
}

fn high_product(a: u32, b: u32) -> u32 {
    let a0 = a & 0xffffu;
    let a1 = a >> 16u;
    let b0 = b & 0xffffu;
    let b1 = b >> 16u;
    let low = a0 * b0;
    let left = a1 * b0;
    let right = a0 * b1;
    let middle = (low >> 16u) + (left & 0xffffu) + (right & 0xffffu);
    return a1 * b1 + (left >> 16u) + (right >> 16u) + (middle >> 16u);
}

// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011).
fn philox(counter: vec4<u32>, seed: vec2<u32>) -> vec4<u32> {
    var c = counter;
    var key = seed;
    for (var round_ = 0u; round_ < 10u; round_++) {
        c = vec4<u32>(
            high_product(0xCD9E8D57u, c.z) ^ c.y ^ key.x,
            0xCD9E8D57u * c.z,
            high_product(0xD2511F53u, c.x) ^ c.w ^ key.y,
            0xD2511F53u * c.x,
        );
        key = key + vec2<u32>(0x9E3779B9u, 0xBB67AE85u);
    }
    return c;
}

// The number of a position in [0, 1): the word of its element in its sample, 24 bits of it.
fn uniform_number(position: u32, per_sample: u32, stream: u32) -> f32 {
    let element = position % per_sample;
    let counter = vec4<u32>(element / 4u, stream, numbers[3] + position / per_sample, numbers[2]);
    var words = philox(counter, vec2<u32>(numbers[0], numbers[1]));
    return f32(words[element % 4u] >> 8u) * 5.9604644775390625e-8;
}

// Those of four positions from a multiple of four on, of samples that have a multiple of four.
fn uniform_numbers(position: u32, per_sample: u32, stream: u32) -> vec4<f32> {
    let element = position % per_sample;
    let counter = vec4<u32>(element / 4u, stream, numbers[3] + position / per_sample, numbers[2]);
    let words = philox(counter, vec2<u32>(numbers[0], numbers[1]));
    return vec4<f32>(words >> vec4<u32>(8u)) * 5.9604644775390625e-8;
}
