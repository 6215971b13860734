//! Selecting in an order that is known from the start.

use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;

use super::arguments::ThreadCount;
use super::controls::Controls;
use super::watch::watched;
use crate::error::Error;
use crate::pool::Pool;
use crate::select::ordered::{self, Order};

/// Selects at random or by keys. See `_core.pyi`.
#[pyfunction]
#[pyo3(signature = (data, starts, ends, controls, *, seed=None, keys=None, threads=None, progress=None))]
#[allow(clippy::too_many_arguments)] // The parameters of the method, named in Python.
pub fn ordered_select<'py>(
    py: Python<'py>,
    data: PyReadonlyArray1<'py, u8>,
    starts: PyReadonlyArray1<'py, i64>,
    ends: PyReadonlyArray1<'py, i64>,
    controls: &Controls,
    seed: Option<u64>,
    keys: Option<PyReadonlyArray1<'py, f64>>,
    threads: Option<ThreadCount>,
    progress: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyArray1<i64>>> {
    let pool = Pool::part(data.as_slice()?, starts.as_slice()?, ends.as_slice()?)?;
    let controls = controls.borrow(py)?;
    let controls = controls.controls()?;
    let order = match (seed, &keys) {
        (Some(seed), None) => Order::Random { seed },
        (None, Some(keys)) => Order::Highest(keys.as_slice()?),
        _ => return Err(Error::Parameter("the order is by a seed or by keys: give one of them".into()).into()),
    };
    let threads = threads.map(ThreadCount::get);
    let indices = watched(py, progress, |monitor| ordered::select(&pool, order, &controls, threads, monitor))?;
    Ok(indices.into_pyarray(py))
}
