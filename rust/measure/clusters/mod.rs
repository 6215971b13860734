//! Clusters: groups of samples that are written alike, for pools that do not say where their samples come from.
//!
//! Samples are vectors of common words and punctuation ([`features`]). Spherical k-means ([`kmeans`]) finds
//! centres on at most [`TRAINED`] of them, those of lowest hash; then every sample joins its nearest centre. So time is
//! linear in the pool, and memory grows with it by no more than 16 bytes a sample.
//!
//! The result depends on the samples and on how many clusters are asked for: not on the number of threads, the platform,
//! or the order of the samples. All sums are of whole numbers, and the samples trained on are taken by a hash of their bytes.

mod features;
mod kmeans;
mod names;

use std::cmp::Reverse;

use rayon::prelude::*;

use self::features::{Common, SLOTS, Scratch, vector};
use self::kmeans::Centres;
use crate::error::{Error, Result};
use crate::hash::chain;
use crate::pool::Pool;
use crate::run::monitor::{Monitor, Stage};
use crate::run::threads::Threads;

/// Samples that centres are found on.
const TRAINED: usize = 1 << 15;

/// Of these, samples that names are made from.
const NAMED: usize = 1 << 13;

/// Clusters that may be asked for.
pub const MOST: usize = 1024;

/// Samples that one thread counts at a time.
const SHARE: usize = 1 << 12;

/// Clusters, the largest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clusters {
    /// The cluster of each sample.
    pub of: Vec<u32>,
    /// A number, from 1 on, and the words that tell the cluster from the others.
    pub names: Vec<String>,
}

/// At most `count` clusters of a pool: fewer if fewer samples are different.
///
/// # Errors
/// [`Error::Parameter`] unless `count` is from 2 to [`MOST`]; [`Error::Interrupted`] when the monitor says so.
pub fn find(pool: &Pool<'_>, count: usize, threads: Option<usize>, monitor: &Monitor) -> Result<Clusters> {
    if !(2..=MOST).contains(&count) {
        return Err(Error::Parameter(format!("the clusters are {count}; there must be 2 to {MOST}")));
    }
    monitor.enter(Stage::Measure, 2 * pool.len());
    Threads::start(threads)?.install(|| find_with(pool, count, TRAINED, monitor))
}

fn find_with(pool: &Pool<'_>, count: usize, trained: usize, monitor: &Monitor) -> Result<Clusters> {
    let common = Common::new(&having(pool, monitor)?);
    let chosen = lowest(pool, trained);
    let vectors: Vec<_> = chosen
        .par_iter()
        .map_init(Scratch::default, |scratch, &index| {
            monitor.check()?;
            Ok(vector(pool.sample(index), &common, scratch))
        })
        .collect::<Result<_>>()?;
    let centres = Centres::fit(&vectors, count, monitor)?;
    let mut of: Vec<u32> = (0..pool.len())
        .into_par_iter()
        .map_init(Default::default, |(scratch, products), index| {
            monitor.check()?;
            monitor.steps(1);
            Ok(centres.home(&vector(pool.sample(index), &common, scratch), products).0 as u32)
        })
        .collect::<Result<_>>()?;
    // The largest first; those that nothing belongs to are left out.
    let mut sizes: Vec<(usize, u32)> = (0..centres.len().max(1) as u32).map(|cluster| (0, cluster)).collect();
    of.iter().for_each(|&cluster| sizes[cluster as usize].0 += 1);
    sizes.sort_by_key(|size| Reverse(size.0));
    sizes.retain(|&(size, _)| size > 0);
    let mut rank = vec![0; centres.len().max(1)];
    sizes.iter().enumerate().for_each(|(at, &(_, cluster))| rank[cluster as usize] = at as u32);
    of.par_iter_mut().for_each(|cluster| *cluster = rank[*cluster as usize]);
    let samples: Vec<_> = chosen.iter().take(NAMED).map(|&index| (pool.sample(index), of[index] as usize)).collect();
    Ok(Clusters { names: names::names(&samples, sizes.len()), of })
}

