//! Every sample's features, as a list of numbers: what the gains are computed from, hundreds of times a pick.
//!
//! Most of a selection is spent in reading these lists, so they are made to be read fast: the numbers below 65,536, which
//! are most of any text because common features have low numbers, are stored as they are, in 16 bits. The numbers above
//! are stored as the gaps between them, 15 bits in a word of 16, low bits first; the highest bit says that more follow.
//!
//! All lists together take about 1.4 times the memory of the pool, but may need thrice as much if it is noise. Lists that
//! do not fit the memory there is for them are written to a temporary file, one after the other, and read from there
//! whenever they are needed; if there is no room for them there either, they are made again from the text.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use super::marks::Marks;
use super::vocabulary::Vocabulary;
use crate::error::Result;
use crate::pool::Pool;
use crate::run::monitor::Monitor;
use crate::run::scratch::Scratch;
use crate::text::features::Features;

/// Samples whose lists share an allocation.
const CHUNK: usize = 256;

/// Bytes of a code.
const CODE: usize = size_of::<u16>();

/// Numbers below this are stored as they are.
pub(super) const COMMON: usize = 1 << 16;

/// The lists of a pool.
pub(super) struct Lists<F> {
    features: F,
    chunks: Vec<Place>,
    scratch: Scratch,
    /// What lists that are read from the file are read into, on each thread of the pool they are used in.
    buffers: Vec<Mutex<Vec<u8>>>,
    /// What lists are made with that are nowhere; `None` if there are none.
    reader: Option<Reader>,
}

/// Where the lists of [`CHUNK`] samples are.
enum Place {
    Memory(Chunk),
    /// In the file, from this byte on.
    File {
        start: u64,
        ends: Vec<End>,
    },
    /// There was no room for them: they are in the text alone.
    Text,
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

/// Where a list begins, and its end.
fn span(ends: &[End], at: usize) -> (u32, End) {
    (if at == 0 { 0 } else { ends[at - 1].at }, ends[at])
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
    /// Reads every sample; holds lists of `room` bytes at most in memory, and what `scratch` has room for there.
    pub(super) fn new(
        pool: &Pool<'_>,
        features: F,
        vocabulary: Vocabulary,
        room: usize,
        scratch: Scratch,
        monitor: &Monitor,
    ) -> Result<Self> {
        let marks = || Mutex::new(Marks::new(vocabulary.len()));
        let marks = (0..rayon::current_num_threads()).map(|_| marks()).collect();
        let reader = Reader { vocabulary, marks };
        let used = AtomicUsize::new(0);
        let place = |at: usize| {
            let mut chunk = Chunk::default();
            for index in at * CHUNK..pool.len().min((at + 1) * CHUNK) {
                monitor.check()?;
                monitor.steps(1);
                if chunk.is_addressable() {
                    reader.read(features, pool.sample(index), |marks| chunk.push(marks));
                }
            }
            Ok(chunk.place(&used, room, &scratch))
        };
        let chunks: Vec<_> = (0..pool.len().div_ceil(CHUNK)).into_par_iter().map(place).collect::<Result<_>>()?;
        let reader = chunks.iter().any(|place| matches!(place, Place::Text)).then_some(reader);
        let buffers = (0..rayon::current_num_threads()).map(|_| Mutex::default()).collect();
        Ok(Self { features, chunks, scratch, buffers, reader })
    }

    /// Bytes of memory that the lists take.
    #[cfg(test)]
    pub(super) fn memory(&self) -> usize {
        let of = |place: &Place| match place {
            Place::Memory(chunk) => chunk.memory(),
            Place::File { ends, .. } => size_of_val(&ends[..]),
            Place::Text => 0,
        };
        self.chunks.iter().map(of).sum()
    }

    /// The features of a sample, if they are in memory.
    #[inline]
    pub(super) fn stored(&self, index: usize) -> Option<List<'_>> {
        match &self.chunks[index / CHUNK] {
            Place::Memory(chunk) => Some(chunk.list(index % CHUNK)),
            Place::File { .. } | Place::Text => None,
        }
    }

    /// Calls `visit` with the features of a sample of the pool that was read, sorted; with none if they can't be read.
    pub(super) fn each(&self, pool: &Pool<'_>, index: usize, visit: impl FnMut(u32)) {
        match &self.chunks[index / CHUNK] {
            Place::Memory(chunk) => chunk.list(index % CHUNK).iter().for_each(visit),
            Place::File { start, ends } => self.read(*start, ends, index % CHUNK, visit),
            Place::Text => {
                let reader = self.reader.as_ref().expect("kept if a list is nowhere");
                reader.read(self.features, pool.sample(index), |marks| marks.drain(visit));
            }
        }
    }

    /// # Errors
    /// [`crate::Error::Scratch`] if ever a list could not be read.
    pub(super) fn fault(&self) -> Result<()> {
        self.scratch.fault()
    }

