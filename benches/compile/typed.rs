//! Typed layers as one writes them by hand: sizes are type parameters, and a network is a nested type.

use netform::dim::{D, Static};

/// A layer from values of `X`, one sample after another.
pub trait Layer<X> {
    type Output;
    fn new() -> Self;
    /// The output, of which a layer keeps what its derivative needs.
    fn forward(&mut self, x: Vec<f32>) -> Vec<f32>;
    /// The gradient of the input; weights take a step of gradient descent.
    fn backward(&mut self, dy: Vec<f32>, rate: f32) -> Vec<f32>;
}

/// An image of C channels.
pub struct Image<C, H, W>(std::marker::PhantomData<(C, H, W)>);
/// A row of N numbers.
pub struct Row<N>(std::marker::PhantomData<N>);

/// A layer and then another.
pub struct Then<A, B>(A, B);

impl<X, A: Layer<X>, B: Layer<A::Output>> Layer<X> for Then<A, B> {
    type Output = B::Output;
    fn new() -> Self {
        Then(A::new(), B::new())
    }
    fn forward(&mut self, x: Vec<f32>) -> Vec<f32> {
        let y = self.0.forward(x);
        self.1.forward(y)
    }
    fn backward(&mut self, dy: Vec<f32>, rate: f32) -> Vec<f32> {
        let dx = self.1.backward(dy, rate);
        self.0.backward(dx, rate)
    }
}

fn weights(len: usize, fan_in: usize) -> Vec<f32> {
    let scale = (2.0 / fan_in as f32).sqrt();
    (0..len).map(|i| scale * ((i * 7919 % 2003) as f32 / 1001.0 - 1.0)).collect()
}

/// A convolution to O channels of HO x WO points, with a kernel of K x K.
pub struct Conv2d<O, HO, WO, const K: usize, const S: usize, const P: usize> {
    weight: Vec<f32>,
    bias: Vec<f32>,
    x: Vec<f32>,
    to: std::marker::PhantomData<(O, HO, WO)>,
}

impl<O: Static, HO: Static, WO: Static, const K: usize, const S: usize, const P: usize>
    Conv2d<O, HO, WO, K, S, P>
{
    /// Calls `f` with the places of an output, an input and a weight, for every product that there is.
    fn products<C: Static, H: Static, W: Static>(
        samples: usize,
        mut f: impl FnMut(usize, usize, usize),
    ) {
        for (n, o) in (0..samples).flat_map(|n| (0..O::N).map(move |o| (n, o))) {
            for (i, j) in (0..HO::N).flat_map(|i| (0..WO::N).map(move |j| (i, j))) {
                for (c, k) in (0..C::N).flat_map(|c| (0..K * K).map(move |k| (c, k))) {
                    let (h, w) = (i * S + k / K, j * S + k % K);
                    if h >= P && w >= P && h - P < H::N && w - P < W::N {
                        let y = ((n * O::N + o) * HO::N + i) * WO::N + j;
                        let x = ((n * C::N + c) * H::N + h - P) * W::N + w - P;
                        f(y, x, (o * C::N + c) * K * K + k);
                    }
                }
            }
        }
    }
}

impl<C, H, W, O, HO, WO, const K: usize, const S: usize, const P: usize> Layer<Image<C, H, W>>
    for Conv2d<O, HO, WO, K, S, P>
where
    C: Static,
    H: Static,
    W: Static,
    O: Static,
    HO: Static,
    WO: Static,
{
    type Output = Image<O, HO, WO>;
    fn new() -> Self {
        let fan_in = C::N * K * K;
        let (weight, bias) = (weights(O::N * fan_in, fan_in), vec![0.0; O::N]);
        Conv2d { weight, bias, x: vec![], to: std::marker::PhantomData }
    }
    fn forward(&mut self, x: Vec<f32>) -> Vec<f32> {
        let samples = x.len() / (C::N * H::N * W::N);
        let points = HO::N * WO::N;
        let mut y: Vec<f32> =
            (0..samples * O::N * points).map(|i| self.bias[i / points % O::N]).collect();
        Self::products::<C, H, W>(samples, |i, j, k| y[i] += x[j] * self.weight[k]);
        self.x = x;
        y
    }
    fn backward(&mut self, dy: Vec<f32>, rate: f32) -> Vec<f32> {
        let samples = self.x.len() / (C::N * H::N * W::N);
        let mut dx = vec![0.0; self.x.len()];
        let mut dw = vec![0.0; self.weight.len()];
        Self::products::<C, H, W>(samples, |i, j, k| {
            dx[j] += dy[i] * self.weight[k];
            dw[k] += dy[i] * self.x[j];
        });
        self.weight.iter_mut().zip(&dw).for_each(|(w, dw)| *w -= rate * dw);
        let points = HO::N * WO::N;
        dy.iter().enumerate().for_each(|(i, dy)| self.bias[i / points % O::N] -= rate * dy);
        dx
    }
}

