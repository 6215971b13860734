//! The first gain of every sample, without a selection.

use rayon::prelude::*;

use super::marks::Marks;
use super::params::{Params, Unit};
use super::target::Target;
use super::task::{Read, Task};
use crate::error::Result;
use crate::pool::Pool;
use crate::run::monitor::{Monitor, Stage};
use crate::run::threads::Threads;
use crate::text::features::{ByteGrams, Features, Sampled};
use crate::text::words::WordGrams;

/// What each sample would add to the objective as the first pick, in input order: the weight of what it holds that
/// recurs in the pool, or is in the target. The budget and `alpha` don't count.
///
/// # Errors
/// As [`super::select`].
pub fn first_gains(
    pool: &Pool<'_>,
    params: &Params,
    target: Option<&Target<'_>>,
    threads: Option<usize>,
    monitor: &Monitor,
) -> Result<Vec<f64>> {
    let task = Task::new(pool, params, target, monitor)?;
    Threads::start(threads)?.install(|| match params.unit {
        Unit::Byte => gains_by(&task, Sampled::new(ByteGrams::new(params.ngram), params.one_in)),
        Unit::Word => gains_by(&task, Sampled::new(WordGrams::new(params.ngram), params.one_in)),
    })
}

fn gains_by<F: Features>(task: &Task<'_>, features: F) -> Result<Vec<f64>> {
    let Read { vocabulary, table, .. } = task.read(features)?;
    let &Task { pool, monitor, .. } = task;
    monitor.enter(Stage::Score, pool.len());
    let gain = |marks: &mut Marks, index| {
        monitor.check()?;
        vocabulary.read(features, pool.sample(index), marks);
        monitor.steps(1);
        let mut gain = 0;
        marks.drain(|feature| gain += table.marginal(feature));
        Ok(gain as f64 / table.unit())
    };
    (0..pool.len()).into_par_iter().map_init(|| Marks::new(vocabulary.len()), gain).collect()
}
