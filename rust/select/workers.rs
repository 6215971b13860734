//! Probing many candidates on all threads, with results in the candidates' order.
//!
//! Each thread of a rayon pool owns one scratch, made once: a sizer's working memory is too large to be made for each
//! piece that rayon splits off. Results are collected by position, so nothing depends on the number of threads.

use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use super::monitor::Monitor;
use super::set::Set;
use super::threads;
use crate::error::Result;
use crate::sizer::Sizer;

/// Samples probed in one go: enough for a sizer that works on several at once, few enough to share a block out evenly.
pub(crate) const BATCH: usize = 8;

/// Threads, each with its scratch.
pub struct Workers<S: Sizer> {
    threads: rayon::ThreadPool,
    scratch: Vec<Mutex<S::Scratch>>,
}

impl<S: Sizer> Workers<S> {
    /// `threads` workers, or as many as this process may use at once.
    ///
    /// # Errors
    /// [`crate::Error::Parameter`] if the system refuses to start them.
    pub fn new(threads: Option<usize>) -> Result<Self> {
        let threads = threads::start(threads)?;
        let count = threads.current_num_threads();
        let sizer = S::new();
        Ok(Self { threads, scratch: (0..count).map(|_| Mutex::new(sizer.scratch())).collect() })
    }

    /// Runs `job` on these threads, so that the parallel iterators in it use them.
    pub fn run<R: Send>(&self, job: impl FnOnce() -> R + Send) -> R {
        self.threads.install(job)
    }

    /// Lends this thread's scratch to `job`. Call it inside [`Workers::run`], and do not nest parallel work in `job`:
    /// the thread could steal another job that waits for the same scratch.
    pub fn with_scratch<R>(&self, job: impl FnOnce(&mut S::Scratch) -> R) -> R {
        let thread = rayon::current_thread_index().expect("called inside `run`");
        job(&mut self.scratch[thread].lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Compressed lengths of `set` with each of `n` samples alone added, in order.
    ///
    /// # Errors
    /// [`crate::Error::Interrupted`] when the monitor says so.
    pub fn probe_all<'a>(
        &self,
        set: &Set<S>,
        n: usize,
        sample: impl Fn(usize) -> &'a [u8] + Sync,
        monitor: &Monitor,
    ) -> Result<Vec<u64>> {
        let batches = (0..n).into_par_iter().step_by(BATCH).map(|start| {
            monitor.check()?;
            let samples: Vec<&[u8]> = (start..n.min(start + BATCH)).map(&sample).collect();
            let sizes = self.with_scratch(|scratch| set.probe(&samples, scratch));
            monitor.steps(samples.len());
            Ok(sizes)
        });
        Ok(batches.collect::<Result<Vec<_>>>()?.concat())
    }
}
