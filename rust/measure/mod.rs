//! What can be said of a pool without selecting from it.

pub mod clusters;
pub mod copies;
mod covered;
pub mod duplicates;
pub mod novelty;
pub mod overlap;
pub mod ratio;
pub mod scores;
