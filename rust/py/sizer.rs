//! `entropylaw.Sizer`: the sizing engine, for people who bring their own loop.

use std::sync::{Arc, Mutex, PoisonError};

use numpy::{IntoPyArray, PyArray1};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyType};

use super::arguments::{Bytes, ThreadCount, bytes_of, kind_of, shown};
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

// Its locks are held with the interpreter held as well, and for moments only, so that none is held by another thread
// when the process forks. What may take long, or wait, lets go of the interpreter first.
/// What a compressor would produce, in bytes, without producing it.
///
/// A sizer holds a *prefix*, at first empty. ``append`` adds to it; ``probe`` tells how large the prefix would become,
/// compressed, with each of many candidates appended alone, and leaves it as it is. Sizes are exact: those of
/// ``len(zlib.compress(prefix + candidate, 9))`` with classic zlib (RFC 1950, RFC 1951), header and checksum included.
/// ``len(sizer)`` is the length of the prefix in bytes; what is being appended does not count before it is done.
///
/// A probe does not depend on the length of the prefix, because deflate looks back 32 KiB.
///
/// ``copy()`` makes another one with the same prefix, and a sizer can be pickled: both take the state of the
/// compressor, not the prefix.
///
/// Threads may share a sizer: probes run side by side, appends one after the other; none of them holds up the rest of
/// the interpreter. Ctrl-C ends a wait, a probe and an append, which then has appended nothing. A forked process
/// (``multiprocessing``, the workers of a ``DataLoader``) has a copy of its parent's sizers.
///
/// Parameters
/// ----------
/// codec : {"zlib", "deflate"}
///     The compressor: two names of zlib's deflate, level 9.
///
/// Raises
/// ------
/// EntropyLawError
///     If there is no such codec; by any method, if an argument is of the wrong kind, or if another thread was
///     appending when this process was forked.
///
/// Examples
/// --------
/// Which of two samples says more that is new:
///
/// >>> from entropylaw import Sizer
/// >>> sizer = Sizer()
/// >>> sizer.append(b"the quick brown fox jumps over the lazy dog ")
/// >>> (sizer.probe([b"the lazy dog ", b"a slow red cat "]) - sizer.size()).tolist()
/// [0, 10]
///
/// Normalised compression distance (Cilibrasi and Vitanyi, 2005):
///
/// >>> def size(*parts):
/// ...     sizer = Sizer()
/// ...     for part in parts:
/// ...         sizer.append(part)
/// ...     return sizer.size()
/// >>> x, y = b"the quick brown fox " * 20, b"the quick brown dog " * 20
/// >>> round((size(x, y) - min(size(x), size(y))) / max(size(x), size(y)), 2)
/// 0.24
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

    /// Codec and version, such as manifests name it.
    #[getter]
    fn codec(&self) -> &'static str {
        DefaultSizer::CODEC
    }

    /// Adds a sample to the prefix, for good.
    ///
    /// Parameters
    /// ----------
    /// sample : bytes, or a buffer of them
    ///     What to add: ``bytes``, ``bytearray``, ``memoryview``, ``mmap`` or an array of uint8; text is to be encoded
    ///     first.
    ///
    /// Raises
    /// ------
    /// EntropyLawError
    ///     If the sample is not bytes.
    ///
    /// Examples
    /// --------
    /// >>> from entropylaw import Sizer
    /// >>> sizer = Sizer()
    /// >>> sizer.append("naïve".encode())
    /// >>> len(sizer)
    /// 6
    fn append(&self, py: Python<'_>, sample: &Bound<'_, PyAny>) -> PyResult<()> {
        let (sample, set) = (bytes_of("the sample", sample)?, self.set()?);
        if sample.len() < SHORT && py.detach(|| set.try_append(&sample)) {
            return Ok(());
        }
        watched(py, None, |monitor| set.append(&sample, monitor))
    }

    /// Compressed size of the prefix with each sample appended alone; the prefix stays as it is.
    ///
    /// Parameters
    /// ----------
    /// samples : sequence of bytes, or of buffers of them
    ///     The candidates.
    /// threads : int, optional
    ///     How many to use, 1 to 4096; by default as many as this process may. The result does not depend on it.
    ///
    /// Returns
    /// -------
    /// ndarray of int64, shape ``(len(samples),)``
    ///     Bytes, in the order of the samples.
    ///
    /// Raises
    /// ------
    /// EntropyLawError
    ///     If one of the samples is not bytes, or they are no sequence; if there can't be so many threads.
    ///
    /// Examples
    /// --------
    /// >>> import zlib
    /// >>> from entropylaw import Sizer
    /// >>> sizer = Sizer()
    /// >>> sizer.append(b"abc" * 100)
    /// >>> int(sizer.probe([b"abcd"])[0]) == len(zlib.compress(b"abc" * 100 + b"abcd", 9))
    /// True
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

    /// Compressed size of the prefix, in bytes.
    ///
    /// Examples
    /// --------
    /// >>> from entropylaw import Sizer
    /// >>> Sizer().size()
    /// 8
    fn size(&self, py: Python<'_>) -> PyResult<u64> {
        let shared = self.set()?;
        let measure = |set: &Set<DefaultSizer>| set.measure(&mut set.scratch()).size;
        match py.detach(|| shared.try_read().map(|set| measure(&set))) {
            Some(size) => Ok(size),
            None => watched(py, None, |monitor| Ok(measure(&*shared.read(monitor)?))),
        }
    }

    /// A sizer with the same prefix, whose appends are its own. A long prefix takes no longer than a short one.
    ///
    /// Examples
    /// --------
    /// >>> from entropylaw import Sizer
    /// >>> sizer = Sizer()
    /// >>> sizer.append(b"the cat sat ")
    /// >>> other = sizer.copy()
    /// >>> other.append(b"on the mat")
    /// >>> len(sizer), len(other)
    /// (12, 22)
    fn copy(&self, py: Python<'_>) -> PyResult<Self> {
        let shared = self.set()?;
        let copied = match py.detach(|| shared.try_read().map(|set| set.sizer().clone())) {
            Some(sizer) => sizer,
            None => watched(py, None, |monitor| Ok(shared.read(monitor)?.sizer().clone()))?,
        };
        Ok(Self { set: Mutex::new(Arc::new(Shared::holding(copied))), workers: Kept::new() })
    }

    fn __copy__(&self, py: Python<'_>) -> PyResult<Self> {
        self.copy(py)
    }

    fn __deepcopy__(&self, py: Python<'_>, _memo: &Bound<'_, PyAny>) -> PyResult<Self> {
        self.copy(py)
    }

    // Pickled by the state of the compressor, which takes some 34 KB at most, not by the prefix.
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyType>, (), Bound<'py, PyBytes>)> {
        let py = slf.py();
        let shared = slf.get().set()?;
        let state = watched(py, None, |monitor| Ok(shared.read(monitor)?.sizer().to_bytes()))?;
        Ok((slf.get_type(), (), PyBytes::new(py, &state)))
    }

    fn __setstate__(&self, state: &Bound<'_, PyAny>) -> PyResult<()> {
        let state = bytes_of("the state of the sizer", state)?;
        let sizer = DefaultSizer::from_bytes(&state).map_err(|error| Error::Parameter(error.to_string()))?;
        *self.set.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(Shared::holding(sizer));
        Ok(())
    }

    fn __len__(&self) -> PyResult<usize> {
        Ok(self.set()?.raw() as usize)
    }

    fn __repr__(&self) -> PyResult<String> {
        Ok(format!("Sizer(codec='zlib', prefix={} bytes)", self.__len__()?))
    }
}

/// Candidates, each as bytes.
fn candidates_of(samples: &Bound<'_, PyAny>) -> PyResult<Vec<Bytes>> {
    // Text and bytes are sequences too, and taken for their items by mistake alone.
    if samples.extract::<&str>().is_ok() || samples.extract::<PyBackedBytes>().is_ok() {
        let kind = kind_of(samples);
        return Err(Error::Parameter(format!(
            "samples is {kind}; it must be a sequence of bytes, or of buffers of them"
        ))
        .into());
    }
    let Ok(items) = samples.try_iter() else {
        let kind = kind_of(samples);
        return Err(Error::Parameter(format!(
            "samples is {kind}; it must be a sequence of bytes, or of buffers of them"
        ))
        .into());
    };
    items.enumerate().map(|(at, item)| bytes_of(&format!("sample {at}"), &item?)).collect()
}
