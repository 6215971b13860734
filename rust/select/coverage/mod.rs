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
//! lazily (`greedy`). Features that do not *recur* have no weight: noise is new every time, and nothing is learnt
//! from it. A feature recurs if it occurs in at least `min_df` samples and after at least two different left contexts, so
//! that copies of noise do not recur either (`counts`). Counts start from 0.1, not from 1.1: subsets then predict held-out
//! text better, whatever the unit. With a target ([`Target`]), features weigh by how often it has them, too (`weights`).
//!
//! Unlike the sizers, this sees the whole selection, whatever its size. Three passes over the pool size a table
//! (`survey`), count in it (`counts`), and turn every sample into a list of numbers (`vocabulary`, `lists`); from
//! there on no text is looked at. A pick costs some hundred evaluations, each linear in the length of a list.
//!
//! Memory besides the pool: 4 bytes a slot of the table, of which there are a quarter of the pool's bytes at most (or 2^22);
//! 4 bytes a recurring feature; 17 bytes a sample; the lists, with 8 bytes a sample. Lists are stored only while all of that
//! is below 2.5 bytes a byte of pool (or 64 MiB). To that come a bit a feature for each thread, and at most about 64 MiB
//! for the survey. A target takes some 40 bytes for each of its distinct features, and 4 for each thread.

mod counts;
mod distinct;
mod first;
mod greedy;
mod lists;
mod marks;
mod queue;
mod record;
mod survey;
mod table;
mod target;
mod vocabulary;
mod weights;

use std::time::{Duration, Instant};

pub use self::counts::Guard;
pub use self::first::first_gains;
use self::greedy::{Greedy, Picks};
use self::lists::Lists;
use self::marks::Marks;
use self::record::PickLog;
use self::survey::Survey;
use self::table::Table;
use self::target::Aims;
pub use self::target::Target;
use self::vocabulary::Vocabulary;
use self::weights::Weights;
use super::controls::{Controls, Known};
use super::ledger::Ledger;
use crate::error::{Error, Result};
use crate::hash;
use crate::pool::{Pool, check_len};
use crate::run::journal::Journal;
use crate::run::monitor::{Monitor, Stage};
use crate::run::threads::Threads;
use crate::text::features::{ByteGrams, Features};
use crate::text::words::WordGrams;

/// What n-grams are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Runs of exactly `ngram` bytes.
    Byte,
    /// Runs of one to `ngram` words.
    Word,
}

/// The parameters of the method.
#[derive(Debug, Clone, Copy)]
pub struct Params {
    /// What n-grams are made of.
    pub unit: Unit,
    /// Their length, `1..=8`.
    pub ngram: usize,
    /// How much more features weigh that many samples have, `0..=1`.
    pub gamma: f64,
    /// How much samples pay for their length, `0..=1`: gains are compared by `length^alpha`.
    pub alpha: f64,
    /// Which features recur.
    pub guard: Guard,
}

impl Params {
    fn check(&self) -> Result<()> {
        let wrong = |name, found: &dyn std::fmt::Display, wanted| {
            Err(Error::Parameter(format!("{name} is {found}; it must be {wanted}")))
        };
        let &Self { ngram, gamma, alpha, guard, .. } = self;
        if !(1..=ByteGrams::MAX.min(WordGrams::MAX)).contains(&ngram) {
            return wrong("ngram", &ngram, "from 1 to 8");
        }
        if !(0.0..=1.0).contains(&gamma) {
            return wrong("gamma", &gamma, "from 0 to 1");
        }
        if !(0.0..=1.0).contains(&alpha) {
            return wrong("alpha", &alpha, "from 0 to 1");
        }
        if guard.min_df == 0 {
            return wrong("min_df", &0, "at least 1");
        }
        if !(1..=2).contains(&guard.min_contexts) {
            return wrong("min_contexts", &guard.min_contexts, "1 (any feature) or 2");
        }
        Ok(())
    }
}

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

/// Selects from `pool` on `threads` threads (`None`: as many as this process may use).
///
/// What is known of other data does not make features recur. Nothing is selected from a target, and it is not known. The result depends on the pool, the parameters and the
/// controls alone: not on the number of threads, nor on the platform, nor on how often it was interrupted and resumed
/// from its journal.
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
    params.check()?;
    check_pool(pool)?;
    target.map_or(Ok(()), Target::check)?;
    controls.check(pool)?;
    let task = Task { pool, params, target, monitor };
    Threads::start(threads)?.install(|| match params.unit {
        Unit::Byte => task.select(ByteGrams::new(params.ngram), controls, journal, room(pool)),
        Unit::Word => task.select(WordGrams::new(params.ngram), controls, journal, room(pool)),
    })
}

