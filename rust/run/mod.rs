//! What every long call needs: threads, a monitor, a journal; and files for what memory has no room for.

pub(crate) mod code;
pub mod journal;
pub mod monitor;
pub(crate) mod scratch;
pub mod threads;
