//! Names of clusters: the words that tell them from the others.

use std::collections::{BTreeMap, BTreeSet};

use super::features::marks;
use crate::real;

/// Words in a name.
const WORDS: usize = 3;

/// Bytes of a word.
const LENGTHS: std::ops::RangeInclusive<usize> = 3..=24;

/// The names of `count` clusters, from samples and the cluster of each: a number, from 1 on, and up to three words.
///
/// A word counts with `p * ln(p / q)^2`, where a share of `p` of the cluster's samples and `q` of all have it.
pub(super) fn names(samples: &[(&[u8], usize)], count: usize) -> Vec<String> {
    let mut having: BTreeMap<String, BTreeMap<usize, u32>> = BTreeMap::new();
    let mut sizes = vec![0_u32; count];
    for &(sample, cluster) in samples {
        sizes[cluster] += 1;
        let is_word = |mark: &&[u8]| LENGTHS.contains(&mark.len()) && mark[0].is_ascii_alphabetic();
        let words: BTreeSet<String> = marks(sample)
            .filter(is_word)
            .filter_map(|word| std::str::from_utf8(word).ok())
            .map(str::to_lowercase)
            .collect();
        for word in words {
            *having.entry(word).or_default().entry(cluster).or_default() += 1;
        }
    }
    let mut telling: Vec<Vec<(f64, &str)>> = vec![Vec::new(); count];
    for (word, by_cluster) in &having {
        let all = f64::from(by_cluster.values().sum::<u32>()) / samples.len() as f64;
        for (&cluster, &found) in by_cluster {
            let share = f64::from(found) / f64::from(sizes[cluster]);
            if share > all {
                let times = real::ln(share / all);
                telling[cluster].push((share * times * times, word));
            }
        }
    }
    let name = |(at, mut words): (usize, Vec<(f64, &str)>)| {
        // Words are in order of the alphabet, and a stable sort leaves equal ones so.
        words.sort_by(|a, b| b.0.total_cmp(&a.0));
        let words: Vec<&str> = words.iter().take(WORDS).map(|&(_, word)| word).collect();
        if words.is_empty() { format!("{}", at + 1) } else { format!("{} {}", at + 1, words.join(" ")) }
    };
    telling.into_iter().enumerate().map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_words_that_tell() {
        let samples: Vec<(&[u8], usize)> = vec![
            (b"the passage of the question", 0),
            (b"the passage, a Question", 0),
            (b"the def of return", 1),
            (b"the def return it", 1),
            (b"the 12", 2),
        ];
        assert_eq!(names(&samples, 4), ["1 passage question", "2 def return", "3", "4"]);
    }
}
