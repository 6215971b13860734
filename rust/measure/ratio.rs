//! R of a whole pool, of its groups and of its samples.

use crate::error::{Error, Result};
use crate::pool::Pool;
use crate::run::monitor::{Monitor, Stage};
use crate::run::threads::Threads;
use crate::sizer::Sizer;
pub use crate::sizer::set::Measure;
use crate::sizer::set::{Framing, Set};
use crate::sizer::workers::Workers;

/// Groups that can be measured: each has a stream of its own.
const MOST_GROUPS: usize = 1 << 24;

/// Raw and compressed length of a pool that is not empty, as `framing` writes it.
///
/// Call it inside [`Workers::run`]. It adds nothing to the monitor's progress.
///
/// # Errors
/// [`Error::Interrupted`] when the monitor says so.
pub(crate) fn whole<S: Sizer>(pool: &Pool<'_>, framing: Framing, monitor: &Monitor) -> Result<Measure> {
    let sizes = S::sizes([framing.parts(pool.iter())], |_| monitor.check().is_ok());
    let size = sizes.ok_or(Error::Interrupted)?[0];
    Ok(Measure { raw: framing.length(pool.len(), pool.bytes()), size })
}

/// Compressed length of every sample alone, in order.
///
/// # Errors
/// [`Error::Parameter`] if threads can't be started, [`Error::Interrupted`] when the monitor says so.
pub fn each<S: Sizer>(pool: &Pool<'_>, threads: Option<usize>, monitor: &Monitor) -> Result<Vec<u64>> {
    let workers = Workers::<S>::new(threads)?;
    let alone = Set::<S>::new(Framing::CONCATENATION);
    monitor.enter(Stage::Measure, pool.len());
    workers.run(|| workers.probe_all(&alone, pool.len(), |index| pool.sample(index), monitor))
}

