//! The methods: from options of Python to a selection, and from that to [`Picks`].
//!
//! To add one is a file here, and its line in [`METHODS`].

pub(super) mod coverage;
mod ordered;
mod zip;

use pyo3::prelude::*;

use super::select::{Call, Picks};

/// Reads the options, selects, and tells of it.
type Method = fn(&Call<'_, '_>) -> PyResult<Picks>;

/// By name.
pub(super) const METHODS: &[(&str, Method)] =
    &[("coverage", coverage::select), ("random", ordered::random), ("top", ordered::top), ("zip", zip::select)];
