//! Selecting training data by compression ratio, exactly and fast.
//!
//! The crate holds what is worth compiling of the `entropylaw` Python package: [`sizer`] knows compressors by the sizes
//! they would produce, [`select`] picks samples of a [`pool`] with them, [`read`] makes samples of JSON Lines. Nothing
//! here knows of files.

pub mod clusters;
pub mod duplicates;
pub mod error;
mod hash;
pub mod pool;
#[cfg(feature = "python")]
mod py;
pub mod read;
pub mod select;
pub mod sizer;

pub use error::{Error, Result};
pub use pool::Pool;
