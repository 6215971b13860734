//! The methods that pick samples of a pool, and what they share.

pub mod controls;
pub mod copies;
pub mod coverage;
pub mod journal;
pub mod ledger;
pub mod measure;
pub mod monitor;
pub mod order;
pub mod ordered;
pub mod overlap;
pub mod set;
pub mod shared;
pub mod threads;
pub mod workers;
pub mod zip;
