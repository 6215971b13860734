//! R of a whole pool, of its groups, and a quick estimate.

use std::ops::Range;

use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::pool::Pool;
use crate::run::monitor::{Monitor, Stage};
use crate::sizer::Sizer;
pub use crate::sizer::set::Measure;
use crate::sizer::set::{Framing, Set};
use crate::sizer::workers::Workers;

/// Stretches of the pool that [`estimate`] looks at, and bytes in each.
const STRETCHES: usize = 16;
const STRETCH: usize = 1 << 20;

/// Groups that can be measured: each has a stream of its own.
const MOST_GROUPS: usize = 1 << 24;

/// R of a pool as `framing` writes it, and the number of bytes that it was measured on: all of a pool of up to 16 MiB;
/// otherwise 16 stretches of 1 MiB, evenly spaced in the samples one after the other, each compressed alone. So it takes
/// about a second, however large the pool is, and keeps neighbours together, whose likeness is what a window of 32 KiB
/// sees.
///
/// Call it inside [`Workers::run`].
///
/// # Errors
/// [`Error::Interrupted`] when the monitor says so.
pub(crate) fn estimate<S: Sizer>(
    pool: &Pool<'_>,
    framing: Framing,
    workers: &Workers<S>,
    monitor: &Monitor,
) -> Result<(f64, u64)> {
    let measured = |samples: Range<usize>| {
        let mut set = Set::<S>::new(framing);
        set.extend(samples.map(|index| pool.sample(index)), monitor)?;
        Ok(workers.with_scratch(|scratch| set.measure(scratch)))
    };
    if pool.bytes() <= STRETCHES * STRETCH {
        let all = measured(0..pool.len())?;
        return Ok((all.ratio(), all.raw));
    }
    let parts: Vec<Measure> = stretches(pool).into_par_iter().map(measured).collect::<Result<_>>()?;
    let (raw, size) = parts.iter().fold((0, 0), |(raw, size), part| (raw + part.raw, size + part.size));
    Ok((raw as f64 / size as f64, raw))
}

/// The stretches of a pool that is larger than they are together.
fn stretches(pool: &Pool<'_>) -> Vec<Range<usize>> {
    let starts = pool.found_at((0..STRETCHES).map(|stretch| stretch * (pool.bytes() - STRETCH) / (STRETCHES - 1)));
    let ends = pool.found_at(starts.iter().map(|&(_, begin)| begin + STRETCH));
    starts.into_iter().zip(ends).map(|((start, _), (end, _))| start..end.max(start + 1)).collect()
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
/// A set is one compressed stream, so sets are measured side by side, each on one thread.
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
    let workers = Workers::<S>::new(threads)?;
    monitor.enter(Stage::Measure, length * if count > 0 { 2 } else { 1 });
    let set_of = |samples: &mut (dyn Iterator<Item = &[u8]> + Send)| {
        let mut set = Set::<S>::new(Framing::CONCATENATION);
        set.extend(samples.inspect(|_| monitor.steps(1)), monitor)?;
        Ok(workers.with_scratch(|scratch| set.measure(scratch)))
    };
    workers.run(|| {
        let (whole, parts) = rayon::join(
            || set_of(&mut (0..length).map(|at| pool.sample(ordered(at)))),
            || {
                let part = |indices: &Vec<usize>| set_of(&mut indices.iter().map(|&index| pool.sample(index)));
                members.par_iter().map(part).collect::<Result<Vec<_>>>()
            },
        );
        Ok(std::iter::once(whole?).chain(parts?).collect())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sizer::DeflateSizer;

    /// 40 MB of letters, of which there are fewer and fewer, and samples of 900 bytes in it.
    fn fading() -> (Vec<u8>, Vec<i64>) {
        let mut state = 1_u64;
        let bytes: Vec<u8> = (0..40_000_000_u64)
            .map(|at| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                b'a' + ((state >> 33) % (26 - at / 2_000_000)) as u8
            })
            .collect();
        let starts = (0..bytes.len() as i64).step_by(900).collect();
        (bytes, starts)
    }

    fn estimated(pool: &Pool<'_>) -> (f64, u64) {
        let workers = Workers::<DeflateSizer>::new(Some(2)).unwrap();
        workers.run(|| estimate(pool, Framing::CONCATENATION, &workers, &Monitor::default())).unwrap()
    }

    /// Samples apart from each other are estimated as if they lay side by side: the same stretches, to the byte.
    #[test]
    fn gaps_change_nothing() {
        let (bytes, starts) = fading();
        // Four of five samples at the start, and one of five at the end: where the bytes are is not where the gaps are.
        let kept = |at: i64| at % 5 < if at < starts.len() as i64 / 2 { 4 } else { 1 };
        let starts: Vec<i64> = (0..).zip(&starts).filter(|&(at, _)| kept(at)).map(|(_, &start)| start).collect();
        let ends: Vec<i64> = starts.iter().map(|&start| (start + 900).min(bytes.len() as i64)).collect();
        let apart = Pool::part(&bytes, &starts, &ends).unwrap();
        let together: Vec<u8> = apart.iter().flatten().copied().collect();
        let offsets: Vec<i64> = (0..=starts.len()).map(|at| (at as i64 * 900).min(together.len() as i64)).collect();
        let pool = Pool::new(&together, &offsets).unwrap();
        assert!(pool.bytes() > STRETCHES * STRETCH);
        assert_eq!(stretches(&apart), stretches(&pool));
        let (ratio, measured) = estimated(&apart);
        assert_eq!((ratio, measured), estimated(&pool));
        // What each byte is worth fades evenly, so the estimate has to come near to all of it.
        let all = measure::<DeflateSizer>(&apart, &[], 0, None, Some(2), &Monitor::default()).unwrap()[0].ratio();
        assert!((ratio / all - 1.0).abs() < 0.01, "{ratio} of {all}");
    }

    /// Every stretch is a MiB, none overlap, and they reach from the first sample to the last.
    #[test]
    fn stretches_are_spread_over_all_samples() {
        let bytes = vec![b'x'; 60_000_000];
        // Samples of 600 bytes in three clusters far from each other.
        let starts: Vec<i64> =
            [0, 20_000_000, 50_000_000].iter().flat_map(|from| (0..11_000).map(move |at| from + at * 600)).collect();
        let ends: Vec<i64> = starts.iter().map(|start| start + 600).collect();
        let pool = Pool::part(&bytes, &starts, &ends).unwrap();
        let found = stretches(&pool);
        assert_eq!((found.len(), found[0].start), (STRETCHES, 0));
        assert!(pool.len() - found[STRETCHES - 1].end <= 1, "the stretch may end in the last sample");
        assert!(found.windows(2).all(|pair| pair[0].end <= pair[1].start));
        let lengths = found.iter().map(|stretch| stretch.len() * 600);
        assert!(lengths.clone().all(|length| (STRETCH - 600..=STRETCH + 600).contains(&length)), "{:?}", lengths);
    }

    #[test]
    fn groups_without_end_are_refused() {
        let pool = Pool::new(b"ab", &[0, 1, 2]).unwrap();
        let measured = measure::<DeflateSizer>(&pool, &[0, 1], usize::MAX, None, Some(1), &Monitor::default());
        assert!(matches!(measured, Err(Error::Limit(_))));
    }
}
