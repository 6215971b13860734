//! Selecting training data by compression ratio, exactly and fast.
//!
//! The crate holds what is worth compiling of the `entropylaw` Python package. [`text`] makes samples of JSON Lines and of
//! tables; [`sizer`] tells what compressors would make of them, in bytes; [`measure`] tells what a [`pool`] of samples
//! holds; [`select`] picks some of it; [`run`] has what every long call needs: threads, a monitor, a journal. Only the
//! binding to Python opens files.

#![deny(unsafe_code)]

pub mod error;
mod hash;
pub mod measure;
pub mod pool;
#[cfg(feature = "python")]
mod py;
mod real;
pub mod run;
pub mod select;
pub mod sizer;
pub mod text;

pub use error::{Error, Result};
pub use pool::Pool;
