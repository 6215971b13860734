//! Selecting with ZIP.

use std::path::PathBuf;

use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;

use super::arguments::ThreadCount;
use super::controls::{Controls, JournalFile};
use super::watch::watched;
use crate::error::Error;
use crate::pool::Pool;
use crate::select::zip::{self, End, Params, Preset, Round};
use crate::sizer::{DeflateSizer, Sizer};

/// The sizer behind every selection.
pub type DefaultSizer = DeflateSizer;

/// What `zip_select` returns.
#[pyclass(frozen, get_all, module = "entropylaw")]
pub struct ZipResult {
    indices: Py<PyArray1<i64>>,
    gains: Py<PyArray1<f64>>,
    ratios: Py<PyArray1<f64>>,
    initial_ratios: Py<PyArray1<f64>>,
    /// Of each round: candidates, block, picked, ratio.
    rounds: Vec<(usize, usize, usize, f64)>,
    pool_ratio: f64,
    /// `budget`, `exhausted` or `too_few_left`.
    end: &'static str,
    codec: &'static str,
    /// Stage and seconds.
    seconds: Vec<(&'static str, f64)>,
}

/// Selects with ZIP. See `_core.pyi`.
#[pyfunction]
#[pyo3(signature = (
    data, starts, ends, controls, *, preset, k1, k2, k3, journal=None, threads=None, progress=None
))]
#[allow(clippy::too_many_arguments)] // The parameters of the method, named in Python.
pub fn zip_select(
    py: Python<'_>,
    data: PyReadonlyArray1<'_, u8>,
    starts: PyReadonlyArray1<'_, i64>,
    ends: PyReadonlyArray1<'_, i64>,
    controls: &Controls,
    preset: &str,
    k1: usize,
    k2: usize,
    k3: usize,
    journal: Option<PathBuf>,
    threads: Option<ThreadCount>,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<ZipResult> {
    let pool = Pool::part(data.as_slice()?, starts.as_slice()?, ends.as_slice()?)?;
    let controls = controls.borrow(py)?;
    let controls = controls.controls()?;
    let threads = threads.map(ThreadCount::get);
    let preset = match preset {
        "paper" => Preset::Paper,
        "reference" => Preset::Reference,
        other => return Err(Error::Parameter(format!("there is no preset {other:?}: paper or reference")).into()),
    };
    let params = Params { preset, k1, k2, k3 };
    let mut file = JournalFile::open(journal.as_deref())?;
    let selection = watched(py, progress, |monitor| {
        zip::select::<DefaultSizer>(&pool, &params, &controls, &mut file.journal()?, threads, monitor)
    })?;
    let end = match selection.end {
        End::Budget => "budget",
        End::Exhausted => "exhausted",
        End::TooFewLeft => "too_few_left",
    };
    let timings = selection.timings;
    let rounds =
        selection.rounds.iter().map(|&Round { candidates, block, picked, ratio }| (candidates, block, picked, ratio));
    Ok(ZipResult {
        rounds: rounds.collect(),
        indices: selection.indices.into_pyarray(py).unbind(),
        gains: selection.gains.into_pyarray(py).unbind(),
        ratios: selection.ratios.into_pyarray(py).unbind(),
        initial_ratios: selection.initial_ratios.into_pyarray(py).unbind(),
        pool_ratio: selection.pool_ratio,
        end,
        codec: DefaultSizer::CODEC,
        seconds: vec![
            ("score", timings.score.as_secs_f64()),
            ("global", timings.global.as_secs_f64()),
            ("local", timings.local.as_secs_f64()),
        ],
    })
}
