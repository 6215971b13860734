//! The methods that pick samples of a pool, and what they share.

pub(crate) mod accounts;
pub mod controls;
pub mod coverage;
pub mod draw;
mod greedy;
pub(crate) mod ledger;
pub(crate) mod order;
pub mod ordered;
pub mod parts;
pub mod zip;
