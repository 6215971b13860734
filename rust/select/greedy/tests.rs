//! Picks made lazily, against those made by computing every gain for every pick.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::fmt::Debug;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::{Bound, Gains, Greedy, Objective};
use crate::pool::Pool;
use crate::real::pow;
use crate::run::journal::{self, Journal};
use crate::run::monitor::Monitor;
use crate::run::threads::Threads;
use crate::select::controls::{Controls, Cost, Known, Limits, Quota};
use crate::select::ledger::Ledger;

/// Weighted sets: what they cover together. Bounds are what each covers alone, rounded up.
#[derive(Debug, Clone)]
struct Sets {
    sets: Vec<Vec<u8>>,
    weights: Vec<u64>,
    covered: HashSet<u8>,
}

impl Sets {
    fn new(numbers: &[Vec<u8>]) -> Self {
        let weights = (0..256).map(|element| 1 + element * element % 37).collect();
        Self { sets: numbers.to_vec(), weights, covered: HashSet::new() }
    }

    fn new_elements(&self, index: usize) -> HashSet<u8> {
        self.sets[index].iter().copied().filter(|element| !self.covered.contains(element)).collect()
    }
}

impl Gains for Sets {
    fn bound(&self, index: usize) -> Bound {
        let gain = self.gain(index, Bound::exact(0));
        Bound { most: gain.next_multiple_of(16), begun: 0 }
    }

    fn gain(&self, index: usize, _: Bound) -> u64 {
        self.new_elements(index).iter().map(|&element| self.weights[usize::from(element)]).sum()
    }
}

impl Objective for Sets {
    fn add(&mut self, index: usize) -> u64 {
        let gain = self.gain(index, Bound::exact(0));
        self.covered.extend(self.new_elements(index));
        gain
    }
}

/// Facility location: how near every place is to the nearest sample that is selected. Bounds are exact.
#[derive(Debug, Clone)]
struct Places {
    /// Of each sample, how near it is to each place.
    near: Vec<Vec<u8>>,
    best: Vec<u8>,
}

impl Places {
    fn new(numbers: &[Vec<u8>]) -> Self {
        let places = numbers.iter().map(Vec::len).max().unwrap_or(0);
        let near = numbers.iter().map(|row| row.iter().copied().chain(std::iter::repeat(0)).take(places).collect());
        Self { near: near.collect(), best: vec![0; places] }
    }
}

impl Gains for Places {
    fn bound(&self, index: usize) -> Bound {
        let nearer = self.near[index].iter().zip(&self.best).map(|(near, best)| near.saturating_sub(*best));
        Bound::exact(nearer.map(u64::from).sum())
    }

    fn gain(&self, _: usize, bound: Bound) -> u64 {
        bound.begun
    }
}

impl Objective for Places {
    fn add(&mut self, index: usize) -> u64 {
        let gain = self.bound(index).most;
        self.best.iter_mut().zip(&self.near[index]).for_each(|(best, near)| *best = (*near).max(*best));
        gain
    }
}

/// What each sample has alone, whatever else is selected.
#[derive(Debug, Clone)]
struct Sum(Vec<u64>);

impl Sum {
    fn new(numbers: &[Vec<u8>]) -> Self {
        Self(numbers.iter().map(|row| row.iter().map(|&number| u64::from(number)).sum()).collect())
    }
}

impl Gains for Sum {
    fn bound(&self, index: usize) -> Bound {
        Bound { most: self.0[index] + 1, begun: 1 }
    }

    fn gain(&self, _: usize, bound: Bound) -> u64 {
        bound.most - bound.begun
    }
}

impl Objective for Sum {
    fn add(&mut self, index: usize) -> u64 {
        self.0[index]
    }
}

/// A selection to make.
#[derive(Debug, Clone)]
struct Case {
    /// Of each sample, what objectives are made of.
    numbers: Vec<Vec<u8>>,
    lengths: Vec<usize>,
    costs: Option<Vec<u32>>,
    weights: Option<Vec<f64>>,
    groups: Option<Vec<u32>>,
    shares: bool,
    alpha: f64,
    budget: u64,
    known: Vec<i64>,
}

const QUOTAS: [Quota; 2] = [Quota { least: 0, most: 9 }, Quota { least: 1, most: u64::MAX }];

