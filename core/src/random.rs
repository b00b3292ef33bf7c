//! Random numbers: a counter-based generator, so that a number depends on where it is used and on
//! nothing else. The same on every device, for any number of threads, and on replay.

/// Where all the randomness of a network or a training run begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seed(pub u64);

const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];
const ROUNDS: usize = 10;

/// One block of Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011):
/// four random words for a counter and a key.
#[inline(always)]
pub fn philox(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let ([mut c0, mut c1, mut c2, mut c3], [mut k0, mut k1]) = (counter, key);
    for _ in 0..ROUNDS {
        let p0 = u64::from(MULTIPLIERS[0]) * u64::from(c0);
        let p1 = u64::from(MULTIPLIERS[1]) * u64::from(c2);
        (c0, c2) = ((p1 >> 32) as u32 ^ c1 ^ k0, (p0 >> 32) as u32 ^ c3 ^ k1);
        (c1, c3) = (p1 as u32, p0 as u32);
        (k0, k1) = (k0.wrapping_add(WEYL[0]), k1.wrapping_add(WEYL[1]));
    }
    [c0, c1, c2, c3]
}

/// The two halves of a seed as a key, the lower one first.
#[inline(always)]
pub fn key(seed: u64) -> [u32; 2] {
    [seed as u32, (seed >> 32) as u32]
}

/// The number of a stream from the path of the call that uses it: FNV-1a.
pub const fn stream(path: &str) -> u32 {
    let bytes = path.as_bytes();
    let mut hash = 0x811C_9DC5_u32;
    let mut i = 0;
    while i < bytes.len() {
        hash = (hash ^ bytes[i] as u32).wrapping_mul(0x0100_0193);
        i += 1;
    }
    hash
}

/// The number of a stream in one step of a loop: FNV-1a goes on with the step, so that every step draws other
/// numbers. Nested loops are one in another: `stream_at(stream_at(stream(""), outer), inner)` is a step too.
#[inline]
pub const fn stream_at(stream: u32, step: u32) -> u32 {
    let bytes = step.to_le_bytes();
    let mut hash = stream;
    let mut i = 0;
    while i < bytes.len() {
        hash = (hash ^ bytes[i] as u32).wrapping_mul(0x0100_0193);
        i += 1;
    }
    hash
}

/// The words for [`crate::device::Arg::Uniform`]: for every element of a sample the word `element % 4` of
///
/// ```text
/// philox(counter = [element / 4, stream, sample, step], key = [seed's low half, seed's high half])
/// ```
///
/// where `sample` is the low half of `first_sample + i / per_sample` and `step` the low half of the step.
/// `out[i]` becomes the word of element `first + i`.
#[inline(always)]
pub(crate) fn fill_words(
    out: &mut [u32],
    first: usize,
    stream: u32,
    sample: u32,
    step: u32,
    key: [u32; 2],
) {
    let word =
        |element: usize| philox([(element / 4) as u32, stream, sample, step], key)[element % 4];
    let head = (first.wrapping_neg() % 4).min(out.len());
    let (unaligned, rest) = out.split_at_mut(head);
    for (i, slot) in unaligned.iter_mut().enumerate() {
        *slot = word(first + i);
    }
    let mut block = ((first + head) / 4) as u32;
    let mut chunks = rest.chunks_exact_mut(4 * WIDE);
    for chunk in &mut chunks {
        wide(chunk, block, stream, sample, step, key);
        block = block.wrapping_add(WIDE as u32);
    }
    let rest = chunks.into_remainder();
    if rest.len() > 4 * FEW {
        let mut words = [0; 4 * WIDE];
        wide(&mut words, block, stream, sample, step, key);
        rest.copy_from_slice(&words[..rest.len()]);
        return;
    }
    for group in rest.chunks_mut(4) {
        group.copy_from_slice(&philox([block, stream, sample, step], key)[..group.len()]);
        block = block.wrapping_add(1);
    }
}

/// So many single blocks cost as much as [`WIDE`] together.
const FEW: usize = 3;

/// The blocks that [`wide`] computes together.
const WIDE: usize = 16;

/// [`WIDE`] blocks, word by word instead of block by block, so that the rounds are vectorised.
#[inline(always)]
fn wide(out: &mut [u32], block: u32, stream: u32, sample: u32, step: u32, key: [u32; 2]) {
    let mut c0: [u32; WIDE] = std::array::from_fn(|i| block.wrapping_add(i as u32));
    let (mut c1, mut c2, mut c3) = ([stream; WIDE], [sample; WIDE], [step; WIDE]);
    let [mut k0, mut k1] = key;
    for _ in 0..ROUNDS {
        for i in 0..WIDE {
            let p0 = u64::from(MULTIPLIERS[0]) * u64::from(c0[i]);
            let p1 = u64::from(MULTIPLIERS[1]) * u64::from(c2[i]);
            (c0[i], c2[i]) = ((p1 >> 32) as u32 ^ c1[i] ^ k0, (p0 >> 32) as u32 ^ c3[i] ^ k1);
            (c1[i], c3[i]) = (p1 as u32, p0 as u32);
        }
        (k0, k1) = (k0.wrapping_add(WEYL[0]), k1.wrapping_add(WEYL[1]));
    }
    for (i, group) in out.chunks_exact_mut(4).enumerate() {
        group.copy_from_slice(&[c0[i], c1[i], c2[i], c3[i]]);
    }
}

