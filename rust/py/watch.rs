//! Long calls: the work on threads of its own, the calling thread free to answer Ctrl-C and to report progress.

use std::convert::Infallible;
use std::panic::resume_unwind;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use pyo3::prelude::*;

use crate::error::Result;
use crate::run::monitor::{Monitor, Progress as Snapshot, Stage};

/// How often the calling thread looks for signals and reports.
const POLL: Duration = Duration::from_millis(50);

/// How far a long call is; passed to ``progress`` callbacks.
#[pyclass(frozen, get_all, module = "entropylaw")]
pub struct Progress {
    /// ``score``: sizing the pool, or first gains; ``global``: stages 1 and 2; ``local``: stage 3; ``measure``: see
    /// ``ratio``; ``count``: counting n-grams; ``pick``: picking until the budget is reached.
    stage: &'static str,
    /// Steps of this stage that are done: samples seen, or picked; in ``pick`` what the budget counts, for ``ratio``
    /// bytes.
    done: usize,
    /// Steps in this stage.
    total: usize,
    /// The round, from 1 on; 0 before the first.
    round: usize,
    /// Samples selected so far.
    picked: usize,
    /// R of the samples selected so far; 0.0 before there are any, and where it is not measured.
    ratio: f64,
}

#[pymethods]
impl Progress {
    fn __repr__(&self) -> String {
        let Self { stage, done, total, round, picked, ratio } = self;
        format!(
            "Progress(stage={stage:?}, done={done}, total={total}, round={round}, picked={picked}, ratio={ratio:.3})"
        )
    }
}

impl From<Snapshot> for Progress {
    fn from(now: Snapshot) -> Self {
        let stage = match now.stage {
            Stage::Count => "count",
            Stage::Score => "score",
            Stage::Global => "global",
            Stage::Local => "local",
            Stage::Pick => "pick",
            Stage::Measure => "measure",
        };
        Self { stage, done: now.done, total: now.total, round: now.round, picked: now.picked, ratio: now.ratio }
    }
}

/// Runs `job` detached from the interpreter, and calls `progress` with a [`Progress`] every 50 ms and at the end.
///
/// A signal handler or a callback that raises stops the job; its exception is the result. A panic of the job goes on
/// here, where pyo3 makes it a Python exception.
pub(super) fn watched<R: Send>(
    py: Python<'_>,
    progress: Option<&Bound<'_, PyAny>>,
    job: impl FnOnce(&Monitor) -> Result<R> + Send,
) -> PyResult<R> {
    watched_calling(py, progress, |never: Infallible| match never {}, |monitor, _| job(monitor))
}

/// The same of a job that needs something done on the calling thread, where signals are handled: what it sends is passed to
/// `call`, one at a time. What `call` raises stops the job, and is the result.
pub(super) fn watched_calling<C: Send, R: Send>(
    py: Python<'_>,
    progress: Option<&Bound<'_, PyAny>>,
    mut call: impl FnMut(C) -> PyResult<()> + Send,
    job: impl FnOnce(&Monitor, Sender<C>) -> Result<R> + Send,
) -> PyResult<R> {
    let progress = progress.map(|callback| callback.clone().unbind());
    let monitor = Monitor::default();
    let report = || {
        Python::attach(|py| {
            py.check_signals()?;
            if let Some(callback) = &progress {
                callback.call1(py, (Progress::from(monitor.progress()),))?;
            }
            Ok(())
        })
    };
    py.detach(|| {
        thread::scope(|scope| {
            let (calls, called) = mpsc::channel();
            let monitor = &monitor;
            // The job drops its end when it is over, also by a panic: that is what is waited for here.
            let worker = scope.spawn(move || job(monitor, calls));
            let mut last = Instant::now();
            loop {
                let outcome = match called.recv_timeout(POLL.saturating_sub(last.elapsed())) {
                    Ok(wanted) => call(wanted),
                    Err(RecvTimeoutError::Timeout) => {
                        last = Instant::now();
                        report()
                    }
                    Err(RecvTimeoutError::Disconnected) => break,
                };
                if let Err(raised) = outcome {
                    monitor.stop();
                    drop((call, called));
                    let _ = worker.join();
                    return Err(raised);
                }
            }
            let result = worker.join().unwrap_or_else(|panic| resume_unwind(panic))?;
            report()?;
            Ok(result)
        })
    })
}
