//! Threads to work on.
//!
//! A forked process has one thread, the one that forked. It has no copies of the others: whoever waits for them there waits
//! for ever. So [`Threads`] know the process that started them, and [`Kept`], which keeps threads from one call to the
//! next, starts new ones in another process.

use std::sync::{Arc, Mutex, PoisonError};

use crate::error::{Error, Result};

/// More threads than this are not started: beyond any machine's, they would only take memory.
pub const MOST: usize = 4096;

/// How many threads this process may use at once: by its affinity and its share of the machine (cgroups).
#[must_use]
pub fn available() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).min(MOST)
}

/// Threads of one process.
pub struct Threads {
    process: u32,
    /// None only while dropped.
    pool: Option<rayon::ThreadPool>,
}

impl Threads {
    /// `count` threads, or as many as are [`available`].
    ///
    /// # Errors
    /// [`Error::Parameter`] if there would be none or too many, or the system refuses to start them.
    pub fn start(count: Option<usize>) -> Result<Self> {
        let count = count.unwrap_or_else(available);
        if !(1..=MOST).contains(&count) {
            return Err(Error::Parameter(format!("threads is {count}; it must be a whole number from 1 to {MOST}")));
        }
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(count)
            .thread_name(|index| format!("entropylaw-{index}"))
            .build()
            .map_err(|error| Error::Parameter(format!("cannot start {count} threads: {error}; ask for fewer")))?;
        Ok(Self { process: std::process::id(), pool: Some(pool) })
    }

    /// Whether they run in this process, rather than in one that it was forked from.
    #[must_use]
    pub fn are_here(&self) -> bool {
        self.process == std::process::id()
    }

    /// How many they are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.pool().current_num_threads()
    }

    /// Runs `job` on them, so that the parallel iterators in it use them.
    pub fn install<R: Send>(&self, job: impl FnOnce() -> R + Send) -> R {
        self.pool().install(job)
    }

    fn pool(&self) -> &rayon::ThreadPool {
        self.pool.as_ref().expect("there until it is dropped")
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        if !self.are_here() {
            // To end threads is to wake them, under locks that one of them may have held when the process forked.
            std::mem::forget(self.pool.take());
        }
    }
}

impl AsRef<Self> for Threads {
    fn as_ref(&self) -> &Self {
        self
    }
}

/// What is kept between calls with the threads in it, made anew for another number of threads and in a forked process.
///
/// Its lock is held for as long as it takes to start threads. A caller that has the interpreter, which no other
/// thread has when a process forks, never finds it held by a thread that is gone.
pub struct Kept<T>(Mutex<Option<(Option<usize>, Arc<T>)>>);

impl<T: AsRef<Threads>> Kept<T> {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// What is kept for `count` threads, or what `start` makes for them.
    ///
    /// # Errors
    /// Those of `start`.
    pub fn get(&self, count: Option<usize>, start: impl FnOnce(Option<usize>) -> Result<T>) -> Result<Arc<T>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, made)) = &*kept
            && *of == count
            && (**made).as_ref().are_here()
        {
            return Ok(Arc::clone(made));
        }
        let made = Arc::new(start(count)?);
        *kept = Some((count, Arc::clone(&made)));
        Ok(made)
    }
}

impl<T: AsRef<Threads>> Default for Kept<T> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_threads_as_asked_for() {
        assert_eq!(Threads::start(Some(3)).unwrap().count(), 3);
        assert_eq!(Threads::start(None).unwrap().count(), available());
        for count in [0, MOST + 1, usize::MAX] {
            assert!(matches!(Threads::start(Some(count)), Err(Error::Parameter(_))), "{count}");
        }
    }

    #[test]
    fn threads_are_kept_for_one_number_of_them_in_one_process() {
        let kept = Kept::<Threads>::new();
        let first = kept.get(Some(2), Threads::start).unwrap();
        assert!(Arc::ptr_eq(&first, &kept.get(Some(2), Threads::start).unwrap()));
        let other = kept.get(Some(1), Threads::start).unwrap();
        assert_eq!(other.count(), 1);
        // As it looks from a forked process.
        let elsewhere = |count| {
            let mut threads = Threads::start(count)?;
            threads.process += 1;
            Ok(threads)
        };
        let strange = kept.get(Some(3), elsewhere).unwrap();
        assert!(!strange.are_here());
        let new = kept.get(Some(3), Threads::start).unwrap();
        assert!(new.are_here() && !Arc::ptr_eq(&strange, &new));
        assert_eq!(new.install(|| 7), 7);
    }
}
