//! What each sample is worth by itself, for methods that take the highest.

use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;

use super::arguments::ThreadCount;
use super::select::DefaultSizer;
use super::watch::watched;
use crate::error::Error;
use crate::measure::scores::{density, dsir, zipfit};
use crate::pool::Pool;
use crate::select::draw;

/// A pool from elsewhere: bytes and offsets.
type Whole<'py> = (PyReadonlyArray1<'py, u8>, PyReadonlyArray1<'py, i64>);

/// Log importance weights, and the words and pairs that they are sums over. See `_core.pyi`.
#[pyfunction]
#[pyo3(signature = (data, starts, ends, target, *, threads=None, progress=None))]
#[allow(clippy::type_complexity)] // A pair of arrays.
pub(super) fn dsir_scores<'py>(
    py: Python<'py>,
    data: PyReadonlyArray1<'_, u8>,
    starts: PyReadonlyArray1<'_, i64>,
    ends: PyReadonlyArray1<'_, i64>,
    target: Whole<'_>,
    threads: Option<ThreadCount>,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<(Bound<'py, PyArray1<f64>>, Bound<'py, PyArray1<i64>>)> {
    let pool = Pool::part(data.as_slice()?, starts.as_slice()?, ends.as_slice()?)?;
    let target = Pool::new(target.0.as_slice()?, target.1.as_slice()?)?;
    let threads = threads.map(ThreadCount::get);
    let scores = watched(py, progress, |monitor| dsir::scores(&pool, &target, threads, monitor))?;
    let weights: Vec<f64> = scores.iter().map(|score| score.log_weight).collect();
    let features: Vec<i64> = scores.iter().map(|score| score.features as i64).collect();
    Ok((weights.into_pyarray(py), features.into_pyarray(py)))
}

/// Mean likeness to a target's samples under gzip. See `_core.pyi`.
#[pyfunction]
#[pyo3(signature = (data, starts, ends, target, *, threads=None, progress=None))]
pub(super) fn zipfit_scores<'py>(
    py: Python<'py>,
    data: PyReadonlyArray1<'_, u8>,
    starts: PyReadonlyArray1<'_, i64>,
    ends: PyReadonlyArray1<'_, i64>,
    target: Whole<'_>,
    threads: Option<ThreadCount>,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    let pool = Pool::part(data.as_slice()?, starts.as_slice()?, ends.as_slice()?)?;
    let target = Pool::new(target.0.as_slice()?, target.1.as_slice()?)?;
    let threads = threads.map(ThreadCount::get);
    let scores = watched(py, progress, |monitor| zipfit::scores::<DefaultSizer>(&pool, &target, threads, monitor))?;
    Ok(scores.into_pyarray(py))
}

/// How many samples are like each one, and the log weights that even this out. See `_core.pyi`.
#[pyfunction]
#[allow(clippy::type_complexity)] // A pair of arrays.
#[pyo3(signature = (data, starts, ends, *, beside=None, threads=None, progress=None))]
pub(super) fn densities<'py>(
    py: Python<'py>,
    data: PyReadonlyArray1<'_, u8>,
    starts: PyReadonlyArray1<'_, i64>,
    ends: PyReadonlyArray1<'_, i64>,
    beside: Option<Whole<'_>>,
    threads: Option<ThreadCount>,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<(Bound<'py, PyArray1<f64>>, Bound<'py, PyArray1<f64>>)> {
    let pool = Pool::part(data.as_slice()?, starts.as_slice()?, ends.as_slice()?)?;
    let beside = match &beside {
        Some((data, offsets)) => Some(Pool::new(data.as_slice()?, offsets.as_slice()?)?),
        None => None,
    };
    let threads = threads.map(ThreadCount::get);
    let found = watched(py, progress, |monitor| density::densities(&pool, beside.as_ref(), threads, monitor))?;
    let samples: Vec<f64> = found.iter().map(|density| density.samples).collect();
    let log_weights: Vec<f64> = found.iter().map(|density| density.log_weight).collect();
    Ok((samples.into_pyarray(py), log_weights.into_pyarray(py)))
}

/// Keys that rank samples by their weights, or draw them. See `_core.pyi`.
#[pyfunction]
#[pyo3(signature = (log_weights, *, wanted=None, seed=None))]
pub(super) fn weighted_keys<'py>(
    py: Python<'py>,
    log_weights: PyReadonlyArray1<'_, f64>,
    wanted: Option<PyReadonlyArray1<'_, f64>>,
    seed: Option<u64>,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    let log_weights = log_weights.as_slice()?;
    let wanted = wanted.as_ref().map(|wanted| wanted.as_slice()).transpose()?;
    if wanted.is_some_and(|wanted| wanted.len() != log_weights.len()) {
        return Err(Error::Parameter(format!("{} weights need as many factors", log_weights.len())).into());
    }
    Ok(draw::keys(log_weights, wanted, seed).into_pyarray(py))
}
