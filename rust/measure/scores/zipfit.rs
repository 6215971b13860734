//! ZIP-FIT: how well texts compress together with a target's (Obbad et al., *ZIP-FIT: embedding-free data selection via
//! compression-based alignment*, arXiv 2410.18194).
//!
//! The *normalised compression distance* of two texts is `(C(xy) - min(C(x), C(y))) / max(C(x), C(y))`, where C is the length
//! under gzip, level 9, and `xy` the one text behind the other: near 0 if one tells the other, near 1 if they share nothing.
//! A sample's score is the mean, over all samples of the target, of 1 minus it.
//!
//! gzip would compress each pair from its start. Here a sizer reads a sample once, as its prefix, and probes all of the
//! target's behind it; the sizes, and so the scores, are the same. Time goes with the number of samples times the
//! length of the target.

use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::pool::Pool;
use crate::run::monitor::{Monitor, Stage};
use crate::run::threads::Threads;
use crate::sizer::Sizer;

/// By how many bytes gzip's header and trailer (RFC 1952) are longer than zlib's (RFC 1950).
const GZIP: u64 = 12;

/// What one thread works with.
struct Worker<S: Sizer> {
    sizer: S,
    scratch: S::Scratch,
    sizes: Vec<u64>,
    likeness: Vec<f64>,
}

impl<S: Sizer> Worker<S> {
    fn new() -> Self {
        let sizer = S::new();
        let scratch = sizer.scratch();
        Self { sizer, scratch, sizes: Vec::new(), likeness: Vec::new() }
    }

    /// Sizes under gzip of each of `texts` behind what the sizer has read.
    fn probe(&mut self, texts: &[&[u8]], monitor: &Monitor) -> Result<()> {
        self.sizes.clear();
        self.sizes.resize(texts.len(), 0);
        for (texts, sizes) in texts.chunks(S::AT_ONCE).zip(self.sizes.chunks_mut(S::AT_ONCE)) {
            monitor.check()?;
            self.sizer.probe_all(texts, sizes, &mut self.scratch);
        }
        self.sizes.iter_mut().for_each(|size| *size += GZIP);
        Ok(())
    }

    /// The score of a sample. `texts` are those of the target and then an empty one, `alone` the sizes of the former.
    fn score(&mut self, sample: &[u8], texts: &[&[u8]], alone: &[u64], monitor: &Monitor) -> Result<f64> {
        self.sizer.clear();
        self.sizer.append(sample);
        self.probe(texts, monitor)?;
        let own = self.sizes[alone.len()];
        self.likeness.clear();
        self.likeness.extend(self.sizes.iter().zip(alone).map(|(&both, &other)| {
            let more = both as f64 - own.min(other) as f64;
            1.0 - more / own.max(other) as f64
        }));
        Ok(sum(&self.likeness) / alone.len() as f64)
    }
}

/// The score of every sample of `pool`, given a `target` that is not empty.
///
/// # Errors
/// [`Error::Parameter`] if the target is empty, or threads can't be started; [`Error::Interrupted`] when the monitor says
/// so.
pub fn scores<S: Sizer>(
    pool: &Pool<'_>,
    target: &Pool<'_>,
    threads: Option<usize>,
    monitor: &Monitor,
) -> Result<Vec<f64>> {
    if target.is_empty() {
        return Err(Error::Parameter("the target has no samples".into()));
    }
    let threads = Threads::start(threads)?;
    let workers: Vec<Mutex<Option<Worker<S>>>> = (0..threads.count()).map(|_| Mutex::default()).collect();
    threads.install(|| {
        let mut texts: Vec<&[u8]> = target.iter().collect();
        let mut first = Worker::<S>::new();
        first.probe(&texts, monitor)?;
        let alone = first.sizes;
        texts.push(b"");
        monitor.enter(Stage::Score, pool.len());
        let score = |index| {
            let thread = rayon::current_thread_index().expect("on the threads");
            let mut worker = workers[thread].lock().unwrap_or_else(PoisonError::into_inner);
            let score = worker.get_or_insert_with(Worker::new).score(pool.sample(index), &texts, &alone, monitor)?;
            monitor.steps(1);
            Ok(score)
        };
        (0..pool.len()).into_par_iter().map(score).collect()
    })
}

/// The sum of numbers, as NumPy adds them up: pairwise, in eight lanes. The public package takes its means with it.
fn sum(values: &[f64]) -> f64 {
    const LANES: usize = 8;
    const MOST: usize = 128;
    if values.len() < LANES {
        return values.iter().fold(0.0, |sum, value| sum + value);
    }
    if values.len() > MOST {
        let half = values.len() / 2;
        let (left, right) = values.split_at(half - half % LANES);
        return sum(left) + sum(right);
    }
    let (lanes, rest) = values.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for (at, lane) in lanes.iter().enumerate() {
        for (sum, value) in sums.iter_mut().zip(lane) {
            *sum = if at == 0 { *value } else { *sum + value };
        }
    }
    let [a, b, c, d, e, f, g, h] = sums;
    rest.iter().fold(((a + b) + (c + d)) + ((e + f) + (g + h)), |sum, value| sum + value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sizer::DeflateSizer;

    /// What NumPy 2 makes of these: 1/1 + 1/2 + ... + 1/n, to the bit.
    #[test]
    fn sums_are_those_of_numpy() {
        for (n, bits) in SUMS {
            let values: Vec<f64> = (1..=n).map(|k| 1.0 / f64::from(k)).collect();
            assert_eq!(sum(&values).to_bits(), bits, "{n}");
        }
    }

    const SUMS: [(u32, u64); 7] = [
        (1, 0x3ff0000000000000),
        (7, 0x4004be2be2be2be2),
        (8, 0x4005be2be2be2be2),
        (24, 0x400e35298fa41edc),
        (127, 0x4015b38ae9541ca6),
        (129, 0x4015c37b09149ba9),
        (1000, 0x401df11f45f4e61a),
    ];

    #[test]
    fn a_target_needs_samples() {
        let (pool, none) = (Pool::new(b"ab", &[0, 2]).unwrap(), Pool::new(b"", &[0]).unwrap());
        let found = scores::<DeflateSizer>(&pool, &none, Some(1), &Monitor::default());
        assert!(matches!(found, Err(Error::Parameter(_))));
    }

    #[test]
    fn stops_when_asked() {
        let pool = Pool::new(b"ab", &[0, 2]).unwrap();
        let monitor = Monitor::default();
        monitor.stop();
        assert_eq!(scores::<DeflateSizer>(&pool, &pool, Some(1), &monitor).unwrap_err(), Error::Interrupted);
    }
}
