//! Coverage: greedy selection of samples that hold, together, as much as possible of what recurs in the pool.
//!
//! A sample is the set of its features, byte or word n-grams. The objective
//!
//! ```text
//! f(S) = sum over features g of  df(g)^gamma * log((c(g) + 0.1) / 0.1)
//! ```
//!
//! where `c(g)` samples of the selection S and `df(g)` samples of the pool have the feature, is monotone and
//! submodular: the greedy algorithm comes within `1 - 1/e` of the best selection of a given size, and can be evaluated
//! lazily ([`super::greedy`]). Features that do not *recur* have no weight: noise is new every time, and nothing is learnt
//! from it. A feature recurs if it occurs in at least `min_df` samples and after at least two different left contexts, so
//! that copies of noise do not recur either (`counts`). Counts start from 0.1, not from 1.1: subsets then predict held-out
//! text better, whatever the unit. With a target ([`Target`]), features weigh by how often it has them, too (`weights`).
//!
//! Unlike the sizers, this sees the whole selection, whatever its size. Three passes over the pool size a table
//! (`survey`), count in it (`counts`), and turn every sample into a list of numbers (`vocabulary`, `lists`); from
//! there on no text is looked at. A pick costs some hundred evaluations, each linear in the length of a list.
//!
//! Of large pools a part of the features is enough ([`Params::one_in`]): those whose hashes fall into one class, the same
//! ones everywhere. All that follows is then that of a pool with no other features.
//!
//! Memory besides the pool, if one in `m` features counts: 4 bytes a slot of the table, of which there are at most a quarter
//! of the pool's bytes, divided by `m` (or 2^22); 4 bytes a recurring feature; the lists; 25 bytes a sample. Lists are
//! held in memory only up to [`Params::memory`], and while all of that is below 2.5 bytes a byte of pool, divided by `m`, and
//! 25 bytes a sample (or 64 MiB); the others lie in a temporary file. To that come a bit a feature for each thread, and at
//! most about 64 MiB for the survey. A target takes some 40 bytes for each of its distinct features that count, and 4 for
//! each thread.

mod coordinator;
mod counts;
mod distinct;
mod first;
mod lists;
mod marks;
mod memory;
mod objective;
mod params;
mod part;
mod picking;
mod survey;
mod table;
mod target;
mod task;
#[cfg(test)]
mod tests;
mod vocabulary;
mod weights;
mod wire;

use std::time::{Duration, Instant};

pub use self::coordinator::select_parts;
pub use self::counts::Guard;
pub use self::first::first_gains;
use self::lists::Lists;
use self::marks::Marks;
pub use self::memory::auto_one_in;
use self::objective::Covered;
pub use self::params::{MOST_SAMPLED, Params, Unit};
pub(crate) use self::part::{count_part, survey_part};
use self::picking::Picks;
use self::survey::Survey;
use self::table::Table;
use self::target::Aims;
pub use self::target::Target;
use self::task::{Read, Task};
use super::controls::{Controls, Known};
use super::greedy::{self, Greedy};
use crate::error::Result;
use crate::hash::Slots;
use crate::pool::Pool;
use crate::run::journal::Journal;
use crate::run::monitor::{Monitor, Stage};
use crate::run::scratch::Scratch;
use crate::run::threads::Threads;
use crate::text::features::{ByteGrams, Features, Sampled};
use crate::text::words::WordGrams;

/// Time spent, by stage.
#[derive(Debug, Clone, Copy, Default)]
pub struct Timings {
    /// Counting features.
    pub count: Duration,
    /// The first gain of every sample.
    pub score: Duration,
    /// Picking.
    pub pick: Duration,
}

/// What was selected, and the trace of how.
#[derive(Debug, Clone)]
pub struct Selection {
    /// Indices in pick order.
    pub indices: Vec<i64>,
    /// What each pick added to the objective.
    pub gains: Vec<f64>,
    /// The sum of the gains.
    pub objective: f64,
    /// Share of the recurring features, by weight, that is in the selection or was known.
    pub coverage: f64,
    /// Gains computed after the first one of every sample.
    pub evaluations: u64,
    /// Distinct features of the pool, recurring or not: estimated, exact for small pools.
    pub features: u64,
    /// Slots of the table.
    pub slots: u64,
    /// Share of the features that have a slot in common with another one.
    pub collisions: f64,
    /// What it is of the target, if there is one.
    pub target: Option<TargetShare>,
    /// Time spent.
    pub timings: Timings,
}

