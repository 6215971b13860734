//! R of a whole pool, of its groups, and a quick estimate.

use std::ops::Range;

use rayon::prelude::*;

use super::monitor::{Monitor, Stage};
use super::set::{Framing, Measure, Set};
use super::workers::Workers;
use crate::error::{Error, Result};
use crate::pool::Pool;
use crate::sizer::Sizer;

/// Stretches of the pool that [`estimate`] looks at, and bytes in each.
const STRETCHES: usize = 16;
const STRETCH: usize = 1 << 20;

/// R of a pool as `framing` writes it, and the number of bytes that it was measured on: all of a pool of up to 16 MiB;
/// otherwise 16 evenly spaced stretches of 1 MiB, each compressed alone. So it takes about a second, however large the
/// pool is, and keeps neighbours together, whose likeness is what a window of 32 KiB sees.
///
/// Call it inside [`Workers::run`].
///
/// # Errors
/// [`Error::Interrupted`] when the monitor says so.
pub fn estimate<S: Sizer>(
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
    let parts: Vec<Measure> = (0..STRETCHES)
        .into_par_iter()
        .map(|stretch| {
            let (first, last) = pool.extent();
            let start = pool.index_at(first + stretch * (last - first - STRETCH) / (STRETCHES - 1));
            measured(start..pool.index_at(pool.offset(start) + STRETCH).max(start + 1))
        })
        .collect::<Result<_>>()?;
    let (raw, size) = parts.iter().fold((0, 0), |(raw, size), part| (raw + part.raw, size + part.size));
    Ok((raw as f64 / size as f64, raw))
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
    if count > 0 && (groups.len() != pool.len() || groups.iter().any(|&group| group as usize >= count)) {
        return Err(Error::Parameter(format!("{} samples need as many groups, each below {count}", pool.len())));
    }
    if order.is_some_and(|order| order.iter().any(|&index| !(0..pool.len() as i64).contains(&index))) {
        return Err(Error::Parameter(format!("an order of {} samples has indices below that", pool.len())));
    }
    let ordered = |at: usize| order.map_or(at, |order| order[at] as usize);
    let length = order.map_or(pool.len(), <[i64]>::len);
    let mut members = vec![Vec::new(); count];
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
