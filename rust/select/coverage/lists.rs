//! Every sample's features, as a list of numbers: what the gains are computed from, hundreds of times a pick.
//!
//! Most of a selection is spent in reading these lists, so they are made to be read fast: the numbers below 65,536, which
//! are most of any text because common features have low numbers, are stored as they are, in 16 bits. The numbers above
//! are stored as the gaps between them, 15 bits in a word of 16, low bits first; the highest bit says that more follow.
//!
//! All lists together take about 1.4 times the memory of the pool, but may need thrice as much if it is noise. Lists that
//! do not fit the memory there is for them are made again from the text whenever they are needed.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use super::marks::Marks;
use super::vocabulary::Vocabulary;
use crate::error::Result;
use crate::pool::Pool;
use crate::run::monitor::Monitor;
use crate::text::features::Features;

/// Samples whose lists share an allocation.
const CHUNK: usize = 256;

/// Numbers below this are stored as they are.
pub(super) const COMMON: usize = 1 << 16;

/// The lists of a pool.
pub(super) struct Lists<F> {
    features: F,
    /// `None` for those that did not fit.
    chunks: Vec<Option<Chunk>>,
    /// What the others are made with.
    reader: Option<Reader>,
}

/// Makes lists, on each thread of the pool it is used in.
struct Reader {
    vocabulary: Vocabulary,
    marks: Vec<Mutex<Marks>>,
}

/// The lists of [`CHUNK`] samples, one after the other.
#[derive(Default)]
struct Chunk {
    codes: Vec<u16>,
    ends: Vec<End>,
}

/// Where a list ends.
#[derive(Clone, Copy)]
struct End {
    /// Behind its last code.
    at: u32,
    /// How many of its codes are common features.
    common: u32,
}

/// The features of one sample, sorted.
#[derive(Clone, Copy)]
pub(super) struct List<'a> {
    /// The features below [`COMMON`].
    pub common: &'a [u16],
    rare: &'a [u16],
}

impl Reader {
    /// Lends the marks of a sample's features to `job`, which must take them away.
    fn read<F: Features, R>(&self, features: F, sample: &[u8], job: impl FnOnce(&mut Marks) -> R) -> R {
        let thread = rayon::current_thread_index().expect("called on the threads of the selection");
        let mut marks = self.marks[thread].lock().unwrap_or_else(PoisonError::into_inner);
        self.vocabulary.read(features, sample, &mut marks);
        job(&mut marks)
    }
}

impl<F: Features> Lists<F> {
    /// Reads every sample; stores lists of `room` bytes at most.
    pub(super) fn new(
        pool: &Pool<'_>,
        features: F,
        vocabulary: Vocabulary,
        room: usize,
        monitor: &Monitor,
    ) -> Result<Self> {
        let marks = || Mutex::new(Marks::new(vocabulary.len()));
        let marks = (0..rayon::current_num_threads()).map(|_| marks()).collect();
        let reader = Reader { vocabulary, marks };
        let used = AtomicUsize::new(0);
        let chunk = |at: usize| {
            let mut chunk = Chunk::default();
            for index in at * CHUNK..pool.len().min((at + 1) * CHUNK) {
                monitor.check()?;
                monitor.steps(1);
                let before = chunk.memory();
                if used.load(Ordering::Relaxed) <= room && chunk.is_addressable() {
                    reader.read(features, pool.sample(index), |marks| chunk.push(marks));
                    used.fetch_add(chunk.memory() - before, Ordering::Relaxed);
                }
            }
            chunk.codes.shrink_to_fit();
            Ok((used.load(Ordering::Relaxed) <= room && chunk.is_addressable()).then_some(chunk))
        };
        let chunks: Vec<_> = (0..pool.len().div_ceil(CHUNK)).into_par_iter().map(chunk).collect::<Result<_>>()?;
        let reader = chunks.iter().any(Option::is_none).then_some(reader);
        Ok(Self { features, chunks, reader })
    }

    /// Bytes that the lists take which are stored.
    #[cfg(test)]
    pub(super) fn memory(&self) -> usize {
        self.chunks.iter().flatten().map(Chunk::memory).sum()
    }

    /// The features of a sample, if they are stored.
    #[inline]
    pub(super) fn stored(&self, index: usize) -> Option<List<'_>> {
        self.chunks[index / CHUNK].as_ref().map(|chunk| chunk.list(index % CHUNK))
    }

    /// Calls `visit` with the features of a sample of the pool that was read, sorted.
    pub(super) fn each(&self, pool: &Pool<'_>, index: usize, visit: impl FnMut(u32)) {
        match (self.stored(index), &self.reader) {
            (Some(list), _) => list.iter().for_each(visit),
            (None, Some(reader)) => reader.read(self.features, pool.sample(index), |marks| marks.drain(visit)),
            (None, None) => unreachable!("the reader is kept while a list is not stored"),
        }
    }
}

impl Chunk {
    /// The list at a position.
    #[inline]
    fn list(&self, at: usize) -> List<'_> {
        let Self { codes, ends } = self;
        let start = if at == 0 { 0 } else { ends[at - 1].at };
        let End { at: end, common } = ends[at];
        let (common, rare) = codes[start as usize..end as usize].split_at(common as usize);
        List { common, rare }
    }

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
        ends.push(End { at: codes.len() as u32, common });
    }

    /// Whether all codes can be pointed to: not so of some hundred samples of gigabytes.
    fn is_addressable(&self) -> bool {
        u32::try_from(self.codes.len()).is_ok()
    }

    fn memory(&self) -> usize {
        self.codes.len() * size_of::<u16>() + self.ends.len() * size_of::<End>()
    }
}

impl<'a> List<'a> {
    /// The features from [`COMMON`] on.
    #[inline]
    pub(super) fn rare(self) -> impl Iterator<Item = u32> + 'a {
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
    pub(super) fn iter(self) -> impl Iterator<Item = u32> + 'a {
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
        for (index, ids) in lists.iter().enumerate() {
            assert_eq!(chunk.list(index).iter().collect::<Vec<_>>(), *ids);
        }
    }
}
