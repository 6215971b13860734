//! A set that several threads probe and add to, in this process and in those forked from it.
//!
//! Probes run side by side, appends alone. Every wait ends when the [`Monitor`] says so; asking for the length never
//! waits. An append that waits goes before probes that come later, so that probes without end can't hold it up for ever.
//!
//! If a process forks while another thread appends, the child's copy is half appended and locked for good. Such a copy is
//! refused; any other is taken over ([`Shared::here`]).

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError};
use std::thread;
use std::time::Duration;

use super::set::{Framing, Set};
use crate::error::{Error, Result};
use crate::run::monitor::Monitor;
use crate::sizer::Sizer;

/// How often those who wait look.
const POLL: Duration = Duration::from_millis(1);

/// Bytes appended between two looks at the monitor: a fraction of a second's work.
const PIECE: usize = 1 << 18;

/// A set of samples, one after the other.
pub struct Shared<S> {
    process: u32,
    set: RwLock<Set<S>>,
    /// Length of the set, after the last append that is done.
    raw: AtomicU64,
    /// Threads that wait to append.
    appending: AtomicUsize,
}

impl<S: Sizer + Clone> Shared<S> {
    /// The empty set.
    #[must_use]
    pub fn new() -> Self {
        Self::of(Set::new(Framing::CONCATENATION))
    }

    /// The set that a sizer has read.
    pub fn holding(sizer: S) -> Self {
        Self::of(Set::holding(sizer))
    }

    fn of(set: Set<S>) -> Self {
        let raw = AtomicU64::new(set.raw());
        Self { process: std::process::id(), set: RwLock::new(set), raw, appending: AtomicUsize::new(0) }
    }

    /// The set in this process: itself or, where it is of the process that this one was forked from, a copy of it.
    ///
    /// # Errors
    /// [`Error::Parameter`] if a thread that is not in this process was appending to it.
    pub fn here(self: &Arc<Self>) -> Result<Arc<Self>> {
        if self.process == std::process::id() {
            return Ok(Arc::clone(self));
        }
        // Read locks of threads that are gone do not hinder this one.
        match opened(self.set.try_read()) {
            Some(set) => Ok(Arc::new(Self::of(set.clone()))),
            None => Err(Error::Parameter(
                "another thread was appending to this sizer when the process forked, so here it is half done: make a \
                 new Sizer in this process"
                    .into(),
            )),
        }
    }

    /// The set, to probe; None if that is not possible at once.
    pub fn try_read(&self) -> Option<RwLockReadGuard<'_, Set<S>>> {
        if self.appending.load(Ordering::Relaxed) > 0 { None } else { opened(self.set.try_read()) }
    }

    /// The set, to probe, when nobody appends to it.
    ///
    /// # Errors
    /// [`Error::Interrupted`] when the monitor says so.
    pub fn read(&self, monitor: &Monitor) -> Result<RwLockReadGuard<'_, Set<S>>> {
        wait(|| self.try_read(), monitor)
    }

    /// Appends a sample if that is possible at once; whether it was.
    pub fn try_append(&self, sample: &[u8]) -> bool {
        let Some(mut set) = opened(self.set.try_write()) else { return false };
        set.push(sample);
        self.raw.store(set.raw(), Ordering::Relaxed);
        true
    }

    /// Appends a sample when nobody probes or appends; all of it or, if interrupted, nothing.
    ///
    /// # Errors
    /// [`Error::Interrupted`] when the monitor says so.
    pub fn append(&self, sample: &[u8], monitor: &Monitor) -> Result<()> {
        self.appending.fetch_add(1, Ordering::Relaxed);
        let set: Result<RwLockWriteGuard<'_, Set<S>>> = wait(|| opened(self.set.try_write()), monitor);
        self.appending.fetch_sub(1, Ordering::Relaxed);
        let mut set = set?;
        let before = (sample.len() > PIECE).then(|| set.clone());
        // As many samples as pieces are the same set: they are written without anything between them.
        let appended = sample.chunks(PIECE).try_for_each(|piece| {
            monitor.check()?;
            set.push(piece);
            Ok(())
        });
        if appended.is_err()
            && let Some(before) = before
        {
            *set = before;
        }
        self.raw.store(set.raw(), Ordering::Relaxed);
        appended
    }

    /// Length of the set, without waiting: what is being appended does not count yet.
    #[must_use]
    pub fn raw(&self) -> u64 {
        self.raw.load(Ordering::Relaxed)
    }
}

