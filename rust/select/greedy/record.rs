//! What a greedy selection writes to its journal: its picks. The rest follows from them, far sooner than it was found.

use std::time::{Duration, Instant};

use crate::error::Result;
use crate::run::journal::{Journal, Writer, misfit};

/// The only kind of record: the next picks. ZIP has others.
const PICKS: u8 = 16;

/// How long a pick may go unrecorded; the first does not wait.
const PAUSE: Duration = Duration::from_millis(500);

/// A journal of picks.
pub(crate) struct PickLog<'a, 'j> {
    journal: &'a mut Journal<'j>,
    /// Picks that are in it.
    written: usize,
    last: Option<Instant>,
}

impl<'a, 'j> PickLog<'a, 'j> {
    /// Goes on with a journal; calls `pick` with each pick in it, which says whether that can be one.
    pub(crate) fn replay(
        journal: &'a mut Journal<'j>,
        samples: usize,
        mut pick: impl FnMut(usize) -> Result<bool>,
    ) -> Result<Self> {
        let mut written = 0;
        while let Some(record) = journal.replay() {
            if record.kind() != PICKS {
                return Err(misfit());
            }
            for index in record.content(|reader| reader.positions(samples))? {
                if !pick(index)? {
                    return Err(misfit());
                }
                written += 1;
            }
        }
        Ok(Self { journal, written, last: None })
    }

    /// Writes down the picks that are new, if that is due.
    pub(crate) fn note(&mut self, picks: &[i64]) -> Result<()> {
        let is_due = self.journal.is_kept() && self.last.is_none_or(|last| last.elapsed() >= PAUSE);
        if is_due { self.flush(picks) } else { Ok(()) }
    }

    /// Writes down the picks that are new.
    pub(crate) fn flush(&mut self, picks: &[i64]) -> Result<()> {
        if self.journal.is_kept() && self.written < picks.len() {
            let mut record = Writer::new(PICKS);
            record.list(picks[self.written..].iter().map(|&index| index as u64));
            self.journal.write(record)?;
            self.written = picks.len();
        }
        self.last = Some(Instant::now());
        Ok(())
    }
}
