//! The methods: from options of Python to a selection, and from that to [`Picks`].
//!
//! To add one is a file here, and its line in [`METHODS`].

pub(super) mod coverage;
mod ordered;
mod zip;

use pyo3::prelude::*;

use super::select::{Call, Picks};
use super::select_parts::PartedCall;

/// Reads the options, selects, and tells of it.
type Method = fn(&Call<'_, '_>) -> PyResult<Picks>;

/// By name.
pub(super) const METHODS: &[(&str, Method)] =
    &[("coverage", coverage::select), ("random", ordered::random), ("top", ordered::top), ("zip", zip::select)];

/// Reads the options, selects from partitions, and tells of it.
type Parted = fn(&PartedCall<'_, '_>) -> PyResult<Picks>;

/// Those that select from partitions, by name.
pub(super) const PARTED: &[(&str, Parted)] = &[
    ("coverage", coverage::select_parts),
    ("dsir", ordered::dsir_parts),
    ("random", ordered::random_parts),
    ("top", ordered::top_parts),
    ("zip", zip::select_parts),
];
