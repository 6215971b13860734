//! Probing many candidates on all threads, with results in the candidates' order.
//!
//! Each thread of a rayon pool owns one scratch, made once: a sizer's working memory is too large to be made for each
//! piece that rayon splits off. Results are collected by position, so nothing depends on the number of threads.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rayon::prelude::*;

use super::Sizer;
use super::set::Set;
use crate::error::Result;
use crate::run::monitor::Monitor;
use crate::run::threads::Threads;

/// How long a thread takes to wake up, about.
const WAKING: Duration = Duration::from_micros(100);

/// More than there are threads: from here on, none begins to look for work.
const TOO_LATE: usize = 1 << (usize::BITS - 2);

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

    /// Runs `job` with the threads that are idle kept awake: for many short pieces of parallel work with little between
    /// them.
    ///
    /// A thread that finds nothing to do falls asleep within microseconds, and to wake it takes longer than many a piece
    /// of work. So the others look for work until `job` is done. Call it inside [`Workers::run`].
    ///
    /// Whoever looks for work until `job` is done must not have begun a piece of `job`, which would wait for it. So a
    /// thread either begins to look before `job` begins, or leaves it: then it has something else to do.
    pub(crate) fn awake<R>(&self, job: impl FnOnce() -> R) -> R {
        let job_ends = SetOnDrop(Arc::default());
        let (done, caller) = (Arc::clone(&job_ends.0), rayon::current_thread_index());
        let looking = Arc::new(AtomicUsize::new(0));
        let looks = Arc::clone(&looking);
        // One on each thread, because the caller might steal what is spawned, and would then wait for itself.
        rayon::spawn_broadcast(move |context| {
            if Some(context.index()) == caller || looks.fetch_add(1, Ordering::AcqRel) >= TOO_LATE {
                return;
            }
            while !done.load(Ordering::Acquire) {
                if rayon::yield_now() != Some(rayon::Yield::Executed) {
                    std::thread::yield_now();
                }
            }
        });
        let start = Instant::now();
        while looking.load(Ordering::Acquire) + 1 < self.threads.count() && start.elapsed() < WAKING {
            std::hint::spin_loop();
        }
        looking.fetch_add(TOO_LATE, Ordering::AcqRel);
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

    /// Threads that are busy with other work when the job begins take pieces of it before they look for work.
    #[test]
    fn a_job_ends_whatever_else_the_threads_do() {
        let workers = workers();
        let sum = |n: u32| (0..n).into_par_iter().with_max_len(1).map(|i| i ^ 1).sum::<u32>();
        workers.run(|| {
            for round in 0..3000 {
                let (job, other) = rayon::join(|| workers.awake(|| (sum(40), sum(9)).0), || sum(round % 200));
                assert_eq!((job, other), ((0..40).map(|i| i ^ 1).sum(), (0..round % 200).map(|i| i ^ 1).sum()));
            }
        });
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
