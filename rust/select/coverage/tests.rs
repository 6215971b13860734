use super::super::controls::{Cost, Limits};
use super::lists::COMMON;
use super::survey::Survey;
use super::table::Table;
use super::vocabulary::Vocabulary;
use super::weights::Weights;
use super::*;
use crate::error::Error;
use crate::real::pow;

const PARAMS: Params = Params {
    unit: Unit::Word,
    ngram: 3,
    gamma: 0.85,
    alpha: 1.0,
    guard: Guard { min_df: 2, min_contexts: 2 },
    one_in: 1,
    memory: usize::MAX,
};

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
fn lists_that_are_in_a_file_change_nothing() {
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
    let all = run(64 << 20);
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

/// The picks from a pool many of whose features have bounds in the table, by computing every gain every time.
#[test]
fn agrees_with_computing_every_gain() {
    let (mut bytes, mut offsets, mut state) = (Vec::new(), vec![0], 1_u64);
    for index in 0..1000 {
        for _ in 0..300 + index % 500 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            bytes.push(b'a' + (((state >> 60) * (state >> 56 & 15)) >> 4) as u8);
        }
        offsets.push(bytes.len() as i64);
    }
    let pool = Pool::new(&bytes, &offsets).unwrap();
    let (features, monitor) = (ByteGrams::new(6), Monitor::default());
    let guard = Guard { min_df: 2, min_contexts: 2 };
    for alpha in [0.0, 1.0] {
        let slots = Survey::new(&pool, features, &monitor).unwrap().slots(pool.bytes());
        let df = counts::document_frequencies(&pool, features, slots, guard, &monitor).unwrap();
        let weights = Weights::general(0.85);
        let (vocabulary, ranks) = Vocabulary::new(slots, df, weights.most());
        assert!(ranks.len() > COMMON + 8000, "{}", ranks.len());
        let mut table = Table::new(ranks, weights);
        let mut marks = Marks::new(vocabulary.len());
        let list = |sample| {
            let mut list = Vec::new();
            vocabulary.read(features, sample, &mut marks);
            marks.drain(|feature| list.push(feature));
            Some(list)
        };
        let mut left: Vec<Option<Vec<u32>>> = pool.iter().map(list).collect();
        let mut picks = Vec::new();
        for _ in 0..60 {
            let key = |(index, list): (usize, &Option<Vec<u32>>)| {
                let gain: u64 = list.as_ref()?.iter().map(|&feature| table.marginal(feature)).sum();
                let value = gain as f64 / pow(pool.sample(index).len() as f64, alpha);
                Some((value, std::cmp::Reverse(index)))
            };
            let keys = left.iter().enumerate().filter_map(key);
            let best = keys.max_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))).unwrap().1.0;
            let list = left[best].take().unwrap();
            list.into_iter().for_each(|feature| _ = table.select(feature));
            picks.push(best as i64);
        }
        for threads in [1, 4] {
            let params = Params { unit: Unit::Byte, ngram: 6, gamma: 0.85, alpha, guard, ..PARAMS };
            let controls = Controls::only(Limits::samples(60));
            let found = select(&pool, &params, None, &controls, &mut Journal::default(), Some(threads), &monitor);
            assert_eq!(found.unwrap().indices, picks, "{alpha} {threads}");
        }
    }
}

/// What tables and lists of `bytes` in samples of 1000 take, and whether all lists are stored.
fn memory_of(bytes: &[u8], ngram: usize, one_in: u32) -> (usize, bool) {
    let offsets: Vec<i64> = (0..=bytes.len() / 1000).map(|at| at as i64 * 1000).collect();
    let pool = Pool::new(bytes, &offsets).unwrap();
    let (params, monitor) = (Params { unit: Unit::Byte, ngram, one_in, ..PARAMS }, Monitor::default());
    let task = Task::new(&pool, &params, None, &monitor).unwrap();
    let features = Sampled::new(ByteGrams::new(ngram), one_in);
    Threads::start(Some(2)).unwrap().install(|| {
        let Read { vocabulary, table, .. } = task.read(features).unwrap();
        let tables = vocabulary.memory() + table.memory() + greedy::BYTES_A_SAMPLE * pool.len();
        let room = memory::room(&pool, one_in);
        let lists = Lists::new(&pool, features, vocabulary, room - tables, Scratch::default(), &monitor).unwrap();
        assert!(tables + lists.memory() <= room, "{ngram} {one_in}");
        (lists.memory(), (0..pool.len()).all(|index| lists.stored(index).is_some()))
    })
}

fn random_bytes(count: usize) -> impl Iterator<Item = u64> {
    let mut state = 1_u64;
    (0..count).map(move |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    })
}

/// Of noise all of which recurs, lists would take more than there is room for.
#[test]
fn tables_and_lists_stay_within_their_room() {
    let noise: Vec<u8> = random_bytes(30_000_000).map(|number| number as u8).collect();
    let (lists, all_stored) = memory_of(&noise, 3, 1);
    assert!(!all_stored && lists > 10_000_000, "{lists}");
}

#[test]
fn lists_fall_with_the_features_that_count() {
    let letters: Vec<u8> = random_bytes(4_000_000).map(|number| b'a' + (number % 5 * (number / 5 % 5)) as u8).collect();
    let codes = |one_in| {
        let (lists, all_stored) = memory_of(&letters, 6, one_in);
        assert!(all_stored);
        (lists - 8 * letters.len() / 1000) as f64
    };
    let all = codes(1);
    for one_in in [4, 16] {
        let share = codes(one_in) * f64::from(one_in) / all;
        assert!((0.7..1.2).contains(&share), "{one_in}: {share}");
    }
}
