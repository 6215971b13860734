//! Every sample's features, as a list of numbers: what the gains are computed from, hundreds of times a pick.
//!
//! Lists are sorted and coded as the gaps in them, seven bits a byte, low bits first (LEB128). Text has many common
//! features, which have low numbers, so most gaps take one byte, and all lists take about as much memory as the pool. A gap
//! of a vocabulary below 2^28 takes four bytes at most.

use rayon::prelude::*;

use super::features::Features;
use super::vocabulary::Vocabulary;
use crate::error::Result;
use crate::pool::Pool;
use crate::select::monitor::Monitor;

/// Samples whose lists share an allocation.
const CHUNK: usize = 256;

/// The lists of a pool.
pub struct Lists {
    chunks: Vec<Chunk>,
}

/// The lists of [`CHUNK`] samples, one after the other.
#[derive(Default)]
struct Chunk {
    bytes: Vec<u8>,
    /// Where each ends.
    ends: Vec<usize>,
}

impl Lists {
    /// Reads every sample.
    pub fn new<F: Features>(pool: &Pool<'_>, features: F, vocabulary: &Vocabulary, monitor: &Monitor) -> Result<Self> {
        let chunk = |ids: &mut Vec<u32>, at: usize| {
            let mut chunk = Chunk::default();
            for index in at * CHUNK..pool.len().min((at + 1) * CHUNK) {
                monitor.check()?;
                vocabulary.read(features, pool.sample(index), ids);
                encode(ids, &mut chunk.bytes);
                chunk.ends.push(chunk.bytes.len());
                monitor.steps(1);
            }
            chunk.bytes.shrink_to_fit();
            Ok(chunk)
        };
        let chunks =
            (0..pool.len().div_ceil(CHUNK)).into_par_iter().map_init(Vec::new, chunk).collect::<Result<_>>()?;
        Ok(Self { chunks })
    }

    /// The features of a sample, sorted.
    #[inline]
    pub fn of(&self, index: usize) -> impl Iterator<Item = u32> + '_ {
        let Chunk { bytes, ends } = &self.chunks[index / CHUNK];
        let at = index % CHUNK;
        let start = if at == 0 { 0 } else { ends[at - 1] };
        decode(&bytes[start..ends[at]])
    }
}

/// Appends the code of a sorted list.
fn encode(ids: &[u32], bytes: &mut Vec<u8>) {
    let mut last = 0;
    for &id in ids {
        let mut gap = id - last;
        last = id;
        while gap >= 0x80 {
            bytes.push(gap as u8 | 0x80);
            gap >>= 7;
        }
        bytes.push(gap as u8);
    }
}

/// The list that `bytes` are the code of.
#[inline]
fn decode(bytes: &[u8]) -> impl Iterator<Item = u32> + '_ {
    let mut bytes = bytes.iter();
    let mut last = 0_u32;
    std::iter::from_fn(move || {
        let byte = *bytes.next()?;
        let mut gap = u32::from(byte & 0x7f);
        if byte >= 0x80 {
            let mut shift = 7;
            for &byte in bytes.by_ref() {
                gap |= u32::from(byte & 0x7f) << shift;
                shift += 7;
                if byte < 0x80 {
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

    #[test]
    fn codes_come_back() {
        for ids in [
            &[][..],
            &[0],
            &[0, 1, 2],
            &[127, 255, 383, 16_383 + 384],
            &[u32::MAX],
            &[5, 1 << 14, (1 << 28) + 3, u32::MAX - 1],
        ] {
            let mut bytes = Vec::new();
            encode(ids, &mut bytes);
            assert_eq!(decode(&bytes).collect::<Vec<_>>(), ids);
        }
    }

    #[test]
    fn small_gaps_take_a_byte() {
        let ids: Vec<u32> = (0..1000).map(|i| i * 127).collect();
        let mut bytes = Vec::new();
        encode(&ids, &mut bytes);
        assert_eq!(bytes.len(), ids.len());
    }
}
