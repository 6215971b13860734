//! Selecting training data by compression ratio, exactly and fast.
//!
//! The crate holds what is worth compiling of the `entropylaw` Python package: [`sizer`] knows compressors by the sizes
//! they would produce, [`select`] picks samples of a [`pool`] with them, [`measure`] tells what a pool holds,
//! [`text`] makes samples of JSON Lines, [`run`] has what every long call needs. Nothing here knows of files.

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
