//! A temporary file: what would take too much memory is written there once, and read again where it is needed.
//!
//! The file has no name, so it is gone when it is closed, however the process ends. It lies in the system's directory for
//! temporary files (`TMPDIR`). What was written lately or is read often stays in the page cache, which the system takes
//! away when somebody needs the memory. It is read by position rather than mapped: a disk that fails is then an
//! error, and no signal that ends the process.

use std::fs::File;
use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Error, Result};

/// A file that is made once something is written to it. Threads share it.
#[derive(Default)]
pub(crate) struct Scratch {
    /// `None` once it could not be made, or not be written to.
    file: OnceLock<Option<File>>,
    end: AtomicU64,
    /// Why something could not be read.
    fault: OnceLock<io::Error>,
}

impl Scratch {
    /// Appends `bytes`; where they begin, or `None` if there is no room for them.
    pub(crate) fn append(&self, bytes: &[u8]) -> Option<u64> {
        let file = self.file.get_or_init(|| tempfile::tempfile().ok()).as_ref()?;
        let start = self.end.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        write_at(file, bytes, start).ok().map(|()| start)
    }

    /// Fills `buffer` with what was written at `start`; whether that could be read. Why not, [`Scratch::fault`] says.
    pub(crate) fn read(&self, start: u64, buffer: &mut [u8]) -> bool {
        let file = self.file.get().and_then(Option::as_ref).ok_or_else(|| io::ErrorKind::NotFound.into());
        let read = file.and_then(|file| read_at(file, buffer, start));
        read.map_err(|error| self.fault.set(error)).is_ok()
    }

    /// One that nothing can be written to, as on a full disk.
    #[cfg(test)]
    pub(crate) fn full() -> Self {
        Self { file: OnceLock::from(None), ..Self::default() }
    }

    /// Loses what was written, as a failing disk does.
    #[cfg(test)]
    pub(crate) fn lose(&self) {
        self.file.get().and_then(Option::as_ref).expect("written to").set_len(0).unwrap();
    }

    /// # Errors
    /// [`Error::Scratch`] if ever something could not be read.
    pub(crate) fn fault(&self) -> Result<()> {
        self.fault.get().map_or(Ok(()), |error| Err(Error::Scratch(error.to_string())))
    }
}

#[cfg(unix)]
fn write_at(file: &File, bytes: &[u8], start: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, start)
}

#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], start: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, start)
}

#[cfg(windows)]
fn write_at(file: &File, mut bytes: &[u8], mut start: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match std::os::windows::fs::FileExt::seek_write(file, bytes, start) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => {
                bytes = &bytes[count..];
                start += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(windows)]
fn read_at(file: &File, mut buffer: &mut [u8], mut start: u64) -> io::Result<()> {
    while !buffer.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, buffer, start) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => {
                buffer = &mut buffer[count..];
                start += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rayon::prelude::*;

    use super::*;

    #[test]
    fn what_threads_write_comes_back() {
        let scratch = Scratch::default();
        let piece = |n: usize| vec![n as u8; n % 300];
        let starts: Vec<u64> = (0..2000).into_par_iter().map(|n| scratch.append(&piece(n)).unwrap()).collect();
        starts.into_par_iter().enumerate().for_each(|(n, start)| {
            let mut buffer = vec![0; n % 300];
            assert!(scratch.read(start, &mut buffer));
            assert_eq!(buffer, piece(n));
        });
    }

    #[test]
    fn what_was_not_written_is_an_error() {
        let scratch = Scratch::default();
        scratch.append(b"abc").unwrap();
        assert!(scratch.read(3, &mut []) && scratch.fault().is_ok());
        assert!(!scratch.read(1, &mut [0; 3]));
        assert!(matches!(scratch.fault(), Err(Error::Scratch(_))));
        assert!(!Scratch::default().read(0, &mut [0]));
    }

    /// A disk that is full, or a directory that can't be written.
    #[test]
    fn where_nothing_can_be_written_nothing_is() {
        assert_eq!(Scratch::full().append(b"abc"), None);
    }
}
