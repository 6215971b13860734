//! ZIP: greedy multi-stage selection of samples whose union compresses badly (arXiv 2407.06645, section 4).
//!
//! Every sample has a *state*: the compression ratio R of the selected set with this sample added, as of the last time
//! it was computed, at first R of the sample alone. One round:
//!
//! 1. **Stage 1** takes the `k1` samples of lowest state.
//! 2. **Stage 2** computes their state anew, against everything selected, and takes the lowest `k2` of them: a block.
//! 3. **Stage 3** picks `k3` of the block, one at a time: always the one that keeps R of the picks *of this block*
//!    lowest. They join the selection.
//!
//! A round costs `k1 + k2 * k3` probes, whatever the size of the pool. Two presets run these rounds; [`Preset`] says
//! where they differ. Picks come one at a time in both, so a smaller budget gives a prefix of a larger one's selection.
//!
//! Where limits are given, samples that no longer fit them leave the pool before each round and the block before each
//! pick. Samples known already are never picked; they are the first of everything selected, which R is computed of.

mod field;
mod part;
mod record;
mod remote;
mod rounds;
mod rules;
mod stock;
mod weigh;

use std::time::Duration;

use self::field::Local;
pub(crate) use self::part::{begin_part, score_part};
pub use self::remote::select_parts;

use self::rounds::Zip;
use self::rules::{Paper, Reference, Rules};
use super::accounts::Accounts;
use super::controls::{Controls, Known};
use crate::error::{Error, Result};
use crate::measure::ratio::whole;
use crate::pool::Pool;
use crate::run::journal::Journal;
use crate::run::monitor::Monitor;
use crate::sizer::Sizer;
use crate::sizer::workers::Workers;

/// Which ZIP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// The paper's algorithm: a set is the concatenation of its samples, ratios are compared exactly, ties go to the
    /// lower index, and what stage 3 leaves behind stays in the pool.
    Paper,
    /// The authors' script: a set is written as a Python list, ratios are compared as `f32`, ties fall as libstdc++
    /// lets them, and what stage 3 leaves behind is never looked at again.
    Reference,
}

/// Which ZIP, and the width of its stages.
#[derive(Debug, Clone, Copy)]
pub struct Params {
    /// Which ZIP.
    pub preset: Preset,
    /// Candidates of stage 2.
    pub k1: usize,
    /// Size of a block.
    pub k2: usize,
    /// Picks of a block.
    pub k3: usize,
}

impl Params {
    fn check(&self) -> Result<()> {
        let &Self { k1, k2, k3, .. } = self;
        if k3 == 0 {
            return Err(Error::Parameter("k3 is 0; it must be at least 1".into()));
        }
        if k2 > k1 || k3 > k2 {
            return Err(Error::Parameter(format!(
                "each stage narrows the one before: k1 >= k2 >= k3 must hold, not {k1}, {k2}, {k3}"
            )));
        }
        Ok(())
    }
}

/// One round, as it was run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Round {
    /// Candidates of stage 2.
    pub candidates: usize,
    /// Size of the block.
    pub block: usize,
    /// Samples picked of it.
    pub picked: usize,
    /// R of the selection after the round.
    pub ratio: f64,
}

/// Why a selection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The budget is reached, or nothing that is left fits it.
    Budget,
    /// Every sample is selected or, in the reference, left behind.
    Exhausted,
    /// Reference only: fewer than `k1` samples are left that have been neither selected nor left behind. The script
    /// goes on from here and selects samples a second time.
    TooFewLeft,
}

/// Time spent, by stage.
#[derive(Debug, Clone, Copy, Default)]
pub struct Timings {
    /// Sizing every sample of the pool alone.
    pub score: Duration,
    /// Stages 1 and 2.
    pub global: Duration,
    /// Stage 3.
    pub local: Duration,
}

/// What was selected, and the trace of how.
#[derive(Debug, Clone)]
pub struct Selection {
    /// Indices in pick order.
    pub indices: Vec<i64>,
    /// By how much each pick made the compressed size of everything selected grow; the first one, from nothing.
    pub gains: Vec<f64>,
    /// R of everything selected after each pick: what was known already, and the picks.
    pub ratios: Vec<f64>,
    /// R of every sample of the pool alone, in input order.
    pub initial_ratios: Vec<f64>,
    /// R of the pool; None where it is in several partitions, whose texts do not come together.
    pub pool_ratio: Option<f64>,
    /// The rounds.
    pub rounds: Vec<Round>,
    /// Why it ended.
    pub end: End,
    /// Time spent.
    pub timings: Timings,
}