    /// Reads a list from the file.
    fn read(&self, start: u64, ends: &[End], at: usize, visit: impl FnMut(u32)) {
        let thread = rayon::current_thread_index().expect("called on the threads of the selection");
        let mut buffer = self.buffers[thread].lock().unwrap_or_else(PoisonError::into_inner);
        let (from, End { at: to, common }) = span(ends, at);
        buffer.resize((to - from) as usize * CODE, 0);
        if !self.scratch.read(start + u64::from(from) * CODE as u64, &mut buffer) {
            return;
        }
        let code = |&bytes: &[u8; CODE]| u16::from_le_bytes(bytes);
        let (common, rare) = buffer.as_chunks().0.split_at(common as usize);
        common.iter().map(|bytes| u32::from(code(bytes))).chain(numbers(rare.iter().map(code))).for_each(visit);
    }
}

impl Chunk {
    /// The list at a position.
    #[inline]
    fn list(&self, at: usize) -> List<'_> {
        let (from, End { at: to, common }) = span(&self.ends, at);
        let (common, rare) = self.codes[from as usize..to as usize].split_at(common as usize);
        List { common, rare }
    }

    /// Leaves the lists in memory if there is room, otherwise in the file.
    fn place(mut self, used: &AtomicUsize, room: usize, scratch: &Scratch) -> Place {
        if !self.is_addressable() {
            return Place::Text;
        }
        self.codes.shrink_to_fit();
        let memory = self.memory();
        if used.fetch_add(memory, Ordering::Relaxed) + memory <= room {
            return Place::Memory(self);
        }
        used.fetch_sub(memory, Ordering::Relaxed);
        let bytes: Vec<u8> = self.codes.iter().flat_map(|code| code.to_le_bytes()).collect();
        scratch.append(&bytes).map_or(Place::Text, |start| Place::File { start, ends: self.ends })
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
        numbers(self.rare.iter().copied())
    }

    /// All of them.
    pub(super) fn iter(self) -> impl Iterator<Item = u32> + 'a {
        self.common.iter().map(|&code| u32::from(code)).chain(self.rare())
    }
}

/// The numbers that codes of gaps stand for.
#[inline]
fn numbers(mut codes: impl Iterator<Item = u16>) -> impl Iterator<Item = u32> {
    let mut last = COMMON as u32;
    std::iter::from_fn(move || {
        let code = codes.next()?;
        let mut gap = u32::from(code & 0x7fff);
        if code >= 1 << 15 {
            let mut shift = 15;
            for code in codes.by_ref() {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use crate::hash::Slots;
    use crate::run::threads::Threads;
    use crate::text::features::ByteGrams;

    /// Texts of very different lengths, in three chunks.
    fn texts() -> (Vec<u8>, Vec<i64>) {
        let (mut bytes, mut offsets, mut state) = (Vec::new(), vec![0], 1_u64);
        for n in 0..2 * CHUNK + 3 {
            for _ in 0..n % 7 * (n % 90) {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                bytes.push(b'a' + (state >> 60) as u8);
            }
            offsets.push(bytes.len() as i64);
        }
        (bytes, offsets)
    }

    /// Runs `test` on lists of these texts.
    fn with_lists(room: usize, scratch: Scratch, test: impl Fn(&Pool<'_>, &Lists<ByteGrams>) + Sync) {
        let (bytes, offsets) = texts();
        let (pool, monitor, slots) = (Pool::new(&bytes, &offsets).unwrap(), Monitor::default(), Slots::new(1 << 18));
        Threads::start(Some(2)).unwrap().install(|| {
            let (vocabulary, _) = Vocabulary::new(slots, vec![1; slots.len()], 1);
            test(&pool, &Lists::new(&pool, ByteGrams::new(4), vocabulary, room, scratch, &monitor).unwrap());
        });
    }

    fn all(pool: &Pool<'_>, lists: &Lists<ByteGrams>) -> Vec<Vec<u32>> {
        let list = |index| {
            let mut list = Vec::new();
            lists.each(pool, index, |feature| list.push(feature));
            list
        };
        (0..pool.len()).into_par_iter().map(list).collect()
    }

    #[test]
    fn lists_are_the_same_wherever_they_are() {
        let expected = Mutex::default();
        with_lists(usize::MAX, Scratch::full(), |pool, lists| *expected.lock().unwrap() = all(pool, lists));
        let expected = expected.into_inner().unwrap();
        assert!(expected.iter().flatten().any(|&feature| feature as usize > COMMON));
        let (ends, half) = (size_of::<End>() * expected.len(), expected.iter().flatten().count());
        for (room, scratch, memory) in [
            (0, Scratch::default(), ends..ends + 1),
            (half, Scratch::default(), ends + 1..ends + half),
            (0, Scratch::full(), 0..1),
            (half, Scratch::full(), 1..half + 1),
        ] {
            with_lists(room, scratch, |pool, lists| {
                assert!(memory.contains(&lists.memory()), "{} in {memory:?}", lists.memory());
                assert_eq!(all(pool, lists), expected);
                assert_eq!(lists.fault(), Ok(()));
            });
        }
    }

    #[test]
    fn a_list_that_is_lost_is_a_fault() {
        with_lists(0, Scratch::default(), |pool, lists| {
            lists.scratch.lose();
            assert_eq!(lists.fault(), Ok(()));
            lists.each(pool, 2 * CHUNK, |feature| panic!("{feature}"));
            assert!(matches!(lists.fault(), Err(Error::Scratch(_))));
        });
    }

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
