//! The Python module `entropylaw._core`: thin conversions, and the only place that names pyo3.
//!
//! Every call that may take long lets go of the interpreter while it works ([`watch`]). Samples come as two NumPy
//! arrays that are borrowed, not copied; whoever calls must not write to them meanwhile.

mod arguments;
mod controls;
mod journal;
mod measure;
mod methods;
mod overlap;
mod partition;
mod read;
mod scores;
mod select;
mod select_parts;
mod sizer;
mod watch;

use pyo3::prelude::*;

use crate::error::Error;

pyo3::import_exception!(entropylaw.errors, EntropyLawError);

impl From<Error> for PyErr {
    fn from(error: Error) -> Self {
        EntropyLawError::new_err(error.to_string())
    }
}

#[pymodule(gil_used = false)]
mod _core {
    #[pymodule_export]
    use super::arguments::thread_count;
    #[pymodule_export]
    use super::controls::Controls;
    #[pymodule_export]
    use super::measure::{clusters, find_duplicates, measure, measure_each, novelty};
    #[pymodule_export]
    use super::methods::coverage::{auto_one_in, first_gains};
    #[pymodule_export]
    use super::overlap::{find_overlap, first_copies};
    #[pymodule_export]
    use super::partition::{Partition, request_changes};
    #[pymodule_export]
    use super::read::{ReadRecords, RecordReader};
    #[pymodule_export]
    use super::scores::{densities, dsir_scores, weighted_keys, zipfit_scores};
    #[pymodule_export]
    use super::select::{Picks, select};
    #[pymodule_export]
    use super::select_parts::select_parts;
    #[pymodule_export]
    use super::sizer::Sizer;
    #[pymodule_export]
    use super::watch::Progress;

    #[pymodule_export]
    #[allow(non_upper_case_globals)]
    const __version__: &str = env!("CARGO_PKG_VERSION");
    #[pymodule_export]
    const JOURNAL_HEADER: &[u8] = crate::run::journal::HEADER;
}