impl<S: Sizer + Clone> Default for Shared<S> {
    fn default() -> Self {
        Self::new()
    }
}

/// What `attempt` gives, when it gives something.
fn wait<T>(attempt: impl Fn() -> Option<T>, monitor: &Monitor) -> Result<T> {
    loop {
        monitor.check()?;
        if let Some(found) = attempt() {
            return Ok(found);
        }
        thread::sleep(POLL);
    }
}

fn opened<T>(lock: std::result::Result<T, TryLockError<T>>) -> Option<T> {
    match lock {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sizer::DeflateSizer;

    fn shared() -> Arc<Shared<DeflateSizer>> {
        Arc::new(Shared::new())
    }

    fn size(shared: &Shared<DeflateSizer>) -> u64 {
        let set = shared.read(&Monitor::default()).unwrap();
        set.measure(&mut set.scratch()).size
    }

    fn text(length: usize) -> Vec<u8> {
        let mut state = 1_u64;
        let next = |_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            b'a' + (state >> 60) as u8
        };
        (0..length).map(next).collect()
    }

    #[test]
    fn pieces_are_one_append() {
        let (pieces, whole) = (shared(), shared());
        let text = text(3 * PIECE + 17);
        pieces.append(&text, &Monitor::default()).unwrap();
        assert!(whole.try_append(&text));
        assert_eq!((pieces.raw(), size(&pieces)), (text.len() as u64, size(&whole)));
    }

    #[test]
    fn an_append_that_is_interrupted_appends_nothing() {
        let shared = shared();
        assert!(shared.try_append(b"what was there"));
        let (before, monitor) = ((shared.raw(), size(&shared)), Monitor::default());
        let text = text(200 * PIECE);
        let interrupted = thread::scope(|scope| {
            let append = scope.spawn(|| shared.append(&text, &monitor));
            while opened(shared.set.try_read()).is_some() && !append.is_finished() {
                thread::yield_now();
            }
            monitor.stop();
            append.join().unwrap()
        });
        assert_eq!(interrupted, Err(Error::Interrupted));
        assert_eq!((shared.raw(), size(&shared)), before);
    }

    #[test]
    fn who_waits_can_be_interrupted_and_appends_go_first() {
        let (shared, monitor) = (shared(), Monitor::default());
        let reading = shared.try_read().unwrap();
        assert!(!shared.try_append(b"later"));
        thread::scope(|scope| {
            let append = scope.spawn(|| shared.append(b"later", &monitor));
            while shared.appending.load(Ordering::Relaxed) == 0 {
                thread::yield_now();
            }
            assert!(shared.try_read().is_none(), "an append waits");
            monitor.stop();
            assert_eq!(append.join().unwrap(), Err(Error::Interrupted));
        });
        assert!(shared.try_read().is_some());
        drop(reading);
        let _appending = shared.set.write().unwrap();
        assert_eq!(shared.read(&monitor).map(|_| ()), Err(Error::Interrupted));
        assert_eq!(shared.raw(), 0);
    }

    #[test]
    fn a_forked_process_takes_over_what_nobody_appends_to() {
        let mut forked = Shared::<DeflateSizer>::new();
        forked.process += 1;
        assert!(forked.try_append(b"of the parent"));
        let forked = Arc::new(forked);
        // A probe of a thread that is gone.
        let gone = forked.set.read().unwrap();
        let here = forked.here().unwrap();
        assert!(!Arc::ptr_eq(&here, &forked) && Arc::ptr_eq(&here, &here.here().unwrap()));
        here.append(b", and more", &Monitor::default()).unwrap();
        assert_eq!((forked.raw(), here.raw()), (13, 23));
        drop(gone);
        let _half_done = forked.set.write().unwrap();
        let message = forked.here().map(|_| ()).unwrap_err().to_string();
        assert!(message.starts_with("another thread was appending to this sizer when the process forked"), "{message}");
    }
}
