//! Curves within a line of text, of eight blocks.

const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The values from left to right, from the least as the lowest block to the largest as the highest; of more than `width`,
/// each block is the mean of several. What is infinite or not a number is a `×`.
pub(super) fn sparkline(values: &[f64], width: usize) -> String {
    let pieces = values.len().min(width).max(1);
    let piece = |i: usize| &values[i * values.len() / pieces..(i + 1) * values.len() / pieces];
    let mean = |values: &[f64]| values.iter().map(|x| x / values.len() as f64).sum::<f64>();
    let means: Vec<f64> = (0..pieces).map(piece).filter(|it| !it.is_empty()).map(mean).collect();
    let finite = means.iter().copied().filter(|x| x.is_finite());
    let (low, high) = finite.fold((f64::MAX, f64::MIN), |(a, b), x| (a.min(x), b.max(x)));
    let block = |x: f64| {
        if !x.is_finite() {
            return '×';
        }
        // Halves, so that the range of any two numbers is finite.
        let part = (x / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0);
        let top = BLOCKS.len() - 1;
        BLOCKS[((part * top as f64).round() as usize).min(top)]
    };
    means.into_iter().map(block).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn from_the_least_to_the_largest() {
        assert_eq!(sparkline(&[8.0, 4.0, 2.0, 1.0], 8), "█▄▂▁");
        assert_eq!(sparkline(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], 8), "▁▂▃▄▅▆▇█");
    }

    #[test]
    fn many_values_are_pieces() {
        let values: Vec<f64> = (0..1000).map(f64::from).collect();
        assert_eq!(sparkline(&values, 8), "▁▂▃▄▅▆▇█");
        assert_eq!(sparkline(&values[..9], 8).chars().count(), 8);
    }

    #[test]
    fn any_values_have_a_line() {
        assert_eq!(sparkline(&[], 8), "");
        assert_eq!(sparkline(&[3.0], 8), "▁");
        assert_eq!(sparkline(&[3.0; 3], 8), "▁▁▁");
        assert_eq!(sparkline(&[1.0, f64::NAN, f64::INFINITY, 2.0], 8), "▁××█");
        assert_eq!(sparkline(&[f64::MIN, f64::MAX], 8), "▁█");
        assert_eq!(sparkline(&[f64::NAN; 2], 8), "××");
        assert_eq!(sparkline(&[1.0, 2.0], 0), "▁");
    }
}
