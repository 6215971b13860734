//! What ZIP writes to its journal: the sizes that it computed, and what followed from them.

use crate::error::Result;
use crate::run::journal::{Reader, Writer, misfit};

/// The kind of records that hold sizes of the next samples alone, in input order.
pub(super) const SCORES: u8 = 1;
/// The kind of records that hold a round.
const ROUND: u8 = 2;

/// The record of scores.
pub(super) fn scores(sizes: &[u64]) -> Writer {
    let mut record = Writer::new(SCORES);
    record.list(sizes.iter().copied());
    record
}

/// What a round did.
pub(super) struct Round {
    /// Samples that stage 2 sized.
    pub candidates: Vec<usize>,
    /// Of each, the size of everything selected with it added.
    pub sizes: Vec<u64>,
    /// The block.
    pub block: Vec<usize>,
    /// The picks.
    pub picks: Vec<usize>,
    /// Size of everything selected after each pick.
    pub selected: Vec<u64>,
}

impl Round {
    /// The record of the round.
    pub(super) fn write(&self) -> Writer {
        let mut record = Writer::new(ROUND);
        for positions in [&self.candidates, &self.block, &self.picks] {
            record.list(positions.iter().map(|&index| index as u64));
        }
        for sizes in [&self.sizes, &self.selected] {
            record.list(sizes.iter().copied());
        }
        record
    }

    /// The round of a record, in a pool of `samples` samples.
    ///
    /// # Errors
    /// [`crate::Error::Checkpoint`] if the record can't be one of this pool.
    pub(super) fn read(record: Reader<'_>, samples: usize) -> Result<Self> {
        if record.kind() != ROUND {
            return Err(misfit());
        }
        let round = record.content(|reader| {
            Ok(Self {
                candidates: reader.positions(samples)?,
                block: reader.positions(samples)?,
                picks: reader.positions(samples)?,
                sizes: reader.list()?,
                selected: reader.list()?,
            })
        })?;
        let whole = round.candidates.len() == round.sizes.len() && round.picks.len() == round.selected.len();
        if whole && !round.picks.is_empty() { Ok(round) } else { Err(misfit()) }
    }
}