/// Selects from `pool` with the sizer `S`, on `threads` threads (`None`: as many as this process may use).
///
/// The result depends on the pool, the parameters, the controls and the sizer alone, never on the number of threads, nor
/// on how often it was interrupted and resumed from its journal.
///
/// # Errors
/// [`Error::Parameter`] for parameters that make no selection, [`Error::Interrupted`] when the monitor says so,
/// [`Error::Checkpoint`] if the journal can't be written or is not of this selection.
pub fn select<S: Sizer>(
    pool: &Pool<'_>,
    params: &Params,
    controls: &Controls<'_>,
    journal: &mut Journal<'_>,
    threads: Option<usize>,
    monitor: &Monitor,
) -> Result<Selection> {
    params.check()?;
    if pool.is_empty() {
        return Err(Error::Parameter("the pool is empty".into()));
    }
    let workers = Workers::<S>::new(threads)?;
    let here = Here { pool, params, controls, workers: &workers, monitor };
    workers.run(|| match params.preset {
        Preset::Paper => here.select::<Paper>(journal),
        Preset::Reference => here.select::<Reference>(journal),
    })
}

/// A pool that is here.
struct Here<'a, S: Sizer> {
    pool: &'a Pool<'a>,
    params: &'a Params,
    controls: &'a Controls<'a>,
    workers: &'a Workers<S>,
    monitor: &'a Monitor,
}

impl<S: Sizer> Here<'_, S> {
    /// Selects, and measures the pool meanwhile, on threads that have nothing else to do.
    fn select<R: Rules>(&self, journal: &mut Journal<'_>) -> Result<Selection> {
        let &Self { pool, params, controls, workers, monitor } = self;
        let field = Local::<S, R>::new(pool, controls, workers, monitor)?;
        let known = if let Known::Pool(known) = controls.known { Some(known) } else { None };
        let zip = Zip::new(field, params, known, Accounts::new(&controls.limits), journal, workers, monitor);
        let (selection, measured) = rayon::join(|| zip.select(), || whole::<S>(pool, R::FRAMING, monitor));
        Ok(Selection { pool_ratio: Some(measured?.ratio()), ..selection? })
    }
}

#[cfg(test)]
mod tests {
    use super::super::controls::Limits;
    use super::*;
    use crate::sizer::DeflateSizer;

    /// What is done to a round.
    type Change<'a> = &'a dyn Fn(&mut record::Round);

    /// A record that is whole and in its place, and yet no round: picks twice, or from elsewhere, or of what is gone.
    #[test]
    fn rounds_that_cannot_have_been_are_refused() {
        let texts: Vec<String> = (0..40).map(|n| format!("sample {n} says {}", n * n * 7919)).collect();
        let bytes = texts.concat().into_bytes();
        let mut offsets = vec![0];
        for text in &texts {
            offsets.push(offsets[offsets.len() - 1] + text.len() as i64);
        }
        let pool = Pool::new(&bytes, &offsets).unwrap();
        let controls = Controls::only(Limits::samples(9));
        for preset in [Preset::Paper, Preset::Reference] {
            let params = Params { preset, k1: 12, k2: 6, k3: 3 };
            let run = |past: &[u8]| {
                let mut written = Vec::new();
                let mut journal = Journal::new(past, &mut written)?;
                let selected =
                    select::<DeflateSizer>(&pool, &params, &controls, &mut journal, Some(2), &Monitor::default())?;
                drop(journal);
                Ok::<_, Error>((selected.indices, written))
            };
            let (indices, journal) = run(&[]).unwrap();
            let (mut scores, mut rounds) = (Vec::new(), Vec::new());
            let mut unused = Vec::new();
            let mut past = Journal::new(&journal, &mut unused).unwrap();
            while let Some(record) = past.replay() {
                if record.kind() == record::SCORES {
                    scores = record.content(|reader| reader.list()).unwrap();
                } else {
                    rounds.push(record::Round::read(record, pool.len()).unwrap());
                }
            }
            assert_eq!(rounds.len(), 3);
            let with = |number: usize, change: Change<'_>| {
                let mut bytes = Vec::new();
                let mut journal = Journal::new(&[], &mut bytes).unwrap();
                journal.write(record::scores(&scores)).unwrap();
                for (at, round) in rounds.iter().enumerate() {
                    let record::Round { candidates, sizes, block, picks, selected } = round;
                    let [candidates, block, picks] = [candidates, block, picks].map(Vec::clone);
                    let [sizes, selected] = [sizes, selected].map(Vec::clone);
                    let mut round = record::Round { candidates, sizes, block, picks, selected };
                    if at == number {
                        change(&mut round);
                    }
                    journal.write(round.write()).unwrap();
                }
                drop(journal);
                run(&bytes).map(|(indices, _)| indices)
            };
            assert_eq!(with(9, &|_| ()).unwrap(), indices);
            let gone = indices[0] as usize;
            let misfits: [(&str, Change<'_>); 5] = [
                ("a pick twice", &|round| round.picks[1] = round.picks[0]),
                ("a pick from outside the block", &|round| {
                    let outside = round.candidates.iter().find(|index| !round.block.contains(index)).unwrap();
                    round.picks[0] = *outside;
                }),
                ("a candidate twice", &|round| round.candidates[1] = round.candidates[0]),
                ("a block from elsewhere", &|round| round.block[0] = gone),
                ("what is gone", &|round| {
                    round.candidates[0] = gone;
                    round.block[0] = gone;
                    round.picks[0] = gone;
                }),
            ];
            for (what, change) in misfits {
                assert!(matches!(with(1, change), Err(Error::Checkpoint(_))), "{preset:?}: {what}");
            }
        }
    }
}
