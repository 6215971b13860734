//! What every long call needs: threads, a monitor, a journal.

pub mod journal;
pub mod monitor;
pub mod threads;
