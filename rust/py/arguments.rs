//! Arguments that users give to the core themselves, and what to say where they do not fit.

use std::ops::Deref;

use pyo3::buffer::PyBuffer;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBool, PyFloat};

use super::EntropyLawError;
use crate::run::threads;

/// Characters of a value that a message shows.
const SHOWN: usize = 60;

/// A number of threads that a caller asks for.
#[derive(Clone, Copy)]
pub(super) struct ThreadCount(usize);

impl ThreadCount {
    /// The number that was given, if one was. (An argument of this type says the same; but pyo3 adds a note of its own to
    /// what went wrong.)
    pub(super) fn of(given: Option<&Bound<'_, PyAny>>) -> PyResult<Option<usize>> {
        Ok(given.map(|given| given.extract::<Self>()).transpose()?.map(Self::get))
    }

    /// The number.
    pub(super) fn get(self) -> usize {
        self.0
    }
}

impl<'py> FromPyObject<'_, 'py> for ThreadCount {
    type Error = PyErr;

    /// Understands whole numbers, Python's and NumPy's, and `2.0`.
    fn extract(given: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let number = if given.is_instance_of::<PyBool>() {
            None
        } else if given.is_instance_of::<PyFloat>() {
            let number = given.extract::<f64>()?;
            (number.fract() == 0.0).then_some(number as i64)
        } else {
            given.extract::<i64>().ok()
        };
        let count = number.and_then(|number| usize::try_from(number).ok());
        match count.filter(|count| (1..=threads::MOST).contains(count)) {
            Some(count) => Ok(Self(count)),
            None => Err(EntropyLawError::new_err(format!(
                "threads is {}; it must be a whole number from 1 to {}",
                shown(&given),
                threads::MOST
            ))),
        }
    }
}

/// A sample's bytes: those of the object itself, or a copy where somebody might write to them meanwhile.
pub(super) enum Bytes {
    Kept(PyBackedBytes),
    Copied(Vec<u8>),
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Kept(bytes) => bytes,
            Self::Copied(bytes) => bytes,
        }
    }
}

/// A sample given as bytes, or as a buffer of them; `name` says which.
pub(super) fn bytes_of(name: &str, given: &Bound<'_, PyAny>) -> PyResult<Bytes> {
    if let Ok(bytes) = given.extract() {
        return Ok(Bytes::Kept(bytes));
    }
    if let Ok(bytes) = PyBuffer::<u8>::get(given).and_then(|buffer| buffer.to_vec(given.py())) {
        return Ok(Bytes::Copied(bytes));
    }
    let remedy = if given.extract::<&str>().is_ok() { ": encode it" } else { "" };
    Err(EntropyLawError::new_err(format!(
        "{name} is {}; it must be bytes, or a buffer of them{remedy}",
        kind_of(given)
    )))
}

/// What a value is, in a word or two.
pub(super) fn kind_of(given: &Bound<'_, PyAny>) -> String {
    if given.is_none() {
        return "None".into();
    }
    given.get_type().name().map_or_else(|_| "something".into(), |name| format!("of type {name}"))
}

/// A value as a message shows it: on one line, and not all of a long one.
pub(super) fn shown(given: &Bound<'_, PyAny>) -> String {
    let Ok(text) = given.repr().map(|text| text.to_string()) else { return kind_of(given) };
    let mut short: String = text.chars().take(SHOWN).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(SHOWN).is_some() {
        short.push_str("...");
    }
    short
}

/// How many threads a call uses that asks for `threads`. See `_core.pyi`.
#[pyfunction]
#[pyo3(signature = (threads=None))]
pub(super) fn thread_count(threads: Option<&Bound<'_, PyAny>>) -> PyResult<usize> {
    Ok(ThreadCount::of(threads)?.unwrap_or_else(threads::available))
}
