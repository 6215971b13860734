//! What every long call needs: threads and their scratch, a monitor, a journal.

pub mod journal;
pub mod monitor;
pub mod threads;
pub mod workers;
