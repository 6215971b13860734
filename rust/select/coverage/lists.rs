//! Every sample's features, as a list of numbers: what the gains are computed from, hundreds of times a pick.
//!
//! Most of a selection is spent in reading these lists, so they are made to be read fast: the numbers below 65,536, which
//! are most of any text because common features have low numbers, are stored as they are, in 16 bits. The numbers above
//! are stored as the gaps between them, 15 bits in a word of 16, low bits first; the highest bit says that more follow.
//! All lists together take about 1.4 times the memory of the pool.

use rayon::prelude::*;

use super::features::Features;
use super::marks::Marks;
use super::vocabulary::Vocabulary;
use crate::error::Result;
use crate::pool::Pool;
use crate::select::monitor::Monitor;

/// Samples whose lists share an allocation.
const CHUNK: usize = 256;

/// Numbers below this are stored as they are.
pub const COMMON: usize = 1 << 16;

/// The lists of a pool.
pub struct Lists {
    chunks: Vec<Chunk>,
}

/// The lists of [`CHUNK`] samples, one after the other.
#[derive(Default)]
struct Chunk {
    codes: Vec<u16>,
    /// Where each ends, and how many of its codes are common features.
    ends: Vec<(usize, u32)>,
}

/// The features of one sample, sorted.
#[derive(Clone, Copy)]
pub struct List<'a> {
    /// The features below [`COMMON`].
    pub common: &'a [u16],
    rare: &'a [u16],
}

impl Lists {
    /// Reads every sample.
    pub fn new<F: Features>(pool: &Pool<'_>, features: F, vocabulary: &Vocabulary, monitor: &Monitor) -> Result<Self> {
        let chunk = |marks: &mut Marks, at: usize| {
            let mut chunk = Chunk::default();
            for index in at * CHUNK..pool.len().min((at + 1) * CHUNK) {
                monitor.check()?;
                vocabulary.read(features, pool.sample(index), marks);
                chunk.push(marks);
                monitor.steps(1);
            }
            chunk.codes.shrink_to_fit();
            Ok(chunk)
        };
        let chunks = (0..pool.len().div_ceil(CHUNK))
            .into_par_iter()
            .map_init(|| Marks::new(vocabulary.len()), chunk)
            .collect::<Result<_>>()?;
        Ok(Self { chunks })
    }

    /// The features of a sample.
    #[inline]
    pub fn of(&self, index: usize) -> List<'_> {
        let Chunk { codes, ends } = &self.chunks[index / CHUNK];
        let at = index % CHUNK;
        let start = if at == 0 { 0 } else { ends[at - 1].0 };
        let (end, common) = ends[at];
        let (common, rare) = codes[start..end].split_at(common as usize);
        List { common, rare }
    }
}

impl Chunk {
    /// Appends a list of the features marked, and takes the marks away.
    fn push(&mut self, marks: &mut Marks) {
        let Self { codes, ends } = self;
        let mut common = 0;
        let mut last = COMMON as u32;
        marks.drain(|id| {
            if id < COMMON as u32 {
                codes.push(id as u16);
                common += 1;
                return;
            }
            let mut gap = id - last;
            last = id;
            while gap >= 1 << 15 {
                codes.push(gap as u16 | 1 << 15);
                gap >>= 15;
            }
            codes.push(gap as u16);
        });
        ends.push((codes.len(), common));
    }
}

impl<'a> List<'a> {
    /// The features from [`COMMON`] on.
    #[inline]
    pub fn rare(self) -> impl Iterator<Item = u32> + 'a {
        let mut codes = self.rare.iter();
        let mut last = COMMON as u32;
        std::iter::from_fn(move || {
            let code = *codes.next()?;
            let mut gap = u32::from(code & 0x7fff);
            if code >= 1 << 15 {
                let mut shift = 15;
                for &code in codes.by_ref() {
                    gap |= u32::from(code & 0x7fff) << shift;
                    shift += 15;
                    if code < 1 << 15 {
                        break;
                    }
                }
            }
            last += gap;
            Some(last)
        })
    }

    /// All of them.
    pub fn iter(self) -> impl Iterator<Item = u32> + 'a {
        self.common.iter().map(|&code| u32::from(code)).chain(self.rare())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_come_back() {
        let mut marks = Marks::new(u32::MAX as usize);
        let mut chunk = Chunk::default();
        let lists = [
            &[][..],
            &[0],
            &[0, 1, 2, 65_535],
            &[65_535, 65_536, 65_536 + 32_767, 65_536 + 2 * 32_767 + 1],
            &[u32::MAX - 1],
            &[5, 1 << 17, (1 << 30) + 3, u32::MAX - 2],
        ];
        for ids in lists {
            ids.iter().for_each(|&id| marks.insert(id));
            chunk.push(&mut marks);
        }
        let all = Lists { chunks: vec![chunk] };
        for (index, ids) in lists.iter().enumerate() {
            assert_eq!(all.of(index).iter().collect::<Vec<_>>(), *ids);
        }
    }
}
