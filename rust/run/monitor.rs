//! Watching and stopping a selection from another thread.
//!
//! The threads that select only write to a [`Monitor`]; whoever waits for them (the Python binding) reads it at its own
//! pace, and raises the flag that makes them stop after the sample that each is sizing.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::error::{Error, Result};

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Counting the features of a pool.
    Count,
    /// Sizing every sample of the pool alone, or computing its first gain.
    Score,
    /// Stages 1 and 2 of a round: sizing `k1` candidates against everything selected.
    Global,
    /// Stage 3 of a round: picking `k3` of the block of `k2`.
    Local,
    /// Picking until the budget is reached.
    Pick,
    /// Compressing a pool and its groups.
    Measure,
}

/// A snapshot of a selection under way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// What is being done.
    pub stage: Stage,
    /// How many steps of this stage are done: samples seen, or picked; in [`Stage::Pick`] what the budget counts, in
    /// [`Stage::Measure`] bytes, if sets are measured.
    pub done: usize,
    /// Steps in this stage.
    pub total: usize,
    /// The round, from 1 on; 0 where there are none.
    pub round: usize,
    /// Samples selected so far.
    pub picked: usize,
    /// R of the samples selected so far; 0 before there are any, and where it is not measured.
    pub ratio: f64,
}

/// Progress out, a request to stop in.
#[derive(Debug)]
pub struct Monitor {
    stopped: AtomicBool,
    done: AtomicUsize,
    current: Mutex<Progress>,
}

impl Default for Monitor {
    fn default() -> Self {
        let current = Progress { stage: Stage::Score, done: 0, total: 0, round: 0, picked: 0, ratio: 0.0 };
        Self { stopped: AtomicBool::new(false), done: AtomicUsize::new(0), current: Mutex::new(current) }
    }
}

impl Monitor {
    /// Asks the selection to stop.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// # Errors
    /// [`Error::Interrupted`] once somebody has asked to stop.
    pub fn check(&self) -> Result<()> {
        if self.stopped.load(Ordering::Relaxed) { Err(Error::Interrupted) } else { Ok(()) }
    }

    /// How far the selection is.
    pub fn progress(&self) -> Progress {
        let mut now = *self.current.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        now.done = self.done.load(Ordering::Relaxed).min(now.total);
        now
    }

    /// Steps of the stage are done.
    pub(crate) fn steps(&self, count: usize) {
        self.done.fetch_add(count, Ordering::Relaxed);
    }

    /// A stage begins.
    pub(crate) fn enter(&self, stage: Stage, total: usize) {
        self.update(|now| {
            now.stage = stage;
            now.total = total;
        });
        self.done.store(0, Ordering::Relaxed);
    }

    pub(crate) fn update(&self, change: impl FnOnce(&mut Progress)) {
        change(&mut self.current.lock().unwrap_or_else(|poisoned| poisoned.into_inner()));
    }
}
