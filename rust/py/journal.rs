//! The journal of a selection, in a file.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

use crate::error::{Error, Result};
use crate::run::journal::{self, Journal, Sink};

/// A journal in a file.
#[derive(Default)]
pub(super) struct JournalFile {
    past: Vec<u8>,
    file: Option<Durable>,
}

struct Durable(File);

impl Sink for Durable {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)?;
        self.0.sync_data()
    }
}

impl JournalFile {
    /// Opens the journal at `path`, made if there is none; what a crash left of a record at its end is removed.
    pub(super) fn open(path: Option<&Path>) -> Result<Self> {
        let Some(path) = path else { return Ok(Self::default()) };
        let wrong = |error: io::Error| Error::Checkpoint(format!("{}: {error}", path.display()));
        let read = || {
            let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
            let mut past = Vec::new();
            file.read_to_end(&mut past)?;
            let past = after_header(&mut file, past)?;
            Ok((file, past))
        };
        let (file, mut past) = read().map_err(wrong)?;
        let (_, whole) = journal::records(&past)?;
        past.truncate(whole);
        file.set_len((journal::HEADER.len() + whole) as u64).map_err(wrong)?;
        Ok(Self { past, file: Some(Durable(file)) })
    }

    /// The journal.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] if its records do not follow each other.
    pub(super) fn journal(&mut self) -> Result<Journal<'_>> {
        match &mut self.file {
            Some(file) => Journal::new(&self.past, file),
            None => Ok(Journal::default()),
        }
    }
}

/// What follows the header in `bytes`, all that is in `file`. The header is written if the file holds less than that.
fn after_header(file: &mut File, mut bytes: Vec<u8>) -> io::Result<Vec<u8>> {
    if journal::HEADER.starts_with(&bytes) {
        file.set_len(0)?;
        file.write_all(journal::HEADER)?;
        file.sync_data()?;
        return Ok(Vec::new());
    }
    if !bytes.starts_with(journal::HEADER) {
        return Err(io::Error::other("is no journal of entropylaw; name another directory"));
    }
    Ok(bytes.split_off(journal::HEADER.len()))
}
