//! Coverage.

use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;

use crate::error::Error;
use crate::pool::Pool;
use crate::py::arguments::ThreadCount;
use crate::py::select::{Call, Options, Picks};
use crate::py::select_parts::{PartedCall, Parts};
use crate::py::watch::watched;
use crate::select::coverage::{self, Guard, Params, Selection, Target, TargetShare, Unit};

/// Options: `unit`, `ngram`, `gamma`, `alpha`, `min_df`, `min_contexts`, `one_in`; `target`, which may be None, and
/// `target_weight`.
pub(crate) fn select(call: &Call<'_, '_>) -> PyResult<Picks> {
    let (params, target, weight) = read(&call.options)?;
    let target = targeted(target.as_ref(), weight)?;
    let selection = call.run(|pool, controls, journal, threads, monitor| {
        coverage::select(pool, &params, target.as_ref(), controls, journal, threads, monitor)
    })?;
    tell(call.py, selection)
}

/// The same from partitions, with the same options.
pub(crate) fn select_parts(call: &PartedCall<'_, '_>) -> PyResult<Picks> {
    let (params, target, weight) = read(&call.options)?;
    let target = targeted(target.as_ref(), weight)?;
    let (selection, traffic) = call.run(|parts, journal| {
        let Parts { ask, count, plan, threads, monitor } = parts;
        coverage::select_parts(ask, count, &params, target.as_ref(), plan, journal, threads, monitor)
    })?;
    tell(call.py, selection)?.traffic(call.py, traffic)
}

fn read<'py>(options: &Options<'py>) -> PyResult<(Params, Option<Samples<'py>>, f64)> {
    options.read(|options| {
        let params = Params {
            unit: unit_named(&options.get::<String>("unit")?)?,
            ngram: options.get("ngram")?,
            gamma: options.get("gamma")?,
            alpha: options.get("alpha")?,
            guard: Guard { min_df: options.get("min_df")?, min_contexts: options.get("min_contexts")? },
            one_in: options.get("one_in")?,
        };
        Ok((params, options.get::<Option<Samples<'_>>>("target")?, options.get("target_weight")?))
    })
}

fn tell(py: Python<'_>, selection: Selection) -> PyResult<Picks> {
    let picks = Picks::new(py, selection.indices)
        .trace(py, "gains", selection.gains)?
        .fact(py, "objective", selection.objective)?
        .fact(py, "coverage", selection.coverage)?
        .fact(py, "evaluations", selection.evaluations)?
        .fact(py, "features", selection.features)?
        .fact(py, "slots", selection.slots)?
        .fact(py, "collisions", selection.collisions)?
        .seconds(py, "count", selection.timings.count)?
        .seconds(py, "score", selection.timings.score)?
        .seconds(py, "pick", selection.timings.pick)?;
    match selection.target {
        None => Ok(picks),
        Some(TargetShare { reached, reachable, recurring, recurring_shared }) => picks
            .trace(py, "target_coverage", reached)?
            .fact(py, "target_in_pool", reachable)?
            .fact(py, "target_recurring", recurring)?
            .fact(py, "target_recurring_in_pool", recurring_shared),
    }
}

/// What each sample would add as the first pick. See `_core.pyi`.
#[pyfunction]
#[pyo3(signature = (
    data, offsets, *, unit, ngram, gamma, min_df, min_contexts, one_in=1, target=None, target_weight=0.0, threads=None, progress=None
))]
#[allow(clippy::too_many_arguments)] // The parameters of the method, named in Python.
pub(crate) fn first_gains<'py>(
    py: Python<'py>,
    data: PyReadonlyArray1<'_, u8>,
    offsets: PyReadonlyArray1<'_, i64>,
    unit: &str,
    ngram: usize,
    gamma: f64,
    min_df: u16,
    min_contexts: u8,
    one_in: u32,
    target: Option<Samples<'_>>,
    target_weight: f64,
    threads: Option<ThreadCount>,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    let threads = threads.map(ThreadCount::get);
    let pool = Pool::new(data.as_slice()?, offsets.as_slice()?)?;
    let guard = Guard { min_df, min_contexts };
    // A first gain does not depend on the price of length.
    let params = Params { unit: unit_named(unit)?, ngram, gamma, alpha: 0.0, guard, one_in };
    let target = targeted(target.as_ref(), target_weight)?;
    let gains =
        watched(py, progress, |monitor| coverage::first_gains(&pool, &params, target.as_ref(), threads, monitor))?;
    Ok(gains.into_pyarray(py))
}

/// One in how many features `auto` keeps. See `_core.pyi`.
#[pyfunction]
pub(crate) fn auto_one_in(size: usize) -> u32 {
    coverage::auto_one_in(size)
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
