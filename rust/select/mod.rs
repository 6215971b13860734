//! The methods that pick samples of a pool, and what they share.

pub mod controls;
pub mod coverage;
mod greedy;
pub mod ledger;
pub mod order;
pub mod ordered;
pub mod zip;