/// Random numbers on the host: initial weights, the order of samples.
#[derive(Clone, Debug)]
pub struct Rng {
    key: [u32; 2],
    stream: u64,
    block: u64,
    words: [u32; 4],
    used: usize,
}

impl Rng {
    /// The numbers of one stream of a seed; streams are independent.
    pub fn new(seed: Seed, stream: u64) -> Self {
        Rng { key: key(seed.0), stream, block: 0, words: [0; 4], used: 4 }
    }

    /// 32 random bits.
    pub fn next_u32(&mut self) -> u32 {
        if self.used == 4 {
            let ([b0, b1], [s0, s1]) = (key(self.block), key(self.stream));
            self.words = philox([b0, b1, s0, s1], self.key);
            self.block += 1;
            self.used = 0;
        }
        self.used += 1;
        self.words[self.used - 1]
    }

    /// A seed for something of its own: 64 random bits.
    pub fn seed(&mut self) -> Seed {
        Seed(u64::from(self.next_u32()) << 32 | u64::from(self.next_u32()))
    }

    /// A number in [0, 1), of 53 bits.
    pub fn uniform(&mut self) -> f64 {
        let high = u64::from(self.next_u32()) << 32;
        ((high | u64::from(self.next_u32())) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A number of the standard normal distribution (Box and Muller, 1958).
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (2.0 * std::f64::consts::PI * self.uniform()).cos()
    }

    /// A whole number below `n`, each equally likely; 0 if `n` is 0.
    pub fn below(&mut self, n: usize) -> usize {
        if n == 0 {
            return 0;
        }
        // Lemire's method: the high half of a product, rejecting the few draws that would be biased.
        let n = n as u64;
        let threshold = n.wrapping_neg() % n;
        loop {
            let bits = (u64::from(self.next_u32()) << 32) | u64::from(self.next_u32());
            let product = u128::from(bits) * u128::from(n);
            if product as u64 >= threshold {
                return (product >> 64) as usize;
            }
        }
    }

    /// Puts the items in random order (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The known-answer vectors that the authors publish with Random123.
    #[test]
    fn philox_gives_the_published_words() {
        assert_eq!(philox([0; 4], [0; 2]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        assert_eq!(
            philox([u32::MAX; 4], [u32::MAX; 2]),
            [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
        );
        assert_eq!(
            philox(
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0]
            ),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }

    #[test]
    fn words_of_a_sample_do_not_depend_on_where_a_fill_begins() {
        let expected: Vec<u32> =
            (0..300).map(|i| philox([i / 4, 7, 3, 11], [1, 2])[i as usize % 4]).collect();
        for first in [0, 1, 3, 4, 17, 64] {
            for len in [0, 1, 2, 5, 63, 64, 65, 200] {
                let mut out = vec![0; len];
                fill_words(&mut out, first, 7, 3, 11, [1, 2]);
                assert_eq!(out, expected[first..first + len], "{len} from {first}");
            }
        }
    }

    #[test]
    fn distributions_have_their_moments() {
        let mut rng = Rng::new(Seed(42), 0);
        let n = 100_000;
        let uniform = (0..n).map(|_| rng.uniform()).sum::<f64>() / f64::from(n);
        assert!((uniform - 0.5).abs() < 0.01, "{uniform}");
        let normal: Vec<f64> = (0..n).map(|_| rng.normal()).collect();
        let mean = normal.iter().sum::<f64>() / f64::from(n);
        let variance = normal.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / f64::from(n);
        assert!(mean.abs() < 0.02 && (variance - 1.0).abs() < 0.02, "{mean} {variance}");
        let mut counts = [0; 7];
        for _ in 0..70_000 {
            counts[rng.below(7)] += 1;
        }
        assert!(counts.iter().all(|&c: &i32| (c - 10_000).abs() < 500), "{counts:?}");
    }

    #[test]
    fn streams_and_seeds_differ_and_repeat() {
        let draw = |seed, stream| Rng::new(Seed(seed), stream).next_u32();
        assert_eq!(draw(1, 2), draw(1, 2));
        assert_ne!(draw(1, 2), draw(1, 3));
        assert_ne!(draw(1, 2), draw(2, 2));
        let mut items: Vec<usize> = (0..100).collect();
        Rng::new(Seed(5), 0).shuffle(&mut items);
        assert_ne!(items, (0..100).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..100).collect::<Vec<_>>());
        assert_eq!(stream(""), 0x811C_9DC5);
        assert_eq!(stream("a"), 0xE40C_292C);
        assert_eq!(stream_at(stream(""), u32::from_le_bytes(*b"path")), stream("path"));
        let steps: std::collections::BTreeSet<u32> =
            (0..100_000).map(|step| stream_at(stream("dropout"), step)).collect();
        assert_eq!(steps.len(), 100_000);
    }
}