fn cases() -> impl Strategy<Value = Case> {
    (1..120_usize).prop_flat_map(|samples| {
        let of = |each| proptest::collection::vec(each, samples);
        let alpha = prop_oneof![Just(0.0), Just(0.5), Just(1.0)];
        (
            proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..12), samples),
            proptest::collection::vec(0..9_usize, samples),
            proptest::option::of(of(0..5_u32)),
            proptest::option::of(proptest::collection::vec(prop_oneof![Just(0.0), 0.5..2.0], samples)),
            proptest::option::of(of(0..2_u32)),
            any::<bool>(),
            alpha,
            3..200_u64,
            proptest::collection::vec(0..samples as i64, 0..3),
        )
            .prop_map(|(numbers, lengths, costs, weights, groups, shares, alpha, budget, known)| Case {
                numbers,
                lengths,
                costs,
                weights,
                groups,
                shares,
                alpha,
                budget,
                known,
            })
    })
}

impl Case {
    fn controls(&self) -> Controls<'_> {
        let (quotas, shares): (&[Quota], &[u64]) = match (&self.groups, self.shares) {
            (None, _) => (&[], &[]),
            (Some(_), false) => (&QUOTAS, &[]),
            (Some(_), true) => (&QUOTAS, &[1, 2]),
        };
        let limits = Limits {
            budget: self.budget,
            cost: self.costs.as_deref().map_or(Cost::Bytes, Cost::Each),
            groups: self.groups.as_deref().unwrap_or_default(),
            quotas,
            shares,
        };
        Controls { limits, weights: self.weights.as_deref(), known: Known::Indices(&self.known) }
    }

    /// Picks and gains by the definition.
    fn by_definition<O: Objective>(&self, pool: &Pool<'_>, mut objective: O) -> (Vec<i64>, Vec<u64>) {
        let controls = self.controls();
        let mut ledger = Ledger::new(pool, &controls).unwrap();
        let mut taken = controls.known.mask(pool).unwrap();
        let (mut picks, mut gains) = (Vec::new(), Vec::new());
        while ledger.left() > 0 {
            let open = (0..pool.len()).filter(|&index| !taken[index] && ledger.fits(index));
            let key = |index: usize| {
                let gain = objective.gain(index, objective.bound(index));
                let weight = self.weights.as_ref().map_or(1.0, |weights| weights[index]);
                (weight * gain as f64 / pow(ledger.length(index).max(1) as f64, self.alpha), Reverse(index))
            };
            let best = open.map(key).max_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            match best {
                Some((_, Reverse(index))) => {
                    taken[index] = true;
                    ledger.take(index);
                    picks.push(index as i64);
                    gains.push(objective.add(index));
                }
                None if ledger.reopen() => {}
                None => break,
            }
        }
        (picks, gains)
    }

    /// Checks the lazy picks, on one thread and several, from the start and from any point of the journal.
    fn check<O: Objective + Clone + Debug>(&self, make: impl Fn(&[Vec<u8>]) -> O) {
        let bytes = vec![b'x'; self.lengths.iter().sum()];
        let ends = self.lengths.iter().scan(0, |end, &length| {
            *end += length as i64;
            Some(*end)
        });
        let offsets: Vec<i64> = std::iter::once(0).chain(ends).collect();
        let pool = Pool::new(&bytes, &offsets).unwrap();
        let mut objective = make(&self.numbers);
        let known = Known::Indices(&self.known).mask(&pool).unwrap();
        (0..pool.len()).filter(|&index| known[index]).for_each(|index| _ = objective.add(index));
        let expected = self.by_definition(&pool, objective.clone());

        let (controls, monitor) = (self.controls(), Monitor::default());
        let run = |threads, past: &[u8]| {
            let mut written = Vec::new();
            let mut journal = Journal::new(past, &mut written).unwrap();
            let objective = objective.clone();
            let picks = Threads::start(Some(threads)).unwrap().install(|| {
                Greedy::start(&pool, &controls, self.alpha, objective, &mut journal, &monitor).unwrap().run().unwrap()
            });
            drop(journal);
            ((picks.indices, picks.gains), picks.evaluations, written)
        };
        let (found, evaluations, written) = run(1, &[]);
        assert_eq!(found, expected);
        let (found, again, _) = run(4, &[]);
        assert_eq!((found, again), (expected.clone(), evaluations));
        // The journal's first record has the first pick, its second the others.
        let (records, _) = journal::records(&written).unwrap();
        let mut at = 0;
        for record in records {
            at += record.len() + 20;
            assert_eq!(run(2, &written[..at]).0, expected);
        }
    }
}

macro_rules! agree_with_computing_every_gain {
    ($($name:ident: $objective:ident,)*) => {
        proptest! {
            #![proptest_config(ProptestConfig {
                cases: 96,
                failure_persistence: None,
                rng_seed: RngSeed::Fixed(1),
                ..ProptestConfig::default()
            })]
            $(#[test]
            fn $name(case in cases()) {
                case.check($objective::new);
            })*
        }
    };
}

agree_with_computing_every_gain! {
    weighted_sets: Sets,
    facility_location: Places,
    a_sum: Sum,
}
