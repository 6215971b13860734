//! Selecting, with any method: what all calls have in common.

use std::path::PathBuf;

use numpy::{Element, IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::conversion::FromPyObjectOwned;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::EntropyLawError;
use super::arguments::{ThreadCount, shown};
use super::controls::Controls;
use super::journal::JournalFile;
use super::methods::METHODS;
use super::watch::watched;
use crate::error::{Error, Result};
use crate::pool::Pool;
use crate::run::journal::Journal;
use crate::run::monitor::Monitor;
use crate::select::controls;
use crate::sizer::DeflateSizer;

/// The sizer behind every selection.
pub(super) type DefaultSizer = DeflateSizer;

/// Selects with a method. See `_core.pyi`.
#[pyfunction]
#[pyo3(signature = (method, data, starts, ends, controls, options, *, journal=None, threads=None, progress=None))]
#[allow(clippy::too_many_arguments)] // Named in Python.
pub(super) fn select<'py>(
    py: Python<'py>,
    method: &str,
    data: PyReadonlyArray1<'py, u8>,
    starts: PyReadonlyArray1<'py, i64>,
    ends: PyReadonlyArray1<'py, i64>,
    controls: &Controls,
    options: Bound<'py, PyDict>,
    journal: Option<PathBuf>,
    threads: Option<ThreadCount>,
    progress: Option<Bound<'py, PyAny>>,
) -> PyResult<Picks> {
    let Some((method, select)) = METHODS.iter().find(|(name, _)| *name == method) else {
        let names: Vec<&str> = METHODS.iter().map(|&(name, _)| name).collect();
        return Err(Error::Parameter(format!("there is no method {method:?}: {}", names.join(", "))).into());
    };
    let controls = controls.borrow(py)?;
    select(&Call {
        py,
        pool: Pool::part(data.as_slice()?, starts.as_slice()?, ends.as_slice()?)?,
        controls: controls.controls()?,
        options: Options::new(method, options),
        journal,
        threads: threads.map(ThreadCount::get),
        progress,
    })
}

/// A call of [`select`].
pub(super) struct Call<'a, 'py> {
    pub py: Python<'py>,
    pub options: Options<'py>,
    pool: Pool<'a>,
    controls: controls::Controls<'a>,
    journal: Option<PathBuf>,
    threads: Option<usize>,
    progress: Option<Bound<'py, PyAny>>,
}

impl Call<'_, '_> {
    /// Selects, without the interpreter, which is free for others meanwhile.
    pub(super) fn run<R: Send>(
        &self,
        select: impl FnOnce(&Pool<'_>, &controls::Controls<'_>, &mut Journal<'_>, Option<usize>, &Monitor) -> Result<R>
        + Send,
    ) -> PyResult<R> {
        let Self { py, pool, controls, threads, .. } = self;
        let mut file = JournalFile::open(self.journal.as_deref())?;
        watched(*py, self.progress.as_ref(), |monitor| select(pool, controls, &mut file.journal()?, *threads, monitor))
    }
}

/// The options of a method, by name.
pub(super) struct Options<'py> {
    method: &'static str,
    given: Bound<'py, PyDict>,
}

impl<'py> Options<'py> {
    /// What was given to a method.
    pub(super) fn new(method: &'static str, given: Bound<'py, PyDict>) -> Self {
        Self { method, given }
    }

    /// Reads them with `read`, all of them.
    ///
    /// # Errors
    /// `EntropyLawError` if one is missing, is not what it should be, or is none of this method's.
    pub(super) fn read<T>(&self, read: impl FnOnce(&mut Reader<'_, 'py>) -> PyResult<T>) -> PyResult<T> {
        let mut reader = Reader { options: self, names: Vec::new() };
        let found = read(&mut reader)?;
        for name in self.given.keys() {
            if !reader.names.iter().any(|known| name.eq(known).unwrap_or(false)) {
                let (method, name) = (self.method, shown(&name));
                let message = format!("{method} has no option {name}: {}", reader.names.join(", "));
                return Err(EntropyLawError::new_err(message));
            }
        }
        Ok(found)
    }
}

/// Reads options one by one.
pub(super) struct Reader<'a, 'py> {
    options: &'a Options<'py>,
    /// Those that were read.
    names: Vec<&'static str>,
}

impl<'py> Reader<'_, 'py> {
    /// The option with this name.
    ///
    /// # Errors
    /// `EntropyLawError` if it is missing or is not of this type.
    pub(super) fn get<T: FromPyObjectOwned<'py>>(&mut self, name: &'static str) -> PyResult<T> {
        let Options { method, given } = self.options;
        self.names.push(name);
        let Some(value) = given.get_item(name)? else {
            return Err(EntropyLawError::new_err(format!("{method} lacks the option {name}")));
        };
        value.extract().map_err(Into::into).map_err(|error: PyErr| {
            EntropyLawError::new_err(format!("{name} is {}: {}", shown(&value), error.value(given.py())))
        })
    }
}

/// What a method picked, and what it tells of how. See `_core.pyi`.
#[pyclass(frozen, get_all, module = "entropylaw._core")]
pub(super) struct Picks {
    indices: Py<PyArray1<i64>>,
    trace: Py<PyDict>,
    facts: Py<PyDict>,
    seconds: Py<PyDict>,
}

impl Picks {
    /// Picks of which nothing is told yet.
    pub(super) fn new(py: Python<'_>, indices: Vec<i64>) -> Self {
        let told = || PyDict::new(py).unbind();
        Self { indices: indices.into_pyarray(py).unbind(), trace: told(), facts: told(), seconds: told() }
    }

    /// Adds numbers: of each pick, of each sample or of each round.
    pub(super) fn trace<T: Element>(self, py: Python<'_>, name: &str, values: Vec<T>) -> PyResult<Self> {
        self.trace.bind(py).set_item(name, values.into_pyarray(py))?;
        Ok(self)
    }

    /// Adds what is to be said of the whole selection.
    pub(super) fn fact<'py>(self, py: Python<'py>, name: &str, value: impl IntoPyObject<'py>) -> PyResult<Self> {
        self.facts.bind(py).set_item(name, value)?;
        Ok(self)
    }

    /// Adds how long a stage took.
    pub(super) fn seconds(self, py: Python<'_>, stage: &str, took: std::time::Duration) -> PyResult<Self> {
        self.seconds.bind(py).set_item(stage, took.as_secs_f64())?;
        Ok(self)
    }
}