/// What to read, and how.
#[derive(Clone, Copy)]
struct Task<'a> {
    pool: &'a Pool<'a>,
    params: &'a Params,
    target: Option<&'a Target<'a>>,
    monitor: &'a Monitor,
}

/// What was read: the features that count, what they weigh, and what of them is the target's.
struct Read {
    survey: Survey,
    slots: hash::Slots,
    vocabulary: Vocabulary,
    table: Table,
    aims: Option<Aims>,
}

impl Task<'_> {
    /// Counts the features of the pool, and weighs them.
    fn read<F: Features>(&self, features: F) -> Result<Read> {
        let &Self { pool, params, target, monitor } = self;
        monitor.enter(Stage::Count, 2 * pool.len());
        let survey = Survey::new(pool, features, monitor)?;
        let slots = survey.slots(pool.bytes());
        let mut df = counts::document_frequencies(pool, features, slots, params.guard, monitor)?;
        let (weights, aims) = match target {
            None => (Weights::general(params.gamma), None),
            Some(Target { samples, weight }) => {
                let aims = Aims::new(pool, samples, features, slots, monitor)?;
                let sizes = (pool.len(), samples.len());
                (Weights::targeted(&mut df, &aims, params.gamma, *weight, sizes), Some(aims))
            }
        };
        let (vocabulary, ranks) = Vocabulary::new(slots, df, weights.most());
        Ok(Read { survey, slots, vocabulary, table: Table::new(ranks, weights), aims })
    }
}

fn check_pool(pool: &Pool<'_>) -> Result<()> {
    if pool.is_empty() {
        return Err(Error::Parameter("the pool is empty".into()));
    }
    check_len(pool.len())
}

/// Room for tables and lists, however small the pool is: 64 MiB.
const ROOM_ALWAYS: usize = 64 << 20;

