//! What can go wrong in the crate, in words for the person who has to mend it.

/// An error of this crate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The offsets of a pool do not cut its bytes into samples.
    #[error("pool offsets must start at 0, never fall, and end at the number of bytes: {0}")]
    Offsets(String),
    /// A parameter that no selection can be made with.
    #[error("{0}")]
    Parameter(String),
    /// More than can be counted or held.
    #[error("{0}")]
    Limit(String),
    /// A temporary file that can't be read.
    #[error("a temporary file can't be read: {0}; the disk of TMPDIR may be failing")]
    Scratch(String),
    /// A checkpoint that can't be used or written.
    #[error("the checkpoint: {0}")]
    Checkpoint(String),
    /// The caller asked to stop.
    #[error("interrupted")]
    Interrupted,
}

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;
