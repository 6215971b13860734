//! Probing many candidates on all threads, with results in the candidates' order.
//!
//! Each thread of a rayon pool owns one scratch, made once: a sizer's working memory is too large to be made for each
//! piece that rayon splits off. Results are collected by position, so nothing depends on the number of threads.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;

use super::Sizer;
use super::set::Set;
use crate::error::Result;
use crate::run::monitor::Monitor;
use crate::run::threads::Threads;

/// Threads, each with its scratch.
pub(crate) struct Workers<S: Sizer> {
    threads: Threads,
    scratch: Vec<Mutex<S::Scratch>>,
}

impl<S: Sizer> Workers<S> {
    /// `threads` workers, or as many as this process may use at once.
    ///
    /// # Errors
    /// [`crate::Error::Parameter`] if the system refuses to start them.
    pub(crate) fn new(threads: Option<usize>) -> Result<Self> {
        let threads = Threads::start(threads)?;
        let count = threads.count();
        let sizer = S::new();
        Ok(Self { threads, scratch: (0..count).map(|_| Mutex::new(sizer.scratch())).collect() })
    }

    /// Runs `job` on these threads, so that the parallel iterators in it use them.
    pub(crate) fn run<R: Send>(&self, job: impl FnOnce() -> R + Send) -> R {
        self.threads.install(job)
    }

    /// Runs `job` with all threads kept awake: for many short pieces of parallel work with little between them.
    ///
    /// A thread that finds nothing to do falls asleep within microseconds, and to wake it takes longer than many a piece
    /// of work. So the others look for work until `job` is done. Call it inside [`Workers::run`].
    pub(crate) fn awake<R>(&self, job: impl FnOnce() -> R) -> R {
        let job_ends = SetOnDrop(Arc::default());
        let (done, caller) = (Arc::clone(&job_ends.0), rayon::current_thread_index());
        // One on each thread, because the caller might steal what is spawned, and would then wait for itself.
        rayon::spawn_broadcast(move |context| {
            while Some(context.index()) != caller && !done.load(Ordering::Acquire) {
                if rayon::yield_now() != Some(rayon::Yield::Executed) {
                    std::thread::yield_now();
                }
            }
        });
        job()
    }

    /// Lends this thread's scratch to `job`. Call it inside [`Workers::run`], and do not nest parallel work in `job`:
    /// the thread could steal another job that waits for the same scratch.
    pub(crate) fn with_scratch<R>(&self, job: impl FnOnce(&mut S::Scratch) -> R) -> R {
        let thread = rayon::current_thread_index().expect("called inside `run`");
        job(&mut self.scratch[thread].lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Compressed lengths of `set` with each of `n` samples alone added, in order.
    ///
    /// # Errors
    /// [`crate::Error::Interrupted`] when the monitor says so.
    pub(crate) fn probe_all<'a>(
        &self,
        set: &Set<S>,
        n: usize,
        sample: impl Fn(usize) -> &'a [u8] + Sync,
        monitor: &Monitor,
    ) -> Result<Vec<u64>> {
        let batches = (0..n).into_par_iter().step_by(S::AT_ONCE).map(|start| {
            monitor.check()?;
            let samples: Vec<&[u8]> = (start..n.min(start + S::AT_ONCE)).map(&sample).collect();
            let sizes = self.with_scratch(|scratch| set.probe(&samples, scratch));
            monitor.steps(samples.len());
            Ok(sizes)
        });
        Ok(batches.collect::<Result<Vec<_>>>()?.concat())
    }
}

impl<S: Sizer> AsRef<Threads> for Workers<S> {
    fn as_ref(&self) -> &Threads {
        &self.threads
    }
}

/// Sets a flag when dropped, also by a panic.
struct SetOnDrop(Arc<AtomicBool>);

impl Drop for SetOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;
    use crate::sizer::DeflateSizer;

    fn workers() -> Workers<DeflateSizer> {
        Workers::new(Some(3)).expect("three threads start")
    }

    #[test]
    fn threads_that_are_kept_awake_share_the_work() {
        let workers = workers();
        let sums: Vec<u64> = workers
            .run(|| workers.awake(|| (0..100).map(|n| (0..1000u64).into_par_iter().map(|i| i * n).sum()).collect()));
        assert_eq!(sums, (0..100).map(|n| 499_500 * n).collect::<Vec<_>>());
    }

    #[test]
    fn threads_may_sleep_again_after_a_panic() {
        let workers = workers();
        let panicked = catch_unwind(AssertUnwindSafe(|| workers.run(|| workers.awake(|| panic!("a bug")))));
        assert!(panicked.is_err());
        // It would wait for a thread that is still kept awake for ever.
        assert_eq!(workers.run(|| rayon::broadcast(|context| context.index())), [0, 1, 2]);
    }
}
