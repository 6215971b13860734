//! `entropylaw.Sizer`: the sizing engine, for people who bring their own loop.

use std::sync::{Arc, Mutex, PoisonError};

use numpy::{IntoPyArray, PyArray1};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;

use super::arguments::{ThreadCount, bytes_of, kind_of, shown};
use super::select::DefaultSizer;
use super::watch::watched;
use crate::error::{Error, Result};
use crate::run::monitor::Monitor;
use crate::run::threads::Kept;
use crate::sizer::Sizer as _;
use crate::sizer::set::Set;
use crate::sizer::shared::Shared;
use crate::sizer::workers::Workers;

/// Bytes of candidates below which a probe is over before Ctrl-C could be noticed: it is not watched.
const SHORT: usize = 1 << 18;

/// A compressor that only sizes. See `_core.pyi`.
///
/// Its locks are held with the interpreter held as well, and for moments only, so that none is held by another thread
/// when the process forks. What may take long, or wait, lets go of the interpreter first.
#[pyclass(frozen, module = "entropylaw")]
pub struct Sizer {
    set: Mutex<Arc<Shared<DefaultSizer>>>,
    workers: Kept<Workers<DefaultSizer>>,
}

impl Sizer {
    /// The prefix, as this process has it.
    fn set(&self) -> Result<Arc<Shared<DefaultSizer>>> {
        let mut set = self.set.lock().unwrap_or_else(PoisonError::into_inner);
        *set = set.here()?;
        Ok(Arc::clone(&set))
    }
}

#[pymethods]
impl Sizer {
    #[new]
    #[pyo3(signature = (codec=None))]
    fn new(codec: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        if let Some(codec) = codec {
            match codec.extract::<&str>() {
                Ok("zlib" | "deflate") => {}
                _ => {
                    let message = format!("there is no codec {}; there is 'zlib'", shown(codec));
                    return Err(Error::Parameter(message).into());
                }
            }
        }
        Ok(Self { set: Mutex::default(), workers: Kept::new() })
    }

    #[getter]
    fn codec(&self) -> &'static str {
        DefaultSizer::CODEC
    }

    fn append(&self, py: Python<'_>, sample: &Bound<'_, PyAny>) -> PyResult<()> {
        let (sample, set) = (bytes_of("the sample", sample)?, self.set()?);
        if sample.len() < SHORT && py.detach(|| set.try_append(&sample)) {
            return Ok(());
        }
        watched(py, None, |monitor| set.append(&sample, monitor))
    }

    #[pyo3(signature = (samples, *, threads=None))]
    fn probe<'py>(
        &self,
        py: Python<'py>,
        samples: &Bound<'py, PyAny>,
        threads: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyArray1<i64>>> {
        let samples = candidates_of(samples)?;
        let workers = self.workers.get(ThreadCount::of(threads)?, Workers::new)?;
        let shared = self.set()?;
        let probe = |set: &Set<DefaultSizer>, monitor: &Monitor| {
            workers.run(|| workers.probe_all(set, samples.len(), |i| &*samples[i], monitor))
        };
        let at_once = samples.iter().map(|sample| sample.len()).sum::<usize>() < SHORT;
        let sizes = match py.detach(|| Some(probe(&*shared.try_read().filter(|_| at_once)?, &Monitor::default()))) {
            Some(sizes) => sizes?,
            None => watched(py, None, |monitor| probe(&*shared.read(monitor)?, monitor))?,
        };
        Ok(sizes.into_iter().map(|size| size as i64).collect::<Vec<_>>().into_pyarray(py))
    }

    fn size(&self, py: Python<'_>) -> PyResult<u64> {
        let shared = self.set()?;
        let measure = |set: &Set<DefaultSizer>| set.measure(&mut set.scratch()).size;
        match py.detach(|| shared.try_read().map(|set| measure(&set))) {
            Some(size) => Ok(size),
            None => watched(py, None, |monitor| Ok(measure(&*shared.read(monitor)?))),
        }
    }

    fn __len__(&self) -> PyResult<usize> {
        Ok(self.set()?.raw() as usize)
    }

    fn __repr__(&self) -> PyResult<String> {
        Ok(format!("Sizer(codec='zlib', prefix={} bytes)", self.__len__()?))
    }
}

/// Candidates, each as bytes.
fn candidates_of(samples: &Bound<'_, PyAny>) -> PyResult<Vec<PyBackedBytes>> {
    // Text and bytes are sequences too, and taken for their items by mistake alone.
    if samples.extract::<&str>().is_ok() || samples.extract::<PyBackedBytes>().is_ok() {
        let kind = kind_of(samples);
        return Err(Error::Parameter(format!("samples is {kind}; it must be a sequence of bytes or bytearray")).into());
    }
    let Ok(items) = samples.try_iter() else {
        let kind = kind_of(samples);
        return Err(Error::Parameter(format!("samples is {kind}; it must be a sequence of bytes or bytearray")).into());
    };
    items.enumerate().map(|(at, item)| bytes_of(&format!("sample {at}"), &item?)).collect()
}
