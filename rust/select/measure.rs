//! R of a whole pool and of its groups.

use rayon::prelude::*;

use super::monitor::{Monitor, Stage};
use super::set::{Framing, Measure, Set};
use super::workers::Workers;
use crate::error::{Error, Result};
use crate::pool::Pool;
use crate::sizer::Sizer;

/// Measures the whole pool and each group of it: the samples concatenated in input order. The first result is the
/// pool's, then follow those of groups `0..count`; `groups[i]` is sample `i`'s group.
///
/// A set is one compressed stream, so sets are measured side by side, each on one thread.
///
/// # Errors
/// [`Error::Parameter`] if `groups` does not fit the pool, [`Error::Interrupted`] when the monitor says so.
pub fn measure<S: Sizer>(
    pool: &Pool<'_>,
    groups: &[u32],
    count: usize,
    threads: Option<usize>,
    monitor: &Monitor,
) -> Result<Vec<Measure>> {
    if groups.len() != pool.len() || groups.iter().any(|&group| group as usize >= count) {
        return Err(Error::Parameter(format!("{} samples need as many groups, each below {count}", pool.len())));
    }
    let mut members = vec![Vec::new(); count];
    for (index, &group) in groups.iter().enumerate() {
        members[group as usize].push(index);
    }
    let workers = Workers::<S>::new(threads)?;
    monitor.enter(Stage::Measure, 2 * pool.len());
    let set_of = |samples: &mut (dyn Iterator<Item = &[u8]> + Send)| {
        let mut set = Set::<S>::new(Framing::CONCATENATION);
        set.extend(samples.inspect(|_| monitor.steps(1)), monitor)?;
        Ok(workers.with_scratch(|scratch| set.measure(scratch)))
    };
    workers.run(|| {
        let (whole, parts) = rayon::join(
            || set_of(&mut pool.iter()),
            || {
                let part = |indices: &Vec<usize>| set_of(&mut indices.iter().map(|&index| pool.sample(index)));
                members.par_iter().map(part).collect::<Result<Vec<_>>>()
            },
        );
        Ok(std::iter::once(whole?).chain(parts?).collect())
    })
}
