//! Threads to work on.

use crate::error::{Error, Result};

/// `threads` threads, or as many as this process may use at once.
///
/// # Errors
/// [`Error::Parameter`] if the system refuses to start them.
pub fn start(threads: Option<usize>) -> Result<rayon::ThreadPool> {
    let count = threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from)).max(1);
    rayon::ThreadPoolBuilder::new()
        .num_threads(count)
        .thread_name(|index| format!("entropylaw-{index}"))
        .build()
        .map_err(|error| Error::Parameter(format!("cannot start {count} threads: {error}; ask for fewer")))
}
