//! Coverage selection.

use std::path::PathBuf;

use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;

use super::arguments::ThreadCount;
use super::controls::{Controls, JournalFile};
use super::watch::watched;
use crate::error::Error;
use crate::pool::Pool;
use crate::select::coverage::{self, Guard, Params, Target, Unit};

/// What `coverage_select` returns.
#[pyclass(frozen, get_all, module = "entropylaw")]
pub struct CoverageResult {
    indices: Py<PyArray1<i64>>,
    gains: Py<PyArray1<f64>>,
    objective: f64,
    coverage: f64,
    evaluations: u64,
    features: u64,
    slots: u64,
    collisions: f64,
    /// After each pick, if there is a target.
    target_coverage: Option<Py<PyArray1<f64>>>,
    target_in_pool: f64,
    /// Features that recur in the target, and those of them that the pool has.
    target_recurring: (u64, u64),
    /// Stage and seconds.
    seconds: Vec<(&'static str, f64)>,
}

/// Selects with coverage. See `_core.pyi`.
#[pyfunction]
#[pyo3(signature = (
    data, starts, ends, controls, *, unit, ngram, gamma, alpha, min_df, min_contexts, target=None, target_weight=0.0,
    journal=None, threads=None, progress=None
))]
#[allow(clippy::too_many_arguments)] // The parameters of the method, named in Python.
pub fn coverage_select(
    py: Python<'_>,
    data: PyReadonlyArray1<'_, u8>,
    starts: PyReadonlyArray1<'_, i64>,
    ends: PyReadonlyArray1<'_, i64>,
    controls: &Controls,
    unit: &str,
    ngram: usize,
    gamma: f64,
    alpha: f64,
    min_df: u16,
    min_contexts: u8,
    target: Option<Samples<'_>>,
    target_weight: f64,
    journal: Option<PathBuf>,
    threads: Option<ThreadCount>,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<CoverageResult> {
    let threads = threads.map(ThreadCount::get);
    let pool = Pool::part(data.as_slice()?, starts.as_slice()?, ends.as_slice()?)?;
    let controls = controls.borrow(py)?;
    let controls = controls.controls()?;
    let unit = unit_named(unit)?;
    let params = Params { unit, ngram, gamma, alpha, guard: Guard { min_df, min_contexts } };
    let target = targeted(target.as_ref(), target_weight)?;
    let mut file = JournalFile::open(journal.as_deref())?;
    let selection = watched(py, progress, |monitor| {
        coverage::select(&pool, &params, target.as_ref(), &controls, &mut file.journal()?, threads, monitor)
    })?;
    let timings = selection.timings;
    let (reached, in_pool, recurring) = match selection.target {
        Some(share) => (Some(share.reached), share.reachable, (share.recurring, share.recurring_shared)),
        None => (None, 0.0, (0, 0)),
    };
    Ok(CoverageResult {
        indices: selection.indices.into_pyarray(py).unbind(),
        gains: selection.gains.into_pyarray(py).unbind(),
        objective: selection.objective,
        coverage: selection.coverage,
        evaluations: selection.evaluations,
        features: selection.features,
        slots: selection.slots,
        collisions: selection.collisions,
        target_coverage: reached.map(|reached| reached.into_pyarray(py).unbind()),
        target_in_pool: in_pool,
        target_recurring: recurring,
        seconds: vec![
            ("count", timings.count.as_secs_f64()),
            ("score", timings.score.as_secs_f64()),
            ("pick", timings.pick.as_secs_f64()),
        ],
    })
}

/// What each sample would add as the first pick. See `_core.pyi`.
#[pyfunction]
#[pyo3(signature = (
    data, offsets, *, unit, ngram, gamma, min_df, min_contexts, target=None, target_weight=0.0, threads=None, progress=None
))]
#[allow(clippy::too_many_arguments)] // The parameters of the method, named in Python.
pub fn first_gains<'py>(
    py: Python<'py>,
    data: PyReadonlyArray1<'_, u8>,
    offsets: PyReadonlyArray1<'_, i64>,
    unit: &str,
    ngram: usize,
    gamma: f64,
    min_df: u16,
    min_contexts: u8,
    target: Option<Samples<'_>>,
    target_weight: f64,
    threads: Option<ThreadCount>,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    let threads = threads.map(ThreadCount::get);
    let pool = Pool::new(data.as_slice()?, offsets.as_slice()?)?;
    let guard = Guard { min_df, min_contexts };
    // A first gain does not depend on the price of length.
    let params = Params { unit: unit_named(unit)?, ngram, gamma, alpha: 0.0, guard };
    let target = targeted(target.as_ref(), target_weight)?;
    let gains =
        watched(py, progress, |monitor| coverage::first_gains(&pool, &params, target.as_ref(), threads, monitor))?;
    Ok(gains.into_pyarray(py))
}

/// Samples from elsewhere: bytes and offsets.
type Samples<'py> = (PyReadonlyArray1<'py, u8>, PyReadonlyArray1<'py, i64>);

fn targeted<'a>(target: Option<&'a Samples<'_>>, weight: f64) -> PyResult<Option<Target<'a>>> {
    let Some((data, offsets)) = target else { return Ok(None) };
    Ok(Some(Target { samples: Pool::new(data.as_slice()?, offsets.as_slice()?)?, weight }))
}

fn unit_named(unit: &str) -> PyResult<Unit> {
    match unit {
        "byte" => Ok(Unit::Byte),
        "word" => Ok(Unit::Word),
        other => Err(Error::Parameter(format!("there is no unit {other:?}: byte or word")).into()),
    }
}
