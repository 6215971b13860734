//! Duplicates in a pool: samples that say again what an earlier one says, to the byte or nearly.
//!
//! *Exact* duplicates have the same bytes. *Near* duplicates share at least four fifths of their shingles
//! ([`crate::text::shingles`]), runs of five words without case and punctuation (Jaccard similarity 0.8, as in Lee et al.
//! 2022, arXiv 2107.06499).
//!
//! Comparing every pair is out of the question, so candidates come from MinHash with banding (Broder 1997; Leskovec,
//! Rajaraman, Ullman, *Mining of Massive Datasets*, chapter 3; here [`minhash`]): samples that agree in a band of minima
//! are probably alike. Each candidate pair is then verified on the shingles themselves, so that no two samples are
//! called alike that are not. Pairs may be missed: at similarity 0.8 with probability 0.002, above that less. Likeness is
//! closed over chains: a is like b, b like c, so all three are one cluster, whose first sample counts as the original.
//!
//! Time is linear in the pool for the minima, and in the number of candidate pairs, of which a sample has two a band at
//! most. Memory besides the pool: 116 bytes a sample, and 16 a candidate pair of one band.

mod minhash;

use rayon::prelude::*;

use self::minhash::{BANDS, Minima};
use crate::error::Result;
use crate::measure::copies::firsts;
use crate::pool::Pool;
use crate::run::monitor::{Monitor, Stage};
use crate::run::threads::Threads;
use crate::text::shingles::{Shingles, alike};

/// For each sample, the earlier one that it repeats, or itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duplicates {
    /// The first sample with the same bytes.
    pub exact: Vec<i64>,
    /// The first sample of those that are alike, exact copies included.
    pub near: Vec<i64>,
}

/// Hashes of a sample's minima, band by band; None if it has no words.
type Sketch = Option<[u32; BANDS]>;

/// Finds the duplicates of a pool.
///
/// # Errors
/// [`crate::Error::Parameter`] if threads can't be started, [`crate::Error::Interrupted`] when the monitor says so.
pub fn find(pool: &Pool<'_>, count: Option<usize>, monitor: &Monitor) -> Result<Duplicates> {
    monitor.enter(Stage::Measure, pool.len());
    Threads::start(count)?.install(|| {
        let exact = firsts(pool, None, monitor)?;
        let sketches = sketch(pool, monitor)?;
        let near = near(pool, &sketches, &exact, monitor)?;
        Ok(Duplicates { exact, near })
    })
}

fn sketch(pool: &Pool<'_>, monitor: &Monitor) -> Result<Vec<Sketch>> {
    (0..pool.len())
        .into_par_iter()
        .map_init(Minima::default, |minima, index| {
            monitor.check()?;
            minima.clear();
            Shingles::each(pool.sample(index), |shingle| minima.add(shingle));
            monitor.steps(1);
            Ok(minima.bands())
        })
        .collect()
}

/// The first sample of its cluster, for each.
fn near(pool: &Pool<'_>, sketches: &[Sketch], exact: &[i64], monitor: &Monitor) -> Result<Vec<i64>> {
    let mut clusters = Clusters { parent: exact.iter().map(|&index| index as usize).collect() };
    for band in 0..BANDS {
        let mut members: Vec<(u32, usize)> = (0..pool.len())
            .filter(|&index| exact[index] == index as i64)
            .filter_map(|index| sketches[index].as_ref().map(|bands| (bands[band], index)))
            .collect();
        members.par_sort_unstable();
        // Each with the first of those that agree in this band, and with the one before it.
        let mut pairs = Vec::new();
        for agreeing in members.chunk_by(|a, b| a.0 == b.0) {
            for (at, &(_, index)) in agreeing.iter().enumerate().skip(1) {
                pairs.push((agreeing[0].1, index));
                if at > 1 {
                    pairs.push((agreeing[at - 1].1, index));
                }
            }
        }
        pairs.retain(|&(a, b)| clusters.of(a) != clusters.of(b));
        let verified: Vec<bool> = pairs
            .par_iter()
            .map(|&(a, b)| {
                monitor.check()?;
                Ok(alike(pool.sample(a), pool.sample(b)))
            })
            .collect::<Result<_>>()?;
        for (&(a, b), _) in pairs.iter().zip(verified).filter(|(_, alike)| *alike) {
            clusters.join(a, b);
        }
    }
    Ok((0..pool.len()).map(|index| clusters.of(index) as i64).collect())
}

/// Disjoint sets of samples; the smallest index stands for its set.
struct Clusters {
    parent: Vec<usize>,
}