/// Bytes of tables and lists that are kept while picking.
fn room(pool: &Pool<'_>) -> usize {
    (pool.bytes() / 2).saturating_mul(5).max(ROOM_ALWAYS)
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
        let lists = Lists::new(pool, features, vocabulary, room, monitor)?;
        let mut ledger = Ledger::new(pool, controls)?;
        let mut taken = controls.known.mask(pool)?;
        for known in (0..pool.len()).filter(|&index| taken[index]) {
            lists.select(known, &mut table);
        }
        let mut picks = Picks::default();
        let log = PickLog::replay(journal, pool.len(), |index| {
            monitor.check()?;
            monitor.check()?;
            if taken[index] {
                return Ok(false);
            }
            if !ledger.fits(index) {
                let none_fits = (0..pool.len()).all(|other| taken[other] || !ledger.fits(other));
                if !(none_fits && ledger.reopen() && ledger.fits(index)) {
                    return Ok(false);
                }
            }
            taken[index] = true;
            ledger.take(index);
            picks.add(index, lists.select(index, &mut table), &table);
            Ok(true)
        })?;
        let greedy = Greedy::new(ledger, controls.weights, params.alpha, lists, table, &taken, monitor)?;
        let scored = Instant::now();
        let (picks, table) = greedy.run(picks, log)?;

        let objective = picks.gains.iter().map(|&gain| u128::from(gain)).sum::<u128>() as f64 / table.unit();
        Ok(Selection {
            indices: picks.indices,
            gains: picks.gains.into_iter().map(|gain| gain as f64 / table.unit()).collect(),
            objective,
            coverage: table.coverage(),
            evaluations: picks.evaluations,
            features: survey.features(),
            slots: slots.len() as u64,
            collisions: survey.collisions(slots),
            target: aims.map(|Aims { recurring, recurring_shared, .. }| TargetShare {
                reached: picks.reached,
                reachable: table.reachable(),
                recurring,
                recurring_shared,
            }),
            timings: Timings { count: counted - start, score: scored - counted, pick: scored.elapsed() },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::controls::{Cost, Limits};
    use super::*;

    const PARAMS: Params =
        Params { unit: Unit::Word, ngram: 3, gamma: 0.85, alpha: 1.0, guard: Guard { min_df: 2, min_contexts: 2 } };

    /// Sentences of few words, and the offsets that cut them.
    fn sentences() -> (Vec<u8>, Vec<i64>) {
        let words = ["the", "cat", "dog", "sat", "ran", "on", "a", "mat", ",", "and"];
        let (mut bytes, mut offsets, mut state) = (Vec::new(), vec![0], 1_u64);
        for _ in 0..600 {
            for _ in 0..state >> 60 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                bytes.extend_from_slice(words[(state >> 33) as usize % words.len()].as_bytes());
                bytes.push(b' ');
            }
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            offsets.push(bytes.len() as i64);
        }
        (bytes, offsets)
    }

    const BYTES: Limits<'_> = Limits { budget: 3000, cost: Cost::Bytes, groups: &[], quotas: &[], shares: &[] };

    fn run(params: &Params, limits: Limits<'_>, known: Known<'_>, threads: usize) -> Result<Selection> {
        let (bytes, offsets) = sentences();
        let controls = Controls { known, ..Controls::only(limits) };
        let journal = &mut Journal::default();
        select(&Pool::new(&bytes, &offsets)?, params, None, &controls, journal, Some(threads), &Monitor::default())
    }

    #[test]
    fn threads_change_nothing() {
        for unit in [Unit::Byte, Unit::Word] {
            let params = Params { unit, ..PARAMS };
            let one = run(&params, BYTES, Known::Nothing, 1).unwrap();
            let four = run(&params, BYTES, Known::Nothing, 4).unwrap();
            assert!(one.indices.len() > 50);
            assert_eq!((&one.indices, &one.gains), (&four.indices, &four.gains));
            assert_eq!((one.evaluations, one.objective), (four.evaluations, four.objective));
        }
    }

    #[test]
    fn lists_that_are_not_stored_change_nothing() {
        let (bytes, offsets) = sentences();
        let pool = Pool::new(&bytes, &offsets).unwrap();
        let features = WordGrams::new(3);
        let controls = Controls { known: Known::Indices(&[1, 300, 500]), ..Controls::only(BYTES) };
        let run = |room| {
            let threads = Threads::start(Some(2)).unwrap();
            let monitor = Monitor::default();
            let task = Task { pool: &pool, params: &PARAMS, target: None, monitor: &monitor };
            let run = || task.select(features, &controls, &mut Journal::default(), room);
            let selection = threads.install(run).unwrap();
            (selection.indices, selection.gains, selection.evaluations)
        };
        let all = run(ROOM_ALWAYS);
        assert!(all.0.len() > 50);
        assert_eq!(run(0), all);
        // What the tables take is not left for lists; the rest is enough for some of the three allocations.
        let tables = (1 << 16) * 4 + (greedy::BYTES_A_SAMPLE + 8) * pool.len();
        assert_eq!(run(tables + 8000), all);
    }

    #[test]
    fn what_is_known_is_not_selected_and_lowers_gains() {
        let limits = Limits::samples(600);
        let all = run(&PARAMS, limits, Known::Nothing, 2).unwrap();
        let known = &all.indices[..100];
        let rest = run(&PARAMS, limits, Known::Indices(known), 2).unwrap();
        assert_eq!(rest.indices, all.indices[100..], "the greedy goes on where it was");
        assert_eq!(rest.coverage, all.coverage);
        assert!(matches!(run(&PARAMS, limits, Known::Indices(&[600]), 2), Err(Error::Parameter(_))));
    }

    #[test]
    fn first_gains_are_those_of_a_first_pick() {
        let (bytes, offsets) = sentences();
        let pool = Pool::new(&bytes, &offsets).unwrap();
        for unit in [Unit::Byte, Unit::Word] {
            let params = Params { unit, alpha: 0.0, ..PARAMS };
            let gains = first_gains(&pool, &params, None, Some(3), &Monitor::default()).unwrap();
            assert_eq!(gains.len(), pool.len());
            let first = run(&params, Limits::samples(1), Known::Nothing, 1).unwrap();
            let highest = gains.iter().fold(0.0_f64, |highest, &gain| highest.max(gain));
            assert_eq!(first.gains, [highest]);
            assert_eq!(gains[first.indices[0] as usize], highest);
        }
    }

    #[test]
    fn refuses_parameters_that_make_no_selection() {
        for params in [
            Params { ngram: 0, ..PARAMS },
            Params { ngram: 9, ..PARAMS },
            Params { gamma: f64::NAN, ..PARAMS },
            Params { alpha: 1.1, ..PARAMS },
            Params { guard: Guard { min_df: 0, min_contexts: 2 }, ..PARAMS },
            Params { guard: Guard { min_df: 2, min_contexts: 3 }, ..PARAMS },
        ] {
            assert!(matches!(run(&params, BYTES, Known::Nothing, 1), Err(Error::Parameter(_))), "{params:?}");
        }
        assert!(matches!(run(&PARAMS, Limits::samples(0), Known::Nothing, 1), Err(Error::Parameter(_))));
    }

    #[test]
    fn stops_when_asked() {
        let (bytes, offsets) = sentences();
        let monitor = Monitor::default();
        monitor.stop();
        let pool = Pool::new(&bytes, &offsets).unwrap();
        let stopped = select(&pool, &PARAMS, None, &Controls::only(BYTES), &mut Journal::default(), Some(2), &monitor);
        assert_eq!(stopped.unwrap_err(), Error::Interrupted);
    }
}
