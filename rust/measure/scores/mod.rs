//! What each sample of a pool is worth by itself, for methods that score all samples once and then take them in order
//! ([`crate::select::ordered`]).
//!
//! [`dsir`] and [`zipfit`] score likeness to a target, [`density`] how common a sample's kind is in the pool. All are the
//! same to the last bit on every platform and at any number of threads: whole numbers are summed in any order, real ones in
//! one that the samples alone decide.

pub mod density;
pub mod dsir;
pub mod zipfit;

use rayon::prelude::*;

use crate::error::Result;
use crate::pool::Pool;
use crate::run::monitor::Monitor;

/// Samples of a pool that a thread takes at once, between two looks at the monitor.
const AT_ONCE: usize = 64;

/// What `score` says of every sample, in their order. Call it inside of [`crate::run::threads::Threads::install`].
fn each<R: Send>(pool: &Pool<'_>, monitor: &Monitor, score: impl Fn(&[u8]) -> R + Sync) -> Result<Vec<R>> {
    let batches = (0..pool.len()).into_par_iter().step_by(AT_ONCE).map(|start| {
        monitor.check()?;
        let end = pool.len().min(start + AT_ONCE);
        let scores: Vec<R> = (start..end).map(|index| score(pool.sample(index))).collect();
        monitor.steps(scores.len());
        Ok(scores)
    });
    let batches: Vec<Vec<R>> = batches.collect::<Result<_>>()?;
    Ok(batches.into_iter().flatten().collect())
}