impl Clusters {
    fn of(&mut self, mut index: usize) -> usize {
        while self.parent[index] != index {
            self.parent[index] = self.parent[self.parent[index]];
            index = self.parent[index];
        }
        index
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.of(a), self.of(b));
        self.parent[a.max(b)] = a.min(b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(samples: &[String]) -> Duplicates {
        let bytes: Vec<u8> = samples.concat().into_bytes();
        let mut offsets = vec![0];
        for sample in samples {
            offsets.push(offsets[offsets.len() - 1] + sample.len() as i64);
        }
        find(&Pool::new(&bytes, &offsets).unwrap(), Some(2), &Monitor::default()).unwrap()
    }

    /// `count` words that no other seed has.
    fn words(seed: usize, count: usize) -> Vec<String> {
        (0..count).map(|at| format!("w{}", seed * 1_000_003 + at * at)).collect()
    }

    #[test]
    fn tells_copies_from_likeness() {
        let original = words(1, 200);
        let mut changed = original.clone();
        changed[100] = "other".into();
        let mut half = original.clone();
        half[100..].clone_from_slice(&words(2, 100));
        let samples: Vec<String> = vec![
            original.join(" "),
            words(3, 200).join(" "),
            original.join(" "),
            changed.join(" "),
            original.join(", ").to_uppercase(),
            half.join(" "),
            String::new(),
            String::new(),
        ];
        let duplicates = found(&samples);
        assert_eq!(duplicates.exact, [0, 1, 0, 3, 4, 5, 6, 6]);
        assert_eq!(duplicates.near, [0, 1, 0, 0, 0, 5, 6, 6]);
    }

    /// 200 pairs well above the threshold are found, 200 well below it are not.
    #[test]
    fn finds_pairs_above_the_threshold() {
        let pairs = |changes: usize| -> Vec<String> {
            (0..200)
                .flat_map(|pair| {
                    let original = words(pair + 7, 300);
                    let mut other = original.clone();
                    for change in 0..changes {
                        other[change * (300 / changes) + 3] = format!("x{pair}");
                    }
                    [original.join(" "), other.join(" ")]
                })
                .collect()
        };
        // Each change takes five shingles of 296 from both: similarity 0.84 with 5 changes, 0.60 with 15.
        let near = found(&pairs(5)).near;
        assert!((0..400).all(|index| near[index] == (index & !1) as i64));
        let far = found(&pairs(15)).near;
        assert!((0..400).all(|index| far[index] == index as i64));
    }

    /// Clusters of samples that all agree in one band, and in no other.
    fn agreeing(samples: &[Vec<String>]) -> Vec<i64> {
        let texts: Vec<String> = samples.iter().map(|words| words.join(" ")).collect();
        let mut offsets = vec![0];
        for text in &texts {
            offsets.push(offsets[offsets.len() - 1] + text.len() as i64);
        }
        let bytes = texts.concat().into_bytes();
        let pool = Pool::new(&bytes, &offsets).unwrap();
        let bands =
            |index: u32| std::array::from_fn(|band| if band == 3 { 7 } else { 1000 * (index + 1) + band as u32 });
        let sketches: Vec<Sketch> = (0..texts.len() as u32).map(|index| Some(bands(index))).collect();
        let exact: Vec<i64> = (0..texts.len() as i64).collect();
        near(&pool, &sketches, &exact, &Monitor::default()).unwrap()
    }

    /// Of those that agree in a band, each is held against the first and against the one before it, and against no other:
    /// pairs are not more than two a sample.
    #[test]
    fn pairs_are_with_the_first_and_with_the_one_before() {
        let [a, b, c] = [1, 2, 3].map(|seed| words(seed, 200));
        let near_to = |original: &Vec<String>| {
            let mut near = original.clone();
            near[50] = "other".into();
            near
        };
        assert_eq!(agreeing(&[a.clone(), near_to(&a)]), [0, 0]);
        assert_eq!(agreeing(&[a.clone(), b.clone()]), [0, 1], "to agree is not to be alike");
        assert_eq!(agreeing(&[a.clone(), b.clone(), near_to(&a)]), [0, 1, 0], "like the first");
        assert_eq!(agreeing(&[a.clone(), b.clone(), near_to(&b)]), [0, 1, 1], "like the one before");
        assert_eq!(agreeing(&[a, b.clone(), c, near_to(&b)]), [0, 1, 2, 3], "like neither of the two");
    }

    #[test]
    fn chains_are_one_cluster() {
        let steps: Vec<String> = (0..10)
            .map(|step| {
                let mut sample = words(5, 300);
                for at in 0..step {
                    sample[at * 20] = format!("y{at}");
                }
                sample.join(" ")
            })
            .collect();
        assert_eq!(found(&steps).near, [0; 10]);
    }
}
