//! The first gain of every sample, without a selection.

use rayon::prelude::*;

use super::features::{ByteGrams, Features};
use super::marks::Marks;
use super::survey::Survey;
use super::table::Table;
use super::vocabulary::Vocabulary;
use super::words::WordGrams;
use super::{Params, Unit, check_pool, counts};
use crate::error::Result;
use crate::pool::Pool;
use crate::select::monitor::{Monitor, Stage};
use crate::select::threads::Threads;

/// What each sample would add to the objective as the first pick, in input order: the weight of what it holds that
/// recurs in the pool. The budget and `alpha` don't count.
///
/// # Errors
/// As [`super::select`].
pub fn first_gains(pool: &Pool<'_>, params: &Params, threads: Option<usize>, monitor: &Monitor) -> Result<Vec<f64>> {
    params.check()?;
    check_pool(pool)?;
    Threads::start(threads)?.install(|| match params.unit {
        Unit::Byte => gains_by(pool, ByteGrams::new(params.ngram), params, monitor),
        Unit::Word => gains_by(pool, WordGrams::new(params.ngram), params, monitor),
    })
}

fn gains_by<F: Features>(pool: &Pool<'_>, features: F, params: &Params, monitor: &Monitor) -> Result<Vec<f64>> {
    monitor.enter(Stage::Count, 2 * pool.len());
    let slots = Survey::new(pool, features, monitor)?.slots(pool.bytes());
    let df = counts::document_frequencies(pool, features, slots, params.guard, monitor)?;
    let (vocabulary, df) = Vocabulary::new(slots, df);
    let table = Table::new(df, params.gamma);
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
