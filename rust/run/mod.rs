//! What every long call needs: threads, a monitor, a journal.

pub(crate) mod code;
pub mod journal;
pub mod monitor;
pub mod threads;