/// A fully connected layer to O numbers.
pub struct Linear<O> {
    weight: Vec<f32>,
    bias: Vec<f32>,
    x: Vec<f32>,
    to: std::marker::PhantomData<O>,
}

impl<I: Static, O: Static> Layer<Row<I>> for Linear<O> {
    type Output = Row<O>;
    fn new() -> Self {
        let (weight, bias) = (weights(I::N * O::N, I::N), vec![0.0; O::N]);
        Linear { weight, bias, x: vec![], to: std::marker::PhantomData }
    }
    fn forward(&mut self, x: Vec<f32>) -> Vec<f32> {
        let row = |x: &[f32], o: usize| -> f32 {
            let products = x.iter().zip(&self.weight[o * I::N..]).map(|(x, w)| x * w);
            products.sum::<f32>() + self.bias[o]
        };
        let y = x.chunks(I::N).flat_map(|x| (0..O::N).map(|o| row(x, o)).collect::<Vec<_>>());
        let y = y.collect();
        self.x = x;
        y
    }
    fn backward(&mut self, dy: Vec<f32>, rate: f32) -> Vec<f32> {
        let mut dx = vec![0.0; self.x.len()];
        let mut dw = vec![0.0; self.weight.len()];
        for (i, dy) in dy.iter().enumerate() {
            let (n, o) = (i / O::N, i % O::N);
            for k in 0..I::N {
                dx[n * I::N + k] += dy * self.weight[o * I::N + k];
                dw[o * I::N + k] += dy * self.x[n * I::N + k];
            }
            self.bias[o] -= rate * dy;
        }
        self.weight.iter_mut().zip(&dw).for_each(|(w, dw)| *w -= rate * dw);
        dx
    }
}

/// `max(x, 0)`
pub struct Relu(Vec<f32>);

impl<X> Layer<X> for Relu {
    type Output = X;
    fn new() -> Self {
        Relu(vec![])
    }
    fn forward(&mut self, mut x: Vec<f32>) -> Vec<f32> {
        x.iter_mut().for_each(|x| *x = x.max(0.0));
        self.0.clone_from(&x);
        x
    }
    fn backward(&mut self, mut dy: Vec<f32>, _: f32) -> Vec<f32> {
        dy.iter_mut().zip(&self.0).for_each(|(dy, y)| *dy *= f32::from(u8::from(*y > 0.0)));
        dy
    }
}

/// The maximum of windows of 2 x 2: HO x WO of them.
pub struct MaxPool2d<HO, WO> {
    places: Vec<usize>,
    len: usize,
    to: std::marker::PhantomData<(HO, WO)>,
}

impl<C: Static, H: Static, W: Static, HO: Static, WO: Static> Layer<Image<C, H, W>>
    for MaxPool2d<HO, WO>
{
    type Output = Image<C, HO, WO>;
    fn new() -> Self {
        MaxPool2d { places: vec![], len: 0, to: std::marker::PhantomData }
    }
    fn forward(&mut self, x: Vec<f32>) -> Vec<f32> {
        let planes = x.len() / (H::N * W::N);
        let largest = |i: usize| {
            let (plane, h, w) = (i / (HO::N * WO::N), i / WO::N % HO::N, i % WO::N);
            let first = (plane * H::N + 2 * h) * W::N + 2 * w;
            let window = [first, first + 1, first + W::N, first + W::N + 1];
            window.into_iter().reduce(|a, b| if x[b] > x[a] { b } else { a }).unwrap_or(first)
        };
        self.places = (0..planes * HO::N * WO::N).map(largest).collect();
        self.len = x.len();
        self.places.iter().map(|i| x[*i]).collect()
    }
    fn backward(&mut self, dy: Vec<f32>, _: f32) -> Vec<f32> {
        let mut dx = vec![0.0; self.len];
        self.places.iter().zip(dy).for_each(|(i, dy)| dx[*i] += dy);
        dx
    }
}

/// An image as a row of N numbers.
pub struct Flatten<N>(std::marker::PhantomData<N>);

impl<C: Static, H: Static, W: Static, N: Static> Layer<Image<C, H, W>> for Flatten<N> {
    type Output = Row<N>;
    fn new() -> Self {
        assert_eq!(C::N * H::N * W::N, N::N);
        Flatten(std::marker::PhantomData)
    }
    fn forward(&mut self, x: Vec<f32>) -> Vec<f32> {
        x
    }
    fn backward(&mut self, dy: Vec<f32>, _: f32) -> Vec<f32> {
        dy
    }
}

/// One step of training a network to yield zeros.
pub fn step<X, N: Layer<X>>(samples: usize, len: usize) -> f32 {
    let mut net = N::new();
    let y = net.forward(vec![0.5; samples * len]);
    let loss = y.iter().map(|y| y * y).sum();
    net.backward(y, 1e-3);
    loss
}