/// In how many samples each slot has a mark.
fn having(pool: &Pool<'_>, monitor: &Monitor) -> Result<Vec<u32>> {
    (0..pool.len().div_ceil(SHARE))
        .into_par_iter()
        .map(|share| {
            let mut counts = vec![0; SLOTS];
            let mut slots = Vec::new();
            for index in share * SHARE..pool.len().min((share + 1) * SHARE) {
                monitor.check()?;
                features::slots(pool.sample(index), &mut slots);
                slots.iter().for_each(|&slot| counts[usize::from(slot)] += 1);
                monitor.steps(1);
            }
            Ok(counts)
        })
        .try_reduce(
            || vec![0; SLOTS],
            |mut sums, counts| {
                sums.iter_mut().zip(counts).for_each(|(sum, count): (&mut u32, u32)| *sum += count);
                Ok(sums)
            },
        )
}

/// The samples of lowest hash, at most `count`, in the order of their hashes. Of equal samples all have one hash.
fn lowest(pool: &Pool<'_>, count: usize) -> Vec<usize> {
    let hash = |sample: &[u8]| {
        sample.chunks(8).fold(sample.len() as u64, |state, chunk| {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            chain(state, u64::from_le_bytes(word))
        })
    };
    let mut hashed: Vec<(u64, usize)> =
        (0..pool.len()).into_par_iter().map(|index| (hash(pool.sample(index)), index)).collect();
    if hashed.len() > count {
        hashed.select_nth_unstable(count);
        hashed.truncate(count);
    }
    hashed.sort_unstable();
    hashed.into_iter().map(|(_, index)| index).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Samples of four kinds, a different number of each.
    fn texts() -> Vec<String> {
        let kinds: [fn(usize) -> String; 4] = [
            |n| format!("Question: is {n} larger than {}?\nAnswer: yes", n / 2),
            |n| format!("def f{n}(x):\n    return x + {n}\n"),
            |n| format!("- milk {n}\n- bread\n- eggs {}\n", n * 7),
            |n| format!("Once upon a time there were {n} wolves, and they sang."),
        ];
        (0..400).map(|n| kinds[[0, 1, 2, 3, 0, 1, 0][n % 7]](n)).collect()
    }

    fn run(texts: &[String], count: usize, threads: usize) -> Result<Clusters> {
        let bytes = texts.concat().into_bytes();
        let ends: Vec<i64> = texts
            .iter()
            .scan(0, |end, text| {
                *end += text.len() as i64;
                Some(*end)
            })
            .collect();
        let offsets: Vec<i64> = [0].into_iter().chain(ends).collect();
        find(&Pool::new(&bytes, &offsets)?, count, Some(threads), &Monitor::default())
    }

    #[test]
    fn kinds_come_apart() {
        let texts = texts();
        let found = run(&texts, 8, 2).unwrap();
        for (n, &cluster) in found.of.iter().enumerate() {
            let name = &found.names[cluster as usize];
            assert!(name.starts_with(&format!("{} ", cluster + 1)), "{name}");
            assert!(texts[n].to_lowercase().contains(name.split(' ').nth(1).unwrap()), "{:?} is in {name}", texts[n]);
        }
    }

    #[test]
    fn neither_threads_nor_the_order_change_anything() {
        let texts = texts();
        let found = run(&texts, 9, 1).unwrap();
        assert_eq!(run(&texts, 9, 4).unwrap(), found);
        let backwards: Vec<String> = texts.iter().rev().cloned().collect();
        let mut again = run(&backwards, 9, 3).unwrap();
        again.of.reverse();
        assert_eq!(again, found);
    }

    #[test]
    fn a_pool_may_be_small_or_say_nothing() {
        assert!(matches!(run(&texts(), 1, 1), Err(Error::Parameter(_))));
        assert!(matches!(run(&texts(), MOST + 1, 1), Err(Error::Parameter(_))));
        assert_eq!(
            run(&[String::new(), String::new()], 5, 1).unwrap(),
            Clusters { of: vec![0; 2], names: vec!["1".into()] }
        );
        let two = run(&["a b c".into(), String::new(), "x y z".into()], 5, 1).unwrap();
        assert_eq!(two.names.len(), 2);
    }
}
