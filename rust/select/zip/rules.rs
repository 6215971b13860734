//! What the presets of ZIP do differently.

use std::cmp::Ordering;

use super::End;
use crate::error::Result;
use crate::select::order;
use crate::select::parts::{Reader, Writer, garbled};
use crate::sizer::set::{Framing, ratio};

/// What the presets do differently.
pub(super) trait Rules: Send + Sync {
    /// A comparable state.
    type State: Copy + Send + Sync;

    /// How a set of samples is written.
    const FRAMING: Framing;

    /// Whether the samples of a block that are not picked leave the pool too.
    const BURNS: bool;

    /// The state of a sample that is not to be picked again: higher than any other.
    const GONE: Self::State;

    /// Whether the lowest states can only be told where all states are.
    const GLOBAL: bool;

    /// Whether a state is [`Rules::GONE`].
    fn is_gone(state: Self::State) -> bool;

    /// Writes a state.
    fn write(state: Self::State, content: &mut Writer);

    /// Reads a state.
    fn read(content: &mut Reader<'_>) -> Result<Self::State>;

    /// The state of a set of `raw` bytes that compress to `size`, in whatever unit all sizes are.
    fn state(raw: u64, size: u64) -> Self::State;

    /// Positions of the `k` lowest of `states`, lowest first; `index(position)` is the sample's index.
    fn lowest(states: &[Self::State], k: usize, index: impl Fn(usize) -> usize) -> Vec<usize>;

    /// How many candidates stage 1 takes when `left` samples of a pool of `n` are left, or why it ends the selection.
    fn candidates(k1: usize, left: usize, n: usize) -> std::result::Result<usize, End>;
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
    const GLOBAL: bool = false;

    fn is_gone(state: Fraction) -> bool {
        state.size == 0
    }

    fn write(state: Fraction, content: &mut Writer) {
        content.number(state.raw);
        content.number(state.size);
    }

    fn read(content: &mut Reader<'_>) -> Result<Fraction> {
        Ok(Fraction { raw: content.number()?, size: content.number()? })
    }

    fn state(raw: u64, size: u64) -> Fraction {
        Fraction { raw, size }
    }

    fn lowest(states: &[Fraction], k: usize, index: impl Fn(usize) -> usize) -> Vec<usize> {
        order::by_index(states.len(), k, |a, b| states[a].compare(states[b]).then_with(|| index(a).cmp(&index(b))))
    }

    fn candidates(k1: usize, left: usize, _n: usize) -> std::result::Result<usize, End> {
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
    const GLOBAL: bool = true;

    fn is_gone(state: f32) -> bool {
        state == Self::GONE
    }

    fn write(state: f32, content: &mut Writer) {
        content.word(state.to_le_bytes());
    }

    fn read(content: &mut Reader<'_>) -> Result<f32> {
        let state = f32::from_le_bytes(content.word()?);
        if state.is_nan() { Err(garbled()) } else { Ok(state) }
    }

    fn state(raw: u64, size: u64) -> f32 {
        ratio(raw, size) as f32
    }

    fn lowest(states: &[f32], k: usize, _index: impl Fn(usize) -> usize) -> Vec<usize> {
        order::as_libstdcxx(states, k)
    }

    /// The script cannot run at all on a pool smaller than `k1`, so there is nothing to reproduce: `k1` shrinks with
    /// what is left. On a larger pool it selects samples twice once fewer than `k1` are left: the end.
    fn candidates(k1: usize, left: usize, n: usize) -> std::result::Result<usize, End> {
        match left {
            0 => Err(End::Exhausted),
            left if left >= k1 => Ok(k1),
            left if n < k1 => Ok(left),
            _ => Err(End::TooFewLeft),
        }
    }
}
