//! What the presets of ZIP do differently.

use std::cmp::Ordering;

use super::End;
use crate::select::order;
use crate::sizer::set::{Framing, ratio};

/// What the presets do differently.
pub(super) trait Rules {
    /// A comparable state.
    type State: Copy + Send + Sync;

    /// How a set of samples is written.
    const FRAMING: Framing;

    /// Whether the samples of a block that are not picked leave the pool too.
    const BURNS: bool;

    /// The state of a sample that is not to be picked again: higher than any other.
    const GONE: Self::State;

    /// The state of a set of `raw` bytes that compress to `size`, in whatever unit all sizes are.
    fn state(raw: u64, size: u64) -> Self::State;

    /// Positions of the `k` lowest of `states`, lowest first; `index(position)` is the sample's index.
    fn lowest(states: &[Self::State], k: usize, index: impl Fn(usize) -> usize) -> Vec<usize>;

    /// How many candidates stage 1 takes when `left` samples of a pool of `n` are left, or why it ends the selection.
    fn candidates(k1: usize, left: usize, n: usize) -> Result<usize, End>;
}

/// [`super::Preset::Paper`].
pub(super) struct Paper;

/// A ratio that is compared exactly.
#[derive(Clone, Copy)]
pub(super) struct Fraction {
    raw: u64,
    size: u64,
}

impl Fraction {
    fn compare(self, other: Self) -> Ordering {
        let cross = |a: Self, b: Self| u128::from(a.raw) * u128::from(b.size);
        cross(self, other).cmp(&cross(other, self))
    }
}

impl Rules for Paper {
    type State = Fraction;
    const FRAMING: Framing = Framing::CONCATENATION;
    const BURNS: bool = false;
    const GONE: Fraction = Fraction { raw: 1, size: 0 };

    fn state(raw: u64, size: u64) -> Fraction {
        Fraction { raw, size }
    }

    fn lowest(states: &[Fraction], k: usize, index: impl Fn(usize) -> usize) -> Vec<usize> {
        order::by_index(states.len(), k, |a, b| states[a].compare(states[b]).then_with(|| index(a).cmp(&index(b))))
    }

    fn candidates(k1: usize, left: usize, _n: usize) -> Result<usize, End> {
        if left == 0 { Err(End::Exhausted) } else { Ok(k1.min(left)) }
    }
}

/// [`super::Preset::Reference`].
pub(super) struct Reference;

impl Rules for Reference {
    type State = f32;
    const FRAMING: Framing = Framing::PYTHON_LIST;
    const BURNS: bool = true;
    const GONE: f32 = 1_000_000.0;

    fn state(raw: u64, size: u64) -> f32 {
        ratio(raw, size) as f32
    }

    fn lowest(states: &[f32], k: usize, _index: impl Fn(usize) -> usize) -> Vec<usize> {
        order::as_libstdcxx(states, k)
    }

    /// The script cannot run at all on a pool smaller than `k1`, so there is nothing to reproduce: `k1` shrinks with
    /// what is left. On a larger pool it selects samples twice once fewer than `k1` are left: the end.
    fn candidates(k1: usize, left: usize, n: usize) -> Result<usize, End> {
        match left {
            0 => Err(End::Exhausted),
            left if left >= k1 => Ok(k1),
            left if n < k1 => Ok(left),
            _ => Err(End::TooFewLeft),
        }
    }
}
