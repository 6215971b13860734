//! Selections from partitions in this process, against those from all of the pool at once.

use std::sync::Arc;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::*;
use crate::error::{Error, Result};
use crate::pool::Pool;
use crate::run::journal::Journal;
use crate::run::monitor::Monitor;
use crate::select::controls::{Controls, Cost, Known, Limits, Quota};
use crate::select::coverage::{self, Guard, Params, Target};
use crate::select::ordered::{self, By, Order};
use crate::select::zip::{self, Preset};
use crate::sizer::DeflateSizer;

const WORDS: [&str; 9] = ["the ", "cat ", "sat ", "on ", "a ", "mat ", "zebra ", "1234 ", "ran "];
const QUOTAS: [Quota; 2] = [Quota { least: 0, most: 30 }, Quota { least: 2, most: u64::MAX }];

/// A selection to make.
#[derive(Debug, Clone)]
struct Case {
    bytes: Vec<u8>,
    offsets: Vec<i64>,
    /// Where the pool is cut.
    cuts: Vec<usize>,
    costs: Option<Vec<u32>>,
    groups: Option<Vec<u32>>,
    shares: bool,
    weights: Option<Vec<f64>>,
    budget: u64,
    known: Vec<i64>,
    /// Whether what is known is from elsewhere.
    elsewhere: bool,
    threads: usize,
    /// One partition is made anew after so many requests.
    dies_after: usize,
}

fn cases() -> impl Strategy<Value = Case> {
    let texts = proptest::collection::vec(proptest::collection::vec(0..WORDS.len(), 0..14), 1..70);
    texts.prop_flat_map(|texts| {
        let samples = texts.len();
        let texts: Vec<String> = texts.iter().map(|text| text.iter().map(|&word| WORDS[word]).collect()).collect();
        let mut offsets = vec![0];
        texts.iter().for_each(|text| offsets.push(offsets[offsets.len() - 1] + text.len() as i64));
        let bytes = texts.concat().into_bytes();
        (
            proptest::collection::vec(0..=samples, 0..7),
            proptest::option::of(proptest::collection::vec(0..4_u32, samples)),
            proptest::option::of(proptest::collection::vec(0..2_u32, samples)),
            any::<bool>(),
            proptest::option::of(proptest::collection::vec(prop_oneof![Just(0.0), Just(1.0), 0.5..2.0], samples)),
            5..300_u64,
            proptest::collection::vec(0..samples as i64, 0..4),
            any::<bool>(),
            1..4_usize,
            1..5_usize,
        )
            .prop_map(
                move |(mut cuts, costs, groups, shares, weights, budget, known, elsewhere, threads, dies_after)| {
                    cuts.extend([0, samples]);
                    cuts.sort_unstable();
                    let (bytes, offsets) = (bytes.clone(), offsets.clone());
                    Case {
                        bytes,
                        offsets,
                        cuts,
                        costs,
                        groups,
                        shares,
                        weights,
                        budget,
                        known,
                        elsewhere,
                        threads,
                        dies_after,
                    }
                },
            )
    })
}

/// Partitions that are called by name; one after the other dies.
struct Called<'a> {
    case: &'a Case,
    partitions: Vec<Partition>,
    logs: Vec<Vec<Vec<u8>>>,
    asked: usize,
}

impl<'a> Called<'a> {
    fn new(case: &'a Case) -> Self {
        let count = case.cuts.len() - 1;
        let partitions = (0..count).map(|_| Partition::new(Some(case.threads)).unwrap()).collect();
        Self { case, partitions, logs: vec![Vec::new(); count], asked: 0 }
    }

