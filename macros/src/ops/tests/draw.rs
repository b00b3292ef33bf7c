//! Random shapes, numbers and functions: the same ones for the same name.

use crate::graph::{Graph, NodeId};
use crate::interpret::{Environment, Value};
use crate::ops::conv::Window2;
use crate::ops::movement::Range;
use crate::shape::{Dim, Shape};

/// SplitMix64 (Steele, Lea and Flood, 2014), seeded by a name.
pub struct Rng(u64);

impl Rng {
    pub fn new(name: &str) -> Rng {
        let hash = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        Rng(name.bytes().fold(0xcbf2_9ce4_8422_2325, hash))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    /// From the first to the last, both included.
    pub fn within(&mut self, from: usize, to: usize) -> usize {
        from + self.below(to - from + 1)
    }

    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub fn number(&mut self, [from, to]: [f64; 2]) -> f64 {
        from + (to - from) * (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub fn shuffled(&mut self, n: usize) -> Vec<usize> {
        let mut all: Vec<usize> = (0..n).collect();
        for i in (1..n).rev() {
            all.swap(i, self.below(i + 1));
        }
        all
    }

    pub fn value(&mut self, shape: &[usize], range: [f64; 2]) -> Value {
        let n = shape.iter().product();
        Value::new(shape, (0..n).map(|_| self.number(range)).collect())
    }
}

/// A function while it is drawn: its graph, and values for its inputs.
pub struct Draw {
    pub rng: Rng,
    pub g: Graph,
    pub e: Environment,
}

pub fn dims(sizes: &[usize]) -> Shape {
    sizes.iter().map(|n| dim(*n)).collect()
}

pub fn dim(n: usize) -> Dim {
    Dim::literal(n as i128)
}

impl Draw {
    pub fn new(name: &str) -> Draw {
        let mut rng = Rng::new(name);
        let e = Environment { batch: rng.within(1, 3), ..Environment::default() };
        Draw { rng, g: Graph::new("g"), e }
    }

    /// The size of an axis: often 1.
    pub fn size(&mut self) -> usize {
        if self.rng.one_in(3) { 1 } else { self.rng.within(2, 4) }
    }

    pub fn sizes(&mut self, rank: usize) -> Vec<usize> {
        (0..rank).map(|_| self.size()).collect()
    }

    /// A shape of a rank from `least` to 4, at times with the batch as an axis.
    pub fn shape(&mut self, least: usize) -> Shape {
        let rank = self.rng.within(least, 4);
        let sizes = self.sizes(rank);
        let mut shape = dims(&sizes);
        if rank > 0 && self.rng.one_in(3) {
            shape[0] = Dim::batch();
        }
        shape
    }

    /// An input of distinct numbers, none near another or near 0.
    pub fn float(&mut self, shape: &[Dim]) -> NodeId {
        let sizes = self.e.shape(shape).unwrap();
        let n: usize = sizes.iter().product();
        let apart = 3.0 / (n.max(2) - 1) as f64;
        let numbers = self.rng.shuffled(n).into_iter().map(|i| i as f64 * apart - 1.4871);
        self.e.inputs.push(Value::new(&sizes, numbers.collect()));
        self.g.input(&format!("x{}", self.e.inputs.len() - 1), shape.to_vec(), false)
    }

    /// An input of any shape of a rank from `least` to 4.
    pub fn any(&mut self, least: usize) -> NodeId {
        let shape = self.shape(least);
        self.float(&shape)
    }

    /// An input of integers below `n`, some of them equal.
    pub fn index(&mut self, shape: &[Dim], n: usize) -> NodeId {
        let sizes = self.e.shape(shape).unwrap();
        let numbers = (0..sizes.iter().product()).map(|_| self.rng.below(n) as f64).collect();
        self.e.inputs.push(Value::new(&sizes, numbers));
        self.g.input("index", shape.to_vec(), true)
    }

    /// The sizes of a value.
    pub fn of(&self, x: NodeId) -> Vec<usize> {
        self.e.shape(self.g.shape(x)).unwrap()
    }

    pub fn axis(&mut self, x: NodeId) -> usize {
        let rank = self.of(x).len();
        self.rng.below(rank)
    }

    /// Some axes of a value, at least one.
    pub fn axes(&mut self, x: NodeId) -> Vec<usize> {
        let rank = self.of(x).len();
        let mut axes = self.rng.shuffled(rank);
        axes.truncate(self.rng.within(1, rank));
        axes.sort_unstable();
        axes
    }

    /// Places of an axis of `whole`, and how many.
    pub fn range(&mut self, axis: usize, whole: usize) -> (Range, usize) {
        let start = self.rng.below(whole);
        let step = self.rng.within(1, 3);
        let size = self.rng.within(1, (whole - start).div_ceil(step));
        (Range { axis, start: dim(start), step }, size)
    }

    /// A window, and sizes of an image that it fits; without dilation and groups where `pooling`.
    pub fn window(&mut self, pooling: bool) -> (Window2, [usize; 2]) {
        let mut image = [0; 2];
        let mut sides = [const { [0; 4] }; 2];
        for (side, size) in sides.iter_mut().zip(&mut image) {
            let kernel = self.rng.within(1, 3);
            let dilation = if pooling { 1 } else { self.rng.within(1, 2) };
            let padding = self.rng.within(0, if pooling { kernel / 2 } else { 2 });
            let reach = dilation * (kernel - 1) + 1;
            *size = reach.saturating_sub(2 * padding).max(1) + self.rng.below(3);
            *side = [kernel, self.rng.within(1, 3), padding, dilation];
        }
        let pair = |i: usize| [dim(sides[0][i]), dim(sides[1][i])];
        let mut window = Window2::new(pair(0), pair(1), pair(2));
        window.dilation = pair(3);
        (window, image)
    }
}