/// Measures the whole pool and each group of it: the samples concatenated, in input order or in that of `order`. The
/// first result is the pool's, then follow those of groups `0..count`; `groups[i]` is sample `i`'s group.
///
/// # Errors
/// [`Error::Parameter`] if `groups` or `order` does not fit the pool, [`Error::Interrupted`] when the monitor says so.
pub fn measure<S: Sizer>(
    pool: &Pool<'_>,
    groups: &[u32],
    count: usize,
    order: Option<&[i64]>,
    threads: Option<usize>,
    monitor: &Monitor,
) -> Result<Vec<Measure>> {
    if count > MOST_GROUPS {
        return Err(Error::Limit(format!("there are {count} groups; the limit is {MOST_GROUPS}")));
    }
    if count > 0 && (groups.len() != pool.len() || groups.iter().any(|&group| group as usize >= count)) {
        return Err(Error::Parameter(format!("{} samples need as many groups, each below {count}", pool.len())));
    }
    if order.is_some_and(|order| order.iter().any(|&index| !(0..pool.len() as i64).contains(&index))) {
        return Err(Error::Parameter(format!("an order of {} samples has indices below that", pool.len())));
    }
    let ordered = |at: usize| order.map_or(at, |order| order[at] as usize);
    let length = order.map_or(pool.len(), <[i64]>::len);
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); count];
    if count > 0 {
        for index in (0..length).map(ordered) {
            members[groups[index] as usize].push(index);
        }
    }
    let threads = Threads::start(threads)?;
    let samples = |set: usize| -> Box<dyn Iterator<Item = &[u8]>> {
        match set.checked_sub(1) {
            None => Box::new((0..length).map(|at| pool.sample(ordered(at)))),
            Some(group) => Box::new(members[group].iter().map(|&index| pool.sample(index))),
        }
    };
    let raw: Vec<u64> = (0..=count).map(|set| samples(set).map(|sample| sample.len() as u64).sum()).collect();
    monitor.enter(Stage::Measure, raw.iter().sum::<u64>() as usize);
    let go_on = |bytes| {
        monitor.steps(bytes);
        monitor.check().is_ok()
    };
    let sizes = threads.install(|| S::sizes((0..=count).map(samples), go_on)).ok_or(Error::Interrupted)?;
    Ok(raw.into_iter().zip(sizes).map(|(raw, size)| Measure { raw, size }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sizer::DeflateSizer;

    /// Samples of letters, with gaps between them, and all of them as a set of some framing.
    fn pool_and_sets() -> (Vec<u8>, Vec<i64>, Vec<i64>) {
        let mut state = 1_u64;
        let bytes: Vec<u8> = (0..3_000_000)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                b'a' + ((state >> 33) % 20) as u8
            })
            .collect();
        let starts: Vec<i64> = (0..bytes.len() as i64).step_by(900).collect();
        let ends = starts.iter().map(|start| (start + 700).min(bytes.len() as i64)).collect();
        (bytes, starts, ends)
    }

    /// R of a pool is that of all samples, framed, to the byte: as a set sizes them that grows sample by sample.
    #[test]
    fn the_whole_is_the_size_of_the_set() {
        let (bytes, starts, ends) = pool_and_sets();
        let pool = Pool::part(&bytes, &starts, &ends).unwrap();
        for framing in [Framing::CONCATENATION, Framing::PYTHON_LIST] {
            let mut set = Set::<DeflateSizer>::new(framing);
            set.extend(pool.iter(), &Monitor::default()).unwrap();
            let expected = set.measure(&mut set.scratch());
            for threads in [1, 2] {
                let workers = Workers::<DeflateSizer>::new(Some(threads)).unwrap();
                let measured = workers.run(|| whole::<DeflateSizer>(&pool, framing, &Monitor::default()));
                assert_eq!(measured.unwrap(), expected, "{framing:?}, {threads} threads");
            }
        }
    }

    /// The pool and its groups, in any order, are measured as sets of these samples.
    #[test]
    fn groups_are_measured_as_sets_of_their_samples() {
        let (bytes, starts, ends) = pool_and_sets();
        let pool = Pool::part(&bytes, &starts[..900], &ends[..900]).unwrap();
        let groups: Vec<u32> = (0..900).map(|index| if index < 500 { 3 } else { index % 3 }).collect();
        let backwards: Vec<i64> = (0..900).rev().collect();
        for order in [None, Some(&backwards[..])] {
            let monitor = Monitor::default();
            let measured = measure::<DeflateSizer>(&pool, &groups, 5, order, Some(2), &monitor).unwrap();
            let ordered: Vec<usize> = (0..900).map(|at| order.map_or(at, |order| order[at] as usize)).collect();
            for (number, measure) in measured.iter().enumerate() {
                let members = ordered.iter().filter(|&&index| number == 0 || groups[index] as usize == number - 1);
                let mut set = Set::<DeflateSizer>::new(Framing::CONCATENATION);
                set.extend(members.map(|&index| pool.sample(index)), &Monitor::default()).unwrap();
                assert_eq!(*measure, set.measure(&mut set.scratch()), "set {number}");
            }
            let now = monitor.progress();
            assert_eq!((now.stage, now.done, now.total), (Stage::Measure, 2 * pool.bytes(), 2 * pool.bytes()));
        }
    }

    #[test]
    fn measuring_can_be_stopped() {
        let (bytes, starts, ends) = pool_and_sets();
        let pool = Pool::part(&bytes, &starts, &ends).unwrap();
        let monitor = Monitor::default();
        monitor.stop();
        let measured = measure::<DeflateSizer>(&pool, &[], 0, None, Some(2), &monitor);
        assert!(matches!(measured, Err(Error::Interrupted)));
    }

    #[test]
    fn groups_without_end_are_refused() {
        let pool = Pool::new(b"ab", &[0, 1, 2]).unwrap();
        let measured = measure::<DeflateSizer>(&pool, &[0, 1], usize::MAX, None, Some(1), &Monitor::default());
        assert!(matches!(measured, Err(Error::Limit(_))));
    }
}