    /// Answers a request, as partition `at`.
    fn answer(case: &Case, at: usize, partition: &mut Partition, request: &[u8]) -> Result<Vec<u8>> {
        let (first, end) = (case.cuts[at], case.cuts[at + 1]);
        let known: Vec<i64> = case.own_known().map(|index| index - first as i64).collect();
        let known: Vec<i64> = known.into_iter().filter(|known| (0..(end - first) as i64).contains(known)).collect();
        let part = Part {
            pool: Pool::part(&case.bytes, &case.offsets[first..end], &case.offsets[first + 1..=end])?,
            first,
            costs: case.costs.as_ref().map(|costs| &costs[first..end]),
            groups: case.groups.as_ref().map(|groups| &groups[first..end]),
            weights: case.weights.as_ref().map(|weights| &weights[first..end]),
            known: &known,
        };
        partition.answer(&part, request, &Monitor::default())
    }
}

impl Ask for Called<'_> {
    fn ask(&mut self, requests: Vec<Option<Arc<Vec<u8>>>>) -> Result<Vec<Vec<u8>>> {
        let Self { case, partitions, logs, asked } = self;
        *asked += 1;
        let lost = *asked % partitions.len();
        if asked.is_multiple_of(case.dies_after) {
            partitions[lost] = Partition::new(Some(case.threads))?;
            for request in &logs[lost] {
                Self::answer(case, lost, &mut partitions[lost], request)?;
            }
        }
        let mut replies = Vec::new();
        for (at, request) in requests.iter().enumerate() {
            let Some(request) = request else {
                replies.push(Vec::new());
                continue;
            };
            replies.push(Self::answer(case, at, &mut partitions[at], request)?);
            logs[at].extend(changes(request)?);
        }
        Ok(replies)
    }
}

impl Case {
    /// Samples of the pool that are known.
    fn own_known(&self) -> impl Iterator<Item = i64> {
        self.known.iter().copied().filter(|_| !self.elsewhere)
    }

    /// Selects from all of the pool at once, and from partitions; the same must be selected, or the same be wrong.
    fn check<R: PartialEq + std::fmt::Debug>(
        &self,
        here: impl FnOnce(&Pool<'_>, &Controls<'_>) -> Result<R>,
        there: impl FnOnce(&mut Called<'_>, usize, &Plan<'_>) -> Result<R>,
    ) {
        let pool = Pool::new(&self.bytes, &self.offsets).unwrap();
        // Of what is known from elsewhere: the first samples.
        let known = Pool::part(&self.bytes, &self.offsets[..1], &self.offsets[1..2]).unwrap();
        let (quotas, shares): (&[Quota], &[u64]) = match (&self.groups, self.shares) {
            (None, _) => (&[], &[]),
            (Some(_), false) => (&QUOTAS, &[]),
            (Some(_), true) => (&QUOTAS, &[1, 3]),
        };
        let limits = Limits {
            budget: self.budget,
            cost: self.costs.as_deref().map_or(Cost::Bytes, Cost::Each),
            groups: self.groups.as_deref().unwrap_or_default(),
            quotas,
            shares,
        };
        let is_elsewhere = self.elsewhere && !self.known.is_empty();
        let anchor = if is_elsewhere { Known::Pool(known) } else { Known::Indices(&self.known) };
        let controls = Controls { limits, weights: self.weights.as_deref(), known: anchor };
        let unit = if self.costs.is_some() { Unit::Tokens } else { Unit::Bytes };
        let known = is_elsewhere.then_some(known);
        let plan = Plan { budget: self.budget, unit, quotas, shares, known };
        let mut called = Called::new(self);
        let parts = called.partitions.len();
        assert_eq!(there(&mut called, parts, &plan), here(&pool, &controls));
    }

    fn check_zip(&self, preset: Preset) {
        let params = zip::Params { preset, k1: 20, k2: 7, k3: 3 };
        let told = |selection: zip::Selection| {
            let zip::Selection { indices, gains, ratios, initial_ratios, rounds, end, .. } = selection;
            (indices, gains, ratios, initial_ratios, rounds, end)
        };
        let monitor = Monitor::default();
        self.check(
            |pool, controls| {
                let journal = &mut Journal::default();
                zip::select::<DeflateSizer>(pool, &params, controls, journal, Some(1), &monitor).map(told)
            },
            |called, parts, plan| {
                let journal = &mut Journal::default();
                zip::select_parts(called, parts, &params, plan, journal, Some(2), &monitor).map(|found| told(found.0))
            },
        );
    }

