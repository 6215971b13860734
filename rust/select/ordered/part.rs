//! What a part of a pool answers when samples are taken in an order.
//!
//! Memory besides the samples: 25 bytes a sample, and 8 more where the order is by scores.

use super::{Turn, differing, drawn};
use crate::error::{Error, Result};
use crate::measure::scores::dsir::{self, BUCKETS};
use crate::select::draw;
use crate::select::parts::{Here, Op, Reader, State, Writer, garbled};

/// How an order is told.
pub(super) const RANDOM: u64 = 0;
pub(super) const WEIGHT: u64 = 1;
pub(super) const DSIR: u64 = 2;

/// Whether there are weights; if so whether all samples that may be picked have the same, and which.
pub(crate) fn weights_part(here: &Here<'_>, content: &Reader<'_>) -> Result<Writer> {
    content.end()?;
    let mut answer = Writer::new();
    let taken = &here.begun.taken;
    answer.flag(here.part.weights.is_some());
    answer.flag(taken.iter().all(|taken| *taken));
    if let Some(weights) = here.part.weights {
        let same = differing(weights, taken);
        answer.flag(same.is_some());
        answer.real(same.unwrap_or(0.0));
    }
    Ok(answer)
}

/// How often each word comes up.
pub(crate) fn words_part(here: &Here<'_>, content: &Reader<'_>) -> Result<Writer> {
    content.end()?;
    let mut answer = Writer::new();
    answer.list(dsir::count(&here.part.pool, here.monitor)?.into_iter());
    Ok(answer)
}

/// Puts the samples that may be picked in their order.
pub(crate) fn order_part(here: &Here<'_>, mut content: Reader<'_>) -> Result<(Box<dyn State>, Writer)> {
    let (part, taken) = (here.part, &here.begun.taken);
    let ordered = match content.number()? {
        RANDOM => {
            let (seed, weighted) = (content.number()?, content.flag()?);
            content.end()?;
            let turns = drawn(seed, part.weights.filter(|_| weighted), taken, part.first);
            Ordered { turns, scores: Vec::new() }
        }
        WEIGHT => {
            content.end()?;
            if part.weights.is_none() && !part.pool.is_empty() {
                return Err(Error::Parameter("there is no weight to take the highest of".into()));
            }
            let weights = part.weights.unwrap_or_default();
            Ordered::highest(here, weights, weights.to_vec())
        }
        DSIR => {
            let mean = content.flag()?;
            let seed = if content.flag()? { Some(content.number()?) } else { None };
            let worth = (0..BUCKETS).map(|_| Ok(i64::from_le_bytes(content.word()?))).collect::<Result<Vec<_>>>()?;
            content.end()?;
            let scored = dsir::scores_by(&part.pool, &worth, here.monitor)?;
            let score = |score: &dsir::Score| {
                if mean { score.log_weight / score.features.max(1) as f64 } else { score.log_weight }
            };
            let scores: Vec<f64> = scored.iter().map(score).collect();
            Ordered::highest(here, &draw::keys_from(part.first, &scores, part.weights, seed), scores)
        }
        _ => return Err(garbled()),
    };
    Ok((Box::new(ordered), Writer::new()))
}

/// Samples in their order.
struct Ordered {
    /// Whose turn is when: positions of samples.
    turns: Vec<(Turn, usize)>,
    /// What each sample was scored; empty if they were not.
    scores: Vec<f64>,
}

impl Ordered {
    /// Those of highest key first, of equal ones the lower index.
    fn highest(here: &Here<'_>, keys: &[f64], scores: Vec<f64>) -> Self {
        let first = here.part.first;
        let left = (0..keys.len()).filter(|&at| !here.begun.taken[at]);
        let mut turns: Vec<_> = left.map(|at| (Turn { key: -keys[at], tie: (first + at) as u64 }, at)).collect();
        rayon::slice::ParallelSliceMut::par_sort_unstable_by(&mut turns[..], |a, b| a.0.compare(b.0));
        Self { turns, scores }
    }
}

impl State for Ordered {
    fn answer(&mut self, here: &mut Here<'_>, op: Op, mut content: Reader<'_>) -> Result<Writer> {
        match op {
            Op::Take => {
                let own = here.positions(&mut content)?;
                let mut costs = Vec::new();
                while !content.is_empty() {
                    costs.push((content.number()?, content.small()?));
                }
                here.take(&own, &costs)?;
                Ok(Writer::new())
            }
            Op::Reopen => {
                content.end()?;
                here.reopen()?;
                Ok(Writer::new())
            }
            Op::Next => self.next(here, content),
            _ => Err(garbled()),
        }
    }
}

impl Ordered {
    /// The next samples, from some turn on, that fit and are not picked; and from where to go on.
    fn next(&self, here: &Here<'_>, mut content: Reader<'_>) -> Result<Writer> {
        let (from, count): (usize, usize) = (content.small()?, content.small()?);
        content.end()?;
        let ledger = here.ledger();
        let (mut samples, mut found, mut next) = (Writer::new(), 0, from);
        for &(turn, at) in self.turns.get(from..).ok_or_else(garbled)? {
            if found == count {
                break;
            }
            next += 1;
            if here.begun.taken[at] || !ledger.fits(at) {
                continue;
            }
            found += 1;
            samples.number(at as u64);
            samples.real(turn.key);
            samples.word(turn.tie.to_le_bytes());
            samples.number(ledger.cost(at));
            samples.number(ledger.group(at) as u64);
            self.scores.get(at).into_iter().for_each(|&score| samples.real(score));
        }
        let mut answer = Writer::new();
        answer.number(next as u64);
        answer.flag(next == self.turns.len());
        answer.bytes(&samples.into_bytes());
        Ok(answer)
    }
}