/// What a selection is of its target.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetShare {
    /// Share of the target's features, by weight, that is in the selection or was known, after each pick.
    pub reached: Vec<f64>,
    /// Share of them that is in the pool: no selection reaches more.
    pub reachable: f64,
    /// Features in two samples of the target or more.
    pub recurring: u64,
    /// Of these, the ones that the pool has.
    pub recurring_shared: u64,
}

impl Selection {
    /// What picks come to, in gains of 1.
    fn of(picks: Picks, survey: &Survey, slots: Slots, table: &Table, aims: Option<Aims>, timings: Timings) -> Self {
        let Picks { indices, gains, reached, evaluations } = picks;
        Self {
            indices,
            objective: gains.iter().map(|&gain| u128::from(gain)).sum::<u128>() as f64 / table.unit(),
            gains: gains.into_iter().map(|gain| gain as f64 / table.unit()).collect(),
            coverage: table.coverage(),
            evaluations,
            features: survey.features(),
            slots: slots.len() as u64,
            collisions: survey.collisions(slots),
            target: aims.map(|Aims { recurring, recurring_shared, .. }| TargetShare {
                reached,
                reachable: table.reachable(),
                recurring,
                recurring_shared,
            }),
            timings,
        }
    }
}

/// Selects from `pool` on `threads` threads (`None`: as many as this process may use).
///
/// Features recur by the pool alone, whatever is known. Nothing is selected from a target, and what is in it does not count
/// as known. The result depends on the pool, the target, the parameters and the controls alone: not on the number of
/// threads, nor on the platform, nor on how often it was interrupted and resumed from its journal.
///
/// # Errors
/// [`Error::Parameter`] for parameters that make no selection, [`Error::Interrupted`] when the monitor says so,
/// [`Error::Checkpoint`] if the journal can't be written or is not of this selection.
pub fn select(
    pool: &Pool<'_>,
    params: &Params,
    target: Option<&Target<'_>>,
    controls: &Controls<'_>,
    journal: &mut Journal<'_>,
    threads: Option<usize>,
    monitor: &Monitor,
) -> Result<Selection> {
    let task = Task::new(pool, params, target, monitor)?;
    controls.check(pool)?;
    let room = memory::room(pool, params.one_in);
    Threads::start(threads)?.install(|| match params.unit {
        Unit::Byte => task.select(Sampled::new(ByteGrams::new(params.ngram), params.one_in), controls, journal, room),
        Unit::Word => task.select(Sampled::new(WordGrams::new(params.ngram), params.one_in), controls, journal, room),
    })
}

impl Task<'_> {
    fn select<F: Features>(
        &self,
        features: F,
        controls: &Controls<'_>,
        journal: &mut Journal<'_>,
        room: usize,
    ) -> Result<Selection> {
        let &Self { pool, params, monitor, .. } = self;
        let start = Instant::now();
        let Read { survey, slots, vocabulary, mut table, aims } = self.read(features)?;
        let counted = Instant::now();

        monitor.enter(Stage::Score, pool.len());
        if let Known::Pool(known) = controls.known {
            let mut marks = Marks::new(vocabulary.len());
            for sample in known.iter() {
                monitor.check()?;
                vocabulary.read(features, sample, &mut marks);
                marks.drain(|feature| _ = table.select(feature));
            }
        }
        let room = room.saturating_sub(vocabulary.memory() + table.memory() + greedy::BYTES_A_SAMPLE * pool.len());
        let room = room.min(params.memory);
        let lists = Lists::new(pool, features, vocabulary, room, Scratch::default(), monitor)?;
        let mut objective = Covered::new(pool, lists, table);
        let known = controls.known.mask(pool)?;
        (0..pool.len()).filter(|&index| known[index]).for_each(|index| objective.know(index));
        let greedy = Greedy::start(pool, controls, params.alpha, objective, journal, monitor)?;
        let scored = Instant::now();
        let picks = greedy.run()?;

        let (_, table, reached) = picks.objective.into_parts();
        let timings = Timings { count: counted - start, score: scored - counted, pick: scored.elapsed() };
        let picks = Picks { indices: picks.indices, gains: picks.gains, reached, evaluations: picks.evaluations };
        Ok(Selection::of(picks, &survey, slots, &table, aims, timings))
    }
}