    fn check_coverage(&self, params: &Params, weight: Option<f64>) {
        let aimed = Pool::new(b"a zebra ran the mat", &[0, 12, 19]).unwrap();
        let target = weight.map(|weight| Target { samples: aimed, weight });
        let told = |selection: coverage::Selection| {
            let coverage::Selection { indices, gains, objective, coverage, features, slots, target, .. } = selection;
            (indices, gains, objective, coverage, features, slots, target)
        };
        let monitor = Monitor::default();
        self.check(
            |pool, controls| {
                let journal = &mut Journal::default();
                coverage::select(pool, params, target.as_ref(), controls, journal, Some(1), &monitor).map(told)
            },
            |called, parts, plan| {
                let journal = &mut Journal::default();
                coverage::select_parts(called, parts, params, target.as_ref(), plan, journal, Some(2), &monitor)
                    .map(|found| told(found.0))
            },
        );
    }
}

const COVERAGE: Params = Params {
    unit: coverage::Unit::Byte,
    ngram: 3,
    gamma: 0.85,
    alpha: 1.0,
    guard: Guard { min_df: 2, min_contexts: 2 },
    one_in: 1,
};

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(1),
        ..ProptestConfig::default()
    })]

    #[test]
    fn zip_picks_the_same(case in cases(), is_paper in any::<bool>()) {
        case.check_zip(if is_paper { Preset::Paper } else { Preset::Reference });
    }

    #[test]
    fn coverage_picks_the_same(case in cases(), word in any::<bool>(), one_in in prop_oneof![Just(1), Just(4)]) {
        let unit = if word { coverage::Unit::Word } else { coverage::Unit::Byte };
        case.check_coverage(&Params { unit, one_in, ..COVERAGE }, None);
    }

    #[test]
    fn coverage_of_a_target_picks_the_same(case in cases(), weight in prop_oneof![Just(0.0), Just(1.0), 0.1..0.9]) {
        let guard = Guard { min_df: 1, min_contexts: 1 };
        case.check_coverage(&Params { alpha: 0.9, guard, ..COVERAGE }, Some(weight));
    }

    #[test]
    fn chance_picks_the_same(case in cases(), seed in any::<u64>()) {
        let monitor = Monitor::default();
        case.check(
            |pool, controls| ordered::select(pool, Order::Random { seed }, controls, Some(1), &monitor),
            |called, parts, plan| {
                let by = By::Chance { seed };
                ordered::select_parts(called, parts, by, plan, Some(1), &monitor).map(|found| found.0.indices)
            },
        );
    }
}

/// Asks nobody.
struct Nobody;

impl Ask for Nobody {
    fn ask(&mut self, _: Vec<Option<Arc<Vec<u8>>>>) -> Result<Vec<Vec<u8>>> {
        Err(Error::Limit("there is nobody".into()))
    }
}

#[test]
fn what_keeps_from_asking_is_the_result() {
    let monitor = Monitor::default();
    let plan = Plan { budget: 1, unit: Unit::Samples, quotas: &[], shares: &[], known: None };
    let by = By::Chance { seed: 1 };
    let failed = ordered::select_parts(&mut Nobody, 2, by, &plan, Some(1), &monitor).map(|found| found.1);
    assert_eq!(failed, Err(Error::Limit("there is nobody".into())));
    monitor.stop();
    let stopped = ordered::select_parts(&mut Nobody, 2, by, &plan, Some(1), &monitor).map(|found| found.1);
    assert_eq!(stopped, Err(Error::Interrupted));
}
